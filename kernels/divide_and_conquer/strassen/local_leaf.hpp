#pragma once

/// The product below the last level in one process: tiles of C over the local kernel, shared by a team.

#include "kernels/divide_and_conquer/strassen/winograd.hpp"
#include "kernels/local_product/local_product.hpp"
#include "kernels/product/tiles.hpp"

namespace duet {

template <class Element>
class LocalLeaf : public ProductBelow<Element> {
 public:
  /// Tiles have no more than `tile` rows and columns; 0: chosen, as for "matmul" (tiles_of). The team must outlive
  /// this.
  LocalLeaf(const LocalKernel& kernel, StrassenTeam& team, std::int64_t tile)
      : multiply_{kernel.of<Element>()}, team_{team}, tile_{tile} {}

  void multiply(MatrixView<const Element> a, MatrixView<const Element> b, MatrixView<Element> c,
                Update update) override {
    const Tiles tiles = tiles_of(c.rows, c.columns, team_.threads(), tile_);
    team_.compute(tiles.count(), [&](std::int64_t index) {
      // C(I, J) = A(I, :) B(:, J)
      const TileViews<Element> part = views_of(tiles[index], a, b, c);
      multiply_(part.a, part.b, part.c, update);
    });
  }

 private:
  LocalKernel::Multiply<Element> multiply_;
  StrassenTeam& team_;
  std::int64_t tile_;
};

}  // namespace duet
