/// `duet multiply` on files, in every model.

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

#include "drivers/files/matrix_file.hpp"
#include "drivers/files/write_matrix.hpp"
#include "tests/drivers/files/scratch_folder.hpp"
#include "tests/drivers/real_inputs/program.hpp"

namespace duet {
namespace {

/// Small whole numbers, whose products are exact in any order.
Matrix<double> whole_numbers(std::int64_t rows, std::int64_t columns, std::int64_t factor) {
  Matrix<double> matrix{rows, columns};
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) {
      matrix.view()(i, j) = static_cast<double>((i * 7 + j * 13 + i * j) * factor % 11 - 5);
    }
  }
  return matrix;
}

void write(const std::string& path, const Matrix<double>& matrix) {
  OutputFile file{path};
  write_matrix(file, format_of(path),
               {matrix.rows(), matrix.columns(), {0, matrix.rows()}, {0, matrix.columns()}, matrix.view()});
  file.commit();
}

void expect_product(const std::string& path, const Matrix<double>& a, const Matrix<double>& b) {
  const Matrix<double> c = read_matrix(path);
  ASSERT_EQ(c.rows(), a.rows());
  ASSERT_EQ(c.columns(), b.columns());
  for (std::int64_t i = 0; i < c.rows(); ++i) {
    for (std::int64_t j = 0; j < c.columns(); ++j) {
      double sum = 0;
      for (std::int64_t k = 0; k < a.columns(); ++k) sum += a.view()(i, k) * b.view()(k, j);
      ASSERT_EQ(c.view()(i, j), sum) << i << " " << j;
    }
  }
}

class MultiplyInModel : public testing::TestWithParam<Start> {
 protected:
  Ended multiply(const std::string& operands) {
    return run_in(folder_.path(""), GetParam().prefix + "$duet multiply " + operands + " " + GetParam().options);
  }
  ScratchFolder folder_;
};

TEST_P(MultiplyInModel, MultipliesAnyShapesFromAndToAnyFormat) {
  const Matrix<double> a = whole_numbers(37, 53, 1);
  const Matrix<double> b = whole_numbers(53, 19, 3);
  write(folder_.path("a.mtx"), a);
  write(folder_.path("b.npy.gz"), b);
  write(folder_.path("a.npy"), a);
  write(folder_.path("b.mtx.gz"), b);
  for (const std::string operands : {"a.mtx b.npy.gz -o c.npy", "a.npy b.mtx.gz -o c.mtx.gz"}) {
    const Ended ended = multiply(operands);
    ASSERT_EQ(ended.status, 0) << ended.error;
    EXPECT_EQ(ended.error, "");
    EXPECT_NE(ended.output.find("37 x 19"), std::string::npos) << ended.output;
    EXPECT_NE(ended.output.find("verified"), std::string::npos) << ended.output;
    expect_product(folder_.path(operands.substr(operands.find("-o ") + 3)), a, b);
  }
}

TEST_P(MultiplyInModel, MultipliesMatricesWithoutEntries) {
  const Matrix<double> a{2, 0};
  const Matrix<double> b{0, 3};
  write(folder_.path("a.npy"), a);
  write(folder_.path("b.mtx"), b);
  const Ended ended = multiply("a.npy b.mtx -o c.npy");
  ASSERT_EQ(ended.status, 0) << ended.error;
  expect_product(folder_.path("c.npy"), a, b);
}

TEST_P(MultiplyInModel, CarriesNotANumber) {
  Matrix<double> a = whole_numbers(5, 4, 1);
  a.view()(2, 1) = std::numeric_limits<double>::quiet_NaN();
  write(folder_.path("a.npy"), a);
  write(folder_.path("b.npy"), whole_numbers(4, 5, 1));
  const Ended ended = multiply("a.npy b.npy -o c.npy");
  ASSERT_EQ(ended.status, 0) << ended.error;
  const Matrix<double> c = read_matrix(folder_.path("c.npy"));
  for (std::int64_t i = 0; i < 5; ++i) {
    for (std::int64_t j = 0; j < 5; ++j) EXPECT_EQ(std::isnan(c.view()(i, j)), i == 2) << i << " " << j;
  }
}

TEST_P(MultiplyInModel, SaysInOneLineWhatIsWrongInAFileAndLeavesNothing) {
  folder_.file("wrong.mtx", "%%MatrixMarket matrix coordinate real general\n5 5 1\n1 9 1\n");
  folder_.file("c.npy", "before");
  const Ended ended = multiply("wrong.mtx wrong.mtx -o c.npy");
  EXPECT_EQ(ended.status, 1);
  EXPECT_EQ(ended.error.substr(0, ended.error.find('\n')), "duet: wrong.mtx: line 3: column 9 is not in 1 to 5");
  EXPECT_EQ(content_of(folder_.path("c.npy")), "before");
  EXPECT_EQ(folder_.entries(), 2U);
}

INSTANTIATE_TEST_SUITE_P(Each, MultiplyInModel, testing::ValuesIn(starts),
                         [](const auto& of) { return of.param.name; });

class Multiply : public testing::Test {
 protected:
  Ended multiply(const std::string& arguments) {
    return run_in(folder_.path(""), "$duet multiply --model serial " + arguments);
  }
  void expect_refused(const std::string& arguments, const std::string& said) {
    const Ended ended = multiply(arguments);
    EXPECT_EQ(ended.status, 2) << arguments;
    EXPECT_EQ(ended.error, "duet: " + said + "\n") << arguments;
    EXPECT_EQ(ended.output, "");
  }
  ScratchFolder folder_;
};

