#include "kernels/pipeline/matrix_stream/stream_files.hpp"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

#include "kernels/core/digest.hpp"
#include "kernels/core/mpi.hpp"
#include "kernels/core/on_each_thread.hpp"
#include "kernels/core/random.hpp"
#include "kernels/pipeline/matrix_stream/npy_bytes.hpp"

namespace duet {
namespace {

constexpr std::uint32_t b_stream = 1;
constexpr std::uint32_t vector_stream = 2;

/// Bytes of a file from which on a disk that writes straight to where it is read to is faster than one that fills the
/// page cache, which is asked for many small files at once.
constexpr std::int64_t worth_reading_past_cache = std::int64_t{1} << 20U;

/// Entry (row, column) of file `index`: a whole number in [-8, 8), of which a product takes any number exactly.
void fill_whole_numbers(View to, std::uint64_t seed, std::uint32_t stream, std::int64_t index) {
  constexpr unsigned bits = 4;
  constexpr std::int64_t in_a_word = 64 / bits;
  for (std::int64_t row = 0; row < to.rows; ++row) {
    for (std::int64_t column = 0; column < to.columns; column += in_a_word) {
      const auto place = static_cast<std::uint64_t>(row * to.columns + column);
      std::uint64_t word = random_bits(seed, stream, place, static_cast<std::uint64_t>(index));
      for (std::int64_t c = column; c < std::min(column + in_a_word, to.columns); ++c, word >>= bits) {
        to(row, c) = static_cast<double>(word & 0xfU) - 8;
      }
    }
  }
}

/// What results say of themselves, in a sum that does not depend on who says it.
std::uint64_t told(std::int64_t index, std::uint64_t hash) { return hash_at(static_cast<std::uint64_t>(index), hash); }

}  // namespace

StreamQuestion StreamQuestion::of(const Instance& instance) {
  return {.files = instance.extents.at(0),
          .order = instance.parameters.whole("order"),
          .codec = codec_called(instance.parameters.text("codec")),
          .multiplies = instance.parameters.text("work") == "multiply",
          .on_disk = instance.parameters.text("storage") == "disk",
          .seed = instance.seed};
}

std::int64_t StreamQuestion::matrix_bytes() const {
  return static_cast<std::int64_t>(npy_header_bytes) + 8 * order * order;
}

StreamFiles::StreamFiles(const StreamQuestion& question, int threads)
    : question_{question},
      b_{question.order, question.order},
      inputs_(static_cast<std::size_t>(question.files)),
      outputs_(static_cast<std::size_t>(question.files)) {
  fill_whole_numbers(b_.view(), question_.seed, b_stream, 0);
  // What does not compress grows by less than this. No two files share a page.
  constexpr std::int64_t page = 4096;
  room_ = (question_.matrix_bytes() + question_.matrix_bytes() / 50 + 2 * page - 1) / page * page;
  on_each_thread(nullptr, std::max(1, threads), [&](int thread) {
    Bytes matrix;
    Bytes file;
    for (std::int64_t index = thread; index < question_.files; index += std::max(1, threads)) {
      fill_whole_numbers(make_matrix_in(matrix, question_.order, question_.order), question_.seed, 0, index);
      compress(question_.codec, matrix.text(), file);
      Extent& extent = inputs_[static_cast<std::size_t>(index)];
      extent = {.offset = index * room_,
                .bytes = static_cast<std::int64_t>(file.size()),
                .hash = XXH3_64bits(matrix.data(), matrix.size())};
      in_.write(extent.offset, file.text());
    }
  });
  std::int64_t bytes = 0;
  for (const Extent& extent : inputs_) bytes += extent.bytes;
  if (question_.on_disk && bytes >= question_.files * worth_reading_past_cache) in_.read_past_cache();
}

MatrixStream StreamFiles::stream() {
  MatrixStream stream;
  stream.count = question_.files;
  stream.b = b_.view();
  stream.multiplies = question_.multiplies;
  stream.codec = question_.codec;
  stream.read = [this](std::int64_t index, Bytes& to) {
    const Extent& extent = inputs_.at(static_cast<std::size_t>(index));
    in_.read(extent.offset, extent.bytes, to);
  };
  stream.write = [this](std::int64_t index, std::string_view file) { write_output(index, file); };
  if (question_.on_disk && !in_.reads_past_cache()) {
    stream.expect = [this](std::int64_t index) {
      const Extent& extent = inputs_[static_cast<std::size_t>(index)];
      in_.expect(extent.offset, extent.bytes);
    };
  }
  if (question_.on_disk) {
    stream.settle = [this](std::int64_t index) {
      const Extent& extent = outputs_.at(static_cast<std::size_t>(index));
      out_.sync(extent.offset, extent.bytes);
    };
  }
  stream.take = [this](const StreamedMatrix& result) { taken_.push_back(result); };
  return stream;
}

void StreamFiles::write_output(std::int64_t index, std::string_view file) {
  if (static_cast<std::int64_t>(file.size()) > room_) throw std::length_error("an output is longer than its room");
  out_.write(index * room_, file);
  if (question_.on_disk) out_.begin_sync(index * room_, static_cast<std::int64_t>(file.size()));
  outputs_.at(static_cast<std::size_t>(index)) = {.offset = index * room_,
                                                  .bytes = static_cast<std::int64_t>(file.size())};
}

void StreamFiles::replace_output(std::int64_t index, std::string_view file) { write_output(index, file); }

void StreamFiles::output(std::int64_t index, Bytes& to) const {
  const Extent& extent = outputs_.at(static_cast<std::size_t>(index));
  out_.read(extent.offset, std::max<std::int64_t>(0, extent.bytes), to);
}

void StreamFiles::clear() {
  std::ranges::fill(outputs_, Extent{});
  taken_.clear();
  if (question_.on_disk) in_.leave_memory();
}

/// Empty where output `index` is A B: C x = A (B x) for a random vector x of 32-bit numbers, exactly, modulo 2^64
/// (Freivalds, "Probabilistic machines can use less running time", 1977). A row that is wrong passes by chance once in
/// 2^32.
std::string StreamFiles::objection_to(std::int64_t index, std::uint64_t seed, std::uint64_t& found) const {
  Bytes file;
  Bytes text;
  output(index, file);
  try {
    decompress(file.text(), text, static_cast<std::size_t>(room_) + npy_header_bytes);
  } catch (const std::exception& error) {
    return error.what();
  }
  found = XXH3_64bits(text.data(), text.size());
  const std::optional<ConstView> c = matrix_in(text.text());
  const std::int64_t n = question_.order;
  if (!c || c->rows != n || c->columns != n) return "is no matrix of " + std::to_string(n) + " x " + std::to_string(n);
  std::vector<std::uint64_t> x(static_cast<std::size_t>(n));
  std::vector<std::uint64_t> y(x.size());
  for (std::size_t j = 0; j < x.size(); ++j) {
    x[j] = random_bits(seed, vector_stream, j, static_cast<std::uint64_t>(index)) >> 32U;
  }
  const auto whole = [](double entry) { return static_cast<std::uint64_t>(static_cast<std::int64_t>(entry)); };
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double* const row = b_.data() + static_cast<std::int64_t>(i) * n;
    for (std::size_t j = 0; j < x.size(); ++j) y[i] += whole(row[j]) * x[j];
  }
  Matrix<double> a{n, n};
  fill_whole_numbers(a.view(), question_.seed, 0, index);
  for (std::int64_t i = 0; i < n; ++i) {
    std::uint64_t expected = 0;
    std::uint64_t sum = 0;
    for (std::int64_t j = 0; j < n; ++j) {
      const double entry = (*c)(i, j);
      // 64 n is the most that a sum of n products can be.
      if (!(std::abs(entry) <= 64.0 * static_cast<double>(n)) || entry != std::trunc(entry)) {
        return "row " + std::to_string(i) + ": " + std::to_string(entry) + " is no sum of such products";
      }
      expected += whole(a.view()(i, j)) * y[static_cast<std::size_t>(j)];
      sum += whole(entry) * x[static_cast<std::size_t>(j)];
    }
    if (expected != sum) return "row " + std::to_string(i) + " is not that of A B";
  }
  return {};
}

