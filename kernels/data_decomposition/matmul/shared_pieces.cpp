#include "kernels/data_decomposition/matmul/shared_pieces.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "kernels/core/partition.hpp"

namespace duet {

int layers_for(const ProductShape& shape, int threads, std::int64_t wanted) {
  if (wanted > 0) {
    if (threads % wanted == 0) return static_cast<int>(wanted);
    throw std::invalid_argument("layers = " + std::to_string(wanted) + " does not divide " + std::to_string(threads) +
                                " threads");
  }
  const auto m = static_cast<double>(shape.m);
  const auto n = static_cast<double>(shape.n);
  const auto k = static_cast<double>(shape.k);
  int best = 1;
  double least = -1;
  for (int layers = 1; layers <= threads; ++layers) {
    if (threads % layers != 0) continue;
    if (layers > 1 && shape.k / layers < summation_block) break;
    const Grid grid = grid_for(shape.m, shape.n, threads / layers);
    const double packed = (m / static_cast<double>(grid.rows) + n / static_cast<double>(grid.columns)) * k / layers;
    const double added = layers == 1 ? 0 : 2 * m * n * layers / threads;
    if (least >= 0 && packed + added >= least) continue;
    least = packed + added;
    best = layers;
  }
  return best;
}

int layers_in(const ProductShape& shape, const Execution& execution) {
  const std::int64_t wanted = execution.whole_or("layers", 0);
  const bool tiles_are_given = execution.whole_or("tile", 0) > 0;
  return layers_for(shape, execution.threads, wanted == 0 && tiles_are_given ? 1 : wanted);
}

template <class Element>
SharedPieces<Element>::SharedPieces(MatrixView<const Element> a, MatrixView<const Element> b, MatrixView<Element> c,
                                    const Execution& execution)
    : a_{a},
      b_{b},
      c_{c},
      threads_{execution.threads},
      kernel_{local_kernel(execution.text_or("local_kernel", "auto")).of<Element>()} {
  require_conforming<Element>(a, b, c);
  const int layers = layers_in({c.rows, c.columns, a.columns}, execution);
  for (int layer = 1; layer < layers; ++layer) summands_.emplace_back(c.rows, c.columns);
  tiles_ = tiles_of(c.rows, c.columns, threads_ / layers, execution.whole_or("tile", 0));
}

template <class Element>
void SharedPieces<Element>::multiply(std::int64_t piece) {
  const std::int64_t layer = piece % layers();
  const Range k = share_of(a_.columns, layers(), layer);
  const TileViews<Element> part = views_of<Element>(
      tiles_[piece / layers()], a_.block(0, k.begin, a_.rows, k.size()), b_.block(k.begin, 0, k.size(), b_.columns),
      layer == 0 ? c_ : summands_[static_cast<std::size_t>(layer - 1)].view());
  kernel_(part.a, part.b, part.c, Update::assign);
}

template <class Element>
void SharedPieces<Element>::add(std::int64_t part) {
  const Range rows = share_of(c_.rows, threads_, part);
  for (std::int64_t row = rows.begin; row < rows.end; ++row) {
    Element* const sum = &c_(row, 0);
    for (const Matrix<Element>& summand : summands_) {
      const Element* const more = summand.data() + row * c_.columns;
      for (std::int64_t column = 0; column < c_.columns; ++column) sum[column] += more[column];
    }
  }
}

template class SharedPieces<double>;
template class SharedPieces<float>;

}  // namespace duet
