#include "drivers/nodes.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

#include "drivers/command.hpp"

namespace duet {
namespace {

namespace fs = std::filesystem;

/// Why a launch over nodes did not answer, in one line.
std::string reason_of(const Ending& ending, const std::string& program) {
  if (ending.how == Ending::How::not_started) {
    return fmt::format("cannot start '{}': {}", program, std::strerror(ending.code));
  }
  if (ending.how == Ending::How::out_of_time) return fmt::format("no answer within {:.0f} s", ending.seconds);
  const std::string line = telling_line(ending.output);
  return line.empty() ? fmt::format("exit status {}", ending.code) : line;
}

bool ended_well(const Ending& ending) { return ending.how == Ending::How::exited && ending.code == 0; }

/// Asks each host alone, and throws with the name of the first that does not answer.
void name_the_silent_one(const LaunchSettings& launching, const StopSignals& stop) {
  constexpr double limit_seconds = 15;
  for (const Host& host : launching.launcher.hosts) {
    LaunchSettings alone = launching;
    alone.launcher.hosts = {host};
    alone.launcher.nodes = 1;
    const Ending ending = run_process(question_to_nodes(alone, ""), limit_seconds, stop);
    if (stop.received() != 0) return;
    if (!ended_well(ending)) {
      throw UsageError(
          fmt::format("host {} cannot be used: {}", host.name, reason_of(ending, launching.launcher.words.front())));
    }
  }
}

std::vector<Node> answers_in(const fs::path& path) {
  std::vector<Node> nodes;
  std::ifstream file{path};
  for (std::string line; std::getline(file, line);) nodes.push_back(nlohmann::json::parse(line).get<Node>());
  return nodes;
}

/// "n1", "n1, n2 and n3", "n1, n2 and 6 others".
std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t most = 4;
  const std::size_t shown = names.size() <= most ? names.size() - 1 : 2;
  std::string text = names.front();
  for (std::size_t i = 1; i < shown; ++i) text += ", " + names[i];
  if (names.size() == 1) return text;
  return text + " and " + (names.size() <= most ? names.back() : fmt::format("{} others", names.size() - shown));
}

}  // namespace

