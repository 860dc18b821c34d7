#include "kernels/arithmetic/fast_doubling.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "kernels/arithmetic/gmp_number.hpp"
#include "kernels/arithmetic/transform/subtree.hpp"
#include "kernels/arithmetic/transform/transform.hpp"
#include "kernels/core/partition.hpp"

namespace duet {
namespace {

constexpr double log2_phi = 0.69424191363061730174;
constexpr double log10_phi = 0.20898764024997873377;

/// GMP is slow at the decimals of the first number: it is a short one.
constexpr std::uint64_t last_small_decimal_index = 4'000;

/// Up to which index GMP is asked: where the last product's factors are too short for the path.
std::uint64_t last_small_index(const Radix& radix, const TransformPath& path) {
  if (radix.bits == 0) return last_small_decimal_index;
  const double index = static_cast<double>(path.least_limbs) * 64 * 2 / log2_phi;
  return index < 1e18 ? static_cast<std::uint64_t>(index) : UINT64_MAX;
}

/// Working memory of the last product, of two factors with so many digits, and of the step before it.
std::size_t image_words(std::size_t half, int workers) {
  return std::max(plan_transform(2 * half, Combination::product, workers).words(),
                  plan_transform(half + 4, Combination::doubling, workers).words());
}

std::size_t significant(std::span<const std::uint64_t> digits) {
  std::size_t size = digits.size();
  while (size != 0 && digits[size - 1] == 0) --size;
  return size;
}

/// Writes the number, and zeros after it.
void write_digits(GmpNumber& number, const Radix& radix, std::span<std::uint64_t> digits) {
  if (radix.bits != 0) return unpack_limbs(number.limbs(), radix, digits);
  const std::vector<std::uint64_t> found = digits_of_decimal(decimal_by_gmp(number.limbs()), radix);
  std::fill(std::ranges::copy(found, digits.begin()).out, digits.end(), 0);
}

/// number - (-1)^k small.
void take_sign(std::span<std::uint64_t> number, bool k_is_odd, std::uint64_t small, const Radix& radix) {
  if (k_is_odd) {
    add_small(number, small, radix);
  } else {
    subtract_small(number, small, radix);
  }
}

/// Shifts of n that leave an index which is GMP's.
unsigned doublings_of(std::uint64_t n, const Radix& radix, const TransformPath& path) {
  const std::uint64_t last = last_small_index(radix, path);
  unsigned doublings = 0;
  while (n >> doublings > last) ++doublings;
  return doublings;
}

std::vector<std::uint64_t> limbs_of(const DigitNumber& number, const TransformTeam& team) {
  std::vector<std::uint64_t> limbs(limbs_of_digits(number.size, number.radix));
  const auto size = static_cast<std::int64_t>(limbs.size());
  team.parallel(team.workers, [&](std::int64_t part) {
    const Range mine = share_of(size, team.workers, part);
    const auto first = static_cast<std::size_t>(mine.begin);
    pack_limbs(number.digits(), number.radix, std::span{limbs}.subspan(first, static_cast<std::size_t>(mine.size())),
               first);
  });
  while (!limbs.empty() && limbs.back() == 0) limbs.pop_back();
  return limbs;
}

/// F(k) and L(k) on their way to F(n) or L(n), each in memory that takes them to the end.
class Doubling {
 public:
  /// Room for so many digits of F and of L, and for products of factors with `half` digits.
  Doubling(std::size_t first, std::size_t second, std::size_t half, TransformContext& context)
      : context_{context}, first_{context.spare.take(first)}, second_{context.spare.take(second)} {
    // At once for the last product: a step then finds the pages that the one before it used.
    make_room(context_.space, image_words(half, context_.team->workers));
  }

  Doubling(const Doubling&) = delete;
  Doubling& operator=(const Doubling&) = delete;
  /// What was not taken out serves the next one.
  ~Doubling() {
    context_.spare.give(std::move(first_));
    context_.spare.give(std::move(second_));
  }

  void start(std::uint64_t k) {
    size_ = most_sequence_digits(k, context_.radix);
    // By one worker of the team, who books it.
    context_.team->parallel(1, [&](std::int64_t /*part*/) {
      auto& [number, below] = context_.short_numbers;
      mpz_fib2_ui(number.get(), below.get(), k);
      write_digits(number, context_.radix, f());
      mpz_addmul_ui(number.get(), below.get(), 2);  // L(k) = F(k) + 2 F(k-1)
      write_digits(number, context_.radix, l());
    });
    size_ = significant(l());
  }

