#include "drivers/session.hpp"

#include <fmt/format.h>
#include <mpi.h>
#include <omp.h>
#include <oneapi/tbb/global_control.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <exception>
#include <functional>
#include <limits>
#include <mutex>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "drivers/canary.hpp"
#include "drivers/command.hpp"
#include "drivers/machine.hpp"
#include "drivers/placement.hpp"
#include "drivers/statistics/text.hpp"
#include "drivers/token_ring.hpp"
#include "kernels/core/mpi.hpp"

namespace duet {
namespace {

std::optional<int> number_from(const char* name) {
  const char* const text = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread starts
  if (text == nullptr || *text == '\0') return std::nullopt;
  return std::atoi(text);
}

/// The union over `node` of each rank's `mine`.
std::vector<int> union_over(MPI_Comm node, const std::vector<int>& mine) {
  constexpr std::size_t bits = 64;
  int largest = mine.empty() ? 0 : mine.back();
  check(MPI_Allreduce(MPI_IN_PLACE, &largest, 1, MPI_INT, MPI_MAX, node));
  std::vector<std::uint64_t> mask(static_cast<std::size_t>(largest) / bits + 1);
  for (const int p : mine) mask[static_cast<std::size_t>(p) / bits] |= 1ULL << static_cast<std::size_t>(p) % bits;
  check(MPI_Allreduce(MPI_IN_PLACE, mask.data(), mpi_count(static_cast<std::int64_t>(mask.size())), MPI_UINT64_T,
                      MPI_BOR, node));
  std::vector<int> all;
  for (int p = 0; p <= largest; ++p) {
    if ((mask[static_cast<std::size_t>(p) / bits] >> static_cast<std::size_t>(p) % bits & 1U) != 0) all.push_back(p);
  }
  return all;
}

/// The ranks on this rank's machine, those of one node next to each other. A machine is a running kernel: several nodes
/// of one (containers, hosts in namespaces) have the same cores, and their workers must not all start with the first.
Communicator ranks_of_machine(MPI_Comm communicator, MPI_Comm node) {
  const std::string kernel = running_kernel();
  // Where there is no /proc, a node is a machine: its leader stands for it.
  int leader = rank_in(communicator);
  check(MPI_Bcast(&leader, 1, MPI_INT, 0, node));
  const std::size_t name = kernel.empty() ? static_cast<std::size_t>(leader) : std::hash<std::string>{}(kernel);
  const auto colour = static_cast<int>(name & static_cast<std::size_t>(std::numeric_limits<int>::max()));
  return Communicator::split(communicator, colour, leader);
}

/// True, on all ranks of `communicator`, where it is `known` on one, or on any machine a processor is bound to by two
/// of its workers.
bool shares_a_processor(MPI_Comm communicator, MPI_Comm machine, const std::vector<WorkerPlace>& mine, bool known) {
  std::string text;
  for (const WorkerPlace& place : mine) {
    for (const int processor : place.bound_to) text += std::to_string(processor) + "\n";
  }
  bool shared = known;
  std::istringstream all{gathered(machine, text)};
  std::set<std::string> taken;
  for (std::string processor; std::getline(all, processor);) shared = !taken.insert(processor).second || shared;
  int told = shared ? 1 : 0;
  check(MPI_Allreduce(MPI_IN_PLACE, &told, 1, MPI_INT, MPI_LOR, communicator));
  return told != 0;
}

void start_mpi(const Launched& launched) {
  // Debian's OpenMPI 4.1 takes osc/rdma for one-sided calls, which ends them with a segmentation fault; sm and pt2pt
  // work. What the user says goes first.
  setenv("OMPI_MCA_osc", "sm,pt2pt", 0);  // NOLINT(concurrency-mt-unsafe): before any thread starts
  int provided = MPI_THREAD_SINGLE;
  MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
  if (provided < MPI_THREAD_FUNNELED)
    throw UsageError("this MPI does not allow threads beside it (MPI_THREAD_FUNNELED)");
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  if (const int ranks = size_of(MPI_COMM_WORLD); ranks != launched.ranks) {
    throw UsageError(fmt::format(
        "the launcher started {} ranks, but MPI sees {}: it belongs to another MPI than the one duet is built with",
        launched.ranks, ranks));
  }
}

}  // namespace

std::string gathered(MPI_Comm communicator, const std::string& mine) {
  const int ranks = size_of(communicator);
  if (ranks == 1) return mine;
  const int length = mpi_count(static_cast<std::int64_t>(mine.size()));
  std::vector<int> lengths(static_cast<std::size_t>(ranks));
  check(MPI_Gather(&length, 1, MPI_INT, lengths.data(), 1, MPI_INT, 0, communicator));
  std::vector<int> offsets(static_cast<std::size_t>(ranks));
  for (std::size_t r = 1; r < offsets.size(); ++r) offsets[r] = offsets[r - 1] + lengths[r - 1];
  std::string all(static_cast<std::size_t>(offsets.back() + lengths.back()), '\0');
  check(MPI_Gatherv(mine.data(), length, MPI_CHAR, all.data(), lengths.data(), offsets.data(), MPI_CHAR, 0,
                    communicator));
  return rank_in(communicator) == 0 ? all : mine;
}

Launched launched() {
  // OpenMPI's mpirun, PMIx (srun --mpi=pmix), Hydra and PMI-2.
  constexpr std::array<std::pair<const char*, const char*>, 3> names{
      {{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"}, {"PMIX_RANK", "SLURM_NTASKS"}, {"PMI_RANK", "PMI_SIZE"}}};
  for (const auto& [rank_name, size_name] : names) {
    const auto rank = number_from(rank_name);
    const auto size = number_from(size_name);
    if (rank && size) return {true, *rank, std::max(1, *size)};
  }
  return {};
}

struct Session::State {
  Workers workers;
  Communicator communicator;
  Communicator node;
  int rank = 0;
  int ranks = 1;
  int nodes = 1;
  int threads = 1;
  std::vector<WorkerPlace> mine;
  std::vector<WorkerPlace> all;
  std::vector<std::string> marks;
  std::string note;
  std::optional<oneapi::tbb::global_control> tbb_workers;
  std::optional<TokenRing> ring;  ///< none where workers share a core: each lap would take the scheduler's time slices
  std::uint64_t rings = 0;

  void count_threads(const std::vector<UsableCore>& cores);
  void bind();
};

void Session::State::count_threads(const std::vector<UsableCore>& cores) {
  const int node_ranks = size_of(node.get());
  const int usable = static_cast<int>(cores.size());
  const std::string model{name_of(workers.model)};
  if (runs_threads(workers.model)) {
    threads = workers.threads > 0 ? workers.threads : std::max(1, usable / node_ranks);
  } else if (workers.threads > 1) {
    throw UsageError(fmt::format("model {} runs one thread {}; --threads {} is for openmp, tbb and hybrid", model,
                                 workers.model == Model::mpi ? "a rank" : "in all", workers.threads));
  }
  if (node_ranks * threads <= usable || workers.oversubscribe) return;
  const int machine = static_cast<int>(all_cores().size());
  throw UsageError(
      fmt::format("{} workers ({} x {}) on {}, and this job may use {} of its {} cores{}; "
                  "--oversubscribe lets workers share a core",
                  node_ranks * threads, counted(node_ranks, "rank"), counted(threads, "thread"),
                  places_for(cores, 0, 1).front().host, usable, machine,
                  launched().by_launcher && usable < machine
                      ? " (mpirun --bind-to none frees the others: duet binds its workers itself)"
                      : ""));
}

void Session::State::bind() {
  if (workers.model == Model::openmp || workers.model == Model::hybrid) {
    // No exception may leave the region; the first one is thrown behind it.
    omp_set_dynamic(0);
    std::exception_ptr failure;
    int team = 0;
#pragma omp parallel num_threads(threads) default(none) shared(failure, team)
    {
#pragma omp single
      team = omp_get_num_threads();
      try {
        if (team == threads) bind_this_thread(mine[static_cast<std::size_t>(omp_get_thread_num())]);
      } catch (...) {
#pragma omp critical
        failure = std::current_exception();
      }
    }
    if (team != threads) {
      throw std::runtime_error(fmt::format("OpenMP gave {} of {} threads; is OMP_THREAD_LIMIT set?", team, threads));
    }
    if (failure) std::rethrow_exception(failure);
  } else {
    // TBB's own threads are bound when they enter the arena (Execution::on_worker_start).
    if (workers.model == Model::tbb) {
      tbb_workers.emplace(oneapi::tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(threads));
    }
    bind_this_thread(mine.front());
  }
}

Session::Session(const Workers& workers) : state_{std::make_unique<State>()} {
  State& state = *state_;
  state.workers = workers;
  const Launched launch = launched();
  const std::string model{name_of(workers.model)};
  if (passes_messages(workers.model)) {
    if (!launch.by_launcher) {
      throw UsageError(
          fmt::format("model {} wants ranks: start it under mpirun (or srun), as in `mpirun -n 2 duet ...`", model));
    }
    start_mpi(launch);
    state.communicator = Communicator::duplicate(MPI_COMM_WORLD);
    state.node = Communicator::of_node(state.communicator.get());
  } else if (launch.by_launcher && launch.ranks > 1) {
    throw UsageError(
        fmt::format("model {} is one process, and {} ranks were started; mpi and hybrid are the models for "
                    "mpirun",
                    model, launch.ranks));
  }
  const MPI_Comm communicator = state.communicator.get();
  state.rank = rank_in(communicator);
  state.ranks = size_of(communicator);

  const std::vector<int> mine = processors_of_this_thread();
  const std::vector<UsableCore> cores =
      communicator == MPI_COMM_NULL ? usable_cores() : restricted_to(all_cores(), union_over(state.node.get(), mine));
  if (cores.empty()) throw UsageError("no core of this machine may be used");
  state.count_threads(cores);

  if (const auto machine = all_cores().size();
      launch.by_launcher && runs_threads(workers.model) && workers.threads == 0 && cores.size() < machine) {
    state.note = fmt::format(
        "the launcher bound this job to {} of the node's {} cores; with mpirun --bind-to none the teams take all",
        cores.size(), machine);
  }

  const int node_rank = rank_in(state.node.get());
  const Communicator machine =
      communicator == MPI_COMM_NULL ? Communicator{} : ranks_of_machine(communicator, state.node.get());
  state.mine = places_for(cores, rank_in(machine.get()) * state.threads, state.threads);
  for (int thread = 0; thread < state.threads; ++thread) {
    state.mine[static_cast<std::size_t>(thread)].rank = state.rank;
    state.mine[static_cast<std::size_t>(thread)].thread = thread;
  }
  state.bind();

  std::string lines;
  for (const WorkerPlace& place : state.mine) lines += nlohmann::json(place).dump() + "\n";
  const std::string all = gathered(communicator, lines);
  for (std::size_t begin = 0; begin < all.size();) {
    const std::size_t end = all.find('\n', begin);
    state.all.push_back(nlohmann::json::parse(all.substr(begin, end - begin)).get<WorkerPlace>());
    begin = end + 1;
  }
  if (communicator != MPI_COMM_NULL) {
    int leads_node = node_rank == 0 ? 1 : 0;
    check(MPI_Allreduce(&leads_node, &state.nodes, 1, MPI_INT, MPI_SUM, communicator));
  }
  if (shares_a_core(state.all)) state.marks.emplace_back("shared_core");
  const bool too_many = size_of(state.node.get()) * state.threads > static_cast<int>(cores.size());
  // Nodes may have more ranks or fewer, and all ranks ask.
  const bool shared =
      communicator == MPI_COMM_NULL ? too_many : shares_a_processor(communicator, machine.get(), state.mine, too_many);
  if (shared) state.marks.emplace_back("oversubscribed");
  if (state.marks.empty()) {
    try {
      state.ring.emplace(state.node.get(), state.threads);
    } catch (const MpiError&) {
      // An MPI without shared windows: distances stay unknown.
    }
  }
}

Session::~Session() {
  // While an exception unwinds, other ranks may wait elsewhere: duet_main ends the job then.
  if (std::uncaught_exceptions() > 0 || state_->communicator.get() == MPI_COMM_NULL) return;
  state_->ring.reset();
  state_->node = {};
  state_->communicator = {};
  MPI_Finalize();
}

Model Session::model() const { return state_->workers.model; }
int Session::rank() const { return state_->rank; }
int Session::ranks() const { return state_->ranks; }
int Session::threads() const { return state_->threads; }
int Session::node_ranks() const { return size_of(state_->node.get()); }
int Session::nodes() const { return state_->nodes; }
MPI_Comm Session::communicator() const { return state_->communicator.get(); }
const std::vector<WorkerPlace>& Session::places() const { return state_->all; }
const std::vector<std::string>& Session::marks() const { return state_->marks; }
const std::string& Session::note() const { return state_->note; }

Execution Session::execution(const Settings& tunables, Timesheet* timesheet) const {
  Execution execution;
  execution.threads = state_->threads;
  execution.communicator = state_->communicator.get();
  execution.tunables = tunables;
  execution.timesheet = timesheet;
  if (state_->threads > 1) {
    execution.on_worker_start = [mine = state_->mine](int thread) {
      bind_this_thread(mine.at(static_cast<std::size_t>(thread)));
    };
    WorkerPlace any = state_->mine.front();
    for (const WorkerPlace& place : state_->mine) std::ranges::copy(place.bound_to, std::back_inserter(any.bound_to));
    execution.on_helper_start = [any] { bind_this_thread(any); };
  }
  return execution;
}

Canary Session::canary(double seconds) const {
  State& state = *state_;
  const std::uint64_t call = state.rings++;
  Canary canary;
  std::mutex mutex;
  const auto run = [&](int thread) {
    const double hop = state.ring ? state.ring->hop_seconds(thread, call) : 0;
    const double rate = canary_rate(seconds);
    const std::scoped_lock lock{mutex};
    canary.hop_seconds = std::max(canary.hop_seconds, hop);
    const bool slowest = canary.operations_per_second == 0 || rate < canary.operations_per_second;
    if (slowest) canary.operations_per_second = rate;
  };
  if (model() == Model::openmp || model() == Model::hybrid) {
#pragma omp parallel num_threads(state.threads) default(none) shared(run)
    run(omp_get_thread_num());
  } else {
    // Not a TBB arena: nothing there makes each worker take exactly one piece. Not an OpenMP team: its threads would go
    // on spinning on the cores of the TBB workers.
    std::vector<std::jthread> others;
    for (int worker = 1; worker < state.threads; ++worker) {
      others.emplace_back([&state, &run, worker] {
        bind_this_thread(state.mine[static_cast<std::size_t>(worker)]);
        run(worker);
      });
    }
    run(0);
  }
  if (state.communicator.get() != MPI_COMM_NULL) {
    // The slowest and the farthest, in one call.
    std::array<double, 2> worst{-canary.operations_per_second, canary.hop_seconds};
    check(MPI_Allreduce(MPI_IN_PLACE, worst.data(), 2, MPI_DOUBLE, MPI_MAX, state.communicator.get()));
    canary = {-worst[0], worst[1]};
  }
  return canary;
}

void Session::barrier() const {
  if (state_->communicator.get() != MPI_COMM_NULL) check(MPI_Barrier(state_->communicator.get()));
}

}  // namespace duet