std::string program_hash(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state{XXH3_createState(), XXH3_freeState};
  if (!file || state == nullptr || XXH3_128bits_reset(state.get()) == XXH_ERROR) {
    throw std::runtime_error(fmt::format("{}: cannot be read: {}", path, std::strerror(errno)));
  }
  std::vector<char> chunk(std::size_t{1} << 20);
  while (file.read(chunk.data(), static_cast<std::streamsize>(chunk.size())) || file.gcount() > 0) {
    XXH3_128bits_update(state.get(), chunk.data(), static_cast<std::size_t>(file.gcount()));
  }
  const XXH128_hash_t hash = XXH3_128bits_digest(state.get());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

Command question_to_nodes(const LaunchSettings& launching, const fs::path& file) {
  const int nodes = launching.launcher.nodes;
  Command words = starting(launching.launcher, {.nodes = nodes, .ranks = nodes, .threads = 1, .passes_messages = true});
  words.insert(words.end(), {launching.duet, "node"});
  if (!file.empty()) words.insert(words.end(), {"--json", fs::absolute(file).string()});
  return words;
}

std::vector<Node> ask_nodes(const LaunchSettings& launching, const fs::path& folder, const StopSignals& stop) {
  constexpr double limit_seconds = 60;
  const fs::path file = folder / "nodes.jsonl";
  std::error_code ignored;
  fs::remove(file, ignored);
  const auto ask = [&] { return run_process(question_to_nodes(launching, file), limit_seconds, stop); };
  const auto reason = [&](const Ending& ending) { return reason_of(ending, launching.launcher.words.front()); };
  const auto misses_folder = [&](const Ending& ending) {
    return reason(ending).find(file.filename().string()) != std::string::npos;
  };
  Ending ending = ask();
  if (stop.received() != 0) return {};
  if (!ended_well(ending) && !misses_folder(ending)) {
    name_the_silent_one(launching, stop);
    if (stop.received() != 0) return {};
    // Each alone answers: launchers stumble at times, srun once in some hundred starts.
    fmt::print(stderr, "duet: warning: the nodes have to be asked again: {}\n", reason(ending));
    fs::remove(file, ignored);
    ending = ask();
    if (stop.received() != 0) return {};
    if (!ended_well(ending)) {
      throw UsageError(fmt::format("the nodes cannot be used together, each alone can: {}", reason(ending)));
    }
  }
  const bool folder_is_missing = !ended_well(ending);
  if (folder_is_missing || !fs::exists(file)) {
    throw UsageError(
        fmt::format("{} is not on a file system that this machine shares with the nodes: -o DIR names another folder",
                    folder.string()));
  }
  std::vector<Node> nodes = answers_in(file);
  fs::remove(file, ignored);
  if (std::ssize(nodes) != launching.launcher.nodes) {
    throw UsageError(
        fmt::format("{} of {} nodes answered; {}", nodes.size(), launching.launcher.nodes,
                    launching.launcher.kind == Launcher::Kind::srun
                        ? "srun counts its ranks otherwise than MPI: it belongs to another PMIx (try --launcher mpirun)"
                        : "mpirun put two ranks on one of them"));
  }
  return nodes;
}

void refuse_unlike_nodes(const std::vector<Node>& nodes, const std::vector<Host>& hosts, const std::string& program) {
  std::set<std::string> names;
  std::vector<std::string> otherwise;
  for (const Node& node : nodes) {
    if (!names.insert(node.machine.host).second) {
      throw UsageError(fmt::format("two of the hosts are the same node, {}: each node is named once, with its slots",
                                   node.machine.host));
    }
    if (node.program != program) otherwise.push_back(node.machine.host);
  }
  if (!otherwise.empty()) {
    throw UsageError(
        fmt::format("duet on {} is another build than here (hash of the program's file): the same has to "
                    "be installed on every node",
                    listed(otherwise)));
  }
  for (const Node& node : nodes) {
    for (const auto& [name, version] : nodes.front().versions) {
      const auto found = node.versions.find(name);
      const std::string there = found == node.versions.end() ? "none" : found->second;
      if (there == version) continue;
      throw UsageError(fmt::format("{} on {} is '{}', and on {} '{}': nodes that differ are not compared", name,
                                   node.machine.host, there, nodes.front().machine.host, version));
    }
  }
  for (std::size_t i = 0; i < std::min(nodes.size(), hosts.size()); ++i) {
    if (hosts[i].slots <= nodes[i].machine.cores) continue;
    throw UsageError(
        fmt::format("host {} is given {} slots, and has {} that may be used", hosts[i].name, hosts[i].slots,
                    nodes[i].machine.cores == 1 ? "1 core" : fmt::format("{} cores", nodes[i].machine.cores)));
  }
}

std::vector<std::string> doubts_about(const std::vector<Node>& nodes) {
  std::vector<std::string> doubts;
  if (nodes.empty()) return doubts;
  std::map<std::string, std::vector<std::string>> by_kernel;
  std::map<std::string, std::vector<std::string>> by_processor;
  std::vector<double> peaks;
  for (const Node& node : nodes) {
    if (!node.kernel.empty()) by_kernel[node.kernel].push_back(node.machine.host);
    by_processor[node.machine.processor].push_back(node.machine.host);
    peaks.push_back(node.machine.peak_flops_one_core);
  }
  for (const auto& [kernel, hosts] : by_kernel) {
    if (hosts.size() == 1) continue;
    doubts.push_back(
        fmt::format("{} are one machine: they share its cores and memory, and what is between them is no "
                    "network card",
                    listed(hosts)));
  }
  if (by_processor.size() > 1) {
    std::string text;
    for (const auto& [processor, hosts] : by_processor) {
      text += fmt::format("{}{} in {}", text.empty() ? "" : ", ", processor, listed(hosts));
    }
    doubts.push_back("the nodes are not alike: " + text);
  }
  const auto middle = peaks.begin() + static_cast<std::ptrdiff_t>(peaks.size() / 2);
  std::ranges::nth_element(peaks, middle);
  const double usual = *middle;
  constexpr double slow = 0.9;
  for (const Node& node : nodes) {
    if (by_processor.size() > 1 || node.machine.peak_flops_one_core >= slow * usual) continue;
    doubts.push_back(fmt::format("a core of {} computes at {:.0f} % of the usual speed of the nodes", node.machine.host,
                                 100 * node.machine.peak_flops_one_core / usual));
  }
  return doubts;
}

Resources common_resources(const std::vector<Node>& nodes, const std::vector<Host>& hosts) {
  Resources resources;
  resources.nodes = static_cast<int>(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Machine& machine = nodes[i].machine;
    const int slots = i < hosts.size() && hosts[i].slots > 0 ? hosts[i].slots : machine.cores;
    resources.cores = i == 0 ? slots : std::min(resources.cores, slots);
    resources.numa_nodes = i == 0 ? machine.numa_nodes : std::min(resources.numa_nodes, machine.numa_nodes);
    resources.memory_bytes = i == 0 ? machine.memory_bytes : std::min(resources.memory_bytes, machine.memory_bytes);
  }
  return resources;
}

}  // namespace duet
