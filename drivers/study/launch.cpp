#include "drivers/study/launch.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <ranges>
#include <set>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include "drivers/command.hpp"
#include "drivers/study/dead_ranks.hpp"
#include "kernels/registry.hpp"

namespace duet {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

/// Owns a file descriptor.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int owned) : owned_{owned} {}
  Descriptor(Descriptor&& other) noexcept : owned_{std::exchange(other.owned_, -1)} {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(owned_, other.owned_);
    return *this;
  }
  ~Descriptor() { close(); }

  [[nodiscard]] int get() const { return owned_; }
  void close() {
    if (owned_ >= 0) ::close(owned_);
    owned_ = -1;
  }

 private:
  int owned_ = -1;
};

struct Pipe {
  Descriptor read;
  Descriptor write;
};

Pipe new_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw std::runtime_error(fmt::format("no pipe for a launch: {}", std::strerror(errno)));
  }
  return {Descriptor{ends[0]}, Descriptor{ends[1]}};
}

// What the signal handler touches: nothing but lock-free atomics and a pipe.
std::atomic<int> first_signal{0};
std::atomic<pid_t> running_group{0};
std::atomic<int> wake_up{-1};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<pid_t>::is_always_lock_free);

Pipe& wake_up_pipe() {
  static Pipe pipe = [] {
    Pipe made = new_pipe();
    for (const int end : {made.read.get(), made.write.get()}) fcntl(end, F_SETFL, O_NONBLOCK);
    return made;
  }();
  return pipe;
}

void on_stop_signal(int signal) {
  const int saved = errno;
  int none = 0;
  if (!first_signal.compare_exchange_strong(none, signal)) {
    if (const pid_t group = running_group; group > 0) kill(-group, SIGKILL);
    _exit(status::interrupted);
  }
  const char byte = 1;
  if (write(wake_up, &byte, 1) < 0) errno = saved;  // a full pipe wakes as well
  errno = saved;
}

/// Children of this process: in /proc/PID/stat the parent stands behind the name, which ends with the last ')'.
std::set<pid_t> children_of_this_process() {
  std::set<pid_t> children;
  const pid_t self = getpid();
  DIR* const processes = opendir("/proc");
  if (processes == nullptr) return children;
  while (const dirent* const entry = readdir(processes)) {  // NOLINT(concurrency-mt-unsafe): a stream of its own
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
    std::ifstream file{fmt::format("/proc/{}/stat", entry->d_name)};
    std::string line;
    std::getline(file, line);
    const auto name_end = line.rfind(')');
    if (name_end == std::string::npos || name_end + 4 > line.size()) continue;
    if (std::atoi(line.c_str() + name_end + 4) == self) children.insert(std::atoi(entry->d_name));
  }
  closedir(processes);
  return children;
}

/// Ends and reaps every child of this process that was not there before: the orphans of a launch. Their own children
/// become ours in turn, hence the loop; it gives up on what even SIGKILL does not end within a second.
void end_strays(const std::set<pid_t>& before) {
  const Clock::time_point begin = Clock::now();
  while (seconds_since(begin) < 1) {
    std::set<pid_t> strays = children_of_this_process();
    std::erase_if(strays, [&](pid_t child) { return before.contains(child); });
    if (strays.empty()) return;
    for (const pid_t stray : strays) kill(stray, SIGKILL);
    bool reaped = false;
    for (const pid_t stray : strays) reaped = waitpid(stray, nullptr, WNOHANG) > 0 || reaped;
    constexpr useconds_t pause = 1000;
    if (!reaped) usleep(pause);
  }
}

/// Between fork and exec: only calls that are safe there. Reports the errno of a failure through `failure`.
[[noreturn]] void become(char* const* words, int output, int failure, pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(EXIT_FAILURE);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP}) std::signal(signal, SIG_DFL);
  const int nothing = open("/dev/null", O_RDONLY);
  if (nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 &&
      dup2(output, STDERR_FILENO) >= 0) {
    execvp(words[0], words);
  }
  const int reason = errno;
  if (write(failure, &reason, sizeof reason) < 0) _exit(EXIT_FAILURE);
  _exit(EXIT_FAILURE);
}

