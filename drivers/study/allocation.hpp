#pragma once

/// What a job of SLURM has and what is left of it: found out from its environment and its commands.

#include <optional>
#include <string>

#include "drivers/study/launch.hpp"
#include "drivers/study/launcher.hpp"

namespace duet {

/// The job that this process runs in.
struct Allocation {
  std::string job;                       ///< its number
  int nodes = 1;                         ///< that it has
  std::optional<double> seconds_left{};  ///< until SLURM ends it; nothing where it has no limit, or none can be told
};

/// Nothing outside a job. Asks squeue for the time that is left, where the environment does not tell it: up to a few
/// seconds.
[[nodiscard]] std::optional<Allocation> find_allocation();

/// Seconds in SLURM's words: "1-02:03:04", "2:03:04", "3:04", "4"; nothing for "UNLIMITED" and what is no time.
[[nodiscard]] std::optional<double> slurm_seconds(const std::string& text);

/// What of the seconds that a job has left a study may plan with. The rest is for what must still happen: the signal
/// that comes before the end, up to a minute early (jobs/*.sbatch), what is saved then, and the report.
[[nodiscard]] double seconds_to_plan_with(double left);

/// What SLURM says that the job does: "RUNNING", "COMPLETING" from the moment in which it decides to end it or to put
/// it back into the queue, before any process of it hears of that. Empty where squeue tells nothing within 20 seconds.
[[nodiscard]] std::string state_of_job(const Allocation& allocation, const StopSignals& stop);

/// Nothing, or what is wrong, where this node starts a process and another one of the job does not, within half a
/// minute.
[[nodiscard]] std::string objection_to_nodes(const Allocation& allocation, const StopSignals& stop);

/// What starts ranks here.
struct StartOfRanks {
  std::optional<Allocation> allocation{};
  Launcher launcher{};
  std::string note{};  ///< why it is not srun, though this is a job, in one line
};

/// `name` is what --launcher says. auto: inside a job srun, where SLURM has PMIx and a try with two ranks shows
/// that the MPI of this program understands it; else mpirun. Throws std::invalid_argument, which says what was tried,
/// where nothing starts ranks in this job. The try takes about half a second, and 20 seconds at the most. `hosts` is a
/// file of hosts (hosts.hpp), or empty: mpirun then starts ranks on the nodes of the job, or on this machine. Throws
/// std::runtime_error for a file that does not do.
[[nodiscard]] StartOfRanks start_of_ranks(const std::string& name, const std::string& mpirun,
                                          const std::string& hosts = {});

}  // namespace duet
