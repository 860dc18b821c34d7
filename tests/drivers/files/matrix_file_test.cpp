#include "drivers/files/matrix_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <random>
#include <string>

#include "drivers/files/write_matrix.hpp"
#include "kernels/pipeline/matrix_stream/npy_bytes.hpp"
#include "tests/drivers/files/scratch_folder.hpp"

namespace duet {
namespace {

constexpr std::string_view small_market = "%%MatrixMarket matrix coordinate real general\n2 2 2\n1 1 1.5\n2 2 -2\n";

std::string read_error(const std::string& path) {
  return error_of([&] { static_cast<void>(read_matrix(path)); });
}

TEST(MatrixFile, TellsFormatsApartByContent) {
  const ScratchFolder folder;
  EXPECT_EQ(open_matrix(folder.file("a.npy", small_market)).description(), "Matrix Market, coordinate real general");
  EXPECT_EQ(open_matrix(folder.file("a", gzipped(small_market))).description(),
            "Matrix Market, coordinate real general, gzip");
  const std::string npy = npy_header_text(1, 1) + std::string(8, '\0');
  EXPECT_EQ(open_matrix(folder.file("a.mtx", npy)).description(), ".npy, <f8 in C order");
  EXPECT_EQ(open_matrix(folder.file("b.mtx", gzipped(npy))).description(), ".npy, <f8 in C order, gzip");
  const std::string other = folder.file("a.png", "\x89PNG");
  EXPECT_EQ(read_error(other), other + ": is neither Matrix Market nor .npy, compressed or not: it begins with '\x89'");
}

TEST(MatrixFile, SaysWhyItCannotBeOpened) {
  const ScratchFolder folder;
  EXPECT_EQ(read_error(folder.path("none.mtx")), folder.path("none.mtx") + ": cannot open: No such file or directory");
  EXPECT_EQ(read_error(folder.path("")), folder.path("") + ": is a folder, where a file is expected");
  ASSERT_EQ(::mkfifo(folder.path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(read_error(folder.path("pipe")),
            folder.path("pipe") + ": is no regular file (a pipe or a device?); save it to a file first");
  if (::geteuid() != 0) {
    const std::string locked = folder.file("locked.mtx", small_market);
    ASSERT_EQ(::chmod(locked.c_str(), 0), 0);
    EXPECT_EQ(read_error(locked), locked + ": cannot open: Permission denied");
  }
}

TEST(MatrixFile, ReadsGzipInSeveralMembersAndPadding) {
  const ScratchFolder folder;
  const std::string members = gzipped(small_market.substr(0, 50)) + gzipped(small_market.substr(50));
  EXPECT_EQ(read_matrix(folder.file("a.mtx.gz", members)).view()(1, 1), -2);
  EXPECT_EQ(read_matrix(folder.file("a.mtx.gz", members + std::string(512, '\0'))).view()(1, 1), -2);
}

TEST(MatrixFile, SaysWhatIsWrongWithGzip) {
  const ScratchFolder folder;
  const std::string good = gzipped(small_market);
  const std::string truncated = folder.file("a.gz", good.substr(0, good.size() - 3));
  EXPECT_EQ(read_error(truncated), truncated + ": the gzip data are truncated: they break off after " +
                                       std::to_string(good.size() - 3) + " bytes, inside a member");
  const std::string followed = folder.file("b.gz", good + "junk");
  EXPECT_EQ(read_error(followed),
            followed + ": byte " + std::to_string(good.size()) + ": something that is not gzip follows the gzip data");
  std::string damaged = good;
  damaged[damaged.size() - 6] = static_cast<char>(damaged[damaged.size() - 6] ^ 1);
  const std::string text = read_error(folder.file("c.gz", damaged));
  EXPECT_NE(text.find("the gzip data are damaged (incorrect data check)"), std::string::npos) << text;
}

TEST(MatrixFile, NoticesThatCompressedNpyIsTooShortOrTooLong) {
  const ScratchFolder folder;
  const std::string good = npy_header_text(2, 1) + std::string(16, '\0');
  EXPECT_NE(
      read_error(folder.file("a", gzipped(good.substr(0, good.size() - 1)))).find("is truncated: it ends after 143"),
      std::string::npos);
  EXPECT_NE(read_error(folder.file("b", gzipped(good + "x"))).find("byte 144: more follows than the header announces"),
            std::string::npos);
}

/// Damaged files of each format give FileError or a matrix; under the sanitizers nothing else goes unnoticed.
class DamagedFile : public testing::TestWithParam<std::string> {};

TEST_P(DamagedFile, GivesAnErrorOrAMatrix) {
  const ScratchFolder folder;
  const std::string name = "a" + GetParam();
  {
    Matrix<double> matrix{3, 2};
    for (int i = 0; i < 6; ++i) matrix.data()[i] = 1.25 * i - 2;
    OutputFile out{folder.path(name)};
    write_matrix(out, format_of(name), {3, 2, {0, 3}, {0, 2}, matrix.view()});
    out.commit();
  }
  std::string good = content_of(folder.path(name));
  if (GetParam() == ".mtx") good.replace(0, good.find('\n'), "%%MatrixMarket matrix array real general\n% c\r");
  const auto read = [&](const std::string& content) {
    const std::string path = folder.file("damaged", content);
    try {
      // A header of damaged sizes may announce what the machine holds, and no test should allocate.
      const MatrixFile file = open_matrix(path);
      if (file.rows() < 10'000 && file.columns() < 10'000) static_cast<void>(read_matrix(path));
    } catch (const FileError& error) {
      EXPECT_TRUE(std::string_view{error.what()}.starts_with(path)) << error.what();
      EXPECT_EQ(std::string_view{error.what()}.find('\n'), std::string_view::npos) << error.what();
    }
  };
  for (std::size_t length = 0; length < good.size(); ++length) read(good.substr(0, length));
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const int flip : {0x01, 0x10, 0x80, 0xff}) {
      std::string damaged = good;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      read(damaged);
    }
  }
  std::mt19937 random{7};
  for (int trial = 0; trial < 500; ++trial) {
    std::string damaged = good;
    for (int change = 0; change < 3; ++change) damaged[random() % damaged.size()] = static_cast<char>(random());
    if (trial % 2 == 0) damaged.insert(random() % damaged.size(), 1 + random() % 20, static_cast<char>(random()));
    read(damaged);
  }
}

INSTANTIATE_TEST_SUITE_P(EachFormat, DamagedFile, testing::Values(".mtx", ".npy", ".mtx.gz", ".npy.gz"),
                         [](const auto& of) {
                           std::string name = of.param.substr(1);
                           std::ranges::replace(name, '.', '_');
                           return name;
                         });

TEST(DamagedFile, GivesAnErrorOrAMatrixForCoordinates) {
  const ScratchFolder folder;
  for (const std::string_view head :
       {"%%MatrixMarket matrix coordinate real symmetric\n%c\n\n3 3 3\n1 1 1.5\n2 1 -2\r\n3 3 4",
        "%%MatrixMarket matrix coordinate integer skew-symmetric\n3 3 1\n3 1 15\n",
        "%%MatrixMarket matrix coordinate pattern general\n3 3 1\n3 1\n"}) {
    const std::string good{head};
    for (std::size_t at = 0; at < good.size(); ++at) {
      for (const char put : {'\0', '\n', ' ', '0', '9', '-', '%', 'e', '\xff'}) {
        std::string damaged = good;
        damaged[at] = put;
        const std::string path = folder.file("damaged", damaged);
        try {
          const MatrixFile file = open_matrix(path);
          if (file.rows() < 10'000 && file.columns() < 10'000) static_cast<void>(read_matrix(path));
        } catch (const FileError& error) {
          EXPECT_TRUE(std::string_view{error.what()}.starts_with(path)) << error.what();
        }
      }
    }
  }
}

}  // namespace
}  // namespace duet
