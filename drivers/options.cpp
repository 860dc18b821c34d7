#include "drivers/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>

namespace duet {

void add_worker_options(CLI::App& command, Workers& workers) {
  command
      .add_option_function<std::string>(
          "--model",
          [&workers](const std::string& name) {
            const auto model = model_called(name);
            if (!model) {
              throw CLI::ValidationError(
                  fmt::format("--model: '{}' is none of serial, openmp, tbb, mpi, hybrid", name));
            }
            workers.model = *model;
          },
          "serial, openmp or tbb; under mpirun mpi or hybrid")
      ->default_str(std::string{name_of(workers.model)});
  constexpr std::int64_t most_threads = 1 << 20;
  add_whole_option(command, "--threads", workers.threads, "Threads a rank; else all cores there are", 1, most_threads)
      ->default_str("");
  command.add_flag("--oversubscribe", workers.oversubscribe, "Allow more workers than cores");
}

double duration_from(std::string_view what, std::string_view text) {
  constexpr std::array<std::pair<std::string_view, double>, 5> units{
      {{"ms", 1e-3}, {"s", 1}, {"m", 60}, {"h", 3600}, {"", 1}}};
  double value = 0;
  const auto [stopped, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view unit = text.substr(static_cast<std::size_t>(stopped - text.data()));
  const auto* const found = std::ranges::find(units, unit, &std::pair<std::string_view, double>::first);
  constexpr double most = 1e7;
  if (error != std::errc{} || found == units.end() || !(value > 0) || value * found->second > most) {
    throw std::invalid_argument(fmt::format("{}: '{}' is not a time like 90s, 1.5m, 2h or 200ms", what, text));
  }
  return value * found->second;
}

CLI::Option* add_duration_option(CLI::App& command, const std::string& name, double& seconds,
                                 const std::string& meaning) {
  return command
      .add_option_function<std::string>(
          name,
          [&seconds, name](const std::string& text) {
            try {
              seconds = duration_from(name, text);
            } catch (const std::invalid_argument& error) {
              throw CLI::ValidationError(error.what());
            }
          },
          meaning)
      ->default_str(seconds > 0 ? fmt::format("{:g}s", seconds) : "")
      ->type_name("TIME");
}

std::map<std::string, std::string> settings_from(const std::vector<std::string>& texts) {
  std::map<std::string, std::string> settings;
  for (const std::string& text : texts) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw UsageError(fmt::format("--set: '{}' is not of the form name=value", text));
    }
    if (!settings.emplace(text.substr(0, equals), text.substr(equals + 1)).second) {
      throw UsageError(fmt::format("--set: '{}' is given twice", text.substr(0, equals)));
    }
  }
  return settings;
}

SplitSettings split_settings(const Problem& problem, const Variant& variant, const std::vector<std::string>& texts) {
  SplitSettings split;
  for (const auto& [name, value] : settings_from(texts)) {
    if (std::ranges::find(problem.parameters, name, &Setting::name) != problem.parameters.end()) {
      split.parameters[name] = value;
    } else if (std::ranges::find(variant.tunables, name, &Setting::name) != variant.tunables.end()) {
      split.tunables[name] = value;
    } else {
      std::string names;
      for (const auto* list : {&problem.parameters, &variant.tunables}) {
        for (const Setting& setting : *list) names += (names.empty() ? "" : ", ") + setting.name;
      }
      throw UsageError(fmt::format("--set: {} in {} has no '{}'; it has {}", problem.name, name_of(variant.model), name,
                                   names.empty() ? "nothing to set" : names));
    }
  }
  return split;
}

}  // namespace duet
