#pragma once

/// What is wrong with a file, in one line that a user can act on, and how all ranks come to say the same.

#include <mpi.h>

#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>

namespace duet {

/// "path: line 17: expected 3 fields (row column value), found '1 2'": the path, the place where there is one (a line
/// of a text, a byte of a binary file, counted after decompression), what was expected and what was found.
struct FileError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

[[noreturn]] void fail(std::string_view path, std::string_view what);
[[noreturn]] void fail_at_line(std::string_view path, std::int64_t line, std::string_view what);
[[noreturn]] void fail_at_byte(std::string_view path, std::int64_t byte, std::string_view what);
/// `what` with the system's text for `error_number`: "path: cannot open: No such file or directory".
[[noreturn]] void fail_in_system(std::string_view path, std::string_view what, int error_number);

/// `text` between quotes, shortened to `most` characters, unprintable ones written as \x0a: for the texts of errors.
[[nodiscard]] std::string quoted(std::string_view text, std::size_t most = 48);

/// Collective over `communicator`: returns where no rank has an error, else throws FileError with the text of the
/// lowest rank that has one. With MPI_COMM_NULL it rethrows the caller's own.
void rethrow_together(MPI_Comm communicator, const std::exception_ptr& mine);

/// Runs act() on every rank, and where it throws on any, throws the same FileError on all: no rank is left waiting in a
/// later collective call. act() itself must not wait for other ranks.
template <class Act>
void together(MPI_Comm communicator, Act&& act) {
  std::exception_ptr mine;
  try {
    act();
  } catch (...) {
    mine = std::current_exception();
  }
  rethrow_together(communicator, mine);
}

}  // namespace duet
