#include "kernels/arithmetic/fib_inputs.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <stdexcept>
#include <string>

#include "kernels/core/random.hpp"

namespace duet {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::uint32_t stream = 1;  ///< of the random bits

/// `bits` scaled from [0, 2^64) to [0, most].
std::uint64_t scaled(std::uint64_t bits, std::uint64_t most) {
  return static_cast<std::uint64_t>(Wide{bits} * (Wide{most} + 1) >> 64U);
}

}  // namespace

std::string_view name_of(Spread spread) {
  switch (spread) {
    case Spread::uniform:
      return "uniform";
    case Spread::log_uniform:
      return "log_uniform";
    case Spread::ascending:
      return "ascending";
    case Spread::giants:
      return "giants";
  }
  return "?";
}

Spread spread_called(std::string_view name) {
  constexpr std::array<Spread, 4> spreads{Spread::uniform, Spread::log_uniform, Spread::ascending, Spread::giants};
  for (const Spread spread : spreads) {
    if (name_of(spread) == name) return spread;
  }
  throw std::invalid_argument("inputs: '" + std::string{name} + "'");
}

FibInputs FibInputs::random(Spread spread, std::int64_t count, std::uint64_t largest, std::uint64_t seed) {
  FibInputs inputs;
  inputs.spread_ = spread;
  inputs.count_ = count;
  inputs.largest_ = largest;
  inputs.seed_ = seed;
  return inputs;
}

FibInputs FibInputs::given(std::span<const std::uint64_t> inputs) {
  FibInputs list;
  list.given_ = inputs;
  list.count_ = static_cast<std::int64_t>(inputs.size());
  list.largest_ = inputs.empty() ? 0 : std::ranges::max(inputs);
  return list;
}

std::span<const std::uint64_t> FibInputs::read(Range items, std::span<std::uint64_t> room) const {
  if (!given_.empty()) {
    return given_.subspan(static_cast<std::size_t>(items.begin), static_cast<std::size_t>(items.size()));
  }
  const std::span<std::uint64_t> made = room.first(static_cast<std::size_t>(items.size()));
  if (spread_ == Spread::uniform) {
    fill_random_bits(made, seed_, stream, static_cast<std::uint64_t>(items.begin));
    for (std::uint64_t& n : made) n = scaled(n, largest_);
  } else {
    for (std::size_t k = 0; k < made.size(); ++k) made[k] = make(items.begin + static_cast<std::int64_t>(k));
  }
  return made;
}

std::uint64_t FibInputs::make(std::int64_t i) const {
  constexpr std::int64_t giants_apart = 64;
  const auto bits = [&](std::uint64_t which) {
    return random_bits(seed_, stream, static_cast<std::uint64_t>(i), which);
  };
  switch (spread_) {
    case Spread::uniform:
      return scaled(bits(0), largest_);
    case Spread::log_uniform: {
      // The octave from one draw, the place in it from another. 0 and 1 count as the first; the last may be cut short.
      if (largest_ == 0) return 0;
      const std::uint64_t octave = scaled(bits(0), static_cast<std::uint64_t>(std::bit_width(largest_)) - 1);
      const std::uint64_t low = octave == 0 ? 0 : std::uint64_t{1} << octave;
      return low + scaled(bits(1), std::min(largest_ - low, low == 0 ? 1 : low - 1));
    }
    case Spread::ascending:
      return static_cast<std::uint64_t>(Wide{largest_} * static_cast<std::uint64_t>(i + 1) /
                                        static_cast<std::uint64_t>(count_));
    case Spread::giants:
      return (count_ - 1 - i) % giants_apart == 0 ? largest_ : scaled(bits(0), largest_ / giants_apart);
  }
  return 0;
}

}  // namespace duet
