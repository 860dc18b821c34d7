#pragma once

/// From which size on a level of Strassen-Winograd pays on this machine.

#include <cstddef>
#include <cstdint>

#include "kernels/core/execution.hpp"
#include "kernels/local_product/local_product.hpp"

namespace duet {

/// The tunable `levels`: a number, or -1 for "auto".
[[nodiscard]] int asked_levels(const Execution& execution);

/// What a thread does in a second.
struct LeafRates {
  double operations = 0;   ///< of a product that fills the caches
  double added_bytes = 0;  ///< read and written by additions of matrices of 8 MiB
};

/// The extent down to which a square product is divided, on so many workers that share a memory: a power of two.
///
/// A level saves 2 h^3 / 8 of the operations of a product of extent h, and the last level's additions are 31 streams of
/// h^2 / 4 words (winograd.hpp), so it pays from
///
///     h = 31 (word bytes) (operations a second) / (bytes a second)
///
/// on, and leaves have half of that, but 512 at the least: local kernels lose more below (0.94x from 512 to 256 at
/// n = 1024 on 2 threads). Bandwidth is taken to grow with up to four workers, and a worker's part of a leaf to need
/// 256 rows.
[[nodiscard]] std::int64_t leaf_for(const LeafRates& rates, std::size_t word_bytes, int workers);

/// The rates of the calling thread with doubles, measured with `kernel` in about 30 ms.
[[nodiscard]] LeafRates measured_rates(const LocalKernel& kernel);

/// The tunable `leaf`, or the one for the rates of this processor, which are measured when first asked for, with
/// doubles, and for the workers of the execution: threads times ranks. Ranks pay for what travels, which every level
/// makes 7/4 of what it was: with more than one, it is twice as large.
[[nodiscard]] std::int64_t leaf_extent(const Execution& execution);

}  // namespace duet
