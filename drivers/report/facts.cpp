#include "drivers/report/facts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "drivers/statistics/text.hpp"

namespace duet {
namespace {

std::string ending_in_words(const StudyRecord& record) {
  if (record.ending == "interrupted") return "The study was interrupted: this is what had been measured until then.";
  if (record.ending == "budget")
    return "The time budget was spent before every interval was as narrow as asked; a longer --budget narrows them.";
  if (record.ending.empty()) return "The study has not ended, or was ended from outside: this is what it has so far.";
  return {};
}

/// What may tell one cell from another of the same model, size and number of workers.
std::map<std::string, std::string> attributes_of(const Cell& cell) {
  std::map<std::string, std::string> attributes{{"", fmt::format("{}x{}", cell.ranks, cell.threads)}};
  attributes["nodes"] = counted(cell.nodes, "node");
  attributes.insert(cell.tunables.begin(), cell.tunables.end());
  return attributes;
}

}  // namespace

std::vector<std::string> caveats(const SavedStudy& study, const Analysis& analysis) {
  std::vector<std::string> sentences;
  if (std::string ending = ending_in_words(study.record); !ending.empty()) sentences.push_back(std::move(ending));

  const auto number_of = [&analysis](const auto& matches) { return std::ranges::count_if(analysis.cells, matches); };
  const auto cells = std::ssize(analysis.cells);
  const auto unanswered = number_of([](const CellSummary& cell) { return cell.trials == 0; });
  if (unanswered > 0 && unanswered == cells) {
    sentences.emplace_back("No cell has a trial that counts: there is nothing to compare.");
  } else if (unanswered > 0) {
    sentences.push_back(fmt::format("{} of {} {} no trial that counts, and so no part in any comparison.", unanswered,
                                    counted(cells, "cell"), unanswered == 1 ? "has" : "have"));
  }
  const auto partly = number_of([](const CellSummary& cell) { return cell.trials > 0 && cell.not_right > 0; });
  if (partly > 0) {
    sentences.push_back(fmt::format("{} failed, hung or answered wrongly in some of {} trials, and right in others.",
                                    counted(partly, "cell"), partly == 1 ? "its" : "their"));
  }
  const auto disturbed =
      number_of([](const CellSummary& cell) { return cell.trials > 0 && cell.set_aside > cell.trials; });
  if (disturbed > 0) {
    sentences.push_back(fmt::format("In {}, more trials were set aside than counted.", counted(disturbed, "cell")));
  }
  return sentences;
}

std::string shell_line(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) {
    if (!line.empty()) line += ' ';
    const bool plain = !word.empty() && std::ranges::all_of(word, [](unsigned char letter) {
      return std::isalnum(letter) != 0 ||
             std::string_view{"_-./:,=+@%"}.find(static_cast<char>(letter)) != std::string_view::npos;
    });
    if (plain) {
      line += word;
      continue;
    }
    line += '\'';
    for (const char letter : word) line += letter == '\'' ? std::string{"'\\''"} : std::string{letter};
    line += '\'';
  }
  return line;
}

std::string command_for(const Cell& cell) {
  std::vector<std::string> words;
  if (passes_messages(cell.model)) words = {"mpirun", "-n", std::to_string(cell.ranks)};
  if (cell.nodes > 1) {
    words.insert(words.end(), {"--map-by", fmt::format("ppr:{}:node", (cell.ranks + cell.nodes - 1) / cell.nodes)});
  }
  words.insert(words.end(), {"duet", "run", cell.problem, "--model", std::string{name_of(cell.model)}});
  words.insert(words.end(), {"--size", cell.size, "--seed", std::to_string(cell.seed)});
  if (runs_threads(cell.model)) words.insert(words.end(), {"--threads", std::to_string(cell.threads)});
  for (const auto& settings : {cell.parameters, cell.tunables}) {
    for (const auto& [name, value] : settings) words.insert(words.end(), {"--set", name + "=" + value});
  }
  return shell_line(words);
}

std::vector<std::string> conditions(const std::vector<CellSummary>& cells) {
  using Parameters = std::vector<std::pair<std::string, std::string>>;
  const auto parameters_of = [](const Cell& cell) {
    Parameters parameters{cell.parameters.begin(), cell.parameters.end()};
    parameters.emplace_back("seed", std::to_string(cell.seed));
    return parameters;
  };
  std::map<std::pair<std::string, std::string>, std::set<std::string>> seen;
  for (const CellSummary& summary : cells) {
    for (const auto& [name, value] : parameters_of(summary.cell)) seen[{summary.cell.problem, name}].insert(value);
  }
  std::vector<std::string> texts;
  texts.reserve(cells.size());
  for (const CellSummary& summary : cells) {
    std::string text;
    for (const auto& [name, value] : parameters_of(summary.cell)) {
      if (seen[{summary.cell.problem, name}].size() > 1) text += (text.empty() ? "" : ", ") + name + " = " + value;
    }
    texts.push_back(std::move(text));
  }
  return texts;
}

std::vector<std::string> series_names(const std::vector<CellSummary>& cells) {
  using Group = std::tuple<std::string, std::map<std::string, std::string>, std::uint64_t, Model, int>;
  std::map<std::pair<Group, std::string>, std::map<std::string, std::set<std::string>>> seen;
  const auto group_of = [](const Cell& cell) {
    return Group{cell.problem, cell.parameters, cell.seed, cell.model, cell.workers()};
  };
  for (const CellSummary& summary : cells) {
    auto& values = seen[{group_of(summary.cell), summary.cell.size}];
    for (const auto& [name, value] : attributes_of(summary.cell)) values[name].insert(value);
  }
  std::map<Group, std::set<std::string>> telling;
  for (const auto& [key, values] : seen) {
    for (const auto& [name, different] : values) {
      if (different.size() > 1) telling[key.first].insert(name);
    }
  }
  std::vector<std::string> names;
  names.reserve(cells.size());
  for (const CellSummary& summary : cells) {
    std::string name{name_of(summary.cell.model)};
    const std::set<std::string>& attributes = telling[group_of(summary.cell)];
    for (const auto& [attribute, value] : attributes_of(summary.cell)) {
      if (attributes.contains(attribute))
        name += " " + (attribute.empty() || attribute == "nodes" ? value : attribute + "=" + value);
    }
    names.push_back(std::move(name));
  }
  return names;
}

}  // namespace duet
