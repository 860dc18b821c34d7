#include "kernels/arithmetic/transform/subtree.hpp"

#include <bit>

#include "kernels/arithmetic/transform/twiddles.hpp"

namespace duet {

void work_off(const TransformPath& path, const Subtree& subtree, Combination combination) {
  if (subtree.length <= subtree_chunk) {
    if (subtree.node < subtree.line.entries / (subtree.length / 8)) {
      path.subtree(subtree.line, subtree.a, subtree.b, subtree.length, subtree.node, combination);
    } else {
      thread_local NodeTwiddles own;
      path.subtree(own.below(subtree.line, path, subtree.node, subtree.length), subtree.a, subtree.b, subtree.length, 1,
                   combination);
    }
    return;
  }
  const std::size_t rows = subtree_rows(subtree.length);
  const Columns all{0, subtree.length / rows};
  columns_forward(path, subtree, combination, all);
  for (std::size_t r = 0; r < rows; ++r) work_off(path, subtree_below(subtree, r), combination);
  columns_inverse(path, subtree, combination, all);
}

void work_off_together(const TransformPath& path, const TransformTeam& team, const Subtree& subtree,
                       Combination combination) {
  if (subtree.length <= subtree_chunk)
    return team.parallel(1, [&](std::int64_t) { work_off(path, subtree, combination); });
  const std::size_t rows = subtree_rows(subtree.length);
  // Four parts a worker, so that one who was held up does not hold up all.
  const ColumnParts parts{subtree.length / rows, 4 * team.workers};
  team.parallel(parts.count(), [&](std::int64_t part) { columns_forward(path, subtree, combination, parts[part]); });
  team.parallel(static_cast<std::int64_t>(rows), [&](std::int64_t part) {
    work_off(path, subtree_below(subtree, static_cast<std::size_t>(part)), combination);
  });
  team.parallel(parts.count(), [&](std::int64_t part) { columns_inverse(path, subtree, combination, parts[part]); });
}

void work_off_all(const TransformPath& path, const TransformTeam& team, std::size_t count, std::size_t length,
                  const std::function<Subtree(std::size_t)>& subtree, Combination combination) {
  const auto workers = static_cast<std::size_t>(std::max(1, team.workers));
  const bool divisible = length > subtree_chunk;
  const bool fit = workers == 1 || length <= longest_whole_row;
  const std::size_t whole = !fit ? 0 : divisible ? count - count % workers : count;
  if (whole != 0) {
    team.parallel(static_cast<std::int64_t>(whole),
                  [&](std::int64_t part) { work_off(path, subtree(static_cast<std::size_t>(part)), combination); });
  }
  for (std::size_t index = whole; index < count; ++index) work_off_together(path, team, subtree(index), combination);
}

Subtree subtree_below(const Subtree& subtree, std::size_t row) {
  const std::size_t rows = subtree_rows(subtree.length);
  const std::size_t each = subtree.length / rows;
  return {.line = subtree.line,
          .a = subtree.a + row * each,
          .b = subtree.b == nullptr ? nullptr : subtree.b + row * each,
          .length = each,
          .node = subtree.node * rows + row};
}

std::size_t subtree_rows(std::size_t length) {
  constexpr unsigned most_column_levels = 4;
  const auto levels = static_cast<unsigned>(std::countr_zero(length / subtree_chunk));
  const unsigned passes = (levels + most_column_levels - 1) / most_column_levels;
  return std::size_t{1} << ((levels + passes - 1) / passes);
}

void columns_forward(const TransformPath& path, const Subtree& subtree, Combination combination, Columns columns) {
  const std::size_t rows = subtree_rows(subtree.length);
  const std::size_t each = subtree.length / rows;
  path.forward_columns(subtree.line, subtree.a, rows, each, subtree.node, columns);
  if (combination != Combination::square)
    path.forward_columns(subtree.line, subtree.b, rows, each, subtree.node, columns);
}

void columns_inverse(const TransformPath& path, const Subtree& subtree, Combination combination, Columns columns) {
  const std::size_t rows = subtree_rows(subtree.length);
  const std::size_t each = subtree.length / rows;
  path.inverse_columns(subtree.line, subtree.a, rows, each, subtree.node, columns);
  if (is_doubling(combination)) path.inverse_columns(subtree.line, subtree.b, rows, each, subtree.node, columns);
}

Residues residues_of(const TransformPath& path, const std::array<const std::uint64_t*, transform_primes_count>& images,
                     const TransformShape& shape) {
  Residues residues;
  // Each level doubles; the last two are not done; and products at the leaves may have divided by 2^52.
  const int levels = std::countr_zero(shape.row_length * most_rows) - 2;
  const std::uint64_t scale = std::uint64_t{1} << (operand_bits - static_cast<unsigned>(levels));
  for (std::size_t k = 0; k < transform_primes_count; ++k) {
    residues.words[k] = images[k];
    residues.scale[k] = path.factors == FactorForm::montgomery ? transform_primes[k].factor(scale) : scale;
  }
  return residues;
}

}  // namespace duet
