#include "drivers/bench/matrix_contests.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <stdexcept>
#include <utility>

#include "kernels/registry.hpp"

namespace duet {
namespace {

class MatrixContests {
 public:
  MatrixContests(const Lineup& lineup, const BenchOptions& options) : lineup_{lineup}, options_{options} {}

  /// A code path of a library, asked for by its environment, and the least time it took.
  struct Candidate {
    std::vector<std::string> environment{};
    double seconds = std::numeric_limits<double>::infinity();
    std::string trouble{};
  };

  /// Leaves the time as it is where this processor cannot run the path, or this build does not have it.
  void try_out(const std::string& name, Candidate& candidate) const {
    try {
      const Contestant contestant =
          lineup_.peer(name, Contestant::Role::peer, "1536", lineup_.workers(), candidate.environment);
      for (const Trial& trial : lineup_.trials(contestant)) {
        candidate.seconds = std::min(candidate.seconds, trial.seconds);
      }
    } catch (const std::runtime_error& error) {
      candidate.trouble = error.what();
    }
  }

  /// A threaded BLAS as it is shipped and on its best code path: the fastest of those that its makers offer for
  /// processors like this one, tried here.
  void add_blas(std::vector<Contestant>& contestants, const std::string& name, const std::string& size) const {
    const bool blis = name.find("blis") != std::string::npos;
    // Threads on cores of their own, as each library's makers advise; the pthread build knows nothing of OpenMP's
    // binding and would be put on one core by it.
    std::vector<std::string> environment{fmt::format("OMP_NUM_THREADS={}", lineup_.workers()),
                                         fmt::format("OPENBLAS_NUM_THREADS={}", lineup_.workers()),
                                         fmt::format("BLIS_NUM_THREADS={}", lineup_.workers())};
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
        lineup_.peer(name, Contestant::Role::peer, size, lineup_.workers(), as_shipped_is_best ? environment : forced));
    if (as_shipped_is_best) {
      contestants.back().name += " (as shipped)";
    } else {
      contestants.push_back(lineup_.peer(name, Contestant::Role::as_shipped, size, lineup_.workers(), environment));
      contestants.back().name += " as shipped";
    }
  }

  [[nodiscard]] Contest matmul_of_threads(const std::string& size) const {
    std::vector<Contestant> contestants;
    for (const Model model : {Model::openmp, Model::tbb, Model::mpi}) {
      contestants.push_back(lineup_.variant("matmul", model, size));
    }
    for (const char* const name : {"openblas-pthread", "openblas-openmp", "blis-openmp"}) {
      add_blas(contestants, name, size);
    }
    contestants.push_back(lineup_.peer("fma-peak", Contestant::Role::ceiling, "0", lineup_.workers(), {}));
    return {fmt::format("matmul, n = {}, {} workers", size, lineup_.workers()), std::move(contestants),
            lineup_.folder(), 1};
  }

  /// Against the product of the definition, whose operations the rates are counted by.
  [[nodiscard]] Contest strassen(const std::string& size) const {
    std::vector<Contestant> contestants;
    for (const Model model : {Model::openmp, Model::tbb, Model::mpi}) {
      contestants.push_back(lineup_.variant("strassen", model, size));
    }
    for (const char* const name : {"openblas-pthread", "openblas-openmp", "blis-openmp"}) {
      add_blas(contestants, name, size);
    }
    contestants.push_back(lineup_.peer("fma-peak", Contestant::Role::ceiling, "0", lineup_.workers(), {}));
    return {fmt::format("strassen, n = {}, {} workers", size, lineup_.workers()), std::move(contestants),
            lineup_.folder(), 6};
  }

  /// Sweep by sweep and several sweeps in a pass, against the bandwidth that the triad has in the same round.
  [[nodiscard]] Contest stencil() const {
    std::vector<Contestant> contestants;
    for (const Model model : {Model::openmp, Model::tbb, Model::mpi}) {
      contestants.push_back(lineup_.variant("stencil", model, options_.stencil_size, {{"temporal", "1"}}));
      contestants.push_back(lineup_.variant("stencil", model, options_.stencil_size));
    }
    contestants.push_back(lineup_.peer("triad", Contestant::Role::peer, options_.stencil_size, lineup_.workers(),
                                       {"OMP_PLACES=cores", "OMP_PROC_BIND=close"}));
    return {fmt::format("stencil, {} points, 16 sweeps, {} workers; triad: 16 bytes a point and sweep",
                        options_.stencil_size, lineup_.workers()),
            std::move(contestants), lineup_.folder(), 4};
  }

