#pragma once

/// F(n) and L(n) by doubling over ranks: the transforms of arithmetic/transform, cut into units that ranks share out.
///
/// The first four levels of a transform leave up to 16 rows, which are transforms of their own; with three primes that
/// makes up to 48 *units*. A unit needs no other until the inverse joins the rows again, column by column:
///
///     digits of F(k), L(k)     every rank holds some columns (sliced_number.hpp)
///       |  all to all: each rank gets the digits of all columns, a few at a time, makes of them the first levels of
///       v  its own units, and forgets them
///     units                    forward, combine, backward: nothing is sent; nine tenths of the work
///       |  all to all: each rank gets its columns of all units
///       v
///     columns of coefficients  last levels, Chinese remainders, carries within a row's part
///       |  two coefficients from the rank before, carries to the rank after
///       v
///     digits of F(2k), L(2k)
///
/// Digits are sent before the transform rather than words of its image behind the first levels: an operand has half the
/// digits of the product, and its image three primes times all of them. That is less up to six ranks; beyond, columns
/// would have to be exchanged after the first levels.
///
/// Words that a rank of p receives for a product of N digits: N/2 (1 - 1/p) for each operand and 3 N / p (1 - 1/p) for
/// each result, and one in some thousand for carries; all steps together are twice the last. Messages: p - 1 a round of
/// digits, one a unit for each rank that has columns of it.
///
/// What is not shared: the numbers below `least_shared_digits`, which every rank computes for itself.

#include <mpi.h>

#include <cstdint>
#include <memory>

#include "kernels/arithmetic/fast_doubling.hpp"
#include "kernels/arithmetic/transform/team.hpp"
#include "kernels/core/timesheet.hpp"
#include "kernels/data_decomposition/fib_number/sliced_number.hpp"

namespace duet {

/// Below so many digits a step of doubling is done before two ranks have met once for each exchange.
inline constexpr std::size_t least_shared_digits = 4096;

/// Working memory, which grows to what is needed. Kept between calls, it saves the taking of pages, a third of the
/// time.
class RankSpace {
 public:
  RankSpace();
  ~RankSpace();
  RankSpace(RankSpace&&) noexcept;
  RankSpace& operator=(RankSpace&&) noexcept;

  struct Buffers;
  [[nodiscard]] Buffers& buffers() { return *buffers_; }

 private:
  std::unique_ptr<Buffers> buffers_;
};

struct RankDoubling {
  MPI_Comm communicator;
  const TransformTeam& team;  ///< of this rank
  Timesheet* timesheet = nullptr;
  std::size_t least_shared = least_shared_digits;  ///< 64 at the least; for tests
};

/// F(n) or L(n). Collective. `space` serves one call at a time. Throws std::length_error as `sequence_digits`, and
/// MpiError.
[[nodiscard]] SlicedNumber sliced_sequence(Sequence sequence, std::uint64_t n, const Radix& radix,
                                           const RankDoubling& ranks, RankSpace& space);

/// Bytes that `ranks` ranks of one node need together.
[[nodiscard]] double rank_doubling_bytes(std::uint64_t n, const Radix& radix, int ranks);

}  // namespace duet
