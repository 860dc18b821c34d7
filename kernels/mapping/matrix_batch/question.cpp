#include "kernels/mapping/matrix_batch/question.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/core/random.hpp"

namespace duet {
namespace {

constexpr std::uint32_t shape_stream = 2;  // 0 and 1 are the operands

/// In [0, 1).
double drawn(std::uint64_t seed, std::int64_t item, std::int64_t which) {
  return 0.5 + 0.5 * random_entry(seed, shape_stream, item, which);
}

/// Whole numbers from 1 to `most`, from a real in [1, most + 1).
std::int32_t extent_of(double real, std::int64_t most) {
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(static_cast<std::int64_t>(real), 1, most));
}

}  // namespace

std::string_view name_of(SizeSpread spread) {
  switch (spread) {
    case SizeSpread::tiny:
      return "tiny";
    case SizeSpread::uniform:
      return "uniform";
    case SizeSpread::log_uniform:
      return "log_uniform";
    case SizeSpread::zipf:
      return "zipf";
    case SizeSpread::giants:
      return "giants";
  }
  return "?";
}

ItemShape random_shape(SizeSpread spread, std::int64_t count, std::int64_t largest, std::uint64_t seed,
                       std::int64_t item) {
  const auto square = [](std::int32_t extent) { return ItemShape{extent, extent, extent}; };
  const auto log_uniform = [&](std::int64_t most) {
    return square(extent_of(std::pow(static_cast<double>(most) + 1, drawn(seed, item, 0)), most));
  };
  switch (spread) {
    case SizeSpread::tiny:
      return square(static_cast<std::int32_t>(largest));
    case SizeSpread::uniform: {
      const auto one = [&](std::int64_t which) {
        return extent_of(1 + static_cast<double>(largest) * drawn(seed, item, which), largest);
      };
      return {one(0), one(1), one(2)};
    }
    case SizeSpread::log_uniform:
      return log_uniform(largest);
    case SizeSpread::zipf: {
      // The distribution function of a density as 1/x^2 on [1, most + 1), turned round.
      const double beyond = static_cast<double>(largest) + 1;
      return square(extent_of(1 / (1 - drawn(seed, item, 0) * (1 - 1 / beyond)), largest));
    }
    case SizeSpread::giants:
      if (item == count - 1) return square(static_cast<std::int32_t>(largest));
      if (item == count - 2) return square(extent_of(2.0 / 3 * static_cast<double>(largest), largest));
      return log_uniform(std::max<std::int64_t>(1, largest / 16));
  }
  return {};
}

double nanoseconds_of_product(double m, double n, double k) {
  constexpr double call = 18;
  constexpr double each_operation = 1 / 54.0;
  constexpr double each_word = 0.15;
  return call + each_operation * 2 * m * n * k + each_word * (m * k + k * n + m * n);
}

MatrixBatch MatrixBatch::random(SizeSpread spread, std::int64_t count, std::int64_t largest, std::uint64_t seed) {
  MatrixBatch batch;
  batch.seed = seed;
  batch.shapes.resize(static_cast<std::size_t>(count));
  for (std::int64_t item = 0; item < count; ++item) {
    batch.shapes[static_cast<std::size_t>(item)] = random_shape(spread, count, largest, seed, item);
  }
  return batch;
}

template <class Element>
void fill_operand(const MatrixBatch& batch, std::int64_t item, Factor factor, std::int64_t row, std::int64_t column,
                  MatrixView<Element> mine) {
  for (std::int64_t i = 0; i < mine.rows; ++i) {
    const std::int64_t whole_row = (row + i) << 28U;
    for (std::int64_t j = 0; j < mine.columns; ++j) {
      mine(i, j) = static_cast<Element>(
          random_entry(batch.seed, static_cast<std::uint32_t>(factor), item, whole_row | (column + j)));
    }
  }
}

template void fill_operand(const MatrixBatch&, std::int64_t, Factor, std::int64_t, std::int64_t, MatrixView<double>);
template void fill_operand(const MatrixBatch&, std::int64_t, Factor, std::int64_t, std::int64_t, MatrixView<float>);

}  // namespace duet
