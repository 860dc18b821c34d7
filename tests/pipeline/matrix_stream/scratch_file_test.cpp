#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "kernels/pipeline/matrix_stream/scratch_file.hpp"
#include "kernels/pipeline/matrix_stream/stream_files.hpp"
#include "tests/environment_variable.hpp"

namespace duet {
namespace {

/// Temporary files lie in `folder` meanwhile.
struct TemporaryFilesIn : EnvironmentVariable {
  explicit TemporaryFilesIn(const std::string& folder) : EnvironmentVariable{"TMPDIR", folder.c_str()} {}
};

TEST(ScratchFile, GivesBackWhatLeftMemory) {
  const TemporaryFilesIn here{std::filesystem::current_path().string()};
  const ScratchFile file;
  const std::string text(300'000, 'x');
  file.write(5000, text);
  file.sync(5000, static_cast<std::int64_t>(text.size()));
  file.leave_memory();
  Bytes back;
  file.read(5000, static_cast<std::int64_t>(text.size()), back);
  EXPECT_EQ(back.text(), text);
}

TEST(ScratchFile, GivesTheSamePastTheCache) {
  const TemporaryFilesIn here{std::filesystem::current_path().string()};
  ScratchFile file;
  std::string text(3'000'000, 0);
  for (std::size_t place = 0; place < text.size(); ++place) text[place] = static_cast<char>(place * place / 4096);
  file.write(0, text);
  file.leave_memory();
  if (!file.read_past_cache()) GTEST_SKIP() << "this system only reads through its cache";
  EXPECT_TRUE(file.reads_past_cache());
  const auto all = static_cast<std::int64_t>(text.size());
  Bytes back;
  for (const std::int64_t offset : {0L, 4096L, 5000L, 12'288L, all - all % 4096, all - 1}) {
    for (const std::int64_t bytes : {0L, 1L, 4095L, 4096L, 4097L, 2'097'152L, 2'097'280L, all}) {
      const std::int64_t within = std::min(bytes, all - offset);
      file.read(offset, within, back);
      ASSERT_EQ(back.text(), text.substr(static_cast<std::size_t>(offset), static_cast<std::size_t>(within)))
          << within << " bytes from " << offset;
    }
  }
  EXPECT_THROW(file.read(0, all + 1, back), std::runtime_error);
}

TEST(ScratchFile, ThatIsEmptyLeavesMemory) {
  const TemporaryFilesIn here{std::filesystem::current_path().string()};
  EXPECT_NO_THROW(ScratchFile{}.leave_memory());
}

TEST(ScratchFile, SaysWhereFilesStayInMemory) {
  const TemporaryFilesIn in_memory{"/dev/shm"};
  const ScratchFile file;
  file.write(0, "text");
  try {
    file.leave_memory();
    FAIL() << "and /dev/shm is no disk";
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(std::string{error.what()}.rfind("/dev/shm: ", 0), 0U) << error.what();
  }
}

TEST(StreamFiles, OnADiskAreThoseInMemory) {
  const TemporaryFilesIn here{std::filesystem::current_path().string()};
  std::string digest;
  for (const bool on_disk : {false, true}) {
    StreamFiles files{{.files = 9, .order = 40, .codec = Codec::gzip, .on_disk = on_disk}, 2};
    files.clear();
    const StreamFigures figures = matrix_stream(files.stream(), Model::openmp, {.threads = 2});
    EXPECT_TRUE(files.judge(3, MPI_COMM_NULL).right);
    EXPECT_EQ(figures.front().items, 9);
    if (on_disk) {
      EXPECT_EQ(files.digest(MPI_COMM_NULL), digest);
    } else {
      digest = files.digest(MPI_COMM_NULL);
    }
  }
}

TEST(StreamFiles, ReadLongFilesPastTheCacheAndShortOnesThroughIt) {
  const TemporaryFilesIn here{std::filesystem::current_path().string()};
  ScratchFile any;
  any.write(0, "text");
  if (!any.read_past_cache()) GTEST_SKIP() << "this system only reads through its cache";
  const StreamFiles in_memory{{.files = 2, .order = 512}, 1};
  EXPECT_FALSE(in_memory.read_past_cache());
  StreamFiles short_ones{{.files = 2, .order = 64, .on_disk = true}, 1};
  EXPECT_FALSE(short_ones.read_past_cache());
  EXPECT_TRUE(short_ones.stream().expect);
  StreamFiles long_ones{{.files = 7, .order = 512, .multiplies = false, .on_disk = true}, 2};
  EXPECT_TRUE(long_ones.read_past_cache());
  for (const int readers : {0, 1, 3}) {
    long_ones.clear();
    const Settings tunables{
        "matrix_stream", matrix_stream_tunables(Model::openmp), {{"readers", std::to_string(readers)}}};
    static_cast<void>(matrix_stream(long_ones.stream(), Model::openmp, {.threads = 2, .tunables = tunables}));
    EXPECT_TRUE(long_ones.judge(3, MPI_COMM_NULL).right) << readers << " readers";
  }
}

}  // namespace
}  // namespace duet
