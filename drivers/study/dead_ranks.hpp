#pragma once

#include <string>
#include <vector>

namespace duet {

/// A rank that a signal ended, as the program that started it tells.
struct DeadRank {
  std::string rank;  ///< "3", or "2-3" where srun tells of several at once
  std::string host;
  int signal = 0;
};

/// Those that mpirun or srun name in what they said: "process rank 3 with PID 0 on node n2 exited on signal 9
/// (Killed)", "srun: error: n2: task 3: Killed". Without the ranks that srun ended itself, by SIGTERM, for the sake of
/// the others.
[[nodiscard]] std::vector<DeadRank> dead_ranks_in(const std::string& output);

}  // namespace duet
