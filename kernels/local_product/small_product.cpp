// A tile of C, up to 8 rows by 3 vectors, is kept in registers while it is summed over k, as in simd_product.cpp; what
// is different is the order of the loops. There a product looks for its tiles; here a tile, whose shape is a constant
// of the code, goes over all products of the run:
//
//     for each group of products that fits half the first-level cache
//       for each tile of C
//         for each product of the group:  tile = A(rows, :) B(:, columns)
//
// so that nothing is decided inside. Vectors are no wider than C: four columns of doubles take vectors of four, and the
// eight that AVX-512 offers would do half their work for nothing.

#include "kernels/local_product/small_product.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "kernels/core/partition.hpp"
#include "kernels/local_product/shapes.hpp"

// Tiles are arrays of vectors, which vectors of unknown length cannot form.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/local_product/small_product.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "kernels/core/simd_target.hpp"

HWY_BEFORE_NAMESPACE();
namespace duet {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr int tile_vectors = 3;
// 8 x 3 sums, 3 vectors of B and a broadcast fill 28 of 32 registers; 4 x 3, 3 and 1 all of 16.
constexpr int tile_rows = HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM_A64 ? 8 : 4;
/// Half the first-level cache of most processors.
constexpr std::int64_t group_bytes = 16 << 10;

/// One tile of every product of a group.
template <class Element>
struct TileOfEach {
  const Element* a;
  const Element* b;
  Element* c;
  std::int64_t a_stride;
  std::int64_t b_stride;
  std::int64_t c_stride;
  std::int64_t a_step;
  std::int64_t b_step;
  std::int64_t c_step;
  std::int64_t depth;
  std::int64_t count;
  int last;  ///< columns of the last vector
};

template <class D>
constexpr int lanes_of = static_cast<int>(hn::MaxLanes(D{}));

/// The first `count` elements, and zeros; reads no others. 0 < count <= lanes.
template <class D>
HWY_INLINE hn::Vec<D> load_first(D d, const hn::TFromD<D>* from, int count) {
  if constexpr (HWY_MAX_BYTES > 16) {
    return hn::MaskedLoad(hn::FirstN(d, static_cast<std::size_t>(count)), d, from);
  } else {
    alignas(16) std::array<hn::TFromD<D>, std::size_t{lanes_of<D>}> first{};
    for (std::size_t i = 0; i < first.size() && std::cmp_less(i, count); ++i) first[i] = from[i];
    return hn::Load(d, first.data());
  }
}

/// Writes the first `count` elements and no others.
template <class D>
HWY_INLINE void store_first(D d, hn::Vec<D> value, hn::TFromD<D>* to, int count) {
  if constexpr (HWY_MAX_BYTES > 16) {
    hn::BlendedStore(value, hn::FirstN(d, static_cast<std::size_t>(count)), d, to);
  } else {
    alignas(16) std::array<hn::TFromD<D>, std::size_t{lanes_of<D>}> all;
    hn::Store(value, d, all.data());
    for (std::size_t i = 0; i < all.size() && std::cmp_less(i, count); ++i) to[i] = all[i];
  }
}

/// One index of k: sum += (column of A) (row of B).
template <class D, int rows, int vectors, bool partial>
HWY_INLINE void add_products(const hn::TFromD<D>* a, std::int64_t a_stride, const hn::TFromD<D>* b, int last,
                             hn::Vec<D> (&sum)[std::size_t{rows}][std::size_t{vectors}]) {
  const D d;
  constexpr int lanes = lanes_of<D>;
  hn::Vec<D> row[std::size_t{vectors}];
#pragma GCC unroll 3
  for (int v = 0; v < vectors; ++v) {
    row[v] = partial && v == vectors - 1 ? load_first(d, b + v * lanes, last) : hn::LoadU(d, b + v * lanes);
  }
#pragma GCC unroll 8
  for (int i = 0; i < rows; ++i) {
    const hn::Vec<D> entry = hn::Set(d, a[i * a_stride]);
#pragma GCC unroll 3
    for (int v = 0; v < vectors; ++v) sum[i][v] = hn::MulAdd(entry, row[v], sum[i][v]);
  }
}

/// `partial`: the last vector has `last` columns only. `depth`: the number of products that an entry sums up, or 0
/// where it is known at run time only.
template <class D, int rows, int vectors, bool partial, int depth>
void tile_of_each(const TileOfEach<hn::TFromD<D>>& tile) {
  using Element = hn::TFromD<D>;
  const D d;
  constexpr int lanes = lanes_of<D>;
  const Element* first_a = tile.a;
  const Element* first_b = tile.b;
  Element* first_c = tile.c;
  for (std::int64_t product = 0; product < tile.count; ++product) {
    hn::Vec<D> sum[std::size_t{rows}][std::size_t{vectors}];
#pragma GCC unroll 8
    for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 3
      for (int v = 0; v < vectors; ++v) sum[i][v] = hn::Zero(d);
    }
    const Element* a = first_a;
    const Element* b = first_b;
    if constexpr (depth > 0) {
#pragma GCC unroll 4
      for (int p = 0; p < depth; ++p) {
        add_products<D, rows, vectors, partial>(a, tile.a_stride, b, tile.last, sum);
        a += 1;
        b += tile.b_stride;
      }
    } else {
#pragma GCC unroll 2
      for (std::int64_t p = 0; p < tile.depth; ++p) {
        add_products<D, rows, vectors, partial>(a, tile.a_stride, b, tile.last, sum);
        a += 1;
        b += tile.b_stride;
      }
    }
#pragma GCC unroll 8
    for (int i = 0; i < rows; ++i) {
      Element* const c = first_c + i * tile.c_stride;
#pragma GCC unroll 3
      for (int v = 0; v < vectors; ++v) {
        if (partial && v == vectors - 1) {
          store_first(d, sum[i][v], c + v * lanes, tile.last);
        } else {
          hn::StoreU(sum[i][v], d, c + v * lanes);
        }
      }
    }
    first_a += tile.a_step;
    first_b += tile.b_step;
    first_c += tile.c_step;
  }
}

