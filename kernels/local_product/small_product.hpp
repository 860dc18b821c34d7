#pragma once

/// Many products of one shape in one call: C_i = A_i B_i, where each operand of a product stands a constant step behind
/// that of the product before. A general product of n = 8 takes 20 ns of arithmetic and as much again for finding out
/// what is to be done; a run finds it out once.
///
/// Small products, no extent above `largest_small_extent`, go through kernels of their own whose tiles of C stay in
/// registers, with the loops over k unrolled for the extents 4, 8 and 16; all others one by one through the local
/// kernel. Shapes, overlap, NaN, infinities and what is read and written: as local_product.hpp says. Bits: those of
/// `duet`.

#include <cstdint>
#include <string>

#include "kernels/core/view.hpp"
#include "kernels/local_product/local_product.hpp"

namespace duet {

/// `count` products; `a`, `b` and `c` are those of the first. Steps are in elements; with one product they mean
/// nothing.
template <class Element>
struct ProductRun {
  MatrixView<const Element> a{};
  MatrixView<const Element> b{};
  MatrixView<Element> c{};
  std::int64_t a_step = 0;
  std::int64_t b_step = 0;
  std::int64_t c_step = 0;
  std::int64_t count = 1;

  /// `some` of the products from `first` on.
  [[nodiscard]] ProductRun products(std::int64_t first, std::int64_t some) const {
    ProductRun part = *this;
    part.a.data += first * a_step;
    part.b.data += first * b_step;
    part.c.data += first * c_step;
    part.count = some;
    return part;
  }
};

inline constexpr std::int64_t largest_small_extent = 32;

[[nodiscard]] constexpr bool is_small_product(std::int64_t m, std::int64_t n, std::int64_t k) {
  return m <= largest_small_extent && n <= largest_small_extent && k <= largest_small_extent;
}

/// C_i = A_i B_i for every product of the run. `kernel` multiplies what is not small. Throws std::invalid_argument
/// where shapes do not fit, and what `kernel` throws.
template <class Element>
void multiply_run(const LocalKernel& kernel, const ProductRun<Element>& run);

/// A run of small products, whatever their number. The shapes fit.
void multiply_small_run(const ProductRun<double>& run);
void multiply_small_run(const ProductRun<float>& run);

/// Highway's name for the instruction set of the small kernels.
[[nodiscard]] std::string small_product_code_path();

}  // namespace duet
