#include "drivers/study/reasons.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include "drivers/statistics/text.hpp"
#include "drivers/study/headline.hpp"
#include "drivers/study/moved.hpp"
#include "drivers/study/summaries.hpp"

namespace duet {
namespace {

struct Factor {
  double by = 1;  ///< above 1 where it slows the slower model down
  std::string sentence;
};

bool booked(const CellSummary& summary) { return summary.load_balance > 0 && summary.communication_efficiency > 0; }

/// "communicates 18 % and waits 3 % of its time"
std::string idle_time(const CellSummary& summary) {
  return fmt::format("communicates {} and waits {} of its time", share_text(summary.communicating_share),
                     share_text(summary.waiting_share));
}

std::string alike(std::string_view at, const Comparison& comparison, const CellSummary& one, const CellSummary& other) {
  const auto [least, most] = std::minmax(one.parallel_efficiency, other.parallel_efficiency);
  const std::string_view how = least >= 0.9 ? "both keep their workers computing: "
                               : most < 0.9 ? "both lose time beside computing: "
                                            : "";
  return fmt::format("{}{}parallel efficiency (POP) {:.2f} in {}, {:.2f} in {}", at, how, one.parallel_efficiency,
                     comparison.faster_name, other.parallel_efficiency, comparison.slower_name);
}

}  // namespace

std::vector<std::string> reasons_for(const Comparison& comparison, const CellSummary& faster,
                                     const CellSummary& slower) {
  if (!std::isfinite(comparison.ratio.high)) return {};
  const std::string at = "At " + size_named(comparison.problem, comparison.size) + " ";
  const std::string& fast = comparison.faster_name;
  const std::string& slow = comparison.slower_name;
  if (!booked(faster) || !booked(slower)) {
    return {fmt::format("{}{} booked no useful time, so nothing says why", at, booked(faster) ? slow : fast)};
  }
  if (!comparison.significant) return {alike(at, comparison, faster, slower)};

  Factor balance{.by = faster.load_balance / slower.load_balance, .sentence = {}};
  balance.sentence = fmt::format(
      "{} shares the work out {} evenly than {}: load balance (POP) {:.2f} against {:.2f}, "
      "which makes {}",
      slow, balance.by > 1 ? "less" : "more", fast, slower.load_balance, faster.load_balance, factor_text(balance.by));
  Factor communication{.by = faster.communication_efficiency / slower.communication_efficiency, .sentence = {}};
  communication.sentence =
      fmt::format("{} {}, {} {}: communication efficiency (POP) {:.2f} against {:.2f}, which makes {}", slow,
                  idle_time(slower), fast, idle_time(faster), slower.communication_efficiency,
                  faster.communication_efficiency, factor_text(communication.by));
  Factor work{.by = comparison.ratio.estimate / balance.by / communication.by, .sentence = {}};
  work.sentence = work.by > 1 ? fmt::format("{}'s workers compute {} as long as {}'s for the same answer", slow,
                                            factor_text(work.by), fast)
                              : fmt::format("{}'s workers compute {} as long as {}'s for the same answer", fast,
                                            factor_text(1 / work.by), slow);

  std::array<Factor, 3> factors{balance, communication, work};
  std::ranges::sort(factors, std::ranges::greater{}, &Factor::by);
  const double whole = std::log(comparison.ratio.estimate);
  std::vector<std::string> reasons;
  const auto explains = [whole](const Factor& factor) { return std::log(factor.by) >= 0.2 * whole; };
  const auto opposes = [](const Factor& factor) { return factor.by <= 1 / 1.05; };
  for (const Factor& factor : factors) {
    if (explains(factor)) reasons.push_back(at + factor.sentence);
  }
  for (const Factor& factor : factors) {
    if (opposes(factor)) reasons.push_back(at + "the other way round, " + factor.sentence);
  }
  if (explains(communication) || opposes(communication)) {
    for (const auto& [name, summary] : {std::pair{slow, &slower}, {fast, &faster}}) {
      if (!summary->traffic || summary->traffic->received.in_all.messages == 0) continue;
      reasons.push_back(fmt::format("{}{} moves {}", at, name, moved_text(*summary->traffic, summary->cell.ranks)));
    }
  }
  const bool same_workers = faster.cell.workers() == slower.cell.workers();
  if (same_workers && faster.cell.workers() > 1 && faster.speedup_over_one_worker.n > 0 &&
      slower.speedup_over_one_worker.n > 0) {
    reasons.push_back(fmt::format(
        "{}{} is {} as fast {} as on one, {} {}", at, fast, factor_text(faster.speedup_over_one_worker.estimate),
        on_workers(faster.cell.workers()), slow, factor_text(slower.speedup_over_one_worker.estimate)));
  }
  return reasons;
}

}  // namespace duet
