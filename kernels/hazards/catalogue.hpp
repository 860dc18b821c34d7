#pragma once

/// One function for each file of this folder that holds a hazard.

#include "kernels/hazards/hazard.hpp"

namespace duet::hazards {

[[nodiscard]] Hazard lost_update();
[[nodiscard]] Hazard false_sharing();
[[nodiscard]] Hazard lock_order();
[[nodiscard]] Hazard starvation();
[[nodiscard]] Hazard static_schedule();
[[nodiscard]] Hazard oversubscription();
[[nodiscard]] Hazard semaphore_priority();
[[nodiscard]] Hazard send_send();
[[nodiscard]] Hazard mismatched_collective();
[[nodiscard]] Hazard early_buffer();

}  // namespace duet::hazards
