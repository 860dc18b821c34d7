#pragma once

/// Duet's own product on one thread, in portable vector code that is compiled for each instruction set (Highway) and
/// chosen when it runs. `local_product.hpp` says what it computes; `simd_product.cpp` how.

#include "kernels/local_product/local_product.hpp"

namespace duet {

/// The kernel for the widest instruction set that Highway finds, or is told to believe in, at this call. Its
/// `code_path` is Highway's name, "AVX3" for AVX-512.
[[nodiscard]] LocalKernel simd_kernel();

}  // namespace duet
