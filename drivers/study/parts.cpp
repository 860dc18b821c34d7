#include "drivers/study/parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "drivers/study/marks.hpp"
#include "kernels/core/settings.hpp"

namespace duet {
namespace {

namespace fs = std::filesystem;

/// Of `count` things the first one of this part, and of the next.
std::pair<std::size_t, std::size_t> block(const StudyPart& part, std::size_t count) {
  const auto number = static_cast<std::size_t>(part.number);
  const auto of = static_cast<std::size_t>(part.of);
  return {count * (number - 1) / of, count * number / of};
}

void refuse_empty(const StudyPart& part, std::size_t count, std::string_view what) {
  if (static_cast<std::size_t>(part.of) <= count) return;
  throw std::invalid_argument(
      count == 1 ? fmt::format("--part {}: there is 1 {}, which cannot be divided", text_of(part), what)
                 : fmt::format("--part {}: there are {} {}s to divide, so that {} parts are possible", text_of(part),
                               count, what, count));
}

StudyOptions with_some_models(StudyOptions options) {
  std::vector<Model> scaling;
  std::ranges::copy_if(options.models, std::back_inserter(scaling), [](Model model) { return model != Model::serial; });
  refuse_empty(options.part, scaling.size(), "model");
  const auto [begin, end] = block(options.part, scaling.size());
  const std::set<Model> mine(scaling.begin() + static_cast<std::ptrdiff_t>(begin),
                             scaling.begin() + static_cast<std::ptrdiff_t>(end));
  std::erase_if(options.models, [&](Model model) { return model != Model::serial && !mine.contains(model); });
  return options;
}

StudyOptions with_some_sizes(StudyOptions options) {
  std::vector<std::pair<std::string, std::string>> all;
  for (const std::string& problem : options.problems) {
    for (const std::string& size : options.sizes.at(problem)) all.emplace_back(problem, size);
  }
  refuse_empty(options.part, all.size(), "size");
  const auto [begin, end] = block(options.part, all.size());
  options.problems.clear();
  options.sizes.clear();
  for (std::size_t i = begin; i < end; ++i) {
    const auto& [problem, size] = all[i];
    if (!options.sizes.contains(problem)) options.problems.push_back(problem);
    options.sizes[problem].push_back(size);
  }
  return options;
}

bool ended(const StudyRecord& record) { return record.ending == "complete" || record.ending == "budget"; }

/// The settings without a local kernel that the part chose itself, by measuring which is the fastest.
std::string typed_settings(const StudyRecord& record) {
  const auto found = record.options.find("settings");
  if (found == record.options.end() || !record.options.contains("local_kernel_measured")) {
    return found == record.options.end() ? std::string{} : found->second;
  }
  std::istringstream words{found->second};
  std::string typed;
  for (std::string word; words >> word;) {
    if (!word.starts_with("local_kernel=")) typed += (typed.empty() ? "" : " ") + word;
  }
  return typed;
}

/// Why the two cannot be read as one, or nothing.
std::string difference(const StudyRecord& a, const StudyRecord& b) {
  const auto differ = [](std::string_view what, const std::string& in_a, const std::string& in_b) {
    return in_a == in_b ? std::string{} : fmt::format("{} is '{}' in one and '{}' in the other", what, in_a, in_b);
  };
  std::string found = differ("the program", a.duet_version, b.duet_version);
  if (found.empty()) found = differ("the processor", a.machine.processor, b.machine.processor);
  if (found.empty()) {
    found = differ("the number of cores", std::to_string(a.machine.cores), std::to_string(b.machine.cores));
  }
  std::set<std::string> names;
  for (const auto& versions : {a.versions, b.versions}) {
    for (const auto& [name, version] : versions) names.insert(name);
  }
  const auto in = [](const std::map<std::string, std::string>& texts, const std::string& key) {
    const auto text = texts.find(key);
    return text == texts.end() ? std::string{} : text->second;
  };
  for (const std::string& name : names) {
    if (found.empty()) found = differ(name, in(a.versions, name), in(b.versions, name));
  }
  // Not budgets and limits: they say how long, and not what.
  for (const char* const key : {"problems", "models", "sizes", "workers", "nodes", "seed", "oversubscribe", "precision",
                                "rounds", "scaling", "allocated_nodes"}) {
    if (found.empty()) found = differ(key, in(a.options, key), in(b.options, key));
  }
  if (found.empty()) found = differ("settings", typed_settings(a), typed_settings(b));
  if (found.empty() && part_of(a.options).of != part_of(b.options).of) {
    found = fmt::format("one is a part of {} and the other of {}", part_of(a.options).of, part_of(b.options).of);
  }
  return found;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : ", ") + text;
  return all;
}

void refuse_strangers(const std::vector<LoadedPart>& parts) {
  std::map<int, fs::path> folders;
  for (const LoadedPart& part : parts) {
    const StudyPart own = part_of(part.study.record.options);
    if (own.of == 1) {
      throw std::invalid_argument(
          fmt::format("{} is a whole study and no part of one: report it alone", part.folder.string()));
    }
    const fs::path& first = parts.front().folder;
    const std::string different = difference(parts.front().study.record, part.study.record);
    if (!different.empty()) {
      throw std::invalid_argument(
          fmt::format("{} and {} are no parts of one study: {}", first.string(), part.folder.string(), different));
    }
    const auto [other, is_new] = folders.emplace(own.number, part.folder);
    if (!is_new) {
      throw std::invalid_argument(
          fmt::format("part {} is there twice: {} and {}", text_of(own), other->second.string(), part.folder.string()));
    }
  }
}

/// What is missing, interrupted or running, a sentence each.
std::vector<std::string> incompleteness(const std::vector<LoadedPart>& parts) {
  std::set<int> there;
  std::vector<std::string> sentences;
  for (const LoadedPart& part : parts) {
    const StudyPart own = part_of(part.study.record.options);
    there.insert(own.number);
    if (ended(part.study.record)) continue;
    sentences.push_back(
        fmt::format("part {} is not complete: it {}", text_of(own),
                    part.study.record.ending == "interrupted" ? "was interrupted" : "is running, or was killed"));
  }
  std::vector<std::string> missing;
  const int of = part_of(parts.front().study.record.options).of;
  for (int number = 1; number <= of; ++number) {
    if (!there.contains(number)) missing.push_back(std::to_string(number));
  }
  if (!missing.empty()) {
    sentences.push_back(fmt::format("of {} parts {} {} missing: {}", of, missing.size(),
                                    missing.size() == 1 ? "is" : "are", joined(missing)));
  }
  return sentences;
}

void add_once(std::vector<std::string>& texts, std::string text) {
  if (std::ranges::find(texts, text) == texts.end()) texts.push_back(std::move(text));
}

}  // namespace

