#include "drivers/files/npy.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "drivers/files/matrix_file.hpp"
#include "tests/drivers/files/scratch_folder.hpp"

namespace duet {
namespace {

using Doubles = std::vector<double>;

std::string npy(std::string_view dictionary, std::string_view data, int version = 1) {
  std::string text{"\x93NUMPY"};
  text += static_cast<char>(version);
  text += '\0';
  for (std::size_t i = 0; i < (version == 1 ? 2U : 4U); ++i) {
    text += static_cast<char>(dictionary.size() >> (8 * i) & 0xffU);
  }
  return text.append(dictionary).append(data);
}

template <class Element>
std::string bytes_of(const std::vector<Element>& values, bool swapped = false) {
  std::string bytes;
  for (const Element& value : values) {
    std::string one(sizeof(Element), '\0');
    std::memcpy(one.data(), &value, sizeof(Element));
    if (swapped) std::ranges::reverse(one);
    bytes += one;
  }
  return bytes;
}

std::string dictionary_of(std::string_view type, std::string_view shape, bool fortran = false) {
  return "{'descr': '" + std::string{type} + "', 'fortran_order': " + (fortran ? "True" : "False") +
         ", 'shape': " + std::string{shape} + ", }  \n";
}

class Npy : public testing::Test {
 protected:
  Doubles read(std::string_view content) {
    const Matrix<double> matrix = read_matrix(folder_.file("a.npy", content));
    return {matrix.data(), matrix.data() + matrix.rows() * matrix.columns()};
  }
  std::string error(std::string_view content) {
    const std::string path = folder_.file("a.npy", content);
    const std::string whole = error_of([&] { static_cast<void>(read_matrix(path)); });
    return whole.empty() ? whole : "a.npy" + whole.substr(path.size());
  }

