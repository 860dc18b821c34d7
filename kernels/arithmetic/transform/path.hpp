#pragma once

/// The code paths of the transform: the same functions for processors of different abilities, with the same answers to
/// the last bit.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "kernels/arithmetic/transform/prime.hpp"
#include "kernels/arithmetic/transform/radix.hpp"
#include "kernels/arithmetic/transform/shape.hpp"
#include "kernels/core/partition.hpp"

namespace duet {

/// One prime, by its index, and the factors at its nodes (twiddles.hpp) in the form that the path takes.
struct Line {
  std::size_t prime = 0;
  const std::uint64_t* twiddles = nullptr;
  const std::uint64_t* inverse = nullptr;  ///< for the way back; the same where nodes count from the root of the tree
  std::size_t entries = 0;                 ///< of either
};

/// Words [begin, end) of each row, multiples of 8; where threads divide columns, of 64.
struct Columns {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// The columns of rows of `row_length` in parts, at most so many.
class ColumnParts {
 public:
  ColumnParts(std::size_t row_length, std::int64_t most)
      : strips_{static_cast<std::int64_t>(row_length / strip)}, count_{std::min(strips_, most)} {}

  [[nodiscard]] std::int64_t count() const { return count_; }
  [[nodiscard]] Columns operator[](std::int64_t part) const {
    const Range mine = share_of(strips_, count_, part);
    return {static_cast<std::size_t>(mine.begin) * strip, static_cast<std::size_t>(mine.end) * strip};
  }

 private:
  static constexpr std::size_t strip = 64;
  std::int64_t strips_;
  std::int64_t count_;
};

/// Rows [begin, end).
struct Rows {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// Rows of digits, `apart` from each other, of which there are so many; the next ones are zero.
struct DigitRows {
  const std::uint64_t* first = nullptr;
  std::size_t apart = 0;
  std::size_t rows = 0;
};

/// Rows of words, `apart` from each other.
struct WordRows {
  std::uint64_t* first = nullptr;
  std::size_t apart = 0;

  /// Where each of them begins.
  [[nodiscard]] std::vector<const std::uint64_t*> begins(std::size_t rows) const {
    std::vector<const std::uint64_t*> all(rows);
    for (std::size_t r = 0; r < rows; ++r) all[r] = first + r * apart;
    return all;
  }
};

/// What becomes of two images a and b.
enum class Combination {
  product,  ///< a := a b
  square,   ///< a := a a
  doubling  ///< a := a b,  b := b b:  from F(k), L(k) to F(2k), L(2k) + 2 (-1)^k
};

/// The residues of the coefficients of a product, up to a factor: coefficient i is words[k][i] scale[k] 2^-52 modulo
/// the k-th prime.
struct Residues {
  std::array<const std::uint64_t*, transform_primes_count> words{};
  std::array<std::uint64_t, transform_primes_count> scale{};
};

/// How factors stand in tables: as w 2^52 mod p, so that products with them divide by 2^52, and products at the leaves
/// do too; or as doubles between -p / 2 and p / 2.
enum class FactorForm { montgomery, doubles };

/// Words of an image are the path's own affair: between these functions, nobody reads them.
struct TransformPath {
  std::string_view name;
  FactorForm factors;
  /// From so many limbs of 64 bits on, a product of two equal factors is faster than GMP's; measured on AMD Zen 4.
  std::size_t least_limbs;
  bool (*runs_here)();

  /// Table entries to[i] = from[i] `factor` modulo the prime; sizes are multiples of `shortest_twist`.
  void (*twist)(const TransformPrime& prime, std::span<const std::uint64_t> from, std::uint64_t factor,
                std::uint64_t* to);
  /// The first four levels, from digits: `count` of them from digits[0] on, then zeros.
  void (*forward_top)(const Line& line, const std::uint64_t* digits, std::size_t count, std::uint64_t* words,
                      const TransformShape& shape, Columns columns);
  /// `rows` alone of the same image, the first of them at `words`, from digits in eight rows or fewer, which begin with
  /// those of column columns.begin.
  void (*forward_top_rows)(const Line& line, const DigitRows& digits, const TransformShape& shape, Rows rows,
                           std::uint64_t* words, Columns columns);
  /// The way back through them, of rows that each stand anywhere; one may stand where it is put in `to`.
  void (*inverse_top)(const Line& line, std::span<const std::uint64_t* const> from, const WordRows& to,
                      Columns columns);
  /// log2(rows) levels below `node`, whose words are `rows` rows of `row_length`. Rows: 2, 4, 8 or 16.
  void (*forward_columns)(const Line& line, std::uint64_t* words, std::size_t rows, std::size_t row_length,
                          std::size_t node, Columns columns);
  void (*inverse_columns)(const Line& line, std::uint64_t* words, std::size_t rows, std::size_t row_length,
                          std::size_t node, Columns columns);
  /// All levels below `node`, whose words in either image are `length`, a power of two and at least 64; there the
  /// images are combined, and all levels come back. b may be null for a square.
  void (*subtree)(const Line& line, std::uint64_t* a, std::uint64_t* b, std::size_t length, std::size_t node,
                  Combination combination);
  /// Digits [begin, end) of the number that the coefficients make, as if there was no carry into digit `begin`; returns
  /// the carry out of the last. The coefficients before `begin` count in so far as they reach over it. `begin` is a
  /// multiple of 8; words up to the next multiple of 8 after `end` are read.
  std::uint64_t (*recombine)(const Residues& residues, std::size_t begin, std::size_t end, const Radix& radix,
                             std::uint64_t* digits);
};

inline constexpr std::size_t shortest_twist = 8;

/// All that were compiled, fastest first; those that this processor can run say so.
[[nodiscard]] std::span<const TransformPath> transform_paths();
/// The first that runs here.
[[nodiscard]] const TransformPath& fastest_path();

}  // namespace duet
