#include "drivers/files/npy.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "drivers/files/file_error.hpp"
#include "drivers/files/mpi_file.hpp"
#include "drivers/files/rectangles.hpp"
#include "kernels/core/mpi.hpp"

namespace duet {
namespace {

constexpr std::int64_t prelude_bytes = 8;  // the magic and the version
constexpr std::string_view magic = "\x93NUMPY";
constexpr std::int64_t most_header_bytes = std::int64_t{1} << 20;
constexpr std::int64_t buffer_bytes = std::int64_t{16} << 20;

static_assert(std::endian::native == std::endian::little, "NpyHeader takes '<' for native");

/// Reads the dictionary, which is Python's literal syntax of a few kinds only.
class DictionaryParser {
 public:
  DictionaryParser(const std::string& path, std::string_view text, std::int64_t offset)
      : path_{path}, text_{text}, offset_{offset} {}

  NpyHeader parse() {
    NpyHeader header;
    bool has_type = false;
    bool has_order = false;
    bool has_shape = false;
    take('{', "a dictionary");
    while (!take_if('}')) {
      const std::string_view key = take_string();
      take(':', "':'");
      bool& seen = key == "descr" ? has_type : key == "fortran_order" ? has_order : has_shape;
      if (seen) fail_here(fmt::format("the key {} comes twice", quoted(key)));
      seen = true;
      if (key == "descr") {
        take_type(header);
      } else if (key == "fortran_order") {
        header.fortran = take_bool();
      } else if (key == "shape") {
        take_shape(header);
      } else {
        fail_here(fmt::format("expected the key 'descr', 'fortran_order' or 'shape', found {}", quoted(key)));
      }
      if (!take_if(',')) {
        take('}', "',' or '}'");
        break;
      }
    }
    skip();
    if (at_ != text_.size()) fail_here(fmt::format("expected spaces to the end of the header, found {}", rest()));
    if (!has_type || !has_order || !has_shape) {
      fail_here(fmt::format("the header has no {}", !has_type    ? "'descr'"
                                                    : !has_order ? "'fortran_order'"
                                                                 : "'shape'"));
    }
    return header;
  }

