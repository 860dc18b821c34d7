#include "drivers/canary.hpp"

#include <array>
#include <chrono>
#include <cstdint>

namespace duet {
namespace {

using Words = std::array<std::uint64_t, 6>;

/// Keeps the words apart and in general registers, where the compiler would make vectors of them.
inline void keep(Words& words) {
  asm volatile("" : "+r"(words[0]), "+r"(words[1]), "+r"(words[2]), "+r"(words[3]), "+r"(words[4]), "+r"(words[5]));
}

void step(Words& words, int steps) {
  constexpr unsigned left = 13;
  constexpr unsigned right = 7;
  constexpr unsigned left_again = 17;
  Words mine = words;
  for (int i = 0; i < steps; ++i) {
    for (std::uint64_t& word : mine) word ^= word << left;
    keep(mine);
    for (std::uint64_t& word : mine) word ^= word >> right;
    keep(mine);
    for (std::uint64_t& word : mine) word ^= word << left_again;
    keep(mine);
  }
  words = mine;
}

}  // namespace

double canary_rate(double seconds) {
  using Clock = std::chrono::steady_clock;
  constexpr int stretch = 3000;
  constexpr double operations_a_step = 6;  // of each word: three shifts, three exclusive ors
  Words words{1, 2, 3, 4, 5, 6};
  double steps = 0;
  double elapsed = 0;
  const Clock::time_point start = Clock::now();
  do {
    step(words, stretch);
    steps += stretch;
    elapsed = std::chrono::duration<double>(Clock::now() - start).count();
  } while (elapsed < seconds);
  return steps * static_cast<double>(words.size()) * operations_a_step / elapsed;
}

}  // namespace duet
