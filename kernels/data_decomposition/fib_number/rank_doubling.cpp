#include "kernels/data_decomposition/fib_number/rank_doubling.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <stdexcept>
#include <utility>
#include <vector>

#include "kernels/arithmetic/transform/subtree.hpp"
#include "kernels/arithmetic/transform/transform.hpp"
#include "kernels/arithmetic/transform/twiddles.hpp"
#include "kernels/core/mpi.hpp"

namespace duet {
namespace {

/// Columns that are packed, sent and transformed as one: with 16 rows they fit the second-level cache twice.
constexpr std::size_t widest_block = 512;
/// Words of all ranks that one round of digits brings.
constexpr std::size_t words_a_round = std::size_t{1} << 18U;

/// Adds `carry` to the digits; returns what goes out at their end. |carry| is below the base.
std::int64_t add_carry(std::span<std::uint64_t> digits, std::int64_t carry, const Radix& radix) {
  const auto base = static_cast<std::int64_t>(radix.base);
  for (std::uint64_t& digit : digits) {
    if (carry == 0) return 0;
    std::int64_t sum = static_cast<std::int64_t>(digit) + carry;
    carry = 0;
    if (sum < 0) {
      sum += base;
      carry = -1;
    } else if (sum >= base) {
      sum -= base;
      carry = 1;
    }
    digit = static_cast<std::uint64_t>(sum);
  }
  return carry;
}

/// Of every number and of coefficients: what recombination reads before the first, and a multiple of a strip.
constexpr std::size_t margin = columns_in_strip;

void make_room(Words& words, std::size_t size) {
  if (words.size() >= size) return;
  words = Words{};
  words = Words{size};
}

/// The units of a product and who has which.
struct Units {
  std::size_t rows = 0;
  int ranks = 1;

  [[nodiscard]] std::int64_t count() const { return static_cast<std::int64_t>(rows * transform_primes_count); }
  [[nodiscard]] Range of(int rank) const { return share_of(count(), ranks, rank); }
  [[nodiscard]] int owner(std::int64_t unit) const { return static_cast<int>(owner_of(count(), ranks, unit)); }
  [[nodiscard]] std::size_t prime(std::int64_t unit) const { return static_cast<std::size_t>(unit) / rows; }
  [[nodiscard]] std::size_t row(std::int64_t unit) const { return static_cast<std::size_t>(unit) % rows; }
};

/// Coefficients of one result: this rank's columns of all rows, for each prime.
using Coefficients = std::array<Words, transform_primes_count>;

/// What one exchange of digits sends and receives.
struct Round {
  Words sent{};
  Words received{};
  std::vector<int> counts;
  std::vector<int> offsets;
  MPI_Request request = MPI_REQUEST_NULL;
};

}  // namespace

struct RankSpace::Buffers {
  Words a_images;
  Words b_images;
  std::array<Coefficients, 2> coefficients;
  std::array<Round, 2> rounds;
};

RankSpace::RankSpace() : buffers_{std::make_unique<Buffers>()} {}
RankSpace::~RankSpace() = default;
RankSpace::RankSpace(RankSpace&&) noexcept = default;
RankSpace& RankSpace::operator=(RankSpace&&) noexcept = default;

namespace {

/// One rank's part in the products of sliced numbers.
class RankProducts {
 public:
  RankProducts(const Radix& radix, const RankDoubling& ranks, RankSpace::Buffers& buffers)
      : radix_{radix},
        ranks_{ranks},
        rank_{rank_in(ranks.communicator)},
        size_{size_of(ranks.communicator)},
        path_{fastest_path()},
        a_images_{buffers.a_images},
        b_images_{buffers.b_images},
        coefficients_{buffers.coefficients},
        rounds_{buffers.rounds} {}

  /// Takes the memory for products of up to so many digits by as many at once: pages that are taken anew for each step
  /// cost as much as the transforms.
  void make_room_for(std::size_t digits) {
    const TransformShape last = shape_for(2 * digits + 1);
    const Columns columns = columns_of(last, size_, rank_);
    const auto mine = static_cast<std::size_t>(Units{last.rows, size_}.of(rank_).size());
    make_room(a_images_, mine * last.row_length);
    make_room(b_images_, mine * last.row_length);
    // Rows of the shape before may be more than half of the last one's.
    number_words_ = most_rows * (columns.end - columns.begin + margin);
    for (std::size_t k = 0; k < transform_primes_count; ++k) {
      make_room(coefficients_[0][k], number_words_);
      make_room(coefficients_[1][k], number_words_ / 2 + most_rows * margin);
    }
  }

