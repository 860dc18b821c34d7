#pragma once

/// Judges products by mathematics that is independent of how they were computed, and of the memory that they were
/// computed from: operands are made anew.

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "kernels/core/execution.hpp"
#include "kernels/core/problem.hpp"
#include "kernels/mapping/matrix_batch/rank_batch.hpp"

namespace duet {

/// How far an answer is off, and how far it may be.
struct Deviation {
  double error = 0;
  double bound = 0;

  /// Whether it is relatively larger than another.
  [[nodiscard]] bool exceeds(const Deviation& other) const { return error * other.bound > other.error * bound; }
};

/// What is wrong with `c` as A B; nothing where it is right up to rounding. `worst` becomes the relatively largest of
/// what it was and the deviations found here.
///
/// Products of up to 2^17 multiplications, and those with operands that are not finite, are compared entry by entry
/// with a plain sum in double: NaN, infinities and finite numbers have to stand where IEEE 754 puts them. Others by
/// Freivalds' check (1977): for two random vectors x, C x against A (B x), row by row, in 2 (mk + kn + mn) operations a
/// vector. All |x_j| are in [1/2, 1), so that one wrong entry is always found when it is off by more than twice the
/// bound; several of one row can hide each other only where a random combination of them vanishes, twice. The first
/// wrong row is compared entry by entry, to name what would be right.
///
/// With u the unit roundoff of Element, v that of double, gamma_j(u) = j u / (1 - j u) (Higham, Accuracy and stability
/// of numerical algorithms, 2002, section 3.5), and every |x_j| as 1:
///
///     |fl(C x) - fl(A fl(B x))| <= (gamma_k(u) + 2 gamma_{n+k+2}(v)) |A||B||x|,
///
/// and for an entry |c - sum| <= (gamma_k(u) + gamma_{k+2}(v)) |A||B|; products that underflow are allowed for. `seed`
/// draws the vectors of `item`.
template <class Element>
[[nodiscard]] std::optional<std::string> objection_to_product(MatrixView<const Element> a, MatrixView<const Element> b,
                                                              MatrixView<const Element> c, std::uint64_t seed,
                                                              std::int64_t item, Deviation& worst);

/// Judges what this process computed of `batch`, `tasks` being the whole division: every task must be there exactly
/// once over all ranks, have the shape of its block, and be right. Collective over execution.communicator
/// (MPI_COMM_NULL: one process); uses execution.threads threads that it makes and ends. The verdict is the same on
/// every rank and names the first wrong item.
template <class Element>
[[nodiscard]] Judgement judge_matrix_batch(const MatrixBatch& batch, std::span<const BatchTask> tasks,
                                           std::span<const ComputedTask<Element>> computed, std::uint64_t seed,
                                           const Execution& execution);

/// A hash of all entries with their places, the same however items are divided and distributed. Collective.
template <class Element>
[[nodiscard]] std::string digest_of_matrix_batch(std::span<const BatchTask> tasks,
                                                 std::span<const ComputedTask<Element>> computed,
                                                 MPI_Comm communicator);

}  // namespace duet