/// A running launch.
class Process {
 public:
  explicit Process(const Command& command) {
    // An orphan of the launch must become our child, not init's, or nobody could find it.
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    before_ = children_of_this_process();
    std::vector<char*> words;
    for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    Pipe output = new_pipe();
    Pipe failure = new_pipe();
    const pid_t parent = getpid();
    pid_ = fork();
    if (pid_ < 0) throw std::runtime_error(fmt::format("no process for a launch: {}", std::strerror(errno)));
    if (pid_ == 0) become(words.data(), output.write.get(), failure.write.get(), parent);
    setpgid(pid_, pid_);  // both sides, whichever comes first
    running_group = pid_;
    output.write.close();
    failure.write.close();
    int reason = 0;
    ssize_t count = 0;
    do count = read(failure.read.get(), &reason, sizeof reason);
    while (count < 0 && errno == EINTR);
    if (count == sizeof reason) start_error_ = reason;
    output_ = std::move(output.read);
    fcntl(output_.get(), F_SETFL, O_NONBLOCK);
    handle_ = Descriptor{static_cast<int>(syscall(SYS_pidfd_open, pid_, 0))};
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    if (!reaped_) {
      signal_group(SIGKILL);
      reap();
    }
  }

  [[nodiscard]] int start_error() const { return start_error_; }
  [[nodiscard]] int output() const { return output_.get(); }
  /// Readable once the process has ended; -1 on kernels before 5.3, where one has to ask.
  [[nodiscard]] int handle() const { return handle_.get(); }

  [[nodiscard]] bool has_ended() const {
    siginfo_t info{};
    return waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid_;
  }
  void signal_group(int signal) const { kill(-pid_, signal); }

  /// The status as of waitpid; nothing of the launch is left afterwards. The group is signalled before its leader is
  /// reaped: until then its number cannot belong to anybody else.
  int reap() {
    signal_group(SIGKILL);
    int result = 0;
    while (waitpid(pid_, &result, 0) < 0 && errno == EINTR) {
    }
    running_group = 0;
    reaped_ = true;
    end_strays(before_);
    return result;
  }

  /// Reads what there is; false once all writers have closed.
  bool drain(Output& into) const {
    constexpr int chunks_at_once = 64;  // a flood must not keep us from the deadline
    std::array<char, 16 * 1024> chunk{};
    for (int i = 0; i < chunks_at_once; ++i) {
      const ssize_t count = read(output_.get(), chunk.data(), chunk.size());
      if (count == 0) return false;
      if (count < 0) return errno == EAGAIN || errno == EINTR;
      into.append(chunk.data(), static_cast<std::size_t>(count));
    }
    return true;
  }

 private:
  pid_t pid_ = -1;
  bool reaped_ = false;
  int start_error_ = 0;
  std::set<pid_t> before_;
  Descriptor output_;
  Descriptor handle_;
};

int milliseconds_until(double seconds) {
  constexpr double largest = 1e6;
  return static_cast<int>(std::ceil(1e3 * std::clamp(seconds, 0.0, largest)));
}

/// "Segmentation fault", say.
std::string signal_text(int signal) {
  const char* const text = strsignal(signal);  // NOLINT(concurrency-mt-unsafe): one thread
  return fmt::format("signal {} ({})", signal, text == nullptr ? "?" : text);
}

std::string with_reason(std::string what, const Ending& ending) {
  const std::string line = telling_line(ending.output);
  return line.empty() ? what : what + ": " + line;
}

bool is_preset(const std::vector<Setting>& declared, const std::string& name, const std::string& value) {
  const auto found = std::ranges::find(declared, name, &Setting::name);
  return found != declared.end() && found->preset == value;
}

void add_settings(Command& words, const std::map<std::string, std::string>& settings,
                  const std::vector<Setting>& declared) {
  for (const auto& [name, value] : settings) {
    if (is_preset(declared, name, value)) continue;
    words.insert(words.end(), {"--set", name + "=" + value});
  }
}

/// Nothing, or where the ranks of `trial` are, if its nodes do not have equal parts of them.
std::string misplaced(const Trial& trial) {
  std::map<std::string, std::set<int>> ranks;
  for (const WorkerPlace& place : trial.places) ranks[place.host].insert(place.rank);
  if (ranks.empty()) return {};
  const auto size = [](const auto& of_host) { return of_host.second.size(); };
  const auto [fewest, most] = std::ranges::minmax(ranks | std::views::transform(size));
  if (std::ssize(ranks) == trial.cell.nodes && most - fewest <= 1) return {};
  std::string found;
  for (const auto& [host, of_host] : ranks) {
    found += fmt::format("{}{} on {}", found.empty() ? "" : ", ", of_host.size(), host);
  }
  return fmt::format("the launcher put the ranks elsewhere: {}, and {} node{} with equal parts were asked for", found,
                     trial.cell.nodes, trial.cell.nodes == 1 ? "" : "s");
}

