#include "kernels/pipeline/matrix_stream/npy_bytes.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>

namespace duet {
namespace {

TEST(NpyBytes, AreReadBackAsTheyWereMade) {
  for (const auto& [rows, columns] : std::array<std::pair<int, int>, 5>{{{0, 0}, {0, 7}, {3, 0}, {1, 1}, {5, 9}}}) {
    Bytes file;
    const View made = make_matrix_in(file, rows, columns);
    for (int i = 0; i < rows; ++i) {
      for (int j = 0; j < columns; ++j) made(i, j) = 100 * i + j;
    }
    const std::optional<ConstView> found = matrix_in(file.text());
    ASSERT_TRUE(found) << rows << " x " << columns;
    EXPECT_EQ(found->rows, rows);
    EXPECT_EQ(found->columns, columns);
    for (int i = 0; i < rows; ++i) {
      for (int j = 0; j < columns; ++j) EXPECT_EQ((*found)(i, j), 100 * i + j);
    }
  }
}

TEST(NpyBytes, OtherFilesAreNoMatrices) {
  Bytes file;
  static_cast<void>(make_matrix_in(file, 3, 4));
  const std::string good{file.text()};
  ASSERT_TRUE(matrix_in(good));
  EXPECT_FALSE(matrix_in(""));
  EXPECT_FALSE(matrix_in("%%MatrixMarket matrix array real general"));
  EXPECT_FALSE(matrix_in(std::string_view{good}.substr(0, 127)));
  EXPECT_FALSE(matrix_in(std::string_view{good}.substr(0, good.size() - 1)));
  EXPECT_FALSE(matrix_in(good + "x"));
  EXPECT_FALSE(matrix_in(good + std::string(8, 'x')));
  for (const auto& [from, to] : std::array<std::pair<const char*, const char*>, 4>{
           {{"<f8", "<f4"}, {"False", "True "}, {"3, 4", "4, 3 "}, {"(3", "-3"}}}) {
    std::string other = good;
    other.replace(other.find(from), std::strlen(to), to);
    EXPECT_FALSE(matrix_in(other)) << to;
  }
}

TEST(NpyBytes, SizesThatNoMemoryHoldsAreRefused) {
  Bytes file;
  EXPECT_THROW(static_cast<void>(make_matrix_in(file, std::int64_t{1} << 40, std::int64_t{1} << 40)),
               std::length_error);
  std::string header = npy_header_text(std::int64_t{1} << 40, std::int64_t{1} << 40);
  EXPECT_FALSE(matrix_in(header));
}

}  // namespace
}  // namespace duet
