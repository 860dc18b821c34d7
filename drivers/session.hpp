#pragma once

/// One process's part in a run: message passing set up and taken down, workers bound and checked, and the Execution
/// that a kernel is given.

#include <memory>
#include <string>
#include <vector>

#include "drivers/study/trials.hpp"
#include "kernels/core/execution.hpp"
#include "kernels/core/vocabulary.hpp"

namespace duet {

/// What a user says about workers: `--model`, `--threads`, `--oversubscribe`.
struct Workers {
  Model model = Model::openmp;
  int threads = 0;  ///< a rank; 0: one where the model has no threads, else all cores that this rank may use
  bool oversubscribe = false;
};

/// What mpirun or srun said to this process through its environment, before MPI is started.
struct Launched {
  bool by_launcher = false;
  int rank = 0;
  int ranks = 1;
};
[[nodiscard]] Launched launched();

/// What the machine gives the workers at this moment.
struct Canary {
  double operations_per_second = 0;  ///< `canary_rate` (canary.hpp), of the slowest worker
  double hop_seconds = 0;            ///< from one worker's core to the next one's (TokenRing); 0: nothing to measure
};

/// All ranks' text, one after another, on rank 0; this rank's own elsewhere. Collective; `communicator` may be null.
[[nodiscard]] std::string gathered(MPI_Comm communicator, const std::string& mine);

class Session {
 public:
  /// Starts MPI where the model passes messages (MPI_THREAD_FUNNELED), and binds the workers. Collective over all
  /// ranks. Throws UsageError on every rank: a message-passing model without a launcher, another model under one, more
  /// workers than cores without `oversubscribe`.
  explicit Session(const Workers& workers);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  [[nodiscard]] Model model() const;
  [[nodiscard]] int rank() const;
  [[nodiscard]] int ranks() const;
  [[nodiscard]] int threads() const;
  /// Ranks on this rank's node, and nodes in all.
  [[nodiscard]] int node_ranks() const;
  [[nodiscard]] int nodes() const;
  /// MPI_COMM_NULL where the model does not pass messages. A duplicate: not MPI_COMM_WORLD.
  [[nodiscard]] MPI_Comm communicator() const;
  /// Every worker of every rank, on rank 0; this rank's own elsewhere.
  [[nodiscard]] const std::vector<WorkerPlace>& places() const;
  /// What is wrong with the placement, as marks of a trial: "shared_core", "oversubscribed", "unbound".
  [[nodiscard]] const std::vector<std::string>& marks() const;

  /// What a user should know of the placement though nothing is wrong, in one line: a launcher that left cores unused.
  [[nodiscard]] const std::string& note() const;

  /// What a kernel is given. `timesheet` may be null; it is kept by the caller.
  [[nodiscard]] Execution execution(const Settings& tunables, Timesheet* timesheet) const;

  /// All workers hand a token around, and then compute in registers for `seconds`. The worst node counts. Collective.
  [[nodiscard]] Canary canary(double seconds) const;

  /// Waits for all ranks. Collective; nothing without message passing.
  void barrier() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace duet
