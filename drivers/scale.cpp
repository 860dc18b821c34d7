#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "drivers/command.hpp"
#include "drivers/study/scaling.hpp"
#include "drivers/study/weak_sizes.hpp"
#include "drivers/study_command.hpp"
#include "kernels/registry.hpp"

namespace duet {
namespace {

/// What scaling asks beside what all studies share.
struct TypedScale {
  std::string problem;
  std::string size;
  bool strong = false;
  bool weak = false;
  TypedStudy study;
};

/// The parameters of the question among what was set; the rest are tunables, or the plan refuses them.
std::map<std::string, std::string> parameters_of(const Problem& problem, const StudyOptions& options) {
  std::map<std::string, std::string> parameters;
  for (const Setting& setting : problem.parameters) {
    const auto found = options.settings.find(setting.name);
    if (found != options.settings.end()) parameters.insert(*found);
  }
  return parameters;
}

void refuse_what_does_not_scale(const StudyOptions& options) {
  if (options.workers.size() < 2) {
    throw std::invalid_argument(fmt::format(
        "--workers {}: scaling takes two worker counts or more, as in --workers 1,2,4{}", options.workers.front(),
        options.oversubscribe ? "" : "; --oversubscribe allows more workers than cores"));
  }
  if (options.models == std::vector{Model::serial}) {
    throw std::invalid_argument("--models serial: serial has one worker always; name one that scales beside it");
  }
}

void complete(StudyOptions& options, const TypedScale& typed, const StudyOptions* recorded) {
  if (typed.strong && typed.weak) {
    throw std::invalid_argument(
        "--strong and --weak are two questions: ask one at a time, each into a folder of its own");
  }
  if (recorded == nullptr && !typed.strong && !typed.weak) {
    throw std::invalid_argument(
        "--strong or --weak is missing: one problem on more and more workers, or one that grows with them");
  }
  if (recorded == nullptr && typed.problem.empty()) {
    throw std::invalid_argument("PROBLEM is missing: one of those that `duet list` names");
  }
  // What is not typed when a study is resumed is as it was.
  if (recorded != nullptr && !typed.study.has("--workers")) options.workers = recorded->workers;
  if (recorded != nullptr && !typed.study.has("--set")) options.settings = recorded->settings;
  options.scaling = typed.strong ? Scaling::strong : typed.weak ? Scaling::weak : recorded->scaling;
  const Problem& problem = problem_called(typed.problem.empty() ? recorded->problems.front() : typed.problem);
  options.problems = {problem.name};
  options.sizes_given = !typed.size.empty();
  refuse_what_does_not_scale(options);
  const std::string size = typed.size.empty() ? std::to_string(problem.sizes.back()) : typed.size;
  const auto parameters = parameters_of(problem, options);
  options.sizes[problem.name] = options.scaling == Scaling::weak
                                    ? weak_sizes(problem, size, options.workers, options.seed, parameters)
                                    : std::vector{problem.pose(size, options.seed, parameters).size_text()};
}

int scale(const TypedScale& typed) {
  return run_study_command(
      {.name = "scale",
       .own_options = {{"PROBLEM", "problems"}, {"--size", "sizes"}, {"--strong", "scaling"}, {"--weak", "scaling"}},
       .complete = [&typed](StudyOptions& options,
                            const StudyOptions* recorded) { complete(options, typed, recorded); }},
      typed.study);
}

}  // namespace

void add_scale(CLI::App& duet, Act& act) {
  CLI::App* const command =
      duet.add_subcommand("scale", "Efficiency against workers, and the laws it follows: for an allocation's proposal");
  const auto typed = std::make_shared<TypedScale>();
  command->add_option("PROBLEM", typed->problem, "One of those that `duet list` names");
  command->add_flag("--strong", typed->strong, "One size on more and more workers: how far they shorten it");
  command->add_flag("--weak", typed->weak, "A size that grows with the workers, so that each has the same work");
  command->add_option("--size", typed->size, "Strong: of all. Weak: of one worker. One number, or one for each extent")
      ->default_str("the largest of the problem's own");
  add_study_options(*command, typed->study);
  command->footer(
      "Examples:\n"
      "  duet scale matmul --strong -o strong          1, 2, 4 ... all cores, one size\n"
      "  duet scale matmul --weak --size 1024 -o weak  n grows with the cube root of the workers\n"
      "  duet scale fib_batch --strong --models mpi,hybrid --workers 1,2,4,8\n"
      "  duet scale -o strong --resume                 after Ctrl-C\n"
      "  duet report strong                            tables and page again\n"
      "For each model it says the efficiency on each number of workers, of one worker\n"
      "of the same model and of the serial variant, with 95 % intervals; up to how many\n"
      "workers efficiency stays above 75 % and 50 %, counting an interval as above only\n"
      "where all of it is; and the laws of Amdahl (strong), Gustafson (weak) and the\n"
      "USL (both), with intervals, each with how well it predicts the most workers from\n"
      "the others. A law that the measurements cannot identify is refused, with the\n"
      "reason: Amdahl and Gustafson take 3 worker counts, the USL 4. A weak run checks\n"
      "that work a worker is constant within 5 %. Exit status: 0 every answer verified,\n"
      "3 some cells failed, 130 interrupted.");
  command->callback([&act, typed] { act = [typed] { return scale(*typed); }; });
}

}  // namespace duet
