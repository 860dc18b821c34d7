/// The ranks of a job read and write parts of one file.

#include <gtest/gtest.h>
#include <mpi.h>
#include <sys/stat.h>

#include <bit>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "drivers/files/file_error.hpp"
#include "drivers/files/matrix_file.hpp"
#include "drivers/files/write_matrix.hpp"
#include "kernels/core/mpi.hpp"
#include "kernels/core/random.hpp"
#include "kernels/pipeline/matrix_stream/npy_bytes.hpp"
#include "tests/drivers/files/scratch_folder.hpp"

namespace duet {
namespace {

class MessageFiles : public testing::Test {
 protected:
  MessageFiles() : ranks_{Communicator::duplicate(MPI_COMM_WORLD)} {
    if (root()) folder_ = std::make_unique<ScratchFolder>();
    std::string path = root() ? folder_->path("") : "";
    int length = static_cast<int>(path.size());
    check(MPI_Bcast(&length, 1, MPI_INT, 0, all()));
    path.resize(static_cast<std::size_t>(length));
    check(MPI_Bcast(path.data(), length, MPI_CHAR, 0, all()));
    path_ = path;
  }
  ~MessageFiles() override { MPI_Barrier(all()); }

  [[nodiscard]] MPI_Comm all() const { return ranks_.get(); }
  [[nodiscard]] bool root() const { return rank_in(all()) == 0; }
  /// The same path on every rank, in a folder of this test.
  [[nodiscard]] std::string path(const std::string& name) const { return path_ + name; }
  /// Collective: rank 0 writes it.
  std::string file(const std::string& name, std::string_view content) {
    if (root()) folder_->file(name, content);
    check(MPI_Barrier(all()));
    return path(name);
  }
  /// True where `mine` is true on all ranks.
  bool everywhere(bool mine) {
    int value = mine ? 1 : 0;
    check(MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_INT, MPI_MIN, all()));
    return value == 1;
  }

  /// This rank's block of a rows x columns matrix on the grid of ranks.
  struct Mine {
    Range rows;
    Range columns;
    Matrix<double> block;
  };
  Mine mine_of(std::int64_t rows, std::int64_t columns) {
    const Grid grid = grid_for(rows, columns, size_of(all()));
    const Range row_range = share_of(rows, grid.rows, grid.row_of(rank_in(all())));
    const Range column_range = share_of(columns, grid.columns, grid.column_of(rank_in(all())));
    Mine mine{row_range, column_range, Matrix<double>{row_range.size(), column_range.size()}};
    fill_random(mine.block.view(), 5, 1, row_range.begin, column_range.begin);
    return mine;
  }

