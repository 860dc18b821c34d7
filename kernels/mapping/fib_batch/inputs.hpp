#pragma once

/// What a batch asks for.

#include <cstdint>

#include "kernels/arithmetic/fib_inputs.hpp"

namespace duet {

/// What is asked: F(n_i) for each input, exactly or modulo m.
struct FibBatch {
  FibInputs inputs = FibInputs::given({});
  std::uint64_t modulus = 0;  ///< m; 0 asks for the exact numbers

  [[nodiscard]] bool exact() const { return modulus == 0; }
};

/// Estimated time for item i: from the measured curve where the batch is exact, the same for all where it is modulo m.
[[nodiscard]] double nanoseconds_of_item(const FibBatch& batch, std::int64_t i);

}  // namespace duet
