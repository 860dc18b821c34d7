#pragma once

/// What goes wrong where workers work together, and what cures it. Each hazard is a small program in several forms: one
/// or two that are broken, and the cures, which do the same work. A form that runs leaves an Observation: figures and
/// no opinion. The hazard's judge, a pure function, says from the observation alone whether the hazard has struck.
///
///     form.run(stage) -> Observation -> hazard.judge(observation) -> Finding {detected, "lost 312 of 200000 updates"}
///
/// Detection does not depend on luck. Where a fault needs two workers at the same place at the same time, the broken
/// form brings them there by a rendezvous; what is judged is counted (updates lost, turns waited, items left) or timed
/// in the worker's own processor time, and never by a clock that runs on while others have the core. So a busy machine
/// changes what a form costs and not what is found. The one hazard that is time itself, false sharing, compares pairs.
///
/// Shared-state forms run on fresh threads of their own (workers.hpp), so that a caller's OpenMP team is left as it is,
/// and a worker that has to be given up takes nobody along. Data races in the sense of the language are only in forms
/// with `races`: plain accesses, volatile so that no update is optimised away, and ThreadSanitizer reports them. All
/// others are free of them, what is broken about them being order, time or progress.
///
/// Message-passing forms run on the ranks of `execution.communicator` and make their calls as a user would. A form
/// without `returns` stays in one of them for ever: run it under a watchdog, which sees all calls, ends the process and
/// says who waits for whom. What the form has measured until then it has told to `stage.so_far`.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/core/execution.hpp"

namespace duet::hazards {

/// What a form left behind. A hazard fills in what its judge reads, and `seconds` and `operations` always.
struct Observation {
  double seconds = 0;           ///< from when the last worker began until the last one ended; 0: not measured
  std::int64_t operations = 0;  ///< what `seconds` pays for: the hazard's `operation`, over all workers

  std::int64_t expected = 0;       ///< lost_update: updates made. early_buffer: words received
  std::int64_t got = 0;            ///< lost_update: updates that arrived. early_buffer: words that were right
  std::string deadlock{};          ///< who waits for whom, in a line a worker; empty where work went on
  std::int64_t passes_bytes = -1;  ///< send_send: the largest message with which all sends came back; -1: none did
  std::int64_t blocks_bytes = -1;  ///< send_send: the message with which they do not
  double slowdown = 0;             ///< false_sharing: processor time beside workers with a cache line each
  int cores = 0;                   ///< that the workers may use
  int workers = 0;
  std::int64_t longest_wait = 0;  ///< in turns of others: starvation; semaphore_priority: of lower priority
  std::int64_t items_left = 0;    ///< static_schedule: not begun when the first worker had nothing more to do
  double load_balance = 0;        ///< static_schedule: average / largest processor time of a worker
  double burnt_seconds = 0;       ///< oversubscription: processor time spent on a wait, as its file says

  friend bool operator==(const Observation&, const Observation&) = default;
};

/// What a judge says of an observation.
struct Finding {
  bool detected = false;
  std::string says{};  ///< the figures that it rests on, in one line or, for a deadlock, a line a worker
};

/// Where a form runs.
struct Stage {
  /// `threads` workers, two where it says less; `on_worker_start` binds them; the ranks of `communicator`.
  Execution execution{};
  /// Hears, on each rank, what was seen before a call that may never come back; empty where nobody asks.
  std::function<void(const Observation&)> so_far{};

  [[nodiscard]] int workers() const { return execution.threads < 2 ? 2 : execution.threads; }
};

enum class By { shared_state, messages };

struct Form {
  std::string name;
  bool broken = false;
  By by = By::shared_state;
  std::string does{};  ///< in a line
  std::function<Observation(const Stage&)> run{};
  bool returns = true;  ///< false: a deadlock of ranks, which no one can leave
  bool races = false;   ///< a data race of the language: undefined behaviour, and ThreadSanitizer says so
};

struct Hazard {
  std::string name;
  By by = By::shared_state;
  std::string summary{};  ///< in 47 characters or less: a line of a table
  std::string why{};
  std::string symptom{};
  std::string detection{};
  std::string operation{};  ///< what its forms do many times, and what their cost is given for
  std::vector<Form> forms{};
  Finding (*judge)(const Observation&) = nullptr;

  /// Throws std::invalid_argument, which names those that there are.
  [[nodiscard]] const Form& form(std::string_view name) const;
};

/// Written out by hand, in the order in which they are shown.
[[nodiscard]] const std::vector<Hazard>& all_hazards();

/// Throws std::invalid_argument, which names those that there are.
[[nodiscard]] const Hazard& hazard_called(std::string_view name);

}  // namespace duet::hazards
