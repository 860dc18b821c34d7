#include "drivers/study/dead_ranks.hpp"

#include <csignal>
#include <cstring>
#include <regex>

namespace duet {
namespace {

/// The signal that is called "Killed", say; 0 for what is no signal's name.
int signal_called(const std::string& name) {
  for (int signal = 1; signal < SIGRTMIN; ++signal) {
    const char* const text = strsignal(signal);  // NOLINT(concurrency-mt-unsafe): one thread
    if (text != nullptr && name == text) return signal;
  }
  return 0;
}

}  // namespace

std::vector<DeadRank> dead_ranks_in(const std::string& output) {
  std::vector<DeadRank> dead;
  const std::sregex_iterator none;
  static const std::regex of_mpirun{R"(process rank (\d+) with PID \d+ on node (\S+) exited on signal (\d+))"};
  for (std::sregex_iterator each{output.begin(), output.end(), of_mpirun}; each != none; ++each) {
    dead.push_back({(*each)[1], (*each)[2], std::stoi((*each)[3])});
  }
  static const std::regex of_srun{R"(srun: error: (\S+): tasks? (\S+): ([A-Z][a-z ]+[a-z]))"};
  for (std::sregex_iterator each{output.begin(), output.end(), of_srun}; each != none; ++each) {
    const int signal = signal_called((*each)[3]);
    if (signal != 0 && signal != SIGTERM) dead.push_back({(*each)[2], (*each)[1], signal});
  }
  return dead;
}

}  // namespace duet
