#include "drivers/command.hpp"

#include <fmt/format.h>
#include <mpi.h>
#include <unistd.h>

#include <cstdio>

#include "drivers/session.hpp"
#include "kernels/core/mpi.hpp"

namespace duet {
namespace {

std::vector<std::string>& command_store() {
  static std::vector<std::string> command;
  return command;
}

bool mpi_runs() {
  int initialised = 0;
  int finalised = 0;
  MPI_Initialized(&initialised);
  MPI_Finalized(&finalised);
  return initialised != 0 && finalised == 0;
}

/// One write, so that lines of several ranks do not mix.
void complain(const std::string& line) {
  const std::string whole = "duet: " + line + "\n";
  if (write(STDERR_FILENO, whole.data(), whole.size()) < 0) return;  // nobody left to tell
}

constexpr const char* about =
    "Duet solves the same problem with shared state (OpenMP, oneTBB) and with message passing (MPI, MPI + OpenMP) on "
    "the\n"
    "same cores, checks both answers, and says which wins, by how much, from which size on, and why.";

constexpr const char* examples =
    "Examples:\n"
    "  duet list                                     what there is\n"
    "  duet compare --budget 3m -o report            the verdict for this machine, and report/report.html\n"
    "  duet scale matmul --strong -o scaling         efficiency against workers, and the laws it follows\n"
    "  duet run matmul --model openmp --size 2048    one cell, trial by trial\n"
    "  mpirun -n 2 duet run matmul --model mpi --size 2048\n"
    "  duet multiply A.mtx B.npy -o C.npy            your own matrices\n"
    "  duet fibonacci 1000000 -o f.txt               an exact Fibonacci number\n"
    "  duet hazards send_send                        a deadlock, how it is found, and its cures\n"
    "`duet COMMAND --help` explains each. Exit status: 0 every answer verified, 1 not, 2 wrong use, 3 a study with\n"
    "failed cells, 4 no rank could go on, 124 time limit, 130 interrupted.";

/// The status of a process that did nothing, as what was asked cannot be. Under a launcher it is that of the rank that
/// says why: mpirun ends all others with the first that fails, and the one line would be lost where that is a silent
/// one. Where MPI runs, its end has waited for all.
int status_of_refusal(bool speaks, bool together) { return speaks || together ? status::usage : status::right; }

}  // namespace

const std::vector<std::string>& typed_command() { return command_store(); }

int duet_main(int argc, char** argv) {
  command_store().assign(argv, argv + argc);
  const bool speaks = launched().rank == 0;

  CLI::App app{about, "duet"};
  app.footer(examples);
  app.set_version_flag("--version", "duet " + duet_version());
  app.require_subcommand(1);
  Act act;
  add_list(app, act);
  add_run(app, act);
  add_compare(app, act);
  add_scale(app, act);
  add_report(app, act);
  add_launcher(app, act);
  add_multiply(app, act);
  add_stream(app, act);
  add_fibonacci(app, act);
  add_node(app, act);
  add_hazards(app, act);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    if (speaks) fmt::print("{}\n", app.help());
    return status::right;
  } catch (const CLI::CallForAllHelp&) {
    if (speaks) fmt::print("{}\n", app.help("", CLI::AppFormatMode::All));
    return status::right;
  } catch (const CLI::CallForVersion&) {
    if (speaks) fmt::print("duet {}\n", duet_version());
    return status::right;
  } catch (const CLI::ParseError& error) {
    if (speaks && app.get_subcommands().empty() && argc > 1 && argv[1][0] != '-') {
      complain(
          fmt::format("no command is called '{}'; there are list, run, compare, scale, report, launcher, multiply, "
                      "fibonacci, node and hazards",
                      argv[1]));
    } else if (speaks) {
      const auto used = app.get_subcommands();
      complain(
          fmt::format("{} (see `duet {}--help`)", error.what(), used.empty() ? "" : used.front()->get_name() + " "));
    }
    return status_of_refusal(speaks, false);
  }

  try {
    return act();
  } catch (const UsageError& error) {
    if (speaks) complain(error.what());
    const bool together = mpi_runs();
    if (together) MPI_Finalize();
    return status_of_refusal(speaks, together);
  } catch (const std::exception& error) {
    const bool several = mpi_runs() && size_of(MPI_COMM_WORLD) > 1;
    complain(several ? fmt::format("rank {} of {}: {}", rank_in(MPI_COMM_WORLD), size_of(MPI_COMM_WORLD), error.what())
                     : std::string{error.what()});
    if (mpi_runs()) MPI_Abort(MPI_COMM_WORLD, status::not_right);
    return status::not_right;
  }
}

}  // namespace duet
