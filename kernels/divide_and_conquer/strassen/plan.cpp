#include "kernels/divide_and_conquer/strassen/plan.hpp"

#include <algorithm>
#include <limits>

#include "kernels/divide_and_conquer/strassen/breadth_product.hpp"
#include "kernels/divide_and_conquer/strassen/rank_product.hpp"

namespace duet {
namespace {

/// As deep as local kernels block their products; narrower where three levels leave little room below 0.65 n^2
/// words.
constexpr std::int64_t wide_panel = 256;
constexpr std::int64_t narrow_panel = 96;

std::int64_t seven_to(int exponent) {
  std::int64_t power = 1;
  for (int i = 0; i < exponent; ++i) power *= 7;
  return power;
}

Runs runs_of(std::int64_t block, std::int64_t blocks, std::int64_t parts, std::int64_t part) {
  const Range share = share_of(block, parts, part);
  return {share.begin, share.size(), block, blocks};
}

RankPlan::Moved moved_by(const RankPlan& plan, std::int64_t ranks, std::int64_t rank, const RankPlan::Steps& steps) {
  const std::int64_t times = seven_to(steps.depth);
  if (steps.breadth == 0) {
    const LeafPlan leaf{plan.leaf(), plan.grid_of(ranks), rank, plan.panel()};
    return times * seven_to(steps.local) * leaf.moved();
  }
  const BreadthPlan level{plan, ranks, rank, steps.breadth - 1 + steps.local};
  const Range group = level.group(level.my_group());
  RankPlan::Moved moved = level.moved();
  moved += level.products(level.my_group()).size() *
           moved_by(plan, group.size(), rank - group.begin, {0, steps.breadth - 1, steps.local});
  return times * moved;
}

double operations_by(const RankPlan& plan, std::int64_t ranks, std::int64_t rank, const RankPlan::Steps& steps) {
  const auto times = static_cast<double>(seven_to(steps.depth));
  if (steps.breadth == 0) {
    const LocalShape part = plan.part(ranks, rank, 0);
    return times * static_cast<double>(seven_to(steps.local)) * 2 * static_cast<double>(part.m) *
           static_cast<double>(part.n) * static_cast<double>(plan.leaf().k);
  }
  const BreadthPlan level{plan, ranks, rank, steps.breadth - 1 + steps.local};
  const Range group = level.group(level.my_group());
  return times * static_cast<double>(level.products(level.my_group()).size()) *
         operations_by(plan, group.size(), rank - group.begin, {0, steps.breadth - 1, steps.local});
}

std::int64_t words_by(const RankPlan& plan, std::int64_t ranks, std::int64_t rank, const RankPlan::Steps& steps) {
  const int depth = steps.breadth == 0 ? steps.levels() : steps.depth;
  const std::int64_t words = winograd_words(plan.part(ranks, rank, steps.levels()), depth);
  if (steps.breadth == 0) return words + LeafPlan{plan.leaf(), plan.grid_of(ranks), rank, plan.panel()}.words();
  const BreadthPlan level{plan, ranks, rank, steps.breadth - 1 + steps.local};
  const Range group = level.group(level.my_group());
  return words + level.words() + words_by(plan, group.size(), rank - group.begin, {0, steps.breadth - 1, steps.local});
}

}  // namespace

std::int64_t StrassenShape::least() const { return std::min({m, n, k}); }

StrassenShape StrassenShape::divided(int levels) const { return {m >> levels, n >> levels, k >> levels}; }

StrassenShape StrassenShape::divided_up(int levels) const {
  const std::int64_t rest = (std::int64_t{1} << levels) - 1;
  return {(m + rest) >> levels, (n + rest) >> levels, (k + rest) >> levels};
}

int levels_within(const StrassenShape& shape, int levels) {
  while (levels > 0 && shape.divided(levels).least() == 0) --levels;
  return levels;
}

int levels_for(const StrassenShape& shape, std::int64_t leaf) {
  if (shape.least() == 0) return 0;
  const double mean =
      3 / (1 / static_cast<double>(shape.m) + 1 / static_cast<double>(shape.n) + 1 / static_cast<double>(shape.k));
  int levels = 0;
  while (levels < most_chosen_levels && mean >= static_cast<double>(leaf << (levels + 1))) ++levels;
  return levels_within(shape, levels);
}

double strassen_error(std::int64_t k, int levels) {
  if (levels == 0) return 0;
  auto inner = static_cast<double>((k + (std::int64_t{1} << levels) - 1) >> levels);
  double error = inner * inner;
  for (int level = 0; level < levels; ++level) {
    error = (level == 0 ? 32 : 18) * error + 143 * inner;
    inner *= 2;
  }
  return 1.01 * error;
}

RankPlan::RankPlan(const StrassenShape& shape, std::int64_t ranks, const Steps& steps, std::int64_t panel)
    : shape_{shape},
      ranks_{ranks},
      steps_{steps},
      panel_{panel > 0                             ? panel
             : steps.levels() < most_chosen_levels ? wide_panel
                                                   : narrow_panel},
      leaf_{shape.divided_up(steps.levels())},
      padded_{leaf_.m << steps.levels(), leaf_.n << steps.levels(), leaf_.k << steps.levels()} {}

RankPlan RankPlan::chosen(const StrassenShape& shape, std::int64_t ranks, int levels, std::int64_t words,
                          std::int64_t panel) {
  RankPlan best{shape, ranks, {levels, 0, 0}, panel};
  double least = std::numeric_limits<double>::infinity();
  for (int breadth = 0; breadth <= std::min(levels, ranks > 7 ? 2 : ranks > 1 ? 1 : 0); ++breadth) {
    for (int depth = breadth == 0 ? levels : 0; depth + breadth <= levels; ++depth) {
      const RankPlan plan{shape, ranks, {depth, breadth, levels - depth - breadth}, panel};
      double operations = 0;
      double moved_words = 0;
      std::int64_t workspace = 0;
      // Shares differ by one row or column, groups by one rank: a sample tells.
      constexpr std::int64_t samples = 64;
      for (std::int64_t sample = 0; sample < std::min(samples, ranks); ++sample) {
        const std::int64_t rank = ranks <= samples ? sample : sample * (ranks - 1) / (samples - 1);
        operations = std::max(operations, plan.operations(rank));
        moved_words = std::max(moved_words, static_cast<double>(plan.moved(rank).received_words));
        workspace = std::max(workspace, plan.workspace(rank));
      }
      if (breadth > 0 && workspace > words) continue;
      const double cost = operations + operations_per_word * moved_words;
      if (cost < least) {
        least = cost;
        best = plan;
      }
    }
  }
  return best;
}

Runs RankPlan::rows(std::int64_t rank) const {
  const Grid all = grid();
  return runs_of(leaf_.m, std::int64_t{1} << steps_.levels(), all.rows, all.row_of(rank));
}
Runs RankPlan::columns(std::int64_t rank) const {
  const Grid all = grid();
  return runs_of(leaf_.n, std::int64_t{1} << steps_.levels(), all.columns, all.column_of(rank));
}
Runs RankPlan::a_columns(std::int64_t rank) const {
  const Grid all = grid();
  return runs_of(leaf_.k, std::int64_t{1} << steps_.levels(), all.columns, all.column_of(rank));
}
Runs RankPlan::b_rows(std::int64_t rank) const {
  const Grid all = grid();
  return runs_of(leaf_.k, std::int64_t{1} << steps_.levels(), all.rows, all.row_of(rank));
}

LocalShape RankPlan::part(std::int64_t group, std::int64_t rank, int levels) const {
  const Grid of = grid_of(group);
  const std::int64_t row = of.row_of(rank);
  const std::int64_t column = of.column_of(rank);
  return {share_of(leaf_.m, of.rows, row).size() << levels, share_of(leaf_.n, of.columns, column).size() << levels,
          share_of(leaf_.k, of.columns, column).size() << levels, share_of(leaf_.k, of.rows, row).size() << levels};
}

RankPlan::Moved& RankPlan::Moved::operator+=(const Moved& more) {
  received_messages += more.received_messages;
  received_words += more.received_words;
  sent_messages += more.sent_messages;
  sent_words += more.sent_words;
  return *this;
}

RankPlan::Moved operator*(std::int64_t times, const RankPlan::Moved& once) {
  return {times * once.received_messages, times * once.received_words, times * once.sent_messages,
          times * once.sent_words};
}

RankPlan::Moved RankPlan::moved(std::int64_t rank) const { return moved_by(*this, ranks_, rank, steps_); }

std::int64_t RankPlan::workspace(std::int64_t rank) const { return words_by(*this, ranks_, rank, steps_); }

double RankPlan::operations(std::int64_t rank) const { return operations_by(*this, ranks_, rank, steps_); }

}  // namespace duet