  /// This rank's columns of a number that every rank has, in the shape for at least `places` digits.
  [[nodiscard]] SlicedNumber slice_of(std::span<const std::uint64_t> digits, std::size_t places) const {
    SlicedNumber number = empty_number(shape_for(std::max<std::size_t>({places, digits.size(), 1})));
    number.digits = digits.size();
    for (std::size_t r = 0; r < number.shape.rows; ++r) {
      const auto row = number.row(r);
      std::ranges::fill(row, 0);
      const std::size_t from = std::min(number.place_of(r), digits.size());
      std::ranges::copy(digits.subspan(from, std::min(row.size(), digits.size() - from)), row.begin());
    }
    return number;
  }

  /// a := a b and, where asked, b := b b.
  void multiply(SlicedNumber& a, SlicedNumber& b, Combination combination) {
    const std::size_t digits = std::max(a.digits, b.digits);
    // One more, for the sum that may follow.
    shape_ = shape_for(2 * digits + 1);
    units_ = {shape_.rows, size_};
    for (std::size_t k = 0; k < transform_primes_count; ++k) {
      lines_[k] = {k, twiddles(k, shape_.words() / 8 + columns_in_strip, path_).data()};
    }
    const auto mine = static_cast<std::size_t>(units_.of(rank_).size());
    make_room(a_images_, mine * shape_.row_length);
    if (combination != Combination::square) make_room(b_images_, mine * shape_.row_length);
    gather(combination == Combination::square ? std::vector{&b} : std::vector{&a, &b});
    const bool both = combination == Combination::doubling;
    exchange(combination, {coefficients_.data(), both ? 2U : 1U});
    recombine(coefficients_[0], a);
    if (both) recombine(coefficients_[1], b);
  }

  /// Adds `small` to the number and lets carries run; then counts its digits. For one number or two.
  void settle(std::vector<SlicedNumber*> numbers, const std::vector<std::int64_t>& smalls) {
    const std::size_t rows = numbers.front()->shape.rows;
    std::vector<std::int64_t> mine(numbers.size() * rows);
    for (std::size_t x = 0; x < numbers.size(); ++x) {
      std::ranges::copy(numbers[x]->carries, mine.begin() + static_cast<std::ptrdiff_t>(x * rows));
      if (rank_ == 0) mine[x * rows] += add_carry(numbers[x]->row(0), smalls[x], radix_);
    }
    const int active = active_ranks(numbers.front()->shape);
    std::vector<std::int64_t> all(mine.size() * static_cast<std::size_t>(size_));
    for (;;) {
      {
        const Booking booking{ranks_.timesheet, 0, Activity::communicating};
        check(MPI_Allgather(mine.data(), mpi_count(std::ssize(mine)), MPI_INT64_T, all.data(),
                            mpi_count(std::ssize(mine)), MPI_INT64_T, ranks_.communicator));
      }
      if (std::ranges::all_of(all, [](std::int64_t carry) { return carry == 0; })) break;
      const auto out_of = [&](int rank, std::size_t x, std::size_t r) {
        return all[static_cast<std::size_t>(rank) * mine.size() + x * rows + r];
      };
      std::ranges::fill(mine, 0);
      for (std::size_t x = 0; x < numbers.size(); ++x) {
        if (out_of(active - 1, x, rows - 1) != 0) throw std::logic_error("a carry out of the last digit");
        for (std::size_t r = 0; rank_ < active && r < rows; ++r) {
          if (rank_ == 0 && r == 0) continue;
          const std::int64_t in = rank_ == 0 ? out_of(active - 1, x, r - 1) : out_of(rank_ - 1, x, r);
          mine[x * rows + r] = add_carry(numbers[x]->row(r), in, radix_);
        }
      }
    }
    count_digits(numbers);
  }