 private:
  void skip() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
  }
  bool take_if(char wanted) {
    skip();
    if (at_ == text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  void take(char wanted, std::string_view what) {
    if (!take_if(wanted)) fail_here(fmt::format("expected {}, found {}", what, rest()));
  }
  bool take_word(std::string_view word) {
    skip();
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  std::string_view take_string() {
    skip();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    const std::size_t end = quote == '\'' || quote == '"' ? text_.find(quote, at_ + 1) : std::string_view::npos;
    if (end == std::string_view::npos) fail_here(fmt::format("expected a text in quotes, found {}", rest()));
    const std::string_view content = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return content;
  }
  bool take_bool() {
    if (take_word("True")) return true;
    if (!take_word("False")) fail_here(fmt::format("expected True or False, found {}", rest()));
    return false;
  }

  void take_type(NpyHeader& header) {
    skip();
    if (at_ < text_.size() && text_[at_] == '[') fail_here("the elements are records; numbers are needed");
    const std::string_view type = take_string();
    constexpr std::array<std::string_view, 11> known{"f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"};
    const char order = type.empty() ? ' ' : type[0];
    const bool has_order = order == '<' || order == '>' || order == '=' || order == '|';
    const std::string_view element = type.substr(has_order ? 1 : 0);
    if (std::ranges::find(known, element) == known.end() || (order == '|' && element[1] != '1')) {
      fail_here(fmt::format("expected elements of type <f8, <f4, an integer or bool, found {}", quoted(type)));
    }
    header.kind = element[0];
    header.size = element[1] - '0';
    header.swapped = order == '>' && header.size > 1;
  }

  void take_shape(NpyHeader& header) {
    std::vector<std::int64_t> sizes;
    take('(', "the shape");
    while (!take_if(')')) {
      skip();
      std::int64_t size = 0;
      const char* const from = text_.data() + at_;
      const auto [end, error] = std::from_chars(from, text_.data() + text_.size(), size);
      if (error != std::errc{} || size < 0) fail_here(fmt::format("expected a size, found {}", rest()));
      at_ += static_cast<std::size_t>(end - from);
      take_word("L");  // Python 2 wrote long integers so.
      sizes.push_back(size);
      if (!take_if(',')) {
        take(')', "',' or ')'");
        break;
      }
    }
    if (sizes.empty() || sizes.size() > 2) {
      fail_here(fmt::format("expected 1 or 2 dimensions, found {}", sizes.size()));
    }
    header.rows = sizes[0];
    header.columns = sizes.size() == 2 ? sizes[1] : 1;
    constexpr auto most = std::numeric_limits<std::int64_t>::max() / std::int64_t{sizeof(double)} / 2;
    if (header.columns != 0 && header.rows > most / header.columns) {
      fail_here(fmt::format("a matrix of {} x {} has more bytes than can be addressed", header.rows, header.columns));
    }
  }

  [[nodiscard]] std::string rest() const {
    return at_ == text_.size() ? "the end of the header" : quoted(text_.substr(at_), 32);
  }
  [[noreturn]] void fail_here(std::string_view what) const {
    fail_at_byte(path_, offset_ + static_cast<std::int64_t>(at_), what);
  }

  const std::string& path_;
  std::string_view text_;
  std::int64_t offset_;
  std::size_t at_ = 0;
};

/// The bits of an element in this machine's byte order.
template <class Bits>
Bits load(const char* raw, bool swapped) {
  Bits bits{};
  if (swapped) {
    std::array<char, sizeof(Bits)> turned{};
    std::reverse_copy(raw, raw + sizeof(Bits), turned.begin());
    std::memcpy(&bits, turned.data(), sizeof(Bits));
  } else {
    std::memcpy(&bits, raw, sizeof(Bits));
  }
  return bits;
}

/// Decodes `count` elements to doubles. Returns the index of the first that no double holds exactly, or `count`.
template <class Element>
std::int64_t decode_as(const char* raw, std::int64_t count, bool swapped, double* out) {
  for (std::int64_t i = 0; i < count; ++i) {
    const auto element = load<Element>(raw + i * std::int64_t{sizeof(Element)}, swapped);
    out[i] = static_cast<double>(element);
    if constexpr (std::is_integral_v<Element> && sizeof(Element) == 8) {
      // The greatest value rounds up to a power of two that the type does not hold: compared before it is cast back.
      if (out[i] >= static_cast<double>(std::numeric_limits<Element>::max()) ||
          static_cast<Element>(out[i]) != element) {
        return i;
      }
    }
  }
  return count;
}

std::int64_t decode(const NpyHeader& header, const char* raw, std::int64_t count, double* out) {
  const bool swapped = header.swapped;
  switch (header.kind) {
    case 'f':
      if (header.size == 4) return decode_as<float>(raw, count, swapped, out);
      if (swapped) return decode_as<double>(raw, count, swapped, out);
      std::memcpy(out, raw, static_cast<std::size_t>(count) * sizeof(double));
      return count;
    case 'i':
      if (header.size == 1) return decode_as<std::int8_t>(raw, count, swapped, out);
      if (header.size == 2) return decode_as<std::int16_t>(raw, count, swapped, out);
      if (header.size == 4) return decode_as<std::int32_t>(raw, count, swapped, out);
      return decode_as<std::int64_t>(raw, count, swapped, out);
    default:  // u, and b, whose 0 and 1 are what they say
      if (header.size == 1) return decode_as<std::uint8_t>(raw, count, swapped, out);
      if (header.size == 2) return decode_as<std::uint16_t>(raw, count, swapped, out);
      if (header.size == 4) return decode_as<std::uint32_t>(raw, count, swapped, out);
      return decode_as<std::uint64_t>(raw, count, swapped, out);
  }
}

/// Decodes pieces of the file and puts them where they belong in the block.
class BlockFiller {
 public:
  BlockFiller(const std::string& path, const NpyHeader& header, Range rows, Range columns, View out)
      : path_{path},
        header_{header},
        block_{header.fortran ? Rectangle{columns, rows} : Rectangle{rows, columns}},
        out_{out},
        doubles_(static_cast<std::size_t>(std::min(buffer_bytes / std::int64_t{sizeof(double)},
                                                   std::max(std::int64_t{1}, header.rows * header.columns)))) {}

  /// The block, as lines of the file, and the number of elements of a line.
  [[nodiscard]] const Rectangle& block() const { return block_; }
  [[nodiscard]] std::int64_t line_length() const { return header_.fortran ? header_.rows : header_.columns; }
  [[nodiscard]] std::int64_t lines() const { return header_.fortran ? header_.columns : header_.rows; }
  [[nodiscard]] std::int64_t most_elements() const { return static_cast<std::int64_t>(doubles_.size()); }
  [[nodiscard]] std::int64_t byte_of(std::int64_t line, std::int64_t position) const {
    return header_.data_offset + (line * line_length() + position) * header_.size;
  }

  /// `raw` holds the elements of `piece`, which lies inside the block, line after line.
  void put(const Rectangle& piece, const char* raw) {
    const std::int64_t count = piece.size();
    const std::int64_t wrong = decode(header_, raw, count, doubles_.data());
    const std::int64_t length = piece.positions.size();
    if (wrong != count) {
      fail_at_byte(path_, byte_of(piece.lines.begin + wrong / length, piece.positions.begin + wrong % length),
                   "no double holds the integer there exactly");
    }
    const std::int64_t line = piece.lines.begin - block_.lines.begin;
    const std::int64_t position = piece.positions.begin - block_.positions.begin;
    if (header_.fortran) {
      put_columns(out_.block(position, line, length, piece.lines.size()));
    } else {
      for (std::int64_t i = 0; i < piece.lines.size(); ++i) {
        std::copy_n(doubles_.data() + i * length, length, &out_(line + i, position));
      }
    }
  }

 private:
  /// Transposes in tiles of eight columns: a cache line of `target` is written at once.
  void put_columns(View target) {
    constexpr std::int64_t tile = 8;
    for (std::int64_t column = 0; column < target.columns; column += tile) {
      const std::int64_t width = std::min(tile, target.columns - column);
      const double* from = doubles_.data() + column * target.rows;
      for (std::int64_t row = 0; row < target.rows; ++row) {
        double* const to = &target(row, column);
        for (std::int64_t j = 0; j < width; ++j) to[j] = from[j * target.rows + row];
      }
    }
  }

  const std::string& path_;
  const NpyHeader& header_;
  Rectangle block_;
  View out_;
  std::vector<double> doubles_;
};

void pread_fully(const std::string& path, int file, char* into, std::int64_t bytes, std::int64_t offset) {
  while (bytes > 0) {
    const ssize_t count = ::pread(file, into, static_cast<std::size_t>(bytes), offset);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_in_system(path, fmt::format("cannot read at byte {}", offset), errno);
    if (count == 0) fail_at_byte(path, offset, "the file became shorter while it was read");
    into += count;
    bytes -= count;
    offset += count;
  }
}

void pread_block(const std::string& path, const NpyHeader& header, BlockFiller& filler, const Progress& progress) {
  const Descriptor file = open_to_read(path);
  std::vector<char> raw(static_cast<std::size_t>(filler.most_elements() * header.size));
  std::int64_t done = 0;
  for (const Rectangle& piece : rectangles_of(filler.block(), filler.most_elements())) {
    const std::int64_t length = piece.positions.size();
    if (length == filler.line_length()) {
      pread_fully(path, file.get(), raw.data(), piece.size() * header.size, filler.byte_of(piece.lines.begin, 0));
    } else {
      for (std::int64_t i = 0; i < piece.lines.size(); ++i) {
        pread_fully(path, file.get(), raw.data() + i * length * header.size, length * header.size,
                    filler.byte_of(piece.lines.begin + i, piece.positions.begin));
      }
    }
    filler.put(piece, raw.data());
    done += piece.size();
    if (progress) progress(done, filler.block().size());
  }
}

/// Ranks take part in as many collective reads as the one with the most pieces, an error or not; only then do they
/// speak of errors.
void read_block_together(const std::string& path, const NpyHeader& header, BlockFiller& filler, MPI_Comm communicator,
                         const Progress& progress) {
  const MpiFile file{path, MPI_MODE_RDONLY, communicator};
  const std::vector<Rectangle> pieces = rectangles_of(filler.block(), filler.most_elements());
  const auto mine = static_cast<std::int64_t>(pieces.size());
  std::int64_t rounds = 0;
  check(MPI_Allreduce(&mine, &rounds, 1, MPI_INT64_T, MPI_MAX, communicator));
  std::vector<char> raw(rounds > 0 ? static_cast<std::size_t>(filler.most_elements() * header.size) : 0);
  std::exception_ptr error;
  std::int64_t done = 0;
  for (std::int64_t round = 0; round < rounds; ++round) {
    const Rectangle piece = round < mine ? pieces[static_cast<std::size_t>(round)] : Rectangle{};
    try {
      file.read_rectangle_at_all(piece, filler.line_length(), header.size, header.data_offset, raw.data());
      filler.put(piece, raw.data());
    } catch (...) {
      if (!error) error = std::current_exception();
    }
    done += piece.size();
    if (progress) progress(done, filler.block().size());
  }
  rethrow_together(communicator, error);
}

}  // namespace

std::string NpyHeader::element() const {
  return fmt::format("{}{}{}", size == 1 ? '|' : swapped ? '>' : '<', kind, size);
}

NpyHeader read_npy_header(ByteSource& source) {
  const std::string& path = source.path();
  const auto take = [&](char* into, std::int64_t bytes) {
    if (source.read(into, static_cast<std::size_t>(bytes)) != static_cast<std::size_t>(bytes)) {
      fail(path, fmt::format("is truncated: it ends after {} bytes, inside the header", source.offset()));
    }
  };
  std::array<char, prelude_bytes> prelude{};
  take(prelude.data(), prelude_bytes);
  if (std::string_view{prelude.data(), magic.size()} != magic) fail_at_byte(path, 0, "expected the magic of .npy");
  const int version = prelude[6];
  if (version < 1 || version > 3 || prelude[7] != 0) {
    fail_at_byte(path, 6,
                 fmt::format("expected version 1.0, 2.0 or 3.0, found {}.{}", static_cast<unsigned char>(prelude[6]),
                             static_cast<unsigned char>(prelude[7])));
  }
  std::array<unsigned char, 4> length_bytes{};
  const std::int64_t width = version == 1 ? 2 : 4;
  take(reinterpret_cast<char*>(length_bytes.data()), width);
  std::int64_t length = 0;
  for (std::int64_t i = 0; i < width; ++i) length |= std::int64_t{length_bytes[static_cast<std::size_t>(i)]} << (8 * i);
  if (length > most_header_bytes || length > source.most_bytes()) {
    fail_at_byte(path, prelude_bytes, fmt::format("announces a header of {} bytes", length));
  }
  std::string text(static_cast<std::size_t>(length), ' ');
  take(text.data(), length);

  NpyHeader header = DictionaryParser{path, text, prelude_bytes + width}.parse();
  header.data_offset = prelude_bytes + width + length;
  const std::int64_t bytes = header.data_offset + header.rows * header.columns * header.size;
  if (source.compressed() ? source.most_bytes() < bytes : source.file_bytes() != bytes) {
    fail(path, fmt::format("{}: {} x {} elements of {} need {} bytes with the header, and the {} has {}",
                           source.file_bytes() > bytes ? "is longer than its header says" : "is truncated", header.rows,
                           header.columns, header.element(), bytes, source.compressed() ? "compressed file" : "file",
                           source.file_bytes()));
  }
  return header;
}

void read_npy_stream(ByteSource& source, const NpyHeader& header, Range rows, Range columns, View out,
                     const Progress& progress) {
  BlockFiller filler{source.path(), header, rows, columns, out};
  const Rectangle& block = filler.block();
  std::vector<char> raw(static_cast<std::size_t>(filler.most_elements() * header.size));
  for (const Rectangle& piece :
       rectangles_of({{0, filler.lines()}, {0, filler.line_length()}}, filler.most_elements())) {
    const auto bytes = static_cast<std::size_t>(piece.size() * header.size);
    if (source.read(raw.data(), bytes) != bytes) {
      fail(source.path(), fmt::format("is truncated: it ends after {} bytes, and the header announces {}",
                                      source.offset(), filler.byte_of(filler.lines(), 0)));
    }
    // What lies inside the block, closed up in place: the lines of it, and their positions.
    const auto both = [](Range one, Range other) {
      const std::int64_t begin = std::max(one.begin, other.begin);
      return Range{begin, std::max(begin, std::min(one.end, other.end))};
    };
    const Rectangle wanted{both(piece.lines, block.lines), both(piece.positions, block.positions)};
    if (wanted.size() > 0) {
      const std::int64_t length = wanted.positions.size() * header.size;
      for (std::int64_t line = wanted.lines.begin; line < wanted.lines.end; ++line) {
        const std::int64_t from =
            (line - piece.lines.begin) * piece.positions.size() + wanted.positions.begin - piece.positions.begin;
        std::memmove(raw.data() + (line - wanted.lines.begin) * length, raw.data() + from * header.size,
                     static_cast<std::size_t>(length));
      }
      filler.put(wanted, raw.data());
    }
    if (progress) progress(source.file_bytes_taken(), source.file_bytes());
  }
  char more = 0;
  if (source.read(&more, 1) != 0) {
    fail_at_byte(source.path(), source.offset() - 1, "more follows than the header announces");
  }
}

void read_npy_block(const std::string& path, const NpyHeader& header, Range rows, Range columns, View out,
                    MPI_Comm communicator, const Progress& progress) {
  BlockFiller filler{path, header, rows, columns, out};
  if (communicator == MPI_COMM_NULL) {
    pread_block(path, header, filler, progress);
  } else {
    read_block_together(path, header, filler, communicator, progress);
  }
}

}  // namespace duet
