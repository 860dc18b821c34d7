// The product after Goto and van de Geijn, mirrored for row-major storage: C^T = B^T A^T, so that what those papers
// keep in the second-level cache, a block of A, is here a block of B.
//
//     for each block of rows of A, up to 2048                              A's panel: 4 MiB, third-level cache
//       for each block of 256 of k             copy A's panel
//         for each block of columns of B       copy B's block              B's block: half the second-level cache
//           for each 8 rows of A's panel                                   16 KiB, first-level cache
//             for each 24 columns of B's block
//               tile:  C[8 x 24] += A[8 x 256] B[256 x 24]                 in registers
//
// The tile holds 8 x 3 vectors of C in registers. For each index p of k it loads three vectors of B's row p and
// multiplies them with each of the eight entries of A's column p, broadcast: 11 loads for 24 multiply-adds, so that the
// arithmetic units are the limit. Instruction sets with 16 registers take 4 rows.
//
// In float a vector holds twice as many columns, and so does the tile; all else is the same.
//
//                       B(p, 0..7)   B(p, 8..15)   B(p, 16..23)
//        A(0, p)          C(0,.)        C(0,.)        C(0,.)
//        ...
//        A(7, p)          C(7,.)        C(7,.)        C(7,.)
//
// A's panel is copied row by row (a tile needs single entries of it, so there is nothing to transpose) to rows 256
// apart: the tile's addresses become constants, and rows a power of two apart no longer fall into one cache set. B's
// block is copied to strips of 24 columns, each contiguous, filled up with zeros; the results of the filling are
// never stored.
//
// Small products take A and B where they are: copying costs as much as 10 to 20 multiplications with each entry.
//
// Each entry of C is the sum over one block of k in index order, from zero, by fused multiply-adds where the
// instruction set has them; then it is added to C. Which tile computes it makes no difference to its bits.

#include "kernels/local_product/simd_product.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include <hwy/cache_control.h>

#include "kernels/local_product/packing_space.hpp"
#include "kernels/local_product/shapes.hpp"

// Tiles are arrays of vectors, which vectors of unknown length cannot form.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/local_product/simd_product.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#ifndef DUET_SIMD_PRODUCT_ONCE
#define DUET_SIMD_PRODUCT_ONCE
namespace duet {
namespace {

/// Rows of A's panel. Each pass over them copies B once, which costs 1 % of the pass at this height.
constexpr std::int64_t panel_rows = 2048;

/// A matrix B with no more rows or columns than this stays in the second-level cache, beside as many rows of A, and
/// both are taken where they are: 1.04x over copying at 256, 1.3x at 32.
constexpr std::int64_t in_place_extent = 256;
static_assert(in_place_extent <= summation_block);

/// Rows a multiple of a page apart share one set of the first-level cache. From so many rows on, copying pays for it.
constexpr std::int64_t colliding_extent = 24;

template <class Element>
bool collides(std::int64_t stride) {
  constexpr std::int64_t colliding_stride = 4096 / sizeof(Element);
  return stride % colliding_stride == 0;
}

std::int64_t second_level_bytes() {
  static const std::int64_t bytes = [] {
    const std::int64_t told = ::sysconf(_SC_LEVEL2_CACHE_SIZE);
    return told > 0 ? std::clamp<std::int64_t>(told, 256 << 10, 2 << 20) : 512 << 10;
  }();
  return bytes;
}

/// Columns of B's block in units of `strip`: half the second-level cache, whose other half A's and C's tiles flow
/// through.
template <class Element>
std::int64_t block_columns(std::int64_t strip) {
  const std::int64_t columns = second_level_bytes() / 2 / static_cast<std::int64_t>(sizeof(Element)) / summation_block;
  return std::max(columns / strip, std::int64_t{1}) * strip;
}

}  // namespace
}  // namespace duet
#endif

