#include "drivers/files/matrix_file.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <stdexcept>
#include <utility>

#include "drivers/files/file_error.hpp"
#include "kernels/core/mpi.hpp"

namespace duet {
namespace {

/// Whether it is .npy, and else Matrix Market, by the first byte that `source` gives: the headers then look closer.
bool begins_as_npy(ByteSource&& source) {
  constexpr char npy_magic = '\x93';
  char first = 0;
  if (source.read(&first, 1) == 0) fail(source.path(), "is empty");
  if (first != npy_magic && first != '%') {
    fail(source.path(),
         fmt::format("is neither Matrix Market nor .npy, compressed or not: it begins with {}", quoted({&first, 1})));
  }
  return first == npy_magic;
}

/// All ranks must have met the same header: files of one name differ where a folder is not shared by the nodes.
void expect_equal_on_all(const std::string& path, std::array<std::int64_t, 4> mine, MPI_Comm communicator) {
  std::array<std::int64_t, 8> both{};
  for (std::size_t i = 0; i < mine.size(); ++i) {
    both[i] = mine[i];
    both[i + mine.size()] = -mine[i];
  }
  check(MPI_Allreduce(MPI_IN_PLACE, both.data(), static_cast<int>(both.size()), MPI_INT64_T, MPI_MAX, communicator));
  for (std::size_t i = 0; i < mine.size(); ++i) {
    if (both[i] != -both[i + mine.size()]) fail(path, "is not the same file for all ranks");
  }
}

}  // namespace

MatrixFile::MatrixFile(std::string path, MPI_Comm communicator) : path_{std::move(path)} {
  std::int64_t file_bytes = 0;
  together(communicator, [&] {
    const bool npy = begins_as_npy(ByteSource{path_});
    ByteSource source{path_};
    compressed_ = source.compressed();
    file_bytes = source.file_bytes();
    if (npy) {
      header_ = read_npy_header(source);
    } else {
      LineReader lines{source};
      header_ = read_market_header(lines);
    }
  });
  if (communicator != MPI_COMM_NULL) {
    expect_equal_on_all(path_, {rows(), columns(), entries(), file_bytes}, communicator);
  }
}

std::int64_t MatrixFile::rows() const {
  return std::visit([](const auto& header) { return header.rows; }, header_);
}

std::int64_t MatrixFile::columns() const {
  return std::visit([](const auto& header) { return header.columns; }, header_);
}

std::int64_t MatrixFile::entries() const {
  const auto* market = std::get_if<MarketHeader>(&header_);
  return market != nullptr ? market->entries : rows() * columns();
}

std::string MatrixFile::description() const {
  std::string text;
  if (const auto* market = std::get_if<MarketHeader>(&header_)) {
    text = fmt::format("Matrix Market, {} {} {}", name_of(market->layout), name_of(market->field),
                       name_of(market->symmetry));
  } else {
    const NpyHeader& npy = std::get<NpyHeader>(header_);
    text = fmt::format(".npy, {} in {} order", npy.element(), npy.fortran ? "Fortran" : "C");
  }
  return text + (compressed_ ? ", gzip" : "");
}

void MatrixFile::read_block(Range rows, Range columns, View out, MPI_Comm communicator,
                            const Progress& progress) const {
  const auto outside = [](Range range, std::int64_t most) {
    return range.begin < 0 || range.begin > range.end || range.end > most;
  };
  if (outside(rows, this->rows()) || outside(columns, this->columns()) || out.rows != rows.size() ||
      out.columns != columns.size()) {
    throw std::invalid_argument(
        fmt::format("the block of rows {} to {} and columns {} to {} of a {} x {} matrix in {} x {}", rows.begin,
                    rows.end, columns.begin, columns.end, this->rows(), this->columns(), out.rows, out.columns));
  }
  const auto* npy = std::get_if<NpyHeader>(&header_);
  if (npy != nullptr && !compressed_) {
    read_npy_block(path_, *npy, rows, columns, out, communicator, progress);
    return;
  }
  together(communicator, [&] {
    ByteSource source{path_};
    if (npy != nullptr) {
      if (read_npy_header(source) != *npy) fail(path_, "changed while it was read");
      read_npy_stream(source, *npy, rows, columns, out, progress);
    } else {
      LineReader lines{source};
      const MarketHeader& market = std::get<MarketHeader>(header_);
      if (read_market_header(lines) != market) fail(path_, "changed while it was read");
      read_market_block(lines, market, rows, columns, out, progress);
    }
  });
}

void parse_matrix(const std::string& name, std::string_view text,
                  const std::function<View(std::int64_t rows, std::int64_t columns)>& made) {
  const bool npy = begins_as_npy(ByteSource{name, text});
  ByteSource source{name, text};
  const auto whole = [](std::int64_t count) { return Range{0, count}; };
  if (npy) {
    const NpyHeader header = read_npy_header(source);
    const View to = made(header.rows, header.columns);
    read_npy_stream(source, header, whole(header.rows), whole(header.columns), to, {});
  } else {
    LineReader lines{source};
    const MarketHeader header = read_market_header(lines);
    const View to = made(header.rows, header.columns);
    read_market_block(lines, header, whole(header.rows), whole(header.columns), to, {});
  }
}

Matrix<double> read_matrix(const std::string& path) {
  const MatrixFile file = open_matrix(path);
  const std::int64_t bytes = file.rows() * file.columns() * std::int64_t{sizeof(double)};
  const std::int64_t memory = std::int64_t{::sysconf(_SC_PHYS_PAGES)} * ::sysconf(_SC_PAGESIZE);
  if (bytes > memory) {
    fail(path, fmt::format("a matrix of {} x {} needs {} bytes of memory, and the machine has {}", file.rows(),
                           file.columns(), bytes, memory));
  }
  Matrix<double> matrix{file.rows(), file.columns()};
  file.read_block({0, file.rows()}, {0, file.columns()}, matrix.view());
  return matrix;
}

}  // namespace duet
