#include "kernels/pipeline/matrix_stream/npy_bytes.hpp"

#include <bit>
#include <charconv>
#include <cstring>
#include <limits>
#include <stdexcept>

namespace duet {
namespace {

static_assert(std::endian::native == std::endian::little, "headers say '<' for native");

constexpr std::string_view before_rows = "{'descr': '<f8', 'fortran_order': False, 'shape': (";

std::optional<std::int64_t> number_before(std::string_view& text, std::string_view end) {
  std::int64_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
  if (!text.starts_with(end)) return std::nullopt;
  text.remove_prefix(end.size());
  return number;
}

}  // namespace

std::string npy_header_text(std::int64_t rows, std::int64_t columns) {
  // NumPy aligns the data to 64 bytes; the dictionary fits.
  constexpr std::string_view prelude{"\x93NUMPY\x01\x00\x76\x00", 10};
  static_assert(npy_header_bytes - prelude.size() == 0x76);
  std::string text{prelude};
  text += before_rows;
  text += std::to_string(rows) + ", " + std::to_string(columns) + "), }";
  text.resize(npy_header_bytes - 1, ' ');
  text += '\n';
  return text;
}

std::optional<ConstView> matrix_in(std::string_view file) {
  if (file.size() < npy_header_bytes) return std::nullopt;
  constexpr std::size_t prelude = 10;
  std::string_view dictionary = file.substr(prelude, npy_header_bytes - prelude);
  if (!dictionary.starts_with(before_rows)) return std::nullopt;
  dictionary.remove_prefix(before_rows.size());
  const std::optional<std::int64_t> rows = number_before(dictionary, ", ");
  if (!rows) return std::nullopt;
  const std::optional<std::int64_t> columns = number_before(dictionary, ")");
  if (!columns || file.substr(0, npy_header_bytes) != npy_header_text(*rows, *columns)) return std::nullopt;
  const std::size_t elements = (file.size() - npy_header_bytes) / sizeof(double);
  const bool fits = *columns == 0 || *rows <= std::numeric_limits<std::int64_t>::max() / *columns;
  if (!fits || file.size() % sizeof(double) != 0 || static_cast<std::size_t>(*rows * *columns) != elements) {
    return std::nullopt;
  }
  return ConstView{reinterpret_cast<const double*>(file.data() + npy_header_bytes), *rows, *columns, *columns};
}

View make_matrix_in(Bytes& to, std::int64_t rows, std::int64_t columns, std::size_t more) {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max() / 16;
  if (rows < 0 || columns < 0 || (columns != 0 && rows > most / columns)) {
    throw std::length_error("a matrix of " + std::to_string(rows) + " x " + std::to_string(columns));
  }
  const std::size_t bytes = npy_header_bytes + sizeof(double) * static_cast<std::size_t>(rows * columns);
  to.clear();
  to.reserve(bytes + more);
  to.resize(bytes);
  std::memcpy(to.data(), npy_header_text(rows, columns).data(), npy_header_bytes);
  return {reinterpret_cast<double*>(to.data() + npy_header_bytes), rows, columns, columns};
}

}  // namespace duet