HWY_BEFORE_NAMESPACE();
namespace duet {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
template <class Element>
using Lanes = hn::ScalableTag<Element>;
template <class Element>
using Vector = hn::Vec<Lanes<Element>>;

template <class Element>
constexpr int lanes = static_cast<int>(HWY_LANES(Element));
constexpr int tile_vectors = 3;
template <class Element>
constexpr int tile_columns = tile_vectors* lanes<Element>;
// 8 x 3 sums, 3 vectors of B and a broadcast fill 28 of 32 registers; 4 x 3, 3 and 1 all of 16.
constexpr int tile_rows = HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM_A64 ? 8 : 4;

// While it computes, a packed tile fetches what it is given as `next`, so many lines each so many indices of k, and at
// the end its rows of C, one each so many.
constexpr int lines_of_next = 4;
constexpr std::int64_t steps_for_next = 16;
constexpr std::int64_t steps_for_c = 8;
template <class Element>
constexpr std::int64_t line = 64 / sizeof(Element);

/// Where a tile of C goes, and the operands of one step.
template <class Element>
struct Step {
  const Element* a;
  std::int64_t a_stride;
  const Element* b;
  std::int64_t b_stride;
  std::int64_t depth;
  Element* c;
  std::int64_t c_stride;
  Update update;
  const Element* next;  ///< what a packed tile fetches
  int last;             ///< columns of the last vector, 1 to `lanes`
};

/// The first `count` elements, and zeros; reads no others. 0 < count <= lanes.
template <class Element>
HWY_INLINE Vector<Element> load_first(const Element* from, int count) {
  const Lanes<Element> d;
  if constexpr (HWY_MAX_BYTES > 16) {
    return hn::MaskedLoad(hn::FirstN(d, static_cast<std::size_t>(count)), d, from);
  } else {
    if (count == lanes<Element>) return hn::LoadU(d, from);
    alignas(16) std::array<Element, std::size_t{lanes<Element>}> first{};
    for (std::size_t i = 0; i + 1 < first.size(); ++i) first[i] = std::cmp_less(i, count) ? from[i] : Element{0};
    return hn::Load(d, first.data());
  }
}

/// Writes the first `count` elements and no others.
template <class Element>
HWY_INLINE void store_first(Vector<Element> value, Element* to, int count) {
  const Lanes<Element> d;
  if constexpr (HWY_MAX_BYTES > 16) {
    hn::BlendedStore(value, hn::FirstN(d, static_cast<std::size_t>(count)), d, to);
  } else if (count == lanes<Element>) {
    hn::StoreU(value, d, to);
  } else {
    alignas(16) std::array<Element, std::size_t{lanes<Element>}> all;
    hn::Store(value, d, all.data());
    for (std::size_t i = 0; i < all.size() && std::cmp_less(i, count); ++i) to[i] = all[i];
  }
}

/// One index of k: sum += (column of A) (row of B).
template <int rows, int vectors, bool partial, class Element>
HWY_INLINE void add_products(const Element* a, std::int64_t a_stride, const Element* b, int last,
                             Vector<Element> (&sum)[std::size_t{rows}][std::size_t{vectors}]) {
  const Lanes<Element> d;
  Vector<Element> row[std::size_t{vectors}];
#pragma GCC unroll 3
  for (int v = 0; v < vectors; ++v) {
    row[v] =
        partial && v == vectors - 1 ? load_first(b + v * lanes<Element>, last) : hn::LoadU(d, b + v * lanes<Element>);
  }
#pragma GCC unroll 8
  for (int i = 0; i < rows; ++i) {
    const Vector<Element> entry = hn::Set(d, a[i * a_stride]);
#pragma GCC unroll 3
    for (int v = 0; v < vectors; ++v) sum[i][v] = hn::MulAdd(entry, row[v], sum[i][v]);
  }
}

/// `steps` indices of k, after which `a` and `b` point behind them.
template <int rows, int vectors, bool partial, class Element>
HWY_INLINE void add_steps(const Element*& a, std::int64_t a_stride, const Element*& b, std::int64_t b_stride,
                          std::int64_t steps, int last,
                          Vector<Element> (&sum)[std::size_t{rows}][std::size_t{vectors}]) {
#pragma GCC unroll 2
  for (std::int64_t p = 0; p < steps; ++p) {
    add_products<rows, vectors, partial>(a, a_stride, b, last, sum);
    a += 1;
    b += b_stride;
  }
}

/// C[rows x vectors] += A B over `depth`. `partial`: the last vector of C and of B has only `last` columns.
/// `packed`: A and B are as `pack_a` and `pack_b` leave them.
template <int rows, int vectors, bool partial, bool packed, class Element>
HWY_INLINE void tile(const Step<Element>& step) {
  const Lanes<Element> d;
  const std::int64_t a_stride = packed ? summation_block : step.a_stride;
  const std::int64_t b_stride = packed ? tile_columns<Element> : step.b_stride;
  Vector<Element> sum[std::size_t{rows}][std::size_t{vectors}];
#pragma GCC unroll 8
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 3
    for (int v = 0; v < vectors; ++v) sum[i][v] = hn::Zero(d);
  }
  const Element* a = step.a;
  const Element* b = step.b;
  if constexpr (packed) {
    std::int64_t rest = step.depth;
    // Lines are fetched a few at a time, since a core keeps only so many misses under way.
    const std::int64_t rows_of_c = std::min<std::int64_t>(rest / steps_for_c, rows);
    rest -= rows_of_c * steps_for_c;
    const std::int64_t fetches = std::min(rest / steps_for_next, step.depth / (lines_of_next * line<Element>));
    rest -= fetches * steps_for_next;
    const Element* next = step.next;
    for (std::int64_t fetch = 0; fetch < fetches; ++fetch) {
      for (int l = 0; l < lines_of_next; ++l) __builtin_prefetch(next + l * line<Element>, 0, 2);
      next += lines_of_next * line<Element>;
      add_steps<rows, vectors, partial>(a, a_stride, b, b_stride, steps_for_next, step.last, sum);
    }
    add_steps<rows, vectors, partial>(a, a_stride, b, b_stride, rest, step.last, sum);
    const Element* c = step.c;
    for (std::int64_t row = 0; row < rows_of_c; ++row) {
      for (int v = 0; v <= vectors; ++v) hwy::Prefetch(c + std::min(v * lanes<Element>, vectors * lanes<Element> - 1));
      c += step.c_stride;
      add_steps<rows, vectors, partial>(a, a_stride, b, b_stride, steps_for_c, step.last, sum);
    }
  } else {
    add_steps<rows, vectors, partial>(a, a_stride, b, b_stride, step.depth, step.last, sum);
  }
#pragma GCC unroll 8
  for (int i = 0; i < rows; ++i) {
    Element* c = step.c + i * step.c_stride;
#pragma GCC unroll 3
    for (int v = 0; v < vectors; ++v) {
      if (partial && v == vectors - 1) {
        const Vector<Element> before =
            step.update == Update::add ? load_first(c + v * lanes<Element>, step.last) : hn::Zero(d);
        store_first(step.update == Update::add ? hn::Add(before, sum[i][v]) : sum[i][v], c + v * lanes<Element>,
                    step.last);
      } else if (step.update == Update::add) {
        hn::StoreU(hn::Add(hn::LoadU(d, c + v * lanes<Element>), sum[i][v]), d, c + v * lanes<Element>);
      } else {
        hn::StoreU(sum[i][v], d, c + v * lanes<Element>);
      }
    }
  }
}

