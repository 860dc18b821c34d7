#include "kernels/pipeline/cholesky/rank_work.hpp"

#include <stdexcept>
#include <thread>

#include "kernels/pipeline/cholesky/cholesky.hpp"

namespace duet {
namespace {

/// Updates of other tiles between a factor and the solves that wait for it. One thread of one grid row has just made
/// the factor itself; a team has another thread at it, and in a grid of several rows it comes from another rank.
std::int64_t updates_ahead(const PanelExchange& exchange, int threads) {
  const bool comes_from_elsewhere = exchange.layout().grid().rows > 1;
  if (threads == 1 && !comes_from_elsewhere) return 0;
  return comes_from_elsewhere ? 2 * threads : threads;
}

}  // namespace

RankWork::RankWork(const TileMatrix& a, PanelExchange& exchange, int threads)
    : a_{a},
      exchange_{exchange},
      kernels_{tile_kernels()},
      steps_{wavefront(a, updates_ahead(exchange, threads))},
      taken_(a.mine().size()) {
  const TileLayout& layout = a.layout();
  const TileLayout& expected = exchange.layout();
  if (layout.n() != expected.n() || layout.tile() != expected.tile() || layout.grid() != expected.grid() ||
      a.rank() != exchange.rank()) {
    throw std::invalid_argument("the tiles of rank " + std::to_string(a.rank()) +
                                " of another layout than this rank's messages are made for");
  }
  std::vector<std::int64_t> updates(static_cast<std::size_t>(layout.count()));
  for (const WavefrontStep& step : steps_) {
    if (step.stage == WavefrontStep::Stage::update) ++updates[static_cast<std::size_t>(step.k)];
  }
  exchange.begin(a, updates);
}

void RankWork::run(bool may_communicate, Booking& booking) noexcept {
  try {
    take_tasks(may_communicate, booking);
  } catch (...) {
    failure_ = std::current_exception();
    abandoned_ = true;
  }
}

void RankWork::take_tasks(bool may_communicate, Booking& booking) {
  const auto move_panels = [&] {
    if (!may_communicate) return;
    booking.now(Activity::communicating);
    exchange_.advance();
  };
  const auto wait_until = [&](auto&& met) {
    move_panels();
    while (!met() && !is_over()) {
      if (!may_communicate) booking.now(Activity::waiting);
      std::this_thread::yield();
      move_panels();
    }
    return !is_over();
  };
  for (std::size_t index = 0; (index = static_cast<std::size_t>(next_.fetch_add(1))) < steps_.size();) {
    const WavefrontStep& step = steps_[index];
    if (!wait_until([&] { return is_ready(step); })) break;
    booking.now(Activity::useful);
    perform(step);
  }
  if (may_communicate) static_cast<void>(wait_until([&] { return exchange_.is_complete(); }));
  booking.now(Activity::waiting);
}

void RankWork::finish() {
  if (failure_) std::rethrow_exception(failure_);
  exchange_.finish();
  if (exchange_.bad_pivot() >= 0) throw NotPositiveDefinite{exchange_.bad_pivot(), a_.layout().n()};
}

bool RankWork::is_ready(const WavefrontStep& step) const {
  if (taken(step).load(std::memory_order_acquire) != step.k) return false;
  switch (step.stage) {
    case WavefrontStep::Stage::factor:
      return true;
    case WavefrontStep::Stage::solve:
      return exchange_.diagonals_here() > step.k;
    case WavefrontStep::Stage::update:
      return exchange_.panels_here() > step.k;
  }
  return false;
}

void RankWork::perform(const WavefrontStep& step) {
  const TileLayout& layout = a_.layout();
  const std::int64_t depth = layout.extent(step.k);
  double* const tile = a_.tile(step.i, step.j);
  switch (step.stage) {
    case WavefrontStep::Stage::factor: {
      const std::int64_t good = kernels_.factor(tile, depth);
      exchange_.factored(good < depth ? layout.begin(step.k) + good : -1);
      break;
    }
    case WavefrontStep::Stage::solve:
      kernels_.solve(exchange_.diagonal(step.k), depth, tile, layout.extent(step.i));
      exchange_.solved();
      break;
    case WavefrontStep::Stage::update: {
      const double* const rows = exchange_.row_tile(step.i, step.k);
      if (step.i == step.j) {
        kernels_.update_diagonal(rows, depth, tile, layout.extent(step.i));
      } else {
        kernels_.update(rows, exchange_.column_tile(step.j, step.k), depth, tile, layout.extent(step.i),
                        layout.extent(step.j));
      }
      taken(step).fetch_add(1, std::memory_order_release);
      exchange_.updated(step.k);
      break;
    }
  }
}

}  // namespace duet
