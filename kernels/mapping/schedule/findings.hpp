#pragma once

/// What judging a batch of items takes, whatever the items are: who was answered how often, which wrong item is the
/// first of all ranks, and threads that look at answers.

#include <mpi.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>

#include "kernels/core/execution.hpp"
#include "kernels/core/partition.hpp"

namespace duet {

/// An item that is wrong, and why. Without one, `item` is larger than any.
struct Finding {
  std::int64_t item = std::numeric_limits<std::int64_t>::max();
  std::string explanation{};

  [[nodiscard]] bool none() const { return item == std::numeric_limits<std::int64_t>::max(); }
};

/// The finding with the least item of all ranks, on all ranks. Collective; MPI_COMM_NULL stands for one process.
[[nodiscard]] Finding least_of_ranks(Finding mine, MPI_Comm communicator);

/// The first of the items 0 to count - 1 that the ranks together do not have exactly once, where this one has
/// `answered`, and how often it is there. Wrong with a chance of 2^-64. Costs a hash an item; only where one is wrong,
/// a bisection. Collective.
[[nodiscard]] Finding first_not_once(std::int64_t count, std::span<const Range> answered, MPI_Comm communicator);

/// Lets execution.threads threads look at `runs` of answers, each at whichever is next: look(run, mine) puts the first
/// wrong item of the run into `mine` unless that has one before it. The first of all. The threads are made and ended
/// here: a team of a runtime would still be spinning when the next execution is timed.
[[nodiscard]] Finding first_wrong_of(std::size_t runs, const std::function<void(std::size_t run, Finding& mine)>& look,
                                     const Execution& execution);

}  // namespace duet
