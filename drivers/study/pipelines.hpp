#pragma once

/// What binds a pipeline, in words, the change that may help it, and what came of trying that. One run and a whole
/// study say and try the same.
///
/// A study tries a change after its rounds: it launches the cell with the change and without it side by side, a few
/// rounds of both, whose trials say in `Trial::tried` what they are for. They have no part in summaries and verdicts.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/study/verdict.hpp"

namespace duet {

/// Each figure is its median over `trials`, stage by stage; of trials whose stages differ, over those that have the
/// most common ones. Empty where no trial has stages.
[[nodiscard]] std::vector<StageFigures> median_stages(const std::vector<const Trial*>& trials);

/// "this job waits": what a job does for the most of its time; empty where its bound is less than half of that.
[[nodiscard]] std::string_view job_text(const PipelineBound& bound);

/// "bound by waiting, most of it in compute: 600 ms at the least, 92 % of the run"
[[nodiscard]] std::string bound_sentence(const PipelineBound& bound);

/// More threads for the stage that binds the pipeline of `cell`, where its variant has a tunable for them: twice as
/// many for a disk, and as many as there are items where they only wait; and tokens for all of them, since a thread
/// without an item is none. Empty where nothing of that kind would help.
[[nodiscard]] std::map<std::string, std::string> change_that_may_help(const Cell& cell,
                                                                      const std::vector<StageFigures>& stages,
                                                                      const PipelineBound& bound);

[[nodiscard]] Cell with_tunables(Cell cell, const std::map<std::string, std::string>& change);

/// "readers=200, tokens=408"; "none" where there are none.
[[nodiscard]] std::string settings_text(const std::map<std::string, std::string>& settings);

/// "tried readers=200, tokens=408: median 52.1 ms [51.8, 52.9], 9.61x [9.50, 9.70] as fast"
[[nodiscard]] std::string gain_sentence(const std::map<std::string, std::string>& change, const Interval& seconds,
                                        const Interval& gain);

/// What came of the change of `cell`, from all that the study tried, as `gain_sentence`; why there is no gain; that it
/// was not tried, where a change may help; else nothing.
[[nodiscard]] std::string trial_of_change(const CellSummary& cell, const std::vector<TriedChange>& tried);

/// One entry for each cell that was tried with a change.
[[nodiscard]] std::vector<TriedChange> tried_changes(const std::vector<Trial>& trials, std::uint64_t seed);

/// The cells whose stages are told: for each question that has any, at its largest size, those with the most workers
/// and serial. A question is a problem with its parameters.
[[nodiscard]] std::vector<std::vector<const CellSummary*>> told_pipelines(const std::vector<CellSummary>& cells);

}  // namespace duet
