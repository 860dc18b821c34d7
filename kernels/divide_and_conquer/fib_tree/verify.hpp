#pragma once

#include "kernels/core/problem.hpp"
#include "kernels/divide_and_conquer/fib_tree/tree.hpp"

namespace duet {

/// Whether `found` is what the tree of `n` cut at `cutoff` has: F(n) and 2 F(n+1) - 1 calls, by doubling
///
///     F(2k) = F(k) (2 F(k+1) - F(k)),    F(2k+1) = F(k)^2 + F(k+1)^2
///
/// modulo 2^64, and F(n - cutoff + 2) tasks. Nothing of it is computed as the tree or the tables of tree.hpp do. The
/// same on every rank of `communicator`, also where only one of them is wrong. Collective; MPI_COMM_NULL stands for one
/// process.
[[nodiscard]] Judgement judge_fib_tree(std::int64_t n, std::int64_t cutoff, const TreeCount& found,
                                       MPI_Comm communicator);

}  // namespace duet
