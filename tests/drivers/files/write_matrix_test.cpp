#include "drivers/files/write_matrix.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "drivers/files/matrix_file.hpp"
#include "kernels/core/random.hpp"
#include "tests/drivers/files/scratch_folder.hpp"

namespace duet {
namespace {

Matrix<double> random_matrix(std::int64_t rows, std::int64_t columns) {
  Matrix<double> matrix{rows, columns};
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) matrix.view()(i, j) = std::exp(40 * random_entry(3, 0, i, j));
  }
  return matrix;
}

void write(const std::string& path, const Matrix<double>& matrix, const RunTeam& team = {}) {
  OutputFile file{path};
  write_matrix(file, format_of(path),
               {matrix.rows(), matrix.columns(), {0, matrix.rows()}, {0, matrix.columns()}, matrix.view()}, team);
  file.commit();
}

/// More elements than a worker encodes at a time. ThreadSanitizer pays for every access that TBB orders behind its back
/// (tests/sanitizers/thread.cpp): a matrix of this size would take minutes there.
#ifdef __SANITIZE_THREAD__
constexpr std::int64_t many = 2000;
#else
constexpr std::int64_t many = 700'000;
#endif

class EachFormat : public testing::TestWithParam<std::string> {};

TEST_P(EachFormat, ReadsBackBitForBit) {
  const ScratchFolder folder;
  const std::string path = folder.path("c" + GetParam());
  using Shape = std::pair<std::int64_t, std::int64_t>;
  for (const auto& [rows, columns] : {Shape{1, 1}, {3, 5}, {97, 31}, {0, 4}, {4, 0}, {1, many}, {many, 2}}) {
    for (const Model model : {Model::serial, Model::openmp, Model::tbb}) {
      Matrix<double> matrix = random_matrix(rows, columns);
      if (rows == 3) {
        matrix.data()[0] = -0.0;
        matrix.data()[1] = std::numeric_limits<double>::denorm_min();
        matrix.data()[2] = std::numeric_limits<double>::max();
        matrix.data()[3] = -HUGE_VAL;
      }
      write(path, matrix, RunTeam{model, Execution{.threads = model == Model::serial ? 1 : 3}});
      const Matrix<double> back = read_matrix(path);
      ASSERT_EQ(back.rows(), rows);
      ASSERT_EQ(back.columns(), columns);
      const double* const begin = matrix.data();
      const double* const end = begin + rows * columns;
      const auto same_bits = [](double one, double other) {
        return std::bit_cast<std::uint64_t>(one) == std::bit_cast<std::uint64_t>(other);
      };
      const double* const differs = std::mismatch(begin, end, back.data(), same_bits).first;
      ASSERT_EQ(differs, end) << "at " << differs - begin;
    }
  }
  EXPECT_EQ(folder.entries(), 1U);
}

TEST_P(EachFormat, CarriesNotANumber) {
  const ScratchFolder folder;
  Matrix<double> matrix{2, 1};
  matrix.data()[0] = std::numeric_limits<double>::quiet_NaN();
  matrix.data()[1] = -std::numeric_limits<double>::quiet_NaN();
  write(folder.path("c" + GetParam()), matrix);
  const Matrix<double> back = read_matrix(folder.path("c" + GetParam()));
  EXPECT_TRUE(std::isnan(back.data()[0]) && std::isnan(back.data()[1]));
}

INSTANTIATE_TEST_SUITE_P(Written, EachFormat, testing::Values(".mtx", ".npy", ".mtx.gz", ".npy.gz"),
                         [](const auto& of) {
                           std::string name = of.param.substr(1);
                           std::ranges::replace(name, '.', '_');
                           return name;
                         });

TEST(WriteMatrix, WritesTheFewestDigits) {
  const ScratchFolder folder;
  Matrix<double> matrix{2, 2};
  matrix.view()(0, 0) = 0.1;
  matrix.view()(0, 1) = 3;
  matrix.view()(1, 0) = -1e300;
  matrix.view()(1, 1) = 1.0 / 3;
  write(folder.path("c.mtx"), matrix);
  EXPECT_EQ(content_of(folder.path("c.mtx")),
            "%%MatrixMarket matrix array real general\n2 2\n0.1\n-1e+300\n3\n0.3333333333333333\n");
}

TEST(WriteMatrix, WritesTheHeaderThatNumPyWrites) {
  const ScratchFolder folder;
  write(folder.path("c.npy"), Matrix<double>{0, 7});
  const std::string content = content_of(folder.path("c.npy"));
  EXPECT_EQ(content.size(), 128U);
  EXPECT_EQ(content.substr(0, 10), (std::string{"\x93NUMPY\x01\x00\x76\x00", 10}));
  EXPECT_TRUE(content.substr(10).starts_with("{'descr': '<f8', 'fortran_order': False, 'shape': (0, 7), }  "));
  EXPECT_EQ(content.back(), '\n');
}

TEST(WriteMatrix, KnowsFormatsByTheirNames) {
  EXPECT_EQ(format_of("a/b.npy"), MatrixFormat::npy);
  EXPECT_EQ(format_of("b.npy.gz"), MatrixFormat::npy_gzip);
  EXPECT_EQ(format_of("b.mtx"), MatrixFormat::market);
  EXPECT_EQ(format_of("b.mtx.gz"), MatrixFormat::market_gzip);
  EXPECT_EQ(format_of("-"), MatrixFormat::market);
  EXPECT_EQ(error_of([] { static_cast<void>(format_of("c.txt")); }),
            "c.txt: a matrix is written to a file named .npy, .npy.gz, .mtx or .mtx.gz");
}