TEST_F(Multiply, RefusesWhatCannotBeBeforeItStarts) {
  write(folder_.path("a.npy"), whole_numbers(3, 4, 1));
  write(folder_.path("b.mtx"), whole_numbers(5, 2, 1));
  const std::size_t entries = folder_.entries();
  expect_refused(
      "a.npy b.mtx -o c.npy",
      "a.npy is 3 x 4 and b.mtx is 5 x 2: the 4 columns of the first must be as many as the 5 rows of the second");
  expect_refused("a.npy none.mtx -o c.npy", "none.mtx: cannot open: No such file or directory");
  expect_refused("a.npy . -o c.npy", ".: is a folder, where a file is expected");
  expect_refused("a.npy a.npy -o c.txt", "c.txt: a matrix is written to a file named .npy, .npy.gz, .mtx or .mtx.gz");
  expect_refused(
      "b.mtx b.mtx -o c.npy",
      "b.mtx is 5 x 2 and b.mtx is 5 x 2: the 2 columns of the first must be as many as the 5 rows of the second");
  write(folder_.path("square.npy"), whole_numbers(2, 2, 1));
  expect_refused("square.npy square.npy -o none/c.npy",
                 "none/c.npy: cannot create a file in none: No such file or directory");
  EXPECT_EQ(folder_.entries(), entries + 1);
}

TEST_F(Multiply, RefusesWhatNeedsMoreMemoryThanThereIs) {
  folder_.file("large.mtx", "%%MatrixMarket matrix coordinate real general\n4000000 4000000 0\n");
  const Ended ended = multiply("large.mtx large.mtx -o c.npy");
  EXPECT_EQ(ended.status, 2);
  EXPECT_TRUE(
      ended.error.starts_with("duet: the product of 4000000 x 4000000 and 4000000 x 4000000 needs about 3.84e+05 GB"))
      << ended.error;
}

TEST_F(Multiply, WritesTheMatrixAloneToStandardOutput) {
  write(folder_.path("a.npy"), whole_numbers(1, 2, 1));
  write(folder_.path("b.npy"), whole_numbers(2, 1, 1));
  const Ended ended = multiply("a.npy b.npy -o -");
  EXPECT_EQ(ended.status, 0);
  EXPECT_EQ(ended.output, "%%MatrixMarket matrix array real general\n1 1\n19\n");
  EXPECT_NE(ended.error.find("verified"), std::string::npos);
}

TEST_F(Multiply, SaysWhenItCannotWrite) {
  write(folder_.path("a.npy"), whole_numbers(100, 100, 1));
  const Ended full = multiply("a.npy a.npy -o - >/dev/full");
  EXPECT_EQ(full.status, 1);
  EXPECT_TRUE(full.error.starts_with("duet: standard output: cannot write at byte 0") &&
              full.error.ends_with("No space left on device\n"))
      << full.error;
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "under a limit of file sizes ThreadSanitizer cannot map its own memory";
#endif
  const Ended limited = run_in(folder_.path(""), "ulimit -f 10; $duet multiply --model serial a.npy a.npy -o c.npy");
  EXPECT_EQ(limited.status, 1);
  EXPECT_TRUE(limited.error.starts_with("duet: c.npy: cannot write") && limited.error.ends_with("File too large\n"))
      << limited.error;
  EXPECT_EQ(folder_.entries(), 1U);
}

TEST_F(Multiply, LeavesNothingWhenInterrupted) {
  // Large enough that the signal comes while it works, whatever the machine: both operands are long streams.
  std::string text = "%%MatrixMarket matrix coordinate real general\n2000 2000 4000000\n";
  for (int i = 0; i < 4'000'000; ++i) text += "1 1 1\n";
  folder_.file("a.mtx", text);
  const Ended ended = run_in(folder_.path(""), "timeout -s INT 0.3 $duet multiply --model serial a.mtx a.mtx -o c.npy");
  EXPECT_NE(ended.status, 0);
  EXPECT_EQ(folder_.entries(), 1U);
}

TEST_F(Multiply, TeachesInItsHelp) {
  const Ended ended = multiply("--help");
  EXPECT_EQ(ended.status, 0);
  EXPECT_NE(ended.output.find("mpirun -n 4 duet multiply A.npy B.npy -o C.npy --model mpi"), std::string::npos);
}

TEST_F(Multiply, WritesNoWrongProduct) {
  const ScratchFolder folder;
  write(folder.path("a.npy"), whole_numbers(20, 30, 1));
  write(folder.path("b.npy"), whole_numbers(30, 10, 3));
  const Ended right = run_in(folder.path(""), "$duet multiply a.npy b.npy -o c.npy --model serial");
  ASSERT_EQ(right.status, 0) << right.error;
  const std::string before = content_of(folder.path("c.npy"));
  const Ended wrong = run_in(folder.path(""), "$wrong_duet multiply a.npy b.npy -o c.npy --model serial");
  EXPECT_EQ(wrong.status, 1);
  EXPECT_TRUE(wrong.error.starts_with("duet: the product is wrong, and nothing was written: ")) << wrong.error;
  EXPECT_EQ(wrong.output, "");
  EXPECT_EQ(content_of(folder.path("c.npy")), before);
  EXPECT_EQ(run_in(folder.path(""), "ls").output, "a.npy\nb.npy\nc.npy\n");
}

}  // namespace
}  // namespace duet
