#include "drivers/study/pipelines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <system_error>
#include <utility>

#include "drivers/statistics/medians.hpp"
#include "drivers/statistics/text.hpp"
#include "drivers/study/summaries.hpp"
#include "kernels/registry.hpp"

namespace duet {
namespace {

/// What stages are called and do, for telling apart.
std::string names_of_stages(const Trial& trial) {
  std::string names;
  for (const StageFigures& stage : trial.stages) names += fmt::format("{}/{}\n", stage.name, name_of(stage.kind));
  return names;
}

StageFigures median_stage(const std::vector<const Trial*>& trials, std::size_t index) {
  const auto middle = [&](auto figure) {
    std::vector<double> values;
    values.reserve(trials.size());
    for (const Trial* const trial : trials) values.push_back(static_cast<double>(trial->stages[index].*figure));
    return median(values);
  };
  const auto whole = [&](auto figure) { return std::llround(middle(figure)); };
  StageFigures stage = trials.front()->stages[index];
  stage.workers = static_cast<int>(whole(&StageFigures::workers));
  stage.items = whole(&StageFigures::items);
  stage.bytes_in = whole(&StageFigures::bytes_in);
  stage.bytes_out = whole(&StageFigures::bytes_out);
  stage.useful_seconds = middle(&StageFigures::useful_seconds);
  stage.queued_seconds = middle(&StageFigures::queued_seconds);
  stage.mean_depth = middle(&StageFigures::mean_depth);
  stage.most_depth = whole(&StageFigures::most_depth);
  return stage;
}

/// The tunable of that name in the variant of the cell; null where the registry knows none.
const Setting* declared_tunable(const Cell& cell, const std::string& name) {
  const auto& problems = all_problems();
  const auto problem = std::ranges::find(problems, cell.problem, &Problem::name);
  if (problem == problems.end()) return nullptr;
  const auto variant = std::ranges::find(problem->variants, cell.model, &Variant::model);
  if (variant == problem->variants.end()) return nullptr;
  const auto setting = std::ranges::find(variant->tunables, name, &Setting::name);
  return setting == variant->tunables.end() ? nullptr : &*setting;
}

const std::string& value_of(const Cell& cell, const Setting& tunable) {
  const auto found = cell.tunables.find(tunable.name);
  return found == cell.tunables.end() ? tunable.preset : found->second;
}

std::optional<std::int64_t> whole_value_of(const Cell& cell, const Setting& tunable) {
  const std::string& text = value_of(cell, tunable);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Fills in what came of the change. False where no launch with it is there: the study was interrupted before.
bool compare_both(TriedChange& tried, const std::vector<Trial>& trials, std::uint64_t seed) {
  const Cell changed = with_tunables(tried.cell, tried.change);
  std::vector<Trial> of_both;
  for (const Trial& trial : trials) {
    if (trial.tried != tried.change || (trial.cell != tried.cell && trial.cell != changed)) continue;
    of_both.push_back(trial);
    of_both.back().tried.clear();
  }
  const std::vector<CellSummary> summaries = summarise(of_both, seed);
  const auto with = std::ranges::find(summaries, changed, &CellSummary::cell);
  const auto without = std::ranges::find(summaries, tried.cell, &CellSummary::cell);
  if (with == summaries.end()) return false;
  tried.seconds = with->seconds;
  if (with->not_right > 0) {
    tried.failure = fmt::format("{}: {}", name_of(with->worst), with->message.empty() ? "no message" : with->message);
    return true;
  }
  if (is_comparable(*with) && is_comparable(*without)) {
    const CommonRounds rounds = common_rounds(*without, *with);
    tried.gain = ratio_of_medians(rounds.first, rounds.second, usual_level, seed_for(*without, *with, seed));
  }
  return true;
}

}  // namespace

std::vector<StageFigures> median_stages(const std::vector<const Trial*>& trials) {
  std::map<std::string, std::vector<const Trial*>> alike;
  for (const Trial* const trial : trials) {
    if (!trial->stages.empty()) alike[names_of_stages(*trial)].push_back(trial);
  }
  if (alike.empty()) return {};
  const auto& most = std::ranges::max_element(alike, {}, [](const auto& entry) { return entry.second.size(); })->second;
  std::vector<StageFigures> stages;
  for (std::size_t index = 0; index < most.front()->stages.size(); ++index) stages.push_back(median_stage(most, index));
  return stages;
}

std::string_view job_text(const PipelineBound& bound) {
  constexpr double most_of_the_time = 0.5;
  if (bound.share < most_of_the_time) return {};
  constexpr std::array<std::string_view, 3> jobs{"this job computes", "this job waits for its disk", "this job waits"};
  return jobs.at(static_cast<std::size_t>(bound.kind));
}

std::string bound_sentence(const PipelineBound& bound) {
  return fmt::format("bound by {}, most of it in {}: {} at the least, {} of the run", name_of(bound.kind), bound.stage,
                     seconds_text(bound.seconds), share_text(bound.share));
}

std::map<std::string, std::string> change_that_may_help(const Cell& cell, const std::vector<StageFigures>& stages,
                                                        const PipelineBound& bound) {
  if (stages.empty() || bound.tunable.empty()) return {};
  const Setting* const setting = declared_tunable(cell, bound.tunable);
  if (setting == nullptr) return {};
  const std::optional<std::int64_t> now = whole_value_of(cell, *setting);
  if (!now) return {};
  const std::int64_t more =
      bound.kind == StageKind::waiting ? stages.front().items : 2 * std::max<std::int64_t>(1, *now);
  const std::int64_t wanted = std::max(*now, std::min(more, setting->most));
  // Where the workers wait themselves, as many readers as one likes have nothing to do.
  const Setting* const waiting = bound.kind == StageKind::waiting ? declared_tunable(cell, "waiting") : nullptr;
  const bool workers_wait = waiting != nullptr && value_of(cell, *waiting) == "blocking";
  if (wanted == *now && !workers_wait) return {};
  std::map<std::string, std::string> change{{bound.tunable, std::to_string(wanted)}};
  if (workers_wait) change["waiting"] = "threads";
  if (const Setting* const tokens = declared_tunable(cell, "tokens"); tokens != nullptr) {
    // As many as the threads can use, and no fewer than were asked for.
    const std::int64_t enough = std::max(2 * wanted + 4 * cell.threads, whole_value_of(cell, *tokens).value_or(0));
    change["tokens"] = std::to_string(enough);
  }
  return change;
}

Cell with_tunables(Cell cell, const std::map<std::string, std::string>& change) {
  for (const auto& [name, value] : change) cell.tunables[name] = value;
  return cell;
}

std::string settings_text(const std::map<std::string, std::string>& settings) {
  std::string text;
  for (const auto& [name, value] : settings) text += (text.empty() ? "" : ", ") + name + "=" + value;
  return text.empty() ? "none" : text;
}

std::string gain_sentence(const std::map<std::string, std::string>& change, const Interval& seconds,
                          const Interval& gain) {
  return fmt::format("tried {}: median {}, {} as fast", settings_text(change), seconds_text(seconds),
                     factor_text(gain));
}

std::string trial_of_change(const CellSummary& cell, const std::vector<TriedChange>& tried) {
  const auto found = std::ranges::find(tried, cell.cell, &TriedChange::cell);
  if (found == tried.end()) {
    const auto change = change_that_may_help(cell.cell, cell.stages, cell.pipeline);
    return change.empty() ? std::string{} : fmt::format("{} may help; it was not tried", settings_text(change));
  }
  if (!found->failure.empty() || found->gain.n == 0) {
    return fmt::format("tried {}: {}", settings_text(found->change),
                       found->failure.empty() ? "no round counts that would say what it gains" : found->failure);
  }
  return gain_sentence(found->change, found->seconds, found->gain);
}

std::vector<TriedChange> tried_changes(const std::vector<Trial>& trials, std::uint64_t seed) {
  std::vector<TriedChange> tried;
  for (const Trial& trial : trials) {
    const bool is_new = std::ranges::none_of(
        tried, [&trial](const TriedChange& one) { return one.cell == trial.cell && one.change == trial.tried; });
    if (is_new && with_tunables(trial.cell, trial.tried) != trial.cell) {
      tried.push_back({.cell = trial.cell, .change = trial.tried});
    }
  }
  std::erase_if(tried, [&](TriedChange& one) { return !compare_both(one, trials, seed); });
  return tried;
}

std::vector<std::vector<const CellSummary*>> told_pipelines(const std::vector<CellSummary>& cells) {
  using Question = std::pair<std::string, std::string>;
  const auto question_of = [](const CellSummary& cell) {
    return Question{cell.cell.problem, group_of(cell.cell).parameters};
  };
  std::vector<Question> questions;
  for (const CellSummary& cell : cells) {
    if (cell.stages.empty() || std::ranges::find(questions, question_of(cell)) != questions.end()) continue;
    questions.push_back(question_of(cell));
  }
  std::vector<std::vector<const CellSummary*>> told;
  for (const Question& question : questions) {
    double size = 0;
    int workers = 1;
    const auto belongs = [&](const CellSummary& cell) { return !cell.stages.empty() && question_of(cell) == question; };
    for (const CellSummary& cell : cells) {
      if (belongs(cell)) size = std::max(size, cell.size);
    }
    for (const CellSummary& cell : cells) {
      if (belongs(cell) && cell.size == size) workers = std::max(workers, cell.cell.workers());
    }
    told.emplace_back();
    for (const CellSummary& cell : cells) {
      const bool leads = cell.cell.workers() == workers || cell.cell.model == Model::serial;
      if (belongs(cell) && cell.size == size && leads) told.back().push_back(&cell);
    }
  }
  return told;
}

}  // namespace duet
