#include "kernels/data_decomposition/fib_number/rank_doubling.hpp"

#include <algorithm>
#include <bit>
#include <utility>
#include <vector>

#include "kernels/arithmetic/transform/subtree.hpp"
#include "kernels/arithmetic/transform/transform.hpp"
#include "kernels/data_decomposition/fib_number/rank_products.hpp"

namespace duet {
namespace {

/// How often the numbers are doubled that ranks share.
unsigned shared_doublings(const SlicedQuestion& question) {
  unsigned doublings = 0;
  while (doublings < 63 && most_sequence_digits(question.n >> doublings, question.radix) > question.least_shared) {
    ++doublings;
  }
  return doublings;
}

RankDivision division_of(const SlicedQuestion& question, int ranks) {
  return division_for(2 * most_sequence_digits(question.n / 2 + 1, question.radix) + 1, ranks);
}

/// The digits of L(k) = phi^k + (-1 / phi)^k.
std::size_t lucas_digits(std::uint64_t k, const Radix& radix) {
  constexpr long double log2_phi = 0.69424191363061730173879026L;
  constexpr long double log10_phi = 0.20898764024997873376927209L;
  const long double each = radix.bits != 0 ? log2_phi / radix.bits : log10_phi / radix.places;
  return static_cast<std::size_t>(static_cast<long double>(k) * each) + 1;
}

/// One product of `sliced_sequence`.
struct Step {
  TransformShape before;  ///< of the numbers that are multiplied
  SlicedProduct layout;
  bool sums_before = false;  ///< one half of a sum is made of them first
  bool sums_after = false;   ///< two are made of the results
};

std::vector<Step> steps_of(const SlicedQuestion& question, const RankDivision& division) {
  std::vector<Step> steps;
  const unsigned doublings = shared_doublings(question);
  if (doublings == 0) return steps;
  TransformShape shape = division.shape_for_digits(lucas_digits(question.n >> doublings, question.radix));
  for (unsigned left = doublings; left-- > 0;) {
    const bool last = left == 0;
    const bool odd = (question.n >> left & 1U) != 0;
    const bool of_lucas = last && question.sequence == Sequence::lucas;
    const std::size_t digits = lucas_digits((question.n >> (left + 1)) + (of_lucas && odd ? 1 : 0), question.radix);
    const std::size_t rows = (digits + shape.row_length - 1) / shape.row_length;
    steps.push_back({.before = shape,
                     .layout = {.division = division,
                                .from = {rows, shape.row_length},
                                .to = division.shape_for_digits(2 * digits + 1),
                                .operands = of_lucas && !odd ? 1U : 2U,
                                .results = last ? 1U : 2U},
                     .sums_before = last && odd,
                     .sums_after = !last && odd});
    shape = steps.back().layout.to;
  }
  return steps;
}

/// Words of a rank's part of a number.
std::size_t number_words(const TransformShape& shape, int ranks, int rank) {
  return shape.rows * (width_of(columns_of(shape, ranks, rank)) + columns_before);
}

/// Words of F, which becomes the answer, and of L, which ends a step before.
struct NumberWords {
  std::size_t first = 0;
  std::size_t second = 0;
};
NumberWords most_number_words(const std::vector<Step>& steps, int ranks, int rank) {
  NumberWords most;
  for (const Step& step : steps) {
    most.second = std::max(most.second, number_words(step.before, ranks, rank));
    most.first = std::max({most.first, most.second, number_words(step.layout.to, ranks, rank)});
  }
  return most;
}

/// The scan of the carries of so many numbers, and the count of their digits.
void add_settling(RankMoves& moves, const TransformShape& shape, std::int64_t numbers, int ranks, int rank) {
  if (ranks == 1) return;
  constexpr std::int64_t words_of_map = 3;
  const std::int64_t words = words_of_map * numbers * static_cast<std::int64_t>(shape.rows);
  if (rank != 0) moves.carries += {1, words};
  if (rank != active_ranks(shape, ranks) - 1) moves.row_carries += {1, words};
  moves.carries += {1, numbers};
}

void add_sums(RankMoves& moves, const TransformShape& shape, std::int64_t numbers, int ranks, int rank) {
  const int active = active_ranks(shape, ranks);
  if (active > 1 && rank < active) moves.parities += {1, static_cast<std::int64_t>(shape.rows)};
  add_settling(moves, shape, numbers, ranks, rank);
}

void tell(const DoublingRecord& record, unsigned left, const SlicedNumber& f, const SlicedNumber& l) {
  const std::size_t digits = std::max(f.digits, l.digits);
  if (!record.reached || digits < record.least_digits) return;
  DoublingStep step{.left = left, .digits = digits, .length = l.shape.words()};
  for (std::size_t r = 0; r < l.shape.rows && l.width() != 0; ++r) {
    step.fibonacci.push_back({f.place_of(r), f.row(r)});
    step.lucas.push_back({l.place_of(r), l.row(r)});
  }
  record.reached(step);
}

}  // namespace

RankMoves rank_doubling_moves(const SlicedQuestion& question, int ranks, int rank) {
  RankMoves moves;
  for (const Step& step : steps_of(question, division_of(question, ranks))) {
    if (step.sums_before) add_sums(moves, step.before, 1, ranks, rank);
    moves.operands += step.layout.operands_received(rank);
    moves.results += step.layout.results_received(rank);
    add_settling(moves, step.layout.to, static_cast<std::int64_t>(step.layout.results), ranks, rank);
    if (step.sums_after) add_sums(moves, step.layout.to, 2, ranks, rank);
  }
  return moves;
}

SlicedProduct last_product(const SlicedQuestion& question, int ranks) {
  const RankDivision division = division_of(question, ranks);
  const std::vector<Step> steps = steps_of(question, division);
  if (!steps.empty()) return steps.back().layout;
  // None is shared.
  const TransformShape shape = division.shape_for_digits(1);
  return {.division = division, .from = shape, .to = shape, .operands = 0, .results = 0};
}

double rank_doubling_bytes(const SlicedQuestion& question, int ranks, int rank, int workers) {
  const std::vector<Step> steps = steps_of(question, division_of(question, ranks));
  // What every rank does for itself: both numbers, and the transform of the last product.
  const std::size_t start = question.n >> shared_doublings(question);
  double words = doubling_bytes(2 * start, question.radix) / 8;
  if (!steps.empty()) {
    const NumberWords numbers = most_number_words(steps, ranks, rank);
    std::size_t images = 0;
    for (const Step& step : steps) images = std::max(images, step.layout.image_words(rank));
    std::size_t blocks = 0;
    for (std::size_t slot = 0; slot < 2 * static_cast<std::size_t>(workers); ++slot) {
      BlockWords most;
      for (const Step& step : steps) {
        const BlockWords block = step.layout.block_words(rank, slot);
        most = {std::max(most.sent, block.sent), std::max(most.received, block.received)};
      }
      blocks += most.sent + most.received;
    }
    const std::size_t twiddles = transform_primes_count * std::bit_ceil(least_twiddles(steps.back().layout.to.words()));
    const std::size_t own_twiddles = static_cast<std::size_t>(workers) * subtree_chunk / 2;
    words += static_cast<double>(images + numbers.first + numbers.second + blocks + twiddles + own_twiddles);
  }
  return 8 * words;
}

SlicedNumber sliced_sequence(Sequence sequence, std::uint64_t n, const Radix& radix, const RankDoubling& ranks,
                             RankSpace& space) {
  const SlicedQuestion question{sequence, n, radix, ranks.least_shared};
  const unsigned doublings = shared_doublings(question);
  const int size = size_of(ranks.communicator);
  const RankDivision division = division_of(question, size);
  RankProducts products{radix, ranks, division, space.buffers()};
  TransformContext here{.radix = radix};
  if (doublings == 0) {
    const Booking booking{ranks.timesheet, 0, Activity::useful};
    return products.slice_of(sequence_digits(sequence, n, here).digits(), 0);
  }
  const std::vector<Step> steps = steps_of(question, division);
  const NumberWords numbers = most_number_words(steps, size, rank_in(ranks.communicator));
  products.make_room_for(steps.back().layout);
  const DoublingRecord* const record = ranks.record;
  unsigned left = doublings;
  SlicedNumber f;
  SlicedNumber l;
  if (record != nullptr && record->start) {
    left = record->start->left;
    f = products.slice_from(*record->start, Sequence::fibonacci, numbers.first);
    l = products.slice_from(*record->start, Sequence::lucas, numbers.second);
  } else {
    const Booking booking{ranks.timesheet, 0, Activity::useful};
    const auto [f_of_all, l_of_all] = pair_digits(n >> left, here);
    // Both numbers of a pair stand in the shape of the larger one.
    l = products.slice_of(l_of_all.digits(), 0, numbers.second);
    f = products.slice_of(f_of_all.digits(), l.digits, numbers.first);
  }
  while (left > 1) {
    --left;
    const std::int64_t sign = (n >> (left + 1) & 1U) != 0 ? -1 : 1;  // (-1)^k
    products.multiply(f, l, Combination::doubling);
    products.settle({&f, &l}, {0, -2 * sign});
    if ((n >> left & 1U) != 0) products.half_sums(f, l, &f, &l);
    if (record != nullptr) tell(*record, left, f, l);
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
  space.give_back(std::move(l.words));
  return f;
}

}  // namespace duet
