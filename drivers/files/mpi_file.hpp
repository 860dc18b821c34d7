#pragma once

/// A file that the ranks of a communicator have opened together, and rectangles of it: MPI-IO with a file view each, so
/// that the library may merge what neighbouring ranks want into large accesses.

#include <mpi.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "drivers/files/rectangles.hpp"

namespace duet {

/// Consecutive bytes of a file.
struct Piece {
  std::int64_t offset = 0;
  std::int64_t bytes = 0;
};

class MpiFile {
 public:
  /// Collective. Throws FileError on all ranks where any cannot open it.
  MpiFile(const std::string& path, int mode, MPI_Comm communicator);
  MpiFile(const MpiFile&) = delete;
  MpiFile& operator=(const MpiFile&) = delete;
  /// Collective, like MPI_File_close; errors are lost here.
  ~MpiFile();

  /// Reads `piece` of a file of lines of `line_length` elements of `size` bytes, which begin at byte `offset`.
  /// Collective, whatever the piece, also an empty one; a piece of at most 2^31 - 1 bytes. Throws FileError on the
  /// ranks where it fails, after the collective call.
  void read_rectangle_at_all(const Rectangle& piece, std::int64_t line_length, std::int64_t size, std::int64_t offset,
                             char* into) const;
  /// The same for writing.
  void write_rectangle_at_all(const Rectangle& piece, std::int64_t line_length, std::int64_t size, std::int64_t offset,
                              const char* from) const;
  /// `text` in pieces at ascending, disjoint places of the file. Collective, also without a piece; at most 2^31 - 1
  /// bytes in all. Errors as above.
  void write_pieces_at_all(std::span<const Piece> pieces, std::string_view text) const;

  /// Collective: hands everything to the disk, and closes. Throws FileError where that fails.
  void finish();

 private:
  void view_rectangle(const Rectangle& piece, std::int64_t line_length, std::int64_t size, std::int64_t offset) const;
  void check_file(int code, const char* what) const;
  void check_moved(const MPI_Status& status, std::int64_t bytes, const char* what) const;

  std::string path_;
  MPI_Comm communicator_;
  MPI_File handle_ = MPI_FILE_NULL;
};

}  // namespace duet
