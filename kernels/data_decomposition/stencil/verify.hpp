#pragma once

/// Judges the grid after the sweeps by mathematics that is independent of how it was computed.

#include <mpi.h>

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "kernels/core/problem.hpp"
#include "kernels/core/view.hpp"
#include "kernels/data_decomposition/stencil/modes.hpp"
#include "kernels/data_decomposition/stencil/rank_block.hpp"
#include "kernels/data_decomposition/stencil/region.hpp"
#include "kernels/data_decomposition/stencil/star.hpp"

namespace duet {

/// The value of the point (row, column) before the first sweep, for any point of the whole grid, on any rank and from
/// any thread.
using InitialGrid = std::function<double(std::int64_t row, std::int64_t column)>;

/// Who judges: the ranks among which the grid is divided (MPI_COMM_NULL: one process), and the threads of each.
struct Judges {
  MPI_Comm ranks = MPI_COMM_NULL;
  int threads = 1;
};

/// Three checks, each of which sees what the others may not.
///
/// 1. The frame, and everything where nothing changes, is bitwise what it was.
///
/// 2. Modes. Let b be a mode of the points that change in a row (`modes.hpp`), K b = mu b, and W_t(i) the sum of
/// b_j u_t(i, j) over them. Multiplying a sweep by b from the right leaves a recurrence in one dimension:
///
///     W_t+1(i) = mu W_t(i) + sum over d of w_d (W_t(i-d) + W_t(i+d)) + g(i)
///
/// where g(i) is what the fixed points at either end of row i give, the same in every sweep. So W_s of the answer must
/// be what s steps make of W_0, in m operations a step where the grid takes mn. Two modes of random frequency for the
/// rows and two for the columns. A single wrong point (i, j) changes W(i) by b_j times its error: it is found where
/// that exceeds the bound, in its row and in its column, and named. Frequencies have no divisor in common with n + 1,
/// so that no b_j of a sine is 0.
///
/// The bound is derived. Let u = 2^-53, gamma_k = k u / (1 - k u), M the largest magnitude of the grid before, |b| the
/// sum of magnitudes. Since the weights sum to 1, no sweep makes errors larger, and what each sweep adds to one point
/// is gamma_(r+2) M. With h the roundings of the longest sum,
///
///     |W_s - its recurrence| <= 2 (|b| + |K b on the frame|) M ( s (3 gamma_(2r+6)) + 2 gamma_h ) + 2 s M |rest|,
///
/// where the last term is for b being a mode only up to a measured rest, and the factors 2 cover (1 + gamma)^s, which
/// is less for s below 10^9.
///
/// 3. Cones. Random points, half of them beside the edges of this rank's block, where halos come in, are computed
/// again from all points they depend on, one after the other by the definition, and must agree within
/// 4 s gamma_(r+2) M: a thousand times sharper than a mode sees. Left out where a single cone is too much work.
///
/// What is wrong is named: the point, what it is, what would be right, and whose it is.
///
/// Costs: the first judgement reads every point of `initial` once and the answer once, each further one the answer.
/// About 10 (rows + columns) words on each rank.
class StencilJudge {
 public:
  /// `owned` is what this rank has of the grid. `seed` chooses modes and points.
  StencilJudge(GridShape shape, const Sweeps& sweeps, InitialGrid initial, Region owned, std::uint64_t seed,
               const Judges& judges);

  /// Whether `answer`, the owned points, is right. Collective over the ranks; the same on each. Throws
  /// std::invalid_argument, on each, where the grid before was not finite.
  [[nodiscard]] Judgement judge(ConstView answer);

 private:
  static constexpr std::size_t mode_count = 2;
  /// One direction: sums along it, a value for each line across it.
  struct Direction {
    std::int64_t lines = 0;  ///< of the whole grid
    Range changing{};        ///< the lines that change
    std::int64_t along = 0;  ///< points of a line that change
    std::array<Mode, mode_count> modes{};
    std::array<std::vector<double>, mode_count> expected{};
    std::array<double, mode_count> bounds{};
  };
  using Sums = std::array<std::vector<double>, mode_count>;
  struct Projections {
    Sums of_rows;
    Sums of_columns;
    double largest = 0;  ///< magnitude of a point
  };
  /// Sums of one line: worst agreement, and the first that is wrong.
  struct Comparison {
    double error = 0;
    double bound = 0;
    std::int64_t wrong = 0;
    std::int64_t first_wrong = -1;
  };
  struct Fault {
    std::int64_t row = -1;
    std::int64_t column = -1;
    double found = 0;
    double right = 0;
    double bound = 0;
  };

  template <class RowAt>
  [[nodiscard]] Projections project(RowAt&& row_at) const;
  void expect();
  void choose_modes(Direction& direction, std::uint64_t stream) const;
  void recur(Direction& direction, Sums sums, bool rows_run_along) const;
  [[nodiscard]] static Comparison compare(const Direction& direction, const Sums& found);
  [[nodiscard]] Fault first_changed_in_frame(ConstView answer) const;
  [[nodiscard]] Fault first_wrong_cone(ConstView answer, Comparison& cones) const;
  [[nodiscard]] double cone_of(std::int64_t row, std::int64_t column) const;
  [[nodiscard]] double cone_work() const;
  [[nodiscard]] double cone_bound() const;
  [[nodiscard]] std::string named(const Fault& mine) const;

  GridShape shape_;
  Sweeps sweeps_;
  InitialGrid initial_;
  Region owned_;
  Region interior_;
  std::uint64_t seed_;
  Judges judges_;
  Direction rows_;     ///< sums along rows
  Direction columns_;  ///< sums along columns
  double largest_ = 0;
  bool is_expecting_ = false;
};

/// A hash of the points in `owned` with their positions, summed over `ranks`: the same for the same grid, however it is
/// divided.
[[nodiscard]] std::string digest_of_grid(ConstView answer, const Region& owned, const Judges& judges);

}  // namespace duet
