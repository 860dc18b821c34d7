#pragma once

/// What a batch of products asks for: how large each is, and what its operands hold.

#include <cstdint>
#include <string_view>
#include <vector>

#include "kernels/core/partition.hpp"
#include "kernels/core/view.hpp"

namespace duet {

/// How the extents of random products are spread over [1, largest].
enum class SizeSpread {
  tiny,         ///< all are `largest` x `largest` x `largest`: what a product costs beside its arithmetic
  uniform,      ///< m, n and k independent, every extent equally likely: rectangles, mildly uneven
  log_uniform,  ///< square; every decade of extents is equally likely, so that a few products are most of the work
  zipf,         ///< square; an extent twice as large is half as likely: most products are nothing, one may be all
  giants,       ///< the last two are `largest` and two thirds of it, all others log-uniform below `largest`/16
};

[[nodiscard]] std::string_view name_of(SizeSpread spread);

/// C is m x n, A is m x k, B is k x n.
struct ItemShape {
  std::int32_t m = 0;
  std::int32_t n = 0;
  std::int32_t k = 0;

  [[nodiscard]] double operations() const { return 2.0 * m * n * k; }
  friend bool operator==(const ItemShape&, const ItemShape&) = default;
};

inline constexpr std::int64_t largest_item_extent = (std::int64_t{1} << 28U) - 1;

/// The shape of product `item` of `count`: a pure function of its arguments. 1 <= largest <= largest_item_extent.
[[nodiscard]] ItemShape random_shape(SizeSpread spread, std::int64_t count, std::int64_t largest, std::uint64_t seed,
                                     std::int64_t item);

/// Estimated time of one product, which divides work and orders items, and is never a result: 18 ns, and arithmetic and
/// words at rates as one core of a Zen 4 has them. Only ratios matter.
[[nodiscard]] double nanoseconds_of_product(double m, double n, double k);
[[nodiscard]] inline double nanoseconds_of(const ItemShape& shape) {
  return nanoseconds_of_product(shape.m, shape.n, shape.k);
}

/// Which operand of C = A B.
enum class Factor : std::uint32_t { a = 0, b = 1 };

/// A question: the shapes of all products, 12 bytes each, which every process has, and where operands come from.
struct MatrixBatch {
  std::vector<ItemShape> shapes{};
  std::uint64_t seed = 1;

  [[nodiscard]] std::int64_t count() const { return std::ssize(shapes); }
  [[nodiscard]] const ItemShape& operator[](std::int64_t item) const { return shapes[static_cast<std::size_t>(item)]; }
  [[nodiscard]] static MatrixBatch random(SizeSpread spread, std::int64_t count, std::int64_t largest,
                                          std::uint64_t seed);
};

/// Writes `mine`, whose first entry is (row, column) of the operand, with the operand's entries: a pure function of
/// (seed, item, row, column), in [-1, 1), so that any worker makes any part.
template <class Element>
void fill_operand(const MatrixBatch& batch, std::int64_t item, Factor factor, std::int64_t row, std::int64_t column,
                  MatrixView<Element> mine);

}  // namespace duet
