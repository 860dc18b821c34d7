#include "drivers/files/write_matrix.hpp"

#include <fmt/compile.h>
#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "drivers/files/file_error.hpp"
#include "drivers/files/npy.hpp"
#include "drivers/files/rectangles.hpp"
#include "kernels/core/mpi.hpp"
#include "kernels/pipeline/matrix_stream/npy_bytes.hpp"

namespace duet {
namespace {

/// Elements that one worker encodes at a time: 4 MiB of doubles.
constexpr std::int64_t share_elements = std::int64_t{1} << 19;

Range overlap(Range one, Range other) {
  const std::int64_t begin = std::max(one.begin, other.begin);
  return {begin, std::max(begin, std::min(one.end, other.end))};
}

Rectangle overlap(const Rectangle& one, const Rectangle& other) {
  return {overlap(one.lines, other.lines), overlap(one.positions, other.positions)};
}

/// The part of `window` that `worker` of `workers` encodes: in the order of workers they are the window.
Rectangle share_of_window(const Rectangle& window, std::int64_t workers, std::int64_t worker) {
  const bool by_lines = window.lines.size() > 1;
  const Range whole = by_lines ? window.lines : window.positions;
  const Range share = share_of(whole.size(), workers, worker);
  const Range moved{whole.begin + share.begin, whole.begin + share.end};
  return by_lines ? Rectangle{moved, window.positions} : Rectangle{window.lines, moved};
}

/// The matrix as lines of the file: rows, or columns where `transposed`.
class Lines {
 public:
  Lines(const MatrixPart& mine, bool transposed, MPI_Comm communicator)
      : block_{mine.block}, transposed_{transposed}, communicator_{communicator}, ranks_{size_of(communicator)} {
    whole_ = oriented({0, mine.rows}, {0, mine.columns});
    mine_ = oriented(mine.row_range, mine.column_range);
    of_rank_.assign(static_cast<std::size_t>(ranks_), mine_);
    if (ranks_ > 1) {
      static_assert(sizeof(Rectangle) == 4 * sizeof(std::int64_t));
      check(MPI_Allgather(&mine_, 4, MPI_INT64_T, of_rank_.data(), 4, MPI_INT64_T, communicator_));
    }
  }

  [[nodiscard]] const Rectangle& whole() const { return whole_; }
  [[nodiscard]] const Rectangle& mine() const { return mine_; }
  [[nodiscard]] int ranks() const { return ranks_; }

  /// Copies what this rank has of `wanted` to `to`, line after line. Returns the end of it.
  double* copy(const Rectangle& wanted, double* to) const {
    if (wanted.size() == 0) return to;
    const std::int64_t length = wanted.positions.size();
    for (std::int64_t line = wanted.lines.begin; line < wanted.lines.end; ++line) {
      const std::int64_t i = line - mine_.lines.begin;
      const std::int64_t j = wanted.positions.begin - mine_.positions.begin;
      if (transposed_) {
        for (std::int64_t position = 0; position < length; ++position) to[position] = block_(j + position, i);
      } else {
        std::copy_n(&block_(i, j), length, to);
      }
      to += length;
    }
    return to;
  }

  /// Collective: the elements of `share`, line after line, where rank r asks for shares[r].
  [[nodiscard]] std::vector<double> gather(const std::vector<Rectangle>& shares, int rank) const {
    const Rectangle& share = shares[static_cast<std::size_t>(rank)];
    std::vector<double> values(static_cast<std::size_t>(share.size()));
    if (ranks_ == 1) {
      copy(share, values.data());
      return values;
    }
    const auto count = static_cast<std::size_t>(ranks_);
    std::vector<int> send_counts(count);
    std::vector<int> receive_counts(count);
    std::vector<int> send_offsets(count);
    std::vector<int> receive_offsets(count);
    std::int64_t to_send = 0;
    std::int64_t to_receive = 0;
    for (std::size_t other = 0; other < count; ++other) {
      send_offsets[other] = mpi_count(to_send);
      receive_offsets[other] = mpi_count(to_receive);
      send_counts[other] = mpi_count(overlap(mine_, shares[other]).size());
      receive_counts[other] = mpi_count(overlap(of_rank_[other], share).size());
      to_send += send_counts[other];
      to_receive += receive_counts[other];
    }
    std::vector<double> sent(static_cast<std::size_t>(to_send));
    std::vector<double> received(static_cast<std::size_t>(to_receive));
    double* to = sent.data();
    for (std::size_t other = 0; other < count; ++other) to = copy(overlap(mine_, shares[other]), to);
    check(MPI_Alltoallv(sent.data(), send_counts.data(), send_offsets.data(), MPI_DOUBLE, received.data(),
                        receive_counts.data(), receive_offsets.data(), MPI_DOUBLE, communicator_));
    const double* from = received.data();
    for (std::size_t other = 0; other < count; ++other) {
      const Rectangle part = overlap(of_rank_[other], share);
      const std::int64_t length = part.positions.size();
      for (std::int64_t line = part.lines.begin; line < part.lines.end && length > 0; ++line) {
        const std::int64_t at =
            (line - share.lines.begin) * share.positions.size() + part.positions.begin - share.positions.begin;
        std::copy_n(from, length, values.data() + at);
        from += length;
      }
    }
    return values;
  }

 private:
  [[nodiscard]] Rectangle oriented(Range rows, Range columns) const {
    return transposed_ ? Rectangle{columns, rows} : Rectangle{rows, columns};
  }

