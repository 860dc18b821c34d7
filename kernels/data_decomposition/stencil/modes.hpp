#pragma once

/// Modes of one direction: what a sweep does to a line of points, as one factor.

#include <cstdint>
#include <vector>

#include "kernels/data_decomposition/stencil/star.hpp"

namespace duet {

/// A vector b on the n points of a line that change, with K b = factor b + rest, for the operator of one sweep along
/// the line, (K b)_k = sum over d of w_d (b_(k-d) + b_(k+d)), b being 0 outside.
struct Mode {
  std::vector<double> values{};  ///< b, of largest magnitude 1
  std::vector<double> before{};  ///< (K b)_k on the r fixed points before the line, in order
  std::vector<double> behind{};  ///< and on the r behind it
  double factor = 0;
  double rest = 0;            ///< bound of the sum over k of |rest_k|, rounding in its computing included
  double magnitude = 0;       ///< sum over k of |b_k|
  double edge_magnitude = 0;  ///< sum of |(K b)_k| over the fixed points
};

/// The mode that is the sine of `frequency` half waves, 1 to n, where the star has radius 1; for larger ones, whose
/// modes are no sines near the ends, the one that Rayleigh quotient iteration finds from there. What is left of it is
/// measured and not assumed: `rest` is about n u. Needs 8 n (3 r + 2) bytes on the way, for radii above 1.
[[nodiscard]] Mode mode_near(std::int64_t n, const Star& star, std::int64_t frequency);

}  // namespace duet
