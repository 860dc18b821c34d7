#include "drivers/bench/peer.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <chrono>
#include <fstream>
#include <future>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "drivers/placement.hpp"
#include "kernels/local_product/peak.hpp"

namespace duet {
namespace {

/// The process may use the cores that a variant's workers are bound to, and no others. Each thread of a library goes
/// where the library puts it among them: to bind the first thread would bind them all to one core.
void confine_to_the_cores_of(int threads) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const WorkerPlace& place : places_for(usable_cores(), 0, threads)) {
    for (const int processor : place.bound_to) CPU_SET(static_cast<unsigned>(processor), &set);
  }
  if (sched_setaffinity(0, sizeof set, &set) != 0) throw std::runtime_error("this process cannot be confined to cores");
}

}  // namespace

Trial trial_of(const Problem& problem, const Instance& instance, Model model, int workers) {
  Trial trial;
  trial.cell = {.problem = problem.name, .model = model, .size = instance.size_text()};
  (passes_messages(model) ? trial.cell.ranks : trial.cell.threads) = workers;
  trial.operations = problem.work(instance).operations;
  trial.unit = problem.work(instance).unit;
  return trial;
}

void side_by_side(int count, int cores, const std::function<void(int)>& act) {
  const std::vector<WorkerPlace> places = places_for(usable_cores(), 0, cores);
  std::vector<std::future<void>> threads;
  for (int k = 0; k < count; ++k) {
    threads.push_back(std::async(std::launch::async, [&, k] {
      if (count <= cores) bind_this_thread(places[static_cast<std::size_t>(k)]);
      act(k);
    }));
  }
  for (std::future<void>& thread : threads) thread.get();
}

void append_trial(const std::string& path, const Trial& trial) {
  std::ofstream file{path, std::ios::app};
  file << nlohmann::json(trial).dump() << '\n';
  if (!file.flush()) throw std::runtime_error(fmt::format("{}: cannot be written", path));
}

void time_and_judge(const PeerOptions& options, Trial trial, const std::function<void()>& reset,
                    const std::function<void()>& execute, const std::function<Judgement()>& judge, double share) {
  using Clock = std::chrono::steady_clock;
  for (trial.number = 0; trial.number <= options.repeat; ++trial.number) {
    reset();
    const Clock::time_point begin = Clock::now();
    execute();
    trial.seconds = share * std::chrono::duration<double>(Clock::now() - begin).count();
    const Judgement judgement = judge();
    trial.outcome = judgement.right ? Outcome::right : Outcome::wrong;
    trial.message = judgement.explanation;
    trial.error = judgement.error;
    trial.bound = judgement.bound;
    trial.marks.clear();
    if (trial.number == 0) trial.marks.emplace_back("warm_up");
    append_trial(options.json, trial);
  }
}

void run_peak_peer(const PeerOptions& options) {
  constexpr double seconds = 0.1;
  std::vector<double> rates(static_cast<std::size_t>(options.threads));
  Trial trial;
  trial.unit = "flop";
  trial.operations = 1e9;
  trial.outcome = Outcome::right;
  for (trial.number = 0; trial.number < options.repeat; ++trial.number) {
    side_by_side(options.threads, options.threads,
                 [&](int thread) { rates[static_cast<std::size_t>(thread)] = fma_peak(seconds); });
    const double all = std::accumulate(rates.begin(), rates.end(), 0.0);
    trial.seconds = trial.operations / all;
    append_trial(options.json, trial);
  }
}

int run_peer(const PeerOptions& options) {
  if (options.name == "fma-peak") {
    run_peak_peer(options);
    return 0;
  }
  if (options.name.starts_with("pdpotrf-")) {
    run_pdpotrf_peer(options);
    return 0;
  }
  if (options.name.starts_with("pdgemm-")) {
    run_pdgemm_peer(options);
    return 0;
  }
  if (options.name.starts_with("tree-") && options.name.ends_with("-mpi")) {
    run_tree_rank_peer(options);
    return 0;
  }
  confine_to_the_cores_of(options.threads);
  if (options.name.starts_with("openblas-") || options.name.starts_with("blis-")) {
    run_blas_peer(options);
  } else if (options.name.starts_with("dpotrf-")) {
    run_dpotrf_peer(options);
  } else if (options.name.starts_with("gmp-")) {
    run_gmp_peer(options);
  } else if (options.name.starts_with("number-")) {
    run_number_peer(options);
  } else if (options.name.starts_with("doubling-")) {
    run_modulo_peer(options);
  } else if (options.name == "triad") {
    run_triad_peer(options);
  } else if (options.name.starts_with("batch-")) {
    run_batch_peer(options);
  } else if (options.name.starts_with("stream-")) {
    run_stream_peer(options);
  } else if (options.name.starts_with("tree-")) {
    run_tree_peer(options);
  } else if (options.name.starts_with("call-")) {
    run_library_peer(options);
  } else {
    throw std::invalid_argument(fmt::format("no peer is called '{}'", options.name));
  }
  return 0;
}

}  // namespace duet
