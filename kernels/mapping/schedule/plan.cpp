#include "kernels/mapping/schedule/plan.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>

#include "kernels/mapping/schedule/assignment.hpp"

namespace duet {
namespace {

/// Where pieces of about `target` nanoseconds, one item at the least, begin in the order `order` (empty: as they are).
std::vector<std::uint32_t> cut_by_cost(std::span<const double> nanoseconds, const std::vector<std::uint32_t>& order,
                                       double target) {
  std::vector<std::uint32_t> starts;
  double filled = 0;
  for (std::size_t position = 0; position < nanoseconds.size(); ++position) {
    const double next = nanoseconds[order.empty() ? position : order[position]];
    if (position == 0 || filled + next > target) {
      starts.push_back(static_cast<std::uint32_t>(position));
      filled = 0;
    }
    filled += next;
  }
  starts.push_back(static_cast<std::uint32_t>(nanoseconds.size()));
  return starts;
}

}  // namespace

void require_plannable(std::int64_t count, std::int64_t grain, int workers) {
  if (grain < 0) throw std::invalid_argument("grain: " + std::to_string(grain) + " is negative");
  if (workers < 1) throw std::invalid_argument("a plan for " + std::to_string(workers) + " workers");
  if (count > std::numeric_limits<std::uint32_t>::max()) {
    throw std::invalid_argument(std::to_string(count) + " items in one batch; at most 2^32 - 1 go");
  }
}

Plan Plan::in_order(std::int64_t count, std::int64_t grain) {
  Plan plan;
  plan.count_ = count;
  plan.grain_ = grain;
  plan.pieces_ = (count + grain - 1) / grain;
  return plan;
}

Plan Plan::in_blocks(std::int64_t count, int workers) {
  Plan plan;
  plan.count_ = count;
  plan.blocks_ = plan.pieces_ = workers;
  plan.grain_ = count / workers;
  return plan;
}

Plan Plan::listed(std::vector<std::uint32_t> order, std::vector<std::uint32_t> starts, std::int64_t grain) {
  Plan plan;
  plan.count_ = starts.back();
  plan.grain_ = grain;
  plan.pieces_ = std::ssize(starts) - 1;
  plan.order_ = std::move(order);
  plan.starts_ = std::move(starts);
  return plan;
}

Plan Plan::by_cost(std::span<const double> nanoseconds, Schedule schedule, std::int64_t grain, int workers) {
  const std::int64_t count = std::ssize(nanoseconds);
  require_plannable(count, grain, workers);
  if (schedule == Schedule::block) return in_blocks(count, workers);
  const std::int64_t fixed =
      grain == 0 && (schedule == Schedule::cyclic || schedule == Schedule::spawn_each) ? 1 : grain;
  if (schedule != Schedule::longest_first && fixed > 0) return in_order(count, fixed);
  std::vector<std::uint32_t> order;
  if (schedule == Schedule::longest_first) order = longest_first_order(nanoseconds);
  if (fixed > 0) {
    std::vector<std::uint32_t> starts;
    for (std::int64_t at = 0; at < count; at += fixed) starts.push_back(static_cast<std::uint32_t>(at));
    starts.push_back(static_cast<std::uint32_t>(count));
    return listed(std::move(order), std::move(starts), fixed);
  }
  const double all = std::accumulate(nanoseconds.begin(), nanoseconds.end(), 0.0);
  const double target = std::min(piece_nanoseconds, all / static_cast<double>(pieces_a_worker * workers));
  std::vector<std::uint32_t> starts = cut_by_cost(nanoseconds, order, target);
  return listed(std::move(order), std::move(starts), 0);
}

void Plan::drop_first(std::int64_t pieces) {
  if (pieces == 0) return;
  if (starts_.empty() || pieces < 0 || pieces > pieces_) {
    throw std::invalid_argument("the first " + std::to_string(pieces) + " of " + std::to_string(pieces_) +
                                " pieces cannot be left out");
  }
  starts_.erase(starts_.begin(), starts_.begin() + pieces);
  pieces_ -= pieces;
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