  void go_on_from(const DoublingRecord::Start& start) {
    require_room(start.digits, second_.size());
    size_ = start.digits;
    const Stretch<std::uint64_t> whole_f{0, f()};
    const Stretch<std::uint64_t> whole_l{0, l()};
    start.read(Sequence::fibonacci, {&whole_f, 1});
    start.read(Sequence::lucas, {&whole_l, 1});
    size_ = significant(l());
  }

  /// From k to 2 k, and one further if `odd`.
  void step(bool k_is_odd, bool odd) {
    require_room(2 * size_ + 1, std::min(first_.size(), second_.size()));
    double_digits(f(), l(), {first_.data(), 2 * size_}, {second_.data(), 2 * size_}, context_);
    size_ *= 2;
    take_sign(l(), k_is_odd, 2, context_.radix);
    if (odd) {
      grow();
      half_sums(f(), l(), f(), l(), context_);
    }
    size_ = significant(l());
  }

  /// The last step, to one of the two numbers, which takes the place of F(k).
  ///
  ///     F(2k) = F(k) L(k),    F(2k+1) = F(k+1) L(k) - (-1)^k,    L(2k) = L(k)^2 - 2 (-1)^k,
  ///     L(2k+1) = L(k+1) L(k) - (-1)^k
  void last_step(Sequence sequence, bool k_is_odd, bool odd) {
    require_room(size_ + 1, second_.size());
    require_room(2 * (size_ + 1), first_.size());
    const bool is_f = sequence == Sequence::fibonacci;
    if (odd) {
      grow();
      const std::span<std::uint64_t> none;
      half_sums(f(), l(), is_f ? f() : none, is_f ? none : f(), context_);
    }
    const std::span<std::uint64_t> result{first_.data(), 2 * size_};
    const bool square = !is_f && !odd;
    if (square) {
      square_digits(l(), result, context_);
    } else {
      multiply_digits(f(), l(), result, context_);
    }
    size_ *= 2;
    if (odd || square) take_sign(f(), k_is_odd, odd ? 1 : 2, context_.radix);
  }

  void tell(const DoublingRecord& record, unsigned left) {
    if (!record.reached || size_ < record.least_digits) return;
    record.reached({.left = left, .digits = size_, .length = size_, .fibonacci = {{0, f()}}, .lucas = {{0, l()}}});
  }

  /// F, or what the last step put in its place.
  [[nodiscard]] DigitNumber take_first() { return taken(first_); }
  /// L.
  [[nodiscard]] DigitNumber take_second() { return taken(second_); }

 private:
  [[nodiscard]] std::span<std::uint64_t> f() { return {first_.data(), size_}; }
  [[nodiscard]] std::span<std::uint64_t> l() { return {second_.data(), size_}; }
  [[nodiscard]] DigitNumber taken(Words& words) const {
    const std::size_t size = significant({words.data(), size_});
    return {std::move(words), size, context_.radix};
  }
  /// A digit that is wrong may make a number longer than any can be that is right.
  static void require_room(std::size_t digits, std::size_t room) {
    if (digits > room) throw std::logic_error("a step of the doubling is too long: its digits are wrong");
  }
  /// What follows L(k) may be a digit longer.
  void grow() {
    ++size_;
    f().back() = l().back() = 0;
  }

