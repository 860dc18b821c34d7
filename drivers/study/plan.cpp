#include "drivers/study/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <random>
#include <set>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <tuple>
#include <utility>

#include "drivers/study/parts.hpp"
#include "kernels/registry.hpp"

namespace duet {
namespace {

template <class Range, class Text>
std::string joined(const Range& range, const char* between, Text&& text) {
  std::string all;
  for (const auto& item : range) {
    if (!all.empty()) all += between;
    all += text(item);
  }
  return all;
}

constexpr auto itself = [](const std::string& text) { return text; };

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream stream{text};
  for (std::string part; std::getline(stream, part, at);) {
    if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

double number_from(const std::string& key, const std::string& text) {
  double value = 0;
  const auto [stopped, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || stopped != text.data() + text.size()) {
    throw std::invalid_argument(fmt::format("option '{}': '{}' is not a number", key, text));
  }
  return value;
}

bool declares(const std::vector<Setting>& declared, const std::string& name) {
  return std::ranges::find(declared, name, &Setting::name) != declared.end();
}

/// Those of `settings` that `declared` has.
std::map<std::string, std::string> declared_of(const std::map<std::string, std::string>& settings,
                                               const std::vector<Setting>& declared) {
  std::map<std::string, std::string> some;
  for (const auto& [name, value] : settings) {
    if (declares(declared, name)) some.emplace(name, value);
  }
  return some;
}

bool has_variant(const Problem& problem, Model model) {
  return std::ranges::find(problem.variants, model, &Variant::model) != problem.variants.end();
}

void refuse_unknown_settings(const StudyOptions& options) {
  std::set<std::string> known;
  for (const std::string& name : options.problems) {
    const Problem& problem = problem_called(name);
    for (const Setting& setting : problem.parameters) known.insert(setting.name);
    for (const Variant& variant : problem.variants) {
      if (std::ranges::find(options.models, variant.model) == options.models.end()) continue;
      for (const Setting& setting : variant.tunables) known.insert(setting.name);
    }
  }
  for (const auto& [name, value] : options.settings) {
    if (known.contains(name)) continue;
    throw std::invalid_argument(fmt::format("--set: nothing in this study has '{}'; there is {}", name,
                                            known.empty() ? "nothing to set" : joined(known, ", ", itself)));
  }
}

/// The worker counts that lead: the largest, and the largest that one node holds.
bool leads(int workers, const StudyOptions& options, const Resources& resources) {
  if (options.workers.empty()) return workers == 1;
  if (resources.nodes == 1) return workers == options.workers.back();
  const auto beyond = std::ranges::upper_bound(options.workers, resources.cores);
  const int largest_of_a_node = beyond == options.workers.begin() ? 0 : *(beyond - 1);
  return workers == options.workers.back() || workers == largest_of_a_node;
}

/// The ways in which `model` divides `workers` on `nodes`.
std::vector<Shape> shapes_of(Model model, int workers, int nodes, int numa_nodes) {
  if (nodes == 1 || model != Model::hybrid) return {shape_of(model, workers, numa_nodes)};
  const int of_a_node = workers / nodes;
  if (of_a_node < 2 || workers % nodes != 0) return {};  // teams of one thread would be pure message passing
  const Shape usual = shape_of(model, of_a_node, numa_nodes);
  std::vector<Shape> shapes{{nodes, of_a_node}};
  if (usual.ranks > 1) shapes.push_back({nodes * usual.ranks, usual.threads});
  return shapes;
}

/// The worker counts that `model` has at `size`.
std::vector<int> workers_at(const std::string& problem, const std::string& size, Model model,
                            const StudyOptions& options) {
  if (options.scaling == Scaling::weak) {
    const std::vector<std::string>& sizes = options.sizes.at(problem);
    const auto position = std::ranges::find(sizes, size) - sizes.begin();
    if (model == Model::serial) return position == 0 ? std::vector<int>{1} : std::vector<int>{};
    return {options.workers.at(static_cast<std::size_t>(position))};
  }
  return model == Model::serial ? std::vector<int>{1} : options.workers;
}

constexpr double gigabyte = 1e9;

}  // namespace

std::map<std::string, std::string> as_text(const StudyOptions& options) {
  const auto sizes_text = [&](const std::string& problem) {
    const auto found = options.sizes.find(problem);
    return problem + "=" + (found == options.sizes.end() ? "" : joined(found->second, ",", itself));
  };
  return {{"problems", joined(options.problems, " ", itself)},
          {"models", joined(options.models, " ", [](Model model) { return name_of(model); })},
          {"sizes", joined(options.problems, " ", sizes_text)},
          {"sizes_given", options.sizes_given ? "yes" : "no"},
          {"workers", joined(options.workers, " ", [](int workers) { return std::to_string(workers); })},
          {"nodes", joined(options.nodes, " ", [](int nodes) { return std::to_string(nodes); })},
          {"nodes_given", options.nodes_given ? "yes" : "no"},
          {"settings", joined(options.settings, " ", [](const auto& one) { return one.first + "=" + one.second; })},
          {"seed", std::to_string(options.seed)},
          {"oversubscribe", options.oversubscribe ? "yes" : "no"},
          {"budget_seconds", fmt::format("{}", options.budget_seconds)},
          {"precision", fmt::format("{}", options.precision)},
          {"time_limit_seconds", fmt::format("{}", options.time_limit_seconds)},
          {"rounds", std::to_string(options.rounds)},
          {"scaling", std::string{name_of(options.scaling)}},
          {"part", text_of(options.part)}};
}

StudyOptions options_from(const std::map<std::string, std::string>& text) {
  const auto value = [&](const std::string& key) -> const std::string& {
    const auto found = text.find(key);
    if (found == text.end()) throw std::invalid_argument(fmt::format("option '{}' is not recorded", key));
    return found->second;
  };
  constexpr std::int64_t most = std::int64_t{1} << 62;
  StudyOptions options;
  options.problems = split(value("problems"), ' ');
  for (const std::string& name : split(value("models"), ' ')) {
    const auto model = model_called(name);
    if (!model) throw std::invalid_argument(fmt::format("option 'models': no model is called '{}'", name));
    options.models.push_back(*model);
  }
  for (const std::string& one : split(value("sizes"), ' ')) {
    const auto equals = std::min(one.find('='), one.size());
    options.sizes[one.substr(0, equals)] = split(one.substr(std::min(equals + 1, one.size())), ',');
  }
  options.sizes_given = value("sizes_given") == "yes";
  for (const std::string& one : split(value("workers"), ' ')) {
    options.workers.push_back(static_cast<int>(whole_number("option 'workers'", one, 1, 1 << 30)));
  }
  if (text.contains("nodes")) {  // studies of one machine were written without
    options.nodes.clear();
    for (const std::string& one : split(value("nodes"), ' ')) {
      options.nodes.push_back(static_cast<int>(whole_number("option 'nodes'", one, 1, 1 << 30)));
    }
    options.nodes_given = value("nodes_given") == "yes";
  }
  for (const std::string& one : split(value("settings"), ' ')) {
    const auto equals = std::min(one.find('='), one.size());
    options.settings[one.substr(0, equals)] = one.substr(std::min(equals + 1, one.size()));
  }
  options.seed = static_cast<std::uint64_t>(whole_number("option 'seed'", value("seed"), 0, most));
  options.oversubscribe = value("oversubscribe") == "yes";
  options.budget_seconds = number_from("budget_seconds", value("budget_seconds"));
  options.precision = number_from("precision", value("precision"));
  options.time_limit_seconds = number_from("time_limit_seconds", value("time_limit_seconds"));
  options.rounds = static_cast<int>(whole_number("option 'rounds'", value("rounds"), 0, 1 << 30));
  options.scaling = scaling_of(text);
  options.part = part_of(text);
  return options;
}

std::vector<int> powers_up_to(int count) {
  std::vector<int> powers;
  for (int power = 1; power < count; power *= 2) powers.push_back(power);
  powers.push_back(std::max(1, count));
  return powers;
}

std::vector<int> default_workers(const Resources& resources, const std::vector<int>& nodes) {
  std::vector<int> workers = powers_up_to(resources.cores);
  for (const int count : nodes) workers.push_back(count * resources.cores);
  std::ranges::sort(workers);
  const auto repeated = std::ranges::unique(workers);
  workers.erase(repeated.begin(), repeated.end());
  return workers;
}

std::vector<int> nodes_for(Model model, int workers, const StudyOptions& options, const Resources& resources) {
  if (!passes_messages(model)) return {1};
  const int fewest = std::min((workers + resources.cores - 1) / resources.cores, options.nodes.back());
  std::vector<int> counts;
  for (const int count : options.nodes) {
    if (count >= fewest && count <= workers && workers % count == 0) counts.push_back(count);
  }
  if (counts.empty()) return {fewest};
  // In a curve of scaling each number of workers stands once.
  if (options.scaling != Scaling::none) return {counts.front()};
  if (counts.size() > 2 && !options.nodes_given) return {counts.front(), counts.back()};
  return counts;
}

Shape shape_of(Model model, int workers, int numa_nodes) {
  constexpr int fewest_for_two_teams = 4;
  switch (model) {
    case Model::serial:
      return {1, 1};
    case Model::openmp:
    case Model::tbb:
      return {1, workers};
    case Model::mpi:
      return {workers, 1};
    case Model::hybrid:
      break;
  }
  if (workers < fewest_for_two_teams) return {1, workers};
  int ranks = std::min(workers / 2, std::max(2, numa_nodes));
  while (workers % ranks != 0) --ranks;
  return {ranks, workers / ranks};
}

std::vector<PlannedCell> cells_of(const std::string& name, const std::string& size, const StudyOptions& options,
                                  const Resources& resources) {
  const Problem& problem = problem_called(name);
  const Instance instance = problem.pose(size, options.seed, declared_of(options.settings, problem.parameters));
  const double operations = problem.work(instance).operations;
  std::vector<PlannedCell> cells;
  for (const Model model : options.models) {
    if (!has_variant(problem, model)) continue;
    const Variant& variant = problem.variant(model);
    const Settings tunables{name + " in " + std::string{name_of(model)}, variant.tunables,
                            declared_of(options.settings, variant.tunables)};
    const auto add = [&](int workers, int nodes, const Shape& shape) {
      PlannedCell planned;
      planned.cell = {name, model, instance.size_text(), options.seed, {}, {}, nodes, shape.ranks, shape.threads};
      planned.cell.parameters = {instance.parameters.all().begin(), instance.parameters.all().end()};
      planned.cell.tunables = {tunables.all().begin(), tunables.all().end()};
      planned.id = planned.cell.id();
      planned.group = options.scaling == Scaling::weak ? name : name + "/" + planned.cell.size;
      planned.size = instance.size();
      planned.operations = operations;
      // Several threads of one rank send no messages: they stand for no side of a verdict.
      const bool stands_for_a_side = !passes_messages(model) || shape.ranks > 1 || workers == 1;
      planned.leading = model == Model::serial || options.scaling != Scaling::none ||
                        (leads(workers, options, resources) && stands_for_a_side);
      const int ranks_a_node = (shape.ranks + nodes - 1) / nodes;
      const double bytes = problem.memory ? problem.memory(instance, model, ranks_a_node, shape.threads) : 0;
      if (bytes > resources.memory_bytes) {
        planned.refusal = fmt::format("needs about {:.3g} GB of memory, and {:.3g} GB are available here",
                                      bytes / gigabyte, resources.memory_bytes / gigabyte);
      } else if (shape.threads > resources.cores && !options.oversubscribe) {
        planned.refusal =
            fmt::format("needs {} cores of one node, and {} may be used; --oversubscribe lets workers share",
                        shape.threads, resources.cores);
      }
      cells.push_back(std::move(planned));
    };
    for (const int workers : workers_at(name, instance.size_text(), model, options)) {
      const bool ends_at_a_node = !passes_messages(model) && resources.nodes > 1 && !options.oversubscribe;
      if (ends_at_a_node && workers > resources.cores) continue;
      for (const int nodes : nodes_for(model, workers, options, resources)) {
        for (const Shape& shape : shapes_of(model, workers, nodes, resources.numa_nodes)) add(workers, nodes, shape);
      }
    }
  }
  return cells;
}

std::vector<PlannedCell> plan_cells(const StudyOptions& options, const Resources& resources) {
  refuse_unknown_settings(options);
  if (options.nodes.empty() || options.nodes.back() > resources.nodes) {
    throw std::invalid_argument(
        fmt::format("--nodes {}: this job has {} (--hosts, or an allocation, gives more)",
                    options.nodes.empty() ? 0 : options.nodes.back(),
                    resources.nodes == 1 ? "1 node" : fmt::format("{} nodes", resources.nodes)));
  }
  const int cores = resources.cores * options.nodes.back();
  for (const int workers : options.workers) {
    if (workers <= cores || options.oversubscribe) continue;
    throw std::invalid_argument(fmt::format(
        "--workers {}: this job may use {} core{}{}; --oversubscribe lets workers share a core", workers, cores,
        cores == 1 ? "" : "s", options.nodes.back() > 1 ? fmt::format(" of {} nodes", options.nodes.back()) : ""));
  }
  std::vector<PlannedCell> plan;
  const StudyOptions mine = narrowed(options);
  for (const std::string& problem : mine.problems) {
    for (const std::string& size : mine.sizes.at(problem)) {
      for (PlannedCell& cell : cells_of(problem, size, mine, resources)) plan.push_back(std::move(cell));
    }
  }
  if (plan.empty()) {
    throw std::invalid_argument(fmt::format("nothing to measure: {} in {}", joined(options.problems, ", ", itself),
                                            joined(options.models, ", ", [](Model model) { return name_of(model); })));
  }
  return plan;
}

std::vector<std::size_t> coarse_first(std::size_t count) {
  std::vector<std::size_t> order;
  if (count > 0) order.push_back(0);
  if (count > 1) order.push_back(count - 1);
  while (order.size() < count) {
    std::vector<std::size_t> taken = order;
    std::ranges::sort(taken);
    std::size_t widest = 1;
    for (std::size_t i = 2; i < taken.size(); ++i) {
      if (taken[i] - taken[i - 1] > taken[widest] - taken[widest - 1]) widest = i;
    }
    order.push_back((taken[widest - 1] + taken[widest]) / 2);
  }
  return order;
}

std::vector<PlannedCell> shuffled(std::vector<PlannedCell> cells, std::uint64_t seed, int round) {
  // One draw a cell, one a group, and a sort by both: the standard leaves std::shuffle's result open.
  std::seed_seq seeds{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32U),
                      static_cast<std::uint32_t>(round)};
  std::mt19937_64 draw{seeds};
  std::map<std::string, std::uint64_t> groups;
  for (const PlannedCell& planned : cells) groups.emplace(planned.group, 0);
  for (auto& [group, key] : groups) key = draw();
  std::vector<std::tuple<std::uint64_t, std::uint64_t, std::size_t>> keys;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    keys.emplace_back(groups.at(cells[i].group), draw(), i);
  }
  std::ranges::sort(keys);
  std::vector<PlannedCell> order;
  for (const auto& [group, key, i] : keys) order.push_back(std::move(cells[i]));
  return order;
}

std::int64_t size_between(double below, double above) {
  const auto low = static_cast<std::int64_t>(std::floor(below));
  const auto high = static_cast<std::int64_t>(std::ceil(above));
  const double mean = std::sqrt(std::max(1.0, below) * above);
  // Five significant bits or four: 736 = 23 * 32.
  constexpr std::uint64_t parts = 16;
  for (std::uint64_t grain = std::bit_floor(std::max<std::uint64_t>(1, static_cast<std::uint64_t>(mean) / parts));
       grain > 0; grain /= 2) {
    const auto step = static_cast<std::int64_t>(grain);
    const std::int64_t size = std::llround(mean / static_cast<double>(step)) * step;
    if (low < size && size < high) return size;
  }
  return 0;
}

}  // namespace duet
