#pragma once

/// Products, sums and carries of sliced numbers: one rank's part. The decomposition is explained in rank_doubling.hpp.

#include <mpi.h>

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "kernels/arithmetic/transform/path.hpp"
#include "kernels/arithmetic/transform/subtree.hpp"
#include "kernels/core/mpi.hpp"
#include "kernels/data_decomposition/fib_number/carry_map.hpp"
#include "kernels/data_decomposition/fib_number/rank_doubling.hpp"
#include "kernels/data_decomposition/fib_number/rank_plan.hpp"
#include "kernels/data_decomposition/fib_number/sliced_number.hpp"

namespace duet {

/// One block on its way: what this rank sends of it, and what comes from the others. Where rows are sent from where
/// they are, `sent` is where some columns of results are put together.
struct BlockSlot {
  Words sent{};
  Words received{};
  std::vector<MPI_Request> sends{};
  std::vector<MPI_Request> receives{};
};

struct RankSpace::Buffers {
  Words a_images;
  Words b_images;
  std::vector<BlockSlot> slots;
  SpareWords spare;  ///< for numbers
};

/// All calls are collective over the communicator, with the same arguments but for the digits on every rank.
class RankProducts {
 public:
  RankProducts(const Radix& radix, const RankDoubling& ranks, const RankDivision& division,
               RankSpace::Buffers& buffers);

  /// Takes the memory for the images of a product: pages that are taken anew for each step cost as much as the
  /// transforms.
  void make_room_for(const SlicedProduct& last);

  /// This rank's columns of a number that every rank has, in the shape for at least `places` digits, with room for
  /// `words`.
  [[nodiscard]] SlicedNumber slice_of(std::span<const std::uint64_t> digits, std::size_t places,
                                      std::size_t words = 0) const;

  /// The same of a number that `start` knows.
  [[nodiscard]] SlicedNumber slice_from(const DoublingRecord::Start& start, Sequence which, std::size_t words) const;

  /// a := a b and, for doubling, b := b b. Both have the same shape. Carries are not yet added: `settle` follows.
  void multiply(SlicedNumber& a, SlicedNumber& b, Combination combination);

  /// Adds a number below 32 in size to each, lets carries run, and counts the digits.
  void settle(const std::vector<SlicedNumber*>& numbers, const std::vector<std::int64_t>& smalls);

  /// From F(k), L(k) to F(k+1) = (F + L) / 2 and L(k+1) = (5 F + L) / 2, each where it is wanted: in the place of f or
  /// l. Settled.
  void half_sums(SlicedNumber& f, SlicedNumber& l, SlicedNumber* once, SlicedNumber* five_times);

 private:
  [[nodiscard]] SlicedNumber empty_number(const TransformShape& shape, std::size_t words) const;

  /// What is done with each block of an exchange. `receive` and `send` start messages; `prepare` and `use` compute, for
  /// several blocks side by side where a rank has threads; `then` is told how far blocks were used.
  struct Stages {
    std::size_t blocks = 0;
    std::function<void(std::size_t, BlockSlot&)> receive;
    std::function<void(std::size_t, BlockSlot&)> prepare;
    std::function<void(std::size_t, BlockSlot&)> send;
    std::function<void(std::size_t, BlockSlot&)> use;
    std::function<void(std::size_t, std::size_t)> then{};
  };
  /// Some columns of results: what other ranks sent of `received_columns`, in which they are, and where all
  /// coefficients of theirs are put, which may be the same place where both are the same columns.
  struct ResultBlock {
    Columns columns;
    Columns received_columns;
    std::uint64_t* received;
    std::uint64_t* coefficients;
  };
  /// `count` words from column `from` of a unit on, at `at` in a block's row.
  struct RowPiece {
    std::size_t from = 0;
    std::size_t at = 0;
    std::size_t count = 0;
  };
  [[nodiscard]] std::vector<RowPiece> pieces_of(const Columns& columns) const;
  static void copy_pieces(const std::uint64_t* row, std::span<const RowPiece> pieces, std::uint64_t* to);

  void make_room_for_blocks();
  void run(const Stages& stages);
  void send_digits(std::span<SlicedNumber* const> operands);
  void send_images(std::span<SlicedNumber* const> operands);
  void work_off_units(Combination combination);
  void send_results(Words& images, SlicedNumber& number);

  void take_digits(const SlicedNumber& operand, Words& images, const std::uint64_t* digits, std::size_t apart,
                   const Columns& columns) const;
  void transform_columns(const SlicedNumber& operand, std::size_t part, const Columns& columns, BlockSlot& slot) const;
  void inverse(const ResultBlock& block, Words& images, std::size_t prime, std::uint64_t* words) const;
  void recombine(const ResultBlock& block, Words& images, SlicedNumber& number, std::span<std::int64_t> carries) const;

  void receive_from(int rank, std::uint64_t* to, std::size_t words, int tag, BlockSlot& slot) const;
  void send_to(int rank, const std::uint64_t* from, std::size_t words, int tag, BlockSlot& slot) const;
  void wait_for(std::vector<MPI_Request>& requests) const;

  [[nodiscard]] std::uint64_t* image_of(Words& images, std::int64_t unit) const;
  [[nodiscard]] Words& images_of(std::size_t operand);
  [[nodiscard]] std::vector<std::int64_t> carries_into(const std::vector<CarryMap>& maps, std::size_t rows,
                                                       int active) const;
  [[nodiscard]] std::vector<std::uint64_t> parities_above(const SlicedNumber& f, const SlicedNumber& l) const;
  void count_digits(const std::vector<SlicedNumber*>& numbers) const;

  Radix radix_;
  const RankDoubling& ranks_;
  RankDivision division_;
  RankSpace::Buffers& buffers_;
  int rank_;
  int size_;
  const TransformPath& path_;
  Datatype map_type_;
  SlicedProduct layout_;
  Range units_;
  std::array<Line, transform_primes_count> lines_{};
};

}  // namespace duet
