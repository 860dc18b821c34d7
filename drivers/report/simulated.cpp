#include "drivers/report/simulated.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include "drivers/study/summaries.hpp"
#include "kernels/registry.hpp"

namespace duet {
namespace {

bool has_time(const SimulatedPoint& point) {
  return (point.outcome == Outcome::right || point.outcome == Outcome::modelled) && point.seconds > 0;
}

/// Appends "name = value" for what is not the preset; what nobody declares any more is shown.
void append_settings(std::string& text, const std::map<std::string, std::string>& values,
                     const std::vector<Setting>& declared) {
  for (const auto& [name, value] : values) {
    const auto found = std::ranges::find(declared, name, &Setting::name);
    if (found != declared.end() && found->preset == value) continue;
    text += (text.empty() ? "" : ", ") + name + " = " + value;
  }
}

std::string settings_of(const Cell& cell) {
  std::string text;
  if (cell.seed != 1) text = "seed = " + std::to_string(cell.seed);
  const auto& problems = all_problems();
  const auto problem = std::ranges::find(problems, cell.problem, &Problem::name);
  if (problem == problems.end()) return text;
  append_settings(text, cell.parameters, problem->parameters);
  const auto variant = std::ranges::find(problem->variants, cell.model, &Variant::model);
  if (variant != problem->variants.end()) append_settings(text, cell.tunables, variant->tunables);
  return text;
}

SimulatedPoint point_of(const Trial& trial) {
  SimulatedPoint point{.ranks = trial.cell.ranks,
                       .nodes = trial.cell.nodes,
                       .outcome = trial.outcome,
                       .message = trial.message,
                       .seconds = trial.seconds};
  const double useful = std::accumulate(trial.useful_seconds.begin(), trial.useful_seconds.end(), 0.0);
  if (trial.seconds > 0) point.useful_share = useful / trial.cell.ranks / trial.seconds;
  const auto fact = [&trial](const char* name) {
    const auto found = trial.facts.find(name);
    return found == trial.facts.end() ? std::string{} : found->second;
  };
  point.messages = fact("messages_per_rank");
  point.bytes = fact("bytes_per_rank");
  return point;
}

}  // namespace

std::string SimulatedSeries::label() const {
  return "simulated on " + platform + (settings.empty() ? "" : ", " + settings);
}

std::vector<SimulatedSeries> simulated_series(const std::vector<Trial>& simulated) {
  std::vector<SimulatedSeries> all;
  std::vector<std::string> problems;
  for (const Trial& trial : simulated) {
    const std::string settings = settings_of(trial.cell);
    if (std::ranges::find(problems, trial.cell.problem) == problems.end()) problems.push_back(trial.cell.problem);
    auto series = std::ranges::find_if(all, [&](const SimulatedSeries& one) {
      return one.problem == trial.cell.problem && one.size == trial.cell.size && one.platform == trial.simulated &&
             one.settings == settings;
    });
    if (series == all.end()) {
      series = all.insert(all.end(), {.problem = trial.cell.problem,
                                      .settings = settings,
                                      .platform = trial.simulated,
                                      .size = trial.cell.size,
                                      .size_value = size_value(trial.cell.size)});
    }
    std::erase_if(series->points, [&](const SimulatedPoint& point) { return point.ranks == trial.cell.ranks; });
    series->points.push_back(point_of(trial));
  }
  for (SimulatedSeries& series : all) {
    std::ranges::sort(series.points, {}, &SimulatedPoint::ranks);
    const auto base = std::ranges::find_if(series.points, has_time);
    if (base == series.points.end()) continue;
    series.base_ranks = base->ranks;
    const double base_seconds = base->seconds;
    for (SimulatedPoint& point : series.points) {
      if (has_time(point)) point.efficiency = base_seconds * series.base_ranks / (point.seconds * point.ranks);
    }
  }
  const auto position = [&problems](const SimulatedSeries& series) {
    return std::pair{std::ranges::find(problems, series.problem) - problems.begin(), series.size_value};
  };
  std::ranges::stable_sort(all, {}, position);
  return all;
}

}  // namespace duet
