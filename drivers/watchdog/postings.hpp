#pragma once

/// A text of each process, which the others of its job find. It is kept by whoever has started the process: mpirun and
/// its daemons, or SLURM's on each node, who ask each other by connections that they have anyway. So nothing of ours
/// listens, MPI is not called, and whoever stands in an MPI call can be asked nothing and needs not be.
///
/// By PMIx_Put, PMIx_Commit and PMIx_Get past its cache, which are safe beside a thread that is in MPI, once OpenMPI
/// has started PMIx. Between two nodes to find a text takes 0.5 to 1 ms, by mpirun of OpenMPI 4.1.4 as by srun of SLURM
/// 22.05. Not served by other MPIs, or where Duet was built without PMIx: nothing can be posted then.
/// All texts are kept to the end of the job, where a node posts two or three for each time that it stands still.

#include <functional>
#include <optional>
#include <string>

namespace duet {

struct Postings {
  /// Leaves a text of this process, in place of its last one; false where that is not served.
  std::function<bool(const std::string& text)> post;
  /// The last one of a rank of MPI_COMM_WORLD; nobody waits for what is not there. For one thread. May take long where
  /// the network is broken.
  std::function<std::optional<std::string>(int rank)> find;
};

/// Those of this job.
[[nodiscard]] Postings postings_of_job();

/// Has mpirun or srun end all processes of this job, and itself with `status`. Comes back where that is not served.
void end_job(int status);

}  // namespace duet
