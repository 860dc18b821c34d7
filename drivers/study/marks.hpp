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

/// The marks that the trial brought from its process ("warm_up", "shared_core", "oversubscribed", "unbound"), and
/// "slow_canary" where the worse of its two canaries is below `slow_canary_share` of `reference`. Pure; a reference of
/// 0 marks nothing, and a mark "slow_canary" from earlier is judged anew.
[[nodiscard]] std::vector<std::string> marks_of(const Trial& trial, double reference);

/// Gives every right trial its `marks_of`. Where more than half of a cell's trials would be set aside for their
/// canaries, the noise is what that cell was measured in: they are kept, unmarked, and one warning for each such cell
/// is returned, as is one for the study where a tenth of all trials or more is slow.
std::vector<std::string> mark_slow_canaries(std::vector<Trial>& trials);

}  // namespace duet
