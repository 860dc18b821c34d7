#pragma once

#include "kernels/core/execution.hpp"
#include "kernels/mapping/schedule/deal.hpp"

namespace duet {

/// A new thread for each piece, at most execution.threads alive at a time: what it costs to take "a worker for each
/// item" at its word, 10 to 20 us an item. Needs no runtime of threads, and so is the same in all models that share
/// memory.
void spawn_each(const Plan& plan, const PieceAct& act, const Execution& execution);

}  // namespace duet
