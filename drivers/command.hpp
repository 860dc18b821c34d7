#pragma once

/// What the subcommands of `duet` have in common: how they are added, how they end, and how they say what is wrong.

#include <CLI/CLI.hpp>
#include <functional>
#include <stdexcept>
#include <string>

namespace duet {

/// How `duet` ends.
namespace status {
inline constexpr int right = 0;          ///< everything asked was done and every answer verified
inline constexpr int not_right = 1;      ///< an answer was wrong, or something failed on the way
inline constexpr int usage = 2;          ///< the question was not one that can be answered: nothing was started
inline constexpr int incomplete = 3;     ///< a study ended, and some of its cells failed
inline constexpr int hung = 4;           ///< no rank could go on: the watchdog ended the job, and said why
inline constexpr int timed_out = 124;    ///< a time limit was met
inline constexpr int interrupted = 130;  ///< Ctrl-C: what was measured is kept
}  // namespace status

/// What a subcommand does once the whole command line was understood; gives the exit status. Throws UsageError, or any
/// std::exception for what goes wrong later.
using Act = std::function<int()>;

/// The caller asked for something that cannot be: told in one line, on one rank only, with exit status `usage`. Thrown
/// only where every rank comes to the same conclusion; any other exception under message passing ends the whole job.
class UsageError : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

/// Each adds its subcommand to `duet`; when that was called on the command line, `act` holds what to do.
void add_list(CLI::App& duet, Act& act);
void add_run(CLI::App& duet, Act& act);
void add_compare(CLI::App& duet, Act& act);
void add_scale(CLI::App& duet, Act& act);
void add_report(CLI::App& duet, Act& act);
void add_launcher(CLI::App& duet, Act& act);
void add_multiply(CLI::App& duet, Act& act);
void add_stream(CLI::App& duet, Act& act);
void add_fibonacci(CLI::App& duet, Act& act);
void add_node(CLI::App& duet, Act& act);
void add_hazards(CLI::App& duet, Act& act);

/// The whole program: parses, acts, reports errors, gives the exit status. Tests link it with a registry of their own.
int duet_main(int argc, char** argv);

/// argv as typed, for the record.
[[nodiscard]] const std::vector<std::string>& typed_command();

/// The version of Duet.
[[nodiscard]] std::string duet_version();

}  // namespace duet
