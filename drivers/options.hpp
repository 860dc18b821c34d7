#pragma once

/// Options that several subcommands share, checked as they are parsed: an error names the option, the value and what
/// would be right.

#include <CLI/CLI.hpp>
#include <concepts>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "drivers/command.hpp"
#include "drivers/session.hpp"
#include "kernels/core/problem.hpp"
#include "kernels/core/settings.hpp"

namespace duet {

/// --model, --threads, --oversubscribe.
void add_worker_options(CLI::App& command, Workers& workers);

/// A whole number in [least, most]; fractions, signs where none belong and overflow are refused.
template <std::integral Number>
CLI::Option* add_whole_option(CLI::App& command, const std::string& name, Number& value, const std::string& meaning,
                              std::int64_t least = 0,
                              std::int64_t most = std::int64_t{std::numeric_limits<std::int32_t>::max()}) {
  return command
      .add_option_function<std::string>(
          name,
          [&value, name, least, most](const std::string& text) {
            try {
              value = static_cast<Number>(whole_number(name, text, least, most));
            } catch (const std::invalid_argument& error) {
              throw CLI::ValidationError(error.what());
            }
          },
          meaning)
      ->default_str(std::to_string(value))
      ->type_name("N");
}

/// Seconds from "90", "90s", "1.5m", "2h", "200ms". Throws std::invalid_argument that names `what`.
[[nodiscard]] double duration_from(std::string_view what, std::string_view text);
CLI::Option* add_duration_option(CLI::App& command, const std::string& name, double& seconds,
                                 const std::string& meaning);

/// "name=value" texts as a map. Throws UsageError for one without '=' or a name given twice.
[[nodiscard]] std::map<std::string, std::string> settings_from(const std::vector<std::string>& texts);

/// `--set` texts divided into the problem's parameters and the variant's tunables. Throws UsageError for a name that is
/// neither, which lists both.
struct SplitSettings {
  std::map<std::string, std::string> parameters;
  std::map<std::string, std::string> tunables;
};
[[nodiscard]] SplitSettings split_settings(const Problem& problem, const Variant& variant,
                                           const std::vector<std::string>& texts);

/// Calls `question`, and tells an std::invalid_argument of it as the user's error.
template <class Question, class... Arguments>
decltype(auto) asked(Question&& question, Arguments&&... arguments) {
  try {
    return std::forward<Question>(question)(std::forward<Arguments>(arguments)...);
  } catch (const std::invalid_argument& error) {
    throw UsageError(error.what());
  }
}

}  // namespace duet