  /// From F(k), L(k) to F(k+1) = (F + L) / 2 and L(k+1) = (5 F + L) / 2, each where it is wanted: in the place of f or
  /// l.
  void half_sums(SlicedNumber& f, SlicedNumber& l, SlicedNumber* once, SlicedNumber* five_times) {
    const std::size_t rows = f.shape.rows;
    const std::vector<std::uint64_t> above = parities_above(f, l);
    const std::uint64_t base = radix_.base;
    ranks_.team.parallel(static_cast<std::int64_t>(rows), [&](std::int64_t part) {
      const auto r = static_cast<std::size_t>(part);
      const auto f_row = f.row(r);
      const auto l_row = l.row(r);
      std::array<std::uint64_t, 2> carries{};
      const auto keep = [&](SlicedNumber* number, std::size_t i, std::uint64_t digit, std::uint64_t& carry) {
        carry = digit / base;
        if (number != nullptr) number->row(r)[i] = digit - carry * base;
      };
      for (std::size_t i = 0; i < f_row.size(); ++i) {
        // An odd sum of the digits above is half the base here; 5 F + L is odd where F + L is.
        const std::uint64_t odd_above = i + 1 < f_row.size() ? (f_row[i + 1] ^ l_row[i + 1]) & 1U : above[r];
        const std::uint64_t from_above = odd_above * (base / 2);
        const std::uint64_t sum = f_row[i] + l_row[i];
        const std::uint64_t sum_of_five = sum + 4 * f_row[i];
        keep(once, i, sum / 2 + from_above + carries[0], carries[0]);
        keep(five_times, i, sum_of_five / 2 + from_above + carries[1], carries[1]);
      }
      if (once != nullptr) once->carries[r] = static_cast<std::int64_t>(carries[0]);
      if (five_times != nullptr) five_times->carries[r] = static_cast<std::int64_t>(carries[1]);
    });
    std::vector<SlicedNumber*> changed;
    for (SlicedNumber* number : {once, five_times}) {
      if (number != nullptr) changed.push_back(number);
    }
    settle(changed, std::vector<std::int64_t>(changed.size()));
  }

 private:
  [[nodiscard]] int active_ranks(const TransformShape& shape) const {
    return static_cast<int>(
        std::min<std::int64_t>(size_, static_cast<std::int64_t>(shape.row_length / columns_in_strip)));
  }
  [[nodiscard]] SlicedNumber empty_number(const TransformShape& shape) const {
    SlicedNumber number{.radix = radix_, .shape = shape, .mine = columns_of(shape, size_, rank_), .margin = margin};
    number.words = Words{std::max(shape.rows * number.stride(), number_words_)};
    number.carries.assign(shape.rows, 0);
    return number;
  }

  // The digits of all columns come round by round; a round has some blocks of each rank. In a block stand, for each
  // operand and each of the new rows' halves (or quarters) that the columns fall into, the rows that are there.
  struct Rounds {
    const TransformShape* old = nullptr;
    std::size_t ratio = 1;
    std::size_t operands = 1;
    std::size_t blocks = 1;  // of each rank, in a round

    [[nodiscard]] std::size_t filled(std::size_t part) const { return (old->rows + ratio - 1 - part) / ratio; }
    [[nodiscard]] Columns block_of(const Columns& columns, std::size_t round, std::size_t block) const {
      const std::size_t begin = std::min(columns.end, columns.begin + (round * blocks + block) * widest_block);
      return {begin, std::min(columns.end, begin + widest_block)};
    }
    [[nodiscard]] std::size_t words_of(const Columns& columns, std::size_t round) const {
      const std::size_t begin = block_of(columns, round, 0).begin;
      return (block_of(columns, round, blocks - 1).end - begin) * old->rows * operands;
    }
  };

  void gather(const std::vector<SlicedNumber*>& operands) {
    const TransformShape old = operands.front()->shape;
    Rounds rounds{&old, shape_.row_length / old.row_length, operands.size()};
    rounds.blocks = std::max<std::size_t>(
        1, words_a_round / (widest_block * old.rows * operands.size() * static_cast<std::size_t>(size_)));
    const std::size_t widest = columns_of(old, size_, 0).end;
    const std::size_t count = (widest + rounds.blocks * widest_block - 1) / (rounds.blocks * widest_block);
    std::array<Round, 2>& buffers = rounds_;
    start(buffers[0], rounds, operands, 0);
    for (std::size_t round = 0; round < count; ++round) {
      Round& now = buffers[round % 2];
      {
        const Booking booking{ranks_.timesheet, 0, Activity::communicating};
        check(MPI_Wait(&now.request, MPI_STATUS_IGNORE));
      }
      if (round + 1 < count) start(buffers[(round + 1) % 2], rounds, operands, round + 1);
      first_levels(now, rounds, round);
    }
  }

