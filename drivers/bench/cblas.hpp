#pragma once

namespace duet {

/// cblas_dgemm with 32-bit integers: order, transposes, m, n, k, alpha, A, lda, B, ldb, beta, C, ldc.
using Dgemm = void (*)(int, int, int, int, int, int, double, const double*, int, const double*, int, double, double*,
                       int);
inline constexpr int row_major = 101;
inline constexpr int not_transposed = 111;

}  // namespace duet
