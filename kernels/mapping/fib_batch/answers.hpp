#pragma once

/// The answers that one process holds: each stays with the worker that found it.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kernels/arithmetic/natural.hpp"
#include "kernels/arithmetic/transform/transform.hpp"
#include "kernels/core/partition.hpp"

namespace duet {

/// Items that one worker answered in one go: their answers stand at `first`, `first` + 1, ... of its shelf.
struct Answered {
  Range items;
  std::int64_t first = 0;
};

/// The answers of one worker, in the order in which it found them. Only that worker touches it while a batch runs; it
/// has cache lines of its own.
struct alignas(64) Shelf {
  std::vector<Answered> answered;
  std::vector<Natural> naturals;        ///< where the batch is exact
  std::vector<std::uint64_t> residues;  ///< where it is modulo m
  TransformContext workspace{};         ///< of the worker, kept from one number to the next
};

class Answers {
 public:
  /// One shelf for each worker of this process. Throws std::invalid_argument for less than one.
  explicit Answers(int workers);

  /// Room for `items` answers a shelf, so that execution does not grow them; more will fit.
  void reserve(std::int64_t items, bool exact);
  /// Forgets the answers and keeps the memory.
  void clear();

  [[nodiscard]] int workers() const { return static_cast<int>(shelves_.size()); }
  [[nodiscard]] Shelf& shelf(int worker) { return shelves_.at(static_cast<std::size_t>(worker)); }
  [[nodiscard]] std::span<const Shelf> shelves() const { return shelves_; }

  /// Calls act(i, answer) for each exact answer held here, a Natural, in no particular order;
  /// never where they are residues.
  template <class Act>
  void each_natural(Act&& act) const {
    for (const Shelf& shelf : shelves_) each(shelf, shelf.naturals, act);
  }
  /// The same for residues: act(i, std::uint64_t); never where the answers are exact.
  template <class Act>
  void each_residue(Act&& act) const {
    for (const Shelf& shelf : shelves_) each(shelf, shelf.residues, act);
  }

 private:
  template <class Answer, class Act>
  static void each(const Shelf& shelf, const std::vector<Answer>& found, Act& act) {
    if (found.empty()) return;
    for (const Answered& run : shelf.answered) {
      for (std::int64_t i = run.items.begin; i < run.items.end; ++i) {
        act(i, found[static_cast<std::size_t>(run.first + i - run.items.begin)]);
      }
    }
  }

  std::vector<Shelf> shelves_;
};

}  // namespace duet
