#pragma once

/// What the tests of cholesky compare with: matrices that any rank can make, and the definition of L.

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "kernels/core/random.hpp"
#include "kernels/pipeline/cholesky/cholesky.hpp"
#include "kernels/pipeline/cholesky/tile_matrix.hpp"
#include "kernels/pipeline/cholesky/verify.hpp"

namespace duet {

inline const std::vector<std::int64_t> test_orders{0, 1, 2, 3, 7, 24, 25, 31, 64, 97, 145};

/// Entry (i, j), i >= j, of a symmetric matrix.
using Entry = std::function<double(std::int64_t, std::int64_t)>;

/// A random symmetric positive definite matrix of order n.
inline Entry random_definite(std::int64_t n, std::uint64_t seed = 7) {
  return [=](std::int64_t i, std::int64_t j) {
    return random_entry(seed, 0, i, j) + (i == j ? static_cast<double>(n) : 0);
  };
}

/// The same with `value` on the diagonal at `row`.
inline Entry with_pivot(const Entry& entry, std::int64_t row, double value) {
  return [=](std::int64_t i, std::int64_t j) { return i == row && j == row ? value : entry(i, j); };
}

inline FillTile filling(const Entry& entry) {
  return
      [=](const TileLayout& layout, std::int64_t i, std::int64_t j, double* to) { fill_tile(layout, i, j, to, entry); };
}

/// This rank's tiles of the matrix.
inline void fill(const TileMatrix& a, const Entry& entry) {
  for (const auto& [i, j] : a.mine()) fill_tile(a.layout(), i, j, a.tile(i, j), entry);
}

/// L by the definition, column by column, row-major.
inline std::vector<double> factor_by_definition(std::int64_t n, const Entry& entry) {
  std::vector<double> l(static_cast<std::size_t>(n * n));
  const auto at = [n](std::int64_t i, std::int64_t j) { return static_cast<std::size_t>(i * n + j); };
  for (std::int64_t j = 0; j < n; ++j) {
    for (std::int64_t i = j; i < n; ++i) {
      double sum = entry(i, j);
      for (std::int64_t p = 0; p < j; ++p) sum -= l[at(i, p)] * l[at(j, p)];
      l[at(i, j)] = i == j ? std::sqrt(sum) : sum / l[at(j, j)];
    }
  }
  return l;
}

/// The bits of this rank's entries of L, in the order of rows.
inline std::map<std::pair<std::int64_t, std::int64_t>, double> entries_of(const TileMatrix& l) {
  std::map<std::pair<std::int64_t, std::int64_t>, double> entries;
  const TileLayout& layout = l.layout();
  for (std::int64_t row = 0; row < layout.n(); ++row) {
    for (std::int64_t column = 0; column <= row; ++column) {
      if (l.owns(row / layout.tile(), column / layout.tile())) entries[{row, column}] = l.entry(row, column);
    }
  }
  return entries;
}

}  // namespace duet
