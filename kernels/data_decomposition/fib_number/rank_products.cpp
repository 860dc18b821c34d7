#include "kernels/data_decomposition/fib_number/rank_products.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "kernels/arithmetic/transform/half_sums.hpp"
#include "kernels/arithmetic/transform/twiddles.hpp"

namespace duet {
namespace {

enum Tag : int { tag_digits = 1000, tag_images, tag_results, tag_parities };

constexpr std::size_t most_pass_rows = 16;

/// The levels below the first four that ranks have cut off their rows: `rows` of them below `node`, `length` words
/// each.
void levels_forward(const TransformPath& path, const Line& line, std::uint64_t* words, std::size_t rows,
                    std::size_t length, std::size_t node) {
  if (rows == 1) return;
  const std::size_t now = std::min(rows, most_pass_rows);
  const std::size_t each = rows / now * length;
  path.forward_columns(line, words, now, each, node, {0, each});
  for (std::size_t r = 0; r < now; ++r) {
    levels_forward(path, line, words + r * each, rows / now, length, node * now + r);
  }
}
void levels_inverse(const TransformPath& path, const Line& line, std::uint64_t* words, std::size_t rows,
                    std::size_t length, std::size_t node) {
  if (rows == 1) return;
  const std::size_t now = std::min(rows, most_pass_rows);
  const std::size_t each = rows / now * length;
  for (std::size_t r = 0; r < now; ++r) {
    levels_inverse(path, line, words + r * each, rows / now, length, node * now + r);
  }
  path.inverse_columns(line, words, now, each, node, {0, each});
}

void put_behind(void* lower, void* upper, int* count, MPI_Datatype* /*type*/) {
  const auto* first = static_cast<const CarryMap*>(lower);
  auto* second = static_cast<CarryMap*>(upper);
  for (int i = 0; i < *count; ++i) second[i] = CarryMap::behind(first[i], second[i]);
}

/// The operation of the scan.
class PutBehind {
 public:
  PutBehind() { check(MPI_Op_create(&put_behind, 0, &handle_)); }
  PutBehind(const PutBehind&) = delete;
  PutBehind& operator=(const PutBehind&) = delete;
  ~PutBehind() { MPI_Op_free(&handle_); }
  [[nodiscard]] MPI_Op get() const { return handle_; }

