#include "drivers/measure.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include "drivers/command.hpp"
#include "drivers/machine.hpp"
#include "drivers/resident_memory.hpp"
#include "drivers/traffic/meter.hpp"
#include "drivers/watchdog.hpp"
#include "kernels/core/mpi.hpp"

namespace duet {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

std::string now_in_utc() { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::now())); }

double largest_over(MPI_Comm communicator, double mine) {
  if (communicator != MPI_COMM_NULL) check(MPI_Allreduce(MPI_IN_PLACE, &mine, 1, MPI_DOUBLE, MPI_MAX, communicator));
  return mine;
}

/// The same on all ranks; rank 0 decides.
bool agreed(MPI_Comm communicator, bool on_rank_0) {
  int flag = on_rank_0 ? 1 : 0;
  if (communicator != MPI_COMM_NULL) check(MPI_Bcast(&flag, 1, MPI_INT, 0, communicator));
  return flag != 0;
}

/// One value of each thread of each rank, on rank 0.
std::vector<double> of_all_workers(MPI_Comm communicator, const Timesheet& timesheet, double Booked::*field) {
  std::vector<double> mine;
  for (int thread = 0; thread < timesheet.threads(); ++thread) mine.push_back(timesheet.of(thread).*field);
  if (communicator == MPI_COMM_NULL) return mine;
  std::vector<double> all(mine.size() * static_cast<std::size_t>(size_of(communicator)));
  const int count = mpi_count(static_cast<std::int64_t>(mine.size()));
  check(MPI_Gather(mine.data(), count, MPI_DOUBLE, all.data(), count, MPI_DOUBLE, 0, communicator));
  return all;
}

void refuse_without_memory(const Problem& problem, const Instance& instance, const Session& session, double bytes) {
  // One rank may find less than another; all must come to one conclusion.
  std::string message;
  try {
    duet::refuse_without_memory(
        fmt::format("{} of size {} in {}", problem.name, instance.size_text(), name_of(session.model())), bytes);
  } catch (const UsageError& error) {
    message = error.what();
  }
  if (largest_over(session.communicator(), message.empty() ? 0 : 1) > 0) {
    throw UsageError(message.empty() ? "another node has too little memory" : message);
  }
}

/// Whether trial `number` still warms up. The same on all ranks, as their times are.
bool warms_up(const MeasureOptions& options, int number, double seconds_so_far) {
  if (options.warm_up) return number < *options.warm_up;
  return number == 0 || (number < most_warm_ups && seconds_so_far < warm_up_seconds);
}

}  // namespace

Cell cell_of(const Problem& problem, const Variant& variant, const Instance& instance, const Settings& tunables,
             const Session& session) {
  return {.problem = problem.name,
          .model = variant.model,
          .size = instance.size_text(),
          .seed = instance.seed,
          .parameters = {instance.parameters.all().begin(), instance.parameters.all().end()},
          .tunables = {tunables.all().begin(), tunables.all().end()},
          .nodes = session.nodes(),
          .ranks = session.ranks(),
          .threads = session.threads()};
}

bool measure(const Problem& problem, const Variant& variant, const Instance& instance, const Settings& tunables,
             const Session& session, const MeasureOptions& options, const std::function<void(const Trial&)>& each) {
  const double bytes = problem.memory(instance, variant.model, session.node_ranks(), session.threads());
  refuse_without_memory(problem, instance, session, bytes);
  const MPI_Comm communicator = session.communicator();

  Trial record;
  record.cell = cell_of(problem, variant, instance, tunables, session);
  record.round = options.round;
  record.launch = options.launch;
  record.places = session.places();
  const Work work = problem.work(instance);
  record.operations = work.operations;
  record.unit = work.unit;
  record.compulsory_bytes = work.compulsory_bytes;

  const ResidentMemory memory;
  record.estimated_memory_bytes = bytes / session.node_ranks();
  Timesheet timesheet{session.threads()};
  Phase phase{"placing the operands"};
  const Clock::time_point before_placing = Clock::now();
  Placed placed;
  try {
    placed = variant.place(instance, session.execution(tunables, &timesheet));
  } catch (const std::invalid_argument& error) {
    throw UsageError(error.what());  // a tunable that cannot serve: by the contract every rank says so
  }
  record.place_seconds = largest_over(communicator, seconds_since(before_placing));
  record.facts = placed.facts;

  std::optional<TrafficMeter> meter;
  if (communicator != MPI_COMM_NULL) meter.emplace(communicator);
  const auto canary = [&] { return options.canary_seconds > 0 ? session.canary(options.canary_seconds) : Canary{}; };
  bool all_right = true;
  Canary before = canary();
  const Clock::time_point begin = Clock::now();
  double warming_seconds = 0;
  for (int number = 0, counted = 0; counted < options.repeat; ++number) {
    const bool warming = counted == 0 && warms_up(options, number, warming_seconds);
    const bool enough = options.at_most > 0 && counted > 0 && seconds_since(begin) > options.at_most;
    if (agreed(communicator, enough)) break;
    if (!warming) ++counted;
    Trial trial = record;
    trial.number = number;
    trial.marks = session.marks();
    if (warming) trial.marks.emplace_back("warm_up");
    trial.started_at = now_in_utc();
    trial.canary_before = before.operations_per_second;

    phase.now(fmt::format("trial {}: resetting", number), number);
    placed.reset();
    timesheet.clear();
    if (meter) meter->clear();
    phase.now(fmt::format("trial {}: executing", number));
    session.barrier();
    std::optional<TrafficMeter::Running> counting;
    if (meter) counting.emplace(*meter);
    const Clock::time_point start = Clock::now();
    placed.execute();
    const double mine = seconds_since(start);
    counting.reset();
    trial.seconds = largest_over(communicator, mine);
    if (number == 0) record.memory_bytes = largest_over(communicator, memory.peak_growth());
    trial.memory_bytes = record.memory_bytes;
    if (warming) warming_seconds += trial.seconds;

    trial.useful_seconds = of_all_workers(communicator, timesheet, &Booked::useful);
    trial.communicating_seconds = of_all_workers(communicator, timesheet, &Booked::communicating);
    const Canary after = canary();
    trial.canary_after = after.operations_per_second;
    trial.hop_seconds = std::max(before.hop_seconds, after.hop_seconds);
    before = after;
    if (meter) trial.traffic = over_all(communicator, meter->total());

    phase.now(fmt::format("trial {}: verifying", number));
    const Clock::time_point before_verifying = Clock::now();
    const Judgement judgement = placed.verify();
    trial.verify_seconds = largest_over(communicator, seconds_since(before_verifying));
    trial.outcome = judgement.right ? Outcome::right : Outcome::wrong;
    trial.message = judgement.explanation;
    trial.error = judgement.error;
    trial.bound = judgement.bound;
    if (placed.digest) trial.digest = placed.digest();
    if (placed.stages) trial.stages = placed.stages();
    all_right = all_right && judgement.right;
    if (session.rank() == 0) each(trial);
  }
  return all_right;
}

}  // namespace duet