  TransformContext& context_;
  Words first_;
  Words second_;
  std::size_t size_ = 0;  // of both
};

bool bit(std::uint64_t n, unsigned place) { return (n >> place & 1U) != 0; }

}  // namespace

std::size_t most_sequence_digits(std::uint64_t n, const Radix& radix) {
  const double each = radix.bits != 0 ? static_cast<double>(n) * log2_phi / radix.bits
                                      : static_cast<double>(n) * log10_phi / radix.places;
  return static_cast<std::size_t>(each) + 2;
}

double doubling_bytes(std::uint64_t n, const Radix& radix, int workers) {
  const std::size_t half = most_sequence_digits(n / 2 + 1, radix);
  const std::size_t longest = plan_transform(2 * half, Combination::product, workers).shape.words();
  return 8.0 * (static_cast<double>(image_words(half, workers)) + 3.0 * static_cast<double>(half) +
                static_cast<double>(transform_primes_count * std::bit_ceil(longest / 8)));
}

DoublingWork doubling_work(std::uint64_t n, const Radix& radix) {
  DoublingWork work;
  const auto step = [&](std::uint64_t result, double transforms, double results) {
    const TransformShape shape = shape_for(most_sequence_digits(result, radix));
    const auto words = static_cast<double>(transform_primes_count * shape.words());
    // Half a product for each word and level, three multiply-adds each.
    work.multiply_adds += transforms * words * std::log2(static_cast<double>(shape.words())) / 2 * 3;
    // Every factor is written by the first pass and read by the subtrees; every result is written by them, read and
    // written by the last pass, and read by the carry. Long rows have a pass of their own before and after.
    const double factors = transforms - results;
    const bool long_rows = shape.row_length > subtree_chunk;
    work.bytes += 8 * words * (2 * factors + 4 * results + (long_rows ? 2 * transforms : 0));
  };
  constexpr std::uint64_t least = 10'000;
  step(n, 3, 1);
  for (std::uint64_t k = n / 2; k > least; k /= 2) step(k, 4, 2);
  return work;
}

Radix binary_radix_for_index(std::uint64_t n) {
  return binary_radix_for(static_cast<double>(n / 2 + 1) * log2_phi + 2);
}
Radix decimal_radix_for_index(std::uint64_t n) {
  return decimal_radix_for(static_cast<double>(n / 2 + 1) * log10_phi + 2);
}

DigitNumber sequence_digits(Sequence sequence, std::uint64_t n, TransformContext& context,
                            const DoublingRecord* record) {
  const Radix& radix = context.radix;
  const unsigned doublings = doublings_of(n, radix, *context.path);
  if (doublings == 0) {
    Words digits = context.spare.take(most_sequence_digits(n, radix));
    context.team->parallel(1, [&](std::int64_t /*part*/) {
      GmpNumber& small = context.short_numbers.front();
      sequence == Sequence::fibonacci ? mpz_fib_ui(small.get(), n) : mpz_lucnum_ui(small.get(), n);
      write_digits(small, radix, digits.span());
    });
    const std::size_t size = significant(digits.span());
    return {std::move(digits), size, radix};
  }
  const std::size_t half = most_sequence_digits(n / 2 + 1, radix);
  Doubling numbers{std::max(2 * half, most_sequence_digits(n, radix)) + 4, half + 4, half, context};
  unsigned left = doublings;
  if (record != nullptr && record->start) {
    left = record->start->left;
    numbers.go_on_from(*record->start);
  } else {
    numbers.start(n >> left);
  }
  while (left > 1) {
    --left;
    numbers.step(bit(n, left + 1), bit(n, left));
    if (record != nullptr) numbers.tell(*record, left);
  }
  numbers.last_step(sequence, bit(n, 1), bit(n, 0));
  return numbers.take_first();
}

SequencePair pair_digits(std::uint64_t n, TransformContext& context) {
  const unsigned doublings = doublings_of(n, context.radix, *context.path);
  const std::size_t half = most_sequence_digits(n / 2 + 1, context.radix);
  const std::size_t whole = std::max(2 * half, most_sequence_digits(n, context.radix)) + 4;
  Doubling numbers{whole, whole, half, context};
  numbers.start(n >> doublings);
  for (unsigned left = doublings; left-- > 0;) numbers.step(bit(n, left + 1), bit(n, left));
  return {numbers.take_first(), numbers.take_second()};
}

namespace {

std::vector<std::uint64_t> sequence_limbs(Sequence sequence, std::uint64_t n, const TransformTeam& team) {
  TransformContext context{.radix = binary_radix_for_index(n), .team = &team};
  const DigitNumber number = sequence_digits(sequence, n, context);
  context.space = {};
  return limbs_of(number, team);
}
std::string sequence_decimal(Sequence sequence, std::uint64_t n, const TransformTeam& team) {
  TransformContext context{.radix = decimal_radix_for_index(n), .team = &team};
  const DigitNumber number = sequence_digits(sequence, n, context);
  context.space = {};
  return decimal_string(number.digits(), number.radix, team);
}

}  // namespace

std::vector<std::uint64_t> fibonacci_limbs(std::uint64_t n, const TransformTeam& team) {
  return sequence_limbs(Sequence::fibonacci, n, team);
}
std::vector<std::uint64_t> fibonacci_limbs(std::uint64_t n, TransformContext& context) {
  context.radix = binary_radix_for_index(n);
  DigitNumber number = sequence_digits(Sequence::fibonacci, n, context);
  std::vector<std::uint64_t> limbs = limbs_of(number, *context.team);
  context.spare.give(std::move(number.words));
  return limbs;
}
std::vector<std::uint64_t> lucas_limbs(std::uint64_t n, const TransformTeam& team) {
  return sequence_limbs(Sequence::lucas, n, team);
}
std::string fibonacci_decimal(std::uint64_t n, const TransformTeam& team) {
  return sequence_decimal(Sequence::fibonacci, n, team);
}
std::string lucas_decimal(std::uint64_t n, const TransformTeam& team) {
  return sequence_decimal(Sequence::lucas, n, team);
}

}  // namespace duet
