#include <fmt/format.h>

#include <memory>

#include "drivers/command.hpp"
#include "drivers/options.hpp"
#include "drivers/session.hpp"
#include "drivers/study/allocation.hpp"

namespace duet {
namespace {

struct TypedLauncher {
  int ranks = 1;
  std::string launcher = "auto";
  std::string mpirun = default_mpirun();
  bool attempt = false;
};

/// Run by the launcher that is tried: every rank finds the others, or the session says what is wrong.
int attempt() {
  const Session session{{.model = Model::mpi, .threads = 1, .oversubscribe = true}};
  session.barrier();
  return status::right;
}

int print_words(const TypedLauncher& typed) {
  const StartOfRanks start = asked([&] { return start_of_ranks(typed.launcher, typed.mpirun); });
  if (!start.note.empty()) fmt::print(stderr, "duet: {}\n", start.note);
  for (const std::string& word : start.launcher.words) fmt::print("{}\n", word);
  const bool by_srun = start.launcher.kind == Launcher::Kind::srun;
  fmt::print("{}\n{}\n", by_srun ? "--ntasks" : "-n", typed.ranks);
  return status::right;
}

}  // namespace

void add_launcher(CLI::App& duet, Act& act) {
  CLI::App* const command = duet.add_subcommand("launcher", "The words that start ranks here, for scripts");
  const auto typed = std::make_shared<TypedLauncher>();
  add_whole_option(*command, "--ranks", typed->ranks, "So many", 1);
  command->add_option("--launcher", typed->launcher, "auto, mpirun or srun")->default_str(typed->launcher);
  command->add_option("--mpirun", typed->mpirun, "The mpirun of the MPI that duet is built with")
      ->default_str(typed->mpirun);
  command->add_flag("--try", typed->attempt, "Run by a launcher: end well where its ranks find each other");
  command->footer(
      "Examples:\n"
      "  mapfile -t start < <(duet launcher --ranks 4) && \"${start[@]}\" duet run matmul --model mpi\n"
      "Prints a word a line. auto: inside an allocation of SLURM srun, where it has PMIx and a try with two ranks\n"
      "succeeds; else mpirun.");
  command->callback([&act, typed] { act = [typed] { return typed->attempt ? attempt() : print_words(*typed); }; });
}

}  // namespace duet
