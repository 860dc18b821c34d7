#pragma once

/// What a study keeps: one record for every trial, none averaged away, and one description of the study. Both are JSON
/// with the words of this project in snake_case: `trials.jsonl` has one trial a line, `study.json` the rest.

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "drivers/traffic/traffic.hpp"
#include "kernels/core/problem.hpp"

namespace duet {

/// What is measured: a variant, an instance, workers and tunables. Two cells with the same `id` are the same cell.
struct Cell {
  std::string problem{};
  Model model = Model::serial;
  std::string size{};  ///< Instance::size_text
  std::uint64_t seed = 1;
  std::map<std::string, std::string> parameters{};  ///< all of them, presets included
  std::map<std::string, std::string> tunables{};    ///< all of them, presets included
  int nodes = 1;
  int ranks = 1;    ///< in all
  int threads = 1;  ///< a rank

  [[nodiscard]] int workers() const { return ranks * threads; }
  /// "matmul/openmp/1024/1x2": ranks x threads at the end; parameters and tunables that are not presets follow as
  /// "/key=value". Readable, and unique within a study of one seed.
  [[nodiscard]] std::string id() const;
  friend bool operator==(const Cell&, const Cell&) = default;
};

/// How a trial, or the process that should have made it, ended.
enum class Outcome {
  right,     ///< the answer was verified
  wrong,     ///< the answer was judged wrong
  failed,    ///< the process ended with an error
  hung,      ///< no rank could go on, or the process met its time limit: it was ended
  refused,   ///< not started: too little memory, more workers than cores
  modelled,  ///< simulated without computing: there is a time, and no answer
};
[[nodiscard]] std::string_view name_of(Outcome outcome);

/// Where one worker was bound, and where it was seen.
struct WorkerPlace {
  int rank = 0;
  int thread = 0;
  std::string host;
  std::vector<int> bound_to;  ///< logical processors (operating system's numbers) that it may run on
  int core = -1;              ///< hwloc's logical index of the physical core; -1 where it is bound to more than one
  int numa_node = -1;
};

/// One timed and verified execution of a cell, or the reason why there is none.
struct Trial {
  Cell cell;
  int round = 0;   ///< the round of the study; trials of one round ran side by side in time
  int launch = 0;  ///< counts the processes that the study started; trials of one launch shared a process
  int number = 0;  ///< within its launch
  Outcome outcome = Outcome::failed;
  std::string message{};  ///< for a person: why it is not right; one line
  double seconds = 0;     ///< of execute(), from the common start to the last rank's end
  double place_seconds = 0;
  double verify_seconds = 0;
  double error = 0;
  double bound = 0;
  std::string digest{};
  double operations = 0;
  std::string unit{};
  double compulsory_bytes = 0;
  /// By how much the rank that grew most did, from before its operands were placed to the end of the first execution;
  /// and what was estimated for a rank. 0 in records without them.
  double memory_bytes = 0;
  double estimated_memory_bytes = 0;
  std::vector<double> useful_seconds{};         ///< a worker each: rank 0's threads, then rank 1's ...
  std::vector<double> communicating_seconds{};  ///< the same
  /// What the ranks moved in execute(); nothing where the model passes no messages, and in records without it.
  std::optional<Traffic> traffic{};
  /// Operations per second of a fixed computation in registers (canary.hpp) on the slowest worker, just before and just
  /// after.
  double canary_before = 0;
  double canary_after = 0;
  /// What a cache line takes from one worker's core to the next one's, the worse of before and after; 0 where there is
  /// one worker a node.
  double hop_seconds = 0;
  /// "shared_core", "oversubscribed", "slow_canary", "moved_cores", "unbound", "warm_up": see `marks_of`.
  std::vector<std::string> marks{};
  std::vector<WorkerPlace> places{};
  std::map<std::string, std::string> facts{};  ///< Placed::facts
  std::vector<StageFigures> stages{};          ///< Placed::stages; empty for what is no pipeline
  std::string started_at{};                    ///< UTC, ISO 8601
  /// Of a hung one: which ranks wait for which, as the watchdog saw it (watchdog/diagnosis.hpp); else null.
  nlohmann::json diagnosis{};
  /// Of a launch that tries what may help the pipeline of a cell: tunables and their values, "readers" is "200". Trials
  /// of the cell as it is that were made beside it, to compare with, have them as well. Neither has a part in summaries
  /// and verdicts (pipelines.hpp).
  std::map<std::string, std::string> tried{};
  /// The platform, where `seconds` were simulated on it and not measured; empty for what really ran. Such trials have
  /// no part in summaries and verdicts.
  std::string simulated{};

