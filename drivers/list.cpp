#include <fmt/format.h>

#include "drivers/command.hpp"
#include "kernels/registry.hpp"

namespace duet {
namespace {

std::string allowed(const Setting& setting) {
  if (setting.choices.empty()) {
    constexpr std::int64_t unlimited = std::int64_t{1} << 62;
    return setting.most >= unlimited ? fmt::format("{} or more", setting.least)
                                     : fmt::format("{} to {}", setting.least, setting.most);
  }
  std::string text;
  for (const std::string& choice : setting.choices) text += (text.empty() ? "" : "|") + choice;
  return text;
}

/// "  --set tile=0        rows of ...", wrapped at 80 columns.
void print_setting(const Setting& setting) {
  constexpr std::size_t width = 80;
  constexpr std::size_t indent = 24;
  std::string line = fmt::format("    {:<{}}", setting.name + "=" + setting.preset, indent - 5);
  if (line.size() >= indent) {
    fmt::print("{}\n", line);
    line.clear();
  }
  std::string text = setting.meaning + " (" + allowed(setting) + ")";
  line.resize(indent, ' ');
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find_first_of(" |", begin), text.size() - 1) + 1;
    const std::string word = text.substr(begin, end - begin);
    const std::size_t visible = word.ends_with(' ') ? word.size() - 1 : word.size();
    if (line.size() + visible > width && line.size() > indent) {
      fmt::print("{}\n", line.substr(0, line.find_last_not_of(' ') + 1));
      line.assign(indent, ' ');
    }
    line += word;
    begin = end;
  }
  fmt::print("{}\n", line);
}

int list() {
  fmt::print("{:<13}{:<20}{:<11}{}\n", "problem", "pattern", "workload", "question");
  for (const Problem& problem : all_problems()) {
    fmt::print("{:<13}{:<20}{:<11}{}\n", problem.name, name_of(problem.pattern), name_of(problem.workload),
               problem.summary);
  }
  for (const Problem& problem : all_problems()) {
    std::string models;
    for (const Variant& variant : problem.variants) models += " " + std::string{name_of(variant.model)};
    std::string extents;
    for (const std::string& name : problem.extent_names) extents += (extents.empty() ? "" : "x") + name;
    fmt::print("\n{}\n  models:{}\n  --size {}\n", problem.name, models, extents);
    if (!problem.parameters.empty()) fmt::print("  parameters of the question, --set name=value:\n");
    for (const Setting& setting : problem.parameters) print_setting(setting);
    // Tunables that read alike in several models are shown once.
    std::vector<std::pair<const Setting*, std::string>> tunables;
    for (const Variant& variant : problem.variants) {
      for (const Setting& setting : variant.tunables) {
        const auto same = std::ranges::find_if(tunables, [&](const auto& known) {
          return known.first->name == setting.name && known.first->preset == setting.preset &&
                 known.first->choices == setting.choices && known.first->meaning == setting.meaning;
        });
        if (same == tunables.end()) {
          tunables.emplace_back(&setting, name_of(variant.model));
        } else {
          same->second += ", " + std::string{name_of(variant.model)};
        }
      }
    }
    if (!tunables.empty()) fmt::print("  tunables, --set name=value; they change speed and never the answer:\n");
    for (const auto& [setting, used_by] : tunables) {
      print_setting({setting->name, setting->preset, "[" + used_by + "] " + setting->meaning, setting->choices,
                     setting->least, setting->most});
    }
  }
  return status::right;
}

}  // namespace

void add_list(CLI::App& duet, Act& act) {
  CLI::App* const command = duet.add_subcommand("list", "Problems, the models they are solved in, and their tunables");
  command->callback([&act] { act = list; });
}

}  // namespace duet