template <int rows, int vectors, bool partial, class Element>
void tile_in_place(const Step<Element>& step) {
  tile<rows, vectors, partial, false>(step);
}

template <class Element>
void whole_packed_tile(const Step<Element>& step) {
  tile<tile_rows, tile_vectors, false, true>(step);
}

template <class Element>
using Tile = void (*)(const Step<Element>&);

/// tile_in_place for every number of rows, of vectors, and whether the last is partial.
template <class Element, int... which>
constexpr std::array<Tile<Element>, sizeof...(which)> all_tiles(std::integer_sequence<int, which...> /*of*/) {
  return {tile_in_place<which / (2 * tile_vectors) + 1, which / 2 % tile_vectors + 1, which % 2 == 1>...};
}
template <class Element>
constexpr auto tiles = all_tiles<Element>(std::make_integer_sequence<int, tile_rows * tile_vectors * 2>{});

/// The tile of 1 to `tile_rows` rows and 1 to `tile_columns` columns.
template <class Element>
Tile<Element> tile_for(std::int64_t rows, std::int64_t columns) {
  const std::int64_t vectors = (columns + lanes<Element> - 1) / lanes<Element>;
  const bool partial = vectors * lanes<Element> != columns;
  return tiles<Element>[static_cast<std::size_t>(((rows - 1) * tile_vectors + vectors - 1) * 2 + (partial ? 1 : 0))];
}

