#include "kernels/data_decomposition/matmul/grid_plan.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>

namespace duet {
namespace {

std::int64_t largest_share(std::int64_t n, std::int64_t parts) { return (n + parts - 1) / parts; }

/// What is computed, and what moves, on the rank that has the largest shares.
struct Shares {
  Shares(const ProductShape& shape, const ProductGrid& grid)
      : rows(largest_share(shape.m, grid.rows)),
        columns(largest_share(shape.n, grid.columns)),
        inner(largest_share(shape.k, grid.layers)) {}

  std::int64_t rows;
  std::int64_t columns;
  std::int64_t inner;
};

double product_of(std::int64_t one, std::int64_t other) {
  return static_cast<double>(one) * static_cast<double>(other);
}

void require_divisor(const char* what, std::int64_t parts, std::int64_t ranks) {
  if (parts == 0 || ranks % parts == 0) return;
  throw std::invalid_argument(std::string{what} + " do not divide " + std::to_string(ranks) + " ranks");
}

std::int64_t at_least_one(std::int64_t extent) { return std::max(extent, std::int64_t{1}); }

/// Calls act(grid) for the grids that may be best among those of at least `least_busy` ranks. Words and operations are
/// monotone in the number of layers but for the rounding of C's shares, so the fewest or the most layers are best, or
/// the fewest with shares of C as small as with the most. With `rows` and `columns`, hopeless(grid) may say of the most
/// layers that no number of them is of use.
template <class Hopeless, class Act>
void for_each_grid(const ProductShape& shape, std::int64_t ranks, const PlanLimits& limits, std::int64_t least_busy,
                   Hopeless&& hopeless, Act&& act) {
  const std::int64_t most_rows = limits.rows != 0 ? limits.rows : std::min(ranks, at_least_one(shape.m));
  const std::int64_t most_columns = std::min(ranks, at_least_one(shape.n));
  for (std::int64_t rows = limits.rows != 0 ? limits.rows : 1; rows <= most_rows; ++rows) {
    for (std::int64_t columns = 1; columns <= std::min(most_columns, ranks / rows); ++columns) {
      const std::int64_t in_layer = rows * columns;
      const std::int64_t fewest =
          limits.layers != 0 ? limits.layers : at_least_one(largest_share(least_busy, in_layer));
      const std::int64_t most = limits.layers != 0 ? limits.layers : std::min(at_least_one(shape.k), ranks / in_layer);
      if (fewest > most || in_layer * fewest < least_busy || in_layer * most > ranks) continue;
      if (hopeless(ProductGrid{rows, columns, most})) continue;
      act(ProductGrid{rows, columns, fewest});
      if (most == fewest) continue;
      act(ProductGrid{rows, columns, most});
      const std::int64_t height = at_least_one(largest_share(shape.m, rows));
      const std::int64_t as_small = largest_share(height, largest_share(height, most));
      if (fewest < as_small && as_small < most) act(ProductGrid{rows, columns, as_small});
    }
  }
}

/// The ranks that the largest grid occupies; small shapes cannot occupy them all.
std::int64_t largest_grid(const ProductShape& shape, std::int64_t ranks, const PlanLimits& limits) {
  const bool anything_fits = limits.rows == 0 && limits.layers == 0 && ranks <= std::max({shape.m, shape.n, shape.k});
  if (anything_fits) return ranks;
  std::int64_t most = 1;
  for_each_grid(
      shape, ranks, limits, 1, [](const ProductGrid&) { return false; },
      [&](const ProductGrid& grid) { most = std::max(most, grid.size()); });
  return most;
}

/// Words of A and B that a rank receives; the fewer, the more layers.
double operand_words(const Shares& largest, const ProductGrid& grid) {
  return product_of(largest.rows, largest.inner - largest.inner / grid.columns) +
         product_of(largest.columns, largest.inner - largest.inner / grid.rows);
}

}  // namespace

double received_words(const ProductShape& shape, const ProductGrid& grid) {
  const Shares largest{shape, grid};
  return operand_words(largest, grid) +
         product_of(largest.columns, (grid.layers - 1) * largest_share(largest.rows, grid.layers));
}

double held_words(const ProductShape& shape, const ProductGrid& grid, std::int64_t panel) {
  const Shares largest{shape, grid};
  const std::int64_t width = std::min(panel_width(panel, largest.inner), largest.inner);
  const double a = product_of(largest.rows, largest_share(largest.inner, grid.columns));
  const double b = product_of(largest.columns, largest_share(largest.inner, grid.rows));
  const double c = product_of(largest.columns, largest_share(largest.rows, grid.layers));
  const double summand = grid.layers == 1 ? 0 : product_of(largest.columns, largest.rows) + 2 * c;
  const double panels = (grid.columns == 1 ? 0 : product_of(width, largest.rows)) +
                        (grid.rows == 1 ? 0 : product_of(width, largest.columns));
  return a + b + c + summand + 2 * panels;
}

ProductPlan plan_product(const ProductShape& shape, std::int64_t ranks, const PlanLimits& limits) {
  require_divisor(("grid: " + std::to_string(limits.rows) + " rows").c_str(), limits.rows, ranks);
  require_divisor(("layers: " + std::to_string(limits.layers) + " layers").c_str(), limits.layers, ranks);
  if (limits.rows != 0 && limits.layers != 0) {
    require_divisor(("grid, layers: " + std::to_string(limits.rows) + " rows in each of " +
                     std::to_string(limits.layers) + " layers")
                        .c_str(),
                    limits.rows * limits.layers, ranks);
  }
  const bool words_alone = std::isinf(limits.operations_per_word);
  const auto plan_of = [&](const ProductGrid& grid) {
    const Shares largest{shape, grid};
    const double operations = 2 * product_of(largest.rows, largest.columns) * static_cast<double>(largest.inner);
    return ProductPlan{grid, received_words(shape, grid), held_words(shape, grid, limits.panel), operations};
  };
  const auto cost_of = [&](const ProductPlan& plan) {
    return words_alone ? plan.words : plan.operations + limits.operations_per_word * plan.words;
  };

  const std::int64_t busiest = largest_grid(shape, ranks, limits);
  const auto least_busy = static_cast<std::int64_t>(std::ceil(static_cast<double>(busiest) * (1 - most_idle) - 1e-9));
  // Of the plans that cost the least, or hardly more words, the one with the least to compute.
  double least_cost = std::numeric_limits<double>::infinity();
  double least_memory = std::numeric_limits<double>::infinity();
  const auto enough = [&] { return words_alone ? 1.05 * least_cost : least_cost; };
  const auto hopeless = [&](const ProductGrid& grid) {
    return words_alone && operand_words(Shares{shape, grid}, grid) > enough();
  };
  for_each_grid(shape, ranks, limits, least_busy, hopeless, [&](const ProductGrid& grid) {
    const ProductPlan plan = plan_of(grid);
    least_memory = std::min(least_memory, plan.memory_words);
    if (plan.memory_words <= limits.memory_words) least_cost = std::min(least_cost, cost_of(plan));
  });
  const auto order = [](const ProductPlan& plan) {
    return std::tuple{plan.operations, plan.words, plan.grid.layers, plan.grid.rows};
  };
  std::optional<ProductPlan> best;
  for_each_grid(shape, ranks, limits, least_busy, hopeless, [&](const ProductGrid& grid) {
    const ProductPlan plan = plan_of(grid);
    if (plan.memory_words > limits.memory_words || cost_of(plan) > enough()) return;
    if (!best || order(plan) < order(*best)) best = plan;
  });
  if (!best) {
    const auto mebibytes = [&](double words) {
      return std::to_string(std::llround(std::ceil(words * static_cast<double>(limits.word_bytes) / 0x1p20))) + " MiB";
    };
    throw std::invalid_argument("memory: " + mebibytes(limits.memory_words) + " a rank do not hold the product of " +
                                std::to_string(shape.m) + " x " + std::to_string(shape.k) + " and " +
                                std::to_string(shape.k) + " x " + std::to_string(shape.n) + " on " +
                                std::to_string(ranks) + " ranks, which needs " + mebibytes(least_memory));
  }
  return *best;
}

double least_words(const ProductShape& shape, std::int64_t ranks, double memory_words) {
  std::array<double, 3> extent{static_cast<double>(shape.m), static_cast<double>(shape.n),
                               static_cast<double>(shape.k)};
  std::ranges::sort(extent, std::greater{});
  const auto [m, n, k] = extent;
  const auto p = static_cast<double>(ranks);
  const double owned = (m * n + m * k + n * k) / p;
  double accessed = 0;
  if (p * n <= m) {
    accessed = (m * n + m * k) / p + n * k;
  } else if (p * k * k <= m * n) {
    accessed = 2 * std::sqrt(m * n * k * k / p) + m * n / p;
  } else {
    accessed = 3 * std::pow(m * n * k / p, 2.0 / 3);
  }
  return std::max({0.0, accessed - owned, 2 * m * n * k / (p * std::sqrt(memory_words))});
}

std::int64_t panel_width(std::int64_t panel, std::int64_t k) {
  if (panel != 0) return panel;
  // The first panel travels before anybody computes: an eighth of k hides the rest behind seven products, and makes
  // n = 1024 on 2 ranks 1.15x faster than panels of 512, n = 512 1.29x. Narrower than 128 nothing is gained at n = 256
  // and 512, and a large C is read and written too often: 64 makes 16384 x 16384 x 256 on 2 ranks 0.97x as fast.
  // Above 512 nothing is gained.
  constexpr std::int64_t narrowest = 128;
  return std::clamp(k / 8 / narrowest * narrowest, narrowest, widest_chosen_panel);
}

}  // namespace duet
