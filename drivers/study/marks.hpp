#pragma once

/// Which trials were measured under conditions that make them worthless for a comparison: the one rule of the study,
/// applied to saved trials, so that it is the same while measuring and in every later report.

#include <string>
#include <vector>

#include "drivers/study/trials.hpp"

namespace duet {

/// A canary below this share of the reference says that the cores were slower than they can be: a neighbour, a clock
/// change, a guest that lost its processor.
inline constexpr double slow_canary_share = 0.9;

/// What the canary reaches on this machine when nothing disturbs it, with so many workers at once: the 0.9 quantile of
/// the trials' worse canaries, high because disturbances only ever slow it down, and no maximum because a clock may
/// boost for a moment. 0 where no trial of that many workers has a canary.
[[nodiscard]] double canary_reference(const std::vector<Trial>& trials, int workers);

/// Distances between cores (Trial::hop_seconds) within this ratio are one distance.
inline constexpr double same_distance_ratio = 1.5;

/// The distance that most of the study can be compared at.
struct UsualHops {
  double nearest = 0;   ///< seconds
  double farthest = 0;  ///< seconds; infinite where no distance is usual
};

/// With so many workers on so many nodes: of the distances that the launches met, sorted into groups of one distance,
/// the nearest group that has a third of the launches. The nearest, because that is where a hypervisor puts processors
/// when it has the choice, and two studies that both met it agree. Anything where no group is so large, or no trial has
/// a distance. What tries a change has no part in it.
[[nodiscard]] UsualHops usual_hops(const std::vector<Trial>& trials, int nodes, int workers);

/// The marks that the trial brought from its process ("warm_up", "shared_core", "oversubscribed", "unbound");
/// "slow_canary" where the worse of its two canaries is below `slow_canary_share` of `reference`; and "moved_cores"
/// where its cores were not at their usual distance. Pure; a reference of 0 marks nothing, and these two marks from
/// earlier are judged anew.
[[nodiscard]] std::vector<std::string> marks_of(const Trial& trial, double reference, const UsualHops& usual);

/// Gives every right trial its `marks_of`. Where more than half of a cell's trials would be set aside for their
/// canaries, and what is left has too few rounds for an interval, the noise is what that cell was measured in: they are
/// kept, unmarked, and one warning for each such cell is returned, as is one for the study where a tenth of all trials
/// or more is slow, and one for each number of workers whose cores were moved.
std::vector<std::string> mark_disturbances(std::vector<Trial>& trials);

}  // namespace duet
