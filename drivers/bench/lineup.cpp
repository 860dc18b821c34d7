#include "drivers/bench/lineup.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "drivers/placement.hpp"
#include "kernels/registry.hpp"

namespace duet {

Lineup::Lineup(const BenchOptions& options, std::filesystem::path folder)
    : workers_{options.workers}, repeat_{options.repeat}, folder_{std::move(folder)} {
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe");
  self_ = self.string();
  launching_.duet = (self.parent_path() / "duet").string();
  launching_.launcher.cores_per_node = static_cast<int>(usable_cores().size());
  if (workers_ == 0) workers_ = launching_.launcher.cores_per_node;
  launching_.oversubscribe = workers_ > launching_.launcher.cores_per_node;
  launching_.launcher.words = mpirun_words(default_mpirun(), 1, ::geteuid() == 0, {});
}

Contestant Lineup::variant(const std::string& problem, Model model, const std::string& size, const Tunables& tunables,
                           const Parameters& parameters) const {
  return variant(problem, model, size,
                 passes_messages(model) ? Workers{.ranks = workers_, .threads = 1}
                                        : Workers{.ranks = 1, .threads = runs_threads(model) ? workers_ : 1},
                 tunables, parameters);
}

Contestant Lineup::variant(const std::string& problem, Model model, const std::string& size, const Workers& workers,
                           const Tunables& tunables, const Parameters& parameters) const {
  const Instance instance = problem_called(problem).pose(size, 1, parameters);
  CellLaunch launch;
  launch.cell = {.problem = problem, .model = model, .size = instance.size_text(), .parameters = parameters};
  launch.cell.tunables = tunables;
  launch.cell.threads = workers.threads;
  launch.cell.ranks = workers.ranks;
  launch.repeat = repeat_;
  launch.at_most = 600;
  launch.json = "FILE";
  Command command = command_of(launch, launching_);
  command.pop_back();  // the file comes when it is run
  std::string name{name_of(model)};
  for (const auto& [tunable, value] : tunables) name += fmt::format(" {}={}", tunable, value);
  return {.name = std::move(name), .workers = launch.cell.workers(), .command = std::move(command)};
}

Contestant Lineup::peer(const std::string& name, Contestant::Role role, const std::string& size, int workers,
                        const std::vector<std::string>& environment, const Parameters& parameters) const {
  Command command{"env"};
  command.insert(command.end(), environment.begin(), environment.end());
  command.insert(command.end(), {self_, "--peer", name, "--peer-size", size, "--workers", std::to_string(workers),
                                 "--repeat", std::to_string(repeat_)});
  for (const auto& [key, value] : parameters) {
    command.insert(command.end(), {"--peer-set", fmt::format("{}={}", key, value)});
  }
  command.emplace_back("--peer-json");
  return {.name = name, .role = role, .workers = workers, .command = std::move(command)};
}

Contestant Lineup::on_ranks(Contestant contestant) const {
  Command words = starting(launching_.launcher, {.ranks = workers_, .passes_messages = true});
  contestant.command.insert(contestant.command.begin(), words.begin(), words.end());
  return contestant;
}

std::vector<Trial> Lineup::trials(const Contestant& contestant) const { return trials_of(contestant, folder_, stop_); }

}  // namespace duet
