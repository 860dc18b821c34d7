#include "kernels/mapping/fib_batch/plan.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <stdexcept>
#include <string>

#include "kernels/arithmetic/natural.hpp"

namespace duet {
namespace {

constexpr double piece_nanoseconds = 25'000;
constexpr std::int64_t pieces_a_worker = 8;

constexpr std::array<std::pair<std::string_view, Schedule>, 7> schedules{{{"block", Schedule::block},
                                                                          {"cyclic", Schedule::cyclic},
                                                                          {"dynamic", Schedule::dynamic},
                                                                          {"guided", Schedule::guided},
                                                                          {"longest_first", Schedule::longest_first},
                                                                          {"stealing", Schedule::stealing},
                                                                          {"spawn_each", Schedule::spawn_each}}};

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

}  // namespace

std::string_view name_of(Schedule schedule) { return schedules.at(static_cast<std::size_t>(schedule)).first; }

Schedule schedule_called(std::string_view name) {
  std::string names;
  for (const auto& [called, schedule] : schedules) {
    if (called == name) return schedule;
    names += (names.empty() ? "" : ", ") + std::string{called};
  }
  throw std::invalid_argument("schedule: '" + std::string{name} + "' is none of " + names);
}

Plan::Plan(const FibBatch& batch, Schedule schedule, std::int64_t grain, int workers) : count_{batch.inputs.count()} {
  if (grain < 0) throw std::invalid_argument("grain: " + std::to_string(grain) + " is negative");
  if (workers < 1) throw std::invalid_argument("a plan for " + std::to_string(workers) + " workers");
  if (count_ > std::numeric_limits<std::uint32_t>::max()) {
    throw std::invalid_argument(std::to_string(count_) + " items in one batch; at most 2^32 - 1 go");
  }
  if (schedule == Schedule::block) {
    blocks_ = pieces_ = workers;
    grain_ = count_ / workers;
    return;
  }
  if (schedule == Schedule::longest_first && batch.exact() && count_ > 0) {
    sort_longest_first(batch, grain, workers);
    return;
  }
  const bool one_by_one = schedule == Schedule::spawn_each || (schedule == Schedule::cyclic && batch.exact());
  if (grain != 0) {
    grain_ = std::min(grain, std::max<std::int64_t>(1, count_));
  } else if (one_by_one) {
    grain_ = 1;
  } else {
    const std::int64_t most = std::max<std::int64_t>(1, count_ / (pieces_a_worker * workers));
    const double items = std::min(piece_nanoseconds / mean_nanoseconds(batch), static_cast<double>(most));
    grain_ = std::max<std::int64_t>(1, static_cast<std::int64_t>(items));
  }
  pieces_ = (count_ + grain_ - 1) / grain_;
}

void Plan::sort_longest_first(const FibBatch& batch, std::int64_t grain, int workers) {
  // Cost grows with n, so that n itself is the key, in classes 1/16 of an octave wide. A counting sort, largest first,
  // is linear, stable and the same on every rank; the rule's bound suffers by the width of a class, 10 % of one item.
  std::vector<std::uint16_t> classes(static_cast<std::size_t>(count_));
  std::array<std::uint32_t, SizeClass::count + 1> begins{};
  for (std::size_t i = 0; i < classes.size(); ++i) {
    classes[i] = SizeClass::of(batch.inputs[static_cast<std::int64_t>(i)]);
    ++begins[classes[i] + 1U];
  }
  for (std::size_t c = 1; c < begins.size(); ++c) begins[c] += begins[c - 1];
  order_.resize(classes.size());
  auto next = begins;
  for (std::size_t i = 0; i < classes.size(); ++i) order_[next[classes[i]]++] = static_cast<std::uint32_t>(i);

  // All items of a class count as dear as its largest, so that cutting needs no further look at the inputs.
  grain_ = grain;
  std::vector<std::size_t> filled;
  double all = 0;
  for (std::size_t c = 0; c < SizeClass::count; ++c) {
    if (begins[c] == begins[c + 1]) continue;
    filled.push_back(c);
    all += (begins[c + 1] - begins[c]) * fibonacci_nanoseconds(SizeClass::largest(c));
  }
  const double target = std::min(piece_nanoseconds, all / static_cast<double>(pieces_a_worker * workers));
  for (const std::size_t c : filled) {
    const double dearest = fibonacci_nanoseconds(SizeClass::largest(c));
    const std::int64_t affordable = grain != 0 ? grain : static_cast<std::int64_t>(target / dearest);
    const auto together = static_cast<std::uint32_t>(std::clamp<std::int64_t>(affordable, 1, count_));
    for (std::uint32_t at = begins[c]; at < begins[c + 1]; at += std::min(together, begins[c + 1] - at)) {
      starts_.push_back(at);
    }
  }
  pieces_ = static_cast<std::int64_t>(starts_.size());
  starts_.push_back(static_cast<std::uint32_t>(count_));
}

Range Plan::positions(Range pieces) const {
  if (blocks_ != 0) {
    return {pieces.begin == blocks_ ? count_ : share_of(count_, blocks_, pieces.begin).begin,
            pieces.end == blocks_ ? count_ : share_of(count_, blocks_, pieces.end).begin};
  }
  if (!starts_.empty()) {
    return {starts_[static_cast<std::size_t>(pieces.begin)], starts_[static_cast<std::size_t>(pieces.end)]};
  }
  return {std::min(pieces.begin * grain_, count_), std::min(pieces.end * grain_, count_)};
}

std::vector<std::int64_t> Plan::guided_chunks(int workers) const {
  const std::int64_t divisor = 2 * std::int64_t{workers};
  std::vector<std::int64_t> begins;
  std::int64_t begin = 0;
  for (; begin < pieces_; begin += (pieces_ - begin + divisor - 1) / divisor) begins.push_back(begin);
  begins.push_back(pieces_);
  return begins;
}

}  // namespace duet