  void start(Round& to, const Rounds& rounds, const std::vector<SlicedNumber*>& operands, std::size_t round) {
    to.counts.clear();
    to.offsets.clear();
    std::size_t total = 0;
    for (int rank = 0; rank < size_; ++rank) {
      const std::size_t words = rounds.words_of(columns_of(*rounds.old, size_, rank), round);
      to.offsets.push_back(mpi_count(static_cast<std::int64_t>(total)));
      to.counts.push_back(mpi_count(static_cast<std::int64_t>(words)));
      total += words;
    }
    make_room(to.received, total);
    make_room(to.sent, static_cast<std::size_t>(to.counts[static_cast<std::size_t>(rank_)]));
    std::uint64_t* at = to.sent.data();
    const Columns mine = operands.front()->mine;
    for (std::size_t block = 0; block < rounds.blocks; ++block) {
      const Columns columns = rounds.block_of(mine, round, block);
      for (const SlicedNumber* operand : operands) {
        for (std::size_t part = 0; part < rounds.ratio; ++part) {
          for (std::size_t r = part; r < rounds.old->rows; r += rounds.ratio) {
            const auto row = operand->row(r);
            at = std::copy_n(row.begin() + static_cast<std::ptrdiff_t>(columns.begin - mine.begin),
                             columns.end - columns.begin, at);
          }
        }
      }
    }
    const Booking booking{ranks_.timesheet, 0, Activity::communicating};
    check(MPI_Iallgatherv(to.sent.data(), to.counts[static_cast<std::size_t>(rank_)], MPI_UINT64_T, to.received.data(),
                          to.counts.data(), to.offsets.data(), MPI_UINT64_T, ranks_.communicator, &to.request));
  }

  /// The first levels of this rank's units, from the blocks of one round.
  void first_levels(const Round& from, const Rounds& rounds, std::size_t round) {
    struct Piece {
      const std::uint64_t* digits;
      std::size_t operand;
      std::size_t filled;
      std::size_t width;
      std::size_t column;
    };
    std::vector<Piece> pieces;
    for (int rank = 0; rank < size_; ++rank) {
      const Columns theirs = columns_of(*rounds.old, size_, rank);
      const std::uint64_t* at = from.received.data() + from.offsets[static_cast<std::size_t>(rank)];
      for (std::size_t block = 0; block < rounds.blocks; ++block) {
        const Columns columns = rounds.block_of(theirs, round, block);
        const std::size_t width = columns.end - columns.begin;
        if (width == 0) continue;
        for (std::size_t operand = 0; operand < rounds.operands; ++operand) {
          for (std::size_t part = 0; part < rounds.ratio; ++part) {
            const std::size_t filled = rounds.filled(part);
            pieces.push_back({at, operand, filled, width, part * rounds.old->row_length + columns.begin});
            at += filled * width;
          }
        }
      }
    }
    const Range units = units_.of(rank_);
    if (units.empty()) return;
    const std::size_t first_prime = units_.prime(units.begin);
    const std::size_t primes = units_.prime(units.end - 1) + 1 - first_prime;
    ranks_.team.parallel(static_cast<std::int64_t>(pieces.size() * primes), [&](std::int64_t part) {
      const Piece& piece = pieces[static_cast<std::size_t>(part) / primes];
      const std::size_t k = first_prime + static_cast<std::size_t>(part) % primes;
      alignas(64) thread_local std::array<std::uint64_t, most_rows * widest_block> image;
      path_.forward_top(lines_[k], piece.digits, piece.filled * piece.width, image.data(), {shape_.rows, piece.width},
                        {0, piece.width});
      Words& images = piece.operand + 1 == rounds.operands && rounds.operands == 2 ? b_images_ : a_images_;
      for (std::size_t r = 0; r < shape_.rows; ++r) {
        const auto unit = static_cast<std::int64_t>(k * shape_.rows + r);
        if (!units.contains(unit)) continue;
        std::copy_n(image.data() + r * piece.width, piece.width, image_of(images, unit) + piece.column);
      }
    });
  }

