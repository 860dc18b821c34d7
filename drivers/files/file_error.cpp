#include "drivers/files/file_error.hpp"

#include <fmt/format.h>

#include <cstring>
#include <new>

#include "kernels/core/mpi.hpp"

namespace duet {

void fail(std::string_view path, std::string_view what) { throw FileError{fmt::format("{}: {}", path, what)}; }

void fail_at_line(std::string_view path, std::int64_t line, std::string_view what) {
  throw FileError{fmt::format("{}: line {}: {}", path, line, what)};
}

void fail_at_byte(std::string_view path, std::int64_t byte, std::string_view what) {
  throw FileError{fmt::format("{}: byte {}: {}", path, byte, what)};
}

void fail_in_system(std::string_view path, std::string_view what, int error_number) {
  throw FileError{fmt::format("{}: {}: {}", path, what, std::strerror(error_number))};
}

std::string quoted(std::string_view text, std::size_t most) {
  std::string shown = "'";
  for (const char character : text.substr(0, most)) {
    const auto code = static_cast<unsigned char>(character);
    if (code < 0x20 || code == 0x7f) {
      shown += fmt::format("\\x{:02x}", code);
    } else {
      shown += character;
    }
  }
  return shown + (text.size() > most ? "...'" : "'");
}

namespace {

std::string text_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::bad_alloc&) {
    return "there is not enough memory";
  } catch (const std::exception& known) {
    return known.what();
  } catch (...) {
    return "an unknown error";
  }
}

}  // namespace

void rethrow_together(MPI_Comm communicator, const std::exception_ptr& mine) {
  if (communicator == MPI_COMM_NULL) {
    if (mine) std::rethrow_exception(mine);
    return;
  }
  const int ranks = size_of(communicator);
  const int claimed = mine ? rank_in(communicator) : ranks;
  int first = ranks;
  check(MPI_Allreduce(&claimed, &first, 1, MPI_INT, MPI_MIN, communicator));
  if (first == ranks) return;
  std::string text = mine ? text_of(mine) : std::string{};
  int length = mpi_count(static_cast<std::int64_t>(text.size()));
  check(MPI_Bcast(&length, 1, MPI_INT, first, communicator));
  text.resize(static_cast<std::size_t>(length));
  check(MPI_Bcast(text.data(), length, MPI_CHAR, first, communicator));
  throw FileError{text};
}

}  // namespace duet
