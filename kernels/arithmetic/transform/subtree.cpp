#include "kernels/arithmetic/transform/subtree.hpp"

#include <bit>

namespace duet {

void work_off(const TransformPath& path, const Subtree& subtree, Combination combination) {
  const auto& [line, a, b, length, node] = subtree;
  if (length > subtree_chunk) {
    const std::size_t rows = subtree_rows(length);
    const std::size_t each = length / rows;
    columns_forward(path, subtree, combination, {0, each});
    for (std::size_t r = 0; r < rows; ++r) {
      work_off(path, {line, a + r * each, b == nullptr ? nullptr : b + r * each, each, node * rows + r}, combination);
    }
    columns_inverse(path, subtree, combination, {0, each});
    return;
  }
  path.subtree(line, a, b, length, node, combination);
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
