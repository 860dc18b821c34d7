/// A registry for tests: a problem that behaves, and one that does what it is told, on the rank it is told.

#include <mpi.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "kernels/core/mpi.hpp"
#include "kernels/registry.hpp"

namespace duet {
namespace {

constexpr std::int64_t bytes_an_item = std::int64_t{1} << 40;
constexpr std::int64_t small_enough = 1000;

void sleep_milliseconds(std::int64_t milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds{milliseconds});
}

void misbehave(const std::string& how) {
  if (how == "throw") throw std::runtime_error("thrown on purpose");
  if (how == "die") raise(SIGKILL);
  if (how == "stop") raise(SIGSTOP);
  if (how == "leave_early") _exit(0);
  if (how == "flood") {
    for (int line = 0; line < 100'000; ++line) {
      if (write(STDERR_FILENO, "one of very many lines\n", 23) < 0) break;
    }
    throw std::runtime_error("flooded");
  }
  while (how == "hang" || how == "hang_on") sleep_milliseconds(1000);
}

Placed place(const Instance& instance, const Execution& execution) {
  const auto& parameters = instance.parameters.all();
  const std::string how = parameters.contains("how") ? parameters.at("how") : "right";
  const bool mine = how != "right" && rank_in(execution.communicator) == instance.parameters.whole("rank");
  const std::int64_t when = mine ? instance.parameters.whole("when") : 0;
  const std::int64_t pause = instance.parameters.whole("pause");
  const MPI_Comm communicator = execution.communicator;
  // A hang that SIGTERM does not end.
  if (how == "hang_on") std::signal(SIGTERM, SIG_IGN);
  const auto executions = std::make_shared<std::int64_t>(0);
  Placed placed;
  placed.reset = [] {};
  placed.execute = [=] {
    sleep_milliseconds(pause);
    if (mine && (*executions)++ >= when) misbehave(how);
    if (communicator != MPI_COMM_NULL) check(MPI_Barrier(communicator));
  };
  placed.verify = [=] {
    return how == "wrong" ? Judgement{.right = false, .explanation = "the sum is 41 and not 42"}
                          : Judgement{.right = true};
  };
  return placed;
}

Problem problem(const std::string& name, bool misbehaves) {
  Problem problem;
  problem.name = name;
  problem.summary = "does as it is told";
  problem.extent_names = {"n"};
  problem.largest_extent = bytes_an_item;
  problem.parameters = {{"pause", "1", "milliseconds of each execution", {}, 0, 100'000}};
  if (misbehaves) {
    problem.parameters.push_back(
        {"how",
         "die",
         "what it does",
         {"right", "wrong", "throw", "die", "leave_early", "hang", "hang_on", "stop", "flood"}});
    problem.parameters.push_back({"rank", "0", "on which rank", {}, 0, 1000});
    problem.parameters.push_back({"when", "0", "from which execution on", {}, 0, 1000});
  }
  problem.sizes = {1, 2, 4};
  problem.work = [](const Instance& instance) {
    return Work{static_cast<double>(instance.extents[0]), "step", static_cast<double>(instance.extents[0])};
  };
  problem.memory = [](const Instance& instance, Model, int, int) {
    const double items = static_cast<double>(instance.extents[0]);
    return instance.extents[0] <= small_enough ? items : items * static_cast<double>(bytes_an_item);
  };
  for (const Model model : all_models) problem.variants.push_back({model, {}, place});
  return problem;
}

}  // namespace

const std::vector<Problem>& all_problems() {
  static const std::vector<Problem> problems{problem("steady", false), problem("misbehave", true)};
  return problems;
}

const Problem& problem_called(std::string_view name) {
  for (const Problem& problem : all_problems()) {
    if (problem.name == name) return problem;
  }
  throw std::invalid_argument("no problem is called '" + std::string{name} + "'; there are steady, misbehave");
}

}  // namespace duet