 private:
  Communicator ranks_;
  std::unique_ptr<ScratchFolder> folder_;
  std::string path_;
};

TEST_F(MessageFiles, WriteAndReadBackWhatEachOwns) {
  for (const std::string name : {"c.npy", "c.npy.gz", "c.mtx", "c.mtx.gz"}) {
    for (const auto& [rows, columns] : {std::pair{0, 3}, {1, 1}, {2, 5}, {97, 64}, {1, 1'200'000}, {300'000, 4}}) {
      const Mine mine = mine_of(rows, columns);
      OutputFile out{path(name), all()};
      write_matrix(out, format_of(name), {rows, columns, mine.rows, mine.columns, mine.block.view()},
                   RunTeam{Model::hybrid, Execution{.threads = rows * columns < 10'000 ? 2 : 1}});
      out.commit();

      const MatrixFile in = open_matrix(path(name), all());
      ASSERT_TRUE(everywhere(in.rows() == rows && in.columns() == columns));
      Matrix<double> back{mine.rows.size(), mine.columns.size()};
      in.read_block(mine.rows, mine.columns, back.view(), all());
      bool equal = true;
      for (std::int64_t i = 0; i < mine.rows.size() * mine.columns.size(); ++i) {
        equal =
            equal && std::bit_cast<std::uint64_t>(back.data()[i]) == std::bit_cast<std::uint64_t>(mine.block.data()[i]);
      }
      ASSERT_TRUE(everywhere(equal)) << name << " " << rows << " x " << columns;
      if (root() && rows * columns < 10'000) {
        // What one process reads alone is the same.
        const Matrix<double> whole = read_matrix(path(name));
        for (std::int64_t i = 0; i < rows; ++i) {
          for (std::int64_t j = 0; j < columns; ++j) ASSERT_EQ(whole.view()(i, j), random_entry(5, 1, i, j));
        }
      }
    }
  }
}

TEST_F(MessageFiles, ReadColumnsOfFortranOrder) {
  constexpr std::int64_t rows = 53;
  constexpr std::int64_t columns = 29;
  std::string content = npy_header_text(rows, columns);
  content.replace(content.find("False"), 5, "True ");
  for (std::int64_t j = 0; j < columns; ++j) {
    for (std::int64_t i = 0; i < rows; ++i) {
      const double value = random_entry(5, 1, i, j);
      content.append(reinterpret_cast<const char*>(&value), sizeof(value));
    }
  }
  const MatrixFile in = open_matrix(file("a.npy", content), all());
  const Mine mine = mine_of(rows, columns);
  Matrix<double> back{mine.rows.size(), mine.columns.size()};
  in.read_block(mine.rows, mine.columns, back.view(), all());
  bool equal = true;
  for (std::int64_t i = 0; i < mine.rows.size() * mine.columns.size(); ++i) {
    equal = equal && back.data()[i] == mine.block.data()[i];
  }
  EXPECT_TRUE(everywhere(equal));
}

TEST_F(MessageFiles, TellEveryRankTheSameError) {
  const std::string text = "%%MatrixMarket matrix coordinate real general\n4 4 1\n3 9 1\n";
  const std::string wrong = file("wrong.mtx", text);
  const Mine mine = mine_of(4, 4);
  Matrix<double> block{mine.rows.size(), mine.columns.size()};
  const std::string error = error_of([&] {
    const MatrixFile in = open_matrix(wrong, all());
    in.read_block(mine.rows, mine.columns, block.view(), all());
  });
  EXPECT_TRUE(everywhere(error == wrong + ": line 3: column 9 is not in 1 to 4")) << error;
  const std::string missing = path("missing.npy");
  EXPECT_TRUE(everywhere(error_of([&] { static_cast<void>(open_matrix(missing, all())); }) ==
                         missing + ": cannot open: No such file or directory"));
}

TEST_F(MessageFiles, TellEveryRankOfAnErrorThatOneRankMeets) {
  // Only the last rank's block holds the integer that is not exact.
  const std::int64_t rows = 2 * size_of(all());
  std::string content = npy_header_text(rows, 1);
  content.replace(content.find("<f8"), 3, "<i8");
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::int64_t value = i + 1 == rows ? (std::int64_t{1} << 60) + 1 : i;
    content.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  const std::string wrong = file("wrong.npy", content);
  const Range share = share_of(rows, size_of(all()), rank_in(all()));
  Matrix<double> block{share.size(), 1};
  const std::string error = error_of([&] { open_matrix(wrong, all()).read_block(share, {0, 1}, block.view(), all()); });
  EXPECT_TRUE(everywhere(error == wrong + ": byte " + std::to_string(128 + 8 * (rows - 1)) +
                                      ": no double holds the integer there exactly"))
      << error;
}

TEST_F(MessageFiles, NoticeThatTheyReadDifferentFiles) {
  const std::string name =
      file(std::string{"a"} + std::to_string(0), "%%MatrixMarket matrix array real general\n0 3\n");
  static_cast<void>(file("b", "%%MatrixMarket matrix array real general\n0 4\n"));
  if (size_of(all()) == 1) return;
  const std::string mine = root() ? path("b") : name;
  EXPECT_TRUE(everywhere(error_of([&] { static_cast<void>(open_matrix(mine, all())); }).find("same file") !=
                         std::string::npos));
}

TEST_F(MessageFiles, AppendInTheOrderOfRanks) {
  for (const std::string name : {"c.txt", "/dev/null"}) {
    const std::string target = name == "c.txt" ? path(name) : name;
    OutputFile out{target, all()};
    std::string expected;
    for (int window = 0; window < 3; ++window) {
      for (int rank = 0; rank < size_of(all()); ++rank) {
        const std::string piece =
            std::string(static_cast<std::size_t>((rank + window) % 3), 'x') + std::to_string(rank);
        expected += piece;
        if (rank == rank_in(all())) out.append(piece);
      }
    }
    out.commit();
    if (name == "c.txt") {
      EXPECT_TRUE(everywhere(content_of(target) == expected));
    }
  }
}

TEST_F(MessageFiles, AppendPiecesThatLieBetweenThoseOfOthers) {
  // Pieces of very different lengths, dealt to the ranks; the last one is longer than a message.
  const int ranks = size_of(all());
  const auto text_of = [](int item) {
    return std::string(item == 99 ? 9'000'000U : static_cast<std::size_t>(item * item % 37),
                       static_cast<char>('a' + item % 26));
  };
  for (const bool stream : {false, true}) {
    const std::string target = path(stream ? "pipe" : "c.txt");
    std::string received;
    std::thread reader;
    if (stream && root()) {
      ASSERT_EQ(::mkfifo(target.c_str(), 0600), 0);
      reader = std::thread{[&] { received = content_of(target); }};
    }
    std::string expected;
    {
      OutputFile out{target, all()};
      EXPECT_EQ(out.is_stream(), stream);
      for (int window = 0; window < 2; ++window) {
        std::vector<Piece> pieces;
        std::string mine;
        std::int64_t offset = 0;
        for (int item = 0; item < 100; ++item) {
          const std::string text = text_of(item);
          const auto bytes = static_cast<std::int64_t>(text.size());
          if ((item * 7 + item / 9) % ranks == rank_in(all())) {
            pieces.push_back({offset, bytes});
            mine += text;
          }
          offset += bytes;
          expected += text;
        }
        out.append_scattered(pieces, mine);
      }
      out.commit();
    }
    if (reader.joinable()) reader.join();
    if (!stream && root()) received = content_of(target);
    EXPECT_TRUE(everywhere(!root() || received == expected));
  }
}

TEST_F(MessageFiles, LeaveNothingUnlessCommitted) {
  {
    OutputFile out{path("c.npy"), all()};
    const Mine mine = mine_of(100, 100);
    write_matrix(out, MatrixFormat::npy, {100, 100, mine.rows, mine.columns, mine.block.view()});
  }
  check(MPI_Barrier(all()));
  EXPECT_TRUE(everywhere(std::filesystem::is_empty(path(""))));
}

TEST_F(MessageFiles, SayTogetherThatTheyCannotWrite) {
  const std::string target = path("none/c.npy");
  EXPECT_TRUE(everywhere(error_of([&] {
                           const OutputFile out{target, all()};
                         }).starts_with(target + ": cannot create")));
  OutputFile full{"/dev/full", all()};
  const std::string error = error_of([&] { full.append("text"); });
  EXPECT_TRUE(
      everywhere(error.starts_with("/dev/full: cannot write at byte 0") && error.ends_with("No space left on device")))
      << error;
}

}  // namespace
}  // namespace duet
