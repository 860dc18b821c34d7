#pragma once

/// The product by Eigen, compiled for the oldest processor of the architecture: there whatever else is missing, and a
/// witness that shares no code with the others.

#include <string>

#include "kernels/core/view.hpp"
#include "kernels/local_product/local_product.hpp"

namespace duet {

/// Throws std::invalid_argument where the shapes do not fit.
void multiply_by_eigen(const ConstView& a, const ConstView& b, const View& c, Update update);
void multiply_by_eigen(const MatrixView<const float>& a, const MatrixView<const float>& b, const MatrixView<float>& c,
                       Update update);

/// "eigen 3.4.0".
[[nodiscard]] std::string eigen_version();
/// The instruction sets it was compiled for: "SSE, SSE2".
[[nodiscard]] std::string eigen_code_path();

}  // namespace duet
