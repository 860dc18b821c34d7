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
#include <optional>
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
  simulation.settle();

  const Execution execution{.communicator = MPI_COMM_WORLD, .tunables = checked};
  const Placed placed =
      options.compute ? variant.place(instance, execution) : placed_without_memory(problem, instance, execution);
  if (placed.reset) placed.reset();
  check(MPI_Barrier(MPI_COMM_WORLD));
  simulation.record() = {};
  const double start = MPI_Wtime();
  placed.execute();
  RankRecord& mine = simulation.record();
  mine.seconds = MPI_Wtime() - start;
  std::array<char, MPI_MAX_PROCESSOR_NAME> name{};
  int length = 0;
  check(MPI_Get_processor_name(name.data(), &length));
  mine.host = name.data();
  const std::optional<Judgement> judgement = options.compute ? std::optional{placed.verify()} : std::nullopt;
  const std::string digest = options.compute && placed.digest ? placed.digest() : "";
  check(MPI_Barrier(MPI_COMM_WORLD));
  const bool right = !judgement || judgement->right;
  if (rank_in(MPI_COMM_WORLD) != 0) return right;

  Trial trial;
  trial.cell = {problem.name, Model::mpi, instance.size_text(), instance.seed, {}, {}, 1, size_of(MPI_COMM_WORLD), 1};
  trial.cell.parameters = {instance.parameters.all().begin(), instance.parameters.all().end()};
  trial.cell.tunables = {checked.all().begin(), checked.all().end()};
  std::set<std::string> hosts;
  double messages = 0;
  double bytes = 0;
  double useful = 0;
  for (const RankRecord& record : simulation.records()) {
    hosts.insert(record.host);
    trial.seconds = std::max(trial.seconds, record.seconds);
    trial.useful_seconds.push_back(record.useful_seconds);
    messages += static_cast<double>(record.messages);
    bytes += static_cast<double>(record.bytes);
    useful += record.useful_seconds;
  }
  trial.cell.nodes = static_cast<int>(hosts.size());
  const Work work = problem.work(instance);
  trial.operations = work.operations;
  trial.unit = work.unit;
  trial.compulsory_bytes = work.compulsory_bytes;
  trial.simulated = options.platform;
  trial.outcome = Outcome::modelled;
  trial.facts = placed.facts;
  trial.facts["rates"] = simulation.rates().machine;
  if (judgement) {
    trial.outcome = judgement->right ? Outcome::right : Outcome::wrong;
    trial.message = judgement->explanation;
    trial.error = judgement->error;
    trial.bound = judgement->bound;
    trial.digest = digest;
  }
  const auto ranks = static_cast<double>(trial.cell.ranks);
  trial.facts["messages_per_rank"] = fmt::format("{:.17g}", messages / ranks);
  trial.facts["bytes_per_rank"] = fmt::format("{:.17g}", bytes / ranks);
  trial.started_at = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::now()));
  if (!options.json.empty()) append(options.json, trial);
  fmt::print("duet_simulated {} {:.17g} {:.6f} {:.1f} {:.0f} {}{}\n", trial.cell.ranks, trial.seconds,
             useful / ranks / trial.seconds, messages / ranks, bytes / ranks, name_of(trial.outcome),
             trial.message.empty() ? "" : ": " + trial.message);
  std::fflush(stdout);
  return right;
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
