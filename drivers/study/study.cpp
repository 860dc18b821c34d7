#include "drivers/study/study.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>

#include "drivers/study/marks.hpp"
#include "drivers/study/pipelines.hpp"
#include "drivers/study/progress.hpp"
#include "drivers/study/rounds.hpp"

namespace duet {
namespace {

using Clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

std::string now_in_utc() { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::now())); }

void add_once(std::vector<std::string>& warnings, const std::string& warning) {
  if (std::ranges::find(warnings, warning) == warnings.end()) warnings.push_back(warning);
}

/// The cell as the progress names it: tunables would hide the rest.
std::string short_name(const Cell& cell) {
  return fmt::format("{} {} {} {}x{}", cell.problem, name_of(cell.model), cell.size, cell.ranks, cell.threads);
}

/// The most of the budget that is kept for trying what may help pipelines.
constexpr double share_for_changes = 0.2;

/// A change whose rounds are set aside gets no more than so many for each that is wanted.
constexpr int most_tries_a_round = 2;

/// A cell whose pipeline may gain from a change, beside the same one with it.
struct Change {
  std::map<std::string, std::string> tunables;
  PlannedCell without;
  PlannedCell with;
  int rounds = 0;  ///< still to be launched
};

/// One study while it runs.
class Study {
 public:
  Study(const StudySetup& setup, const StopSignals& stop)
      : setup_{setup},
        stop_{stop},
        rounds_{setup.options, setup.resources, plan_cells(setup.options, setup.resources),
                [this](const std::vector<Trial>& trials) { return analysis_of(trials); }},
        progress_{!setup.quiet} {
    record_ = setup.record;
    record_.options = as_text(setup.options);
    for (const auto& [name, value] : setup.record.options) record_.options.emplace(name, value);
  }

  void begin() {
    record_.started_at = now_in_utc();
    save_record(setup_.folder, record_);
    std::vector<Trial> refused;
    for (const PlannedCell& planned : rounds_.plan()) {
      if (planned.refusal.empty()) continue;
      Trial trial;
      trial.cell = planned.cell;
      trial.outcome = Outcome::refused;
      trial.message = planned.refusal;
      trial.operations = planned.operations;
      trial.started_at = now_in_utc();
      refused.push_back(std::move(trial));
      progress_.say(fmt::format("duet: {} is left out: {}", planned.id, planned.refusal));
    }
    keep(refused);
  }

  void take_up() {
    const SavedStudy saved = load_study(setup_.folder);
    trials_ = saved.trials;
    record_.started_at = saved.record.started_at;
    for (const std::string& warning : saved.record.warnings) add_once(record_.warnings, warning);
    const fs::path path = setup_.folder / "plan.json";
    std::ifstream file{path};
    if (!file) return resume_from_trials_alone();
    try {
      const auto state = nlohmann::json::parse(file);
      std::vector<Trial> of_rounds;
      std::ranges::copy_if(trials_, std::back_inserter(of_rounds),
                           [](const Trial& trial) { return trial.tried.empty(); });
      rounds_.resume(state.at("rounds"), of_rounds);
      spent_before_ = state.at("spent_seconds").get<double>();
      order_ = state.at("order").get<std::vector<std::string>>();
    } catch (const std::exception& error) {
      throw std::runtime_error(fmt::format("{}: {}", path.string(), error.what()));
    }
    for (const Trial& trial : trials_) launches_ = std::max(launches_, trial.launch);
    count_failures();
    save_record(setup_.folder, record_);
  }

  StudyEnd run() {
    bool enough = false;
    if (!order_.empty()) enough = !run_round(rest_of_round());
    while (!enough && stop_.received() == 0) {
      const std::vector<PlannedCell> round = rounds_.next(seconds_left() - seconds_kept_for_changes());
      if (round.empty()) break;
      order_.clear();
      for (const PlannedCell& planned : round) order_.push_back(planned.id);
      save_state();
      enough = !run_round(round);
    }
    if (!enough) try_changes();
    return finish();
  }

 private:
  [[nodiscard]] Analysis analysis_of(std::vector<Trial> trials) const {
    SavedStudy study;
    study.record.options = record_.options;
    study.trials = std::move(trials);
    mark_disturbances(study.trials);
    return analyse(study);
  }

