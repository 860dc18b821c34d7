#pragma once

/// A few rows of one sweep, vectorised; which instruction set is chosen when it runs.

#include <array>
#include <cstdint>

#include "kernels/data_decomposition/stencil/star.hpp"

namespace duet {

/// How results are stored: through the caches, or past them, which spares memory the reading of lines that are
/// overwritten as a whole.
enum class Stores { cached, streaming };

inline constexpr std::int64_t most_rows_at_once = 4;

/// Computes `count` neighbouring points of some consecutive rows, 1 to `at_once` of them, by `sweep[height - 1]`.
/// `rows` holds 2 r + height pointers, from r rows above the first to r below the last, each to where the first point's
/// column stands; the rows themselves are read from r before to r behind. Memory up to 8 points before and behind what
/// is read of a row may be read too: the rows of a view have neighbours that are as long. `to` holds the height rows
/// that are written: to[i] may be rows[i], which nobody needs any more, unless stores are streaming; else they overlap
/// nothing. After streaming stores, `finish_streaming` makes them visible to whoever synchronises with this thread.
struct RowSweep {
  using Function = void (*)(const double* const* rows, double* const* to, std::int64_t count, const Star& star,
                            Stores stores);
  std::int64_t at_once = 1;
  std::array<Function, most_rows_at_once> sweep{};
};

/// The fastest here for stars of `radius`.
[[nodiscard]] RowSweep row_sweep_for(std::int64_t radius);

void finish_streaming();

/// The instruction set in use, as Highway calls it: "AVX3", "AVX2".
[[nodiscard]] const char* row_sweep_code_path();

}  // namespace duet
