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

std::string still_name(int node, std::uint64_t number) { return fmt::format("still.{}.{}", node, number); }
std::string all_name(std::uint64_t number) { return fmt::format("all.{}", number); }
std::string yes_name(std::uint64_t number, int node) { return fmt::format("yes.{}.{}", number, node); }

}  // namespace

Agreement::Agreement(std::vector<int> nodes, int mine, std::shared_ptr<Board> board, Postings postings)
    : nodes_{std::move(nodes)}, mine_{mine}, board_{std::move(board)}, postings_{std::move(postings)} {}

void Agreement::node_stands_still(const std::vector<RankState>& states) {
  const std::scoped_lock lock{mutex_};
  if (standstill_.which == 0) {
    standstill_ = {.which = ++standstills_,
                   .states = nlohmann::json(states).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)};
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

void Agreement::step() {
  const Standstill seen = now();
  if (seen.which == 0) return;
  if (posted_.which != seen.which) {
    const std::uint64_t number = board_->next_standstill();
    posted_ = {.which = seen.which, .number = number};
    const bool served = postings_.post(still_name(mine_, number), seen.states);
    const std::scoped_lock lock{mutex_};
    is_served_ = served;
  }
  if (!is_served()) return;
  if (mine_ == nodes_.front()) {
    propose(seen);
  } else {
    answer(seen);
  }
}

void Agreement::propose(const Standstill& seen) {
  found_[mine_] = {posted_.number, seen.states};
  std::map<std::string, std::uint64_t> latest;
  for (const int node : nodes_) {
    Found& found = found_[node];
    while (node != mine_) {
      auto states = postings_.find(still_name(node, found.number + 1));
      if (!states) break;
      found = {found.number + 1, std::move(*states)};
    }
    if (found.number == 0) return;
    latest[std::to_string(node)] = found.number;
  }
  if (latest != proposed_ || posted_.proposal == 0) {
    posted_.proposal = board_->next_proposal();
    proposed_ = std::move(latest);
    postings_.post(all_name(posted_.proposal), nlohmann::json(proposed_).dump());
    posted_.proposal_seen = now().looks;
    return;
  }
  if (seen.looks < posted_.proposal_seen + looks_of_all) return;
  std::vector<RankState> states;
  for (const int node : nodes_) {
    if (node != mine_ && !postings_.find(yes_name(posted_.proposal, node))) return;
    for (auto& state : nlohmann::json::parse(found_[node].states).get<std::vector<RankState>>()) {
      states.push_back(std::move(state));
    }
  }
  std::ranges::sort(states, {}, &RankState::rank);
  const std::scoped_lock lock{mutex_};
  if (standstill_.which == seen.which) all_ = std::move(states);
}

void Agreement::answer(const Standstill& seen) {
  std::optional<std::string> latest;
  while (auto proposal = postings_.find(all_name(read_proposals_ + 1))) {
    ++read_proposals_;
    latest = std::move(proposal);
  }
  if (latest) {
    const auto numbers = nlohmann::json::parse(*latest).get<std::map<std::string, std::uint64_t>>();
    const auto number = numbers.find(std::to_string(mine_));
    const bool meant = number != numbers.end() && number->second == posted_.number;
    posted_.proposal = meant ? read_proposals_ : 0;
    posted_.proposal_seen = now().looks;
    posted_.said_yes = false;
  }
  if (posted_.proposal == 0 || posted_.said_yes || seen.looks < posted_.proposal_seen + looks_of_all) return;
  if (!has_not_moved_since(seen)) return;
  posted_.said_yes = postings_.post(yes_name(posted_.proposal, mine_), "yes");
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