  [[nodiscard]] double spent() const {
    return spent_before_ + std::chrono::duration<double>(Clock::now() - begin_).count();
  }
  [[nodiscard]] double process_seconds_left() const {
    return setup_.seconds_at_most - std::chrono::duration<double>(Clock::now() - begin_).count();
  }
  [[nodiscard]] double seconds_left() const {
    return std::min(setup_.options.budget_seconds - spent(), process_seconds_left());
  }
  /// True where the budget would allow more than this process has.
  [[nodiscard]] bool job_ends_first() const {
    return process_seconds_left() + 1 < setup_.options.budget_seconds - spent();
  }

  /// A study that was killed between its first files: nothing was launched, or nothing can be told but the trials.
  void resume_from_trials_alone() {
    if (std::ranges::any_of(trials_, [](const Trial& trial) { return trial.outcome != Outcome::refused; })) {
      throw std::runtime_error(
          fmt::format("{}: plan.json is missing, so nobody knows what was still to do; -o names "
                      "another folder for a new study",
                      setup_.folder.string()));
    }
    if (trials_.empty()) begin();
  }

  void count_failures() {
    int launch = 0;
    for (const Trial& trial : trials_) {
      if (trial.outcome == Outcome::right || trial.outcome == Outcome::refused || trial.launch == launch) continue;
      launch = trial.launch;
      failures_ += 1;
    }
  }

  void keep(const std::vector<Trial>& trials) {
    append_trials(setup_.folder, trials);
    trials_.insert(trials_.end(), trials.begin(), trials.end());
  }

  void save_state() const {
    const fs::path path = setup_.folder / "plan.json";
    const fs::path beside = setup_.folder / "plan.json.new";
    std::ofstream file{beside};
    file << nlohmann::json{{"spent_seconds", spent()}, {"order", order_}, {"rounds", rounds_.state()}}.dump() << '\n';
    file.close();
    std::error_code error;
    if (file) fs::rename(beside, path, error);
    if (!file || error) {
      const int reason = error ? error.value() : errno;
      fs::remove(beside, error);
      throw std::runtime_error(fmt::format("{}: cannot be written: {}", path.string(), std::strerror(reason)));
    }
  }

  /// What the interrupted round still has to launch. A cell that has trials of the round was launched: the process was
  /// killed between its two files.
  std::vector<PlannedCell> rest_of_round() {
    std::erase_if(order_, [&](const std::string& id) {
      return std::ranges::any_of(
          trials_, [&](const Trial& trial) { return trial.round == rounds_.number() && trial.cell.id() == id; });
    });
    std::vector<PlannedCell> rest;
    for (const std::string& id : order_) {
      const auto& plan = rounds_.plan();
      const auto found = std::ranges::find(plan, id, &PlannedCell::id);
      if (found == plan.end()) throw std::runtime_error(fmt::format("plan.json: '{}' is no cell of this study", id));
      rest.push_back(*found);
    }
    return rest;
  }

  /// False where the study must end: budget or signal.
  bool run_round(const std::vector<PlannedCell>& cells) {
    std::size_t done = 0;
    for (const PlannedCell& planned : cells) {
      if (stop_.received() != 0 || seconds_left() <= 0) return false;
      done += 1;
      if (!rounds_.worth_launching(planned.cell)) {
        order_.erase(order_.begin());
        continue;
      }
      while (!launch({planned, done, cells.size()})) {
        if (stop_.received() != 0 || seconds_left() <= 0) return false;
      }
      order_.erase(order_.begin());
      save_state();
    }
    return true;
  }

  /// What is launched next, as which of how many of its round.
  struct Turn {
    const PlannedCell& planned;
    std::size_t done = 1;
    std::size_t of = 1;
    const Change* change = nullptr;  ///< that is tried, where one is
  };

