#include "drivers/study/launcher.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/core/partition.hpp"

namespace duet {

Command starting(const Launcher& launcher, const Processes& processes) {
  if (launcher.kind == Launcher::Kind::local && !processes.passes_messages) return {};
  Command words = launcher.words;
  const bool too_many = processes.ranks > launcher.cores_per_node * processes.nodes;
  if (launcher.kind == Launcher::Kind::srun) {
    // No --cpus-per-task: without it, a step has all cores of its nodes, from which duet takes the same for every
    // model.
    words.insert(words.end(), {fmt::format("--nodes={}", processes.nodes), fmt::format("--ntasks={}", processes.ranks),
                               "--distribution=block"});
    if (too_many) words.emplace_back("--overcommit");
    return words;
  }
  if (too_many) words.emplace_back("--oversubscribe");
  if (launcher.kind == Launcher::Kind::hosts) {
    std::string list;
    for (int node = 0; node < processes.nodes; ++node) {
      const auto share = share_of(processes.ranks, processes.nodes, node);
      if (share.size() == 0) continue;
      const Host& host = launcher.hosts.at(static_cast<std::size_t>(node));
      list += fmt::format("{}{}:{}", list.empty() ? "" : ",", host.name, share.size());
    }
    words.insert(words.end(), {"--host", list});
  }
  words.insert(words.end(), {"-n", std::to_string(processes.ranks)});
  return words;
}

std::string default_mpirun() { return DUET_MPIRUN; }

Command mpirun_words(const std::string& mpirun, int nodes, bool root, const std::vector<std::string>& environment) {
  Command words{mpirun, "--bind-to", "none"};
  if (nodes > 1) words.insert(words.end(), {"--map-by", "slot"});
  const auto add = [&](const std::string& parameter, const std::string& value) {
    const std::string variable = "OMPI_MCA_" + parameter + "=";
    if (std::ranges::any_of(environment, [&](const std::string& text) { return text.starts_with(variable); })) return;
    words.insert(words.end(), {"--mca", parameter, value});
  };
  add("osc", "sm,pt2pt");
  if (nodes == 1) add("pml", "ob1");
  add("odls_base_sigkill_timeout", "0");
  if (root) words.emplace_back("--allow-run-as-root");
  return words;
}

Command srun_words() {
  return {"srun", "--mpi=pmix", "--cpu-bind=none", "--kill-on-bad-exit=1", "--overlap", "--unbuffered"};
}

}  // namespace duet