 private:
  MPI_Op handle_ = MPI_OP_NULL;
};

constexpr int words_of_map = 3;
static_assert(sizeof(CarryMap) == words_of_map * sizeof(std::int64_t));

}  // namespace

RankSpace::RankSpace() : buffers_{std::make_unique<Buffers>()} {}
RankSpace::~RankSpace() = default;
RankSpace::RankSpace(RankSpace&&) noexcept = default;
RankSpace& RankSpace::operator=(RankSpace&&) noexcept = default;
void RankSpace::give_back(Words words) { buffers_->spare.give(std::move(words)); }

RankProducts::RankProducts(const Radix& radix, const RankDoubling& ranks, const RankDivision& division,
                           RankSpace::Buffers& buffers)
    : radix_{radix},
      ranks_{ranks},
      division_{division},
      buffers_{buffers},
      rank_{rank_in(ranks.communicator)},
      size_{size_of(ranks.communicator)},
      path_{fastest_path()},
      map_type_{Datatype::run_of(words_of_map, MPI_INT64_T)} {}

void RankProducts::make_room_for_blocks() {
  const auto count = 2 * static_cast<std::size_t>(std::max(1, ranks_.team.workers));
  if (buffers_.slots.size() < count) buffers_.slots.resize(count);
  for (std::size_t slot = 0; slot < count; ++slot) {
    const BlockWords words = layout_.block_words(rank_, slot);
    make_room(buffers_.slots[slot].sent, words.sent);
    make_room(buffers_.slots[slot].received, words.received);
  }
}

void RankProducts::make_room_for(const SlicedProduct& last) {
  const std::size_t image = last.image_words(rank_) / last.operands;
  make_room(buffers_.a_images, image);
  if (last.operands == 2) make_room(buffers_.b_images, image);
}

SlicedNumber RankProducts::empty_number(const TransformShape& shape, std::size_t words) const {
  SlicedNumber number{.radix = radix_,
                      .shape = shape,
                      .mine = columns_of(shape, size_, rank_),
                      .carries = std::vector<std::int64_t>(shape.rows),
                      .margin = columns_before};
  number.words = buffers_.spare.take(std::max(shape.rows * number.stride(), words));
  return number;
}

SlicedNumber RankProducts::slice_of(std::span<const std::uint64_t> digits, std::size_t places,
                                    std::size_t words) const {
  SlicedNumber number =
      empty_number(division_.shape_for_digits(std::max<std::size_t>({places, digits.size(), 1})), words);
  number.digits = digits.size();
  for (std::size_t r = 0; r < number.shape.rows; ++r) {
    const auto row = number.row(r);
    std::ranges::fill(row, 0);
    const std::size_t from = std::min(number.place_of(r), digits.size());
    std::ranges::copy(digits.subspan(from, std::min(row.size(), digits.size() - from)), row.begin());
  }
  return number;
}

SlicedNumber RankProducts::slice_from(const DoublingRecord::Start& start, Sequence which, std::size_t words) const {
  SlicedNumber number = empty_number(division_.shape_for_digits(start.digits), words);
  std::vector<Stretch<std::uint64_t>> mine;
  for (std::size_t r = 0; r < number.shape.rows && number.width() != 0; ++r) {
    mine.push_back({number.place_of(r), number.row(r)});
  }
  start.read(which, mine);
  count_digits({&number});
  return number;
}

void RankProducts::multiply(SlicedNumber& a, SlicedNumber& b, Combination combination) {
  const std::size_t digits = std::max(a.digits, b.digits);
  const bool square = combination == Combination::square;
  layout_ = {
      .division = division_,
      // Rows without digits are not sent.
      .from = {std::max<std::size_t>(1, (digits + b.shape.row_length - 1) / b.shape.row_length), b.shape.row_length},
      // One more, for the sum that may follow.
      .to = division_.shape_for_digits(2 * digits + 1),
      .operands = square ? 1U : 2U,
      .results = combination == Combination::doubling ? 2U : 1U};
  units_ = layout_.units_of(rank_);
  for (std::size_t k = 0; k < transform_primes_count; ++k) {
    lines_[k] = line_of(k, least_twiddles(layout_.to.words()), path_);
  }
  const std::size_t image = static_cast<std::size_t>(units_.size()) * layout_.to.row_length;
  make_room(buffers_.a_images, image);
  if (!square) make_room(buffers_.b_images, image);
  make_room_for_blocks();
  const std::array<SlicedNumber*, 2> both{&a, &b};
  const auto operands = std::span{both}.subspan(square ? 1 : 0);
  if (division_.sends_digits) {
    send_digits(operands);
  } else {
    send_images(operands);
  }
  work_off_units(combination);
  send_results(buffers_.a_images, a);
  if (combination == Combination::doubling) send_results(buffers_.b_images, b);
}

// Messages of the next blocks are on their way while those before are used.
void RankProducts::run(const Stages& stages) {
  const auto together = static_cast<std::size_t>(std::max(1, ranks_.team.workers));
  const auto slot_of = [&](std::size_t block) -> BlockSlot& { return buffers_.slots[block % (2 * together)]; };
  const auto side_by_side = [&](std::size_t first, std::size_t end, const auto& act) {
    ranks_.team.parallel(static_cast<std::int64_t>(end - first), [&](std::int64_t part) {
      const std::size_t block = first + static_cast<std::size_t>(part);
      act(block, slot_of(block));
    });
  };
  const auto start = [&](std::size_t first) {
    const std::size_t end = std::min(stages.blocks, first + together);
    if (first >= end) return;
    {
      const Booking booking{ranks_.timesheet, 0, Activity::communicating};
      for (std::size_t block = first; block < end; ++block) {
        wait_for(slot_of(block).sends);
        stages.receive(block, slot_of(block));
      }
    }
    side_by_side(first, end, stages.prepare);
    const Booking booking{ranks_.timesheet, 0, Activity::communicating};
    for (std::size_t block = first; block < end; ++block) stages.send(block, slot_of(block));
  };
  start(0);
  for (std::size_t first = 0; first < stages.blocks; first += together) {
    const std::size_t end = std::min(stages.blocks, first + together);
    start(end);
    if (size_ > 1) {
      const Booking booking{ranks_.timesheet, 0, Activity::communicating};
      for (std::size_t block = first; block < end; ++block) wait_for(slot_of(block).receives);
    }
    side_by_side(first, end, stages.use);
    if (stages.then) stages.then(first, end);
  }
  const Booking booking{ranks_.timesheet, 0, Activity::communicating};
  for (BlockSlot& slot : buffers_.slots) wait_for(slot.sends);
}

/// A block: the digits of some columns of every rank; of each operand, row after row.
void RankProducts::send_digits(std::span<SlicedNumber* const> operands) {
  const ColumnBlocks blocks = layout_.digit_blocks();
  const bool by_rows = layout_.sends_rows_of_digits();
  const std::size_t rows = layout_.from.rows;
  const std::size_t most = operands.size() * rows * blocks.width;
  const auto columns_of_rank = [&](int rank, std::size_t block) {
    return blocks.of(layout_.columns_from(rank), block);
  };
  const auto place_of = [&](int rank, BlockSlot& slot) {
    return slot.received.data() + static_cast<std::size_t>(rank < rank_ ? rank : rank - 1) * most;
  };
  const Columns mine = layout_.columns_from(rank_);
  const auto my_digits = [&](std::size_t operand, std::size_t row, const Columns& columns) {
    return operands[operand]->row(row).data() + (columns.begin - mine.begin);
  };
  run({.blocks = blocks.count,
       .receive =
           [&](std::size_t block, BlockSlot& slot) {
             if (units_.empty()) return;
             for (int rank = 0; rank < size_; ++rank) {
               if (rank == rank_) continue;
               const std::size_t width = width_of(columns_of_rank(rank, block));
               const std::size_t messages = by_rows ? operands.size() * rows : 1;
               const std::size_t words = operands.size() * rows * width / messages;
               for (std::size_t message = 0; message < messages; ++message) {
                 receive_from(rank, place_of(rank, slot) + message * words, words, tag_digits, slot);
               }
             }
           },
       .prepare =
           [&](std::size_t block, BlockSlot& slot) {
             if (size_ == 1 || by_rows) return;
             const Columns columns = columns_of_rank(rank_, block);
             std::uint64_t* at = slot.sent.data();
             for (std::size_t x = 0; x < operands.size(); ++x) {
               for (std::size_t r = 0; r < rows; ++r) {
                 at = std::copy_n(my_digits(x, r, columns), width_of(columns), at);
               }
             }
           },
       .send =
           [&](std::size_t block, BlockSlot& slot) {
             const Columns columns = columns_of_rank(rank_, block);
             const std::size_t width = width_of(columns);
             for (int rank = 0; rank < size_; ++rank) {
               if (layout_.units_of(rank).empty()) continue;
               if (!by_rows) {
                 send_to(rank, slot.sent.data(), operands.size() * rows * width, tag_digits, slot);
                 continue;
               }
               for (std::size_t x = 0; x < operands.size(); ++x) {
                 for (std::size_t r = 0; r < rows; ++r)
                   send_to(rank, my_digits(x, r, columns), width, tag_digits, slot);
               }
             }
           },
       .use =
           [&](std::size_t block, BlockSlot& slot) {
             for (int rank = 0; rank < size_; ++rank) {
               const Columns columns = columns_of_rank(rank, block);
               const std::size_t width = width_of(columns);
               for (std::size_t x = 0; x < operands.size() && width != 0; ++x) {
                 // A rank's own digits are taken from where they are.
                 if (rank == rank_) {
                   take_digits(*operands[x], images_of(x), my_digits(x, 0, columns), operands[x]->stride(), columns);
                 } else {
                   take_digits(*operands[x], images_of(x), place_of(rank, slot) + x * rows * width, width, columns);
                 }
               }
             }
           }});
}

/// The first levels of this rank's units, from the digits of some columns, whose rows are `apart`.
void RankProducts::take_digits(const SlicedNumber& operand, Words& images, const std::uint64_t* digits,
                               std::size_t apart, const Columns& columns) const {
  const std::size_t ratio = layout_.ratio();
  const auto rows = static_cast<std::int64_t>(layout_.to.rows);
  for (Columns some{columns.begin, 0}; some.begin != columns.end; some.begin = some.end) {
    some.end = std::min(columns.end, some.begin + columns_at_once);
    for (std::size_t part = 0; part < ratio; ++part) {
      const DigitRows of_part{digits + (some.begin - columns.begin) + part * apart, ratio * apart,
                              layout_.filled(part)};
      const std::size_t start = part * operand.shape.row_length;
      for (std::int64_t unit = units_.begin; unit < units_.end;) {
        const std::int64_t k = unit / rows;
        const std::int64_t end = std::min(units_.end, (k + 1) * rows);
        path_.forward_top_rows(lines_[static_cast<std::size_t>(k)], of_part, layout_.to,
                               {static_cast<std::size_t>(unit - k * rows), static_cast<std::size_t>(end - k * rows)},
                               image_of(images, unit), {start + some.begin, start + some.end});
        unit = end;
      }
    }
  }
}

/// A block: of one operand and part, the images of some columns of every rank, unit after unit.
void RankProducts::send_images(std::span<SlicedNumber* const> operands) {
  const ColumnBlocks blocks = layout_.image_blocks();
  const std::size_t ratio = layout_.ratio();
  const auto my_units = static_cast<std::size_t>(units_.size());
  struct Piece {
    std::size_t operand;
    std::size_t part;
    std::size_t block;
  };
  const auto piece_of = [&](std::size_t index) {
    return Piece{index / blocks.count / ratio, index / blocks.count % ratio, index % blocks.count};
  };
  const auto columns_of_rank = [&](int rank, std::size_t index) {
    return blocks.of(layout_.columns_from(rank), piece_of(index).block);
  };
  const auto place_of = [&](int rank, BlockSlot& slot) -> std::uint64_t* {
    if (rank == rank_) return nullptr;
    return slot.received.data() + static_cast<std::size_t>(rank < rank_ ? rank : rank - 1) * my_units * blocks.width;
  };
  run({.blocks = blocks.count * ratio * operands.size(),
       .receive =
           [&](std::size_t index, BlockSlot& slot) {
             for (int rank = 0; rank < size_; ++rank) {
               receive_from(rank, place_of(rank, slot), my_units * width_of(columns_of_rank(rank, index)), tag_images,
                            slot);
             }
           },
       .prepare =
           [&](std::size_t index, BlockSlot& slot) {
             const Piece piece = piece_of(index);
             transform_columns(*operands[piece.operand], piece.part, columns_of_rank(rank_, index), slot);
           },
       .send =
           [&](std::size_t index, BlockSlot& slot) {
             const std::size_t width = width_of(columns_of_rank(rank_, index));
             for (int rank = 0; rank < size_; ++rank) {
               const Range theirs = layout_.units_of(rank);
               send_to(rank, slot.sent.data() + static_cast<std::size_t>(theirs.begin) * width,
                       static_cast<std::size_t>(theirs.size()) * width, tag_images, slot);
             }
           },
       .use =
           [&](std::size_t index, BlockSlot& slot) {
             const Piece piece = piece_of(index);
             Words& images = images_of(piece.operand);
             for (int rank = 0; rank < size_; ++rank) {
               const Columns columns = columns_of_rank(rank, index);
               const std::size_t width = width_of(columns);
               const std::uint64_t* from = rank == rank_
                                               ? slot.sent.data() + static_cast<std::size_t>(units_.begin) * width
                                               : place_of(rank, slot);
               for (std::int64_t unit = units_.begin; unit < units_.end && width != 0; ++unit, from += width) {
                 std::copy_n(from, width,
                             image_of(images, unit) + piece.part * layout_.from.row_length + columns.begin);
               }
             }
           }});
}

/// The first levels of all units in some columns of this rank, into slot.sent: the columns are a small transform.
void RankProducts::transform_columns(const SlicedNumber& operand, std::size_t part, const Columns& columns,
                                     BlockSlot& slot) const {
  const std::size_t width = width_of(columns);
  const std::size_t rows = layout_.to.rows;
  const std::size_t cut = std::size_t{1} << division_.levels;
  const std::size_t most = layout_.image_blocks().width;
  if (width == 0) return;
  std::uint64_t* const digits = slot.sent.data() + transform_primes_count * rows * most;
  const std::size_t filled = layout_.filled(part);
  for (std::size_t r = 0; r < filled; ++r) {
    std::copy_n(operand.row(r * layout_.ratio() + part).data() + (columns.begin - operand.mine.begin), width,
                digits + r * width);
  }
  const TransformShape top{rows / cut, cut * width};
  for (std::size_t k = 0; k < transform_primes_count; ++k) {
    std::uint64_t* const words = slot.sent.data() + k * rows * width;
    path_.forward_top(lines_[k], digits, filled * width, words, top, {0, top.row_length});
    for (std::size_t t = 0; t < top.rows; ++t) {
      levels_forward(path_, lines_[k], words + t * top.row_length, cut, width, t);
    }
  }
}

/// Forward, combined, and back.
void RankProducts::work_off_units(Combination combination) {
  const auto row = [&](std::size_t index) {
    const std::int64_t unit = units_.begin + static_cast<std::int64_t>(index);
    const auto u = static_cast<std::size_t>(unit);
    return Subtree{.line = lines_[u / layout_.to.rows],
                   .a = image_of(buffers_.a_images, unit),
                   .b = combination == Combination::square ? nullptr : image_of(buffers_.b_images, unit),
                   .length = layout_.to.row_length,
                   .node = u % layout_.to.rows};
  };
  work_off_all(path_, ranks_.team, static_cast<std::size_t>(units_.size()), layout_.to.row_length, row, combination);
}

/// A block: the coefficients of some columns of each rank, unit after unit. A rank gets those of its own columns, does
/// the last levels, and makes digits of them.
void RankProducts::send_results(Words& images, SlicedNumber& number) {
  const ColumnBlocks blocks = layout_.result_blocks();
  const bool by_rows = layout_.sends_rows_of_results();
  const TransformShape& to = layout_.to;
  const auto columns_of_rank = [&](int rank, std::size_t block) { return blocks.of(layout_.columns_to(rank), block); };
  const auto stride_of = [](const Columns& columns) { return width_of(columns) + columns_before; };
  number.shape = to;
  number.mine = layout_.columns_to(rank_);
  number.margin = columns_before;
  number.carries.assign(to.rows, 0);
  make_room(number.words, to.rows * number.stride());
  // Out of each row of the blocks that are used side by side.
  const auto together = static_cast<std::size_t>(std::max(1, ranks_.team.workers));
  std::vector<std::int64_t> carries(together * to.rows);
  run({.blocks = blocks.count,
       .receive =
           [&](std::size_t block, BlockSlot& slot) {
             const Columns mine = columns_of_rank(rank_, block);
             if (mine.begin == mine.end) return;
             const std::size_t stride = stride_of(mine);
             const std::vector<RowPiece> pieces = pieces_of(mine);
             for (int rank = 0; rank < size_; ++rank) {
               const Range theirs = layout_.units_of(rank);
               std::uint64_t* const at = slot.received.data() + static_cast<std::size_t>(theirs.begin) * stride;
               const auto units = static_cast<std::size_t>(theirs.size());
               if (!by_rows) {
                 receive_from(rank, at, units * stride, tag_results, slot);
                 continue;
               }
               for (std::size_t unit = 0; unit < units; ++unit) {
                 for (const RowPiece& piece : pieces) {
                   receive_from(rank, at + unit * stride + piece.at, piece.count, tag_results, slot);
                 }
               }
             }
           },
       .prepare =
           [&](std::size_t block, BlockSlot& slot) {
             if (by_rows) return;
             std::uint64_t* at = slot.sent.data();
             for (int rank = 0; rank < size_; ++rank) {
               const Columns columns = columns_of_rank(rank, block);
               if (rank == rank_ || columns.begin == columns.end) continue;
               const std::vector<RowPiece> pieces = pieces_of(columns);
               for (std::int64_t unit = units_.begin; unit < units_.end; ++unit, at += stride_of(columns)) {
                 copy_pieces(image_of(images, unit), pieces, at);
               }
             }
           },
       .send =
           [&](std::size_t block, BlockSlot& slot) {
             const std::uint64_t* at = slot.sent.data();
             for (int rank = 0; rank < size_; ++rank) {
               const Columns columns = columns_of_rank(rank, block);
               if (rank == rank_ || columns.begin == columns.end) continue;
               if (!by_rows) {
                 const std::size_t words = static_cast<std::size_t>(units_.size()) * stride_of(columns);
                 send_to(rank, at, words, tag_results, slot);
                 at += words;
                 continue;
               }
               const std::vector<RowPiece> pieces = pieces_of(columns);
               for (std::int64_t unit = units_.begin; unit < units_.end; ++unit) {
                 for (const RowPiece& piece : pieces) {
                   send_to(rank, image_of(images, unit) + piece.from, piece.count, tag_results, slot);
                 }
               }
             }
           },
       .use =
           [&](std::size_t block, BlockSlot& slot) {
             const Columns columns = columns_of_rank(rank_, block);
             if (columns.begin == columns.end) return;
             const std::span out = std::span{carries}.subspan(block % together * to.rows, to.rows);
             std::ranges::fill(out, 0);
             if (by_rows) {
               for (Columns some{columns.begin, 0}; some.begin != columns.end; some.begin = some.end) {
                 some.end = std::min(columns.end, some.begin + columns_at_once);
                 recombine({some, columns, slot.received.data(), slot.sent.data()}, images, number, out);
               }
             } else {
               recombine({columns, columns, slot.received.data(), slot.received.data()}, images, number, out);
             }
           },
       .then =
           [&](std::size_t first, std::size_t end) {
             const Booking booking{ranks_.timesheet, 0, Activity::useful};
             for (std::size_t block = first; block < end; ++block) {
               const Columns columns = columns_of_rank(rank_, block);
               if (columns.begin == columns.end) continue;
               for (std::size_t r = 0; r < to.rows; ++r) {
                 const auto digits = number.row(r).subspan(columns.begin - number.mine.begin, width_of(columns));
                 number.carries[r] =
                     carries[block % together * to.rows + r] + add_carry(digits, number.carries[r], radix_);
               }
             }
           }});
}

/// The columns of a unit and those before them, which for the first are the last: they belong to the row above.
std::vector<RankProducts::RowPiece> RankProducts::pieces_of(const Columns& columns) const {
  const std::size_t width = width_of(columns);
  if (columns.begin != 0) return {{columns.begin - columns_before, 0, columns_before + width}};
  return {{layout_.to.row_length - columns_before, 0, columns_before}, {0, columns_before, width}};
}
void RankProducts::copy_pieces(const std::uint64_t* row, std::span<const RowPiece> pieces, std::uint64_t* to) {
  for (const RowPiece& piece : pieces) std::copy_n(row + piece.from, piece.count, to + piece.at);
}

/// The images modulo one prime of a block's columns, and those before them, through the last levels, to its place for
/// coefficients: from where they were computed or came in, unless rows are cut.
void RankProducts::inverse(const ResultBlock& block, Words& images, std::size_t prime, std::uint64_t* words) const {
  const std::size_t rows = layout_.to.rows;
  const WordRows to{words, width_of(block.columns) + columns_before};
  const std::size_t received_stride = width_of(block.received_columns) + columns_before;
  const auto first = static_cast<std::int64_t>(prime * rows);
  const std::uint64_t* const received = block.received + static_cast<std::size_t>(first) * received_stride +
                                        (block.columns.begin - block.received_columns.begin);
  std::vector<const std::uint64_t*> from(rows);
  for (const RowPiece& piece : pieces_of(block.columns)) {
    for (std::size_t r = 0; r < rows; ++r) {
      const std::int64_t unit = first + static_cast<std::int64_t>(r);
      from[r] = units_.contains(unit) ? image_of(images, unit) + piece.from : received + r * received_stride + piece.at;
    }
    if (division_.levels == 0) {
      path_.inverse_top(lines_[prime], from, {words + piece.at, to.apart}, {0, piece.count});
      continue;
    }
    for (std::size_t r = 0; r < rows; ++r) {
      std::uint64_t* const here = words + r * to.apart + piece.at;
      if (here != from[r]) std::copy_n(from[r], piece.count, here);
    }
  }
  if (division_.levels == 0) return;
  const std::size_t cut = std::size_t{1} << division_.levels;
  const WordRows uncut{words, cut * to.apart};
  for (std::size_t t = 0; t < rows / cut; ++t) {
    levels_inverse(path_, lines_[prime], words + t * uncut.apart, cut, to.apart, t);
  }
  path_.inverse_top(lines_[prime], uncut.begins(rows / cut), uncut, {0, uncut.apart});
}

/// Last levels, Chinese remainders, and digits. `carries` are those into the block, and become those out of it.
void RankProducts::recombine(const ResultBlock& block, Words& images, SlicedNumber& number,
                             std::span<std::int64_t> carries) const {
  const std::size_t width = width_of(block.columns);
  const std::size_t stride = width + columns_before;
  const std::size_t rows = layout_.to.rows;
  std::array<const std::uint64_t*, transform_primes_count> coefficients{};
  for (std::size_t k = 0; k < transform_primes_count; ++k) {
    std::uint64_t* const words = block.coefficients + k * rows * stride;
    inverse(block, images, k, words);
    if (block.columns.begin == 0) {
      // What came before the first column is the end of the row below.
      for (std::size_t r = rows; r-- > 1;) std::copy_n(words + (r - 1) * stride, columns_before, words + r * stride);
      std::fill_n(words, columns_before, 0);
    }
    coefficients[k] = words;
  }
  const Residues all = residues_of(path_, coefficients, division_.top_of(layout_.to));
  const std::size_t offset = block.columns.begin - number.mine.begin;
  for (std::size_t r = 0; r < rows; ++r) {
    Residues residues = all;
    for (auto& words : residues.words) words += r * stride;
    // The margin before a row makes up for the columns before.
    const std::uint64_t out =
        path_.recombine(residues, columns_before, stride, radix_, number.words.data() + r * number.stride() + offset);
    carries[r] = static_cast<std::int64_t>(out) + add_carry(number.row(r).subspan(offset, width), carries[r], radix_);
  }
}

void RankProducts::settle(const std::vector<SlicedNumber*>& numbers, const std::vector<std::int64_t>& smalls) {
  const std::size_t rows = numbers.front()->shape.rows;
  std::vector<CarryMap> maps;
  maps.reserve(numbers.size() * rows);
  for (std::size_t x = 0; x < numbers.size(); ++x) {
    SlicedNumber& number = *numbers[x];
    if (rank_ == 0) number.carries[0] += add_carry(number.row(0), smalls[x], radix_);
    for (std::size_t r = 0; r < rows; ++r) {
      maps.push_back(carry_map_of(number.row(r), std::exchange(number.carries[r], 0), radix_));
    }
  }
  const int active = active_ranks(numbers.front()->shape, size_);
  const std::vector<std::int64_t> into = carries_into(maps, rows, active);
  for (std::size_t x = 0; x < numbers.size() && rank_ < active; ++x) {
    for (std::size_t r = 0; r < rows; ++r) static_cast<void>(add_carry(numbers[x]->row(r), into[x * rows + r], radix_));
  }
  count_digits(numbers);
}

/// The carry into this rank's part of each row. Stretches follow each other row by row, and within a row rank by rank:
/// a scan over ranks tells what the parts before make of a carry into the row, and its last one what a row does.
std::vector<std::int64_t> RankProducts::carries_into(const std::vector<CarryMap>& maps, std::size_t rows,
                                                     int active) const {
  std::vector<CarryMap> before(maps.size());
  std::vector<CarryMap> whole = maps;
  if (size_ > 1) {
    const Booking booking{ranks_.timesheet, 0, Activity::communicating};
    const PutBehind operation;
    const int count = mpi_count(std::ssize(maps));
    check(MPI_Exscan(maps.data(), before.data(), count, map_type_.get(), operation.get(), ranks_.communicator));
    if (rank_ > 0) {
      for (std::size_t i = 0; i < maps.size(); ++i) whole[i] = CarryMap::behind(before[i], maps[i]);
    }
    check(MPI_Bcast(whole.data(), count, map_type_.get(), active - 1, ranks_.communicator));
  }
  std::vector<std::int64_t> into(maps.size());
  for (std::size_t x = 0; x < maps.size(); x += rows) {
    std::int64_t carry = 0;
    for (std::size_t i = x; i < x + rows; ++i) {
      into[i] = rank_ == 0 ? carry : before[i](carry);
      carry = whole[i](carry);
    }
    if (carry != 0) throw std::logic_error("a carry out of the last digit");
  }
  return into;
}

void RankProducts::half_sums(SlicedNumber& f, SlicedNumber& l, SlicedNumber* once, SlicedNumber* five_times) {
  const std::size_t rows = f.shape.rows;
  const std::vector<std::uint64_t> above = parities_above(f, l);
  ranks_.team.parallel(static_cast<std::int64_t>(rows), [&](std::int64_t part) {
    const auto r = static_cast<std::size_t>(part);
    const auto row_of = [&](SlicedNumber* number) {
      return number == nullptr ? std::span<std::uint64_t>{} : number->row(r);
    };
    const HalfSumCarries carries =
        half_sums_of_stretch(f.row(r), l.row(r), above[r] != 0, row_of(once), row_of(five_times), radix_);
    if (once != nullptr) once->carries[r] = static_cast<std::int64_t>(carries.once);
    if (five_times != nullptr) five_times->carries[r] = static_cast<std::int64_t>(carries.five_times);
  });
  std::vector<SlicedNumber*> changed;
  for (SlicedNumber* number : {once, five_times}) {
    if (number != nullptr) changed.push_back(number);
  }
  settle(changed, std::vector<std::int64_t>(changed.size()));
}

/// Whether the digit above this rank's last of each row is odd in F + L.
std::vector<std::uint64_t> RankProducts::parities_above(const SlicedNumber& f, const SlicedNumber& l) const {
  const std::size_t rows = f.shape.rows;
  const int active = active_ranks(f.shape, size_);
  if (rank_ >= active) return std::vector<std::uint64_t>(rows);
  std::vector<std::uint64_t> first(rows);
  for (std::size_t r = 0; r < rows; ++r) first[r] = odd_sum(f.row(r)[0], l.row(r)[0]) ? 1 : 0;
  std::vector<std::uint64_t> above = first;
  if (active > 1) {
    const Booking booking{ranks_.timesheet, 0, Activity::communicating};
    check(MPI_Sendrecv(first.data(), mpi_count(std::ssize(first)), MPI_UINT64_T, (rank_ + active - 1) % active,
                       tag_parities, above.data(), mpi_count(std::ssize(above)), MPI_UINT64_T, (rank_ + 1) % active,
                       tag_parities, ranks_.communicator, MPI_STATUS_IGNORE));
  }
  if (rank_ == active - 1) {
    std::ranges::rotate(above, above.begin() + 1);
    above.back() = 0;
  }
  return above;
}

void RankProducts::count_digits(const std::vector<SlicedNumber*>& numbers) const {
  std::vector<std::int64_t> most;
  for (const SlicedNumber* number : numbers) {
    std::int64_t digits = 0;
    for (std::size_t r = number->shape.rows; r-- > 0 && digits == 0;) {
      const auto row = number->row(r);
      std::size_t i = row.size();
      while (i != 0 && row[i - 1] == 0) --i;
      if (i != 0) digits = static_cast<std::int64_t>(number->place_of(r) + i);
    }
    most.push_back(digits);
  }
  if (size_ > 1) {
    const Booking booking{ranks_.timesheet, 0, Activity::communicating};
    check(MPI_Allreduce(MPI_IN_PLACE, most.data(), mpi_count(std::ssize(most)), MPI_INT64_T, MPI_MAX,
                        ranks_.communicator));
  }
  for (std::size_t x = 0; x < numbers.size(); ++x) numbers[x]->digits = static_cast<std::size_t>(most[x]);
}

void RankProducts::receive_from(int rank, std::uint64_t* to, std::size_t words, int tag, BlockSlot& slot) const {
  if (rank == rank_ || words == 0) return;
  check(MPI_Irecv(to, mpi_count(static_cast<std::int64_t>(words)), MPI_UINT64_T, rank, tag, ranks_.communicator,
                  &slot.receives.emplace_back()));
}
void RankProducts::send_to(int rank, const std::uint64_t* from, std::size_t words, int tag, BlockSlot& slot) const {
  if (rank == rank_ || words == 0) return;
  check(MPI_Isend(from, mpi_count(static_cast<std::int64_t>(words)), MPI_UINT64_T, rank, tag, ranks_.communicator,
                  &slot.sends.emplace_back()));
}
void RankProducts::wait_for(std::vector<MPI_Request>& requests) const {
  if (requests.empty()) return;
  check(MPI_Waitall(mpi_count(std::ssize(requests)), requests.data(), MPI_STATUSES_IGNORE));
  requests.clear();
}

std::uint64_t* RankProducts::image_of(Words& images, std::int64_t unit) const {
  return images.data() + static_cast<std::size_t>(unit - units_.begin) * layout_.to.row_length;
}
Words& RankProducts::images_of(std::size_t operand) {
  // A square has one operand and one image.
  return operand == 0 || layout_.operands == 1 ? buffers_.a_images : buffers_.b_images;
}

}  // namespace duet