  [[nodiscard]] std::uint64_t* image_of(Words& images, std::int64_t unit) const {
    return images.data() + static_cast<std::size_t>(unit - units_.of(rank_).begin) * shape_.row_length;
  }

  /// Works off this rank's units and sends each as soon as it is done; gets its columns of all.
  void exchange(Combination combination, std::span<Coefficients> results) {
    const SlicedNumber place{
        .radix = radix_, .shape = shape_, .mine = columns_of(shape_, size_, rank_), .margin = margin};
    const Range units = units_.of(rank_);
    std::vector<MPI_Request> requests;
    for (std::size_t x = 0; x < results.size(); ++x) {
      for (Words& words : results[x]) make_room(words, shape_.rows * place.stride());
      for (std::int64_t unit = 0; unit < units_.count(); ++unit) {
        if (units.contains(unit) || place.width() == 0) continue;
        std::uint64_t* const to = results[x][units_.prime(unit)].data() + units_.row(unit) * place.stride() + margin;
        check(MPI_Irecv(to, mpi_count(static_cast<std::int64_t>(place.width())), MPI_UINT64_T, units_.owner(unit),
                        tag_of(unit, x), ranks_.communicator, &requests.emplace_back()));
      }
    }
    const std::int64_t at_once = std::max(1, ranks_.team.workers);
    for (std::int64_t first = units.begin; first < units.end; first += at_once) {
      const std::int64_t end = std::min(units.end, first + at_once);
      ranks_.team.parallel(end - first, [&](std::int64_t part) {
        const std::int64_t unit = first + part;
        work_off(path_,
                 {.line = lines_[units_.prime(unit)],
                  .a = image_of(a_images_, unit),
                  .b = combination == Combination::square ? nullptr : image_of(b_images_, unit),
                  .length = shape_.row_length,
                  .node = units_.row(unit)},
                 combination);
      });
      const Booking booking{ranks_.timesheet, 0, Activity::communicating};
      for (std::int64_t unit = first; unit < end; ++unit) {
        for (std::size_t x = 0; x < results.size(); ++x) {
          send(image_of(x == 0 ? a_images_ : b_images_, unit), unit, x, results[x], requests);
        }
      }
    }
    const Booking booking{ranks_.timesheet, 0, Activity::communicating};
    check(MPI_Waitall(mpi_count(std::ssize(requests)), requests.data(), MPI_STATUSES_IGNORE));
  }

  static int tag_of(std::int64_t unit, std::size_t result) {
    return static_cast<int>(2 * unit + static_cast<std::int64_t>(result));
  }

  void send(const std::uint64_t* image, std::int64_t unit, std::size_t result, Coefficients& own,
            std::vector<MPI_Request>& requests) {
    for (int rank = 0; rank < size_; ++rank) {
      const Columns theirs = columns_of(shape_, size_, rank);
      const std::size_t width = theirs.end - theirs.begin;
      if (width == 0) continue;
      if (rank == rank_) {
        std::uint64_t* const to = own[units_.prime(unit)].data() + units_.row(unit) * (width + margin) + margin;
        std::copy_n(image + theirs.begin, width, to);
        continue;
      }
      check(MPI_Isend(image + theirs.begin, mpi_count(static_cast<std::int64_t>(width)), MPI_UINT64_T, rank,
                      tag_of(unit, result), ranks_.communicator, &requests.emplace_back()));
    }
  }

