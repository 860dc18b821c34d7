#pragma once

/// The computing in a batch, without any of the mapping.

#include <optional>

#include "kernels/arithmetic/fibonacci_residue.hpp"
#include "kernels/arithmetic/transform/team.hpp"
#include "kernels/core/partition.hpp"
#include "kernels/mapping/fib_batch/answers.hpp"
#include "kernels/mapping/fib_batch/inputs.hpp"
#include "kernels/mapping/fib_batch/plan.hpp"

namespace duet {

/// Answers pieces of one batch under one plan, both of which the caller keeps alive. Workers of one process share it.
class Solver {
 public:
  /// For residues it fills the tables of the modulus, every rank its own, while the other threads wait: as large as the
  /// share of one of `workers` pays for, at most 0.2 ms.
  Solver(const FibBatch& batch, const Plan& plan, int workers);

  /// Answers what all workers do together (`giants_of`), one after the other, by the team of all of them, and leaves it
  /// out of `plan`, which is the solver's.
  void answer_giants(Plan& plan, Shelf& shelf, const TransformTeam& team) const;

  /// Answers the items at `positions` and puts the answers on the caller's own shelf.
  void answer(Range positions, Shelf& mine) const;

 private:
  void answer_exactly(Range positions, Shelf& mine, const TransformTeam& team) const;
  void answer_modulo(Range positions, Shelf& mine) const;

  const FibBatch& batch_;
  const Plan& plan_;
  std::optional<FibonacciModulo> modulo_;
};

}  // namespace duet