  /// The changes that may help the pipelines that the report tells of, and the rounds that they lack; those of one
  /// model that shares state and of one that passes messages come first. None in a study of scaling: what it compares
  /// are numbers of workers.
  [[nodiscard]] std::vector<Change> changes_to_try() const {
    const bool any = std::ranges::any_of(trials_, [](const Trial& trial) { return !trial.stages.empty(); });
    if (!any || setup_.options.scaling != Scaling::none) return {};
    const Analysis analysis = analysis_of(trials_);
    std::vector<std::pair<int, Change>> changes;
    for (const auto& cells : told_pipelines(analysis.cells)) {
      std::array<int, 2> of_side{};
      for (const CellSummary* const summary : cells) {
        const auto change = change_that_may_help(summary->cell, summary->stages, summary->pipeline);
        const auto planned = std::ranges::find(rounds_.plan(), summary->cell.id(), &PlannedCell::id);
        if (change.empty() || summary->not_right > 0 || planned == rounds_.plan().end()) continue;
        Change one{change, *planned, *planned};
        one.with.cell = with_tunables(planned->cell, change);
        one.with.id = one.with.cell.id();
        one.rounds = rounds_lacking(one, analysis);
        const int nth = of_side[passes_messages(planned->cell.model) ? 1 : 0]++;
        if (one.rounds > 0 && !failed(one)) changes.emplace_back(nth, std::move(one));
      }
    }
    std::ranges::stable_sort(changes, {}, &std::pair<int, Change>::first);
    std::vector<Change> in_order;
    for (auto& [nth, change] : changes) in_order.push_back(std::move(change));
    return in_order;
  }

  /// Rounds that have both sides of the change and are set aside are made up for, unless the user gave their number.
  [[nodiscard]] int rounds_lacking(const Change& change, const Analysis& analysis) const {
    const int fixed = setup_.options.rounds;
    const int wanted = fixed > 0 ? std::min(fixed, fewest_rounds) : fewest_rounds;
    std::map<int, std::set<bool>> had;  // of each round, with and without
    for (const Trial& trial : trials_) {
      if (is_of(change, trial)) had[trial.round].insert(trial.cell == change.with.cell);
    }
    const auto both =
        static_cast<int>(std::ranges::count_if(had, [](const auto& of) { return of.second.size() == 2; }));
    if (fixed > 0) return wanted - both;
    const auto found = std::ranges::find(analysis.tried, change.without.cell, &TriedChange::cell);
    const int counting = found == analysis.tried.end() ? 0 : found->gain.n;
    return std::min(wanted - counting, most_tries_a_round * wanted - both);
  }

  /// With the change a launch is thought to take as long as without it.
  [[nodiscard]] double expected_seconds(const Change& change) const {
    return 2 * change.rounds * rounds_.expected_seconds(change.without.cell);
  }

  [[nodiscard]] double seconds_kept_for_changes() const {
    if (!std::isfinite(setup_.options.budget_seconds)) return 0;
    double seconds = 0;
    for (const Change& change : changes_to_try()) seconds += expected_seconds(change);
    return std::min(seconds, share_for_changes * setup_.options.budget_seconds);
  }

  /// Launches each change and its cell side by side, round by round. What is tried is what the time left holds all
  /// rounds of.
  void try_changes() {
    std::vector<Change> changes = changes_to_try();
    double left = seconds_left();
    std::erase_if(changes, [&](const Change& change) {
      if (expected_seconds(change) > left) return true;
      left -= expected_seconds(change);
      return false;
    });
    while (!changes.empty() && try_round(changes)) {
      const Analysis analysis = analysis_of(trials_);
      std::erase_if(changes,
                    [&](const Change& change) { return failed(change) || rounds_lacking(change, analysis) <= 0; });
    }
  }

  /// False where the study must end: budget or signal.
  bool try_round(const std::vector<Change>& changes) {
    const int round = rounds_.begin_extra_round();
    save_state();
    std::vector<PlannedCell> cells;
    for (const Change& change : changes) {
      cells.insert(cells.end(), {change.without, change.with});
      // A group each, so that the two run one after the other.
      for (std::size_t i = cells.size() - 2; i < cells.size(); ++i) cells[i].group = change.without.id;
    }
    std::size_t done = 0;
    for (const PlannedCell& planned : shuffled(cells, setup_.options.seed, round)) {
      const auto change = std::ranges::find(changes, planned.group, [](const Change& one) { return one.without.id; });
      done += 1;
      if (stop_.received() != 0 || seconds_left() <= 0) return false;
      if (!launch({planned, done, cells.size(), &*change})) return false;
    }
    return true;
  }

  /// True where the trial tried the change, or was made beside it.
  [[nodiscard]] static bool is_of(const Change& change, const Trial& trial) {
    return trial.tried == change.tunables && (trial.cell == change.with.cell || trial.cell == change.without.cell);
  }

  /// True where one of its launches did not end well: it is not tried again.
  [[nodiscard]] bool failed(const Change& change) const {
    return std::ranges::any_of(
        trials_, [&](const Trial& trial) { return is_of(change, trial) && trial.outcome != Outcome::right; });
  }

