#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

#include "kernels/arithmetic/fast_doubling.hpp"
#include "kernels/arithmetic/fibonacci_decimals.hpp"
#include "kernels/arithmetic/natural.hpp"
#include "kernels/core/mpi.hpp"
#include "kernels/core/tbb_team.hpp"
#include "kernels/pipeline/fib_stream/stages.hpp"

namespace duet {
namespace {

constexpr std::int64_t preset_readers = 20;

Waiting waiting_called(std::string_view name) {
  if (name == "blocking") return Waiting::blocking;
  if (name == "threads") return Waiting::threads;
  if (name == "asynchronous") return Waiting::asynchronous;
  throw std::invalid_argument("waiting: '" + std::string{name} + "'");
}

Waiting waiting_of(Model model, const Execution& execution) {
  // One worker who does it all has nobody to leave a wait to.
  return model == Model::serial ? Waiting::blocking : waiting_called(execution.text_or("waiting", "threads"));
}

/// What of `all` a process has, where `processes` share it: at least one.
int share_for(std::int64_t all, int processes) {
  return static_cast<int>(std::max<std::int64_t>(1, (all + processes - 1) / processes));
}

StreamLimits limits_of(const FibStream& asked, Waiting waiting, int processes, const Execution& execution) {
  const std::int64_t tokens = execution.whole_or("tokens", 0);
  const int readers = share_for(execution.whole_or("readers", preset_readers), processes);
  StreamLimits limits{.tokens = tokens == 0 ? 0 : share_for(tokens, processes), .readers = 0, .writers = 0};
  if (asked.wait_seconds == 0 || waiting == Waiting::blocking) return limits;
  limits.readers = readers;
  if (tokens == 0)
    limits.tokens = waiting == Waiting::asynchronous ? readers : readers + limits.tokens_for(execution.threads);
  return limits;
}

/// The busiest rank's time for an item of these costs, and what it moves.
double seconds_of(const std::vector<StageGroup>& groups, const FibStages::Sample& cost) {
  // A message through shared memory, or a fast network: what is wanted is the order of magnitude.
  constexpr double seconds_a_byte = 0.2e-9;
  constexpr double seconds_a_message = 2e-6;
  double most = 0;
  for (const StageGroup& group : groups) {
    double seconds = 0;
    for (std::size_t stage = group.begin; stage < group.end; ++stage) seconds += cost.seconds[stage];
    const double moved = cost.bytes[group.begin] + cost.bytes[group.end];
    most = std::max(most, (seconds + 2 * seconds_a_message + seconds_a_byte * moved) / group.ranks);
  }
  // Rank 0 sends every item and receives every answer.
  return most + 2 * seconds_a_message + seconds_a_byte * (cost.bytes.front() + cost.bytes.back());
}

/// The same on all ranks.
std::vector<StageGroup> groups_of(FibStages& stages, const Execution& execution) {
  const std::size_t count = stages.stream().stages.size();
  const int ranks = size_of(execution.communicator);
  const std::string mapping = execution.text_or("mapping", "auto");
  const std::vector<StageGroup> whole = farm(count, ranks);
  if (mapping == "farm" || ranks == 1) return whole;
  if (mapping != "auto" && mapping != "stages") throw std::invalid_argument("mapping: '" + mapping + "'");
  // Who waits can wait for much at once: ranks of their own would only wait for fewer.
  if (mapping == "auto" && stages.asked().wait_seconds > 0) return whole;
  FibStages::Sample cost = stages.sample();
  check(MPI_Allreduce(MPI_IN_PLACE, cost.seconds.data(), mpi_count(static_cast<std::int64_t>(count)), MPI_DOUBLE,
                      MPI_MAX, execution.communicator));
  const std::vector<StageGroup> divided = stages_by_cost(cost.seconds, ranks);
  if (mapping == "stages") return divided;
  return seconds_of(divided, cost) < seconds_of(whole, cost) ? divided : whole;
}

}  // namespace

FibStreamRun::FibStreamRun(const FibStream& asked, Model model, const Execution& execution) {
  if (asked.modulus == 0 && asked.largest != UINT64_MAX && asked.largest > largest_fibonacci_index) {
    throw std::invalid_argument("largest: " + std::to_string(asked.largest) + " is too large for exact F(n); " +
                                std::to_string(largest_fibonacci_index) + " is the most");
  }
  const Waiting waiting = waiting_of(model, execution);
  stages_ = std::make_unique<FibStages>(asked, waiting);
  const int processes = passes_messages(model) ? size_of(execution.communicator) : 1;
  limits_ = limits_of(asked, waiting, processes, execution);
  if (passes_messages(model)) groups_ = groups_of(*stages_, execution);
}

FibStreamRun::FibStreamRun(FibStreamRun&&) noexcept = default;
FibStreamRun& FibStreamRun::operator=(FibStreamRun&&) noexcept = default;
FibStreamRun::~FibStreamRun() = default;

const Stream& FibStreamRun::stream() const { return stages_->stream(); }

std::string FibStreamRun::mapping_text() const { return duet::mapping_text(groups_, stream()); }

void FibStreamRun::begin() const { stages_->forget_ends(); }

StreamFigures FibStreamRun::with_ends(StreamFigures measured, MPI_Comm communicator) const {
  StageFigures source = stages_->source_figures();
  StageFigures take = stages_->take_figures();
  if (communicator != MPI_COMM_NULL) {
    // Both are on rank 0.
    std::array<std::int64_t, 4> counts{source.items, source.bytes_out, take.items, take.bytes_in};
    std::array<double, 2> seconds{source.useful_seconds, take.useful_seconds};
    check(MPI_Bcast(counts.data(), static_cast<int>(counts.size()), MPI_INT64_T, 0, communicator));
    check(MPI_Bcast(seconds.data(), static_cast<int>(seconds.size()), MPI_DOUBLE, 0, communicator));
    source.items = counts[0];
    source.bytes_out = counts[1];
    take.items = counts[2];
    take.bytes_in = take.bytes_out = counts[3];
    source.useful_seconds = seconds[0];
    take.useful_seconds = seconds[1];
  }
  measured.insert(measured.begin(), std::move(source));
  measured.push_back(std::move(take));
  return measured;
}

StreamFigures fib_stream(const FibStream& asked, Model model, const Execution& execution) {
  const FibStreamRun run{asked, model, execution};
  switch (model) {
    case Model::serial:
      return fib_stream_serial(run, execution);
    case Model::openmp:
      return fib_stream_openmp(run, execution);
    case Model::tbb: {
      if (!execution.on_worker_start) return fib_stream_tbb(run, execution, TbbTeam::kept(execution.threads));
      TbbTeam team{execution};
      return fib_stream_tbb(run, execution, team);
    }
    case Model::mpi:
      return fib_stream_mpi(run, execution);
    case Model::hybrid:
      return fib_stream_hybrid(run, execution);
  }
  throw std::logic_error("a model without fib_stream");
}

double fib_stream_nanoseconds(std::uint64_t n, std::uint64_t modulus) {
  constexpr double residue = 100;
  if (modulus != 0) return residue;
  const auto x = static_cast<double>(n);
  // From the table, by the digit; beyond it by doubling, and as much again for text and hash.
  if (n <= FibonacciDecimals::most_index) return 50 + 0.13 * x;
  return 1.5 * fibonacci_nanoseconds(n);
}

double fib_stream_memory(std::uint64_t n, double tokens, double workers) {
  // A chunk of many numbers has about 0.1 ms of work, which is 0.2 MB of text at the most. An item has two buffers.
  constexpr double chunk = 0.6e6;
  const double item = std::max(chunk, 2.2 * fibonacci_digits(n));
  const double context = n <= FibonacciDecimals::most_index ? 0 : 1.3 * doubling_bytes(n, decimal_radix_for_index(n));
  return tokens * item + workers * context + 1e6;
}

}  // namespace duet
