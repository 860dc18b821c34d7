#pragma once

/// A stream of matrices as stages.

#include "kernels/local_product/local_product.hpp"
#include "kernels/pipeline/matrix_stream/matrix_stream.hpp"
#include "kernels/pipeline/stream/stream.hpp"

namespace duet {

/// `stream` and `kernel` must outlive it.
[[nodiscard]] Stream stages_of(const MatrixStream& stream, const LocalKernel& kernel);

[[nodiscard]] StreamLimits stream_limits(const Execution& execution);

}  // namespace duet