  ScratchFolder folder_;
};

TEST_F(Npy, ReadsBothOrders) {
  const Doubles values{1, 2, 3, 4, 5, 6};
  EXPECT_EQ(read(npy(dictionary_of("<f8", "(2, 3)"), bytes_of(values))), values);
  EXPECT_EQ(read(npy(dictionary_of("<f8", "(2, 3)", true), bytes_of(values))), (Doubles{1, 3, 5, 2, 4, 6}));
}

TEST_F(Npy, ReadsEveryVersion) {
  for (const int version : {1, 2, 3}) {
    EXPECT_EQ(read(npy(dictionary_of("<f8", "(1, 2)"), bytes_of(Doubles{1, 2}), version)), (Doubles{1, 2}));
  }
}

TEST_F(Npy, ReadsFloatsOfBothSizesAndByteOrders) {
  const Doubles values{1.5, -2.25};
  const std::vector<float> floats{1.5F, -2.25F};
  EXPECT_EQ(read(npy(dictionary_of(">f8", "(2, 1)"), bytes_of(values, true))), values);
  EXPECT_EQ(read(npy(dictionary_of("=f8", "(2, 1)"), bytes_of(values))), values);
  EXPECT_EQ(read(npy(dictionary_of("<f4", "(2, 1)"), bytes_of(floats))), values);
  EXPECT_EQ(read(npy(dictionary_of(">f4", "(2, 1)"), bytes_of(floats, true))), values);
}

TEST_F(Npy, ReadsIntegers) {
  const Doubles expected{1, 100};
  EXPECT_EQ(read(npy(dictionary_of("|i1", "(1, 2)"), bytes_of<std::int8_t>({1, 100}))), expected);
  EXPECT_EQ(read(npy(dictionary_of("|u1", "(1, 2)"), bytes_of<std::uint8_t>({1, 100}))), expected);
  EXPECT_EQ(read(npy(dictionary_of("<i2", "(1, 2)"), bytes_of<std::int16_t>({1, 100}))), expected);
  EXPECT_EQ(read(npy(dictionary_of(">u2", "(1, 2)"), bytes_of<std::uint16_t>({1, 100}, true))), expected);
  EXPECT_EQ(read(npy(dictionary_of("<i4", "(1, 2)"), bytes_of<std::int32_t>({1, 100}))), expected);
  EXPECT_EQ(read(npy(dictionary_of("<u4", "(1, 2)"), bytes_of<std::uint32_t>({1, 100}))), expected);
  EXPECT_EQ(read(npy(dictionary_of(">i8", "(1, 2)"), bytes_of<std::int64_t>({1, 100}, true))), expected);
  EXPECT_EQ(read(npy(dictionary_of("<u8", "(1, 2)"), bytes_of<std::uint64_t>({1, 100}))), expected);
  EXPECT_EQ(read(npy(dictionary_of("|b1", "(1, 2)"), std::string{"\x01\x00", 2})), (Doubles{1, 0}));
  EXPECT_EQ(read(npy(dictionary_of("<i8", "(1, 2)"), bytes_of<std::int64_t>({INT64_MIN, -1}))), (Doubles{-0x1p63, -1}));
}

TEST_F(Npy, RefusesIntegersThatAreNotExact) {
  const std::string header = dictionary_of("<i8", "(1, 2)");
  const std::string expected =
      "a.npy: byte " + std::to_string(10 + header.size() + 8) + ": no double holds the integer there exactly";
  EXPECT_EQ(error(npy(header, bytes_of<std::int64_t>({1, (std::int64_t{1} << 53) + 1}))), expected);
  EXPECT_EQ(error(npy(header, bytes_of<std::int64_t>({1, INT64_MAX}))), expected);
  EXPECT_EQ(error(npy(dictionary_of("<u8", "(1, 2)"), bytes_of<std::uint64_t>({1, UINT64_MAX}))), expected);
}

TEST_F(Npy, TakesAVectorForAColumn) {
  const MatrixFile file =
      open_matrix(folder_.file("a.npy", npy(dictionary_of("<f8", "(3,)"), bytes_of(Doubles{1, 2, 3}))));
  EXPECT_EQ(file.rows(), 3);
  EXPECT_EQ(file.columns(), 1);
}

TEST_F(Npy, TakesKeysInAnyOrderAndPythonTwosLongs) {
  EXPECT_EQ(read(npy("{\"shape\": (1L, 1L), 'descr': '<f8', 'fortran_order':False}", bytes_of(Doubles{7}))),
            (Doubles{7}));
}

TEST_F(Npy, ReadsEmptyMatrices) {
  EXPECT_EQ(read(npy(dictionary_of("<f8", "(0, 3)"), "")), Doubles{});
  EXPECT_EQ(read(npy(dictionary_of("<f8", "(3, 0)", true), "")), Doubles{});
}

TEST_F(Npy, CarriesNotANumberAndInfinity) {
  const Doubles values = read(npy(dictionary_of("<f4", "(2, 1)"), bytes_of(std::vector<float>{NAN, -INFINITY})));
  EXPECT_TRUE(std::isnan(values[0]));
  EXPECT_EQ(values[1], -HUGE_VAL);
}

TEST_F(Npy, SaysWhatIsWrongWithTheHeader) {
  const std::string one = bytes_of(Doubles{1});
  EXPECT_EQ(error(npy(dictionary_of("<c16", "(1, 1)"), one)),
            "a.npy: byte 26: expected elements of type <f8, <f4, an integer or bool, found '<c16'");
  EXPECT_EQ(error(npy(dictionary_of("<f2", "(4, 1)"), one)),
            "a.npy: byte 25: expected elements of type <f8, <f4, an integer or bool, found '<f2'");
  EXPECT_EQ(error(npy("{'descr': [('x', '<f8')], 'fortran_order': False, 'shape': (1, 1), }", one)),
            "a.npy: byte 20: the elements are records; numbers are needed");
  EXPECT_NE(error(npy(dictionary_of("<f8", "()"), one)).find("expected 1 or 2 dimensions, found 0"), std::string::npos);
  EXPECT_NE(error(npy(dictionary_of("<f8", "(1, 1, 1)"), one)).find("expected 1 or 2 dimensions, found 3"),
            std::string::npos);
  EXPECT_NE(error(npy(dictionary_of("<f8", "(-1, 1)"), one)).find("expected a size, found '-1, 1)"), std::string::npos);
  EXPECT_EQ(error(npy("{'descr': '<f8', 'shape': (1, 1)}", one)), "a.npy: byte 43: the header has no 'fortran_order'");
  EXPECT_EQ(error(npy("{'descr': '<f8', 'descr': '<f8'}", one)), "a.npy: byte 35: the key 'descr' comes twice");
  EXPECT_EQ(error(npy("[]", one)), "a.npy: byte 10: expected a dictionary, found '[]'");
  EXPECT_NE(
      error(npy(dictionary_of("<f8", "(1, 1)") + "x", one)).find("expected spaces to the end of the header, found 'x'"),
      std::string::npos);
  EXPECT_EQ(error(npy(dictionary_of("<f8", "(9999999999, 9999999999)"), one))
                .find("a.npy: byte 84: a matrix of 9999999999 x 9999999999 has more bytes"),
            0);
  EXPECT_EQ(error("\x93NUMPY\x04" + std::string(10, '\0')),
            "a.npy: byte 6: expected version 1.0, 2.0 or 3.0, found 4.0");
  EXPECT_EQ(error("\x93NUMPZ"), "a.npy: is truncated: it ends after 6 bytes, inside the header");
}

TEST_F(Npy, ComparesTheSizeOfTheFileWithTheHeader) {
  const std::string good = npy(dictionary_of("<f8", "(2, 2)"), bytes_of(Doubles{1, 2, 3, 4}));
  EXPECT_EQ(error(good.substr(0, good.size() - 1)),
            "a.npy: is truncated: 2 x 2 elements of <f8 need 104 bytes with the header, and the file has 103");
  EXPECT_EQ(error(good + "x"),
            "a.npy: is longer than its header says: 2 x 2 elements of <f8 need 104 bytes with the header, and the file "
            "has 105");
}

TEST_F(Npy, ReadsOnlyTheBlockAsked) {
  constexpr std::int64_t rows = 11;
  constexpr std::int64_t columns = 23;
  Doubles values;
  for (int i = 0; i < rows * columns; ++i) values.push_back(i);
  for (const bool fortran : {false, true}) {
    for (const bool compressed : {false, true}) {
      const std::string plain = npy(dictionary_of("<f8", "(11, 23)", fortran), bytes_of(values));
      const MatrixFile file = open_matrix(folder_.file("a.npy", compressed ? gzipped(plain) : plain));
      EXPECT_EQ(file.compressed(), compressed);
      Matrix<double> whole{rows, columns};
      const View block = whole.view().block(2, 3, 5, 17);
      file.read_block({4, 9}, {1, 18}, block);
      for (std::int64_t i = 0; i < block.rows; ++i) {
        for (std::int64_t j = 0; j < block.columns; ++j) {
          const std::int64_t row = i + 4;
          const std::int64_t column = j + 1;
          ASSERT_EQ(block(i, j), static_cast<double>(fortran ? column * rows + row : row * columns + column));
        }
      }
    }
  }
}

TEST_F(Npy, ReadsMatricesLargerThanABuffer) {
  constexpr std::int64_t rows = 3;
  constexpr std::int64_t columns = 1'500'000;
  std::vector<float> values(static_cast<std::size_t>(rows * columns));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  for (const bool fortran : {false, true}) {
    const std::string plain =
        npy(dictionary_of("<f4", fortran ? "(1500000, 3)" : "(3, 1500000)", fortran), bytes_of(values));
    for (const bool compressed : {false, true}) {
      const Matrix<double> matrix = read_matrix(folder_.file("a.npy", compressed ? gzipped(plain) : plain));
      for (std::int64_t line = 0; line < rows; ++line) {
        for (std::int64_t at = 0; at < columns; at += 997) {
          ASSERT_EQ(fortran ? matrix.view()(at, line) : matrix.view()(line, at),
                    static_cast<double>(values[static_cast<std::size_t>(line * columns + at)]));
        }
      }
    }
  }
}

}  // namespace
}  // namespace duet
