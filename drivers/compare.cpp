#include "drivers/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <utility>

#include "drivers/command.hpp"
#include "drivers/study_command.hpp"
#include "kernels/registry.hpp"

namespace duet {
namespace {

/// What a comparison asks beside what all studies share.
struct TypedComparison {
  std::vector<std::string> problems;
  std::vector<std::string> sizes;
  TypedStudy study;
  TypedSimulation simulation;
};

std::vector<std::string> split_at_commas(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

void complete(StudyOptions& options, const TypedComparison& typed) {
  for (const std::string& name : typed.problems) {
    if (std::ranges::find(options.problems, problem_called(name).name) == options.problems.end()) {
      options.problems.push_back(name);
    }
  }
  if (typed.problems.empty()) {
    for (const Problem& problem : all_problems()) options.problems.push_back(problem.name);
  }
  options.sizes = sizes_from(typed.sizes, options.problems);
  options.sizes_given = !typed.sizes.empty();
}

int compare(const TypedComparison& typed) {
  return run_study_command(
      {.name = "compare",
       .own_options = {{"PROBLEM", "problems"}, {"--sizes", "sizes"}},
       .complete = [&typed](StudyOptions& options, const StudyOptions*) { complete(options, typed); },
       .simulation = typed.simulation.platform.empty() ? nullptr : &typed.simulation},
      typed.study);
}

}  // namespace

std::map<std::string, std::vector<std::string>> sizes_from(const std::vector<std::string>& texts,
                                                           const std::vector<std::string>& problems,
                                                           const std::string& option) {
  std::map<std::string, std::vector<std::string>> asked_for;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    const std::string only = equals == std::string::npos ? "" : text.substr(0, equals);
    if (!only.empty() && std::ranges::find(problems, only) == problems.end()) {
      throw std::invalid_argument(fmt::format("{}: '{}' is not in this study", option, only));
    }
    for (const std::string& size : split_at_commas(only.empty() ? text : text.substr(equals + 1))) {
      for (const std::string& problem : problems) {
        if (only.empty() || only == problem) asked_for[problem].push_back(size);
      }
    }
  }
  std::map<std::string, std::vector<std::string>> sizes;
  for (const std::string& name : problems) {
    const Problem& problem = problem_called(name);
    std::vector<std::string> wanted = asked_for[name];
    if (wanted.empty()) {
      for (const std::int64_t size : problem.sizes) wanted.push_back(std::to_string(size));
    }
    std::vector<std::pair<double, std::string>> posed;
    for (const std::string& size : wanted) {
      const Instance instance = problem.pose(size, 1, {});
      posed.emplace_back(instance.size(), instance.size_text());
    }
    std::ranges::sort(posed);
    const auto repeated = std::ranges::unique(posed);
    posed.erase(repeated.begin(), repeated.end());
    for (const auto& [value, size] : posed) sizes[name].push_back(size);
  }
  return sizes;
}

void add_compare(CLI::App& duet, Act& act) {
  CLI::App* const command =
      duet.add_subcommand("compare", "Measure problems in all models side by side, and say which one wins");
  const auto typed = std::make_shared<TypedComparison>();
  command->add_option("PROBLEM", typed->problems, "Those that `duet list` names; all of them where none is named");
  command
      ->add_option(
          "--sizes", typed->sizes,
          "256,512 for every problem, matmul=256,512 for one; may be given again. Sizes between them are added "
          "where the winner changes")
      ->allow_extra_args(false)
      ->default_str("each problem's own");
  add_study_options(*command, typed->study);
  add_simulation_options(*command, typed->simulation);
  command->footer(
      "Examples:\n"
      "  duet compare                                  everything, in five minutes\n"
      "  duet compare matmul --budget 2m -o matmul     one problem\n"
      "  duet compare matmul --sizes 512,1024 --models openmp,mpi --precision 1%\n"
      "  duet compare fib_batch --set schedule=dynamic --workers 2\n"
      "  duet compare -o matmul --resume               after Ctrl-C\n"
      "  duet compare matmul --hosts hosts             what more nodes bring, and what messages between them cost\n"
      "  duet compare matmul --simulate                besides, on up to 1024 simulated ranks of a fat tree\n"
      "  duet compare matmul -o matmul --resume --simulate=dragonfly --simulate-sizes 65536\n"
      "Each cell runs in processes of its own, bound to cores, in interleaved and randomised rounds; every trial is\n"
      "verified and kept. A cell that fails is reported as that, and the study goes on. What is simulated uses rates\n"
      "measured on this machine, is drawn with marks of its own, and is part of no verdict. Exit status:\n"
      "0 every answer verified, 3 some cells failed, 130 interrupted.");
  command->callback([&act, typed] { act = [typed] { return compare(*typed); }; });
}

}  // namespace duet
