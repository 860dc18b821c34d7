#pragma once

/// C as the sum of what the layers of a grid have computed.

#include <cstdint>

#include "kernels/core/view.hpp"
#include "kernels/data_decomposition/matmul/matmul.hpp"

namespace duet {

/// The summand of C that this rank computes, and the sum of all layers' summands: a reduce-scatter in L - 1 steps. In
/// step s the rank of layer l sends the rows that layer l + s owns and receives its own from layer l - s, one message
/// each, while it adds what came the step before. Words are received once, as in any optimal algorithm, and summands
/// are added in one order, so that the sum is the same in every run, which MPI_Reduce_scatter does not promise.
///
/// Where there is one layer there is nothing to add, and the summand is C itself.
template <class Element>
class LayerSum {
 public:
  /// Room for the summand. Keeps a reference to `mine`. No message has more than `limit` words.
  explicit LayerSum(const OwnedBlocksOf<Element>& mine, std::int64_t limit = largest_mpi_count);

  /// Where the product of this layer goes: rows and columns ProductLayout::summand_of. Needs no value before.
  [[nodiscard]] MatrixView<Element> summand() { return mine_.ranks.shape().layers == 1 ? mine_.c : room_.view(); }

  /// C = the sum. Collective over the layers. All threads of `execution` add.
  void add_up(const Execution& execution);

 private:
  const OwnedBlocksOf<Element>& mine_;
  std::int64_t limit_;
  Matrix<Element> room_;
};

}  // namespace duet
