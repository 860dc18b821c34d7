#include "drivers/bench/contest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <ranges>
#include <stdexcept>

#include "drivers/statistics/medians.hpp"
#include "drivers/statistics/text.hpp"

namespace duet {
namespace {

/// More than any contestant takes; a hanging one is ended.
constexpr double time_limit_seconds = 600;

std::string ratio_line(const Showing& showing, const Showing& peer) {
  return fmt::format("{} of {}", factor_text(ratio_of_medians(peer.seconds, showing.seconds)), peer.contestant.name);
}

}  // namespace

std::string shares_of_even_division(const Contest& contest) {
  const double work = median(contest.showings().front().seconds);
  std::string text;
  for (const Showing& showing : contest.showings()) {
    const int workers = showing.contestant.workers;
    if (workers == 1) continue;
    text += fmt::format("  {:<27} {:.3f} of the even division of the serial time\n", showing.contestant.name,
                        work / workers / median(showing.seconds));
  }
  return text;
}

std::string shares_of_slowest_stage(const Contest& contest) {
  std::string text;
  for (const Showing& showing : contest.showings()) {
    if (showing.bound_shares.empty()) continue;
    text += fmt::format("  {:<27} {:.3f} of the bound by its slowest stage\n", showing.contestant.name,
                        median(showing.bound_shares));
  }
  return text;
}

std::string beside_every_peer(const Contest& contest) {
  std::string text;
  for (const Showing& peer : contest.showings()) {
    if (peer.contestant.role != Contestant::Role::peer) continue;
    text += fmt::format("  as fast as {} on {}\n", peer.contestant.name, peer.contestant.workers);
    for (const Showing& showing : contest.showings()) {
      if (showing.contestant.role != Contestant::Role::variant) continue;
      if (showing.contestant.workers != peer.contestant.workers) continue;
      text += fmt::format("    {:<25} {}\n", showing.contestant.name,
                          factor_text(ratio_of_medians(peer.seconds, showing.seconds)));
    }
  }
  return text;
}

std::vector<Trial> trials_of(const Contestant& contestant, const std::filesystem::path& folder,
                             const StopSignals& stop) {
  const std::filesystem::path file = folder / "trials.jsonl";
  std::filesystem::remove(file);
  Command command = contestant.command;
  command.push_back(file.string());
  const Ending ending = run_process(command, time_limit_seconds, stop);
  std::vector<Trial> trials = trials_from(file.string());
  std::erase_if(trials, [&](const Trial& trial) { return contestant.cold ? trial.number != 0 : trial.warms_up(); });
  for (const Trial& trial : trials) {
    if (trial.outcome != Outcome::right) {
      throw std::runtime_error(fmt::format("{}: a wrong answer: {}", contestant.name, trial.message));
    }
  }
  if (ending.how == Ending::How::stopped) throw std::runtime_error("interrupted");
  if (ending.how != Ending::How::exited || ending.code != 0 || trials.empty()) {
    throw std::runtime_error(fmt::format("{} did not end well:\n{}", contestant.name, ending.output));
  }
  return trials;
}

Contest::Contest(std::string title, std::vector<Contestant> contestants, std::filesystem::path folder,
                 std::uint64_t seed)
    : title_{std::move(title)}, folder_{std::move(folder)}, seed_{seed} {
  for (Contestant& contestant : contestants) showings_.push_back({.contestant = std::move(contestant)});
}

double Contest::hold_round(const StopSignals& stop) {
  std::vector<std::size_t> order(showings_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::mt19937_64 generator{seed_ + static_cast<std::uint64_t>(rounds_)};
  std::ranges::shuffle(order, generator);
  double all = 0;
  ++rounds_;
  for (const std::size_t next : order) {
    Showing& showing = showings_[next];
    const std::vector<Trial> trials = trials_of(showing.contestant, folder_, stop);
    std::vector<double> seconds;
    std::vector<double> shares;
    for (const Trial& trial : trials) {
      seconds.push_back(trial.seconds);
      if (trial.stages.empty()) continue;
      shares.push_back(bound_of(trial.stages, showing.contestant.workers, trial.seconds).share);
    }
    if (!shares.empty()) showing.bound_shares.push_back(median(shares));
    showing.operations = trials.front().operations;
    showing.unit = trials.front().unit;
    showing.code_path.clear();
    for (const char* const name : {"local_kernel", "code_path", "arithmetic"}) {
      const auto fact = trials.front().facts.find(name);
      if (fact == trials.front().facts.end()) continue;
      showing.code_path += (showing.code_path.empty() ? "" : "/") + fact->second;
    }
    const std::map<std::string, std::string>& facts = trials.front().facts;
    if (facts.contains("cutoff")) showing.code_path = "cut-off " + facts.at("cutoff") + ", tasks " + facts.at("tasks");
    // The peak is the largest of several; a time is the median of several.
    const bool ceiling = showing.contestant.role == Contestant::Role::ceiling;
    showing.seconds.push_back(ceiling ? std::ranges::min(seconds) : median(seconds));
    all += showing.seconds.back();
    fmt::print(stderr, "round {}: {} {}\n", rounds_, showing.contestant.name, seconds_text(showing.seconds.back()));
  }
  return all;
}

const Showing* Contest::best_peer(int workers) const {
  const Showing* best = nullptr;
  for (const Showing& showing : showings_) {
    const bool is_peer =
        showing.contestant.role == Contestant::Role::peer || showing.contestant.role == Contestant::Role::as_shipped;
    if (!is_peer || showing.contestant.workers > workers) continue;
    if (best == nullptr || median(showing.seconds) < median(best->seconds)) best = &showing;
  }
  return best;
}

std::string Contest::table() const {
  const auto ceiling = std::ranges::find(showings_, Contestant::Role::ceiling,
                                         [](const Showing& showing) { return showing.contestant.role; });
  const double peak = ceiling == showings_.end() ? 0 : ceiling->operations / median(ceiling->seconds);
  std::string text = fmt::format("\n{}, {} interleaved rounds, every answer verified\n", title_, rounds_);
  text += fmt::format("  {:<27}{:>9}  {:>18}{}  {}\n", "", "median", "rate", peak > 0 ? "  of peak" : "",
                      "as fast as the best peer");
  for (const Showing& showing : showings_) {
    if (showing.contestant.role == Contestant::Role::yardstick) continue;
    const double seconds = median(showing.seconds);
    const double rate = showing.operations / seconds;
    const bool is_ceiling = showing.contestant.role == Contestant::Role::ceiling;
    text += fmt::format("  {:<27}{:>9}  {:>18}", showing.contestant.name, is_ceiling ? "" : seconds_text(seconds),
                        rate_text(rate, showing.unit));
    if (peak > 0) text += fmt::format("  {:>7}", share_text(rate / peak));
    const Showing* const peer = best_peer(showing.contestant.workers);
    if (showing.contestant.role == Contestant::Role::variant && peer != nullptr) {
      text += fmt::format("\n    {}", ratio_line(showing, *peer));
    }
    if (!showing.code_path.empty()) text += fmt::format("\n    {}", showing.code_path);
    text += '\n';
  }
  return text;
}

}  // namespace duet