/// How long a launch may go without progress: so that one that hangs costs a study a third of its limit and no more.
double deadline_within(double time_limit) {
  constexpr double least = 5;
  constexpr double most = 30;
  constexpr double share = 3;
  return std::clamp(std::ceil(time_limit / share), least, most);
}

/// The trial in which a process was, as far as its file tells.
int next_trial(const std::vector<Trial>& trials) { return trials.empty() ? 0 : trials.back().number + 1; }

/// Outcome and message of a launch that did not end well.
std::pair<Outcome, std::string> trouble(const CellLaunch& launch, const LaunchSettings& settings, const Ending& ending,
                                        const std::vector<Trial>& trials) {
  const bool ranks = passes_messages(launch.cell.model);
  const bool through_launcher = ranks || settings.launcher.kind != Launcher::Kind::local;
  switch (ending.how) {
    case Ending::How::not_started: {
      const std::string program = through_launcher ? settings.launcher.words.front() : settings.duet;
      return {Outcome::failed,
              fmt::format("cannot start '{}': {}{}", program, std::strerror(ending.code),
                          through_launcher ? "; is MPI installed, and in PATH? (--mpirun names another)" : "")};
    }
    case Ending::How::out_of_time:
      return {Outcome::hung,
              fmt::format("hung: no end within {:g} s; was in trial {}", launch.time_limit, next_trial(trials))};
    case Ending::How::stopped:
      return {Outcome::failed, "ended, as the study was"};
    case Ending::How::signalled:
      return {Outcome::failed, with_reason("died by " + signal_text(ending.code), ending)};
    case Ending::How::exited:
      break;
  }
  const std::string line = telling_line(ending.output);
  // "no progress for 30 s (trial 3: executing): a wait cycle: ...", of a process that could not record it.
  if (ending.code == status::hung || (ranks && line.starts_with("no progress for "))) {
    return {Outcome::hung, with_reason("hung", ending)};
  }
  // "rank 1 of 2: time limit of 20 s met; for 19.9 s in: trial 3: executing". srun's status is that of the ranks that
  // it ended then.
  if (ending.code == status::timed_out || (ranks && line.find(": time limit of ") != std::string::npos)) {
    const auto phase = line.rfind("in: ");
    return {Outcome::hung, fmt::format("hung: no end within {:g} s; was in {}", launch.time_limit,
                                       phase == std::string::npos ? fmt::format("trial {}", next_trial(trials))
                                                                  : line.substr(phase + 4))};
  }
  constexpr int signal_base = 128;
  if (through_launcher && ending.code > signal_base && ending.code <= signal_base + SIGRTMAX) {
    const std::vector<DeadRank> dead = dead_ranks_in(ending.output);
    const std::string what = fmt::format("a {} died by {}", ranks ? "rank" : "process",
                                         signal_text(dead.empty() ? ending.code - signal_base : dead[0].signal));
    if (dead.empty()) return {Outcome::failed, with_reason(what, ending)};
    std::string who = fmt::format("rank {} on {}", dead[0].rank, dead[0].host);
    for (std::size_t i = 1; i < dead.size(); ++i) {
      who += fmt::format(", and rank {} on {} by {}", dead[i].rank, dead[i].host, signal_text(dead[i].signal));
    }
    return {Outcome::failed, what + ": " + who};
  }
  if (ending.code != 0) return {Outcome::failed, with_reason(fmt::format("exit status {}", ending.code), ending)};
  return {Outcome::failed, with_reason(trials.empty() ? std::string{"ended without an answer"}
                                                      : fmt::format("ended in the middle of trial {}, with status 0",
                                                                    next_trial(trials)),
                                       ending)};
}

}  // namespace

void Output::append(const char* text, std::size_t length) {
  const std::size_t room = std::min(length, head_limit - head_.size());
  head_.append(text, room);
  tail_.append(text + room, length - room);
  if (tail_.size() > 2 * tail_limit) {
    dropped_ += tail_.size() - tail_limit;
    tail_.erase(0, tail_.size() - tail_limit);
  }
}

std::string Output::text() const {
  if (dropped_ == 0) return head_ + tail_;
  return fmt::format("{}\n[{} bytes left out]\n{}", head_, dropped_, tail_);
}