template <class Element>
int last_of(std::int64_t columns) {
  return static_cast<int>((columns - 1) % lanes<Element>) + 1;
}

/// One block of k of a small product, operands where they are.
template <class Element>
void multiply_in_place(const MatrixView<const Element>& a, const MatrixView<const Element>& b,
                       const MatrixView<Element>& c, Update update) {
  std::int64_t width = 0;
  for (std::int64_t column = 0; column < c.columns; column += width) {
    // Three vectors, but two and two where four are left: 32 columns are 16 + 16 and not 24 + 8.
    const std::int64_t left = c.columns - column;
    width = left <= tile_columns<Element>
                ? left
                : tile_columns<Element> - (left > tile_columns<Element> + lanes<Element> ? 0 : lanes<Element>);
    const int last = last_of<Element>(width);
    Tile<Element> run = tile_for<Element>(std::min<std::int64_t>(tile_rows, c.rows), width);
    for (std::int64_t row = 0; row < c.rows; row += tile_rows) {
      if (c.rows - row < tile_rows) run = tile_for<Element>(c.rows - row, width);
      run({&a(row, 0), a.stride, &b(0, column), b.stride, a.columns, &c(row, column), c.stride, update, nullptr, last});
    }
  }
}

/// Rows of `a` to rows `summation_block` apart.
template <class Element>
void pack_a(MatrixView<const Element> a, Element* to) {
  for (std::int64_t i = 0; i < a.rows; ++i) {
    std::memcpy(to + i * summation_block, &a(i, 0), static_cast<std::size_t>(a.columns) * sizeof(Element));
  }
}

/// Strips of `tile_columns` columns, each row by row, the last filled up with zeros.
template <class Element>
void pack_b(MatrixView<const Element> b, Element* to) {
  const Lanes<Element> d;
  const std::int64_t whole = b.columns / tile_columns<Element>;
  const std::int64_t rest = b.columns % tile_columns<Element>;
  for (std::int64_t p = 0; p < b.rows; ++p) {
    const Element* from = &b(p, 0);
    Element* row = to + p * tile_columns<Element>;
    for (std::int64_t s = 0; s < whole; ++s) {
#pragma GCC unroll 3
      for (int v = 0; v < tile_vectors; ++v)
        hn::Store(hn::LoadU(d, from + v * lanes<Element>), d, row + v * lanes<Element>);
      from += tile_columns<Element>;
      row += b.rows * tile_columns<Element>;
    }
    if (rest != 0) {
      std::fill(std::copy_n(from, rest, row), row + tile_columns<Element>, Element{0});
    }
  }
}

/// How a panel of A is used: as it stands, or copied.
enum class PanelOfA { in_place, to_be_packed, packed };

/// A's panel by B's block, which is packed. `packed_a` is where A's panel is packed, or shall be: each 8 rows are
/// copied just before they are needed, after the tiles before have fetched them.
template <class Element>
void multiply_packed(const MatrixView<const Element>& a, PanelOfA panel, Element* packed_a, const Element* packed_b,
                     const MatrixView<Element>& c, Update update) {
  const bool in_place = panel == PanelOfA::in_place;
  for (std::int64_t row = 0; row < c.rows; row += tile_rows) {
    const std::int64_t rows = std::min<std::int64_t>(tile_rows, c.rows - row);
    Element* const rows_of_a = packed_a + row * summation_block;
    if (panel == PanelOfA::to_be_packed) pack_a(a.block(row, 0, rows, a.columns), rows_of_a);
    std::int64_t next = std::min(row + tile_rows, c.rows - 1);
    for (std::int64_t column = 0; column < c.columns; column += tile_columns<Element>) {
      const std::int64_t columns = std::min<std::int64_t>(tile_columns<Element>, c.columns - column);
      const Step<Element> step{in_place ? &a(row, 0) : rows_of_a,
                               in_place ? a.stride : summation_block,
                               packed_b + column * a.columns,
                               tile_columns<Element>,
                               a.columns,
                               &c(row, column),
                               c.stride,
                               update,
                               panel == PanelOfA::packed ? packed_a + next * summation_block : &a(next, 0),
                               last_of<Element>(columns)};
      next = std::min(next + 1, c.rows - 1);
      if (rows == tile_rows && columns == tile_columns<Element> && !in_place) {
        whole_packed_tile(step);
      } else {
        tile_for<Element>(rows, columns)(step);
      }
    }
  }
}