TEST(OutputFile, LeavesNothingUnlessCommitted) {
  const ScratchFolder folder;
  const std::string path = folder.file("c.mtx", "before");
  {
    OutputFile file{path};
    file.append("half");
    EXPECT_EQ(folder.entries(), 2U);
    EXPECT_EQ(content_of(path), "before");
  }
  EXPECT_EQ(folder.entries(), 1U);
  EXPECT_EQ(content_of(path), "before");
}

TEST(OutputFile, ReplacesAtOnceAndKeepsTheMode) {
  const ScratchFolder folder;
  const std::string path = folder.file("c.txt", "before");
  ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
  OutputFile file{path};
  file.append("after");
  file.append(" all\n");
  file.commit();
  EXPECT_EQ(content_of(path), "after all\n");
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0640U);
  EXPECT_EQ(folder.entries(), 1U);
}

TEST(OutputFile, FollowsASymbolicLink) {
  const ScratchFolder folder;
  const std::string path = folder.file("c.txt", "before");
  std::filesystem::create_symlink("c.txt", folder.path("link"));
  OutputFile file{folder.path("link")};
  file.append("after");
  file.commit();
  EXPECT_EQ(content_of(path), "after");
  EXPECT_TRUE(std::filesystem::is_symlink(folder.path("link")));
}

TEST(OutputFile, SaysWhyItCannotBeWritten) {
  const ScratchFolder folder;
  EXPECT_EQ(
      error_of([&] { const OutputFile file{folder.path("none/c.npy")}; }),
      folder.path("none/c.npy") + ": cannot create a file in " + folder.path("none") + ": No such file or directory");
  EXPECT_EQ(error_of([&] { const OutputFile file{folder.path("")}; }),
            folder.path("") + ": is a folder, where a file is to be written");
}

TEST(OutputFile, WritesDevicesStraight) {
  OutputFile file{"/dev/null"};
  EXPECT_TRUE(file.is_stream());
  file.append("away");
  file.commit();
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST(OutputFile, NoticesAFullDisk) {
  OutputFile full{"/dev/full"};
  EXPECT_EQ(error_of([&] { full.append("text"); }),
            "/dev/full: cannot write at byte 0, with 4 more to write now: No space left on device");
  const ScratchFolder folder;
  OutputFile file{folder.path("c.npy")};
  const std::string text = error_of([&] { file.reserve(std::int64_t{1} << 60); });
  EXPECT_TRUE(text.starts_with(folder.path("c.npy") + ": cannot write: ")) << text;
  EXPECT_NE(text.find("1152921504606846976 bytes are needed"), std::string::npos) << text;
}

/// Runs `act` in a child process, which a signal or `_exit` ends, and returns its status.
template <class Act>
int status_of_child(Act&& act) {
  const pid_t child = ::fork();
  if (child == 0) {
    act();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

TEST(OutputFile, NoticesALimitOfFileSizes) {
  const ScratchFolder folder;
  const int status = status_of_child([&] {
    const rlimit limit{1000, 1000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const std::string text = error_of([&] {
      OutputFile file{folder.path("c.txt")};
      file.append(std::string(5000, 'x'));
    });
    ::_exit(text == folder.path("c.txt") + ": cannot write at byte 1000, with 4000 more to write now: File too large"
                ? 7
                : 8);
  });
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 7);
  EXPECT_EQ(folder.entries(), 0U);
}

TEST(OutputFile, LeavesNothingWhenInterrupted) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const ScratchFolder folder;
    const int status = status_of_child([&] {
      OutputFile file{folder.path("c.txt")};
      file.append("half");
      ::raise(signal);
    });
    EXPECT_TRUE(WIFSIGNALED(status));
    EXPECT_EQ(WTERMSIG(status), signal);
    EXPECT_EQ(folder.entries(), 0U);
  }
}

TEST(OutputFile, LeavesNothingWhenASecondSignalMeetsTheFirst) {
  constexpr int rounds = 50;
  constexpr std::size_t files = 16;
  for (int round = 0; round < rounds; ++round) {
    const ScratchFolder folder;
    const int status = status_of_child([&] {
      std::vector<std::unique_ptr<OutputFile>> unfinished;
      for (std::size_t i = 0; i < files; ++i) {
        unfinished.push_back(std::make_unique<OutputFile>(folder.path(std::to_string(i))));
      }
      const pid_t mine = ::getpid();
      if (::fork() == 0) {
        ::signal(SIGINT, SIG_DFL);
        // First in one burst; then slowly, since ThreadSanitizer keeps a signal back until the next call that can wait.
        for (int sent = 0; sent < 20'000 && ::getppid() == mine; ++sent) {
          ::kill(mine, SIGINT);
          if (sent >= 1000) ::usleep(1000);
        }
        ::_exit(0);
      }
      while (true) ::pause();
    });
    ASSERT_TRUE(WIFSIGNALED(status));
    ASSERT_EQ(WTERMSIG(status), SIGINT);
    ASSERT_EQ(folder.entries(), 0U) << "in round " << round;
  }
}

}  // namespace
}  // namespace duet
