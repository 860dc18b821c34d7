#include "kernels/core/stage_figures.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace duet {
namespace {

bool waits_for_all_at_once(const StageFigures& stage) {
  return stage.kind == StageKind::waiting && stage.items > 0 && stage.workers >= stage.items;
}

std::string advice_for(const StageFigures& stage) {
  if (stage.in_order) {
    return stage.name + " takes one item after the other: no worker more would help, only a faster " + stage.name;
  }
  if (waits_for_all_at_once(stage)) {
    return stage.name + " waits for all answers at once: only sooner answers would help";
  }
  if (stage.kind == StageKind::waiting) {
    return stage.name + " waits for answers: more threads would help, more cores would not";
  }
  return stage.name + " waits for the disk: more of its threads or a faster disk would help, more cores would not";
}

}  // namespace

std::string_view name_of(StageKind kind) {
  constexpr std::array<std::string_view, 3> names{"computing", "disk", "waiting"};
  return names.at(static_cast<std::size_t>(kind));
}

PipelineBound bound_of(const std::vector<StageFigures>& stages, int workers, double seconds) {
  const int cores = std::max(1, workers);
  PipelineBound bound;
  const auto is_bound_by = [&](const StageFigures& stage, double at_the_least) {
    bound.seconds = at_the_least;
    bound.kind = stage.kind;
    bound.stage = stage.name;
  };
  double computing = 0;
  const StageFigures* hardest = nullptr;
  const StageFigures* slowest = nullptr;  // of those that nobody shares
  for (const StageFigures& stage : stages) {
    const bool computes = stage.kind == StageKind::computing;
    if (computes) {
      computing += stage.useful_seconds;
      if (hardest == nullptr || stage.useful_seconds > hardest->useful_seconds) hardest = &stage;
    }
    if (computes && !stage.in_order) continue;
    const double alone = stage.useful_seconds / (stage.in_order ? 1 : std::max(1, stage.workers));
    if (slowest != nullptr && alone <= bound.seconds) continue;
    slowest = &stage;
    is_bound_by(stage, alone);
  }
  if (hardest != nullptr && computing / cores > bound.seconds) {
    is_bound_by(*hardest, computing / cores);
    bound.advice = std::to_string(cores) + (cores == 1 ? " core computes" : " cores compute") +
                   ": more cores would help, more readers would not";
  } else if (slowest != nullptr) {
    bound.advice = advice_for(*slowest);
    const auto computes = [](const StageFigures& stage) { return stage.kind == StageKind::computing; };
    const StageFigures* const end = stages.data() + stages.size();
    const bool behind = std::any_of(stages.data(), slowest, computes) && std::none_of(slowest, end, computes);
    if (!slowest->in_order && !waits_for_all_at_once(*slowest)) bound.tunable = behind ? "writers" : "readers";
  }
  if (seconds > 0) bound.share = std::min(1.0, bound.seconds / seconds);
  return bound;
}

}  // namespace duet
