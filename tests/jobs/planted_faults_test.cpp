/// Faults that a build with sanitizers must find: the sanitizers and what they leave out are shown to say no.

#include <gtest/gtest.h>
#include <omp.h>

#include <cstddef>
#include <limits>
#include <vector>

namespace {

TEST(PlantedFault, Race) {
  long sum = 0;
#pragma omp parallel num_threads(3) default(none) shared(sum)
  for (int i = 0; i < 1000; ++i) ++sum;
  EXPECT_GT(sum, 0);
}

TEST(PlantedFault, OutOfBounds) {
  const std::vector<int> numbers(10);
  const volatile int* const first = numbers.data();
  EXPECT_EQ(first[numbers.size()], first[numbers.size()]);
}

TEST(PlantedFault, Overflow) {
  const volatile int largest = std::numeric_limits<int>::max();
  EXPECT_LT(largest + 1, 0);
}

TEST(PlantedFault, Leak) {
  volatile char* lost = new char[777];
  lost[0] = 1;
  lost = nullptr;
}

/// Right, and rich in what orders threads: no fault.
TEST(PlantedFault, None) {
  for (int round = 0; round < 20; ++round) {
    std::vector<int> numbers(1000);
    long sum = 0;
#pragma omp parallel for num_threads(3) schedule(dynamic) default(none) shared(numbers) reduction(+ : sum)
    for (std::size_t i = 0; i < 1000; ++i) {
      numbers[i] = 1;
      sum += numbers[i];
    }
#pragma omp parallel num_threads(3) default(none) shared(numbers)
#pragma omp single
    for (std::size_t i = 0; i < 100; ++i) {
#pragma omp task default(none) firstprivate(i) shared(numbers)
      numbers[i] += 1;
    }
    EXPECT_EQ(sum, 1000);
    EXPECT_EQ(numbers[99], 2);
  }
}

}  // namespace
