/// duet_bench: the kernels beside their peers. What it measures runs in processes of its own: `duet run` for ours, this
/// program with --peer for the others. google/benchmark chooses what is measured and writes the figures.

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "drivers/bench/contest.hpp"
#include "drivers/bench/peer.hpp"
#include "drivers/placement.hpp"
#include "drivers/statistics/medians.hpp"
#include "drivers/statistics/task_granularity.hpp"
#include "drivers/statistics/text.hpp"
#include "kernels/divide_and_conquer/fib_tree/tree.hpp"
#include "kernels/registry.hpp"

namespace duet {
namespace {

namespace fs = std::filesystem;

struct BenchOptions {
  int rounds = 7;
  int repeat = 2;
  int workers = 0;
  std::vector<std::string> matmul_sizes{"4096", "8192"};
  std::vector<std::string> matmul_rank_sizes{"2048", "4096", "8192", "1024x1024x262144", "16384x16384x256"};
  std::vector<std::string> strassen_sizes{"4096", "8192", "12288"};
  std::string stencil_size = "16384x32768";
  std::vector<std::string> cholesky_sizes{"4096", "8192"};
  std::string fib_batch_size = "2048";
  std::string fib_modulo_size = "10000000";
  std::string fib_tree_size = "40";
  std::string harness_size = "640";
  PeerOptions peer;
};

/// A folder that goes when the program ends.
class Scratch {
 public:
  Scratch() {
    std::string name = (fs::temp_directory_path() / "duet_bench.XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder: " + name);
    path_ = name;
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

class Bench {
 public:
  explicit Bench(BenchOptions options) : options_{std::move(options)} {
    const fs::path self = fs::read_symlink("/proc/self/exe");
    self_ = self.string();
    launching_.duet = (self.parent_path() / "duet").string();
    launching_.launcher.cores_per_node = static_cast<int>(usable_cores().size());
    if (options_.workers == 0) options_.workers = launching_.launcher.cores_per_node;
    launching_.oversubscribe = options_.workers > launching_.launcher.cores_per_node;
    launching_.launcher.words = mpirun_words(default_mpirun(), 1, ::geteuid() == 0, {});
  }

  /// Registers what google/benchmark may choose from.
  void list() {
    for (const std::string& size : options_.matmul_sizes) {
      add("peer/matmul/" + size + "/threads", [this, size] { return matmul_of_threads(size); });
    }
    for (const std::string& size : options_.matmul_rank_sizes) {
      add("peer/matmul/" + size + "/ranks", [this, size] { return matmul_of_ranks(size); });
    }
    for (const std::string& size : options_.strassen_sizes) {
      add("peer/strassen/" + size, [this, size] { return strassen(size); });
    }
    add("peer/stencil/" + options_.stencil_size, [this] { return stencil(); });
    for (const std::string& size : options_.cholesky_sizes) {
      add("peer/cholesky/" + size + "/threads", [this, size] { return cholesky_of_threads(size); });
      add("peer/cholesky/" + size + "/ranks", [this, size] { return cholesky_of_ranks(size); });
    }
    add("peer/fib_batch/" + options_.fib_batch_size, [this] { return fib_batch(); });
    for (const char* const modulus : {"1125899906842597", "9223372036854775783"}) {
      add(fmt::format("peer/fib_batch/modulo/{}", modulus), [this, modulus] { return fib_batch_modulo(modulus); });
    }
    for (const Model model : {Model::openmp, Model::tbb, Model::mpi, Model::hybrid}) {
      const std::string name{name_of(model)};
      if (model != Model::hybrid) {
        add(
            "peer/fib_tree/spawn/" + name, [this, model] { return tree_without_cutoff(model, "end"); }, tree_price);
      }
      if (model == Model::openmp || model == Model::tbb) {
        add(
            "peer/fib_tree/join/" + name, [this, model] { return tree_without_cutoff(model, "call"); }, tree_price);
      }
      add(
          "peer/fib_tree/curve/" + name, [this, model] { return tree_curve(model); }, tree_figures);
    }
    add("peer/fib_tree/steal", [this] { return tree_steals(); });
    add("peer/fib_tree/" + options_.fib_tree_size, [this] { return tree_with_cutoff(); });
    for (const char* const extent : {"8", "16"}) {
      add(fmt::format("peer/matrix_batch/tiny/{}", extent), [this, extent] { return tiny_batch(extent); });
    }
    add("peer/matrix_batch/giants", [this] { return batch_of_giants(); });
    add("peer/matrix_batch/skewed", [this] { return skewed_batch(); });
    add("harness/matmul/" + options_.harness_size, [this] { return harness(); });
  }
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] const std::string& tables() const { return tables_; }

 private:
  /// What else there is to say of a contest, after its table.
  using Figures = std::function<std::string(const Contest&)>;

  void add(const std::string& name, const std::function<Contest()>& make, const Figures& figures = {}) {
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
      for (const auto _ : state) state.SetIterationTime(contest.hold_round(stop_));
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

  /// The n of trees whose tasks are counted singly: half a million of them, and 1.5 ms of calls.
  static constexpr std::int64_t tree_n = 28;

  using Tunables = std::map<std::string, std::string>;
  using Parameters = std::map<std::string, std::string>;
  [[nodiscard]] Contestant variant(const std::string& problem, Model model, const std::string& size,
                                   const Tunables& tunables = {}, const Parameters& parameters = {}) const {
    return variant(problem, model, size,
                   Workers{.ranks = passes_messages(model) ? options_.workers : 1,
                           .threads = runs_threads(model) ? options_.workers : 1},
                   tunables, parameters);
  }

  struct Workers {
    int ranks = 1;
    int threads = 1;
  };
  [[nodiscard]] Contestant variant(const std::string& problem, Model model, const std::string& size,
                                   const Workers& workers, const Tunables& tunables = {},
                                   const Parameters& parameters = {}) const {
    const Instance instance = problem_called(problem).pose(size, 1, parameters);
    CellLaunch launch;
    launch.cell = {.problem = problem, .model = model, .size = instance.size_text(), .parameters = parameters};
    launch.cell.tunables = tunables;
    launch.cell.threads = workers.threads;
    launch.cell.ranks = workers.ranks;
    launch.repeat = options_.repeat;
    launch.at_most = 600;
    launch.json = "FILE";
    Command command = command_of(launch, launching_);
    command.pop_back();  // the file comes when it is run
    std::string name{name_of(model)};
    for (const auto& [tunable, value] : tunables) name += fmt::format(" {}={}", tunable, value);
    return {.name = std::move(name), .workers = launch.cell.workers(), .command = std::move(command)};
  }

  /// A peer with what its environment must say before its library is loaded.
  [[nodiscard]] Contestant peer(const std::string& name, Contestant::Role role, const std::string& size, int workers,
                                const std::vector<std::string>& environment, const Parameters& parameters = {}) const {
    Command command{"env"};
    command.insert(command.end(), environment.begin(), environment.end());
    command.insert(command.end(), {self_, "--peer", name, "--peer-size", size, "--workers", std::to_string(workers),
                                   "--repeat", std::to_string(options_.repeat)});
    for (const auto& [key, value] : parameters) {
      command.insert(command.end(), {"--peer-set", fmt::format("{}={}", key, value)});
    }
    command.emplace_back("--peer-json");
    return {.name = name, .role = role, .workers = workers, .command = std::move(command)};
  }

  /// A code path of a library, asked for by its environment, and the least time it took.
  struct Candidate {
    std::vector<std::string> environment{};
    double seconds = std::numeric_limits<double>::infinity();
    std::string trouble{};
  };

  /// Leaves the time as it is where this processor cannot run the path, or this build does not have it.
  void try_out(const std::string& name, Candidate& candidate) const {
    try {
      const Contestant contestant = peer(name, Contestant::Role::peer, "1536", options_.workers, candidate.environment);
      for (const Trial& trial : trials_of(contestant, scratch_.path(), stop_)) {
        candidate.seconds = std::min(candidate.seconds, trial.seconds);
      }
    } catch (const std::runtime_error& error) {
      candidate.trouble = error.what();
    }
  }

  /// A threaded BLAS as it is shipped and on its best code path: the fastest of those that its makers offer for
  /// processors like this one, tried here.
  void add_blas(std::vector<Contestant>& contestants, const std::string& name, const std::string& size) {
    const bool blis = name.find("blis") != std::string::npos;
    // Threads on cores of their own, as each library's makers advise; the pthread build knows nothing of OpenMP's
    // binding and would be put on one core by it.
    std::vector<std::string> environment{fmt::format("OMP_NUM_THREADS={}", options_.workers),
                                         fmt::format("OPENBLAS_NUM_THREADS={}", options_.workers),
                                         fmt::format("BLIS_NUM_THREADS={}", options_.workers)};
    if (!name.ends_with("pthread")) environment.insert(environment.end(), {"OMP_PLACES=cores", "OMP_PROC_BIND=close"});
    // BLIS 0.9 counts its code paths: 0 is skx, 3 haswell, 6 zen3.
    const std::vector<std::string> paths = blis ? std::vector<std::string>{"0", "3", "6"}
                                                : std::vector<std::string>{"Cooperlake", "SkylakeX", "Haswell", "Zen"};
    std::vector<Candidate> candidates{{.environment = environment}};
    for (const std::string& path : paths) {
      candidates.push_back({.environment = environment});
      candidates.back().environment.push_back((blis ? "BLIS_ARCH_TYPE=" : "OPENBLAS_CORETYPE=") + path);
    }
    for (int round = 0; round < 3; ++round) {
      for (Candidate& candidate : candidates) try_out(name, candidate);
    }
    const Candidate& shipped = candidates.front();
    if (shipped.seconds == std::numeric_limits<double>::infinity()) throw std::runtime_error(shipped.trouble);
    // A path that is 3 % faster is another one; less is noise.
    const Candidate& fastest = *std::ranges::min_element(candidates, {}, &Candidate::seconds);
    const std::vector<std::string> forced =
        fastest.seconds < 0.97 * shipped.seconds ? fastest.environment : std::vector<std::string>{};
    const bool as_shipped_is_best = forced.empty();
    contestants.push_back(
        peer(name, Contestant::Role::peer, size, options_.workers, as_shipped_is_best ? environment : forced));
    if (as_shipped_is_best) {
      contestants.back().name += " (as shipped)";
    } else {
      contestants.push_back(peer(name, Contestant::Role::as_shipped, size, options_.workers, environment));
      contestants.back().name += " as shipped";
    }
  }

  Contest matmul_of_threads(const std::string& size) {
    std::vector<Contestant> contestants;
    for (const Model model : {Model::openmp, Model::tbb, Model::mpi}) {
      contestants.push_back(variant("matmul", model, size));
    }
    for (const char* const name : {"openblas-pthread", "openblas-openmp", "blis-openmp"}) {
      add_blas(contestants, name, size);
    }
    contestants.push_back(peer("fma-peak", Contestant::Role::ceiling, "0", options_.workers, {}));
    return {fmt::format("matmul, n = {}, {} workers", size, options_.workers), std::move(contestants), scratch_.path(),
            1};
  }

  /// Against the product of the definition, whose operations the rates are counted by.
  Contest strassen(const std::string& size) {
    std::vector<Contestant> contestants;
    for (const Model model : {Model::openmp, Model::tbb, Model::mpi}) {
      contestants.push_back(variant("strassen", model, size));
    }
    for (const char* const name : {"openblas-pthread", "openblas-openmp", "blis-openmp"}) {
      add_blas(contestants, name, size);
    }
    contestants.push_back(peer("fma-peak", Contestant::Role::ceiling, "0", options_.workers, {}));
    return {fmt::format("strassen, n = {}, {} workers", size, options_.workers), std::move(contestants),
            scratch_.path(), 6};
  }

  /// Sweep by sweep and several sweeps in a pass, against the bandwidth that the triad has in the same round.
  Contest stencil() {
    std::vector<Contestant> contestants;
    for (const Model model : {Model::openmp, Model::tbb, Model::mpi}) {
      contestants.push_back(variant("stencil", model, options_.stencil_size, {{"temporal", "1"}}));
      contestants.push_back(variant("stencil", model, options_.stencil_size));
    }
    contestants.push_back(peer("triad", Contestant::Role::peer, options_.stencil_size, options_.workers,
                               {"OMP_PLACES=cores", "OMP_PROC_BIND=close"}));
    return {fmt::format("stencil, {} points, 16 sweeps, {} workers; triad: 16 bytes a point and sweep",
                        options_.stencil_size, options_.workers),
            std::move(contestants), scratch_.path(), 4};
  }

  Contest cholesky_of_threads(const std::string& size) {
    std::vector<Contestant> contestants{variant("cholesky", Model::openmp, size),
                                        variant("cholesky", Model::tbb, size)};
    for (const char* const name : {"dpotrf-openblas-pthread", "dpotrf-openblas-openmp"}) {
      add_blas(contestants, name, size);
    }
    contestants.push_back(peer("fma-peak", Contestant::Role::ceiling, "0", options_.workers, {}));
    return {fmt::format("cholesky, n = {}, {} threads", size, options_.workers), std::move(contestants),
            scratch_.path(), 4};
  }

  /// A routine of ScaLAPACK over the serial OpenBLAS with the code path asked for, one rank a worker.
  [[nodiscard]] Contestant scalapack(const std::string& routine, const std::string& code_path, int grid_rows, int block,
                                     const std::string& size) const {
    const std::string name = fmt::format("{}-{}-{}", routine, grid_rows, block);
    Contestant contestant = peer(name, Contestant::Role::peer, size, options_.workers,
                                 {fmt::format("LD_LIBRARY_PATH={}/openblas-serial", DUET_LIBRARY_FOLDER),
                                  "OPENBLAS_CORETYPE=" + code_path, "OPENBLAS_NUM_THREADS=1"});
    Command words = starting(launching_.launcher, {.ranks = options_.workers, .passes_messages = true});
    contestant.command.insert(contestant.command.begin(), words.begin(), words.end());
    return contestant;
  }

  /// The grid, block and code path with which ScaLAPACK is fastest here at the size `tried`, of about half a second.
  [[nodiscard]] Contestant best_scalapack(const std::string& routine, const std::vector<int>& blocks,
                                          const std::string& tried, const std::string& size) const {
    struct Choice {
      std::string code_path{};
      int grid_rows = 1;
      int block = 0;
      double seconds = std::numeric_limits<double>::infinity();
    };
    std::string trouble;
    const auto fastest_of = [&](std::vector<Choice> choices) {
      for (int round = 0; round < 3; ++round) {
        for (Choice& choice : choices) {
          const Contestant contestant = scalapack(routine, choice.code_path, choice.grid_rows, choice.block, tried);
          try {
            for (const Trial& trial : trials_of(contestant, scratch_.path(), stop_)) {
              choice.seconds = std::min(choice.seconds, trial.seconds);
            }
          } catch (const std::runtime_error& error) {
            trouble = error.what();
          }
        }
      }
      return *std::ranges::min_element(choices, {}, &Choice::seconds);
    };
    const int middle = blocks.at(blocks.size() / 2);
    const Choice path =
        fastest_of({{"Cooperlake", 1, middle}, {"SkylakeX", 1, middle}, {"Haswell", 1, middle}, {"Zen", 1, middle}});
    if (path.seconds == std::numeric_limits<double>::infinity()) throw std::runtime_error(trouble);
    std::vector<Choice> shapes;
    for (int rows = 1; rows <= options_.workers; ++rows) {
      if (options_.workers % rows != 0) continue;
      for (const int block : blocks) shapes.push_back({path.code_path, rows, block});
    }
    const Choice best = fastest_of(shapes);
    return scalapack(routine, best.code_path, best.grid_rows, best.block, size);
  }

  /// Ours beside ScaLAPACK: a rank a worker, and hybrid with as many workers in all.
  [[nodiscard]] std::vector<Contestant> variants_of_ranks(const std::string& problem, const std::string& size) const {
    std::vector<Contestant> contestants{variant(problem, Model::mpi, size)};
    contestants.push_back(variant(problem, Model::hybrid, size, Workers{.ranks = 1, .threads = options_.workers}));
    if (options_.workers > 1) {
      contestants.back().name = fmt::format("hybrid, 1 rank of {} threads", options_.workers);
      contestants.push_back(variant(problem, Model::hybrid, size, Workers{.ranks = options_.workers, .threads = 1}));
      contestants.back().name = fmt::format("hybrid, {} ranks of 1 thread", options_.workers);
    }
    return contestants;
  }

  /// Ranks against ScaLAPACK, and against threads of ours.
  Contest matmul_of_ranks(const std::string& size) {
    std::vector<Contestant> contestants = variants_of_ranks("matmul", size);
    contestants.push_back(variant("matmul", Model::openmp, size));
    // The shape at an eighth of its cost where it is not small anyway.
    const Instance whole = problem_called("matmul").pose(size, 1, {});
    std::vector<std::int64_t> tried = whole.extents;
    while (2.0 * static_cast<double>(tried[0]) * static_cast<double>(tried[1]) * static_cast<double>(tried[2]) > 4e10) {
      std::int64_t& largest = *std::ranges::max_element(tried);
      largest /= 2;
    }
    contestants.push_back(
        best_scalapack("pdgemm", {64, 128, 256}, fmt::format("{}x{}x{}", tried[0], tried[1], tried[2]), size));
    contestants.push_back(peer("fma-peak", Contestant::Role::ceiling, "0", options_.workers, {}));
    return {fmt::format("matmul, {}, {} ranks", size, options_.workers), std::move(contestants), scratch_.path(), 6};
  }

  Contest cholesky_of_ranks(const std::string& size) {
    std::vector<Contestant> contestants = variants_of_ranks("cholesky", size);
    contestants.push_back(best_scalapack("pdpotrf", {48, 96, 144, 192}, "2048", size));
    contestants.push_back(peer("fma-peak", Contestant::Role::ceiling, "0", options_.workers, {}));
    return {fmt::format("cholesky, n = {}, {} ranks", size, options_.workers), std::move(contestants), scratch_.path(),
            5};
  }

  Contest fib_batch() {
    std::vector<Contestant> contestants;
    for (const Model model : {Model::serial, Model::openmp, Model::tbb, Model::mpi}) {
      contestants.push_back(variant("fib_batch", model, options_.fib_batch_size));
    }
    contestants.push_back(peer("gmp-loop", Contestant::Role::peer, options_.fib_batch_size, 1, {}));
    contestants.push_back(peer("gmp-openmp", Contestant::Role::peer, options_.fib_batch_size, options_.workers,
                               {"OMP_PLACES=cores", "OMP_PROC_BIND=close"}));
    return {fmt::format("fib_batch, {} exact numbers, {} workers", options_.fib_batch_size, options_.workers),
            std::move(contestants), scratch_.path(), 2};
  }

  /// Residues modulo the largest primes below 2^50 and 2^63, on one thread.
  Contest fib_batch_modulo(const std::string& modulus) {
    const std::string& size = options_.fib_modulo_size;
    const Parameters parameters{{"inputs", "uniform"}, {"largest", "9223372036854775807"}, {"modulus", modulus}};
    std::vector<Contestant> contestants{variant("fib_batch", Model::serial, size, Tunables{}, parameters)};
    for (const char* const name : {"doubling-remainder", "doubling-montgomery"}) {
      contestants.push_back(peer(name, Contestant::Role::peer, size, 1, {}, parameters));
    }
    return {fmt::format("fib_batch, {} residues modulo {}, 1 thread", size, modulus), std::move(contestants),
            scratch_.path(), 9};
  }

  /// What a runtime's loops take, of which there is one way to start them for threads and one for ranks.
  [[nodiscard]] Contestant tree_peer(const std::string& name, const std::string& size) const {
    Contestant contestant =
        peer(name, Contestant::Role::peer, size, options_.workers, {"OMP_PLACES=cores", "OMP_PROC_BIND=close"});
    if (name.ends_with("-tbb")) contestant = peer(name, Contestant::Role::peer, size, options_.workers, {});
    if (!name.ends_with("-mpi")) return contestant;
    Command words = starting(launching_.launcher, {.ranks = options_.workers, .passes_messages = true});
    contestant.command.insert(contestant.command.begin(), words.begin(), words.end());
    return contestant;
  }

  /// Where every call is a task or spawns one, against a bare loop of as many.
  Contest tree_without_cutoff(Model model, const std::string& join) {
    const std::string size = std::to_string(tree_n);
    Tunables tunables{{"cutoff", "1"}};
    if (model == Model::mpi) {
      tunables["distribution"] = "counter";
    } else {
      tunables["join"] = join;
    }
    const std::string loop = model == Model::mpi ? "message" : join == "call" ? "join" : "spawn";
    std::vector<Contestant> contestants{variant("fib_tree", model, size, tunables)};
    contestants.push_back(tree_peer(fmt::format("tree-{}-{}", loop, name_of(model)), size));
    contestants.push_back(tree_peer("tree-ideal", size));
    contestants.back().role = Contestant::Role::ceiling;
    return {fmt::format("fib_tree of {} without a cut-off, {} tasks, {} workers", size, tasks_of_tree(tree_n, 1),
                        options_.workers),
            std::move(contestants), scratch_.path(), 9};
  }

  /// What a task takes of a worker's time beside the calls of the recursion, and the same of the loop.
  static std::string tree_price(const Contest& contest) {
    const std::vector<Showing>& showings = contest.showings();
    const auto for_each_task = [&](double seconds) {
      return seconds * showings.front().contestant.workers / static_cast<double>(tasks_of_tree(tree_n, 1));
    };
    const double tree = for_each_task(median(showings[0].seconds) - median(showings[2].seconds));
    const double loop = for_each_task(median(showings[1].seconds));
    return fmt::format("  a task costs {} beside its calls, {:.2f} of the {} in the loop\n", seconds_text(tree),
                       tree / loop, seconds_text(loop));
  }

  /// The ideal beside one cut-off after the other, and the one that is chosen.
  Contest tree_curve(Model model) {
    const std::string size = std::to_string(tree_n);
    std::vector<Contestant> contestants;
    const int threads = model == Model::openmp || model == Model::tbb ? options_.workers
                        : model == Model::hybrid                      ? std::max(options_.workers / 2, 1)
                                                                      : 1;
    const Workers workers{.ranks = passes_messages(model) ? options_.workers / threads : 1, .threads = threads};
    for (std::int64_t cutoff = 1; cutoff <= 23; cutoff += 2) {
      contestants.push_back(variant("fib_tree", model, size, workers, {{"cutoff", std::to_string(cutoff)}}));
    }
    contestants.push_back(variant("fib_tree", model, size, workers));
    contestants.push_back(tree_peer("tree-ideal", size));
    return {
        fmt::format("fib_tree of {} at every other cut-off, {}, {} workers", size, name_of(model), options_.workers),
        std::move(contestants), scratch_.path(), 10};
  }

  /// What the curve says of the model.
  static std::string tree_figures(const Contest& contest) {
    const std::vector<Showing>& showings = contest.showings();
    const double workers = showings.front().contestant.workers;
    const double work = workers * median(showings.back().seconds);
    std::vector<Granularity> curve;
    std::int64_t cutoff = 1;
    for (auto showing = showings.begin(); showing + 2 != showings.end(); ++showing, cutoff += 2) {
      const double all = workers * median(showing->seconds);
      curve.push_back({all / static_cast<double>(tasks_of_tree(tree_n, cutoff)), work / all});
    }
    const double task = curve.front().task_seconds * (1 - curve.front().efficiency);
    std::string text = fmt::format("  {:>8}  {:>12}  {:>11}\n", "cut-off", "worker's time", "efficiency");
    cutoff = 1;
    for (const Granularity& point : curve) {
      text += fmt::format("  {:>8}  {:>13}  {:>11.3f}\n", cutoff, seconds_text(point.task_seconds), point.efficiency);
      cutoff += 2;
    }
    return text + fmt::format("  a task costs {} of a worker's time; METG(50 %) {}\n", seconds_text(task),
                              seconds_text(minimum_effective_granularity(curve, 0.5)));
  }
  /// How long it takes until a task that one worker offers is done by another one.
  Contest tree_steals() {
    std::vector<Contestant> contestants;
    for (const char* const name : {"tree-steal-openmp", "tree-steal-tbb", "tree-steal-mpi"}) {
      contestants.push_back(tree_peer(name, "20"));
    }
    return {fmt::format("a task taken by another worker, {} times", tasks_of_tree(20, 1)), std::move(contestants),
            scratch_.path(), 11};
  }

  /// With the cut-off that is chosen, against the even division of the plain recursion.
  Contest tree_with_cutoff() {
    std::vector<Contestant> contestants;
    for (const Model model : {Model::openmp, Model::tbb, Model::mpi}) {
      contestants.push_back(variant("fib_tree", model, options_.fib_tree_size));
    }
    contestants.push_back(
        variant("fib_tree", Model::hybrid, options_.fib_tree_size, Workers{.ranks = 1, .threads = options_.workers}));
    contestants.push_back(tree_peer("tree-ideal", options_.fib_tree_size));
    return {fmt::format("fib_tree of {}, cut-off chosen, {} workers", options_.fib_tree_size, options_.workers),
            std::move(contestants), scratch_.path(), 12};
  }

  /// A BLAS call for each product of a batch, on the code path that is the fastest for this very batch.
  [[nodiscard]] Contestant batch_blas(const std::string& name, const std::string& size,
                                      const Parameters& parameters) const {
    std::vector<Candidate> candidates;
    for (const char* const path : {"", "Cooperlake", "SkylakeX", "Haswell", "Zen"}) {
      candidates.push_back({.environment = {"OMP_PLACES=cores", "OMP_PROC_BIND=close", "OPENBLAS_NUM_THREADS=1"}});
      if (*path != 0) candidates.back().environment.push_back(fmt::format("OPENBLAS_CORETYPE={}", path));
    }
    const auto contestant = [&](const Candidate& candidate) {
      return peer(name, Contestant::Role::peer, size, options_.workers, candidate.environment, parameters);
    };
    for (int round = 0; round < 3; ++round) {
      for (Candidate& candidate : candidates) {
        try {
          for (const Trial& trial : trials_of(contestant(candidate), scratch_.path(), stop_)) {
            candidate.seconds = std::min(candidate.seconds, trial.seconds);
          }
        } catch (const std::runtime_error& error) {
          candidate.trouble = error.what();
        }
      }
    }
    const Candidate& fastest = *std::ranges::min_element(candidates, {}, &Candidate::seconds);
    if (fastest.seconds == std::numeric_limits<double>::infinity()) throw std::runtime_error(fastest.trouble);
    return contestant(fastest);
  }

  /// All in the second-level caches, so that what is compared is calling and computing.
  Contest tiny_batch(const std::string& extent) {
    const std::string size = extent == "8" ? "512" : "128";
    const Parameters parameters{{"spread", "tiny"}, {"largest", extent}};
    std::vector<Contestant> contestants;
    for (const Model model : {Model::openmp, Model::tbb, Model::mpi}) {
      contestants.push_back(variant("matrix_batch", model, size, Tunables{}, parameters));
    }
    contestants.push_back(batch_blas("batch-blas-static", size, parameters));
    contestants.push_back(peer("fma-peak", Contestant::Role::ceiling, "0", options_.workers, {}));
    return {fmt::format("matrix_batch, {} products of n = {}, {} workers", size, extent, options_.workers),
            std::move(contestants), scratch_.path(), 6};
  }

  Contest batch_of_giants() {
    const std::string size = "512";
    const Parameters parameters{{"spread", "giants"}, {"largest", "1536"}};
    std::vector<Contestant> contestants;
    for (const Model model : {Model::openmp, Model::tbb, Model::mpi}) {
      contestants.push_back(variant("matrix_batch", model, size, Tunables{}, parameters));
    }
    contestants.push_back(variant("matrix_batch", Model::openmp, size, Tunables{{"schedule", "dynamic"}}, parameters));
    contestants.back().role = Contestant::Role::peer;
    contestants.push_back(batch_blas("batch-blas-dynamic", size, parameters));
    contestants.push_back(peer("fma-peak", Contestant::Role::ceiling, "0", options_.workers, {}));
    return {fmt::format("matrix_batch, two giants among {}, {} workers", size, options_.workers),
            std::move(contestants), scratch_.path(), 7};
  }

  Contest skewed_batch() {
    const std::string size = "256";
    const Parameters parameters{{"spread", "log_uniform"}, {"largest", "1000"}};
    std::vector<Contestant> contestants;
    for (const Model model : {Model::openmp, Model::tbb, Model::mpi}) {
      contestants.push_back(variant("matrix_batch", model, size, Tunables{}, parameters));
    }
    contestants.push_back(peer("batch-ideal", Contestant::Role::peer, size, options_.workers,
                               {"OMP_PLACES=cores", "OMP_PROC_BIND=close"}, parameters));
    contestants.push_back(batch_blas("batch-blas-dynamic", size, parameters));
    contestants.push_back(peer("fma-peak", Contestant::Role::ceiling, "0", options_.workers, {}));
    return {fmt::format("matrix_batch, {} products of n = 1 to 1000, {} workers", size, options_.workers),
            std::move(contestants), scratch_.path(), 8};
  }

  /// What measuring costs: variants of about 10 ms as `duet run` times them, and the same functions in a plain loop.
  Contest harness() {
    const std::string& size = options_.harness_size;
    std::vector<Contestant> contestants{variant("matmul", Model::serial, size), variant("matmul", Model::openmp, size)};
    contestants.push_back(peer("call-serial", Contestant::Role::peer, size, 1, {}));
    contestants.push_back(peer("call-openmp", Contestant::Role::peer, size, options_.workers,
                               {"OMP_PLACES=cores", "OMP_PROC_BIND=close"}));
    return {fmt::format("the harness around matmul, n = {}", size), std::move(contestants), scratch_.path(), 3};
  }

  BenchOptions options_;
  LaunchSettings launching_;
  std::string self_;
  Scratch scratch_;
  StopSignals stop_;
  std::string tables_;
  bool failed_ = false;
};

int bench_main(int argc, char** argv) {
  BenchOptions options;
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
  app.add_option("--harness-size", options.harness_size, "n of the products that show what measuring costs")
      ->capture_default_str();
  app.add_option("--peer", options.peer.name)->group("");
  app.add_option("--peer-size", options.peer.size)->group("");
  app.add_option("--peer-json", options.peer.json)->group("");
  std::vector<std::string> peer_settings;
  app.add_option("--peer-set", peer_settings)->group("")->take_all();
  CLI11_PARSE(app, argc, argv);

  if (!options.peer.name.empty()) {
    options.peer.threads = options.workers;
    options.peer.repeat = options.repeat;
    for (const std::string& setting : peer_settings) {
      const std::size_t equals = std::min(setting.find('='), setting.size() - 1);
      options.peer.parameters[setting.substr(0, equals)] = setting.substr(equals + 1);
    }
    return run_peer(options.peer);
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
  bench.list();
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
