// What fib_tree is compared with: the plain recursion, evenly divided, and what runtimes offer, in bare loops.

#include <fmt/format.h>
#include <immintrin.h>
#include <omp.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <stdexcept>
#include <vector>

#include "drivers/bench/mpi_session.hpp"
#include "drivers/bench/peer.hpp"
#include "drivers/placement.hpp"
#include "drivers/traffic/meter.hpp"
#include "kernels/divide_and_conquer/fib_tree/tree.hpp"
#include "kernels/divide_and_conquer/fib_tree/verify.hpp"
#include "kernels/registry.hpp"

namespace duet {
namespace {

namespace tbb = oneapi::tbb;

struct TreeQuestion {
  explicit TreeQuestion(const PeerOptions& options) {
    const Problem& problem = problem_called("fib_tree");
    const Instance instance = problem.pose(options.size, 1, {});
    n = instance.extents[0];
    tasks = static_cast<std::int64_t>(tasks_of_tree(n, 1));
    trial = trial_of(problem, instance, Model::openmp, options.threads);
  }

  std::int64_t n = 0;
  std::int64_t tasks = 0;  ///< without a cut-off
  Trial trial;
};

/// Nothing, which the compiler has to leave where it is.
void empty_task() { asm volatile(""); }

void spawn_openmp(std::int64_t tasks, int threads) {
#pragma omp parallel num_threads(threads) default(none) firstprivate(tasks, threads)
  for (std::int64_t k = share_of(tasks, threads, omp_get_thread_num()).size(); k > 0; --k) {
#pragma omp task default(none)
    empty_task();
  }
}

void join_openmp(std::int64_t tasks, int threads) {
  // In a task, as calls of the tree are: the fastest place, since libgomp knows that this thread is busy.
#pragma omp parallel num_threads(threads) default(none) firstprivate(tasks, threads)
#pragma omp task default(none) firstprivate(tasks, threads)
  for (std::int64_t k = tasks / threads; k > 0; --k) {
#pragma omp task default(none)
    empty_task();
#pragma omp taskwait
  }
}

void steal_openmp(std::int64_t tasks, int /*threads*/) {
#pragma omp parallel num_threads(2) default(none) firstprivate(tasks)
#pragma omp master
  for (std::int64_t k = tasks; k > 0; --k) {
    std::atomic<bool> done = false;
#pragma omp task default(none) shared(done)
    done = true;
    while (!done) _mm_pause();
  }
}

/// Runs act(share) on each worker of an arena.
void on_each_worker(std::int64_t tasks, int threads, const std::function<void(std::int64_t share)>& act) {
  static std::map<int, tbb::task_arena> arenas;
  arenas.try_emplace(threads, threads).first->second.execute([&] {
    tbb::task_group workers;
    for (int t = 1; t < threads; ++t) workers.run([&] { act(tasks / threads); });
    workers.run_and_wait([&] { act(tasks - tasks / threads * (threads - 1)); });
  });
}

void spawn_tbb(std::int64_t tasks, int threads) {
  // More than some thousand tasks that wait leave the cache: 25 ns a spawn become 50.
  constexpr std::int64_t together = 1000;
  on_each_worker(tasks, threads, [](std::int64_t share) {
    for (std::int64_t left = share; left > 0; left -= together) {
      tbb::task_group group;
      for (std::int64_t k = left < together ? left : together; k > 0; --k) group.run(empty_task);
      group.wait();
    }
  });
}

void join_tbb(std::int64_t tasks, int threads) {
  on_each_worker(tasks, threads, [](std::int64_t share) {
    for (std::int64_t k = share; k > 0; --k) {
      tbb::task_group group;
      group.run(empty_task);
      group.wait();
    }
  });
}

void steal_tbb(std::int64_t tasks, int /*threads*/) {
  on_each_worker(1, 2, [tasks](std::int64_t share) {
    if (share == 0) return;
    tbb::task_group group;
    for (std::int64_t k = tasks; k > 0; --k) {
      std::atomic<bool> done = false;
      group.run([&done] { done = true; });
      while (!done) _mm_pause();
    }
    group.wait();
  });
}

/// Every thread runs the whole tree at the same time: a `threads`-th of that is what nobody can beat.
void run_ideal(const PeerOptions& options, const TreeQuestion& question) {
  std::vector<TreeCount> found(static_cast<std::size_t>(options.threads));
  const std::int64_t n = question.n;
  time_and_judge(
      options, question.trial, [&] { found.assign(found.size(), {}); },
      [&] {
#pragma omp parallel num_threads(options.threads) default(none) shared(found) firstprivate(n)
        found[static_cast<std::size_t>(omp_get_thread_num())] = leaf_of_tree(n);
      },
      [&] { return judge_fib_tree(n, n, found.back(), MPI_COMM_NULL); }, 1.0 / options.threads);
}

/// A loop that computes nothing, and so cannot be wrong.
void run_loop(const PeerOptions& options, const Trial& trial, const std::function<void()>& loop) {
  time_and_judge(
      options, trial, [] {}, loop, [] { return Judgement{.right = true}; });
}

/// Numbers from a counter of rank 0, until `tasks` have been given out.
void take_numbers(Window<std::uint64_t>& window, std::int64_t tasks) {
  const std::uint64_t one = 1;
  std::uint64_t number = 0;
  while (number < static_cast<std::uint64_t>(tasks)) {
    check(MPI_Fetch_and_op(&one, &number, MPI_UINT64_T, 0, 0, MPI_SUM, window.get()));
    check(MPI_Win_flush(0, window.get()));
  }
}

void steal_words(Window<std::uint64_t>& window, std::int64_t tasks) {
  const int rank = rank_in(MPI_COMM_WORLD);
  if (rank == 0) return;
  const auto own_place = static_cast<MPI_Aint>(rank);
  std::uint64_t seen = 0;
  for (std::int64_t k = 0; k < tasks; ++k) {
    const std::uint64_t none = 0;
    check(MPI_Fetch_and_op(&none, &seen, MPI_UINT64_T, 0, own_place, MPI_NO_OP, window.get()));
    check(MPI_Win_flush(0, window.get()));
    const std::uint64_t taken = seen + 1;
    check(MPI_Compare_and_swap(&taken, &seen, &seen, MPI_UINT64_T, 0, own_place, window.get()));
    check(MPI_Win_flush(0, window.get()));
    check(MPI_Fetch_and_op(&taken, &seen, MPI_UINT64_T, rank, 0, MPI_REPLACE, window.get()));
    check(MPI_Win_flush(rank, window.get()));
  }
}

void run_ranks(const PeerOptions& options) {
  bind_this_thread(places_for(usable_cores(), rank_in(MPI_COMM_WORLD), 1).front());
  const TreeQuestion question{options};
  Trial trial = question.trial;
  trial.cell.model = Model::mpi;
  trial.cell.ranks = size_of(MPI_COMM_WORLD);
  trial.cell.threads = 1;
  PeerOptions mine = options;
  if (rank_in(MPI_COMM_WORLD) != 0) mine.json = "/dev/null";
  Window<std::uint64_t> window{size_of(MPI_COMM_WORLD), MPI_COMM_WORLD};
  const bool counts = options.name == "tree-message-mpi";
  if (!counts && options.name != "tree-steal-mpi") {
    throw std::invalid_argument(fmt::format("no peer is called '{}'", options.name));
  }
  if (!counts) {
    trial.operations = static_cast<double>(question.tasks) * (trial.cell.ranks - 1);
    trial.unit = "steal";
  }
  TrafficMeter meter{MPI_COMM_WORLD};
  time_and_judge(
      mine, trial,
      [&] {
        check(MPI_Barrier(MPI_COMM_WORLD));
        const std::uint64_t none = 0;
        std::uint64_t before = 0;
        const int rank = rank_in(MPI_COMM_WORLD);
        check(MPI_Fetch_and_op(&none, &before, MPI_UINT64_T, rank, 0, MPI_REPLACE, window.get()));
        check(MPI_Win_flush(rank, window.get()));
        check(MPI_Barrier(MPI_COMM_WORLD));
      },
      [&] {
        // Counted, as messages of the variants are, which takes 30 ns of each.
        const TrafficMeter::Running running{meter};
        if (counts) {
          take_numbers(window, question.tasks);
        } else {
          steal_words(window, question.tasks);
        }
        check(MPI_Barrier(MPI_COMM_WORLD));
      },
      [] { return Judgement{.right = true}; });
}

}  // namespace

void run_tree_peer(const PeerOptions& options) {
  const TreeQuestion question{options};
  if (options.name == "tree-ideal") return run_ideal(options, question);
  static const std::map<std::string, void (*)(std::int64_t, int), std::less<>> loops{
      {"tree-spawn-openmp", spawn_openmp}, {"tree-join-openmp", join_openmp}, {"tree-steal-openmp", steal_openmp},
      {"tree-spawn-tbb", spawn_tbb},       {"tree-join-tbb", join_tbb},       {"tree-steal-tbb", steal_tbb}};
  const auto found = loops.find(options.name);
  if (found == loops.end()) throw std::invalid_argument(fmt::format("no peer is called '{}'", options.name));
  Trial trial = question.trial;
  if (options.name.starts_with("tree-steal")) {
    if (options.threads < 2) throw std::invalid_argument("stealing takes two threads");
    trial.operations = static_cast<double>(question.tasks);
    trial.unit = "steal";
  }
  run_loop(options, trial, [&] { found->second(question.tasks, options.threads); });
}

void run_tree_rank_peer(const PeerOptions& options) {
  const MpiSession session;
  try {
    run_ranks(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "duet_bench: {}\n", error.what());
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
}

}  // namespace duet
