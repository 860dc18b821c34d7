#include "kernels/divide_and_conquer/fib_tree/tree_tunables.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "kernels/divide_and_conquer/fib_tree/tree.hpp"

namespace duet {
namespace {

Join join_called(const std::string& name) {
  if (name == "end") return Join::end;
  if (name == "call") return Join::call;
  throw std::invalid_argument("join: '" + name + "' is none of end, call");
}

Schedule distribution_called(const std::string& name) {
  if (name == "static") return Schedule::block;
  if (name == "counter") return Schedule::dynamic;
  if (name == "stealing") return Schedule::stealing;
  throw std::invalid_argument("distribution: '" + name + "' is none of static, counter, stealing");
}

}  // namespace

TreeTunables tree_tunables(const Execution& execution) {
  const std::int64_t cutoff = execution.whole_or("cutoff", 0);
  if (cutoff < 0) throw std::invalid_argument("cutoff: " + std::to_string(cutoff) + " is negative");
  return {.cutoff = std::max<std::int64_t>(cutoff, 1),
          .join = join_called(execution.text_or("join", "end")),
          .distribution = distribution_called(execution.text_or("distribution", "stealing"))};
}

std::vector<Setting> settings_of_tree(Model model) {
  if (model == Model::serial) return {};
  std::vector<Setting> settings{{.name = "cutoff",
                                 .preset = "0",
                                 .meaning = "the largest index that is run as one task; 1: every call is a task or "
                                            "spawns one; 0: chosen by what a task costs here",
                                 .most = largest_tree}};
  if (runs_threads(model)) {
    settings.push_back({.name = "join",
                        .preset = "end",
                        .meaning = "when results are put together: at the end, or in every call, which waits for "
                                   "what it spawned",
                        .choices = {"end", "call"}});
  }
  if (passes_messages(model)) {
    settings.push_back({.name = "distribution",
                        .preset = "stealing",
                        .meaning = "how ranks come to their tasks",
                        .choices = {"static", "counter", "stealing"}});
  }
  return settings;
}

}  // namespace duet