  ConstView block_;
  bool transposed_;
  MPI_Comm communicator_;
  int ranks_;
  Rectangle whole_;
  Rectangle mine_;
  std::vector<Rectangle> of_rank_;
};

/// One member of a gzip file.
std::string compressed(std::string_view text) {
  z_stream stream{};
  // The fastest level: the mantissas of doubles hardly shrink at any, and digits not much more at a higher one.
  constexpr int gzip_window = MAX_WBITS + 16;
  constexpr int memory_level = 9;
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, gzip_window, memory_level, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc{};
  }
  std::string member(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<const Bytef*>(text.data());
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(member.data());
  stream.avail_out = static_cast<uInt>(member.size());
  const int code = deflate(&stream, Z_FINISH);
  member.resize(member.size() - stream.avail_out);
  deflateEnd(&stream);
  if (code != Z_STREAM_END) throw std::bad_alloc{};
  return member;
}

bool is_market(MatrixFormat format) { return format == MatrixFormat::market || format == MatrixFormat::market_gzip; }
bool is_gzip(MatrixFormat format) { return format == MatrixFormat::npy_gzip || format == MatrixFormat::market_gzip; }

std::string encoded(const double* values, std::int64_t count, MatrixFormat format) {
  std::string text;
  if (is_market(format)) {
    constexpr std::int64_t most_characters = 25;  // "-2.2250738585072014e-308\n"
    text.resize(static_cast<std::size_t>(count * most_characters));
    char* at = text.data();
    for (std::int64_t i = 0; i < count; ++i) at = fmt::format_to(at, FMT_COMPILE("{}\n"), values[i]);
    text.resize(static_cast<std::size_t>(at - text.data()));
  } else {
    text.assign(reinterpret_cast<const char*>(values), static_cast<std::size_t>(count) * sizeof(double));
  }
  return is_gzip(format) && !text.empty() ? compressed(text) : text;
}

/// The shares of `values` of the workers of `team`, each encoded by one, one after another.
std::string encoded_by_team(const std::vector<double>& values, MatrixFormat format, const RunTeam& team) {
  std::vector<std::string> texts(static_cast<std::size_t>(team.workers()));
  const auto count = static_cast<std::int64_t>(values.size());
  team.each(team.workers(), [&](std::int64_t part) {
    const Range share = share_of(count, team.workers(), part);
    texts[static_cast<std::size_t>(part)] = encoded(values.data() + share.begin, share.size(), format);
  });
  if (texts.size() == 1) return std::move(texts.front());
  std::string all;
  for (const std::string& text : texts) all += text;
  return all;
}

std::string header_text(const MatrixPart& mine, MatrixFormat format) {
  std::string text = is_market(format)
                         ? fmt::format("%%MatrixMarket matrix array real general\n{} {}\n", mine.rows, mine.columns)
                         : npy_header_text(mine.rows, mine.columns);
  return is_gzip(format) ? compressed(text) : text;
}

void write_in_order(OutputFile& file, MatrixFormat format, const Lines& lines, const RunTeam& team,
                    const Progress& progress) {
  const int rank = rank_in(file.communicator());
  const auto ranks = static_cast<std::int64_t>(lines.ranks());
  std::int64_t done = 0;
  for (const Rectangle& window : rectangles_of(lines.whole(), ranks * team.workers() * share_elements)) {
    std::vector<Rectangle> shares;
    for (std::int64_t other = 0; other < ranks; ++other) shares.push_back(share_of_window(window, ranks, other));
    const std::vector<double> values = lines.gather(shares, rank);
    std::string text;
    together(file.communicator(), [&] { text = encoded_by_team(values, format, team); });
    file.append(text);
    done += window.size();
    if (progress) progress(done, lines.whole().size());
  }
}

void write_blocks(OutputFile& file, const Lines& lines, std::int64_t offset, const Progress& progress) {
  const std::vector<Rectangle> pieces = rectangles_of(lines.mine(), 4 * share_elements);
  const auto mine = static_cast<std::int64_t>(pieces.size());
  std::int64_t rounds = 0;
  check(MPI_Allreduce(&mine, &rounds, 1, MPI_INT64_T, MPI_MAX, file.communicator()));
  std::vector<double> values(pieces.empty() ? 0 : static_cast<std::size_t>(pieces.front().size()));
  std::int64_t done = 0;
  for (std::int64_t round = 0; round < rounds; ++round) {
    const Rectangle piece = round < mine ? pieces[static_cast<std::size_t>(round)] : Rectangle{};
    lines.copy(piece, values.data());
    file.write_rectangle(piece, lines.whole().positions.size(), sizeof(double), offset,
                         reinterpret_cast<const char*>(values.data()));
    done += piece.size();
    if (progress) progress(done, lines.mine().size());
  }
}

}  // namespace

MatrixFormat format_of(std::string_view path) {
  if (path == "-" || path.ends_with(".mtx")) return MatrixFormat::market;
  if (path.ends_with(".mtx.gz")) return MatrixFormat::market_gzip;
  if (path.ends_with(".npy")) return MatrixFormat::npy;
  if (path.ends_with(".npy.gz")) return MatrixFormat::npy_gzip;
  fail(path, "a matrix is written to a file named .npy, .npy.gz, .mtx or .mtx.gz");
}

void write_matrix(OutputFile& file, MatrixFormat format, const MatrixPart& mine, const RunTeam& team,
                  const Progress& progress) {
  const std::string header = header_text(mine, format);
  const Lines lines{mine, is_market(format), file.communicator()};
  if (format == MatrixFormat::npy) {
    file.reserve(static_cast<std::int64_t>(header.size()) + mine.rows * mine.columns * std::int64_t{sizeof(double)});
  }
  file.append(rank_in(file.communicator()) == 0 ? std::string_view{header} : std::string_view{});
  if (format == MatrixFormat::npy && lines.ranks() > 1 && !file.is_stream()) {
    write_blocks(file, lines, static_cast<std::int64_t>(header.size()), progress);
  } else {
    write_in_order(file, format, lines, team, progress);
  }
}

}  // namespace duet
