/// One rank of a simulation: what smpirun starts, as often as there are ranks, in one process. `jobs/simulate.sh` is
/// what a person calls.

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <mpi.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "drivers/simulate/modelled.hpp"
#include "drivers/simulate/rates.hpp"
#include "drivers/simulate/simulation.hpp"
#include "drivers/study/trials.hpp"
#include "kernels/core/mpi.hpp"
#include "kernels/registry.hpp"

namespace duet {
namespace {

struct Asked {
  std::string problem;
  std::string size;
  std::uint64_t seed = 1;
  std::vector<std::string> settings;
  std::string rates;
  std::string platform;
  std::string json;
  bool compute = false;
};

Asked asked(int argc, char** argv) {
  Asked options;
  CLI::App app{"One simulated rank; jobs/simulate.sh starts them", "duet_simulated"};
  app.add_option("PROBLEM", options.problem)->required();
  app.add_option("--size", options.size)->required();
  app.add_option("--seed", options.seed);
  app.add_option("--set", options.settings)->allow_extra_args(false);
  app.add_option("--rates", options.rates)->required();
  app.add_option("--platform", options.platform)->required();
  app.add_option("--json", options.json);
  app.add_flag("--compute", options.compute);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    throw std::invalid_argument(error.what());
  }
  return options;
}

/// "name=value", each in the list that declares it.
std::pair<std::map<std::string, std::string>, std::map<std::string, std::string>> split(
    const Problem& problem, const Variant& variant, const std::vector<std::string>& settings) {
  std::pair<std::map<std::string, std::string>, std::map<std::string, std::string>> values;
  for (const std::string& setting : settings) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos) throw std::invalid_argument("--set " + setting + ": name=value is right");
    const std::string name = setting.substr(0, equals);
    const bool tunable = std::ranges::find(variant.tunables, name, &Setting::name) != variant.tunables.end();
    const bool parameter = std::ranges::find(problem.parameters, name, &Setting::name) != problem.parameters.end();
    if (!tunable && !parameter) {
      throw std::invalid_argument(fmt::format("--set {}: {} in mpi has no '{}' (`duet list {}` says what it has)",
                                              setting, problem.name, name, problem.name));
    }
    (tunable ? values.second : values.first)[name] = setting.substr(equals + 1);
  }
  return values;
}

/// One value of each rank, on rank 0.
template <class Value>
std::vector<Value> gathered(Value mine, MPI_Datatype datatype) {
  std::vector<Value> all(static_cast<std::size_t>(size_of(MPI_COMM_WORLD)));
  check(MPI_Gather(&mine, 1, datatype, all.data(), 1, datatype, 0, MPI_COMM_WORLD));
  return all;
}

/// On rank 0.
int number_of_hosts() {
  std::array<char, MPI_MAX_PROCESSOR_NAME> name{};
  int length = 0;
  check(MPI_Get_processor_name(name.data(), &length));
  std::vector<char> all(name.size() * static_cast<std::size_t>(size_of(MPI_COMM_WORLD)));
  const int count = static_cast<int>(name.size());
  check(MPI_Gather(name.data(), count, MPI_CHAR, all.data(), count, MPI_CHAR, 0, MPI_COMM_WORLD));
  std::set<std::string> hosts;
  for (std::size_t begin = 0; begin < all.size(); begin += name.size()) hosts.emplace(all.data() + begin);
  return static_cast<int>(hosts.size());
}

void append(const std::string& path, const Trial& trial) {
  std::ofstream file{path, std::ios::app};
  file << nlohmann::json(trial).dump() + "\n" << std::flush;
  if (!file) throw std::runtime_error("--json " + path + ": cannot be written");
}

