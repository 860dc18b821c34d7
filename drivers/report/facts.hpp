#pragma once

/// What both forms of a report say in words: on the study as a whole, and how to repeat a piece of it.

#include <string>
#include <vector>

#include "drivers/study/trials.hpp"
#include "drivers/study/verdict.hpp"

namespace duet {

/// What a reader must know before the first verdict, a sentence each: the study was interrupted, ran out of its budget,
/// some cells have no right answer, most trials of some cells were set aside. Empty where there is nothing to say.
[[nodiscard]] std::vector<std::string> caveats(const SavedStudy& study, const Analysis& analysis);

/// The words of a command as a POSIX shell reads them back: quoted where needed.
[[nodiscard]] std::string shell_line(const std::vector<std::string>& words);

/// The command that runs this cell once, by hand.
[[nodiscard]] std::string command_for(const Cell& cell);

/// "modulus = 7, seed = 2": the parameters in which a cell differs from others of its problem, as in
/// Comparison::parameters; empty where the study asked one question only. Parallel to `cells`.
[[nodiscard]] std::vector<std::string> conditions(const std::vector<CellSummary>& cells);

/// Cells of one problem that make one line in a chart or one column in a table, since only the size differs: the model,
/// and after it whatever tells the cell from others of that model: "hybrid", or "hybrid 2x4" and "hybrid 4x2";
/// "mpi schedule=dynamic". Parallel to `cells`.
[[nodiscard]] std::vector<std::string> series_names(const std::vector<CellSummary>& cells);

}  // namespace duet
