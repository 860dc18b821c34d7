#pragma once

/// What one thread does with tiles: factor, solve, update. Vector code that is compiled for each instruction set into
/// one binary (Highway) and chosen when it runs; `simd_tiles.cpp` says how it works.
///
/// A tile of r x c entries, both multiples of `strip`, is stored as r / 24 strips of 24 rows, each column by column:
///
///     entry (i, p)  at  (i / 24) * 24 c + 24 p + i % 24
///
///     strip 0  | (0,0) (1,0) .. (23,0) | (0,1) (1,1) .. (23,1) | ...      one column of a strip: three cache lines
///     strip 1  | (24,0) ..             | ...
///
/// This is the form in which the inner loop of a product reads its operands, and C is updated in the same form. So
/// nothing is ever packed, transposed or copied: the matrix lies in memory as the arithmetic wants it, in half the
/// space of a square array, and one tile is contiguous for a message.

#include <cstdint>
#include <string>

namespace duet {

/// Rows of a strip: whole register tiles of every instruction set (24 = 3 x 8 = 2 x 12 = 4 x 6).
inline constexpr std::int64_t strip = 24;

/// n rounded up to whole strips.
[[nodiscard]] constexpr std::int64_t whole_strips(std::int64_t n) { return (n + strip - 1) / strip * strip; }

/// The operations on tiles. All pointers are aligned to 64 bytes. Deterministic: the same operands, the same bits,
/// whatever thread; an entry's products are subtracted in index order within each call.
struct TileKernels {
  std::string code_path;  ///< Highway's name of the instruction set: "AVX3" for AVX-512

  /// Factors the diagonal tile of `extent` rows in place, A = L L^T: reads entries on and below the diagonal and writes
  /// L there; the part of the strips above the diagonal becomes zero. Returns `extent`, or the index of the first pivot
  /// that is not positive and finite; L is then of no use. About extent^3 / 3 operations.
  std::int64_t (*factor)(double* diagonal, std::int64_t extent) = nullptr;

  /// X = X L^-T for a tile X of rows x extent: solves X' L^T = X by substitution, rows extent^2 operations.
  void (*solve)(const double* diagonal, std::int64_t extent, double* x, std::int64_t rows) = nullptr;

  /// C -= A B^T for C of rows x columns, A of rows x depth, B of columns x depth: 2 rows columns depth operations.
  void (*update)(const double* a, const double* b, std::int64_t depth, double* c, std::int64_t rows,
                 std::int64_t columns) = nullptr;

  /// C -= A A^T on and below the diagonal of a tile of `extent` rows; above it within the strips on the diagonal, what
  /// is left there is not defined. About extent^2 depth operations.
  void (*update_diagonal)(const double* a, std::int64_t depth, double* c, std::int64_t extent) = nullptr;
};

/// The kernels for the widest instruction set that Highway finds, or is told to believe in, at this call.
[[nodiscard]] TileKernels simd_tile_kernels();
/// The same as at the first call.
[[nodiscard]] const TileKernels& tile_kernels();

}  // namespace duet
