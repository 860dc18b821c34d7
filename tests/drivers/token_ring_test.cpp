#include "drivers/token_ring.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace duet {
namespace {

/// What each of so many threads is told by call after call.
std::vector<std::vector<double>> hops(int threads, int calls) {
  TokenRing ring{MPI_COMM_NULL, threads};
  std::vector<std::vector<double>> of_threads(static_cast<std::size_t>(threads));
  {
    std::vector<std::jthread> team;
    for (int thread = 0; thread < threads; ++thread) {
      team.emplace_back([&, thread] {
        for (int call = 0; call < calls; ++call) {
          of_threads[static_cast<std::size_t>(thread)].push_back(
              ring.hop_seconds(thread, static_cast<std::uint64_t>(call)));
        }
      });
    }
  }
  return of_threads;
}

TEST(TokenRing, TellsTheFirstWorkerAndNobodyElse) {
  for (const int threads : {2, 3, 7}) {
    const auto told = hops(threads, 3);
    for (const double hop : told.front()) EXPECT_GT(hop, 0) << threads << " threads";
    for (std::size_t thread = 1; thread < told.size(); ++thread) {
      EXPECT_EQ(told[thread], (std::vector<double>{0, 0, 0})) << threads << " threads";
    }
  }
}

TEST(TokenRing, HasNothingToMeasureForOneWorker) { EXPECT_EQ(hops(1, 2).front(), (std::vector<double>{0, 0})); }

}  // namespace
}  // namespace duet
