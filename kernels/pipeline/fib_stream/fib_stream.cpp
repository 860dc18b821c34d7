#include "kernels/pipeline/fib_stream/fib_stream.hpp"

#include <gmp.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <memory>
#include <utility>

#include "kernels/arithmetic/fast_doubling.hpp"
#include "kernels/arithmetic/fibonacci_decimals.hpp"
#include "kernels/arithmetic/natural.hpp"
#include "kernels/arithmetic/transform/path.hpp"
#include "kernels/core/digest.hpp"
#include "kernels/core/mpi.hpp"
#include "kernels/core/tbb_team.hpp"
#include "kernels/pipeline/fib_stream/chunk.hpp"

namespace duet {
namespace {

FibInputs inputs_of(const Instance& instance) {
  return FibInputs::random(spread_called(instance.parameters.text("inputs")), instance.extents.at(0),
                           static_cast<std::uint64_t>(instance.parameters.whole("largest")), instance.seed);
}

double wait_seconds_of(const Instance& instance) {
  if (instance.parameters.text("work") != "wait") return 0;
  return 1e-3 * static_cast<double>(instance.parameters.whole("wait_ms"));
}

double cost_of(std::uint64_t n) { return fib_stream_nanoseconds(n, 0); }

/// Hands out random inputs in chunks of about the same cost.
class ChunkSource {
 public:
  ChunkSource(const FibInputs& inputs, std::int64_t grain, double wait_seconds, int workers)
      : inputs_{inputs}, grain_{wait_seconds > 0 ? 1 : grain} {
    // A few for each worker, also where all is done soon.
    constexpr std::int64_t looked_at = 256;
    constexpr double chunks_a_worker = 8;
    chunk_nanoseconds_ =
        std::min(fib_stream_chunk_nanoseconds, sum_over(inputs, looked_at, cost_of) / (chunks_a_worker * workers));
  }

  void rewind() { next_ = 0; }
  bool next(StreamItem& item) {
    if (next_ == inputs_.count()) return false;
    constexpr std::int64_t together = 64;
    n_.clear();
    const std::int64_t most = grain_ != 0 ? grain_ : most_inputs_in_chunk;
    const std::int64_t end = std::min(inputs_.count() - next_, most) + next_;
    double nanoseconds = 0;
    while (next_ < end && (grain_ != 0 || nanoseconds < chunk_nanoseconds_)) {
      const Range some{next_, std::min(end, next_ + together)};
      room_.resize(static_cast<std::size_t>(some.size()));
      for (const std::uint64_t n : inputs_.read(some, room_)) {
        n_.push_back(n);
        ++next_;
        if (grain_ == 0) nanoseconds += cost_of(n);
        if (grain_ == 0 && nanoseconds >= chunk_nanoseconds_) break;
      }
    }
    write_inputs(item, n_);
    return true;
  }

 private:
  FibInputs inputs_;
  std::int64_t grain_;
  double chunk_nanoseconds_ = 0;
  std::int64_t next_ = 0;
  std::vector<std::uint64_t> n_;
  std::vector<std::uint64_t> room_;
};

struct StreamPlace {
  StreamPlace(const Instance& instance, Model of_model, const Execution& with)
      : model{of_model},
        execution{with},
        inputs{inputs_of(instance)},
        seed{instance.seed},
        source{inputs, with.whole_or("grain", 0), wait_seconds_of(instance),
               with.threads * (passes_messages(of_model) ? size_of(with.communicator) : 1)} {
    if (!passes_messages(model)) execution.communicator = MPI_COMM_NULL;
    if (rank_in(execution.communicator) == 0) found.of_text.reserve(static_cast<std::size_t>(inputs.count()));
    if (model == Model::tbb) team = std::make_unique<TbbTeam>(execution);
    run.emplace(FibStream{.next = [this](StreamItem& item) { return source.next(item); },
                          .take = [this](StreamItem& item) { take(item); },
                          .wait_seconds = wait_seconds_of(instance),
                          .largest = inputs.largest()},
                model, execution);
  }
  StreamPlace(const StreamPlace&) = delete;
  StreamPlace& operator=(const StreamPlace&) = delete;

  void take(const StreamItem& item) {
    const auto* const words = reinterpret_cast<const std::uint64_t*>(item.data.data());
    found.of_text.insert(found.of_text.end(), words, words + item.count);
    found.bytes += static_cast<std::int64_t>(words[item.count]);
  }

  void execute() {
    switch (model) {
      case Model::serial:
        figures = fib_stream_serial(*run, execution);
        break;
      case Model::openmp:
        figures = fib_stream_openmp(*run, execution);
        break;
      case Model::tbb:
        figures = fib_stream_tbb(*run, execution, *team);
        break;
      case Model::mpi:
        figures = fib_stream_mpi(*run, execution);
        break;
      case Model::hybrid:
        figures = fib_stream_hybrid(*run, execution);
        break;
    }
  }

