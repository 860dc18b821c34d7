#pragma once

/// What a study has of simulated ranks (jobs/simulate.sh), sorted for a reader. None of it comes near a verdict.

#include <string>
#include <vector>

#include "drivers/study/trials.hpp"

namespace duet {

/// One number of ranks.
struct SimulatedPoint {
  int ranks = 0;
  int nodes = 0;
  Outcome outcome = Outcome::modelled;
  std::string message{};
  double seconds = 0;
  double efficiency = 0;    ///< base's seconds x base's ranks / (seconds x ranks); 0 where there is no time
  double useful_share = 0;  ///< of the ranks' time
  std::string messages{};   ///< a rank, as recorded; empty where it is not
  std::string bytes{};
};

/// One question on one platform, over numbers of ranks.
struct SimulatedSeries {
  std::string problem;
  std::string settings{};  ///< "seed = 2, panel = 128": what is not the preset
  std::string platform;
  std::string size;
  double size_value = 0;
  int base_ranks = 0;                    ///< the fewest with a time
  std::vector<SimulatedPoint> points{};  ///< by ranks; of several with the same, the one that was recorded last

  /// "simulated on fat-tree", and after it the settings.
  [[nodiscard]] std::string label() const;
};

/// In the order of problems, as met, and then of size; platforms as met.
[[nodiscard]] std::vector<SimulatedSeries> simulated_series(const std::vector<Trial>& simulated);

}  // namespace duet