  [[nodiscard]] Standing standing(const Turn& turn, double since) const {
    Standing standing;
    const int fixed = setup_.options.rounds;
    const double of_budget = spent() / setup_.options.budget_seconds;
    const double of_rounds =
        fixed == 0 ? 0
                   : (rounds_.number() - 1 + static_cast<double>(turn.done - 1) / static_cast<double>(turn.of)) / fixed;
    standing.share = std::min(1.0, std::max(of_budget, of_rounds));
    standing.seconds_left = seconds_left();
    standing.round = rounds_.number();
    standing.failures = failures_;
    constexpr double long_seconds = 5;
    standing.running = short_name(turn.planned.cell) + (since > long_seconds ? fmt::format(" ({:.0f} s)", since) : "");
    return standing;
  }

  /// A launch that did not end well says little where the job itself is in trouble. One that is cancelled or put back
  /// into the queue loses its ranks seconds before this process hears of it. Where a node has died, launches fail until
  /// SLURM notices and ends or requeues the job: the study waits for that, or for the node. True where the launch has
  /// to be done again.
  bool job_is_in_trouble() {
    constexpr int patience_milliseconds = 1000;
    constexpr int longest_milliseconds = 60000;  // SLURM kills what it has told to end after 30 s (KillWait)
    pollfd signal{stop_.descriptor(), POLLIN, 0};
    if (poll(&signal, 1, patience_milliseconds) > 0) return true;
    const std::string state = state_of_job(*setup_.allocation, stop_);
    if (!state.empty() && state != "RUNNING") {
      progress_.say(fmt::format("duet: job {} is {}; waiting for its end", setup_.allocation->job, state));
      poll(&signal, 1, longest_milliseconds);
      return true;
    }
    bool troubled = false;
    while (stop_.received() == 0 && seconds_left() > 0) {
      const std::string objection = objection_to_nodes(*setup_.allocation, stop_);
      if (objection.empty()) break;
      if (!troubled) {
        progress_.say(fmt::format("duet: job {}: {}; waiting for it, or for SLURM to end the job",
                                  setup_.allocation->job, objection));
      }
      troubled = true;
      poll(&signal, 1, patience_milliseconds);
    }
    // The signal may also have come while one of these was asked.
    return troubled || stop_.received() != 0;
  }

  /// False where it was cut short by a signal and has to be done again.
  bool launch(const Turn& turn) {
    const PlannedCell& planned = turn.planned;
    constexpr double grace_seconds = 2;  // the process ends itself at its limit, and says where it was
    const fs::path json = setup_.folder / "launch.jsonl";
    std::error_code ignored;
    fs::remove(json, ignored);
    const Repeats repeats = rounds_.repeats_of(turn.change == nullptr ? planned.cell : turn.change->without.cell);
    CellLaunch launch;
    launch.cell = planned.cell;
    launch.round = rounds_.number();
    launch.launch = ++launches_;
    launch.repeat = repeats.repeat;
    launch.at_most = repeats.at_most;
    launch.time_limit = setup_.options.time_limit_seconds;
    launch.json = json.string();

    progress_.show(standing(turn, 0));
    const Clock::time_point start = Clock::now();
    Ending ending = run_process(command_of(launch, setup_.launching), launch.time_limit + grace_seconds, stop_, [&] {
      progress_.show(standing(turn, std::chrono::duration<double>(Clock::now() - start).count()));
    });
    const bool ended_well = ending.how == Ending::How::exited && ending.code == 0;
    if (setup_.allocation && !ended_well && job_is_in_trouble()) ending.how = Ending::How::stopped;
    std::vector<Trial> trials = judge_launch(launch, setup_.launching, ending, trials_from(json.string()));
    if (turn.change != nullptr) {
      for (Trial& trial : trials) trial.tried = turn.change->tunables;
    }
    fs::remove(json, ignored);
    const bool cut_short = ending.how == Ending::How::stopped;
    if (cut_short && !std::ranges::any_of(trials, [](const Trial& trial) { return !trial.warms_up(); })) return false;
    keep(trials);
    if (turn.change == nullptr) rounds_.note(trials, ending.seconds);
    const auto bad = std::ranges::find_if(trials, [](const Trial& trial) { return trial.outcome != Outcome::right; });
    if (bad != trials.end()) {
      failures_ += 1;
      progress_.say(fmt::format(
          "duet: {}: {}: {}{}", planned.id, name_of(bad->outcome), bad->message,
          turn.change == nullptr && rounds_.worth_launching(planned.cell) ? "" : "; it is not launched again"));
    }
    return true;
  }

