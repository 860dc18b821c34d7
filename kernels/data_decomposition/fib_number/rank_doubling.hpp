#pragma once

/// F(n) and L(n) by doubling over ranks: the transforms of arithmetic/transform, cut into units that ranks share out.
///
/// The first levels of a transform leave rows, which are transforms of their own; with three primes they make 27 units
/// or more (rank_plan.hpp). A unit needs no other until the inverse joins the rows again, column by column:
///
///     digits of F(k), L(k)     every rank holds some columns (sliced_number.hpp)
///       |  all to all, a block of columns at a time.  Up to six ranks: digits; each makes of them the first levels of
///       |  its own units.  Beyond: each rank does the first levels of its own columns, and sends images
///       v
///     units                    forward, combine, backward: nothing is sent; nine tenths of the work
///       |  all to all, a block of columns at a time: each rank gets its columns of all units
///       v
///     blocks of coefficients   last levels, Chinese remainders, digits: in the second-level cache
///       |  a scan of what each rank's part of a row does to a carry (carry_map.hpp)
///       v
///     digits of F(2k), L(2k)
///
/// Two exchanges a step, which are as few as are known: one transposition down and one up. (Three for a transform that
/// ends in order; F and L share theirs, and so do the three transforms of a product.)
///
/// Words that a rank of p receives, in a step to N coefficients by p <= 6 or more ranks, but for padding (a third more
/// in all for the first of 64 ranks at F(10^9): in short steps only some ranks have columns):
///
///     operands    2 N/2 (1 - 1/p)            digits: for both operands
///                 2 3 N/p (1 - 1/p)          images
///     results     2 3 N/p (1 - 1/p)          and 8 columns more for each block of some hundred to a thousand
///     carries     3 words a row and number   scanned, and as many from the last rank; a word a row for halves
///
/// Steps halve: all together move twice that of the last but one, and the last itself, which has one result. Messages:
/// p - 1 for each block of columns, or as many for each row in it where rows are long, which are sent from where they
/// are; and four or five for carries. `rank_doubling_moves` has the exact figures, to which a test holds the kernel.
/// Digits are the fewer words up to six ranks, since an operand has half the digits of the product, and its images
/// three primes times all of them.
///
/// Memory of a rank: 6 N/p words of images in the last step, 1.5 N/p of digits, and blocks of up to half a million
/// words; twiddles are made where they are needed. `rank_doubling_bytes` says it beforehand, so that a number may be
/// larger than the memory of one rank.
///
/// Ranks that take part: up to sqrt(3 N / 128) all have both units and columns, 512 for F(10^9); beyond, some have only
/// one of them.
///
/// What is not shared: the numbers below `least_shared_digits`, which every rank computes for itself.

#include <mpi.h>

#include <cstdint>
#include <memory>

#include "kernels/arithmetic/fast_doubling.hpp"
#include "kernels/arithmetic/transform/team.hpp"
#include "kernels/core/timesheet.hpp"
#include "kernels/data_decomposition/fib_number/rank_plan.hpp"
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
  /// The words of an answer that nobody needs any more: the next one takes them.
  void give_back(Words words);

 private:
  std::unique_ptr<Buffers> buffers_;
};

struct RankDoubling {
  MPI_Comm communicator;
  const TransformTeam& team;  ///< of this rank
  Timesheet* timesheet = nullptr;
  std::size_t least_shared = least_shared_digits;  ///< 64 at the least; for tests
  const DoublingRecord* record = nullptr;          ///< asked where to begin and told of the steps; null: nobody
};

/// F(n) or L(n). Collective. `space` serves one call at a time. Throws std::length_error as `sequence_digits`, and
/// MpiError.
[[nodiscard]] SlicedNumber sliced_sequence(Sequence sequence, std::uint64_t n, const Radix& radix,
                                           const RankDoubling& ranks, RankSpace& space);

/// What is asked of the ranks.
struct SlicedQuestion {
  Sequence sequence = Sequence::fibonacci;
  std::uint64_t n = 0;
  Radix radix;
  std::size_t least_shared = least_shared_digits;
};

/// What enters a rank, by purpose.
struct RankMoves {
  Moved operands;     ///< digits or images, point to point
  Moved results;      ///< coefficients, point to point
  Moved parities;     ///< for halves, point to point
  Moved carries;      ///< scans of carries, and the largest number of digits: reductions
  Moved row_carries;  ///< what whole rows do to a carry: broadcasts

  [[nodiscard]] Moved whole() const { return operands + results + parities + carries + row_carries; }
};

/// Of `sliced_sequence` on `rank` of `ranks`: a pure function. The digits on the way are computed as n log(phi), so
/// that where an L(k) is within some 10^-8 of a power of the base, figures may be those of a digit more.
[[nodiscard]] RankMoves rank_doubling_moves(const SlicedQuestion& question, int ranks, int rank);

/// How the last product, the longest, is divided.
[[nodiscard]] SlicedProduct last_product(const SlicedQuestion& question, int ranks);

/// Bytes that `rank` of `ranks` needs, of `workers` threads. O(n / ranks), and a constant.
[[nodiscard]] double rank_doubling_bytes(const SlicedQuestion& question, int ranks, int rank, int workers = 1);

}  // namespace duet
