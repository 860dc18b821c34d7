#pragma once

/// What the trials of each cell say by themselves.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/study/verdict.hpp"

namespace duet {

/// What a comparison holds equal beside the size: cells of one group differ in model, size, tunables, and in how
/// workers are split into ranks and threads.
struct Group {
  std::string problem;
  std::string parameters;  ///< all of them, and the seed: for telling apart, not for reading
  int nodes = 1;
  int workers = 1;
  friend auto operator<=>(const Group&, const Group&) = default;
};
[[nodiscard]] Group group_of(const Cell& cell);

/// One summary for each cell, of the trials that try no change, ordered by problem (as met first), parameters, workers,
/// size and model.
[[nodiscard]] std::vector<CellSummary> summarise(const std::vector<Trial>& trials, std::uint64_t seed);

/// True where the cell has times and no wrong answer.
[[nodiscard]] bool is_comparable(const CellSummary& summary);

/// The seconds of the rounds that both cells have, a pair each. Where too few of them are clean on both sides for an
/// interval, and all of them are enough, those with a slow canary are used as well: a neighbour widens the interval,
/// but no median with an interval says nothing at all.
struct CommonRounds {
  std::vector<double> first;
  std::vector<double> second;
  bool disturbed = false;  ///< rounds with a slow canary are among them
};
[[nodiscard]] CommonRounds common_rounds(const CellSummary& first, const CellSummary& second);

/// A seed for the bootstrap of these two cells that depends on nothing else, so that one more cell in a study moves no
/// other interval.
[[nodiscard]] std::uint64_t seed_for(const CellSummary& first, const CellSummary& second, std::uint64_t seed);

/// The one number of a size: 1024 for "1024", the geometric mean for "100x200x300", as Instance::size has it; 0 where
/// the text is no size.
[[nodiscard]] double size_value(std::string_view size);

/// "n = 1024", "count = 5000" where the problem has one extent of that name, or "100x200x300".
[[nodiscard]] std::string size_named(std::string_view problem, std::string_view size);

/// The name before the equals sign of `size_named`.
[[nodiscard]] std::string extent_name(std::string_view problem);

/// What the mark means, for a person.
[[nodiscard]] std::string meaning_of_mark(std::string_view mark);

/// Everything about the study's trials that a reader must not miss, a sentence each.
[[nodiscard]] std::vector<std::string> troubles_of(const std::vector<Trial>& trials,
                                                   const std::vector<CellSummary>& summaries);

}  // namespace duet
