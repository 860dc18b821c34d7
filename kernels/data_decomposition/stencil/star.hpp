#pragma once

/// The star that a sweep applies to every point.

#include <array>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace duet {

inline constexpr std::int64_t largest_radius = 16;

/// The new value of a point is the weighted mean of the 4 r points nearest to it in its row and its column:
///
///     u'(i, j) = sum over d = 1..r of  w_d ((u(i-d, j) + u(i+d, j)) + (u(i, j-d) + u(i, j+d))),
///
/// added in the order in which it is written, d ascending, each product and each sum rounded by itself: so that every
/// instruction set, model and division gives the same bits. 5 r - 1 operations.
///
/// w_d is proportional to 1/d, as in the star of the Parallel Research Kernels (Van der Wijngaart, Mattson, 2014), and
/// scaled so that the 4 r weights sum to 1: no sweep makes the largest magnitude larger. r = 1 is Jacobi's iteration
/// for Laplace's equation, w_1 = 1/4.
struct Star {
  std::int64_t radius = 1;
  std::array<double, largest_radius> weights{0.25};

  /// Throws std::invalid_argument unless 1 <= radius <= largest_radius.
  [[nodiscard]] static Star of_radius(std::int64_t radius) {
    if (radius < 1 || radius > largest_radius) {
      throw std::invalid_argument("radius: " + std::to_string(radius) + " is not from 1 to " +
                                  std::to_string(largest_radius));
    }
    Star star{radius, {}};
    double sum = 0;
    for (std::int64_t d = 1; d <= radius; ++d) sum += 1 / static_cast<double>(d);
    for (std::int64_t d = 1; d <= radius; ++d)
      star.weights[static_cast<std::size_t>(d - 1)] = 0.25 / sum / static_cast<double>(d);
    return star;
  }
  [[nodiscard]] double weight(std::int64_t distance) const { return weights[static_cast<std::size_t>(distance - 1)]; }
};

/// What is asked for: `count` sweeps of a star, each over all points at once.
struct Sweeps {
  Star star;
  std::int64_t count = 0;
};

}  // namespace duet
