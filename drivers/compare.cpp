#include "drivers/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
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

/// "10..1000:1.05" as 10, 11, 12, ... 1000: each so many times the one before, rounded, and 1 more at the least.
std::vector<std::string> series_from(const std::string& text) {
  constexpr std::int64_t largest = std::int64_t{1} << 53;
  constexpr std::size_t most = 10'000;
  const std::size_t dots = text.find("..");
  const std::size_t colon = std::min(text.find(':'), text.size());
  const auto wrong = [&text](const std::string& why) {
    return std::invalid_argument(
        fmt::format("'{}' is no series of sizes: {} (FROM..TO:FACTOR, as in 1000..100000:1.5)", text, why));
  };
  const std::int64_t from = whole_number("FROM of " + text, text.substr(0, dots), 1, largest);
  const std::int64_t to = whole_number("TO of " + text, text.substr(dots + 2, colon - dots - 2), 1, largest);
  if (to < from) throw wrong("it ends before it begins");
  double factor = 2;
  if (colon != text.size()) {
    const std::string typed = text.substr(colon + 1);
    const auto [end, error] = std::from_chars(typed.data(), typed.data() + typed.size(), factor);
    if (error != std::errc{} || end != typed.data() + typed.size() || !(factor > 1) || !std::isfinite(factor)) {
      throw wrong(fmt::format("'{}' is no factor above 1", typed));
    }
  }
  std::vector<std::string> sizes;
  for (std::int64_t size = from; size <= to;) {
    if (sizes.size() == most) throw wrong(fmt::format("more than {} of them", most));
    sizes.push_back(std::to_string(size));
    const double next = std::min(static_cast<double>(size) * factor, static_cast<double>(largest) + 1);
    size = std::max(size + 1, static_cast<std::int64_t>(std::llround(next)));
  }
  return sizes;
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
    std::vector<std::string> wanted;
    for (const std::string& size : split_at_commas(only.empty() ? text : text.substr(equals + 1))) {
      const bool is_series = size.find("..") != std::string::npos;
      for (std::string& one : is_series ? series_from(size) : std::vector{size}) wanted.push_back(std::move(one));
    }
    for (const std::string& problem : problems) {
      auto& mine = asked_for[problem];
      if (only.empty() || only == problem) mine.insert(mine.end(), wanted.begin(), wanted.end());
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
          "256,512 for every problem, matmul=256,512 for one, 64..4096:1.5 for all from 64 to 4096 that are 1.5 "
          "times the one before; may be given again. Sizes between them are added where the winner changes")
      ->allow_extra_args(false)
      ->default_str("each problem's own");
  add_study_options(*command, typed->study);
  add_simulation_options(*command, typed->simulation);
  command->footer(
      "Examples:\n"
      "  duet compare                                  everything, in five minutes\n"
      "  duet compare matmul --budget 2m -o matmul     one problem\n"
      "  duet compare matmul --sizes 512,1024 --models openmp,mpi --precision 1%\n"
      "  duet compare fib_number --sizes 10000..100000000:1.25 --models serial,openmp\n"
      "  duet compare fib_batch --set schedule=dynamic --workers 2\n"
      "  duet compare -o matmul --resume               after Ctrl-C\n"
      "  duet compare matmul --hosts hosts             what more nodes bring, and what messages between them cost\n"
      "  duet compare matmul --simulate                besides, on up to 1024 simulated ranks of a fat tree\n"
      "  duet compare matmul -o matmul --resume --simulate=dragonfly --simulate-sizes 65536\n"
      "Each cell runs in processes of its own, bound to cores, in interleaved and randomised rounds; every trial is\n"
      "verified and kept. A cell that fails is reported as that, and the study goes on. Of pipelines it says what "
      "binds\n"
      "them; where more threads may help, it tries them, with a fifth of the budget. What is simulated uses rates\n"
      "measured on this machine, is drawn with marks of its own, and is part of no verdict. Exit status:\n"
      "0 every answer verified, 3 some cells failed, 130 interrupted.");
  command->callback([&act, typed] { act = [typed] { return compare(*typed); }; });
}

}  // namespace duet