template <class Element>
using TileCode = void (*)(const TileOfEach<Element>&);

template <class Element>
using Widest = hn::CappedTag<Element, HWY_MAX_BYTES / sizeof(Element)>;

/// Narrow vectors come one at a time.
template <class D>
constexpr int most_vectors = lanes_of<D> == lanes_of<Widest<hn::TFromD<D>>> ? tile_vectors : 1;

/// tile_of_each for every number of rows, of vectors, and whether the last is partial.
template <class D, int depth, int... which>
constexpr auto all_codes(std::integer_sequence<int, which...> /*of*/) {
  constexpr int vectors = most_vectors<D>;
  return std::array<TileCode<hn::TFromD<D>>, sizeof...(which)>{
      tile_of_each<D, which / (2 * vectors) + 1, which / 2 % vectors + 1, which % 2 == 1, depth>...};
}
template <class D, int depth>
constexpr auto codes = all_codes<D, depth>(std::make_integer_sequence<int, tile_rows * most_vectors<D> * 2>{});

template <class D>
TileCode<hn::TFromD<D>> code_for(std::int64_t rows, std::int64_t columns, std::int64_t depth) {
  constexpr int lanes = lanes_of<D>;
  const std::int64_t vectors = (columns + lanes - 1) / lanes;
  const bool partial = vectors * lanes != columns;
  const auto which = static_cast<std::size_t>(((rows - 1) * most_vectors<D> + vectors - 1) * 2 + (partial ? 1 : 0));
  // From 8 on, unrolling all of k gains nothing; at 4, 1.2x.
  return depth == 4 ? codes<D, 4>[which] : codes<D, 0>[which];
}

/// The columns `column` to `column` + `width`, at most three vectors, of all products of a group: tiles of rows of even
/// height, since one of a single row would wait for its own sums.
template <class D>
void multiply_columns(const ProductRun<hn::TFromD<D>>& run, std::int64_t column, std::int64_t width) {
  const std::int64_t tiles = (run.c.rows + tile_rows - 1) / tile_rows;
  for (std::int64_t tile = 0; tile < tiles; ++tile) {
    const Range rows = share_of(run.c.rows, tiles, tile);
    code_for<D>(rows.size(), width,
                run.a.columns)({&run.a(rows.begin, 0), &run.b(0, column), &run.c(rows.begin, column), run.a.stride,
                                run.b.stride, run.c.stride, run.a_step, run.b_step, run.c_step, run.a.columns,
                                run.count, static_cast<int>((width - 1) % lanes_of<D>) + 1});
  }
}

