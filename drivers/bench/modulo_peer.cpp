// What fib_batch modulo m is compared with: doubling, one input after the other, as one writes it with the compiler's
// 128-bit integers; once with their remainder, once with Montgomery's.

#include <fmt/format.h>

#include <bit>
#include <stdexcept>
#include <vector>

#include "drivers/bench/peer.hpp"
#include "kernels/mapping/fib_batch/fib_batch.hpp"
#include "kernels/registry.hpp"

namespace duet {
namespace {

__extension__ using Wide = unsigned __int128;

/// x + y modulo m < 2^63, for x and y below m.
std::uint64_t sum_modulo(std::uint64_t x, std::uint64_t y, std::uint64_t m) {
  const std::uint64_t sum = x + y;
  return sum - (m & (0 - std::uint64_t{sum >= m}));
}

/// Doubling on neighbours, m below 2^63, two remainders a bit:
///     F(2k) = F(k) (2 F(k+1) - F(k)),    F(2k+1) = F(k)^2 + F(k+1)^2
std::uint64_t by_remainder(std::uint64_t n, std::uint64_t m) {
  std::uint64_t f = 0;
  std::uint64_t next = 1 % m;
  for (int bit = static_cast<int>(std::bit_width(n)); bit-- > 0;) {
    const std::uint64_t factor = sum_modulo(sum_modulo(next, next, m), m - f, m);
    const auto even = static_cast<std::uint64_t>(Wide{f} * factor % m);
    const auto odd = static_cast<std::uint64_t>((Wide{f} * f + Wide{next} * next) % m);
    const bool one = (n >> bit & 1U) != 0;
    f = one ? odd : even;
    next = one ? sum_modulo(even, odd, m) : odd;
  }
  return f;
}

/// Doubling on (F, L) in Montgomery's form, m odd and below 2^63, two products a bit:
///     F(2k) = F(k) L(k),    L(2k) = L(k)^2 - 2 (-1)^k,    F(k+1) = (F + L) / 2,    L(k+1) = (5 F + L) / 2
class ByMontgomery {
 public:
  explicit ByMontgomery(std::uint64_t m) : m_{m}, two_{static_cast<std::uint64_t>((Wide{1} << 65U) % m)} {
    for (int i = 0; i < 6; ++i) inverse_ *= 2 - m * inverse_;
  }

  [[nodiscard]] std::uint64_t operator()(std::uint64_t n) const {
    std::uint64_t f = 0;
    std::uint64_t l = two_;
    bool odd = false;
    for (int bit = static_cast<int>(std::bit_width(n)); bit-- > 0;) {
      f = reduced(Wide{f} * l);
      l = reduced(Wide{l} * l);
      l = odd ? plus(l, two_) : plus(l, m_ - two_);
      odd = (n >> bit & 1U) != 0;
      if (odd) {
        const std::uint64_t sum = plus(f, l);
        const std::uint64_t next = (sum + (m_ & (0 - (sum & 1U)))) / 2;
        l = plus(next, plus(f, f));
        f = next;
      }
    }
    return reduced(f);
  }

 private:
  /// x / 2^64, x < m 2^64.
  [[nodiscard]] std::uint64_t reduced(Wide x) const {
    const std::uint64_t multiple = static_cast<std::uint64_t>(x) * inverse_;
    const auto high = static_cast<std::uint64_t>(x >> 64U);
    const auto cleared = static_cast<std::uint64_t>(Wide{multiple} * m_ >> 64U);
    return high - cleared + (m_ & (0 - std::uint64_t{high < cleared}));
  }
  [[nodiscard]] std::uint64_t plus(std::uint64_t x, std::uint64_t y) const { return sum_modulo(x, y, m_); }

  std::uint64_t m_;
  std::uint64_t two_;          // 2 in Montgomery's form
  std::uint64_t inverse_ = 1;  // 1 / m modulo 2^64; one bit of it is right at first, then twice as many each time
};

}  // namespace

void run_modulo_peer(const PeerOptions& options) {
  const Problem& problem = problem_called("fib_batch");
  const Instance instance = problem.pose(options.size, 1, options.parameters);
  const auto largest = static_cast<std::uint64_t>(instance.parameters.whole("largest"));
  const auto m = static_cast<std::uint64_t>(instance.parameters.whole("modulus"));
  if (m % 2 == 0 || instance.parameters.text("inputs") != "uniform") {
    throw std::invalid_argument("modulus, inputs: these peers are for an odd modulus and uniform inputs");
  }
  const std::int64_t count = instance.extents[0];
  const FibBatch batch{.inputs = FibInputs::random(Spread::uniform, count, largest, instance.seed), .modulus = m};

  Trial trial = trial_of(problem, instance, Model::serial, 1);
  Answers answers{1};
  answers.reserve(count, false);
  Shelf& shelf = answers.shelf(0);
  const auto answer_with = [&](const auto& residue) {
    time_and_judge(
        options, trial, [&] { answers.clear(); },
        [&] {
          for (std::int64_t i = 0; i < count; ++i) shelf.residues.push_back(residue(batch.inputs[i]));
          shelf.answered.push_back({.items = {0, count}, .first = 0});
        },
        [&] { return judge_fib_batch(batch, answers, 1, {.threads = 1}); });
  };
  if (options.name == "doubling-remainder") {
    answer_with([m](std::uint64_t n) { return by_remainder(n, m); });
  } else if (options.name == "doubling-montgomery") {
    answer_with(ByMontgomery{m});
  } else {
    throw std::invalid_argument(fmt::format("no peer is called '{}'", options.name));
  }
}

}  // namespace duet
