#include <gtest/gtest.h>

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

}  // namespace
}  // namespace duet
