#pragma once

/// A stream of matrices as stages.

#include <vector>

#include "kernels/local_product/local_product.hpp"
#include "kernels/pipeline/matrix_stream/matrix_stream.hpp"
#include "kernels/pipeline/stream/stream_ranks.hpp"

namespace duet {

/// `stream` and `kernel` must outlive it.
[[nodiscard]] Stream stages_of(const MatrixStream& stream, const LocalKernel& kernel);

[[nodiscard]] StreamLimits stream_limits(const Execution& execution);

/// The local kernel of the tunable, the same on all ranks.
[[nodiscard]] const LocalKernel& kernel_for(const Execution& execution);

/// Seconds that the first file takes in each stage but the last: it is not written, and compressing counts for it.
/// On rank 0; the other ranks are told. Collective over `ranks`.
[[nodiscard]] std::vector<double> stage_costs(const Stream& stream, std::int64_t count, MPI_Comm ranks);

/// How ranks divide the stages by the tunable `mapping`. Collective.
[[nodiscard]] std::vector<StageGroup> groups_for(const Stream& stream, std::int64_t count, const Execution& execution);

}  // namespace duet