bool simulate(const Asked& options) {
  const Problem& problem = problem_called(options.problem);
  const Variant& variant = problem.variant(Model::mpi);
  const auto [parameters, tunables] = split(problem, variant, options.settings);
  const Instance instance = problem.pose(options.size, options.seed, parameters);
  const Settings checked{problem.name + " in mpi", variant.tunables, tunables};
  Simulation& simulation = Simulation::here();
  simulation.set_up(load_rates(options.rates), options.compute);

  const Execution execution{.communicator = MPI_COMM_WORLD, .tunables = checked};
  const Placed placed =
      options.compute ? variant.place(instance, execution) : placed_without_memory(problem, instance, execution);
  if (placed.reset) placed.reset();
  check(MPI_Barrier(MPI_COMM_WORLD));
  simulation.ledger() = {};
  const double start = MPI_Wtime();
  placed.execute();
  const std::vector<double> seconds = gathered(MPI_Wtime() - start, MPI_DOUBLE);
  const Ledger mine = simulation.ledger();

  Trial trial;
  trial.cell = {problem.name, Model::mpi, instance.size_text(), instance.seed, {}, {}, 1, size_of(MPI_COMM_WORLD), 1};
  trial.cell.parameters = {instance.parameters.all().begin(), instance.parameters.all().end()};
  trial.cell.tunables = {checked.all().begin(), checked.all().end()};
  trial.cell.nodes = number_of_hosts();
  trial.seconds = std::ranges::max(seconds);
  trial.useful_seconds = gathered(mine.useful_seconds, MPI_DOUBLE);
  const std::vector<std::int64_t> messages = gathered(mine.messages, MPI_INT64_T);
  const std::vector<std::int64_t> bytes = gathered(mine.bytes, MPI_INT64_T);
  const Work work = problem.work(instance);
  trial.operations = work.operations;
  trial.unit = work.unit;
  trial.compulsory_bytes = work.compulsory_bytes;
  trial.simulated = options.platform;
  trial.outcome = Outcome::modelled;
  trial.facts = placed.facts;
  trial.facts["rates"] = simulation.rates().machine;
  if (options.compute) {
    const Judgement judgement = placed.verify();
    trial.outcome = judgement.right ? Outcome::right : Outcome::wrong;
    trial.message = judgement.explanation;
    trial.error = judgement.error;
    trial.bound = judgement.bound;
    if (placed.digest) trial.digest = placed.digest();
  }
  if (rank_in(MPI_COMM_WORLD) != 0) return trial.outcome != Outcome::wrong;

  const auto ranks = static_cast<double>(trial.cell.ranks);
  const auto total = [](const std::vector<std::int64_t>& values) {
    return static_cast<double>(std::accumulate(values.begin(), values.end(), std::int64_t{0}));
  };
  trial.facts["messages_per_rank"] = fmt::format("{:.17g}", total(messages) / ranks);
  trial.facts["bytes_per_rank"] = fmt::format("{:.17g}", total(bytes) / ranks);
  trial.started_at = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::now()));
  if (!options.json.empty()) append(options.json, trial);
  const double useful = std::accumulate(trial.useful_seconds.begin(), trial.useful_seconds.end(), 0.0);
  fmt::print("duet_simulated {} {:.17g} {:.6f} {:.1f} {:.0f} {}{}\n", trial.cell.ranks, trial.seconds,
             useful / ranks / trial.seconds, total(messages) / ranks, total(bytes) / ranks, name_of(trial.outcome),
             trial.message.empty() ? "" : ": " + trial.message);
  std::fflush(stdout);
  return trial.outcome != Outcome::wrong;
}

// All ranks live in this process, so that whoever fails ends them all: MPI_Abort would leave the exit status at 0.
[[noreturn]] void fail(const std::string& message, int status) {
  fmt::print(stderr, "duet_simulated: {}\n", message);
  std::fflush(stderr);
  std::_Exit(status);
}

}  // namespace
}  // namespace duet

int main(int argc, char** argv) {
  constexpr int not_right = 1;
  constexpr int usage = 2;
  MPI_Init(&argc, &argv);
  try {
    const bool right = duet::simulate(duet::asked(argc, argv));
    MPI_Finalize();
    return right ? 0 : not_right;
  } catch (const std::invalid_argument& error) {
    duet::fail(error.what(), usage);
  } catch (const std::exception& error) {
    duet::fail(fmt::format("rank {}: {}", duet::rank_in(MPI_COMM_WORLD), error.what()), not_right);
  }
}
