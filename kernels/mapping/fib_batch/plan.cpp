#include "kernels/mapping/fib_batch/plan.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>
#include <vector>

#include "kernels/arithmetic/natural.hpp"

namespace duet {
namespace {

/// Numbers by their size: octaves cut in 16, the largest numbers in class 0.
struct SizeClass {
  static constexpr unsigned parts_bits = 4;
  static constexpr std::size_t count = std::size_t{64} << parts_bits;

  /// The top five bits and the number of those below: shift * 16 + top, top in [0, 32), grows with n and is gapless.
  static std::uint16_t of(std::uint64_t n) {
    const auto bits = static_cast<unsigned>(std::bit_width(n));
    const unsigned shift = bits > parts_bits + 1 ? bits - (parts_bits + 1) : 0;
    return static_cast<std::uint16_t>(count - 1 - ((shift << parts_bits) + (n >> shift)));
  }
  static std::uint64_t largest(std::size_t size_class) {
    const std::uint64_t key = count - 1 - size_class;
    const std::uint64_t shift = key < (2U << parts_bits) ? 0 : (key >> parts_bits) - 1;
    const std::uint64_t top = key - (shift << parts_bits);
    return ((top + 1) << shift) - 1;
  }
};

/// Mean estimated time of an item, from 256 items at equal distances.
double mean_nanoseconds(const FibBatch& batch) {
  constexpr std::int64_t most = 256;
  const std::int64_t count = batch.inputs.count();
  const std::int64_t looked_at = std::min(count, most);
  double sum = 0;
  for (std::int64_t k = 0; k < looked_at; ++k) {
    sum += nanoseconds_of_item(batch, share_of(count, looked_at, k).begin);
  }
  return looked_at == 0 ? 1 : sum / static_cast<double>(looked_at);
}

Plan longest_first_plan(const FibBatch& batch, std::int64_t grain, int workers) {
  // Cost grows with n, so that n itself is the key, in classes 1/16 of an octave wide. A counting sort, largest first,
  // is linear, stable and the same on every rank; the rule's bound suffers by the width of a class, 10 % of one item.
  const std::int64_t count = batch.inputs.count();
  std::vector<std::uint16_t> classes(static_cast<std::size_t>(count));
  std::array<std::uint32_t, SizeClass::count + 1> begins{};
  for (std::size_t i = 0; i < classes.size(); ++i) {
    classes[i] = SizeClass::of(batch.inputs[static_cast<std::int64_t>(i)]);
    ++begins[classes[i] + 1U];
  }
  for (std::size_t c = 1; c < begins.size(); ++c) begins[c] += begins[c - 1];
  std::vector<std::uint32_t> order(classes.size());
  auto next = begins;
  for (std::size_t i = 0; i < classes.size(); ++i) order[next[classes[i]]++] = static_cast<std::uint32_t>(i);

  // All items of a class count as dear as its largest, so that cutting needs no further look at the inputs.
  std::vector<std::size_t> filled;
  double all = 0;
  for (std::size_t c = 0; c < SizeClass::count; ++c) {
    if (begins[c] == begins[c + 1]) continue;
    filled.push_back(c);
    all += (begins[c + 1] - begins[c]) * fibonacci_nanoseconds(SizeClass::largest(c));
  }
  const double target = std::min(piece_nanoseconds, all / static_cast<double>(pieces_a_worker * workers));
  std::vector<std::uint32_t> starts;
  for (const std::size_t c : filled) {
    const double dearest = fibonacci_nanoseconds(SizeClass::largest(c));
    const std::int64_t affordable = grain != 0 ? grain : static_cast<std::int64_t>(target / dearest);
    const auto together = static_cast<std::uint32_t>(std::clamp<std::int64_t>(affordable, 1, count));
    for (std::uint32_t at = begins[c]; at < begins[c + 1]; at += std::min(together, begins[c + 1] - at)) {
      starts.push_back(at);
    }
  }
  starts.push_back(static_cast<std::uint32_t>(count));
  return Plan::listed(std::move(order), std::move(starts), grain);
}

}  // namespace

Plan fib_batch_plan(const FibBatch& batch, Schedule schedule, std::int64_t grain, int workers) {
  const std::int64_t count = batch.inputs.count();
  require_plannable(count, grain, workers);
  if (schedule == Schedule::block) return Plan::in_blocks(count, workers);
  if (schedule == Schedule::longest_first && batch.exact() && count > 0) {
    return longest_first_plan(batch, grain, workers);
  }
  const bool one_by_one = schedule == Schedule::spawn_each || (schedule == Schedule::cyclic && batch.exact());
  if (grain != 0) return Plan::in_order(count, std::min(grain, std::max<std::int64_t>(1, count)));
  if (one_by_one) return Plan::in_order(count, 1);
  const std::int64_t most = std::max<std::int64_t>(1, count / (pieces_a_worker * workers));
  const double items = std::min(piece_nanoseconds / mean_nanoseconds(batch), static_cast<double>(most));
  return Plan::in_order(count, std::max<std::int64_t>(1, static_cast<std::int64_t>(items)));
}

std::int64_t giants_of(const FibBatch& batch, const Plan& plan, int workers) {
  constexpr double least_nanoseconds = 3e6;
  if (!batch.exact() || !plan.reordered() || plan.grain() != 0 || workers == 1) return 0;
  if (nanoseconds_of_item(batch, plan.item(0)) < least_nanoseconds) return 0;
  double left = 0;
  for (std::int64_t piece = 0; piece < plan.pieces(); ++piece) left += nanoseconds_of(batch, plan, piece);
  std::int64_t giants = 0;
  for (; giants < plan.pieces(); ++giants) {
    const double one = nanoseconds_of(batch, plan, giants);
    if (plan.piece(giants).size() != 1 || one < least_nanoseconds || one * workers <= left) break;
    left -= one;
  }
  return giants;
}

double nanoseconds_of(const FibBatch& batch, const Plan& plan, std::int64_t piece) {
  const Range positions = plan.piece(piece);
  if (!batch.exact()) return static_cast<double>(positions.size()) * nanoseconds_of_item(batch, 0);
  double sum = 0;
  for (std::int64_t p = positions.begin; p < positions.end; ++p) sum += nanoseconds_of_item(batch, plan.item(p));
  return sum;
}

}  // namespace duet
