#include "drivers/checkpoint.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "drivers/files/file_error.hpp"
#include "drivers/files/temporary_folder.hpp"
#include "kernels/core/mpi.hpp"
#include "tests/all_ranks.hpp"

namespace duet {
namespace {

constexpr FibNumber asked{.n = 2'000'003, .decimal = true};

/// One folder for all ranks.
class SharedFolder {
 public:
  SharedFolder() {
    if (rank() == 0) folder_.emplace();
    std::string name = folder_ ? folder_->path().string() : "";
    std::int64_t length = std::ssize(name);
    check(MPI_Bcast(&length, 1, MPI_INT64_T, 0, MPI_COMM_WORLD));
    name.resize(static_cast<std::size_t>(length));
    check(MPI_Bcast(name.data(), mpi_count(length), MPI_CHAR, 0, MPI_COMM_WORLD));
    path_ = name;
  }
  ~SharedFolder() { MPI_Barrier(MPI_COMM_WORLD); }
  SharedFolder(const SharedFolder&) = delete;
  SharedFolder& operator=(const SharedFolder&) = delete;

  [[nodiscard]] static int rank() { return rank_in(MPI_COMM_WORLD); }
  [[nodiscard]] std::string path(const std::string& name) const { return (path_ / name).string(); }
  [[nodiscard]] std::int64_t entries() const {
    MPI_Barrier(MPI_COMM_WORLD);
    return std::distance(std::filesystem::directory_iterator{path_}, std::filesystem::directory_iterator{});
  }

 private:
  std::optional<TemporaryFolder> folder_;  // of the first rank
  std::filesystem::path path_;
};

class CheckpointOfRanks : public testing::Test {
 protected:
  /// Keeps the steps of at least so many digits, and stops after the last of them.
  void leave_behind(const std::string& path) {
    Checkpoint checkpoint{path, asked, MPI_COMM_WORLD};
    DoublingRecord record{.least_digits = 10'000};
    record.reached = [&](const DoublingStep& step) { checkpoint.keep(step); };
    FibNumber watched = asked;
    watched.record = &record;
    static_cast<void>(fib_number(watched, Model::mpi, {.communicator = MPI_COMM_WORLD}));
  }

  /// What opening the file, or reading it, says is wrong; empty where nothing is.
  static std::string error_of(const std::string& path, const FibNumber& wanted = asked) {
    try {
      const Checkpoint checkpoint{path, wanted, MPI_COMM_WORLD};
      DoublingRecord record{.start = checkpoint.start()};
      FibNumber watched = wanted;
      watched.record = &record;
      const SlicedNumber number = fib_number(watched, Model::mpi, {.communicator = MPI_COMM_WORLD});
      EXPECT_TRUE(judge_fib_number(wanted, number, 1, MPI_COMM_WORLD).right);
      return "";
    } catch (const FileError& error) {
      return error.what();
    }
  }

  /// On rank 0, while the others wait.
  template <class Act>
  static void once(const Act& act) {
    if (SharedFolder::rank() == 0) act();
    MPI_Barrier(MPI_COMM_WORLD);
  }

  void change_byte(std::int64_t at) {
    once([&] {
      std::fstream file{folder_.path("c"), std::ios::in | std::ios::out | std::ios::binary};
      file.seekg(at);
      const auto byte = static_cast<char>(file.get() ^ 16);
      file.seekp(at);
      file.put(byte);
    });
  }

  SharedFolder folder_;
};

TEST_F(CheckpointOfRanks, IsGoneOnFromInAnyModel) {
  leave_behind(folder_.path("c"));
  EXPECT_EQ(folder_.entries(), 1);
  // By ranks, and by one process alone.
  EXPECT_EQ(error_of(folder_.path("c")), "");
  const Checkpoint alone{folder_.path("c"), asked, MPI_COMM_SELF};
  ASSERT_TRUE(on_every_rank(alone.start().has_value()));
  EXPECT_EQ(alone.start()->left, 1U);
  const DoublingRecord record{.start = alone.start()};
  FibNumber watched = asked;
  watched.record = &record;
  const SlicedNumber number = fib_number(watched, Model::serial, {});
  EXPECT_TRUE(on_every_rank(judge_fib_number(asked, number, 1, MPI_COMM_NULL).right));
}

TEST_F(CheckpointOfRanks, BeginsAnewWhereThereIsNone) {
  Checkpoint checkpoint{folder_.path("c"), asked, MPI_COMM_WORLD};
  EXPECT_FALSE(checkpoint.start());
  EXPECT_EQ(folder_.entries(), 0);
  checkpoint.remove();
}

TEST_F(CheckpointOfRanks, IsRemovedAtTheEnd) {
  leave_behind(folder_.path("c"));
  Checkpoint{folder_.path("c"), asked, MPI_COMM_WORLD}.remove();
  EXPECT_EQ(folder_.entries(), 0);
}

TEST_F(CheckpointOfRanks, RefusesWhatIsNotItsOwn) {
  leave_behind(folder_.path("c"));
  FibNumber other = asked;
  other.n += 2;
  EXPECT_EQ(error_of(folder_.path("c"), other), folder_.path("c") +
                                                    ": is a checkpoint of F(2000003) in base 10^18, and not "
                                                    "of F(2000005) in base 10^18");
  once([&] { std::ofstream{folder_.path("text")} << std::string(5000, 'x'); });
  EXPECT_EQ(error_of(folder_.path("text")), folder_.path("text") + ": is no checkpoint of duet");
  once([&] { std::ofstream{folder_.path("short")} << "{}"; });
  EXPECT_EQ(error_of(folder_.path("short")), folder_.path("short") + ": is no checkpoint of duet");
  EXPECT_TRUE(error_of(folder_.path("")).ends_with("is a folder, where a file is to be written"));
  EXPECT_TRUE(error_of(folder_.path("none/c")).ends_with("No such file or directory"));
  EXPECT_EQ(error_of("/dev/null"), "/dev/null: cannot be a checkpoint: it is no file");
}

TEST_F(CheckpointOfRanks, NoticesAChangedByteAnywhere) {
  leave_behind(folder_.path("c"));
  const auto size = static_cast<std::int64_t>(std::filesystem::file_size(folder_.path("c")));
  MPI_Barrier(MPI_COMM_WORLD);
  const std::int64_t of_each = (size - 512) / 2;
  for (const std::int64_t at : {std::int64_t{512}, 512 + of_each / 3, 512 + of_each, 512 + of_each + 4321}) {
    change_byte(at);
    EXPECT_NE(error_of(folder_.path("c")).find("is damaged: its digits have the digest"), std::string::npos) << at;
    change_byte(at);
  }
  EXPECT_EQ(error_of(folder_.path("c")), "");
  once([&] { std::filesystem::resize_file(folder_.path("c"), static_cast<std::uintmax_t>(size - 8)); });
  EXPECT_NE(error_of(folder_.path("c")).find("remove it to begin anew"), std::string::npos);
}

}  // namespace
}  // namespace duet
