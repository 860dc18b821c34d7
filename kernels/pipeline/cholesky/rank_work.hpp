#pragma once

/// The tasks of one rank, worked off by one thread or by a team.

#include <atomic>
#include <cstdint>
#include <exception>
#include <vector>

#include "kernels/core/timesheet.hpp"
#include "kernels/pipeline/cholesky/panel_exchange.hpp"
#include "kernels/pipeline/cholesky/wavefront.hpp"

namespace duet {

class RankWork {
 public:
  /// Begins a factorisation of `a` with a team of `threads`. Keeps references to both. Throws std::invalid_argument
  /// unless `a` has this rank's tiles of exchange.layout().
  RankWork(const TileMatrix& a, PanelExchange& exchange, int threads);

  /// Takes tasks in the order of the list until none is left or a pivot failed. Each thread of the team calls it; the
  /// one that `may_communicate` also moves panels, before and after its tasks and while it waits, and stays until every
  /// panel is here.
  /// Throws nothing: what fails in MPI ends the team's work and is thrown by `finish`.
  void run(bool may_communicate, Booking& booking) noexcept;

  /// Waits for what was sent. Throws NotPositiveDefinite, on every rank, where a pivot failed. For the thread that may
  /// communicate, after the team.
  void finish();

 private:
  void take_tasks(bool may_communicate, Booking& booking);
  [[nodiscard]] bool is_over() const { return exchange_.bad_pivot() >= 0 || abandoned_.load(); }
  [[nodiscard]] bool is_ready(const WavefrontStep& step) const;
  void perform(const WavefrontStep& step);
  [[nodiscard]] std::atomic<std::int64_t>& taken(const WavefrontStep& step) {
    return taken_[static_cast<std::size_t>(step.tile)];
  }
  [[nodiscard]] const std::atomic<std::int64_t>& taken(const WavefrontStep& step) const {
    return taken_[static_cast<std::size_t>(step.tile)];
  }

  const TileMatrix& a_;
  PanelExchange& exchange_;
  const TileKernels& kernels_;
  std::vector<WavefrontStep> steps_;
  std::vector<std::atomic<std::int64_t>> taken_;  ///< columns of L that each of my tiles has taken
  std::atomic<std::int64_t> next_{0};
  std::exception_ptr failure_;  ///< of the thread that communicates, which alone can fail
  std::atomic<bool> abandoned_{false};
};

}  // namespace duet