  /// The last levels, two coefficients from the rank before, Chinese remainders. Carries stay with the number.
  void recombine(Coefficients& coefficients, SlicedNumber& number) {
    number.shape = shape_;
    number.mine = columns_of(shape_, size_, rank_);
    number.carries.assign(shape_.rows, 0);
    make_room(number.words, shape_.rows * number.stride());
    const auto strips = static_cast<std::int64_t>(number.width() / columns_in_strip);
    const std::int64_t parts = std::min<std::int64_t>(strips, 4 * ranks_.team.workers);
    const TransformShape spaced{shape_.rows, number.stride()};
    ranks_.team.parallel(parts * static_cast<std::int64_t>(transform_primes_count), [&](std::int64_t part) {
      const auto k = static_cast<std::size_t>(part / parts);
      const Range mine = share_of(strips, parts, part % parts);
      path_.inverse_top(lines_[k], coefficients[k].data(), spaced,
                        {margin + static_cast<std::size_t>(mine.begin) * columns_in_strip,
                         margin + static_cast<std::size_t>(mine.end) * columns_in_strip});
    });
    fetch_coefficients_before(coefficients, number);
    if (number.width() == 0) return;
    const Residues all =
        residues_of(path_, {coefficients[0].data(), coefficients[1].data(), coefficients[2].data()}, shape_);
    ranks_.team.parallel(static_cast<std::int64_t>(shape_.rows), [&](std::int64_t part) {
      const auto r = static_cast<std::size_t>(part);
      Residues residues = all;
      for (auto& words : residues.words) words += r * number.stride();
      number.carries[r] = static_cast<std::int64_t>(
          path_.recombine(residues, margin, number.stride(), radix_, number.words.data() + r * number.stride()));
    });
  }

  /// A coefficient reaches over the two digits above it. Those before this rank's first of a row come from the rank
  /// before, and for the first rank from the last one's row below.
  void fetch_coefficients_before(Coefficients& coefficients, const SlicedNumber& number) {
    const int active = active_ranks(shape_);
    if (rank_ >= active) return;
    constexpr std::size_t reach = 2;
    const std::size_t rows = shape_.rows;
    std::vector<std::uint64_t> last;
    for (const Words& words : coefficients) {
      for (std::size_t r = 0; r < rows; ++r) {
        const std::uint64_t* const end = words.data() + (r + 1) * number.stride();
        last.insert(last.end(), end - reach, end);
      }
    }
    std::vector<std::uint64_t> before(last.size());
    {
      const Booking booking{ranks_.timesheet, 0, Activity::communicating};
      constexpr int tag = 1000;
      check(MPI_Sendrecv(last.data(), mpi_count(std::ssize(last)), MPI_UINT64_T, (rank_ + 1) % active, tag,
                         before.data(), mpi_count(std::ssize(before)), MPI_UINT64_T, (rank_ + active - 1) % active, tag,
                         ranks_.communicator, MPI_STATUS_IGNORE));
    }
    for (std::size_t k = 0; k < transform_primes_count; ++k) {
      for (std::size_t r = 0; r < rows; ++r) {
        std::uint64_t* const first = coefficients[k].data() + r * number.stride() + margin;
        std::fill(first - 8, first, 0);
        if (rank_ == 0 && r == 0) continue;
        const std::size_t row = rank_ == 0 ? r - 1 : r;
        std::copy_n(before.begin() + static_cast<std::ptrdiff_t>((k * rows + row) * reach), reach, first - reach);
      }
    }
  }

  /// Whether the digit above this rank's last of each row is odd in F + L.
  [[nodiscard]] std::vector<std::uint64_t> parities_above(const SlicedNumber& f, const SlicedNumber& l) const {
    const std::size_t rows = f.shape.rows;
    std::vector<std::uint64_t> above(rows);
    const int active = active_ranks(f.shape);
    if (rank_ >= active) return above;
    std::vector<std::uint64_t> first(rows);
    for (std::size_t r = 0; r < rows; ++r) first[r] = (f.row(r)[0] ^ l.row(r)[0]) & 1U;
    const Booking booking{ranks_.timesheet, 0, Activity::communicating};
    constexpr int tag = 1001;
    check(MPI_Sendrecv(first.data(), mpi_count(std::ssize(first)), MPI_UINT64_T, (rank_ + active - 1) % active, tag,
                       above.data(), mpi_count(std::ssize(above)), MPI_UINT64_T, (rank_ + 1) % active, tag,
                       ranks_.communicator, MPI_STATUS_IGNORE));
    if (rank_ == active - 1) {
      std::ranges::rotate(above, above.begin() + 1);
      above.back() = 0;
    }
    return above;
  }