  StudyEnd finish() {
    progress_.clear();
    StudyEnd end;
    const bool out_of_time = stop_.received() == 0 && !rounds_.complete() && job_ends_first();
    end.interrupted = stop_.received() != 0 || out_of_time;
    end.interruption = out_of_time ? fmt::format("job {} ends soon", setup_.allocation->job) : "interrupted";
    end.failed_launches = failures_;
    for (const PlannedCell& planned : rounds_.plan()) end.refused_cells += planned.refusal.empty() ? 0 : 1;
    record_.ended_at = now_in_utc();
    record_.ending = end.interrupted ? "interrupted" : rounds_.complete() ? "complete" : "budget";
    if (end.interrupted) {
      save_state();
    } else {
      for (const std::string& warning : mark_disturbances(trials_)) add_once(record_.warnings, warning);
      for (const std::string& warning : rounds_.warnings()) add_once(record_.warnings, warning);
      std::error_code ignored;
      fs::remove(setup_.folder / "plan.json", ignored);
    }
    save_record(setup_.folder, record_);
    end.study = {record_, trials_};
    return end;
  }

  const StudySetup& setup_;
  const StopSignals& stop_;
  Rounds rounds_;
  StudyProgress progress_;
  StudyRecord record_;
  std::vector<Trial> trials_;
  std::vector<std::string> order_;  ///< ids of the present round that are still to be launched
  int launches_ = 0;
  int failures_ = 0;
  double spent_before_ = 0;
  Clock::time_point begin_ = Clock::now();
};

}  // namespace

FolderLock::FolderLock(const fs::path& folder) : folder_{folder} {
  std::error_code error;
  made_ = fs::create_directories(folder, error);
  if (error) throw std::runtime_error(fmt::format("{}: cannot be made: {}", folder.string(), error.message()));
  // The file that will be written to, so that a folder where nothing may be written is found out now. Not the folder
  // itself: a lock on one needs a write descriptor on NFS.
  const fs::path path = folder / "trials.jsonl";
  descriptor_ = open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0) {
    throw std::runtime_error(fmt::format("{}: cannot be written: {}", path.string(), std::strerror(errno)));
  }
  if (flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
  const int reason = errno;
  close(descriptor_);
  throw std::runtime_error(reason == EWOULDBLOCK
                               ? fmt::format("{}: another duet is measuring into this folder now", folder.string())
                               : fmt::format("{}: cannot be locked: {}", path.string(), std::strerror(reason)));
}

FolderLock::~FolderLock() {
  std::error_code ignored;
  const fs::path path = folder_ / "trials.jsonl";
  if (fs::is_empty(path, ignored) && !ignored) fs::remove(path, ignored);
  if (made_) fs::remove(folder_, ignored);  // only where it is empty
  close(descriptor_);
}

MachineLock::MachineLock(const std::string& name) {
  descriptor_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor_ < 0) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // A first byte of zero is the abstract namespace: no file, and free again when this process is gone.
  name.copy(address.sun_path + 1, sizeof address.sun_path - 1);
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  alone_ = bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), length) == 0 || errno != EADDRINUSE;
}

MachineLock::~MachineLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

bool holds_study(const fs::path& folder) { return fs::exists(folder / "study.json"); }

StudyEnd run_study(const StudySetup& setup, const StopSignals& stop) {
  Study study{setup, stop};
  study.begin();
  return study.run();
}

StudyEnd resume_study(const StudySetup& setup, const StopSignals& stop) {
  Study study{setup, stop};
  study.take_up();
  return study.run();
}

std::vector<Command> planned_launches(const StudySetup& setup, const std::vector<PlannedCell>& plan) {
  std::vector<Command> commands;
  const Repeats repeats = repeats_for(0);
  for (const PlannedCell& planned : shuffled(plan, setup.options.seed, 1)) {
    if (!planned.refusal.empty()) continue;
    CellLaunch launch;
    launch.cell = planned.cell;
    launch.round = 1;
    launch.launch = static_cast<int>(commands.size()) + 1;
    launch.repeat = repeats.repeat;
    launch.at_most = repeats.at_most;
    launch.time_limit = setup.options.time_limit_seconds;
    launch.json = (setup.folder / "launch.jsonl").string();
    commands.push_back(command_of(launch, setup.launching));
  }
  return commands;
}

}  // namespace duet
