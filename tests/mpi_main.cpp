/// main() of the tests that run under mpirun. Rank 0 prints the usual listing, every rank its own failures, and the
/// first failing test of any rank ends the whole job: the other ranks may be waiting for the failed one for ever. Where
/// no rank can go on, the watchdog (drivers/watchdog.hpp) ends it, and says in which test and who waits for whom.
///
///     ..._test [--deadline=SECONDS]     without progress; 20 where nothing is said, well within every test's time
///     limit

#include <gtest/gtest.h>
#include <mpi.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "drivers/watchdog.hpp"

namespace {

class EndTheJobOnFailure : public testing::EmptyTestEventListener {
 public:
  explicit EndTheJobOnFailure(int rank) : rank_{rank} {}

  void OnTestStart(const testing::TestInfo& test) override {
    phase_.now(std::string{test.test_suite_name()} + "." + test.name());
  }
  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (!result.failed() || rank_ == 0) return;
    std::fprintf(stderr, "%s:%d: failure on rank %d\n%s\n", result.file_name() == nullptr ? "?" : result.file_name(),
                 result.line_number(), rank_, result.summary());
  }
  void OnTestEnd(const testing::TestInfo& test) override {
    if (!test.result()->Failed()) return;
    std::fprintf(stderr, "rank %d ends the job: %s.%s failed\n", rank_, test.test_suite_name(), test.name());
    std::fflush(nullptr);
    MPI_Abort(MPI_COMM_WORLD, EXIT_FAILURE);
  }

 private:
  int rank_;
  duet::Phase phase_{"starting"};
};

constexpr double usual_deadline = 20;

double deadline_from(int argc, char** argv) {
  constexpr std::string_view option = "--deadline=";
  for (int i = 1; i < argc; ++i) {
    const std::string_view word{argv[i]};
    if (word.starts_with(option)) return std::stod(std::string{word.substr(option.size())});
  }
  return usual_deadline;
}

}  // namespace

int main(int argc, char** argv) {
  int provided = MPI_THREAD_SINGLE;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  int rank = 0;
  int ranks = 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  testing::InitGoogleTest(&argc, argv);
  duet::watch({.rank = rank, .ranks = ranks, .remind_seconds = 0, .deadline_seconds = deadline_from(argc, argv)});
  duet::watch_each_other(MPI_COMM_WORLD);
  testing::TestEventListeners& listeners = testing::UnitTest::GetInstance()->listeners();
  if (rank != 0) delete listeners.Release(listeners.default_result_printer());
  listeners.Append(std::make_unique<EndTheJobOnFailure>(rank).release());  // GoogleTest owns it from here
  const int status = RUN_ALL_TESTS();
  MPI_Finalize();
  return status;
}