StudyPart part_from(const std::string& text) {
  constexpr int most = 10'000;
  const std::size_t slash = text.find('/');
  try {
    StudyPart part;
    part.of = static_cast<int>(whole_number("", text.substr(std::min(slash, text.size() - 1) + 1), 1, most));
    part.number = static_cast<int>(whole_number("", text.substr(0, slash), 1, part.of));
    if (slash != std::string::npos) return part;
  } catch (const std::exception&) {
    // Said below, in one way for all that can be wrong.
  }
  throw std::invalid_argument(
      fmt::format("--part '{}': K/N is expected, a part and the number of parts, as in 2/4", text));
}

std::string text_of(const StudyPart& part) {
  return part.of == 1 ? std::string{} : fmt::format("{}/{}", part.number, part.of);
}

StudyPart part_of(const std::map<std::string, std::string>& options) {
  const auto found = options.find("part");
  return found == options.end() || found->second.empty() ? StudyPart{} : part_from(found->second);
}

StudyOptions narrowed(StudyOptions options) {
  if (options.part.of == 1) return options;
  return options.scaling == Scaling::none ? with_some_sizes(std::move(options)) : with_some_models(std::move(options));
}

std::vector<fs::path> studies_in(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const fs::directory_entry& entry : fs::directory_iterator{folder}) {
    if (fs::exists(entry.path() / "study.json")) found.push_back(entry.path());
  }
  std::ranges::sort(found);
  return found;
}

SavedStudy merged(std::vector<LoadedPart> parts) {
  refuse_strangers(parts);
  std::ranges::sort(parts, {}, [](const LoadedPart& part) { return part_of(part.study.record.options).number; });
  const std::vector<std::string> lacks = incompleteness(parts);
  const bool complete =
      std::ranges::all_of(parts, [](const LoadedPart& part) { return part.study.record.ending == "complete"; });

  SavedStudy all;
  all.record = parts.front().study.record;
  all.record.options["part"] = "";
  all.record.scaling = nullptr;
  all.record.warnings = lacks;
  all.record.ending = !lacks.empty() ? "interrupted" : complete ? "complete" : "budget";
  std::vector<std::string> hosts;
  std::vector<std::string> settings;
  int rounds = 0;
  int launches = 0;
  for (LoadedPart& part : parts) {
    StudyRecord& record = part.study.record;
    add_once(hosts, record.machine.host);
    add_once(settings, record.options["settings"]);
    for (Node& node : record.nodes) {
      const auto known =
          std::ranges::find(all.record.nodes, node.machine.host, [](const Node& one) { return one.machine.host; });
      if (known == all.record.nodes.end()) all.record.nodes.push_back(std::move(node));
    }
    all.record.started_at = std::min(all.record.started_at, record.started_at);
    all.record.ended_at = std::max(all.record.ended_at, record.ended_at);
    // Each part has its own neighbours: what is usual is judged within it.
    for (std::string& warning : mark_disturbances(part.study.trials)) add_once(record.warnings, std::move(warning));
    for (std::string& warning : record.warnings) {
      add_once(all.record.warnings, fmt::format("part {}: {}", text_of(part_of(record.options)), warning));
    }
    int last_round = rounds;
    int last_launch = launches;
    for (Trial& trial : part.study.trials) {
      last_round = std::max(last_round, trial.round += rounds);
      last_launch = std::max(last_launch, trial.launch += launches);
    }
    rounds = last_round;
    launches = last_launch;
    std::ranges::move(part.study.trials, std::back_inserter(all.trials));
    std::ranges::move(part.study.simulated, std::back_inserter(all.simulated));
  }
  if (settings.size() > 1) {
    all.record.warnings.push_back(
        fmt::format("parts chose different local kernels, each the fastest that it measured: {}", joined(settings)));
  }
  all.record.machine.host = joined(hosts);
  return all;
}

std::vector<LoadedPart> load_parts(const fs::path& folder) {
  std::vector<LoadedPart> parts;
  for (const fs::path& one : studies_in(folder)) parts.push_back({one, load_study(one)});
  return parts;
}

bool has_all_parts(const fs::path& folder) {
  std::set<int> there;
  int of = 0;
  for (const fs::path& one : studies_in(folder)) {
    const StudyRecord record = load_study(one).record;
    const StudyPart part = part_of(record.options);
    if (part.of == 1 || !ended(record)) return false;
    of = part.of;
    there.insert(part.number);
  }
  return of > 0 && static_cast<int>(there.size()) == of;
}

}  // namespace duet
