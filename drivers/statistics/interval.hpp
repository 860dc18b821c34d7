#pragma once

#include <limits>

namespace duet {

/// Of every interval that is printed.
inline constexpr double usual_level = 0.95;
inline constexpr double infinity = std::numeric_limits<double>::infinity();

/// An estimate and the interval that covers the truth with the probability `level`. n = 0 says that nothing is known;
/// an interval that n values cannot give at that level is [-infinity, infinity] or as its function says.
struct Interval {
  double estimate = 0;
  double low = 0;
  double high = 0;
  double level = usual_level;
  int n = 0;  ///< values that it rests on

  /// The larger distance from the estimate to an end, as a fraction of the estimate.
  [[nodiscard]] double relative_half_width() const {
    const double below = estimate - low;
    const double above = high - estimate;
    return (below > above ? below : above) / estimate;
  }
};

}  // namespace duet
