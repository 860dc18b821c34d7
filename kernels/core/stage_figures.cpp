#include "kernels/core/stage_figures.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace duet {
namespace {

std::string advice_for(const PipelineBound& bound, const StageFigures& slowest, int workers) {
  if (slowest.in_order) {
    return slowest.name + " takes one item after the other: no worker more would help, only a faster " + slowest.name;
  }
  switch (bound.kind) {
    case StageKind::computing:
      return std::to_string(workers) + (workers == 1 ? " core computes" : " cores compute") +
             ": more cores would help, more readers would not";
    case StageKind::disk:
      return slowest.name +
             " waits for the disk: more of its threads or a faster disk would help, more cores would not";
    case StageKind::waiting:
      return slowest.name + " waits for answers: more threads would help, more cores would not";
  }
  return {};
}

}  // namespace

std::string_view name_of(StageKind kind) {
  constexpr std::array<std::string_view, 3> names{"computing", "disk", "waiting"};
  return names.at(static_cast<std::size_t>(kind));
}

PipelineBound bound_of(const std::vector<StageFigures>& stages, int workers, double seconds) {
  PipelineBound bound;
  const StageFigures* slowest = nullptr;
  const auto consider = [&](double at_the_least, const StageFigures& stage) {
    if (slowest != nullptr && at_the_least <= bound.seconds) return;
    slowest = &stage;
    bound.seconds = at_the_least;
    bound.kind = stage.kind;
    bound.stage = stage.name;
  };
  double computing = 0;
  const StageFigures* hardest = nullptr;
  const auto first_computing = std::ranges::find(stages, StageKind::computing, &StageFigures::kind);
  for (const StageFigures& stage : stages) {
    if (stage.kind == StageKind::computing) {
      computing += stage.useful_seconds;
      if (hardest == nullptr || stage.useful_seconds > hardest->useful_seconds) hardest = &stage;
    }
    if (stage.in_order) {
      consider(stage.useful_seconds, stage);
    } else if (stage.kind != StageKind::computing) {
      consider(stage.useful_seconds / std::max(1, stage.workers), stage);
    }
  }
  if (hardest != nullptr && computing / std::max(1, workers) > bound.seconds) {
    StageFigures shared = *hardest;
    shared.in_order = false;
    consider(computing / std::max(1, workers), *hardest);
    bound.advice = advice_for(bound, shared, std::max(1, workers));
  } else if (slowest != nullptr) {
    bound.advice = advice_for(bound, *slowest, std::max(1, workers));
    const bool ahead = slowest < stages.data() + (first_computing - stages.begin());
    if (!slowest->in_order) bound.tunable = ahead ? "readers" : "writers";
  }
  if (seconds > 0) bound.share = std::min(1.0, bound.seconds / seconds);
  return bound;
}

}  // namespace duet
