#pragma once

/// One row of one sweep, vectorised; which instruction set is chosen when it runs.

#include <cstdint>

#include "kernels/data_decomposition/stencil/star.hpp"

namespace duet {

/// How results are stored: through the caches, or past them, which spares memory the reading of lines that are
/// overwritten as a whole.
enum class Stores { cached, streaming };

/// Computes `count` neighbouring points. `rows` holds 2 r + 1 pointers, the rows from r above to r below, each to where
/// the first point's column stands; the centre row is read from r before to r behind. `to` overlaps none of them.
/// After streaming stores, `finish_streaming` makes them visible to whoever synchronises with this thread.
using RowSweep = void (*)(const double* const* rows, double* to, std::int64_t count, const Star& star, Stores stores);

/// The fastest here for stars of `radius`.
[[nodiscard]] RowSweep row_sweep_for(std::int64_t radius);

void finish_streaming();

/// The instruction set in use, as Highway calls it: "AVX3", "AVX2".
[[nodiscard]] const char* row_sweep_code_path();

}  // namespace duet