  void count_digits(const std::vector<SlicedNumber*>& numbers) const {
    std::vector<std::int64_t> most;
    for (const SlicedNumber* number : numbers) {
      std::int64_t digits = 0;
      for (std::size_t r = number->shape.rows; r-- > 0 && digits == 0;) {
        const auto row = number->row(r);
        std::size_t i = row.size();
        while (i != 0 && row[i - 1] == 0) --i;
        if (i != 0) digits = static_cast<std::int64_t>(number->place_of(r) + i);
      }
      most.push_back(digits);
    }
    const Booking booking{ranks_.timesheet, 0, Activity::communicating};
    check(MPI_Allreduce(MPI_IN_PLACE, most.data(), mpi_count(std::ssize(most)), MPI_INT64_T, MPI_MAX,
                        ranks_.communicator));
    for (std::size_t x = 0; x < numbers.size(); ++x) numbers[x]->digits = static_cast<std::size_t>(most[x]);
  }

  Radix radix_;
  const RankDoubling& ranks_;
  int rank_;
  int size_;
  const TransformPath& path_;
  TransformShape shape_;
  Units units_;
  std::array<Line, transform_primes_count> lines_{};
  std::size_t number_words_ = 0;
  Words& a_images_;
  Words& b_images_;
  std::array<Coefficients, 2>& coefficients_;
  std::array<Round, 2>& rounds_;
};

constexpr double log2_phi = 0.69424191363061730174;

/// Digits that half of n needs, and two more.
double digits_of_half(std::uint64_t n, const Radix& radix) {
  return static_cast<double>(n / 2 + 1) * log2_phi / std::log2(static_cast<double>(radix.base)) + 2;
}

}  // namespace

double rank_doubling_bytes(std::uint64_t n, const Radix& radix, int ranks) {
  const double half = digits_of_half(n, radix);
  const double image = static_cast<double>(shape_for(static_cast<std::size_t>(2 * half) + 1).words());
  const double primes = transform_primes_count;
  // Two images, coefficients of one result and of two half as long, F and L with the room of the last; tables of
  // twiddles and digits on their way on every rank.
  const double shared = (2 * primes + 1.5 * primes + 2) * image * 1.05;
  const double each = 2 * primes * static_cast<double>(std::bit_ceil(static_cast<std::size_t>(image) / 8 + 64)) +
                      4 * static_cast<double>(words_a_round) + 11 * most_rows * columns_in_strip +
                      16 * static_cast<double>(least_shared_digits);
  return 8 * (shared + static_cast<double>(ranks) * each);
}

SlicedNumber sliced_sequence(Sequence sequence, std::uint64_t n, const Radix& radix, const RankDoubling& ranks,
                             RankSpace& space) {
  const double digits_each = log2_phi / std::log2(static_cast<double>(radix.base));
  unsigned doublings = 0;
  while (doublings < 63 &&
         static_cast<double>(n >> doublings) * digits_each > static_cast<double>(ranks.least_shared)) {
    ++doublings;
  }
  RankProducts products{radix, ranks, space.buffers()};
  // Both numbers of a pair stand in the shape of the larger one.
  const auto start = [&](Sequence of, std::size_t places) {
    const Booking booking{ranks.timesheet, 0, Activity::useful};
    TransformContext context{.radix = radix};
    return products.slice_of(sequence_digits(of, n >> doublings, context).digits(), places);
  };
  if (doublings == 0) return start(sequence, 0);
  products.make_room_for(static_cast<std::size_t>(digits_of_half(n, radix)));
  SlicedNumber l = start(Sequence::lucas, 0);
  SlicedNumber f = start(Sequence::fibonacci, l.digits);
  for (unsigned left = doublings; left-- > 1;) {
    const std::int64_t sign = (n >> (left + 1) & 1U) != 0 ? -1 : 1;  // (-1)^k
    products.multiply(f, l, Combination::doubling);
    products.settle({&f, &l}, {0, -2 * sign});
    if ((n >> left & 1U) != 0) products.half_sums(f, l, &f, &l);
  }
  const bool odd = (n & 1U) != 0;
  const std::int64_t sign = (n >> 1U & 1U) != 0 ? -1 : 1;
  if (odd) {
    // F(2k+1) = F(k+1) L(k) - (-1)^k, and the same with L for F: the sum takes the place of F(k).
    const bool fibonacci = sequence == Sequence::fibonacci;
    products.half_sums(f, l, fibonacci ? &f : nullptr, fibonacci ? nullptr : &f);
  }
  const bool square = sequence == Sequence::lucas && !odd;
  products.multiply(f, l, square ? Combination::square : Combination::product);
  products.settle({&f}, {odd ? -sign : (square ? -2 * sign : 0)});
  return f;
}

}  // namespace duet
