/// `duet stream` on files, in every model.

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "drivers/files/matrix_file.hpp"
#include "kernels/pipeline/matrix_stream/codec.hpp"
#include "kernels/pipeline/matrix_stream/npy_bytes.hpp"
#include "tests/drivers/files/scratch_folder.hpp"
#include "tests/drivers/real_inputs/program.hpp"

namespace duet {
namespace {

constexpr std::int64_t inner = 9;
constexpr std::int64_t across = 4;

/// Small whole numbers, whose products are exact in any order.
double whole_number(std::int64_t i, std::int64_t j, std::int64_t factor) {
  return static_cast<double>((i * 7 + j * 13 + i * j) * factor % 11 - 5);
}

std::string npy_of(std::int64_t rows, std::int64_t columns, std::int64_t factor) {
  Bytes file;
  const View to = make_matrix_in(file, rows, columns);
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) to(i, j) = whole_number(i, j, factor);
  }
  return std::string{file.text()};
}

std::string packed_by(Codec codec, const std::string& text) {
  Bytes file;
  compress(codec, text, file);
  return std::string{file.text()};
}

void expect_streamed(const std::string& path, std::int64_t rows, std::int64_t factor) {
  const Matrix<double> c = read_matrix(path);
  ASSERT_EQ(c.rows(), rows) << path;
  ASSERT_EQ(c.columns(), across) << path;
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < across; ++j) {
      double sum = 0;
      for (std::int64_t k = 0; k < inner; ++k) sum += whole_number(i, k, factor) * whole_number(k, j, 3);
      ASSERT_EQ(c.view()(i, j), sum) << path << " " << i << " " << j;
    }
  }
}

class StreamOfFiles : public testing::Test {
 protected:
  StreamOfFiles() {
    folder_.file("b.npy", npy_of(inner, across, 3));
    std::filesystem::create_directory(folder_.path("in"));
    for (std::int64_t k = 0; k < 7; ++k) {
      const Codec codec = codecs.at(static_cast<std::size_t>(k) % codecs.size());
      folder_.file("in/m" + std::to_string(k) + ".npy" + std::string{suffix_of(codec)},
                   packed_by(codec, npy_of(k, inner, k + 1)));
    }
  }

  [[nodiscard]] Ended stream(const std::string& arguments, const Start& start = {"openmp", "", ""}) const {
    return run_in(folder_.path(""), start.prefix + "$duet stream " + arguments + " " + start.options);
  }
  void expect_all_streamed(const std::string& folder) const {
    for (std::int64_t k = 0; k < 7; ++k) {
      expect_streamed(folder_.path(folder + "/m" + std::to_string(k) + ".npy"), k, k + 1);
    }
  }
  [[nodiscard]] std::size_t results(const std::string& folder) const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator{folder_.path(folder)}, {}));
  }

  ScratchFolder folder_;
};

class StreamInModel : public StreamOfFiles, public testing::WithParamInterface<Start> {};

TEST_P(StreamInModel, MultipliesAFolderOfAllFormats) {
  folder_.file("in/market.mtx.gz",
               gzipped("%%MatrixMarket matrix array real general\n1 9\n1\n1\n1\n1\n1\n1\n1\n1\n1\n"));
  const Ended ended = stream("--by b.npy -o out in", GetParam());
  ASSERT_EQ(ended.status, 0) << ended.error;
  EXPECT_EQ(ended.error, "");
  EXPECT_TRUE(ended.output.starts_with("8 files written and verified")) << ended.output;
  EXPECT_NE(ended.output.find("bound by"), std::string::npos) << ended.output;
  expect_all_streamed("out");
  EXPECT_EQ(results("out"), 8U);
}

TEST_P(StreamInModel, NamesTheFilesThatAreDamagedAndMultipliesTheOthers) {
  const std::string whole = packed_by(Codec::bzip2, npy_of(5, inner, 1));
  folder_.file("in/cut.npy.bz2", whole.substr(0, whole.size() / 2));
  folder_.file("in/wide.npy", npy_of(2, inner + 1, 1));
  folder_.file("in/wrong.mtx", "%%MatrixMarket matrix coordinate real general\n2 9 1\n1 10 1\n");
  const Ended ended = stream("--by b.npy -o out in", GetParam());
  EXPECT_EQ(ended.status, 1);
  EXPECT_NE(
      ended.error.find("duet: in/cut.npy.bz2: byte " + std::to_string(whole.size() / 2) + ": bzip2 ends too early\n"),
      std::string::npos)
      << ended.error;
  EXPECT_NE(ended.error.find("duet: in/wide.npy: is 2 x 10, and 9 columns were expected\n"), std::string::npos)
      << ended.error;
  EXPECT_NE(ended.error.find("duet: in/wrong.mtx: line 3: column 10 is not in 1 to 9\n"), std::string::npos)
      << ended.error;
  EXPECT_TRUE(ended.output.starts_with("7 files written and verified, 3 with an error")) << ended.output;
  expect_all_streamed("out");
  EXPECT_EQ(results("out"), 7U);
}

