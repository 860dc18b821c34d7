#include "drivers/hazards/child.hpp"

#include <memory>
#include <mutex>
#include <optional>

#include "drivers/command.hpp"
#include "drivers/hazards/seen_run.hpp"
#include "drivers/placement.hpp"
#include "drivers/session.hpp"
#include "drivers/watchdog.hpp"

namespace duet {
namespace {

using hazards::Form;
using hazards::Hazard;
using hazards::Observation;

/// Half a second in which no rank comes on, each with a core for long enough: far more than any message takes.
constexpr double deadlock_seconds = 0.5;

/// What runs now, for the watchdog's thread.
class Running {
 public:
  void begins(const Form& form, int round) { now(&form, round, {}); }
  void so_far(const Observation& seen) {
    const std::scoped_lock lock{mutex_};
    seen_ = seen;
  }
  void ended() { now(nullptr, 0, {}); }

  /// The run that ends in `hang`; none where it shows no deadlock.
  [[nodiscard]] std::optional<SeenRun> that_hangs(const Hang& hang) const {
    const std::scoped_lock lock{mutex_};
    SeenRun run{.form = form_ == nullptr ? "" : form_->name, .round = round_, .seen = seen_};
    run.seen.deadlock = deadlock_text(hang.diagnosis);
    if (run.form.empty() || run.seen.deadlock.empty()) return std::nullopt;
    return run;
  }

 private:
  void now(const Form* form, int round, const Observation& seen) {
    const std::scoped_lock lock{mutex_};
    form_ = form;
    round_ = round;
    seen_ = seen;
  }

  mutable std::mutex mutex_;
  const Form* form_ = nullptr;
  int round_ = 0;
  Observation seen_;
};

/// Starts message passing under a watchdog that writes down the run that ends in a deadlock.
std::unique_ptr<Session> watched_session(const std::shared_ptr<Running>& running, const std::string& file) {
  const Launched launch = launched();
  watch({.rank = launch.rank, .ranks = launch.ranks, .remind_seconds = 0, .deadline_seconds = deadlock_seconds});
  before_ending([running, file](const Hang& hang) {
    if (const auto run = running->that_hangs(hang)) append_run(file, *run);
  });
  auto session = std::make_unique<Session>(Workers{.model = Model::mpi, .threads = 1, .oversubscribe = true});
  watch_each_other(session->communicator());
  return session;
}

}  // namespace

std::string deadlock_text(const Diagnosis& diagnosis) {
  using Kind = Diagnosis::Kind;
  if (diagnosis.kind != Kind::cycle && diagnosis.kind != Kind::mismatch) return {};
  std::string text = diagnosis.kind == Kind::mismatch ? diagnosis.headline + "\n" : "";
  for (const std::string& line : diagnosis.lines()) text += line + "\n";
  text.pop_back();
  return text;
}

int run_forms(const std::string& name, const ChildOptions& options) {
  const Hazard& hazard = hazards::hazard_called(name);
  std::vector<const Form*> forms;
  for (const std::string& form : options.forms) forms.push_back(&hazard.form(form));
  const bool by_messages = !forms.empty() && forms.front()->by == hazards::By::messages;

  hazards::Stage stage;
  stage.execution.threads = options.workers;
  const auto running = std::make_shared<Running>();
  std::unique_ptr<Session> session;
  int rank = 0;
  if (by_messages) {
    session = watched_session(running, options.file);
    rank = session->rank();
    stage.execution.communicator = session->communicator();
    stage.so_far = [running](const Observation& seen) { running->so_far(seen); };
  } else if (const auto cores = usable_cores(); static_cast<int>(cores.size()) >= options.workers) {
    stage.execution.on_worker_start = [places = places_for(cores, 0, options.workers)](int worker) {
      bind_this_thread(places.at(static_cast<std::size_t>(worker)));
    };
  }

  for (int round = 0; round <= options.rounds; ++round) {
    for (std::size_t i = 0; i < forms.size(); ++i) {
      // Another one is first in each round, so that none always follows the same one.
      const Form& form = *forms[(i + static_cast<std::size_t>(round)) % forms.size()];
      running->begins(form, round);
      const Observation seen = form.run(stage);
      running->ended();
      if (session) session->barrier();
      if (rank == 0) append_run(options.file, {form.name, round, seen});
    }
  }
  watch_no_longer();
  return status::right;
}

}  // namespace duet
