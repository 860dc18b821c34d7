#pragma once

/// The program `duet` as a shell starts it.

#include <ostream>
#include <string>
#include <vector>

namespace duet {

struct Ended {
  int status = 0;  ///< as the shell sees it: 128 and more for a signal
  std::string output;
  std::string error;
};

/// Runs `command` in a shell, where $duet is the program, $wrong_duet one whose serial products are wrong, and $mpirun
/// starts ranks, in the folder `folder`.
[[nodiscard]] Ended run_in(const std::string& folder, const std::string& command);

/// How a model is started.
struct Start {
  std::string name;
  std::string prefix;
  std::string options;
};

/// What a failing test is called.
inline void PrintTo(const Start& start, std::ostream* to) { *to << start.name; }

inline const std::vector<Start> starts{
    {"serial", "", "--model serial"},
    {"openmp", "", "--model openmp --threads 2 --oversubscribe"},
    {"tbb", "", "--model tbb --threads 2 --oversubscribe"},
    {"mpi_1", "$mpirun -n 1 ", "--model mpi"},
    {"mpi_3", "$mpirun -n 3 ", "--model mpi --oversubscribe"},
    {"hybrid_2", "$mpirun -n 2 ", "--model hybrid --threads 2 --oversubscribe"},
};

}  // namespace duet