INSTANTIATE_TEST_SUITE_P(Each, StreamInModel, testing::ValuesIn(starts), [](const auto& of) { return of.param.name; });

TEST_F(StreamOfFiles, GoesOnWithWhatIsMissing) {
  ASSERT_EQ(stream("--by b.npy -o out in").status, 0);
  std::filesystem::remove(folder_.path("out/m3.npy"));
  folder_.file("out/m4.npy", "what is there stays");
  const Ended ended = stream("--by b.npy -o out in");
  EXPECT_EQ(ended.status, 0);
  EXPECT_TRUE(ended.output.starts_with("1 file written and verified, 6 there already")) << ended.output;
  expect_streamed(folder_.path("out/m3.npy"), 3, 4);
  EXPECT_EQ(content_of(folder_.path("out/m4.npy")), "what is there stays");
  EXPECT_EQ(stream("--by b.npy -o out in --again").status, 0);
  expect_all_streamed("out");
}

TEST_F(StreamOfFiles, CompressesItsResults) {
  for (const char* codec : {"gzip", "bzip2", "zstd"}) {
    const Ended ended = stream(std::string{"--by b.npy -o "} + codec + " in/m5.npy.gz --codec " + codec);
    ASSERT_EQ(ended.status, 0) << ended.error;
    Bytes text;
    decompress(content_of(folder_.path(std::string{codec} + "/m5.npy" + std::string{suffix_of(codec_called(codec))})),
               text);
    folder_.file("plain.npy", text.text());
    expect_streamed(folder_.path("plain.npy"), 5, 6);
  }
}

TEST_F(StreamOfFiles, RefusesWhatCannotBeBeforeAnythingIsWritten) {
  EXPECT_EQ(stream("--by b.npy -o out in/m0.npy in/m0.npy").error,
            "duet: in/m0.npy and in/m0.npy would both become out/m0.npy\n");
  EXPECT_EQ(stream("--by none.npy -o out in").error, "duet: none.npy: cannot open: No such file or directory\n");
  EXPECT_EQ(stream("--by b.npy -o out in --codec xz").error,
            "duet: codec 'xz': none, gzip, bzip2 or zstd was expected\n");
  std::filesystem::create_directory(folder_.path("empty"));
  EXPECT_EQ(stream("--by b.npy -o out empty").error, "duet: empty: holds no .npy or .mtx, compressed or not\n");
  EXPECT_EQ(stream("--by b.npy -o out in --set tokens=-1").status, 2);
  EXPECT_EQ(stream("--by b.npy -o b.npy in").status, 2);
}

TEST_F(StreamOfFiles, EndsWhereTheDiskIsFullAndLeavesNoHalfFile) {
#if !defined(__SANITIZE_THREAD__)
  folder_.file("in/large.npy", npy_of(4000, inner, 1));
  for (const std::string model : {"--model serial", "--model openmp --threads 2 --oversubscribe"}) {
    const Ended full = run_in(folder_.path(""), "ulimit -f 20; $duet stream --by b.npy -o out in " + model);
    EXPECT_EQ(full.status, 1);
    EXPECT_TRUE(full.error.starts_with("duet: out/large.npy: cannot write")) << full.error;
    EXPECT_NE(full.error.find("the same command goes on with the others\n"), std::string::npos) << full.error;
    EXPECT_FALSE(std::filesystem::exists(folder_.path("out/large.npy")));
    for (const auto& entry : std::filesystem::directory_iterator{folder_.path("out")}) {
      EXPECT_TRUE(entry.path().filename().string().starts_with("m")) << entry.path();
    }
  }
  ASSERT_EQ(stream("--by b.npy -o out in").status, 0);
  expect_all_streamed("out");
#endif
}

TEST_F(StreamOfFiles, LeavesWholeFilesOnlyWhenInterrupted) {
  // So many that there is time to interrupt it once it has written results.
  const std::string matrix = npy_of(200, inner, 1);
  for (int k = 0; k < 3000; ++k) folder_.file("in/n" + std::to_string(k) + ".npy", matrix);
  const Ended ended =
      run_in(folder_.path(""),
             "env --default-signal=INT $duet stream --by b.npy -o out in --model serial & p=$!\n"
             "while kill -0 $p && ! ls out | grep -q '^n[0-9]*[.]npy$'; do sleep 0.01; done 2> messages\n"
             "kill -INT $p; wait $p; echo $?; ls -A out | grep -v '^[mn][0-9]*[.]npy$'; true");
  EXPECT_EQ(ended.output, "130\n") << "and nothing beside results";
  const Ended rest = stream("--by b.npy -o out in");
  EXPECT_EQ(rest.status, 0) << rest.error;
  expect_all_streamed("out");
  EXPECT_EQ(results("out"), 3007U);
}

}  // namespace
}  // namespace duet
