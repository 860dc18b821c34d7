#include "tests/drivers/real_inputs/program.hpp"

#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>

#include "tests/drivers/files/scratch_folder.hpp"

namespace duet {

Ended run_in(const std::string& folder, const std::string& command) {
  const ScratchFolder streams;
  const std::string line = "cd '" + folder +
                           "' && export duet='" DUET_PROGRAM "' wrong_duet='" WRONG_PROGRAM "' mpirun='" MPIRUN_PROGRAM
                           "' && ( " +
                           command + " ) >'" + streams.path("output") + "' 2>'" + streams.path("error") + "'";
  const int status = std::system(line.c_str());  // NOLINT(concurrency-mt-unsafe): tests have one thread
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), content_of(streams.path("output")),
          content_of(streams.path("error"))};
}

}  // namespace duet