Judgement StreamFiles::judge(std::uint64_t seed, MPI_Comm ranks) const {
  // Each process says of its own outputs how many there are and what they are; rank 0 of what it took the same.
  std::string objection;
  std::int64_t first_wrong = question_.files;
  std::array<std::uint64_t, 4> sums{};  // outputs: how many, what; taken: how many, what
  const auto object = [&](std::int64_t index, const std::string& why) {
    if (index >= first_wrong) return;
    first_wrong = index;
    objection = "file " + std::to_string(index) + ": " + why;
  };
  if (question_.multiplies) {
    for (std::int64_t index = 0; index < question_.files; ++index) {
      if (outputs_[static_cast<std::size_t>(index)].bytes < 0) continue;
      std::uint64_t found = 0;
      const std::string why = objection_to(index, seed, found);
      if (!why.empty()) object(index, why);
      ++sums[0];
      sums[1] += told(index, found);
    }
  } else if (rank_in(ranks) == 0) {
    for (std::int64_t index = 0; index < question_.files; ++index) {
      ++sums[0];
      sums[1] += told(index, inputs_[static_cast<std::size_t>(index)].hash);
    }
  }
  for (std::size_t i = 0; i < taken_.size(); ++i) {
    const StreamedMatrix& result = taken_[i];
    if (!result.fault.empty()) object(result.index, result.fault);
    if (result.index != static_cast<std::int64_t>(i)) object(result.index, "was taken out of order");
    ++sums[2];
    sums[3] += told(result.index, result.hash);
  }
  if (ranks != MPI_COMM_NULL) {
    check(MPI_Allreduce(MPI_IN_PLACE, sums.data(), sums.size(), MPI_UINT64_T, MPI_SUM, ranks));
  }
  // The rank that objects to the first file speaks for all.
  struct {
    long index;
    int rank;
  } first{first_wrong, rank_in(ranks)};
  if (ranks != MPI_COMM_NULL) check(MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_LONG_INT, MPI_MINLOC, ranks));
  if (first.index < question_.files) {
    constexpr std::size_t longest = 200;
    std::array<char, longest> text{};
    objection.copy(text.data(), longest - 1);
    if (ranks != MPI_COMM_NULL) check(MPI_Bcast(text.data(), longest, MPI_CHAR, first.rank, ranks));
    return {.right = false, .explanation = text.data()};
  }
  // These sums are the same on all ranks.
  const auto files = static_cast<std::uint64_t>(question_.files);
  if (sums[0] != files || sums[2] != files) {
    return {.right = false,
            .explanation = std::to_string(sums[0]) + " files were written and " + std::to_string(sums[2]) +
                           " taken of " + std::to_string(files)};
  }
  if (sums[1] != sums[3]) return {.right = false, .explanation = "what was taken is not what was written"};
  return {.right = true};
}

std::string StreamFiles::digest(MPI_Comm ranks) const {
  std::uint64_t sum = 0;
  for (const StreamedMatrix& result : taken_) sum += told(result.index, result.hash);
  return digest_text(summed(sum, ranks));
}

}  // namespace duet
