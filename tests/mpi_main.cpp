/// main() of the tests that run under mpirun. Rank 0 prints the usual listing, every rank its own failures, and the
/// first failing test of any rank ends the whole job: the other ranks may be waiting for the failed one for ever.

#include <gtest/gtest.h>
#include <mpi.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

namespace {

class EndTheJobOnFailure : public testing::EmptyTestEventListener {
 public:
  explicit EndTheJobOnFailure(int rank) : rank_{rank} {}

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
};

}  // namespace

int main(int argc, char** argv) {
  int provided = MPI_THREAD_SINGLE;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  testing::InitGoogleTest(&argc, argv);
  testing::TestEventListeners& listeners = testing::UnitTest::GetInstance()->listeners();
  if (rank != 0) delete listeners.Release(listeners.default_result_printer());
  listeners.Append(std::make_unique<EndTheJobOnFailure>(rank).release());  // GoogleTest owns it from here
  const int status = RUN_ALL_TESTS();
  MPI_Finalize();
  return status;
}
