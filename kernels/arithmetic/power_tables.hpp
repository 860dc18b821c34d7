#pragma once

/// Tables of the powers of phi in Z[phi]/m, and the products of their entries, in each way that a processor may have:
/// the inside of fibonacci_residue.hpp, where the method stands.
///
/// A product of the power a phi + b with the entry c phi + d, which is known beforehand:
///
///     a' = a (c + d) + b c        four products, each sum reduced once. The last one is asked for a' alone: F(n).
///     b' = a c + b d
///
/// Every product by Montgomery's method leaves the result divided by the radix once more for each word that it clears.
/// How often is the same for all inputs, so nothing is ever brought into his form or out of it: entries are plain
/// residues, and those of the last place are multiplied by what all the products together divide by.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace duet {

/// a phi + b. Two words that one load takes.
struct alignas(16) Power {
  std::uint64_t a = 0;
  std::uint64_t b = 0;
};

/// How exponents are cut: into `places` digits of `bits` bits.
struct Digits {
  unsigned bits = 8;
  unsigned places = 8;

  [[nodiscard]] std::size_t values() const { return std::size_t{1} << bits; }
  [[nodiscard]] std::uint64_t digit(std::uint64_t n, std::size_t place) const {
    return n >> (bits * place) & (values() - 1);
  }
};

/// phi^(d 2^(bits j)) for each digit d at each place j.
class PowerTables {
 public:
  PowerTables() = default;
  /// Modulo 2^64.
  [[nodiscard]] static PowerTables overflowing(const Digits& digits);
  /// Modulo an odd m; the entries of place 0 multiplied by 2^doublings. About 7 ns an entry.
  [[nodiscard]] static PowerTables modulo(std::uint64_t odd, const Digits& digits, unsigned doublings);

  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] const Digits& digits() const { return digits_; }
  [[nodiscard]] const Power* place(std::size_t j) const { return entries_.data() + j * digits_.values(); }
  [[nodiscard]] std::span<Power> entries() { return entries_; }

 private:
  explicit PowerTables(const Digits& digits);
  template <class Ring>
  void fill(const Ring& ring);

  Digits digits_;
  std::vector<Power> entries_;
};

/// By the words of the processor, one input in each of four lanes; two or more places. residues[i] = a of
/// phi^inputs[i], as all of these.
void look_up_by_words(const PowerTables& tables, std::uint64_t odd, std::span<const std::uint64_t> inputs,
                      std::span<std::uint64_t> residues);
void look_up_overflowing_by_words(const PowerTables& tables, std::span<const std::uint64_t> inputs,
                                  std::span<std::uint64_t> residues);
/// What the products of `places` places divide by: the exponent of 2.
[[nodiscard]] constexpr unsigned doublings_by_words(unsigned places) { return 64 * (places - 1); }

/// By fused multiply-adds of doubles, any m < 2^50, even too: 2 to 8 inputs a vector, whatever Highway finds.
[[nodiscard]] bool has_fused_doubles();
/// Makes doubles of plain entries, the residues nearest to 0.
void store_as_doubles(PowerTables& tables, std::uint64_t m);
void look_up_by_doubles(const PowerTables& tables, std::uint64_t m, std::span<const std::uint64_t> inputs,
                        std::span<std::uint64_t> residues);

/// By AVX-512's products of 52 bits (IFMA): m < 2^50 in one word, any other odd m in two, and modulo 2^64 by AVX-512's
/// products of 64 bits. 8 inputs a vector, two vectors at a time.
[[nodiscard]] bool has_ifma();
void look_up_by_ifma_word(const PowerTables& tables, std::uint64_t odd, std::span<const std::uint64_t> inputs,
                          std::span<std::uint64_t> residues);
void look_up_by_ifma_words(const PowerTables& tables, std::uint64_t odd, std::span<const std::uint64_t> inputs,
                           std::span<std::uint64_t> residues);
void look_up_overflowing_by_ifma(const PowerTables& tables, std::span<const std::uint64_t> inputs,
                                 std::span<std::uint64_t> residues);
[[nodiscard]] constexpr unsigned doublings_by_ifma_word(unsigned places) { return 52 * (places - 1); }
/// Whether the product with place j clears two words of 52 bits, of `places` places in all (power_tables_ifma.cpp).
[[nodiscard]] constexpr bool clears_two_words(unsigned places, unsigned j) {
  return j == 0 || (places - 1 - j) % 3 == 0;
}
[[nodiscard]] constexpr unsigned doublings_by_ifma_words(unsigned places) {
  unsigned words = 0;
  for (unsigned j = 0; j + 1 < places; ++j) words += clears_two_words(places, j) ? 2U : 1U;
  return 52 * words;
}

}  // namespace duet
