#pragma once

/// The code paths by name, for path.cpp alone.

#include "kernels/arithmetic/transform/path.hpp"

namespace duet {

/// AVX-512 with IFMA: 52-bit products, eight at a time. runs_here is false everywhere else.
[[nodiscard]] TransformPath ifma_path();
/// AVX2 with fused multiply-adds: doubles, four at a time.
[[nodiscard]] TransformPath avx2_path();
[[nodiscard]] TransformPath portable_path();

}  // namespace duet