/// All tiles of a group of products. What is left beside whole vectors, when it is not more than half of one, takes
/// narrower vectors: 12 columns of doubles are 8 + 4 (1.3x as fast as 16 of which 4 are thrown away).
template <class Element>
void multiply_group(const ProductRun<Element>& run) {
  constexpr std::size_t widest = HWY_MAX_BYTES / sizeof(Element);
  using Whole = Widest<Element>;
  using Half = hn::CappedTag<Element, (widest > 1 ? widest / 2 : 1)>;
  using Quarter = hn::CappedTag<Element, (widest > 3 ? widest / 4 : 1)>;
  constexpr std::int64_t lanes = lanes_of<Whole>;
  constexpr std::int64_t tile_columns = tile_vectors * lanes;
  const std::int64_t rest = run.c.columns % lanes;
  const std::int64_t narrow = rest <= lanes / 2 ? rest : 0;
  const std::int64_t columns = run.c.columns - narrow;
  std::int64_t width = 0;
  for (std::int64_t column = 0; column < columns; column += width) {
    // Three vectors, but two and two where four are left.
    const std::int64_t left = columns - column;
    width = left <= tile_columns ? left : tile_columns - (left > tile_columns + lanes ? 0 : lanes);
    multiply_columns<Whole>(run, column, width);
  }
  if (narrow == 0) return;
  if (narrow <= lanes_of<Quarter>) {
    multiply_columns<Quarter>(run, columns, narrow);
  } else {
    multiply_columns<Half>(run, columns, narrow);
  }
}

template <class Element>
void multiply_run_here(const ProductRun<Element>& run) {
  if (run.c.empty() || run.count == 0) return;
  if (run.a.columns == 0) {
    for (std::int64_t product = 0; product < run.count; ++product) {
      for (std::int64_t i = 0; i < run.c.rows; ++i) {
        std::fill_n(run.c.data + product * run.c_step + i * run.c.stride, run.c.columns, Element{0});
      }
    }
    return;
  }
  const std::int64_t words = run.c.rows * run.c.columns + run.a.columns * (run.c.rows + run.c.columns);
  const std::int64_t group =
      std::max<std::int64_t>(1, group_bytes / (words * static_cast<std::int64_t>(sizeof(Element))));
  for (std::int64_t first = 0; first < run.count; first += group) {
    multiply_group(run.products(first, std::min(group, run.count - first)));
  }
}

void multiply_doubles_here(const ProductRun<double>& run) { multiply_run_here(run); }
void multiply_floats_here(const ProductRun<float>& run) { multiply_run_here(run); }
const char* small_name_here() { return hwy::TargetName(HWY_TARGET); }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace duet
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace duet {
namespace {
HWY_EXPORT(multiply_doubles_here);
HWY_EXPORT(multiply_floats_here);
HWY_EXPORT(small_name_here);

}  // namespace

void multiply_small_run(const ProductRun<double>& run) {
  choose_simd_target();
  HWY_DYNAMIC_DISPATCH(multiply_doubles_here)(run);
}

void multiply_small_run(const ProductRun<float>& run) {
  choose_simd_target();
  HWY_DYNAMIC_DISPATCH(multiply_floats_here)(run);
}

template <class Element>
void multiply_run(const LocalKernel& kernel, const ProductRun<Element>& run) {
  check_shapes(run.a, run.b, run.c);
  if (is_small_product(run.c.rows, run.c.columns, run.a.columns)) return multiply_small_run(run);
  for (std::int64_t product = 0; product < run.count; ++product) {
    const ProductRun<Element> one = run.products(product, 1);
    kernel.of<Element>()(one.a, one.b, one.c, Update::assign);
  }
}

template void multiply_run(const LocalKernel&, const ProductRun<double>&);
template void multiply_run(const LocalKernel&, const ProductRun<float>&);

std::string small_product_code_path() {
  choose_simd_target();
  return HWY_DYNAMIC_DISPATCH(small_name_here)();
}

}  // namespace duet
#endif
