#pragma once

/// Whether a text is the decimal number F(n), by other mathematics than that by which it was computed: its length and
/// its leading digits by logarithm, and the number itself modulo two random primes of 60 to 62 bits, which a wrong one
/// of b bits passes with a chance below (b / 2^60)^2.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kernels/arithmetic/primes.hpp"

namespace duet {

/// Any number of threads may use one object at the same time. Costs about 1 ns a digit, and 0.3 us.
class FibonacciTextCheck {
 public:
  /// `seed` draws the primes.
  explicit FibonacciTextCheck(std::uint64_t seed);

  /// What is wrong with `text` as F(n); nothing where it is right.
  [[nodiscard]] std::optional<std::string> objection(std::uint64_t n, std::string_view text) const;

 private:
  struct Residue {
    LucasChain chain;
    FactorModulo shift;  ///< times 10^18
  };
  static Residue residue_for(std::uint64_t seed, std::uint64_t draw);

  std::array<Residue, 2> residues_;
};

}  // namespace duet
