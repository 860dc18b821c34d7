#pragma once

/// Panels of A and B on their way along the rows and columns of a grid of ranks.

#include <cstdint>
#include <vector>

#include "kernels/core/view.hpp"
#include "kernels/data_decomposition/matmul/matmul.hpp"

namespace duet {

/// One slot of the double buffer: one panel of A and the same of B, both travelling. Along a direction in which the
/// grid has one rank nothing travels, and the rank's own block is used where it is.
///
/// MPI_Ibcast, measured on 2 ranks of one node under OpenMPI 4.1.4 with n = 512 / 2048 / 4096, against: MPI_Bcast of
/// each panel when it is needed, 0.98x / 0.99x / 0.97x; MPI_Isend and MPI_Irecv, 1.00x / 1.02x / 1.01x, but with p - 1
/// sends from one rank where a broadcast is a tree; MPI_Ibcast with MPI_Testall between four strips of each local
/// product, 0.97x / 1.00x / 0.99x, because inside a node the receiver copies at its own cost whenever it gets to it,
/// and strips pack B again. Where a network card could move data meanwhile, the strips are a tunable.
template <class Element>
class PanelBroadcast {
 public:
  /// Room for panels of up to `width` columns of A and rows of B. Keeps a reference to `mine`. No MPI call carries more
  /// than `limit` words: a panel of more goes in pieces.
  PanelBroadcast(const OwnedBlocksOf<Element>& mine, std::int64_t width, std::int64_t limit = largest_mpi_count);

  /// Starts both broadcasts. All ranks of the grid start the same panels in the same order.
  void start(const Panel& panel);
  /// Gives MPI the occasion to move data: OpenMPI does nothing in the background.
  void progress();
  /// Waits until the panel is here; `a` and `b` are good until the next start.
  void wait();

  /// A(my rows, panel) and B(panel, my columns).
  [[nodiscard]] MatrixView<const Element> a() const { return a_; }
  [[nodiscard]] MatrixView<const Element> b() const { return b_; }

 private:
  void broadcast(Element* words, std::int64_t count, int root, MPI_Comm ranks);

  const OwnedBlocksOf<Element>& mine_;
  std::int64_t limit_;
  Block summand_;  ///< of C: A's rows and B's columns that this rank needs
  Matrix<Element> a_buffer_;
  Matrix<Element> b_buffer_;
  MatrixView<const Element> a_;
  MatrixView<const Element> b_;
  std::vector<MPI_Request> requests_;  ///< of one panel, none between `wait` and `start`
};

/// The tunable `panel`, or the chosen width for a layer's share of k.
[[nodiscard]] std::int64_t panel_width(const Execution& execution, const ProductLayout& layout);

/// Throws std::invalid_argument unless the blocks have the shapes that the layout gives this rank.
template <class Element>
void require_conforming(const OwnedBlocksOf<Element>& mine);

}  // namespace duet
