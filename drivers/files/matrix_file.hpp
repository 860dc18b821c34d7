#pragma once

/// A matrix in a file, of which every rank reads its own block:
///
///     const MatrixFile file = open_matrix("A.mtx.gz", communicator);
///     Matrix<double> mine{rows.size(), columns.size()};
///     file.read_block(rows, columns, mine.view(), communicator);
///
/// Matrix Market (matrix_market.hpp) and .npy (npy.hpp), either of them compressed with gzip; known by their content
/// and not by their name. Of an uncompressed .npy each rank reads only the bytes of its block. Of a text or a
/// compressed file every rank reads the whole stream and keeps its block: no rank ever holds more, and none waits for
/// another.

#include <mpi.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>

#include "drivers/files/matrix_market.hpp"
#include "drivers/files/npy.hpp"
#include "kernels/core/partition.hpp"
#include "kernels/core/view.hpp"

namespace duet {

class MatrixFile {
 public:
  /// Collective over `communicator`. Reads the header. Throws FileError, the same on all ranks: where the file is
  /// missing, is none of the formats, has a header that is wrong, or is not the same file on all ranks.
  explicit MatrixFile(std::string path, MPI_Comm communicator = MPI_COMM_NULL);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::int64_t rows() const;
  [[nodiscard]] std::int64_t columns() const;
  /// Numbers that the file holds: rows x columns but for coordinates and triangles.
  [[nodiscard]] std::int64_t entries() const;
  [[nodiscard]] bool compressed() const { return compressed_; }
  /// One line for people: "Matrix Market, coordinate real symmetric, gzip".
  [[nodiscard]] std::string description() const;

  /// Writes the block of `rows` x `columns` to `out`, whose shape is theirs. Collective over `communicator`, whose
  /// ranks read different blocks or the same. Throws FileError, the same on all ranks, for the first thing that is
  /// wrong; std::invalid_argument for ranges outside of the matrix.
  void read_block(Range rows, Range columns, View out, MPI_Comm communicator = MPI_COMM_NULL,
                  const Progress& progress = {}) const;

 private:
  std::string path_;
  bool compressed_ = false;
  std::variant<MarketHeader, NpyHeader> header_;
};

/// Reads the header of the matrix in `path`; see MatrixFile.
[[nodiscard]] inline MatrixFile open_matrix(const std::string& path, MPI_Comm communicator = MPI_COMM_NULL) {
  return MatrixFile{path, communicator};
}

/// The whole matrix that `text`, a file's bytes in memory, is: `made(rows, columns)` gives the place for it. `name` is
/// for messages. Throws FileError, and what `made` throws.
void parse_matrix(const std::string& name, std::string_view text,
                  const std::function<View(std::int64_t rows, std::int64_t columns)>& made);

/// The whole matrix in `path`. Throws FileError where it needs more memory than the machine has.
[[nodiscard]] Matrix<double> read_matrix(const std::string& path);

}  // namespace duet
