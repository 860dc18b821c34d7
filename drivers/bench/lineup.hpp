#pragma once

/// Who takes part in a contest, and how he is started: variants of Duet through `duet run`, peers through this program.

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "drivers/bench/contest.hpp"
#include "drivers/study/launch.hpp"
#include "kernels/core/vocabulary.hpp"

namespace duet {

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
  std::vector<std::string> fib_number_sizes{"100000000", "1000000000"};
  std::string product_bits = "1000000000";
  std::string harness_size = "640";
};

/// How a variant's workers are split.
struct Workers {
  int ranks = 1;
  int threads = 1;
};
using Tunables = std::map<std::string, std::string>;
using Parameters = std::map<std::string, std::string>;

/// Says what else there is to say of a contest, after its table.
using Figures = std::function<std::string(const Contest&)>;
/// Takes a contest that may be held, under the name by which it is chosen.
struct AddContest {
  std::function<void(const std::string& name, const std::function<Contest()>& make, const Figures& figures)> add;
  void operator()(const std::string& name, const std::function<Contest()>& make, const Figures& figures = {}) const {
    add(name, make, figures);
  }
};

class Lineup {
 public:
  /// Trials go to `folder`, which outlives it.
  Lineup(const BenchOptions& options, std::filesystem::path folder);

  [[nodiscard]] int workers() const { return workers_; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] const StopSignals& stop() const { return stop_; }

  /// A variant on all workers: as many ranks where it passes messages, else threads.
  [[nodiscard]] Contestant variant(const std::string& problem, Model model, const std::string& size,
                                   const Tunables& tunables = {}, const Parameters& parameters = {}) const;
  [[nodiscard]] Contestant variant(const std::string& problem, Model model, const std::string& size,
                                   const Workers& workers, const Tunables& tunables = {},
                                   const Parameters& parameters = {}) const;
  /// A peer with what its environment must say before its library is loaded.
  [[nodiscard]] Contestant peer(const std::string& name, Contestant::Role role, const std::string& size, int workers,
                                const std::vector<std::string>& environment, const Parameters& parameters = {}) const;
  /// The same contestant started on a rank for each worker.
  [[nodiscard]] Contestant on_ranks(Contestant contestant) const;

  /// Runs it once; see trials_of.
  [[nodiscard]] std::vector<Trial> trials(const Contestant& contestant) const;

 private:
  int workers_;
  int repeat_;
  LaunchSettings launching_;
  std::string self_;
  std::filesystem::path folder_;
  StopSignals stop_;
};

}  // namespace duet
