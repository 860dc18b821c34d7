#include "kernels/mapping/schedule/findings.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "kernels/core/digest.hpp"
#include "kernels/core/mpi.hpp"

namespace duet {
namespace {

/// Whether the items below `end` were answered exactly once each: their hashes sum up to what they should.
bool covered_once_below(std::int64_t end, std::span<const Range> answered, MPI_Comm communicator) {
  const Range mine = share_of(end, size_of(communicator), rank_in(communicator));
  std::uint64_t sum = 0;
  for (std::int64_t i = mine.begin; i < mine.end; ++i) sum -= hash_of(static_cast<std::uint64_t>(i));
  std::uint64_t count = 0 - static_cast<std::uint64_t>(mine.size());
  for (const Range& items : answered) {
    for (std::int64_t i = items.begin; i < std::min(items.end, end); ++i, ++count) {
      sum += hash_of(static_cast<std::uint64_t>(i));
    }
  }
  // Both sums are needed on all ranks before one of them may return.
  const bool hashes_agree = summed(sum, communicator) == 0;
  const bool counts_agree = summed(count, communicator) == 0;
  return hashes_agree && counts_agree;
}

}  // namespace

Finding least_of_ranks(Finding mine, MPI_Comm communicator) {
  if (communicator == MPI_COMM_NULL) return mine;
  std::int64_t least = mine.item;
  check(MPI_Allreduce(MPI_IN_PLACE, &least, 1, MPI_INT64_T, MPI_MIN, communicator));
  int speaker = mine.item == least ? rank_in(communicator) : size_of(communicator);
  check(MPI_Allreduce(MPI_IN_PLACE, &speaker, 1, MPI_INT, MPI_MIN, communicator));
  int length = mpi_count(static_cast<std::int64_t>(mine.explanation.size()));
  check(MPI_Bcast(&length, 1, MPI_INT, speaker, communicator));
  mine.item = least;
  mine.explanation.resize(static_cast<std::size_t>(length));
  check(MPI_Bcast(mine.explanation.data(), length, MPI_CHAR, speaker, communicator));
  return mine;
}

Finding first_not_once(std::int64_t count, std::span<const Range> answered, MPI_Comm communicator) {
  std::int64_t covered = 0;
  std::int64_t uncovered = count;
  if (covered_once_below(uncovered, answered, communicator)) return {};
  while (uncovered - covered > 1) {
    const std::int64_t middle = covered + (uncovered - covered) / 2;
    (covered_once_below(middle, answered, communicator) ? covered : uncovered) = middle;
  }
  std::uint64_t times = 0;
  for (const Range& items : answered) times += items.contains(covered) ? 1U : 0U;
  return {covered, "is answered " + std::to_string(summed(times, communicator)) + " times"};
}

Finding first_wrong_of(std::size_t runs, const std::function<void(std::size_t run, Finding& mine)>& look,
                       const Execution& execution) {
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  Finding first;
  const auto inspect = [&] {
    Finding mine;
    for (std::size_t run = next++; run < runs; run = next++) look(run, mine);
    const std::scoped_lock lock{mutex};
    if (mine.item < first.item) first = std::move(mine);
  };
  {
    std::vector<std::jthread> others;
    for (int t = 1; t < execution.threads; ++t) {
      others.emplace_back([&, t] {
        if (execution.on_worker_start) execution.on_worker_start(t);
        inspect();
      });
    }
    inspect();
  }
  return first;
}

}  // namespace duet
