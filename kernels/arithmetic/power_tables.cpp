#include "kernels/arithmetic/power_tables.hpp"

#include <algorithm>
#include <array>

#include "kernels/arithmetic/montgomery.hpp"

namespace duet {
namespace {

/// (a phi + b)(c phi + d) with three products.
template <class Ring>
Power product(const Ring& ring, const Power& x, const Power& y) {
  const std::uint64_t ends = ring.times(x.b, y.b);
  return {ring.minus(ring.times(ring.plus(x.a, x.b), ring.plus(y.a, y.b)), ends),
          ring.plus(ring.times(x.a, y.a), ends)};
}

template <class Ring>
std::uint64_t canonical(const Ring& /*ring*/, std::uint64_t x) {
  return x;
}

/// Montgomery's products of powers for m < 2^62 with one reduction for two products: with a, b < 4 m and c, d < m,
/// a (c + d) + b c < 12 m^2 is less than 2^128, and divided by 2^64, less m, below 4 m again.
class LooseMontgomery {
 public:
  static constexpr std::uint64_t end_of_moduli = std::uint64_t{1} << 62U;

  explicit LooseMontgomery(std::uint64_t m) : m_{m}, inverse_{inverse_of(m)} {}

  friend Power product(const LooseMontgomery& ring, const Power& x, const Power& y) {
    return {ring.reduced(Wide{x.a} * (y.a + y.b) + Wide{x.b} * y.a), ring.reduced(Wide{x.a} * y.a + Wide{x.b} * y.b)};
  }
  friend std::uint64_t canonical(const LooseMontgomery& ring, std::uint64_t x) {
    const std::uint64_t below_twice = std::min(x, x - 2 * ring.m_);
    return std::min(below_twice, below_twice - ring.m_);
  }

 private:
  __extension__ using Wide = unsigned __int128;

  [[nodiscard]] std::uint64_t reduced(Wide x) const {
    const std::uint64_t clearing = static_cast<std::uint64_t>(x) * inverse_;
    return static_cast<std::uint64_t>(x >> 64U) + m_ - static_cast<std::uint64_t>(Wide{clearing} * m_ >> 64U);
  }

  std::uint64_t m_;
  std::uint64_t inverse_;
};

template <class Ring>
void look_up(const Ring& ring, const PowerTables& tables, std::span<const std::uint64_t> inputs,
             std::span<std::uint64_t> residues) {
  // The products of one input wait for each other, about 15 cycles each; those of `lanes` inputs fill that time.
  constexpr std::size_t lanes = 4;
  const Digits digits = tables.digits();
  const auto look_up_lanes = [&]<std::size_t count>(std::array<std::uint64_t, count>& n) {
    std::array<Power, count> power;
    std::size_t place = digits.places - 1;
    for (std::size_t lane = 0; lane < count; ++lane) power[lane] = tables.place(place)[digits.digit(n[lane], place)];
    while (place-- > 0) {
      for (std::size_t lane = 0; lane < count; ++lane) {
        power[lane] = product(ring, power[lane], tables.place(place)[digits.digit(n[lane], place)]);
      }
    }
    for (std::size_t lane = 0; lane < count; ++lane) n[lane] = canonical(ring, power[lane].a);
  };
  std::size_t i = 0;
  for (; i + lanes <= inputs.size(); i += lanes) {
    std::array<std::uint64_t, lanes> n{};
    std::copy_n(inputs.begin() + static_cast<std::ptrdiff_t>(i), lanes, n.begin());
    look_up_lanes(n);
    std::copy_n(n.begin(), lanes, residues.begin() + static_cast<std::ptrdiff_t>(i));
  }
  for (; i < inputs.size(); ++i) {
    std::array<std::uint64_t, 1> n{inputs[i]};
    look_up_lanes(n);
    residues[i] = n[0];
  }
}

}  // namespace

PowerTables::PowerTables(const Digits& digits) : digits_{digits}, entries_(digits.places * digits.values()) {}

template <class Ring>
void PowerTables::fill(const Ring& ring) {
  Power base{ring.one(), ring.zero()};  // phi^(2^(bits j))
  for (std::size_t j = 0; j < digits_.places; ++j) {
    const std::span<Power> table = std::span{entries_}.subspan(j * digits_.values(), digits_.values());
    table[0] = {ring.zero(), ring.one()};
    table[1] = base;
    // From two halves, so that the products of one table do not wait for each other.
    for (std::size_t d = 2; d < table.size(); ++d) table[d] = product(ring, table[d / 2], table[d - d / 2]);
    base = product(ring, table.back(), base);
  }
}

PowerTables PowerTables::overflowing(const Digits& digits) {
  PowerTables tables{digits};
  tables.fill(Overflowing{});
  return tables;
}

PowerTables PowerTables::modulo(std::uint64_t odd, const Digits& digits, unsigned doublings) {
  PowerTables tables{digits};
  const Montgomery ring{odd};
  tables.fill(ring);
  std::uint64_t factor = 1 % odd;
  for (unsigned i = 0; i < doublings; ++i) factor = ring.plus(factor, factor);
  // A product with a plain factor leaves Montgomery's form.
  const auto first = static_cast<std::ptrdiff_t>(digits.values());
  const auto multiply = [&](auto begin, auto end, std::uint64_t by) {
    std::for_each(begin, end, [&](Power& power) { power = {ring.times(power.a, by), ring.times(power.b, by)}; });
  };
  multiply(tables.entries_.begin(), tables.entries_.begin() + first, factor);
  multiply(tables.entries_.begin() + first, tables.entries_.end(), 1 % odd);
  return tables;
}

void look_up_by_words(const PowerTables& tables, std::uint64_t odd, std::span<const std::uint64_t> inputs,
                      std::span<std::uint64_t> residues) {
  if (odd < LooseMontgomery::end_of_moduli) {
    look_up(LooseMontgomery{odd}, tables, inputs, residues);
  } else {
    look_up(Montgomery{odd}, tables, inputs, residues);
  }
}

void look_up_overflowing_by_words(const PowerTables& tables, std::span<const std::uint64_t> inputs,
                                  std::span<std::uint64_t> residues) {
  look_up(Overflowing{}, tables, inputs, residues);
}

}  // namespace duet