StopSignals::StopSignals() {
  first_signal = 0;
  wake_up = wake_up_pipe().write.get();
  struct sigaction action {};
  action.sa_handler = on_stop_signal;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &interrupt_);
  sigaction(SIGTERM, &action, &terminate_);
  sigaction(SIGHUP, &action, &hang_up_);
  if (hang_up_.sa_handler == SIG_IGN) sigaction(SIGHUP, &hang_up_, nullptr);
}

StopSignals::~StopSignals() {
  sigaction(SIGINT, &interrupt_, nullptr);
  sigaction(SIGTERM, &terminate_, nullptr);
  sigaction(SIGHUP, &hang_up_, nullptr);
  std::array<char, 64> bytes{};
  while (read(descriptor(), bytes.data(), bytes.size()) > 0) {
  }
}

int StopSignals::received() const { return first_signal; }

int StopSignals::descriptor() const { return wake_up_pipe().read.get(); }

Ending run_process(const Command& command, double limit_seconds, const StopSignals& stop,
                   const std::function<void()>& tick) {
  constexpr double grace_seconds = 0.7;
  constexpr double tick_seconds = 1;
  constexpr double ask_seconds = 0.01;
  const Clock::time_point begin = Clock::now();
  Ending ending;
  Output output;
  Process process{command};
  bool ended_by_us = false;
  double kill_at = limit_seconds;
  double next_tick = tick_seconds;
  bool speaks = true;
  ending.how = Ending::How::exited;
  while (!process.has_ended()) {
    const double now = seconds_since(begin);
    if (!ended_by_us && (stop.received() != 0 || now >= limit_seconds)) {
      ending.how = stop.received() != 0 ? Ending::How::stopped : Ending::How::out_of_time;
      ended_by_us = true;
      kill_at = now + grace_seconds;
      process.signal_group(SIGTERM);
      process.signal_group(SIGCONT);
    }
    if (ended_by_us && now >= kill_at) break;
    if (tick && now >= next_tick) {
      tick();
      next_tick = now + tick_seconds;
    }
    double wait = kill_at - now;
    if (tick) wait = std::min(wait, next_tick - now);
    if (process.handle() < 0) wait = std::min(wait, ask_seconds);
    std::array<pollfd, 3> events{{{process.handle(), POLLIN, 0},
                                  {speaks ? process.output() : -1, POLLIN, 0},
                                  {ended_by_us ? -1 : stop.descriptor(), POLLIN, 0}}};
    if (poll(events.data(), events.size(), milliseconds_until(wait)) > 0 && events[1].revents != 0) {
      speaks = process.drain(output);
    }
  }
  const int result = process.reap();
  while (speaks && process.drain(output)) {
    pollfd more{process.output(), POLLIN, 0};
    if (poll(&more, 1, 0) <= 0) break;
  }
  ending.seconds = seconds_since(begin);
  ending.output = output.text();
  if (process.start_error() != 0) {
    ending.how = Ending::How::not_started;
    ending.code = process.start_error();
  } else if (WIFSIGNALED(result)) {
    if (!ended_by_us) ending.how = Ending::How::signalled;
    ending.code = WTERMSIG(result);
  } else {
    ending.code = WEXITSTATUS(result);
  }
  return ending;
}

std::string telling_line(const std::string& output) {
  std::string fallback;
  for (std::size_t begin = 0; begin < output.size();) {
    const std::size_t end = std::min(output.find('\n', begin), output.size());
    std::string line = output.substr(begin, end - begin);
    begin = end + 1;
    std::erase_if(line, [](unsigned char c) { return c < ' ' && c != '\t'; });
    line.erase(0, line.find_first_not_of(" \t"));
    constexpr std::string_view own = "duet: ";
    if (line.starts_with(own)) {
      // A reminder, and what follows a line further in, say how things stood before.
      const bool reminds = line.find(": still, for ") != std::string::npos ||
                           line.find("; it goes on, as ") != std::string::npos || line[own.size()] == ' ';
      if (reminds) continue;
      return line.substr(own.size());
    }
    if (!fallback.empty() || line.empty() || line.starts_with("---") || line.starts_with("[")) continue;
    // What srun says of --cpu-bind=none where SLURM could not bind anyway.
    if (line == "srun: cluster configuration lacks support for cpu binding") continue;
    fallback = std::move(line);
  }
  constexpr std::size_t longest = 300;
  if (fallback.size() > longest) fallback = fallback.substr(0, longest) + " ...";
  return fallback;
}

std::vector<std::string> environment_with(const std::vector<std::string>& prefixes) {
  std::vector<std::string> found;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text{*variable};
    if (std::ranges::any_of(prefixes, [&](const std::string& prefix) { return text.starts_with(prefix); })) {
      found.emplace_back(text);
    }
  }
  return found;
}

