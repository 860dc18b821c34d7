#include "kernels/core/random.hpp"

namespace duet {

void fill_random(View mine, std::uint64_t seed, std::uint32_t stream, std::int64_t row, std::int64_t column) {
  for (std::int64_t i = 0; i < mine.rows; ++i) {
    for (std::int64_t j = 0; j < mine.columns; ++j) {
      mine(i, j) = random_entry(seed, stream, row + i, column + j);
    }
  }
}

void fill_random(MatrixView<float> mine, std::uint64_t seed, std::uint32_t stream, std::int64_t row,
                 std::int64_t column) {
  for (std::int64_t i = 0; i < mine.rows; ++i) {
    for (std::int64_t j = 0; j < mine.columns; ++j) mine(i, j) = random_float(seed, stream, row + i, column + j);
  }
}

}  // namespace duet
