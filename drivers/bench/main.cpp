/// duet_bench: the kernels beside their peers. What it measures runs in processes of its own: `duet run` for ours, this
/// program with --peer for the others. google/benchmark chooses what is measured and writes the figures.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "drivers/bench/contest.hpp"
#include "drivers/bench/fibonacci_contests.hpp"
#include "drivers/bench/lineup.hpp"
#include "drivers/bench/matrix_contests.hpp"
#include "drivers/bench/peer.hpp"
#include "drivers/files/temporary_folder.hpp"
#include "drivers/placement.hpp"
#include "drivers/statistics/medians.hpp"

namespace duet {
namespace {

/// Holds what google/benchmark chooses.
class Bench {
 public:
  explicit Bench(const BenchOptions& options) : options_{options}, lineup_{options_, scratch_.path()} {
    const AddContest add_one{[this](const std::string& name, const std::function<Contest()>& make,
                                    const Figures& figures) { add(name, make, figures); }};
    list_matrix_contests(lineup_, options_, add_one);
    list_fibonacci_contests(lineup_, options_, add_one);
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] const std::string& tables() const { return tables_; }

 private:
  void add(const std::string& name, const std::function<Contest()>& make, const Figures& figures) {
    benchmark::RegisterBenchmark(name.c_str(),
                                 [this, make, figures](benchmark::State& state) { hold(make, figures, state); })
        ->Iterations(options_.rounds)
        ->UseManualTime()
        ->Unit(benchmark::kSecond);
  }

  /// One iteration is a round; its time is the sum of the contestants' times. The figures that count are the ratios.
  void hold(const std::function<Contest()>& make, const Figures& figures, benchmark::State& state) {
    try {
      Contest contest = make();
      for (const auto _ : state) state.SetIterationTime(contest.hold_round(lineup_.stop()));
      for (const Showing& showing : contest.showings()) {
        const Showing* const peer = contest.best_peer(showing.contestant.workers);
        if (showing.contestant.role != Contestant::Role::variant || peer == nullptr) continue;
        const Interval ratio = ratio_of_medians(peer->seconds, showing.seconds);
        state.counters[showing.contestant.name] = ratio.estimate;
        state.counters[showing.contestant.name + "_low"] = ratio.low;
        state.counters[showing.contestant.name + "_high"] = ratio.high;
      }
      tables_ += contest.table();
      if (figures) tables_ += figures(contest);
    } catch (const std::exception& error) {
      failed_ = true;
      state.SkipWithError(error.what());
    }
  }

  BenchOptions options_;
  TemporaryFolder scratch_;
  Lineup lineup_;
  std::string tables_;
  bool failed_ = false;
};

int bench_main(int argc, char** argv) {
  BenchOptions options;
  PeerOptions peer;
  CLI::App app{
      "Compares the kernels with the libraries that people use: each in processes of its own, on its best code path\n"
      "and as shipped, in interleaved rounds, every answer verified. Options of google/benchmark go to it.\n\n"
      "examples:\n"
      "  duet_bench --benchmark_filter=peer\n"
      "  duet_bench --benchmark_filter=peer/matmul --rounds 15\n"
      "  duet_bench --benchmark_filter=harness --rounds 25 --repeat 20\n"
      "  duet_bench --benchmark_list_tests\n"};
  app.allow_extras();
  app.add_option("--rounds", options.rounds, "rounds of each comparison; 6 at the least give an interval")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--repeat", options.repeat, "trials of a contestant in a round, after one to warm up")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--workers", options.workers, "threads or ranks; 0: one a core")->check(CLI::Range(0, 65536));
  app.add_option("--matmul-sizes", options.matmul_sizes, "n of the products by threads")
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("--matmul-rank-sizes", options.matmul_rank_sizes, "n or MxNxK of the products by ranks")
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("--strassen-sizes", options.strassen_sizes, "n of the products by Strassen-Winograd")
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("--stencil-size", options.stencil_size, "rows x columns of the grid; two are in memory")
      ->capture_default_str();
  app.add_option("--cholesky-sizes", options.cholesky_sizes, "n of the matrices that are factored")
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("--fib-batch-size", options.fib_batch_size, "numbers in a batch")->capture_default_str();
  app.add_option("--fib-modulo-size", options.fib_modulo_size, "residues in a batch")->capture_default_str();
  app.add_option("--fib-tree-size", options.fib_tree_size, "n of the tree with a chosen cut-off")
      ->capture_default_str();
  app.add_option("--fib-number-sizes", options.fib_number_sizes, "n of single numbers; the last one cold as well")
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("--product-bits", options.product_bits, "bits of the factors of a product")->capture_default_str();
  app.add_option("--harness-size", options.harness_size, "n of the products that show what measuring costs")
      ->capture_default_str();
  app.add_option("--peer", peer.name)->group("");
  app.add_option("--peer-size", peer.size)->group("");
  app.add_option("--peer-json", peer.json)->group("");
  std::vector<std::string> peer_settings;
  app.add_option("--peer-set", peer_settings)->group("")->take_all();
  CLI11_PARSE(app, argc, argv);

  if (!peer.name.empty()) {
    peer.threads = options.workers;
    peer.repeat = options.repeat;
    for (const std::string& setting : peer_settings) {
      const std::size_t equals = std::min(setting.find('='), setting.size() - 1);
      peer.parameters[setting.substr(0, equals)] = setting.substr(equals + 1);
    }
    return run_peer(peer);
  }
  // google/benchmark gets what is not ours.
  std::vector<std::string> rest = app.remaining();
  std::vector<char*> words{argv[0]};
  for (std::string& word : rest) words.push_back(word.data());
  int count = static_cast<int>(words.size());
  words.push_back(nullptr);
  benchmark::Initialize(&count, words.data());
  if (benchmark::ReportUnrecognizedArguments(count, words.data())) return EXIT_FAILURE;
  // What a user's shell says to OpenMP must not decide a comparison.
  static_cast<void>(scrub_environment());
  Bench bench{options};
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  // Standard output may be JSON that a program reads.
  fmt::print(stderr, "{}", bench.tables());
  return bench.failed() ? EXIT_FAILURE : EXIT_SUCCESS;
}

}  // namespace
}  // namespace duet

int main(int argc, char** argv) {
  try {
    return duet::bench_main(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "duet_bench: {}\n", error.what());
    return EXIT_FAILURE;
  }
}
