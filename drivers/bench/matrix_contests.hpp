#pragma once

/// The matrix kernels beside BLAS, LAPACK, ScaLAPACK and the bandwidth of the triad, and the harness beside a plain
/// loop.

#include "drivers/bench/lineup.hpp"

namespace duet {

/// Adds all of them. `lineup` and `options` outlive what is added.
void list_matrix_contests(const Lineup& lineup, const BenchOptions& options, const AddContest& add);

}  // namespace duet
