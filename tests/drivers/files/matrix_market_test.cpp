#include "drivers/files/matrix_market.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "drivers/files/matrix_file.hpp"
#include "tests/drivers/files/scratch_folder.hpp"

namespace duet {
namespace {

std::vector<double> values_of(const Matrix<double>& matrix) {
  return {matrix.data(), matrix.data() + matrix.rows() * matrix.columns()};
}

class MatrixMarket : public testing::Test {
 protected:
  std::vector<double> read(std::string_view text) { return values_of(read_matrix(folder_.file("a.mtx", text))); }
  /// The error without the folder: "a.mtx: line 2: ...".
  std::string error(std::string_view text) {
    const std::string path = folder_.file("a.mtx", text);
    const std::string whole = error_of([&] { static_cast<void>(read_matrix(path)); });
    return whole.empty() ? whole : "a.mtx" + whole.substr(path.size());
  }

  ScratchFolder folder_;
};

using Doubles = std::vector<double>;

TEST_F(MatrixMarket, ReadsCoordinates) {
  EXPECT_EQ(read("%%MatrixMarket matrix coordinate real general\n2 3 3\n1 1 1.5\n2 3 -2e3\n1 2 .25\n"),
            (Doubles{1.5, 0.25, 0, 0, 0, -2000}));
}

TEST_F(MatrixMarket, ReadsAnArrayColumnByColumn) {
  EXPECT_EQ(read("%%MatrixMarket matrix array real general\n2 3\n1\n2\n3\n4\n5\n6\n"), (Doubles{1, 3, 5, 2, 4, 6}));
}

TEST_F(MatrixMarket, ReadsIntegersAndPatterns) {
  EXPECT_EQ(read("%%MatrixMarket matrix coordinate integer general\n2 2 2\n1 1 -7\n2 2 +9007199254740992\n"),
            (Doubles{-7, 0, 0, 9007199254740992.0}));
  EXPECT_EQ(read("%%MatrixMarket matrix coordinate pattern general\n2 2 2\n1 2\n2 1\n"), (Doubles{0, 1, 1, 0}));
  EXPECT_EQ(read("%%MatrixMarket matrix coordinate pattern symmetric\n2 2 2\n1 1\n2 1\n"), (Doubles{1, 1, 1, 0}));
}

TEST_F(MatrixMarket, CompletesSymmetricAndSkewSymmetricCoordinates) {
  EXPECT_EQ(read("%%MatrixMarket matrix coordinate real symmetric\n2 2 2\n1 1 5\n2 1 3\n"), (Doubles{5, 3, 3, 0}));
  EXPECT_EQ(read("%%MatrixMarket matrix coordinate real skew-symmetric\n2 2 1\n2 1 3\n"), (Doubles{0, -3, 3, 0}));
}

TEST_F(MatrixMarket, CompletesSymmetricAndSkewSymmetricArrays) {
  EXPECT_EQ(read("%%MatrixMarket matrix array real symmetric\n3 3\n1\n2\n3\n4\n5\n6\n"),
            (Doubles{1, 2, 3, 2, 4, 5, 3, 5, 6}));
  EXPECT_EQ(read("%%MatrixMarket matrix array integer skew-symmetric\n3 3\n2\n3\n5\n"),
            (Doubles{0, -2, -3, 2, 0, -5, 3, 5, 0}));
  EXPECT_EQ(read("%%MatrixMarket matrix array real skew-symmetric\n1 1\n"), (Doubles{0}));
}

TEST_F(MatrixMarket, SumsCoordinatesThatComeTwice) {
  EXPECT_EQ(read("%%MatrixMarket matrix coordinate real general\n1 1 3\n1 1 1\n1 1 2\n1 1 4\n"), (Doubles{7}));
  EXPECT_EQ(read("%%MatrixMarket matrix coordinate real symmetric\n2 2 2\n2 1 1\n2 1 2\n"), (Doubles{0, 3, 3, 0}));
}

TEST_F(MatrixMarket, TakesCommentsBlankLinesCarriageReturnsAndNoLastNewline) {
  EXPECT_EQ(read("%%matrixmarket MATRIX Coordinate REAL General\r\n% one\r\n\r\n%\r\n  2\t2  2 \r\n% two\r\n\r\n"
                 " 1  2\t3 \r\n\n2 1 4"),
            (Doubles{0, 3, 4, 0}));
}

TEST_F(MatrixMarket, CarriesNotANumberAndInfinity) {
  const Doubles values = read("%%MatrixMarket matrix array real general\n4 1\nnan\ninf\n-inf\n-Infinity\n");
  EXPECT_TRUE(std::isnan(values[0]));
  EXPECT_EQ(values[1], HUGE_VAL);
  EXPECT_EQ(values[2], -HUGE_VAL);
  EXPECT_EQ(values[3], -HUGE_VAL);
}

TEST_F(MatrixMarket, ReadsMatricesWithoutEntries) {
  EXPECT_EQ(read("%%MatrixMarket matrix coordinate real general\n2 2 0\n"), (Doubles{0, 0, 0, 0}));
  EXPECT_EQ(read("%%MatrixMarket matrix array real general\n0 5\n"), Doubles{});
  EXPECT_EQ(read("%%MatrixMarket matrix coordinate real general\n0 0 0"), Doubles{});
}

TEST_F(MatrixMarket, RoundsToTheNearestDouble) {
  EXPECT_EQ(read("%%MatrixMarket matrix array real general\n4 1\n"
                 "0.1\n1.7976931348623157e308\n4.9e-324\n9007199254740993.0000000000000000000000001\n"),
            (Doubles{0.1, 1.7976931348623157e308, 4.9e-324, 9007199254740994.0}));
}

TEST_F(MatrixMarket, SaysWhatIsWrongWithTheBanner) {
  EXPECT_EQ(error("%%MatrixMarket matrix coordinate complex general\n1 1 1\n1 1 1 1\n"),
            "a.mtx: line 1: the entries are complex; only real, integer and pattern are read");
  EXPECT_EQ(error("%%MatrixMarket matrix coordinate real hermitian\n1 1 1\n1 1 1\n"),
            "a.mtx: line 1: the matrix is hermitian; only general, symmetric and skew-symmetric are read");
  EXPECT_EQ(error("%%MatrixMarket vector array real general\n1 1\n1\n"),
            "a.mtx: line 1: expected a matrix, found a 'vector'");
  EXPECT_EQ(error("%%MatrixMarket matrix sparse real general\n1 1\n1\n"),
            "a.mtx: line 1: expected coordinate or array, found 'sparse'");
  EXPECT_EQ(error("%%MatrixMarket matrix array pattern general\n1 1\n1\n"),
            "a.mtx: line 1: a pattern is an array, which the format does not know");
  EXPECT_EQ(error("%MatrixMarket\n"),
            "a.mtx: line 1: expected '%%MatrixMarket matrix coordinate real general' or the "
            "like, found '%MatrixMarket'");
  EXPECT_EQ(error(""), "a.mtx: is empty");
}

TEST_F(MatrixMarket, SaysWhatIsWrongWithTheSizes) {
  const std::string banner = "%%MatrixMarket matrix coordinate real general\n";
  EXPECT_EQ(error(banner + "% only this\n"), "a.mtx: ends at line 3, before the line of sizes");
  EXPECT_EQ(error(banner + "2 2\n"), "a.mtx: line 2: expected the sizes (rows columns entries), found '2 2'");
  EXPECT_EQ(error(banner + "2 2.5 1\n"), "a.mtx: line 2: expected the sizes (rows columns entries), found '2 2.5 1'");
  EXPECT_EQ(error(banner + "2 -2 1\n"), "a.mtx: line 2: expected the sizes (rows columns entries), found '2 -2 1'");
  EXPECT_EQ(error(banner + "99999999999 99999999999 1\n1 1 1\n"),
            "a.mtx: line 2: a matrix of 99999999999 x 99999999999 has more bytes than can be addressed");
  EXPECT_EQ(error(banner + "9 9 1000000\n1 1 1\n"),
            "a.mtx: line 2: announces 1000000 entries, and 64 bytes cannot hold them");
  EXPECT_EQ(error(banner + "0 9 1\n1 1 1\n"), "a.mtx: line 2: announces 1 entries of an empty matrix");
  EXPECT_EQ(error("%%MatrixMarket matrix array real symmetric\n2 3\n1\n"),
            "a.mtx: line 2: a symmetric matrix is square, and this one is 2 x 3");
  EXPECT_EQ(error("%%MatrixMarket matrix array real general\n100 100\n1\n"),
            "a.mtx: line 2: announces 10000 entries, and 51 bytes cannot hold them");
}

TEST_F(MatrixMarket, RefusesAMatrixThatNoMachineHolds) {
  const std::string whole = error("%%MatrixMarket matrix coordinate real general\n99999999 999999999 0\n");
  EXPECT_NE(whole.find("a matrix of 99999999 x 999999999 needs 799999991200000008 bytes of memory"), std::string::npos)
      << whole;
}

TEST_F(MatrixMarket, SaysWhatIsWrongWithAnEntry) {
  const auto of_entry = [&](std::string_view line) {
    return error("%%MatrixMarket matrix coordinate real general\n% comment\n2 3 1\n" + std::string{line} + "\n");
  };
  EXPECT_EQ(of_entry("1 2"), "a.mtx: line 4: expected 3 fields (row column value), found '1 2'");
  EXPECT_EQ(of_entry("1"), "a.mtx: line 4: expected 3 fields (row column value), found '1'");
  EXPECT_EQ(of_entry("abc"), "a.mtx: line 4: expected 3 fields (row column value), found 'abc'");
  EXPECT_EQ(of_entry("1 2 3 4"), "a.mtx: line 4: expected 3 fields (row column value), found '1 2 3 4'");
  EXPECT_EQ(of_entry("1.0 2 3"), "a.mtx: line 4: expected 3 fields (row column value), found '1.0 2 3'");
  EXPECT_EQ(of_entry("1 2 x\x01"), "a.mtx: line 4: expected a number, found 'x\\x01'");
  EXPECT_EQ(of_entry("1 2 1.5d3"), "a.mtx: line 4: expected a number, found '1.5d3'");
  EXPECT_EQ(of_entry("1 2 +-3"), "a.mtx: line 4: expected a number, found '+-3'");
  EXPECT_EQ(of_entry("1 2 -1e999"), "a.mtx: line 4: '-1e999' is beyond the largest double, 1.8e308");
  EXPECT_EQ(of_entry("3 2 1"), "a.mtx: line 4: row 3 is not in 1 to 2");
  EXPECT_EQ(of_entry("0 2 1"), "a.mtx: line 4: row 0 is not in 1 to 2");
  EXPECT_EQ(of_entry("1 4 1"), "a.mtx: line 4: column 4 is not in 1 to 3");
  EXPECT_EQ(of_entry("99999999999999999999 4 1"),
            "a.mtx: line 4: expected 3 fields (row column value), found '99999999999999999999 4 1'");
  EXPECT_EQ(error("%%MatrixMarket matrix array real general\n1 1\n1 2\n"),
            "a.mtx: line 3: expected one value, found '1 2'");
  EXPECT_EQ(error("%%MatrixMarket matrix coordinate pattern general\n1 1 1\n1 1 1\n"),
            "a.mtx: line 3: expected 2 fields (row column), found '1 1 1'");
}

TEST_F(MatrixMarket, RefusesIntegersThatAreNotExactOrNotWhole) {
  const std::string head = "%%MatrixMarket matrix array integer general\n1 1\n";
  EXPECT_EQ(error(head + "9007199254740993\n"),
            "a.mtx: line 3: no double holds the integer '9007199254740993' exactly");
  EXPECT_EQ(error(head + "99999999999999999999\n"),
            "a.mtx: line 3: no double holds the integer '99999999999999999999' exactly");
  EXPECT_EQ(error(head + "9223372036854775807\n"),
            "a.mtx: line 3: no double holds the integer '9223372036854775807' exactly");
  EXPECT_EQ(error(head + "1.5\n"), "a.mtx: line 3: expected an integer, found '1.5'");
}

TEST_F(MatrixMarket, RefusesEntriesWhereTheSymmetryHasNone) {
  EXPECT_EQ(error("%%MatrixMarket matrix coordinate real symmetric\n2 2 1\n1 2 3\n"),
            "a.mtx: line 3: entry (1, 2) of a symmetric matrix stands above the diagonal; the file holds only what is "
            "below it");
  EXPECT_EQ(
      error("%%MatrixMarket matrix coordinate real skew-symmetric\n2 2 1\n2 2 3\n"),
      "a.mtx: line 3: entry (2, 2) of a skew-symmetric matrix stands on the diagonal; the file holds only what is "
      "below it");
}

TEST_F(MatrixMarket, CountsTheEntries) {
  const std::string head = "%%MatrixMarket matrix coordinate real general\n2 2 2\n";
  EXPECT_EQ(error(head + "1 1 1.25\n"), "a.mtx: the header announces 2 entries, and the file ends after 1, at line 4");
  EXPECT_EQ(error(head + "1 1 1\n1 2 1\n2 1 1\n"),
            "a.mtx: line 5: the header announces 2 entries, and here is one more: '2 1 1'");
}

TEST_F(MatrixMarket, ReadsTextsLongerThanAWindow) {
  constexpr std::int64_t rows = 50'000;
  std::string text = "%%MatrixMarket matrix array real general\n50000 2\n";
  for (std::int64_t i = 0; i < 2 * rows; ++i) text += std::to_string(i) + ".5\n";
  const Matrix<double> matrix = read_matrix(folder_.file("a.mtx", text));
  for (std::int64_t i = 0; i < rows; ++i) {
    ASSERT_EQ(matrix.view()(i, 0), static_cast<double>(i) + 0.5);
    ASSERT_EQ(matrix.view()(i, 1), static_cast<double>(rows + i) + 0.5);
  }
  EXPECT_EQ(error(text + "x\n"), "a.mtx: line 100003: the header announces 100000 entries, and here is one more: 'x'");
}

TEST_F(MatrixMarket, RefusesALineWithoutEnd) {
  EXPECT_EQ(error("%%MatrixMarket matrix array real general\n%" + std::string(300'000, 'x')),
            "a.mtx: line 2: is longer than 262144 bytes; this is no text in lines");
}

TEST_F(MatrixMarket, ReadsOnlyTheBlockAsked) {
  const std::string path = folder_.file("a.mtx",
                                        "%%MatrixMarket matrix coordinate real symmetric\n3 3 5\n1 1 1\n2 1 2\n"
                                        "3 1 3\n3 2 4\n3 3 5\n");
  Matrix<double> block{2, 1};
  open_matrix(path).read_block({0, 2}, {2, 3}, block.view());
  EXPECT_EQ(values_of(block), (Doubles{3, 4}));
  Matrix<double> none{0, 3};
  open_matrix(path).read_block({1, 1}, {0, 3}, none.view());
  EXPECT_THROW(open_matrix(path).read_block({0, 4}, {2, 3}, block.view()), std::invalid_argument);
}

}  // namespace
}  // namespace duet
