#pragma once

/// Duet's own product on one thread, in portable vector code that is compiled for each instruction set (Highway) and
/// chosen when it runs. `local_product.hpp` says what it computes; `simd_product.cpp` how.

#include <string>

#include "kernels/core/view.hpp"
#include "kernels/local_product/local_product.hpp"

namespace duet {

/// C = A B or C += A B. The shapes must fit (`check_shapes`). Throws std::bad_alloc where there is no memory for the
/// buffers.
void multiply_by_simd(ConstView a, ConstView b, View c, Update update);

/// The instruction set that `multiply_by_simd` uses: Highway's name, "AVX3" for AVX-512.
[[nodiscard]] std::string simd_code_path();

}  // namespace duet
