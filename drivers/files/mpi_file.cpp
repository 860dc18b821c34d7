#include "drivers/files/mpi_file.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>
#include <vector>

#include "drivers/files/file_error.hpp"
#include "kernels/core/mpi.hpp"

namespace duet {

MpiFile::MpiFile(const std::string& path, int mode, MPI_Comm communicator) : path_{path}, communicator_{communicator} {
  // Errors of files are returned and not fatal, which is MPI's preset for them.
  together(communicator_, [&] {
    check_file(MPI_File_open(communicator_, path_.c_str(), mode, MPI_INFO_NULL, &handle_), "cannot open");
  });
}

MpiFile::~MpiFile() {
  int finalized = 0;
  MPI_Finalized(&finalized);
  if (handle_ != MPI_FILE_NULL && finalized == 0) MPI_File_close(&handle_);
}

void MpiFile::check_file(int code, const char* what) const {
  if (code == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  if (MPI_Error_string(code, text.data(), &length) != MPI_SUCCESS) length = 0;
  fail(path_, fmt::format("{}: {}", what, std::string(text.data(), static_cast<std::size_t>(length))));
}

void MpiFile::check_moved(const MPI_Status& status, std::int64_t bytes, const char* what) const {
  int moved = 0;
  check(MPI_Get_count(&status, MPI_BYTE, &moved));
  if (moved != bytes) fail(path_, fmt::format("{}: {} of {} bytes", what, moved, bytes));
}

void MpiFile::view_rectangle(const Rectangle& piece, std::int64_t line_length, std::int64_t size,
                             std::int64_t offset) const {
  const std::int64_t first = offset + (piece.lines.begin * line_length + piece.positions.begin) * size;
  if (piece.size() == 0 || piece.lines.size() == 1 || piece.positions.size() == line_length) {
    check_file(MPI_File_set_view(handle_, first, MPI_BYTE, MPI_BYTE, "native", MPI_INFO_NULL), "cannot set a view");
    return;
  }
  MPI_Datatype made = MPI_DATATYPE_NULL;
  check(MPI_Type_create_hvector(mpi_count(piece.lines.size()), mpi_count(piece.positions.size() * size),
                                static_cast<MPI_Aint>(line_length * size), MPI_BYTE, &made));
  const Datatype lines{made};
  check_file(MPI_File_set_view(handle_, first, MPI_BYTE, lines.get(), "native", MPI_INFO_NULL), "cannot set a view");
}

void MpiFile::read_rectangle_at_all(const Rectangle& piece, std::int64_t line_length, std::int64_t size,
                                    std::int64_t offset, char* into) const {
  view_rectangle(piece, line_length, size, offset);
  const std::int64_t bytes = piece.size() * size;
  MPI_Status status{};
  check_file(MPI_File_read_at_all(handle_, 0, into, mpi_count(bytes), MPI_BYTE, &status), "cannot read");
  check_moved(status, bytes, "the file became shorter while it was read");
}

void MpiFile::write_rectangle_at_all(const Rectangle& piece, std::int64_t line_length, std::int64_t size,
                                     std::int64_t offset, const char* from) const {
  view_rectangle(piece, line_length, size, offset);
  const std::int64_t bytes = piece.size() * size;
  MPI_Status status{};
  check_file(MPI_File_write_at_all(handle_, 0, from, mpi_count(bytes), MPI_BYTE, &status), "cannot write");
  check_moved(status, bytes, "cannot write all");
}

void MpiFile::write_pieces_at_all(std::span<const Piece> pieces, std::string_view text) const {
  std::vector<int> lengths;
  std::vector<MPI_Aint> places;
  for (const Piece& piece : pieces) {
    if (piece.bytes == 0) continue;
    lengths.push_back(mpi_count(piece.bytes));
    places.push_back(static_cast<MPI_Aint>(piece.offset));
  }
  if (lengths.empty()) {
    check_file(MPI_File_set_view(handle_, 0, MPI_BYTE, MPI_BYTE, "native", MPI_INFO_NULL), "cannot set a view");
  } else {
    MPI_Datatype made = MPI_DATATYPE_NULL;
    check(MPI_Type_create_hindexed(mpi_count(static_cast<std::int64_t>(lengths.size())), lengths.data(), places.data(),
                                   MPI_BYTE, &made));
    const Datatype scattered{made};
    check_file(MPI_File_set_view(handle_, 0, MPI_BYTE, scattered.get(), "native", MPI_INFO_NULL), "cannot set a view");
  }
  const auto bytes = static_cast<std::int64_t>(text.size());
  MPI_Status status{};
  check_file(MPI_File_write_at_all(handle_, 0, text.data(), mpi_count(bytes), MPI_BYTE, &status), "cannot write");
  check_moved(status, bytes, "cannot write all");
}

void MpiFile::finish() {
  const int synced = MPI_File_sync(handle_);
  const int closed = MPI_File_close(&handle_);
  together(communicator_, [&] {
    check_file(synced, "cannot hand everything to the disk");
    check_file(closed, "cannot close");
  });
}

}  // namespace duet
