#pragma once

/// How the threads of one process divide a product.

#include <cstdint>
#include <vector>

#include "kernels/core/execution.hpp"
#include "kernels/core/view.hpp"
#include "kernels/data_decomposition/matmul/matmul.hpp"
#include "kernels/local_product/local_product.hpp"
#include "kernels/product/tiles.hpp"

namespace duet {

/// The layers that share k out among `threads` threads: `wanted`, a divisor of them, or where that is 0 the divisor
/// with the fewest words to pack and add, a thread,
///
///     (m / R + n / C) k / L  +  2 m n L / threads [L > 1],   R x C = threads / L  (grid_for).
///
/// More than one where k is more than four times m and n, or so: there every thread that took a tile of C would pack
/// all of a long row of A for a narrow tile. No layer is shallower than what a local kernel multiplies at a time.
/// Throws std::invalid_argument where `wanted` does not divide the threads.
[[nodiscard]] int layers_for(const ProductShape& shape, int threads, std::int64_t wanted);
/// The same for what the tunables `layers` and `tile` say: tiles of a given size are in one layer where nothing is said
/// of layers.
[[nodiscard]] int layers_in(const ProductShape& shape, const Execution& execution);

/// C = A B in pieces that any thread may compute in any order, and a sum once all of them are there. A piece is a tile
/// of C (tiles.hpp) for one layer's share of k,
///
///     C_l(I, J) = A(I, K_l) B(K_l, J),     C = C_0 + C_1 + ...,
///
/// where C_0 is C itself. With one layer, which is usual, there is nothing to add. With more each layer has the tiles
/// of its own group of threads. Summands are added in their order, so that the sum is the same in every run.
template <class Element>
class SharedPieces {
 public:
  /// Room for the summands, m n words for each layer but the first. Tunables: `local_kernel`, `tile`, `layers`. The
  /// views must outlive this object. Throws std::invalid_argument for operands that do not fit and for what
  /// `layers_for` refuses.
  SharedPieces(MatrixView<const Element> a, MatrixView<const Element> b, MatrixView<Element> c,
               const Execution& execution);

  /// Pieces 0 to leading() - 1 are large, one for each thread; those behind them go to whoever is free.
  [[nodiscard]] std::int64_t leading() const { return layers() * tiles_.leading; }
  [[nodiscard]] std::int64_t count() const { return layers() * tiles_.count(); }
  void multiply(std::int64_t piece);

  /// When all pieces are there, as many parts of the sum as there are threads; none with one layer.
  [[nodiscard]] std::int64_t sums() const { return summands_.empty() ? 0 : threads_; }
  void add(std::int64_t part);

 private:
  [[nodiscard]] std::int64_t layers() const { return std::ssize(summands_) + 1; }

  MatrixView<const Element> a_;
  MatrixView<const Element> b_;
  MatrixView<Element> c_;
  int threads_;
  typename LocalKernel::Multiply<Element> kernel_;
  std::vector<Matrix<Element>> summands_;  ///< of layers 1, 2, ...
  Tiles tiles_;
};

}  // namespace duet