  [[nodiscard]] bool has_mark(std::string_view mark) const;
  [[nodiscard]] bool warms_up() const { return has_mark("warm_up"); }
  /// The efficiencies of kernels/core/timesheet.hpp; 0 where nothing was booked.
  [[nodiscard]] double load_balance() const;
  [[nodiscard]] double communication_efficiency() const;
};

void to_json(nlohmann::json& json, const Cell& cell);
void from_json(const nlohmann::json& json, Cell& cell);
void to_json(nlohmann::json& json, const WorkerPlace& place);
void from_json(const nlohmann::json& json, WorkerPlace& place);
void to_json(nlohmann::json& json, const StageFigures& stage);
void from_json(const nlohmann::json& json, StageFigures& stage);
void to_json(nlohmann::json& json, const Traffic& traffic);
void from_json(const nlohmann::json& json, Traffic& traffic);
void to_json(nlohmann::json& json, const Trial& trial);
void from_json(const nlohmann::json& json, Trial& trial);

/// The machine a study ran on, for the record.
struct Machine {
  std::string host{};
  std::string processor{};
  int sockets = 0;
  int cores = 0;  ///< physical cores that this job may use
  int threads_per_core = 1;
  int numa_nodes = 1;
  double memory_bytes = 0;            ///< that this job may use (cgroup limits respected)
  std::vector<std::string> caches{};  ///< "L1d 32 KiB", "L2 1 MiB", ...
  std::string instruction_sets{};     ///< what dispatch found: "AVX3_ZEN4"
  std::string operating_system{};
  double peak_flops_one_core = 0;  ///< measured, register-only
};

/// One of several nodes, as it describes itself, and as the first node reaches it.
struct Node {
  Machine machine{};
  std::string kernel{};                           ///< of the running kernel: nodes that share it share their cores
  std::string program{};                          ///< hash of the program's file
  std::map<std::string, std::string> versions{};  ///< of its libraries
  double latency_seconds = 0;                     ///< half a round trip of 8 bytes to the first node
  double bytes_per_second = 0;                    ///< from messages of 1 MiB to and fro
};

/// What a study was asked, on what it ran and what became of it.
struct StudyRecord {
  int schema = 1;
  std::string duet_version{};
  std::vector<std::string> command{};  ///< argv as typed: repeats the study
  std::string started_at{};
  std::string ended_at{};                         ///< empty while it runs, or where it was interrupted
  std::string ending{};                           ///< "complete", "budget", "interrupted", or empty while it runs
  Machine machine{};                              ///< the first node's
  std::vector<Node> nodes{};                      ///< all of them; empty where the study was given one machine
  std::map<std::string, std::string> versions{};  ///< compiler, flags, MPI, OpenMP, TBB, local kernels ...
  std::map<std::string, std::string> options{};   ///< budget, precision, seed, models, sizes, workers: as understood
  std::vector<std::string> warnings{};            ///< one line each: fall-backs, bindings, noisy machine
  nlohmann::json scaling{};                       ///< curves and fits (scaling.hpp), computed from the trials; or null
};

void to_json(nlohmann::json& json, const Machine& machine);
void from_json(const nlohmann::json& json, Machine& machine);
void to_json(nlohmann::json& json, const Node& node);
void from_json(const nlohmann::json& json, Node& node);
void to_json(nlohmann::json& json, const StudyRecord& study);
void from_json(const nlohmann::json& json, StudyRecord& study);

/// A folder with a study's files.
struct SavedStudy {
  StudyRecord record;
  std::vector<Trial> trials;
  std::vector<Trial> simulated{};  ///< of simulated.jsonl: drawn beside the others, and judged with none
};

/// Reads `folder`/study.json, trials.jsonl and, where it is there, simulated.jsonl (jobs/simulate.sh). A last line that
/// was cut off by a crash is left out, with a warning in the record. Throws std::runtime_error that names file and line
/// for anything else that does not parse.
[[nodiscard]] SavedStudy load_study(const std::filesystem::path& folder);

/// Writes study.json beside itself and renames it into place. Throws std::runtime_error with path and reason.
void save_record(const std::filesystem::path& folder, const StudyRecord& record);

/// Appends trials to `file_name` in the folder, whole lines in one write, and flushes them to the file system.
void append_trials(const std::filesystem::path& folder, const std::vector<Trial>& trials,
                   const char* file_name = "trials.jsonl");

}  // namespace duet