std::vector<std::string> scrub_environment() {
  std::vector<std::string> scrubbed;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text{*variable};
    if (text.starts_with("OMP_") || text.starts_with("GOMP_") || text.starts_with("KMP_")) scrubbed.emplace_back(text);
  }
  for (const std::string& variable : scrubbed) {
    unsetenv(variable.substr(0, variable.find('=')).c_str());  // NOLINT(concurrency-mt-unsafe): before any thread
  }
  return scrubbed;
}

Command command_of(const CellLaunch& launch, const LaunchSettings& settings) {
  const Cell& cell = launch.cell;
  const Problem& problem = problem_called(cell.problem);
  Command words = starting(settings.launcher, {.nodes = cell.nodes,
                                               .ranks = cell.ranks,
                                               .threads = cell.threads,
                                               .passes_messages = passes_messages(cell.model)});
  words.insert(words.end(),
               {settings.duet, "run", cell.problem, "--model", std::string{name_of(cell.model)}, "--size", cell.size,
                "--threads", std::to_string(cell.threads), "--seed", std::to_string(cell.seed)});
  add_settings(words, cell.parameters, problem.parameters);
  add_settings(words, cell.tunables, problem.variant(cell.model).tunables);
  words.insert(words.end(),
               {"--repeat", std::to_string(launch.repeat), "--at-most", fmt::format("{:g}s", launch.at_most)});
  if (launch.time_limit > 0) {
    words.insert(words.end(), {"--time-limit", fmt::format("{:g}s", launch.time_limit), "--deadline",
                               fmt::format("{:g}s", deadline_within(launch.time_limit))});
  }
  if (settings.oversubscribe) words.emplace_back("--oversubscribe");
  words.insert(words.end(), {"--round", std::to_string(launch.round), "--launch", std::to_string(launch.launch),
                             "--json", launch.json});
  return words;
}

std::vector<Trial> judge_launch(const CellLaunch& launch, const LaunchSettings& settings, const Ending& ending,
                                std::vector<Trial> from_file) {
  for (Trial& trial : from_file) {
    if (trial.cell != launch.cell) {
      trial.outcome = Outcome::failed;
      trial.message = fmt::format("'{}' was measured and not '{}'", trial.cell.id(), launch.cell.id());
    } else if (std::string where = misplaced(trial); !where.empty()) {
      trial.outcome = Outcome::failed;
      trial.message = std::move(where);
    }
    trial.cell = launch.cell;
    trial.round = launch.round;
    trial.launch = launch.launch;
  }
  if (ending.how == Ending::How::stopped) return from_file;
  const bool all_right =
      std::ranges::all_of(from_file, [](const Trial& trial) { return trial.outcome == Outcome::right; });
  const auto counting = std::ranges::count_if(from_file, [](const Trial& trial) { return !trial.warms_up(); });
  const bool ran_out_of_time = counting > 0 && ending.seconds > launch.at_most;
  const bool ended_well =
      ending.how == Ending::How::exited && ending.code == 0 && (counting == launch.repeat || ran_out_of_time);
  // A wrong answer says itself what is wrong with it, and so does a hung trial: each node may tell of its own ranks.
  const bool says_so = ending.how == Ending::How::exited && ending.code == status::not_right && !all_right;
  const auto hung = std::ranges::find(from_file, Outcome::hung, &Trial::outcome);
  if (hung != from_file.end()) from_file.erase(hung + 1, from_file.end());
  if (ended_well || says_so || (!from_file.empty() && from_file.back().outcome == Outcome::hung)) return from_file;
  Trial last;
  last.cell = launch.cell;
  last.round = launch.round;
  last.launch = launch.launch;
  last.number = next_trial(from_file);
  std::tie(last.outcome, last.message) = trouble(launch, settings, ending, from_file);
  from_file.push_back(std::move(last));
  return from_file;
}

std::vector<Trial> trials_from(const std::string& path) {
  std::vector<Trial> trials;
  std::ifstream file{path};
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (file.eof() && !nlohmann::json::accept(line)) break;  // cut off: getline met the end before a newline
    try {
      trials.push_back(nlohmann::json::parse(line).get<Trial>());
    } catch (const std::exception& error) {
      throw std::runtime_error(fmt::format("{}:{}: {}", path, number, error.what()));
    }
  }
  return trials;
}

}  // namespace duet
