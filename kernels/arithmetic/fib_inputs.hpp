#pragma once

/// Which Fibonacci numbers a batch or a stream asks for.

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>

#include "kernels/core/partition.hpp"

namespace duet {

/// How random inputs are spread over [0, largest]. F(n) costs about n^1.5, so all of them are uneven; each hurts
/// another schedule.
enum class Spread {
  /// Every n is equally likely. Mildly uneven: the dearest item costs 2.5 times the mean.
  uniform,
  /// Every size is equally likely: an octave [2^k, 2^(k+1)), then a number in it. Most items are nothing, few are all
  /// of the work; blocks of few items are unequal by chance, and a large item taken last is waited for.
  log_uniform,
  /// n grows with i up to `largest` at the end. Hurts blocks: of two workers, the second has 5/6 of the work. Hurts
  /// dynamic and guided dealing, whose last items ought to be small.
  ascending,
  /// Every 64th item is `largest`, the last one too; the others are uniform below largest/64. Hurts cyclic dealing
  /// (with 2, 4, 8, ... workers one gets all the giants) and all that deals items in chunks.
  giants,
};

[[nodiscard]] std::string_view name_of(Spread spread);
/// Throws std::invalid_argument for a name that none has.
[[nodiscard]] Spread spread_called(std::string_view name);

/// The list of inputs n_0, n_1, ... as something any worker can read anywhere: a pure function of (seed, i), so that no
/// rank stores or receives what others work on, or a list that the caller owns and keeps alive.
class FibInputs {
 public:
  static FibInputs random(Spread spread, std::int64_t count, std::uint64_t largest, std::uint64_t seed);
  /// Under message passing every rank is given the same whole list: 8 bytes an input.
  static FibInputs given(std::span<const std::uint64_t> inputs);

  [[nodiscard]] std::int64_t count() const { return count_; }
  /// No input is larger.
  [[nodiscard]] std::uint64_t largest() const { return largest_; }
  /// n_i for 0 <= i < count. Making a random one costs about 10 ns, the same in every model.
  [[nodiscard]] std::uint64_t operator[](std::int64_t i) const {
    return given_.empty() ? make(i) : given_[static_cast<std::size_t>(i)];
  }
  /// n_i of all `items`: in the caller's list where there is one, else made in `room`, which has room for them:
  /// uniform ones in 2 ns each.
  [[nodiscard]] std::span<const std::uint64_t> read(Range items, std::span<std::uint64_t> room) const;

 private:
  FibInputs() = default;
  [[nodiscard]] std::uint64_t make(std::int64_t i) const;

  std::span<const std::uint64_t> given_;
  Spread spread_ = Spread::uniform;
  std::int64_t count_ = 0;
  std::uint64_t largest_ = 0;
  std::uint64_t seed_ = 0;
};

/// The sum of term(n_i): whole for up to `most` inputs, else from as many at equal distances.
template <class Term>
[[nodiscard]] double sum_over(const FibInputs& inputs, std::int64_t most, Term&& term) {
  const std::int64_t count = inputs.count();
  const std::int64_t looked_at = std::min(count, most);
  double sum = 0;
  for (std::int64_t k = 0; k < looked_at; ++k) sum += term(inputs[share_of(count, looked_at, k).begin]);
  return looked_at == 0 ? 0 : sum * (static_cast<double>(count) / static_cast<double>(looked_at));
}

/// The most that an estimate of a whole list looks at.
inline constexpr std::int64_t most_summed_inputs = std::int64_t{1} << 20U;

}  // namespace duet
