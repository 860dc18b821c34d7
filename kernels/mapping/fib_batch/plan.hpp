#pragma once

/// How a batch is ordered and cut into pieces, by what its numbers cost.

#include "kernels/mapping/fib_batch/inputs.hpp"
#include "kernels/mapping/schedule/plan.hpp"

namespace duet {

/// A pure function of its arguments: every rank of a job makes the same plan. `grain` items a piece; 0 chooses by
/// estimated cost: under `block` one piece for each worker, whatever the grain; under `spawn_each` and exact `cyclic`
/// one item each, as their names say; else about 25 us of work, but not less than eight pieces a worker. Pieces of
/// longest_first are cut one by one, so that a giant is a piece of its own; residues all cost the same and are not
/// sorted. Costs 256 estimates or, for longest_first in an exact batch, a pass over the inputs and 6 bytes an item.
/// Throws as require_plannable.
[[nodiscard]] Plan fib_batch_plan(const FibBatch& batch, Schedule schedule, std::int64_t grain, int workers);

/// How many items at the front of a plan take longer each than an even share of what is left from there on, so that
/// the other workers would have nothing to do while one is at it: these are for all workers together, one after the
/// other. Items below 3 ms are not among them: a team gains too little there. 0 but for exact batches under
/// longest_first with grain 0, where each of them is a piece of its own.
[[nodiscard]] std::int64_t giants_of(const FibBatch& batch, const Plan& plan, int workers);

/// Estimated time for a piece of the batch's plan.
[[nodiscard]] double nanoseconds_of(const FibBatch& batch, const Plan& plan, std::int64_t piece);

}  // namespace duet
