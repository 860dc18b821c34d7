#pragma once

/// Columns of L ("panels") on their way between the ranks of a grid.

#include <mpi.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "kernels/core/mpi.hpp"
#include "kernels/local_product/packing_space.hpp"
#include "kernels/pipeline/cholesky/tile_matrix.hpp"

namespace duet {

/// Brings every panel to the ranks that need it, one after another, while they compute. Panel k goes through
///
///     factored    L(k, k) goes along the grid column that owns the panel          R > 1
///     solved      the owners' tiles go along their grid rows                      C > 1
///     in my row   the tiles whose row is a column of mine go along grid columns   R > 1
///     here        every rank has L(i, k) for its rows i, and L(j, k) for its columns j
///
/// and every message of the first two says whether the factorisation came so far, so that all ranks know of a bad pivot
/// at the same panel: the next one is not begun before this one is here, and then nobody begins it.
///
/// `advance` does what can be done without waiting, and must be called often by the thread that may call MPI; the other
/// threads tell what they have done, and ask what is here, at any time. Owned tiles are sent from where they are, and
/// what others send is kept for `slots` panels.
class PanelExchange {
 public:
  /// Communicators and buffers for matrices of `layout`, for any number of factorisations. Collective. Throws
  /// std::invalid_argument unless the grid holds the ranks. No MPI call carries more than `limit` words.
  PanelExchange(const TileLayout& layout, MPI_Comm ranks, std::int64_t limit = largest_mpi_count);

  [[nodiscard]] const TileLayout& layout() const { return layout_; }
  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] MPI_Comm all() const { return all_.get(); }

  /// Begins the factorisation of `a`, of which this rank reads panel k in so many updates as updates[k] says. Keeps a
  /// pointer to `a`.
  void begin(const TileMatrix& a, const std::vector<std::int64_t>& updates);
  /// Waits until what this rank sent has left. After the last panel is here, or a bad pivot.
  void finish();

  /// For the thread that may call MPI.
  void advance();

  /// L(k, k) is there, or failed at row `bad_pivot` of the matrix (-1: it did not).
  void factored(std::int64_t bad_pivot);
  /// One of my tiles of panel k is solved.
  void solved() { solved_.fetch_add(1, std::memory_order_release); }
  /// One update by panel k is done.
  void updated(std::int64_t k) { updates_left_[at(k)].fetch_sub(1, std::memory_order_release); }

  /// Panels that are here, and factors of diagonal tiles, for my solves.
  [[nodiscard]] std::int64_t panels_here() const { return here_.load(std::memory_order_acquire); }
  [[nodiscard]] std::int64_t diagonals_here() const { return diagonals_here_.load(std::memory_order_acquire); }
  [[nodiscard]] bool is_complete() const { return panels_here() == layout_.count(); }
  /// The row of the first bad pivot, the same on every rank; -1 while none is known.
  [[nodiscard]] std::int64_t bad_pivot() const { return bad_pivot_.load(std::memory_order_acquire); }

  /// L(k, k) while panel k is solved, L(i, k) for my row i and L(j, k) for my column j while it is here.
  [[nodiscard]] const double* diagonal(std::int64_t k) const;
  [[nodiscard]] const double* row_tile(std::int64_t i, std::int64_t k) const;
  [[nodiscard]] const double* column_tile(std::int64_t j, std::int64_t k) const;

  /// Panels that are kept: one that is used, one that comes, and one that slower threads still read.
  static constexpr std::int64_t slots = 3;

 private:
  enum class Phase { begun, factoring, diagonal_coming, solving, row_coming, in_row, columns_coming };

  /// What others sent of one panel.
  struct Slot {
    PackingSpace space;
    double* diagonal = nullptr;
    double* row = nullptr;
    double* columns = nullptr;
    std::vector<std::int64_t> column_at;  ///< where L(j, k) stands in `columns`, for j = c, c + C, ...
  };

  [[nodiscard]] static std::size_t at(std::int64_t index) { return static_cast<std::size_t>(index); }
  [[nodiscard]] Slot& slot(std::int64_t k) { return slots_[at(k % slots)]; }
  [[nodiscard]] const Slot& slot(std::int64_t k) const { return slots_[at(k % slots)]; }
  [[nodiscard]] bool owns_column(std::int64_t k) const { return k % layout_.grid().columns == column_; }
  [[nodiscard]] bool step();
  void broadcast(double* words, std::int64_t count, std::int64_t root, MPI_Comm ranks,
                 std::vector<MPI_Request>& requests);
  [[nodiscard]] static bool arrived(std::vector<MPI_Request>& requests);
  void start_columns(std::int64_t k);

  TileLayout layout_;
  std::int64_t limit_;
  int rank_;
  std::int64_t row_;
  std::int64_t column_;
  Communicator all_;
  Communicator along_row_;
  Communicator along_column_;
  std::array<Slot, slots> slots_;

  const TileMatrix* a_ = nullptr;
  Phase phase_ = Phase::begun;         ///< of panel `panels_here()`
  std::vector<MPI_Request> coming_;    ///< what this phase waits for
  std::vector<MPI_Request> leaving_;   ///< what was sent from a's own tiles
  std::int64_t known_bad_pivot_ = -1;  ///< what this panel's messages say
  std::vector<std::atomic<std::int64_t>> updates_left_;
  std::atomic<bool> factored_{false};
  std::atomic<std::int64_t> factor_failed_{-1};
  std::atomic<std::int64_t> solved_{0};
  std::atomic<std::int64_t> here_{0};
  std::atomic<std::int64_t> diagonals_here_{0};
  std::atomic<std::int64_t> bad_pivot_{-1};
};

}  // namespace duet