/// The number of equal blocks, each a multiple of `unit` and at most `most`, that n falls into: the size of one.
std::int64_t even_block(std::int64_t n, std::int64_t most, std::int64_t unit) {
  const std::int64_t blocks = (n + most - 1) / most;
  const std::int64_t each = (n + blocks - 1) / blocks;
  return (each + unit - 1) / unit * unit;
}

template <class Element>
void multiply_here(const MatrixView<const Element>& a, const MatrixView<const Element>& b, const MatrixView<Element>& c,
                   Update update) {
  check_shapes(a, b, c);
  if (c.empty()) return;
  if (a.columns == 0) {
    if (update == Update::add) return;
    for (std::int64_t i = 0; i < c.rows; ++i) std::fill_n(&c(i, 0), c.columns, Element{0});
    return;
  }
  const std::int64_t k = a.columns;
  const bool collision =
      std::max(c.rows, k) > colliding_extent && (collides<Element>(a.stride) || collides<Element>(b.stride));
  if (std::max(c.columns, k) <= in_place_extent && !collision) {
    if (c.rows <= in_place_extent) {
      multiply_in_place(a, b, c, update);
      return;
    }
    for (std::int64_t row = 0; row < c.rows; row += in_place_extent) {
      const std::int64_t rows = std::min(in_place_extent, c.rows - row);
      multiply_in_place(a.block(row, 0, rows, k), b, c.block(row, 0, rows, c.columns), update);
    }
    return;
  }
  if (c.rows <= 2 * tile_rows) {
    for (std::int64_t p = 0; p < k; p += summation_block) {
      const std::int64_t depth = std::min(summation_block, k - p);
      multiply_in_place(a.block(0, p, a.rows, depth), b.block(p, 0, depth, b.columns), c,
                        p == 0 ? update : Update::add);
    }
    return;
  }
  const std::int64_t height = even_block(c.rows, panel_rows, tile_rows);
  const std::int64_t width =
      even_block(c.columns, block_columns<Element>(tile_columns<Element>), tile_columns<Element>);
  // Few strips of B do not use a panel of A often enough to pay for its copy.
  const bool copies_a = c.columns > 2 * tile_columns<Element> || collides<Element>(a.stride);
  Element* const packed_b =
      PackingSpace::mine().of<Element>(static_cast<std::size_t>(((copies_a ? height : 0) + width) * summation_block));
  Element* const packed_a = packed_b + width * summation_block;
  for (std::int64_t row = 0; row < c.rows; row += height) {
    const std::int64_t rows = std::min(height, c.rows - row);
    for (std::int64_t p = 0; p < k; p += summation_block) {
      const std::int64_t depth = std::min(summation_block, k - p);
      const MatrixView<const Element> panel = a.block(row, p, rows, depth);
      for (std::int64_t column = 0; column < c.columns; column += width) {
        const std::int64_t columns = std::min(width, c.columns - column);
        pack_b(b.block(p, column, depth, columns), packed_b);
        const PanelOfA how = !copies_a ? PanelOfA::in_place : column == 0 ? PanelOfA::to_be_packed : PanelOfA::packed;
        multiply_packed(panel, how, packed_a, packed_b, c.block(row, column, rows, columns),
                        p == 0 ? update : Update::add);
      }
    }
  }
}

void multiply_doubles_here(const ConstView& a, const ConstView& b, const View& c, Update update) {
  multiply_here(a, b, c, update);
}
void multiply_floats_here(const MatrixView<const float>& a, const MatrixView<const float>& b,
                          const MatrixView<float>& c, Update update) {
  multiply_here(a, b, c, update);
}
const char* name_here() { return hwy::TargetName(HWY_TARGET); }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace duet
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace duet {
namespace {
HWY_EXPORT(multiply_doubles_here);
HWY_EXPORT(multiply_floats_here);
HWY_EXPORT(name_here);
}  // namespace

LocalKernel simd_kernel() {
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  return {"duet", HWY_DYNAMIC_DISPATCH(name_here)(), &HWY_DYNAMIC_DISPATCH(multiply_doubles_here),
          &HWY_DYNAMIC_DISPATCH(multiply_floats_here)};
}

}  // namespace duet
#endif
