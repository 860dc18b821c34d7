#include "drivers/watchdog/agreement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace duet {
namespace {

/// In so many looks of one rank each of the others has looked as well.
constexpr std::uint64_t looks_of_all = 3;

constexpr const char* number_key = "number";
constexpr const char* states_key = "states";
constexpr const char* nodes_key = "nodes";
constexpr const char* yes_key = "yes";

}  // namespace

void NodePosting::look(const Postings& postings) {
  look_at(poster_, postings);
  other_ = (other_ + 1) % ranks_.size();
  if (other_ != poster_) look_at(other_, postings);
}

void NodePosting::look_at(std::size_t place, const Postings& postings) {
  const auto text = postings.find(ranks_[place]);
  if (!text) return;
  nlohmann::json content = nlohmann::json::parse(*text);
  const auto number = content.at(number_key).get<std::uint64_t>();
  if (place == poster_ ? number < number_ : number <= number_) return;
  poster_ = place;
  number_ = number;
  content_ = std::move(content);
}

Agreement::Agreement(const std::map<int, std::vector<int>>& nodes, int mine, std::shared_ptr<Board> board,
                     Postings postings)
    : first_{nodes.begin()->first}, mine_{mine}, board_{std::move(board)}, postings_{std::move(postings)} {
  for (const auto& [node, ranks] : nodes) {
    if (node != mine_ && (is_first() || node == first_)) others_.emplace(node, ranks);
  }
}

void Agreement::node_stands_still(const std::vector<RankState>& states) {
  const std::scoped_lock lock{mutex_};
  if (standstill_.which == 0) {
    standstill_ = {.which = ++standstills_, .states = states};
    stands_.notify_one();
  }
  ++standstill_.looks;
}

void Agreement::node_moves() {
  const std::scoped_lock lock{mutex_};
  standstill_ = {};
  all_.reset();
}

std::optional<std::vector<RankState>> Agreement::all() const {
  const std::scoped_lock lock{mutex_};
  return all_;
}

bool Agreement::is_served() const {
  const std::scoped_lock lock{mutex_};
  return is_served_;
}

Agreement::Standstill Agreement::now() const {
  const std::scoped_lock lock{mutex_};
  return standstill_;
}

bool Agreement::has_not_moved_since(const Standstill& seen) const { return now().which == seen.which; }

bool Agreement::post(const nlohmann::json& content) const {
  return postings_.post(content.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

void Agreement::step() {
  const Standstill seen = now();
  if (seen.which == 0) return;
  if (posted_.which != seen.which) {
    posted_ = {.which = seen.which, .number = board_->next_standstill()};
    // Of the first node nobody needs to know that: it only learns whether it can post.
    const bool served =
        is_first() ? post({{number_key, 0}}) : post({{number_key, posted_.number}, {states_key, seen.states}});
    const std::scoped_lock lock{mutex_};
    is_served_ = served;
  }
  if (!is_served()) return;
  if (is_first()) {
    propose(seen);
  } else {
    answer(seen);
  }
}

void Agreement::propose(const Standstill& seen) {
  std::map<std::string, std::uint64_t> latest;
  for (auto& [node, posting] : others_) {
    posting.look(postings_);
    if (posting.number() == 0) return;
    latest[std::to_string(node)] = posting.number();
  }
  if (latest != proposed_ || posted_.proposal == 0) {
    posted_.proposal = board_->next_proposal();
    proposed_ = std::move(latest);
    static_cast<void>(post({{number_key, posted_.proposal}, {nodes_key, proposed_}}));
    posted_.proposal_seen = now().looks;
    return;
  }
  if (seen.looks < posted_.proposal_seen + looks_of_all) return;
  std::vector<RankState> states = seen.states;
  for (const auto& [node, posting] : others_) {
    if (posting.content().value(yes_key, std::uint64_t{0}) != posted_.proposal) return;
    for (auto& state : posting.content().at(states_key).get<std::vector<RankState>>()) {
      states.push_back(std::move(state));
    }
  }
  std::ranges::sort(states, {}, &RankState::rank);
  const std::scoped_lock lock{mutex_};
  if (standstill_.which == seen.which) all_ = std::move(states);
}

void Agreement::answer(const Standstill& seen) {
  NodePosting& first = others_.at(first_);
  first.look(postings_);
  if (first.number() == 0) return;
  if (first.number() != read_proposal_) {
    read_proposal_ = first.number();
    const std::uint64_t number = first.content().at(nodes_key).at(std::to_string(mine_)).get<std::uint64_t>();
    posted_.proposal = number == posted_.number ? read_proposal_ : 0;
    posted_.proposal_seen = now().looks;
    posted_.said_yes = false;
  }
  if (posted_.proposal == 0 || posted_.said_yes || seen.looks < posted_.proposal_seen + looks_of_all) return;
  if (!has_not_moved_since(seen)) return;
  posted_.said_yes = post({{number_key, posted_.number}, {states_key, seen.states}, {yes_key, posted_.proposal}});
}

void Agreement::keep_stepping() {
  constexpr std::chrono::milliseconds pause{500};
  while (true) {
    {
      std::unique_lock lock{mutex_};
      stands_.wait(lock, [&] { return standstill_.which != 0; });
    }
    step();
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace duet
