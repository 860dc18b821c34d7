#include "drivers/study/allocation.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <system_error>

namespace duet {
namespace {

std::string variable(const char* name) {
  const char* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread starts
  return value == nullptr ? "" : value;
}

std::optional<int> number_in(std::string_view text) {
  int value = 0;
  const auto [stopped, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || stopped != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

/// A question to the system; a signal that comes meanwhile takes its usual effect.
Ending answer_of(const Command& command, double limit_seconds) {
  int signal = 0;
  Ending ending;
  {
    const StopSignals stop;
    ending = run_process(command, limit_seconds, stop);
    signal = stop.received();
  }
  if (signal != 0) std::raise(signal);
  return ending;
}

bool succeeded(const Ending& ending) { return ending.how == Ending::How::exited && ending.code == 0; }

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

/// What squeue says of a job in the words of `format`.
Command squeue_words(const std::string& job, const std::string& format) {
  return {"squeue", "--noheader", "--jobs", job, "--format", format};
}

std::optional<double> seconds_left_of(const std::string& job) {
  const std::string end_time = variable("SLURM_JOB_END_TIME");
  double end = 0;
  const auto [stopped, error] = std::from_chars(end_time.data(), end_time.data() + end_time.size(), end);
  if (error == std::errc{} && stopped == end_time.data() + end_time.size() && end > 0) {
    const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
    return std::max(0.0, end - now.count());
  }
  constexpr double patience = 20;
  const Ending ending = answer_of(squeue_words(job, "%L"), patience);
  return succeeded(ending) ? slurm_seconds(first_line(ending.output)) : std::nullopt;
}

bool can_be_started(const std::string& program) {
  if (program.find('/') != std::string::npos) return access(program.c_str(), X_OK) == 0;
  const std::string path = variable("PATH");
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    const std::filesystem::path candidate = std::filesystem::path{path.substr(begin, end - begin)} / program;
    if (access(candidate.c_str(), X_OK) == 0) return true;
    begin = end + 1;
  }
  return false;
}

/// Why srun does not do, or nothing.
std::string objection_to_srun(const Allocation& allocation) {
  constexpr double patience = 20;
  const Ending list = answer_of({"srun", "--mpi=list"}, patience);
  if (list.how == Ending::How::not_started) return "there is no srun";
  if (list.output.find("pmix") == std::string::npos) return "srun has no PMIx (srun --mpi=list)";
  constexpr int ranks = 2;
  Command words = srun_words();
  words.insert(words.end(),
               {fmt::format("--nodes={}", std::min(ranks, allocation.nodes)), fmt::format("--ntasks={}", ranks),
                "--overcommit", std::filesystem::read_symlink("/proc/self/exe").string(), "launcher", "--try"});
  const Ending ranks_started = answer_of(words, patience);
  if (succeeded(ranks_started)) return {};
  if (ranks_started.how == Ending::How::out_of_time) {
    return fmt::format("two ranks that srun started had not ended after {:.0f} s", patience);
  }
  const std::string why = telling_line(ranks_started.output);
  return "ranks that srun starts do not find each other" + (why.empty() ? "" : ": " + why);
}

/// The names that SLURM writes as "n[1-3,7]".
std::vector<Host> hosts_of_allocation() {
  constexpr double patience = 20;
  const std::string list = variable("SLURM_JOB_NODELIST");
  const Ending ending = answer_of({"scontrol", "show", "hostnames", list}, patience);
  std::vector<Host> hosts;
  std::istringstream lines{ending.output};
  for (std::string line; std::getline(lines, line);) hosts.push_back({line, 0});
  if (!succeeded(ending) || hosts.empty()) {
    throw std::invalid_argument(
        fmt::format("scontrol does not say which nodes '{}' are; --hosts FILE names them", list));
  }
  return hosts;
}

}  // namespace

std::optional<double> slurm_seconds(const std::string& text) {
  std::string_view rest = text;
  constexpr double day = 86400;
  constexpr double sixty = 60;
  double days = 0;
  const bool has_days = rest.find('-') != std::string_view::npos;
  if (has_days) {
    const auto number = number_in(rest.substr(0, rest.find('-')));
    if (!number) return std::nullopt;
    days = *number;
    rest.remove_prefix(rest.find('-') + 1);
  }
  double seconds = 0;
  while (true) {
    const std::size_t colon = rest.find(':');
    const auto number = number_in(rest.substr(0, colon));
    if (!number) return std::nullopt;
    seconds = seconds * sixty + *number;
    if (colon == std::string_view::npos) break;
    rest.remove_prefix(colon + 1);
  }
  return days * day + seconds;
}

double seconds_to_plan_with(double left) {
  constexpr double signal_and_report = 110;
  constexpr double share_of_a_short_job = 0.25;
  return left - std::min(signal_and_report, share_of_a_short_job * left);
}

std::optional<Allocation> find_allocation() {
  Allocation allocation;
  allocation.job = variable("SLURM_JOB_ID");
  if (allocation.job.empty()) return std::nullopt;
  allocation.nodes = std::max(1, number_in(variable("SLURM_JOB_NUM_NODES")).value_or(1));
  allocation.seconds_left = seconds_left_of(allocation.job);
  return allocation;
}

std::string state_of_job(const Allocation& allocation, const StopSignals& stop) {
  constexpr double patience = 20;
  const Ending ending = run_process(squeue_words(allocation.job, "%T"), patience, stop);
  return succeeded(ending) ? first_line(ending.output) : "";
}

std::string objection_to_nodes(const Allocation& allocation, const StopSignals& stop) {
  if (allocation.nodes == 1) return {};
  const auto start_on = [&](const std::vector<std::string>& where) {
    constexpr double patience = 30;
    Command words{"srun", "--mpi=none", "--overlap", "--overcommit", "--cpu-bind=none"};
    words.insert(words.end(), where.begin(), where.end());
    words.emplace_back("true");
    return run_process(words, patience, stop);
  };
  const std::string nodes = std::to_string(allocation.nodes);
  const Ending ending = start_on({"--nodes=" + nodes, "--ntasks=" + nodes});
  if (succeeded(ending)) return {};
  const std::string here = variable("SLURMD_NODENAME");
  if (here.empty() || !succeeded(start_on({"--nodes=1", "--ntasks=1", "--nodelist=" + here}))) return {};
  const std::string why = telling_line(ending.output);
  return why.empty() ? "a node of the job does not answer" : why;
}

StartOfRanks start_of_ranks(const std::string& name, const std::string& mpirun, const std::string& hosts) {
  if (name != "auto" && name != "mpirun" && name != "srun") {
    throw std::invalid_argument(fmt::format("--launcher: '{}' is none of auto, mpirun, srun", name));
  }
  if (!hosts.empty() && name == "srun") {
    throw std::invalid_argument("--hosts is for mpirun: srun takes the nodes of its allocation");
  }
  StartOfRanks start;
  start.allocation = find_allocation();
  bool by_srun = name == "srun";
  if (name == "auto" && start.allocation && hosts.empty()) {
    const std::string objection = objection_to_srun(*start.allocation);
    by_srun = objection.empty();
    if (!by_srun && !can_be_started(mpirun)) {
      throw std::invalid_argument(
          fmt::format("nothing in job {} starts ranks: {}, and there is no '{}' (--mpirun names another)",
                      start.allocation->job, objection, mpirun));
    }
    if (!by_srun) start.note = fmt::format("ranks are started by mpirun: {}", objection);
  }
  Launcher& launcher = start.launcher;
  if (by_srun) {
    launcher.kind = Launcher::Kind::srun;
    launcher.nodes = start.allocation ? start.allocation->nodes : 1;
    launcher.words = srun_words();
    return start;
  }
  if (!hosts.empty()) {
    launcher.hosts = hosts_from(hosts);
  } else if (start.allocation && start.allocation->nodes > 1) {
    launcher.hosts = hosts_of_allocation();
  }
  if (!launcher.hosts.empty()) {
    launcher.kind = Launcher::Kind::hosts;
    launcher.nodes = static_cast<int>(launcher.hosts.size());
  }
  launcher.words = mpirun_words(mpirun, launcher.nodes, geteuid() == 0, environment_with({"OMPI_MCA_"}));
  return start;
}

}  // namespace duet
