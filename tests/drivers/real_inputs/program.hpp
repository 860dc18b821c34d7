#pragma once

/// The program `duet` as a shell starts it.

#include <string>

namespace duet {

struct Ended {
  int status = 0;  ///< as the shell sees it: 128 and more for a signal
  std::string output;
  std::string error;
};

/// Runs `command` in a shell, where $duet is the program, $wrong_duet one whose serial products are wrong, and $mpirun
/// starts ranks, in the folder `folder`.
[[nodiscard]] Ended run_in(const std::string& folder, const std::string& command);

}  // namespace duet
