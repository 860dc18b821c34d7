#include "kernels/data_decomposition/stencil/rank_block.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "kernels/data_decomposition/stencil/grid_memory.hpp"

namespace duet {
namespace {

constexpr std::int64_t whole_lines(std::int64_t columns) {
  return (columns + line_words - 1) / line_words * line_words;
}

/// The shortest side of a block where the grid is cut along it.
std::int64_t least_side(const GridShape& shape, const Grid& ranks) {
  std::int64_t least = std::max(shape.rows, shape.columns);
  if (ranks.rows > 1) least = std::min(least, shape.rows / ranks.rows);
  if (ranks.columns > 1) least = std::min(least, shape.columns / ranks.columns);
  return least;
}

bool is_cut_wide_enough(const GridShape& shape, const Grid& ranks, std::int64_t radius) {
  return ranks.size() == 1 || least_side(shape, ranks) >= radius;
}

/// The grid of as many ranks as can be, at most `ranks`, with the least half-perimeter of a block.
Grid chosen_ranks(const GridShape& shape, std::int64_t radius, int ranks) {
  for (std::int64_t taking_part = ranks; taking_part > 1; --taking_part) {
    Grid best{0, 0};
    double least = 0;
    for (std::int64_t rows = 1; rows <= taking_part; ++rows) {
      const Grid grid{rows, taking_part / rows};
      if (grid.size() != taking_part || !is_cut_wide_enough(shape, grid, radius)) continue;
      const double perimeter = static_cast<double>(shape.rows) / static_cast<double>(grid.rows) +
                               static_cast<double>(shape.columns) / static_cast<double>(grid.columns);
      // Among equals the one with more rows of ranks: halos of whole rows are contiguous.
      if (best.size() != 0 && perimeter > least) continue;
      best = grid;
      least = perimeter;
    }
    if (best.size() != 0) return best;
  }
  return {1, 1};
}

}  // namespace

BlockLayout::BlockLayout(GridShape shape, std::int64_t radius, std::int64_t temporal, int ranks,
                         std::int64_t rows_of_ranks)
    : shape_{shape}, radius_{radius}, temporal_{std::max<std::int64_t>(temporal, 1)} {
  if (rows_of_ranks != 0 && (rows_of_ranks < 0 || ranks % rows_of_ranks != 0)) {
    throw std::invalid_argument("grid: " + std::to_string(rows_of_ranks) + " rows do not divide " +
                                std::to_string(ranks) + " ranks");
  }
  ranks_ = rows_of_ranks == 0 ? chosen_ranks(shape, radius, ranks) : Grid{rows_of_ranks, ranks / rows_of_ranks};
  // What was asked for and does not fit gets fewer ranks in that direction.
  while (ranks_.rows > 1 && shape.rows / ranks_.rows < radius) --ranks_.rows;
  while (ranks_.columns > 1 && shape.columns / ranks_.columns < radius) --ranks_.columns;
  if (ranks_.size() > 1) temporal_ = std::min(temporal_, least_side(shape, ranks_) / radius);
}

Region BlockLayout::owned_by(std::int64_t rank) const {
  if (rank >= ranks_.size()) return {};
  return {share_of(shape_.rows, ranks_.rows, ranks_.row_of(rank)),
          share_of(shape_.columns, ranks_.columns, ranks_.column_of(rank))};
}

RankBlock::RankBlock(const BlockLayout& layout, MPI_Comm ranks)
    : layout_{layout}, all_{Communicator::duplicate(ranks)}, rank_{rank_in(ranks)} {
  const Region mine = owned_in_whole();
  if (rank_ >= layout.ranks().size()) return;
  const std::int64_t halo = layout.radius() * layout.temporal();
  const std::int64_t north = neighbour(-1, 0) == MPI_PROC_NULL ? 0 : halo;
  const std::int64_t south = neighbour(1, 0) == MPI_PROC_NULL ? 0 : halo;
  const std::int64_t west = neighbour(0, -1) == MPI_PROC_NULL ? 0 : whole_lines(halo);
  const std::int64_t east = neighbour(0, 1) == MPI_PROC_NULL ? 0 : whole_lines(halo);
  first_row_ = mine.rows.begin - north;
  first_column_ = mine.columns.begin - west;
  local_ = {north + mine.rows.size() + south, west + mine.columns.size() + east};
}

Region RankBlock::interior() const {
  return shifted(interior_of(layout_.shape().rows, layout_.shape().columns, layout_.radius()), -first_row_,
                 -first_column_);
}

int RankBlock::neighbour(int rows, int columns) const {
  const Grid& grid = layout_.ranks();
  if (rank_ >= grid.size()) return MPI_PROC_NULL;
  const std::int64_t row = grid.row_of(rank_) + rows;
  const std::int64_t column = grid.column_of(rank_) + columns;
  if (row < 0 || row >= grid.rows || column < 0 || column >= grid.columns) return MPI_PROC_NULL;
  return static_cast<int>(row * grid.columns + column);
}

void HaloExchange::transfer(Direction direction, View grid, const Region& region, int rank, int tag) {
  // Pieces of whole rows, and of single rows where one is more than the limit.
  const std::int64_t width = std::min(region.columns.size(), limit_);
  const std::int64_t height = std::max<std::int64_t>(1, limit_ / std::max<std::int64_t>(1, width));
  for (std::int64_t row = region.rows.begin; row < region.rows.end; row += height) {
    const std::int64_t rows = std::min(height, region.rows.end - row);
    for (std::int64_t column = region.columns.begin; column < region.columns.end; column += width) {
      MPI_Datatype rectangle = MPI_DATATYPE_NULL;
      check(MPI_Type_create_hvector(mpi_count(rows), mpi_count(std::min(width, region.columns.end - column)),
                                    static_cast<MPI_Aint>(grid.stride * std::int64_t{sizeof(double)}), MPI_DOUBLE,
                                    &rectangle));
      const Datatype type{rectangle};
      MPI_Request& request = requests_.emplace_back(MPI_REQUEST_NULL);
      if (direction == Direction::in) {
        check(MPI_Irecv(&grid(row, column), 1, type.get(), rank, tag, block_.all(), &request));
      } else {
        check(MPI_Isend(&grid(row, column), 1, type.get(), rank, tag, block_.all(), &request));
      }
    }
  }
}

void HaloExchange::start(View grid, std::int64_t depth) {
  const std::int64_t straight = block_.layout().radius() * depth;
  const std::int64_t diagonal = straight - block_.layout().radius();
  const Region owned = block_.owned();
  // The `wide` rows (or columns) outside the block and inside of it, towards -1, 0 or +1.
  const auto outside = [](const Range& range, int towards, std::int64_t wide) {
    return towards < 0   ? Range{range.begin - wide, range.begin}
           : towards > 0 ? Range{range.end, range.end + wide}
                         : range;
  };
  const auto inside = [](const Range& range, int towards, std::int64_t wide) {
    return towards < 0   ? Range{range.begin, range.begin + wide}
           : towards > 0 ? Range{range.end - wide, range.end}
                         : range;
  };
  const auto tag_towards = [](int rows, int columns) { return 3 * (rows + 1) + columns + 1; };
  for (const Direction direction : {Direction::in, Direction::out}) {
    for (int rows = -1; rows <= 1; ++rows) {
      for (int columns = -1; columns <= 1; ++columns) {
        const int rank = block_.neighbour(rows, columns);
        const std::int64_t wide = rows != 0 && columns != 0 ? diagonal : straight;
        if ((rows == 0 && columns == 0) || rank == MPI_PROC_NULL || wide == 0) continue;
        if (direction == Direction::in) {
          const Region halo{outside(owned.rows, rows, wide), outside(owned.columns, columns, wide)};
          transfer(direction, grid, halo, rank, tag_towards(-rows, -columns));
        } else {
          const Region edge{inside(owned.rows, rows, wide), inside(owned.columns, columns, wide)};
          transfer(direction, grid, edge, rank, tag_towards(rows, columns));
        }
      }
    }
  }
}

void HaloExchange::progress() {
  int all_done = 0;
  check(MPI_Testall(mpi_count(std::ssize(requests_)), requests_.data(), &all_done, MPI_STATUSES_IGNORE));
}

void HaloExchange::wait() {
  check(MPI_Waitall(mpi_count(std::ssize(requests_)), requests_.data(), MPI_STATUSES_IGNORE));
  requests_.clear();
}

HaloVolume halo_volume(const BlockLayout& layout, std::int64_t rank, std::int64_t depth) {
  const Grid& grid = layout.ranks();
  if (rank >= grid.size()) return {};
  const auto neighbours = [](std::int64_t position, std::int64_t parts) {
    return (position > 0 ? 1 : 0) + (position + 1 < parts ? 1 : 0);
  };
  const std::int64_t vertical = neighbours(grid.row_of(rank), grid.rows);
  const std::int64_t horizontal = neighbours(grid.column_of(rank), grid.columns);
  const Region block = layout.owned_by(rank);
  const std::int64_t r = layout.radius();
  return {.messages = vertical + horizontal + (depth > 1 ? vertical * horizontal : 0),
          .words = r * depth * (vertical * block.columns.size() + horizontal * block.rows.size()) +
                   r * (depth - 1) * r * (depth - 1) * vertical * horizontal};
}

BlockParts parts_of(const RankBlock& block, std::int64_t depth) {
  const Region owned = block.owned();
  const std::int64_t halo = block.layout().radius() * depth;
  // The range without what is near a neighbour, in units of whole lines along rows; empty inside where nothing is left.
  const auto inner = [&](const Range& range, bool before, bool after, std::int64_t wide) {
    const std::int64_t begin = std::min(range.end, range.begin + (before ? wide : 0));
    return Range{begin, std::max(begin, range.end - (after ? wide : 0))};
  };
  const Range rows =
      inner(owned.rows, block.neighbour(-1, 0) != MPI_PROC_NULL, block.neighbour(1, 0) != MPI_PROC_NULL, halo);
  const Range columns = inner(owned.columns, block.neighbour(0, -1) != MPI_PROC_NULL,
                              block.neighbour(0, 1) != MPI_PROC_NULL, whole_lines(halo));
  const Region interior = block.interior();
  BlockParts parts{common_part({rows, columns}, interior), {}};
  for (const Region& part :
       {Region{{owned.rows.begin, rows.begin}, owned.columns}, Region{{rows.end, owned.rows.end}, owned.columns},
        Region{rows, {owned.columns.begin, columns.begin}}, Region{rows, {columns.end, owned.columns.end}}}) {
    const Region changing = common_part(part, interior);
    if (!changing.empty()) parts.rim.push_back(changing);
  }
  return parts;
}

}  // namespace duet