  [[nodiscard]] Contest cholesky_of_threads(const std::string& size) const {
    std::vector<Contestant> contestants{lineup_.variant("cholesky", Model::openmp, size),
                                        lineup_.variant("cholesky", Model::tbb, size)};
    for (const char* const name : {"dpotrf-openblas-pthread", "dpotrf-openblas-openmp"}) {
      add_blas(contestants, name, size);
    }
    contestants.push_back(lineup_.peer("fma-peak", Contestant::Role::ceiling, "0", lineup_.workers(), {}));
    return {fmt::format("cholesky, n = {}, {} threads", size, lineup_.workers()), std::move(contestants),
            lineup_.folder(), 4};
  }

  /// A routine of ScaLAPACK over the serial OpenBLAS with the code path asked for, one rank a worker.
  [[nodiscard]] Contestant scalapack(const std::string& routine, const std::string& code_path, int grid_rows, int block,
                                     const std::string& size) const {
    const std::string name = fmt::format("{}-{}-{}", routine, grid_rows, block);
    Contestant contestant = lineup_.peer(name, Contestant::Role::peer, size, lineup_.workers(),
                                         {fmt::format("LD_LIBRARY_PATH={}/openblas-serial", DUET_LIBRARY_FOLDER),
                                          "OPENBLAS_CORETYPE=" + code_path, "OPENBLAS_NUM_THREADS=1"});
    return lineup_.on_ranks(std::move(contestant));
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
            for (const Trial& trial : lineup_.trials(contestant)) {
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
    for (int rows = 1; rows <= lineup_.workers(); ++rows) {
      if (lineup_.workers() % rows != 0) continue;
      for (const int block : blocks) shapes.push_back({path.code_path, rows, block});
    }
    const Choice best = fastest_of(shapes);
    return scalapack(routine, best.code_path, best.grid_rows, best.block, size);
  }

  /// Ours beside ScaLAPACK: a rank a worker, and hybrid with as many workers in all.
  [[nodiscard]] std::vector<Contestant> variants_of_ranks(const std::string& problem, const std::string& size) const {
    std::vector<Contestant> contestants{lineup_.variant(problem, Model::mpi, size)};
    contestants.push_back(
        lineup_.variant(problem, Model::hybrid, size, Workers{.ranks = 1, .threads = lineup_.workers()}));
    if (lineup_.workers() > 1) {
      contestants.back().name = fmt::format("hybrid, 1 rank of {} threads", lineup_.workers());
      contestants.push_back(
          lineup_.variant(problem, Model::hybrid, size, Workers{.ranks = lineup_.workers(), .threads = 1}));
      contestants.back().name = fmt::format("hybrid, {} ranks of 1 thread", lineup_.workers());
    }
    return contestants;
  }

  /// Ranks against ScaLAPACK, and against threads of ours.
  [[nodiscard]] Contest matmul_of_ranks(const std::string& size) const {
    std::vector<Contestant> contestants = variants_of_ranks("matmul", size);
    contestants.push_back(lineup_.variant("matmul", Model::openmp, size));
    // The shape at an eighth of its cost where it is not small anyway.
    const Instance whole = problem_called("matmul").pose(size, 1, {});
    std::vector<std::int64_t> tried = whole.extents;
    while (2.0 * static_cast<double>(tried[0]) * static_cast<double>(tried[1]) * static_cast<double>(tried[2]) > 4e10) {
      std::int64_t& largest = *std::ranges::max_element(tried);
      largest /= 2;
    }
    contestants.push_back(
        best_scalapack("pdgemm", {64, 128, 256}, fmt::format("{}x{}x{}", tried[0], tried[1], tried[2]), size));
    contestants.push_back(lineup_.peer("fma-peak", Contestant::Role::ceiling, "0", lineup_.workers(), {}));
    return {fmt::format("matmul, {}, {} ranks", size, lineup_.workers()), std::move(contestants), lineup_.folder(), 6};
  }

  [[nodiscard]] Contest cholesky_of_ranks(const std::string& size) const {
    std::vector<Contestant> contestants = variants_of_ranks("cholesky", size);
    contestants.push_back(best_scalapack("pdpotrf", {48, 96, 144, 192}, "2048", size));
    contestants.push_back(lineup_.peer("fma-peak", Contestant::Role::ceiling, "0", lineup_.workers(), {}));
    return {fmt::format("cholesky, n = {}, {} ranks", size, lineup_.workers()), std::move(contestants),
            lineup_.folder(), 5};
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
      return lineup_.peer(name, Contestant::Role::peer, size, lineup_.workers(), candidate.environment, parameters);
    };
    for (int round = 0; round < 3; ++round) {
      for (Candidate& candidate : candidates) {
        try {
          for (const Trial& trial : lineup_.trials(contestant(candidate))) {
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
  [[nodiscard]] Contest tiny_batch(const std::string& extent) const {
    const std::string size = extent == "8" ? "512" : "128";
    const Parameters parameters{{"spread", "tiny"}, {"largest", extent}};
    std::vector<Contestant> contestants;
    for (const Model model : {Model::openmp, Model::tbb, Model::mpi}) {
      contestants.push_back(lineup_.variant("matrix_batch", model, size, Tunables{}, parameters));
    }
    contestants.push_back(batch_blas("batch-blas-static", size, parameters));
    contestants.push_back(lineup_.peer("fma-peak", Contestant::Role::ceiling, "0", lineup_.workers(), {}));
    return {fmt::format("matrix_batch, {} products of n = {}, {} workers", size, extent, lineup_.workers()),
            std::move(contestants), lineup_.folder(), 6};
  }

  [[nodiscard]] Contest batch_of_giants() const {
    const std::string size = "512";
    const Parameters parameters{{"spread", "giants"}, {"largest", "1536"}};
    std::vector<Contestant> contestants;
    for (const Model model : {Model::openmp, Model::tbb, Model::mpi}) {
      contestants.push_back(lineup_.variant("matrix_batch", model, size, Tunables{}, parameters));
    }
    contestants.push_back(
        lineup_.variant("matrix_batch", Model::openmp, size, Tunables{{"schedule", "dynamic"}}, parameters));
    contestants.back().role = Contestant::Role::peer;
    contestants.push_back(batch_blas("batch-blas-dynamic", size, parameters));
    contestants.push_back(lineup_.peer("fma-peak", Contestant::Role::ceiling, "0", lineup_.workers(), {}));
    return {fmt::format("matrix_batch, two giants among {}, {} workers", size, lineup_.workers()),
            std::move(contestants), lineup_.folder(), 7};
  }

  [[nodiscard]] Contest skewed_batch() const {
    const std::string size = "256";
    const Parameters parameters{{"spread", "log_uniform"}, {"largest", "1000"}};
    std::vector<Contestant> contestants;
    for (const Model model : {Model::openmp, Model::tbb, Model::mpi}) {
      contestants.push_back(lineup_.variant("matrix_batch", model, size, Tunables{}, parameters));
    }
    contestants.push_back(lineup_.peer("batch-ideal", Contestant::Role::peer, size, lineup_.workers(),
                                       {"OMP_PLACES=cores", "OMP_PROC_BIND=close"}, parameters));
    contestants.push_back(batch_blas("batch-blas-dynamic", size, parameters));
    contestants.push_back(lineup_.peer("fma-peak", Contestant::Role::ceiling, "0", lineup_.workers(), {}));
    return {fmt::format("matrix_batch, {} products of n = 1 to 1000, {} workers", size, lineup_.workers()),
            std::move(contestants), lineup_.folder(), 8};
  }

  /// Files whose work is the processor's: products and compressing, or blocks of bzip2 as long as its largest.
  [[nodiscard]] Contest stream_of_files(const std::string& title, const std::string& size, const Parameters& parameters,
                                        const std::vector<std::string>& others) const {
    std::vector<Contestant> contestants = streams(size, {}, parameters);
    for (const std::string& peer : others) {
      contestants.push_back(lineup_.peer(peer, Contestant::Role::peer, size, lineup_.workers(), {}, parameters));
    }
    return {fmt::format("matrix_stream, {} {}, {} workers", size, title, lineup_.workers()), std::move(contestants),
            lineup_.folder(), 19};
  }

  /// Files of which the disk has more to do than the processor: only read, or small ones read and written.
  [[nodiscard]] Contest files_read_from_disk() const {
    return files_on_disk("256", {{"order", "512"}, {"work", "decompress"}}, "files of 2 MB from disk", false);
  }
  [[nodiscard]] Contest files_copied_on_disk() const {
    return files_on_disk("1024", {{"order", "128"}}, "files of 0.13 MB from disk to disk", true);
  }

  /// What measuring costs: variants of about 10 ms as `duet run` times them, and the same functions in a plain loop.
  [[nodiscard]] Contest harness() const {
    const std::string& size = options_.harness_size;
    std::vector<Contestant> contestants{lineup_.variant("matmul", Model::serial, size),
                                        lineup_.variant("matmul", Model::openmp, size)};
    contestants.push_back(lineup_.peer("call-serial", Contestant::Role::peer, size, 1, {}));
    contestants.push_back(lineup_.peer("call-openmp", Contestant::Role::peer, size, lineup_.workers(),
                                       {"OMP_PLACES=cores", "OMP_PROC_BIND=close"}));
    return {fmt::format("the harness around matmul, n = {}", size), std::move(contestants), lineup_.folder(), 3};
  }

 private:
  /// Streams with one thread, and with four, at each end that waits for the disk.
  [[nodiscard]] Contest files_on_disk(const std::string& size, Parameters parameters, const std::string& title,
                                      bool writes) const {
    parameters.insert({{"codec", "none"}, {"storage", "disk"}});
    std::vector<Contestant> contestants;
    for (const char* const threads : {"1", "2", "4"}) {
      Tunables tunables{{"readers", threads}};
      if (writes) tunables["writers"] = threads;
      std::ranges::move(streams(size, tunables, parameters), std::back_inserter(contestants));
      const auto add_peer = [&](const std::string& name) {
        contestants.push_back(lineup_.peer(name, Contestant::Role::peer, size, lineup_.workers(), {}, parameters));
      };
      add_peer(fmt::format("stream-disk-{}-{}", threads, writes ? threads : "0"));
      if (!writes) add_peer(fmt::format("stream-hash-{}", threads));
    }
    return {fmt::format("matrix_stream, {} {}, {} workers", size, title, lineup_.workers()), std::move(contestants),
            lineup_.folder(), 20};
  }

  /// A stream in every model. Serial has no tunables.
  [[nodiscard]] std::vector<Contestant> streams(const std::string& size, const Tunables& tunables,
                                                const Parameters& parameters) const {
    std::vector<Contestant> contestants;
    for (const Model model : {Model::serial, Model::openmp, Model::tbb, Model::mpi, Model::hybrid}) {
      if (model == Model::serial && !tunables.empty()) continue;
      contestants.push_back(lineup_.variant("matrix_stream", model, size, tunables, parameters));
    }
    return contestants;
  }

  const Lineup& lineup_;
  const BenchOptions& options_;
};

}  // namespace

void list_matrix_contests(const Lineup& lineup, const BenchOptions& options, const AddContest& add) {
  const auto contests = std::make_shared<const MatrixContests>(lineup, options);
  for (const std::string& size : options.matmul_sizes) {
    add("peer/matmul/" + size + "/threads", [contests, size] { return contests->matmul_of_threads(size); });
  }
  for (const std::string& size : options.matmul_rank_sizes) {
    add("peer/matmul/" + size + "/ranks", [contests, size] { return contests->matmul_of_ranks(size); });
  }
  for (const std::string& size : options.strassen_sizes) {
    add("peer/strassen/" + size, [contests, size] { return contests->strassen(size); });
  }
  add("peer/stencil/" + options.stencil_size, [contests] { return contests->stencil(); });
  for (const std::string& size : options.cholesky_sizes) {
    add("peer/cholesky/" + size + "/threads", [contests, size] { return contests->cholesky_of_threads(size); });
    add("peer/cholesky/" + size + "/ranks", [contests, size] { return contests->cholesky_of_ranks(size); });
  }
  for (const char* const extent : {"8", "16"}) {
    add(fmt::format("peer/matrix_batch/tiny/{}", extent), [contests, extent] { return contests->tiny_batch(extent); });
  }
  add("peer/matrix_batch/giants", [contests] { return contests->batch_of_giants(); });
  add("peer/matrix_batch/skewed", [contests] { return contests->skewed_batch(); });
  add(
      "peer/matrix_stream/products",
      [contests] {
        return contests->stream_of_files("files of n = 1024, zstd", "48", {{"order", "1024"}, {"codec", "zstd"}},
                                         {"stream-apart"});
      },
      [](const Contest& contest) { return shares_of_even_division(contest) + shares_of_slowest_stage(contest); });
  add(
      "peer/matrix_stream/bzip2",
      [contests] {
        return contests->stream_of_files(
            "blocks of 600 KB to decompress", "300", {{"order", "274"}, {"codec", "bzip2"}, {"work", "decompress"}},
            {"stream-apart", "stream-lbzip2", "stream-python-processes", "stream-python-threads"});
      },
      [](const Contest& contest) { return shares_of_even_division(contest) + beside_every_peer(contest); });
  add(
      "peer/matrix_stream/read", [contests] { return contests->files_read_from_disk(); },
      [](const Contest& contest) { return shares_of_slowest_stage(contest) + beside_every_peer(contest); });
  add(
      "peer/matrix_stream/copied", [contests] { return contests->files_copied_on_disk(); }, shares_of_slowest_stage);
  add("harness/matmul/" + options.harness_size, [contests] { return contests->harness(); });
}

}  // namespace duet
