/// A registry for tests: a problem that behaves, and one that does what it is told, on the rank it is told.

#include <mpi.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

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
  while (how == "hang_busy") getppid();  // a loop that computes
}

/// This thread has its core for a moment a second, and for so long: another process wants it all, and this one yields.
template <class Act>
void while_starved(std::int64_t milliseconds, const Act& act) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds{milliseconds};
  const pid_t other = fork();
  if (other == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (std::chrono::steady_clock::now() < end) {
    }
    _exit(0);
  }
  const sched_param none{};
  sched_setscheduler(0, SCHED_IDLE, &none);
  act();
  // Waiting for its end would be a hang of its own.
  kill(other, SIGKILL);
  waitpid(other, nullptr, 0);
  sched_setscheduler(0, SCHED_OTHER, &none);
}

/// What all ranks do wrong together. True where `how` is such a thing; most do not come back.
bool misbehave_together(const std::string& how, MPI_Comm communicator, std::int64_t milliseconds) {
  const int ranks = size_of(communicator);
  const int rank = rank_in(communicator);
  const int next = (rank + 1) % ranks;
  const int before = (rank + ranks - 1) % ranks;
  int token = 0;
  const auto receive = [&](int source, int tag) {
    check(MPI_Recv(&token, 1, MPI_INT, source, tag, communicator, MPI_STATUS_IGNORE));
  };
  const auto send = [&](int to, int tag) { check(MPI_Ssend(&token, 1, MPI_INT, to, tag, communicator)); };
  if (how == "receive_first") {
    receive(before, 7 + rank);
    send(next, 7 + next);
  } else if (how == "send_first") {
    std::vector<double> mine(1 << 20);
    check(MPI_Send(mine.data(), 1 << 20, MPI_DOUBLE, next, 3, communicator));
    check(MPI_Recv(mine.data(), 1 << 20, MPI_DOUBLE, before, 3, communicator, MPI_STATUS_IGNORE));
  } else if (how == "mismatch") {
    rank == 0 ? check(MPI_Barrier(communicator)) : check(MPI_Bcast(&token, 1, MPI_INT, 0, communicator));
    check(MPI_Allreduce(MPI_IN_PLACE, &token, 1, MPI_INT, MPI_SUM, communicator));
  } else if (how == "wrong_tag") {
    rank == 0 ? send(1, 3) : receive(rank == 1 ? 0 : 1, 7);
  } else if (how == "wait_all") {
    std::array<MPI_Request, 2> requests{};
    std::array<int, 2> tokens{};
    check(MPI_Irecv(tokens.data(), 1, MPI_INT, before, 1, communicator, requests.data()));
    check(MPI_Irecv(&tokens[1], 1, MPI_INT, next, 2, communicator, &requests[1]));
    check(MPI_Waitall(2, requests.data(), MPI_STATUSES_IGNORE));
  } else if (how == "anybody") {
    receive(MPI_ANY_SOURCE, MPI_ANY_TAG);
  } else if (how == "poll") {
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Irecv(&token, 1, MPI_INT, before, 5, communicator, &request));
    for (int done = 0; done == 0;) check(MPI_Test(&request, &done, MPI_STATUS_IGNORE));
  } else if (how == "compute" || how == "compute_and_test") {
    // Healthy: rank 0 computes for long, and all others wait for it.
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + std::chrono::milliseconds{milliseconds};
    MPI_Request request = MPI_REQUEST_NULL;
    if (rank == 0) check(MPI_Irecv(&token, 1, MPI_INT, 0, 6, communicator, &request));
    while (rank == 0 && Clock::now() < end) {
      const auto piece = Clock::now() + std::chrono::microseconds{100};
      while (Clock::now() < piece) {
      }
      int done = 0;
      if (how == "compute_and_test") check(MPI_Test(&request, &done, MPI_STATUS_IGNORE));
    }
    if (rank == 0) {
      check(MPI_Send(&token, 1, MPI_INT, 0, 6, communicator));
      check(MPI_Wait(&request, MPI_STATUS_IGNORE));
    }
    check(MPI_Barrier(communicator));
  } else if (how == "starved") {
    // Healthy: all ranks are kept from their cores, inside MPI and outside.
    while_starved(milliseconds, [&] {
      for (int again = 0; again < 100; ++again) check(MPI_Barrier(communicator));
    });
  } else if (how == "two_stuck_one_computes") {
    // The others will never be helped, and rank 0 does not know of them.
    if (rank == 0) misbehave("hang_busy");
    receive(rank == ranks - 1 ? 1 : rank + 1, 9);
  } else {
    return false;
  }
  return true;
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
    if (communicator != MPI_COMM_NULL && misbehave_together(how, communicator, pause)) return;
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
    problem.parameters.push_back({"how", "die", "what it does", {"right",
                                                                 "wrong",
                                                                 "throw",
                                                                 "die",
                                                                 "leave_early",
                                                                 "hang",
                                                                 "hang_on",
                                                                 "stop",
                                                                 "flood",
                                                                 "hang_busy",
                                                                 "receive_first",
                                                                 "send_first",
                                                                 "mismatch",
                                                                 "wrong_tag",
                                                                 "wait_all",
                                                                 "anybody",
                                                                 "poll",
                                                                 "compute",
                                                                 "compute_and_test",
                                                                 "starved",
                                                                 "two_stuck_one_computes"}});
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

/// A pipeline of one stage that waits `pause` for each of its items, on `readers` threads as it were. With `how=throw`
/// it fails where it has more than one of them.
Placed place_asking(const Instance& instance, const Execution& execution) {
  const std::int64_t items = instance.extents.at(0);
  const std::int64_t pause = instance.parameters.whole("pause");
  const std::int64_t readers = execution.whole_or("readers", 1);
  const bool fails = instance.parameters.text("how") == "throw" && readers > 1;
  Placed placed;
  placed.reset = [] {};
  placed.execute = [=] {
    if (fails) misbehave("throw");
    sleep_milliseconds(pause * (items + readers - 1) / readers);
  };
  placed.verify = [] { return Judgement{.right = true}; };
  placed.stages = [=] {
    constexpr double milliseconds = 1e-3;
    return std::vector<StageFigures>{{.name = "ask",
                                      .kind = StageKind::waiting,
                                      .workers = static_cast<int>(readers),
                                      .items = items,
                                      .useful_seconds = milliseconds * static_cast<double>(items * pause)}};
  };
  return placed;
}

Problem asking() {
  Problem asking = problem("asking", false);
  asking.parameters.push_back({"how", "right", "what it does with more than one reader", {"right", "throw"}});
  asking.variants.clear();
  for (const Model model : {Model::serial, Model::openmp}) {
    std::vector<Setting> tunables;
    if (model != Model::serial) tunables.push_back({"readers", "1", "answers waited for at once", {}, 1, 100});
    asking.variants.push_back({model, tunables, place_asking});
  }
  return asking;
}

}  // namespace

const std::vector<Problem>& all_problems() {
  static const std::vector<Problem> problems{problem("steady", false), problem("misbehave", true), asking()};
  return problems;
}

const Problem& problem_called(std::string_view name) {
  for (const Problem& problem : all_problems()) {
    if (problem.name == name) return problem;
  }
  throw std::invalid_argument("no problem is called '" + std::string{name} + "'; there are steady, misbehave, asking");
}

}  // namespace duet