  /// The sum of all hashes with their places, which are on rank 0.
  [[nodiscard]] std::string digest() const {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < found.of_text.size(); ++i) sum += hash_at(i, found.of_text[i]);
    return digest_text(summed(sum, execution.communicator));
  }

  Model model;
  Execution execution;
  FibInputs inputs;
  std::uint64_t seed;
  ChunkSource source;
  FibDigests found;
  std::vector<std::uint64_t> expected;
  std::unique_ptr<TbbTeam> team;
  std::optional<FibStreamRun> run;
  StreamFigures figures;
};

Placed place_stream(Model model, const Instance& instance, const Execution& execution) {
  auto place = std::make_shared<StreamPlace>(instance, model, execution);
  Placed bound;
  bound.reset = [place] {
    place->found.of_text.clear();
    place->found.bytes = 0;
    place->source.rewind();
  };
  bound.execute = [place] { place->execute(); };
  bound.verify = [place] {
    return judge_fib_stream(place->inputs, place->found, place->expected, place->seed, place->execution);
  };
  bound.digest = [place] { return place->digest(); };
  bound.stages = [place] { return place->figures; };
  bound.facts["arithmetic"] = "radix 10^18: a table to n = " + std::to_string(FibonacciDecimals::most_index) +
                              ", transforms, " + std::string{fastest_path().name} + "; GMP " + gmp_version;
  if (passes_messages(model)) bound.facts["mapping"] = place->run->mapping_text();
  return bound;
}

std::vector<Setting> stream_tunables(Model model) {
  std::vector<Setting> tunables{{.name = "grain",
                                 .preset = "0",
                                 .meaning = "inputs that go together as one item; 0 chooses about 100 us of them",
                                 .most = 1'000'000}};
  if (model == Model::serial) return tunables;
  tunables.push_back({.name = "tokens",
                      .preset = "0",
                      .meaning = "items under way at once, in all; 0: 4 a worker, and as many as are waited for",
                      .most = 1'000'000});
  tunables.push_back({.name = "waiting",
                      .preset = "threads",
                      .meaning = "how work=wait waits",
                      .choices = {"blocking", "threads", "asynchronous"}});
  tunables.push_back({.name = "readers",
                      .preset = "20",
                      .meaning = "answers waited for at once, in all: threads, or a queue",
                      .least = 1,
                      .most = 1'000});
  if (passes_messages(model)) {
    tunables.push_back({.name = "mapping",
                        .preset = "auto",
                        .meaning = "whole items to ranks, or ranks of their own for each stage",
                        .choices = {"farm", "stages", "auto"}});
  }
  return tunables;
}

double memory_of(const Instance& instance, Model model, int ranks, int threads) {
  const FibInputs inputs = inputs_of(instance);
  const auto count = static_cast<double>(inputs.count());
  const double processes = passes_messages(model) ? ranks : 1;
  const double workers = processes * threads;
  const bool waits = wait_seconds_of(instance) > 0;
  constexpr double most_readers = 1'000;
  const double tokens = std::min(count, 4 * workers + 6 * processes + (waits ? most_readers : 0));
  // The hashes on rank 0 and what they should be; GMP's number, its text, and what it takes to make that.
  const double judging = 8 * count * (processes > 1 ? 3 : 2) + workers * 8 * fibonacci_digits(inputs.largest());
  return fib_stream_memory(inputs.largest(), tokens, workers) + judging + processes * 4e6;
}

}  // namespace

Problem fib_stream_problem() {
  Problem problem;
  problem.name = "fib_stream";
  problem.pattern = Pattern::pipeline;
  problem.workload = Workload::fibonacci;
  problem.summary = "a stream of n to decimal F(n)";
  problem.extent_names = {"count"};
  problem.largest_extent = 100'000'000;
  problem.parameters = {
      {.name = "largest",
       .preset = "100000",
       .meaning = "the largest n",
       .most = static_cast<std::int64_t>(largest_fibonacci_index)},
      {.name = "inputs",
       .preset = "log_uniform",
       .meaning = "how n is spread up to the largest",
       .choices = {"uniform", "log_uniform", "ascending", "giants"}},
      {.name = "work",
       .preset = "compute",
       .meaning = "compute F(n), or wait for somebody else who does",
       .choices = {"compute", "wait"}},
      {.name = "wait_ms", .preset = "50", .meaning = "milliseconds of a wait", .least = 1, .most = 60'000},
  };
  problem.sizes = {32, 128, 512, 2'048, 8'192, 32'768};
  problem.work = [](const Instance& instance) {
    const FibInputs inputs = inputs_of(instance);
    const double digits = sum_over(inputs, most_summed_inputs, fibonacci_digits);
    return Work{.operations = sum_over(inputs, most_summed_inputs,
                                       [](std::uint64_t n) { return static_cast<double>(std::bit_width(n)); }),
                .unit = "doubling step",
                .compulsory_bytes = 8 * static_cast<double>(inputs.count()) + digits};
  };
  problem.memory = memory_of;
  problem.variants = variants_of_all_models(stream_tunables, place_stream);
  return problem;
}

}  // namespace duet
