#pragma once

/// The stages that tiles flow through, in one process: what every shared model does and none does differently.

#include "kernels/pipeline/cholesky/first_bad_pivot.hpp"
#include "kernels/pipeline/cholesky/tile_kernels.hpp"
#include "kernels/pipeline/cholesky/tile_matrix.hpp"

namespace duet {

class Stages {
 public:
  /// Throws std::invalid_argument unless `a` has the whole matrix.
  explicit Stages(const TileMatrix& a);

  /// L(k, k) from A(k, k).
  void factor(std::int64_t k) {
    if (failure_.any()) return;
    const std::int64_t extent = layout_.extent(k);
    const std::int64_t good = kernels_.factor(a_.tile(k, k), extent);
    if (good < extent) failure_.found(layout_.begin(k) + good);
  }
  /// L(i, k) from A(i, k) and L(k, k).
  void solve(std::int64_t i, std::int64_t k) const {
    if (failure_.any()) return;
    kernels_.solve(a_.tile(k, k), layout_.extent(k), a_.tile(i, k), layout_.extent(i));
  }
  /// A(i, j) -= L(i, k) L(j, k)^T.
  void update(std::int64_t i, std::int64_t j, std::int64_t k) const {
    if (failure_.any()) return;
    if (i == j) {
      kernels_.update_diagonal(a_.tile(i, k), layout_.extent(k), a_.tile(i, i), layout_.extent(i));
    } else {
      kernels_.update(a_.tile(i, k), a_.tile(j, k), layout_.extent(k), a_.tile(i, j), layout_.extent(i),
                      layout_.extent(j));
    }
  }

  [[nodiscard]] std::int64_t count() const { return layout_.count(); }
  /// Throws NotPositiveDefinite where a pivot failed.
  void require_success() const { failure_.require_none(layout_.n()); }

 private:
  const TileMatrix& a_;
  const TileLayout& layout_;
  const TileKernels& kernels_;
  FirstBadPivot failure_;
};

}  // namespace duet
