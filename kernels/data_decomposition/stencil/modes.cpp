#include "kernels/data_decomposition/stencil/modes.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>
#include <utility>

namespace duet {
namespace {

constexpr double unit_roundoff = std::numeric_limits<double>::epsilon() / 2;
constexpr int most_iterations = 12;

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

/// (K b)_k for any k, also outside the line.
double applied(const std::vector<double>& b, const Star& star, std::int64_t k) {
  const std::int64_t n = std::ssize(b);
  const auto at = [&](std::int64_t i) { return i < 0 || i >= n ? 0.0 : b[index(i)]; };
  double sum = 0;
  for (std::int64_t d = 1; d <= star.radius; ++d) sum += star.weight(d) * (at(k - d) + at(k + d));
  return sum;
}

void scale_to_one(std::vector<double>& b) {
  double largest = 0;
  for (const double value : b) largest = std::max(largest, std::abs(value));
  for (double& value : b) value /= largest;
}

/// Solves (K - shift) x = b in place, by Gaussian elimination with row exchanges in the band.
void solve_shifted(const Star& star, double shift, std::vector<double>& b) {
  const std::int64_t n = std::ssize(b);
  const std::int64_t r = star.radius;
  const std::int64_t width = 3 * r + 1;
  // Row i of the band holds columns i - r to i + 2 r.
  std::vector<double> band(index(n * width), 0.0);
  const auto at = [&](std::int64_t row, std::int64_t column) -> double& {
    return band[index(row * width + column - row + r)];
  };
  for (std::int64_t i = 0; i < n; ++i) {
    at(i, i) = -shift;
    for (std::int64_t d = 1; d <= r; ++d) {
      if (i >= d) at(i, i - d) = star.weight(d);
      if (i + d < n) at(i, i + d) = star.weight(d);
    }
  }
  for (std::int64_t k = 0; k < n; ++k) {
    const std::int64_t last_row = std::min(n - 1, k + r);
    const std::int64_t last_column = std::min(n - 1, k + 2 * r);
    std::int64_t pivot = k;
    for (std::int64_t i = k + 1; i <= last_row; ++i) {
      if (std::abs(at(i, k)) > std::abs(at(pivot, k))) pivot = i;
    }
    if (pivot != k) {
      for (std::int64_t j = k; j <= last_column; ++j) std::swap(at(k, j), at(pivot, j));
      std::swap(b[index(k)], b[index(pivot)]);
    }
    // A pivot of zero is an exact eigenvalue: any small one leads on to its vector.
    if (at(k, k) == 0) at(k, k) = unit_roundoff;
    for (std::int64_t i = k + 1; i <= last_row; ++i) {
      const double factor = at(i, k) / at(k, k);
      for (std::int64_t j = k; j <= last_column; ++j) at(i, j) -= factor * at(k, j);
      b[index(i)] -= factor * b[index(k)];
    }
  }
  for (std::int64_t k = n - 1; k >= 0; --k) {
    for (std::int64_t j = k + 1; j <= std::min(n - 1, k + 2 * r); ++j) b[index(k)] -= at(k, j) * b[index(j)];
    b[index(k)] /= at(k, k);
  }
}

/// The factor and the sums of a mode whose values are set.
void measure(Mode& mode, const Star& star) {
  const std::int64_t n = std::ssize(mode.values);
  const std::int64_t r = star.radius;
  double product = 0;
  double square = 0;
  mode.magnitude = 0;
  for (std::int64_t k = 0; k < n; ++k) {
    const double value = mode.values[index(k)];
    product += value * applied(mode.values, star, k);
    square += value * value;
    mode.magnitude += std::abs(value);
  }
  mode.factor = n == 0 ? 0 : product / square;
  double rest = 0;
  for (std::int64_t k = 0; k < n; ++k) {
    rest += std::abs(applied(mode.values, star, k) - mode.factor * mode.values[index(k)]);
  }
  // Each of the entries of the rest is a sum of 2 r + 1 products, of magnitudes that add up to less than |b|.
  mode.rest = rest * (1 + 1e-6) + static_cast<double>(2 * r + 4) * unit_roundoff * 2 * mode.magnitude;
  mode.before.clear();
  mode.behind.clear();
  mode.edge_magnitude = 0;
  for (std::int64_t k = 0; k < r; ++k) {
    mode.before.push_back(applied(mode.values, star, k - r));
    mode.behind.push_back(applied(mode.values, star, n + k));
    mode.edge_magnitude += std::abs(mode.before.back()) + std::abs(mode.behind.back());
  }
}

}  // namespace

Mode mode_near(std::int64_t n, const Star& star, std::int64_t frequency) {
  Mode mode;
  mode.values.resize(index(n));
  // sin(pi f (k + 1) / (n + 1)), with the angle reduced in whole numbers: right to a few roundings for any f and n.
  std::int64_t half_waves = 0;
  for (double& value : mode.values) {
    half_waves = (half_waves + frequency) % (2 * (n + 1));
    value = std::sin(std::numbers::pi * static_cast<double>(half_waves) / static_cast<double>(n + 1));
  }
  if (n > 0) scale_to_one(mode.values);
  measure(mode, star);
  // Each solution triples the digits that are right; a mode of radius 1 has them all.
  for (int iteration = 0; iteration < most_iterations &&
                          mode.rest > 16 * static_cast<double>(2 * star.radius + 4) * unit_roundoff * mode.magnitude;
       ++iteration) {
    Mode better;
    better.values = mode.values;
    solve_shifted(star, mode.factor, better.values);
    scale_to_one(better.values);
    measure(better, star);
    if (!(better.rest < mode.rest)) break;
    mode = std::move(better);
  }
  return mode;
}

}  // namespace duet
