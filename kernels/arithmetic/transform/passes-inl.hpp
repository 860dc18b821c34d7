// The passes of the transform over the arithmetic of one prime on one kind of vectors, `Field`. To be included by the
// source of a path after it has chosen what to compile for, within its own unnamed namespace.
//
// A pass takes sixteen rows (or eight, four, two) through four levels of the tree in registers: a store costs as much
// as one and a half products here, and passes of four rows take 1.25 times as long.
//
// Ranges. Words hold residues that are not reduced; 2^52 > 16 p, and a factor's partner has to be in [0, 16 p). With
// d = w y in (-p, p), both x + d and x - d have the range of x, and p more at either end; y may be anything. Between
// forward passes, words are in (2 p, 14 p), which leaves two levels of freedom. What has to live longer is lifted:
// reduced to [0, 8 p) and raised to [4 p, 12 p). Followed through, that is one word in sixteen, and four at the third
// level.
//
// An inverse level takes sums, which double: words are in [0, 4 p) between passes, below 16 p after two levels, and
// then reduced; products are in (0, 2 p).

template <class Field>
struct Passes {
  using Vector = typename Field::Vector;
  using Factor = typename Field::Factor;
  static constexpr std::size_t lanes = Field::lanes;
  static constexpr std::size_t leaf = 8 * lanes;

  /// Factors of the nodes of log2(rows) levels below one: the node's, its two children's, its four grandchildren's ...
  /// Those of a level stand side by side in the table, and for the way back side by side in backward order, negated.
  /// What goes with a factor is computed once where it is `kept`, for many columns, and else on the way: read too soon
  /// after it was written, it would wait for all stores before it.
  template <std::size_t rows, bool kept>
  struct Factors {
    const std::uint64_t* w[4];
    alignas(64) std::uint64_t clearing[kept ? 16 : 1];  // longest level first, so that none crosses a cache line

    // Of the i-th of `nodes` nodes of a level.
    DUET_INLINE Factor operator()(const Field& f, std::size_t nodes, std::size_t i) const {
      const std::uint64_t factor = w[std::countr_zero(nodes)][i];
      if constexpr (kept) {
        return f.factor(factor, clearing[16 - 2 * nodes + i]);
      } else {
        return f.factor(factor);
      }
    }
    /// Has factors read from memory where they are used. Fetched once before a loop, they would take all registers.
    DUET_INLINE void stay_in_memory() { asm volatile("" : "+m"(*this)); }
  };

  template <std::size_t rows, bool kept>
  static DUET_INLINE void factors_below(const Field& f, const std::uint64_t* t, std::size_t node,
                                        Factors<rows, kept>& factors) {
    std::size_t level = 0;
#pragma GCC unroll 4
    for (std::size_t nodes = 1; nodes < rows; nodes *= 2, ++level) {
      factors.w[level] = t + node * nodes;
      if constexpr (kept) f.clearings(factors.w[level], nodes, factors.clearing + 16 - 2 * nodes);
    }
  }

  /// Factors of the inverse pass, all of them negated: -1 / t(j) = t(mirrored(j)). What is in the place of node i is
  /// that of the node that stands as far from the end. There is no mirror for t(0).
  template <std::size_t rows, bool kept>
  struct InverseFactors {
    Factors<rows, kept> mirrored;
    std::uint64_t first[16];

    DUET_INLINE Factor operator()(const Field& f, std::size_t nodes, std::size_t i) const {
      return mirrored(f, nodes, nodes - 1 - i);
    }
    DUET_INLINE void stay_in_memory() { asm volatile("" : "+m"(*this)); }
  };

  template <std::size_t rows, bool kept>
  static DUET_INLINE void inverse_factors_below(const Field& f, const std::uint64_t* t, std::size_t node,
                                                InverseFactors<rows, kept>& factors) {
    std::size_t level = 0;
#pragma GCC unroll 4
    for (std::size_t nodes = 1; nodes < rows; nodes *= 2, ++level) {
      const std::size_t j = node * nodes;
      if (node != 0) {
        factors.mirrored.w[level] = t + (3 * std::bit_floor(j) - j - nodes);
      } else {
        for (std::size_t i = 0; i < nodes; ++i) {
          factors.first[nodes - 1 + nodes - 1 - i] = i == 0 ? f.minus_one() : t[3 * std::bit_floor(i) - 1 - i];
        }
        factors.mirrored.w[level] = factors.first + nodes - 1;
      }
      if constexpr (kept) f.clearings(factors.mirrored.w[level], nodes, factors.mirrored.clearing + 16 - 2 * nodes);
    }
  }

  // x, y := x + w y, x - w y
  static DUET_INLINE void forward2(const Field& f, Vector& x, Vector& y, const Factor& w) {
    const Vector d = f.centred(y, w);
    y = f.minus(x, d);
    x = f.plus(x, d);
  }
  // x, y := x + y, (x - y) / w; the factor is -1 / w.
  static DUET_INLINE void inverse2(const Field& f, Vector& x, Vector& y, const Factor& w) {
    const Vector difference = f.plus(f.minus(y, x), f.p4());
    x = f.less(f.plus(x, y), f.p4());
    y = f.times(difference, w);
  }
  static DUET_INLINE Vector lifted(const Field& f, Vector x) { return f.plus(f.less(x, f.p8()), f.p4()); }

  // All levels of a block of rows from that on whose nodes have 2 `half` of them; only what the leaves before `needed`,
  // but for the first `unneeded`, depend on. Rows of a block from `filled` on are empty, and not read. Written out by
  // recursion: loops in loops may stay loops, with all rows in memory.
  template <std::size_t half, std::size_t needed, std::size_t unneeded = 0, std::size_t filled = 2 * half,
            std::size_t rows, class AnyFactors>
  static DUET_INLINE void forward_levels(const Field& f, Vector (&x)[rows], const AnyFactors& w) {
    if constexpr (half == 8) x[1] = lifted(f, x[1]);
    // The words that will have been the upper ones at every level: they are lifted two levels before the end.
    if constexpr (half == 2 || rows == 2) {
#pragma GCC unroll 4
      for (std::size_t i = 0; i < rows; i += 4) x[i] = lifted(f, x[i]);
    }
#pragma GCC unroll 8
    for (std::size_t i = 0; i < rows / 2; ++i) {
      const std::size_t node = i / half;
      const std::size_t upper = 2 * half * node + i % half;
      if (2 * half * node >= needed || 2 * half * (node + 1) <= unneeded) continue;
      if (i % half + half < filled) {
        forward2(f, x[upper], x[upper + half], w(f, rows / (2 * half), node));
      } else {
        x[upper + half] = x[upper];
      }
    }
    if constexpr (half > 1) forward_levels<half / 2, needed, unneeded>(f, x, w);
  }

  // Two levels; the factors are negated.
  static DUET_INLINE void inverse4(const Field& f, Vector& x0, Vector& x1, Vector& x2, Vector& x3, const Factor& upper,
                                   const Factor& left, const Factor& right) {
    // In (-p, p) and (p, 3 p): their sum and the difference are both in (0, 4 p).
    const Vector b0 = f.centred(f.plus(f.minus(x1, x0), f.p4()), left);
    const Vector b1 = f.product_and(f.plus(f.minus(x3, x2), f.p4()), right, f.p2());
    const Vector a0 = f.plus(x0, x1);
    const Vector a1 = f.plus(x2, x3);
    x0 = f.less(f.less(f.plus(a0, a1), f.p8()), f.p4());
    x1 = f.plus(b0, b1);
    x2 = f.times(f.plus(f.minus(a1, a0), f.p8()), upper);
    x3 = f.times(f.minus(b1, b0), upper);
  }

  // Levels from the leaves up, two at a time, from that on whose nodes have four times `done` rows; an odd one is the
  // first.
  template <std::size_t done, std::size_t rows, class AnyFactors>
  static DUET_INLINE void inverse_levels(const Field& f, Vector (&x)[rows], const AnyFactors& w) {
    if constexpr (done == 1 && (rows == 2 || rows == 8)) {
#pragma GCC unroll 4
      for (std::size_t i = 0; i < rows / 2; ++i) inverse2(f, x[2 * i], x[2 * i + 1], w(f, rows / 2, i));
      if constexpr (rows > 2) inverse_levels<2>(f, x, w);
    } else {
      constexpr std::size_t nodes = rows / (4 * done);  // of the upper level
#pragma GCC unroll 4
      for (std::size_t i = 0; i < rows / 4; ++i) {
        const std::size_t node = i / done;
        const std::size_t at = 4 * done * node + i % done;
        inverse4(f, x[at], x[at + done], x[at + 2 * done], x[at + 3 * done], w(f, nodes, node),
                 w(f, 2 * nodes, 2 * node), w(f, 2 * nodes, 2 * node + 1));
      }
      if constexpr (4 * done < rows) inverse_levels<4 * done>(f, x, w);
    }
  }

  // Words [begin, end) of `rows` rows that stand `row_length` apart, in place. The field is copied: stores could change
  // the caller's, as far as the compiler knows, and its constants would be read again in each turn.
  template <std::size_t rows, bool forward>
  static DUET_NOINLINE void pass(const Field& field, const std::uint64_t* t, std::uint64_t* words,
                                 std::size_t row_length, std::size_t node, std::size_t begin, std::size_t end) {
    const Field f = field;
    pass_inline<rows, forward, true>(f, t, words, row_length, node, begin, end);
  }
  template <std::size_t rows, bool forward, bool keeps_factors>
  static DUET_INLINE void pass_inline(const Field& f, const std::uint64_t* t, std::uint64_t* words,
                                      std::size_t row_length, std::size_t node, std::size_t begin, std::size_t end) {
    std::conditional_t<forward, Factors<rows, keeps_factors>, InverseFactors<rows, keeps_factors>> w;
    if constexpr (forward) {
      factors_below(f, t, node, w);
    } else {
      inverse_factors_below(f, t, node, w);
    }
    for (std::size_t i = begin; i < end; i += lanes) {
      w.stay_in_memory();
      Vector x[rows];
      load_rows<rows>(f, words + i, row_length, x);
      if constexpr (keeps_factors) fetch_rows<rows>(words + i + prefetched, row_length);
      if constexpr (forward) {
        forward_levels<rows / 2, rows>(f, x, w);
      } else {
        inverse_levels<1>(f, x, w);
      }
      store_rows<rows>(f, x, words + i, row_length);
    }
  }

  // A turn of a pass has more instructions than the processor looks ahead, so that it would not ask for the next
  // columns before it needs them.
  static constexpr std::size_t prefetched = 16;
  template <std::size_t rows>
  static DUET_INLINE void fetch_rows(const std::uint64_t* from, std::size_t apart) {
    asm volatile("" : "+r"(apart));
#pragma GCC unroll 16
    for (std::size_t r = 0; r < rows; ++r) __builtin_prefetch(from + r * apart);
  }

  // Rows that are a variable apart are found by adding: sixteen pointers would be kept through the whole pass, and most
  // of them in memory.
  template <std::size_t rows, std::size_t all>
  static DUET_INLINE void load_rows(const Field& f, const std::uint64_t* from, std::size_t apart, Vector (&x)[all]) {
    if (!__builtin_constant_p(apart)) asm volatile("" : "+r"(apart));
#pragma GCC unroll 16
    for (std::size_t r = 0; r < rows; ++r) x[r] = f.load(from + r * apart);
  }
  template <std::size_t rows, std::size_t all>
  static DUET_INLINE void store_rows(const Field& f, const Vector (&x)[all], std::uint64_t* to, std::size_t apart) {
    if (!__builtin_constant_p(apart)) asm volatile("" : "+r"(apart));
#pragma GCC unroll 16
    for (std::size_t r = 0; r < rows; ++r) f.store(x[r], to + r * apart);
  }

  // The same where a row is one polynomial of eight coefficients, with the last level, at which each vector has one
  // coefficient of as many polynomials as it has lanes.
  template <std::size_t rows>
  static DUET_NOINLINE void forward_leaves(const Field& field, const std::uint64_t* t, std::uint64_t* words,
                                           std::size_t node) {
    const Field f = field;
    const std::size_t first = node * rows;
    if constexpr (lanes == 8) {
      Factors<rows, false> w;
      factors_below(f, t, node, w);
      w.stay_in_memory();
      Vector x[rows];
      load_rows<rows>(f, words, 8, x);
      forward_levels<rows / 2, rows>(f, x, w);
#pragma GCC unroll 2
      for (std::size_t i = 0; i < rows; i += 8) {
        Vector v[8];
#pragma GCC unroll 8
        for (std::size_t c = 0; c < 8; ++c) v[c] = x[i + c];
        f.transpose(v);
        const Factor factor = f.factors(t + first + i);
#pragma GCC unroll 4
        for (std::size_t c = 0; c < 4; ++c) forward2(f, v[c], v[c + 4], factor);
        store_rows<8>(f, v, words + 8 * i, 8);
      }
    } else {
      pass_inline<rows, true, true>(f, t, words, 8, node, 0, 8);
      for (std::size_t i = 0; i < 8 * rows; i += leaf) {
        Vector v[8];
        f.load_transposed(words + i, v);
        const Factor factor = f.factors(t + first + i / 8);
        for (std::size_t c = 0; c < 4; ++c) forward2(f, v[c], v[c + 4], factor);
        store_rows<8>(f, v, words + i, lanes);
      }
    }
  }
  template <std::size_t rows>
  static DUET_NOINLINE void inverse_leaves(const Field& field, const std::uint64_t* t, std::uint64_t* words,
                                           std::size_t node) {
    const Field f = field;
    const std::size_t first = node * rows;
    if constexpr (lanes == 8) {
      InverseFactors<rows, false> w;
      inverse_factors_below(f, t, node, w);
      w.stay_in_memory();
      Vector x[rows];
#pragma GCC unroll 2
      for (std::size_t i = 0; i < rows; i += 8) {
        Vector v[8];
        load_rows<8>(f, words + 8 * i, 8, v);
        const Factor factor = inverse_factors(f, t, first + i);
#pragma GCC unroll 4
        for (std::size_t c = 0; c < 4; ++c) inverse2(f, v[c], v[c + 4], factor);
        f.transpose(v);
#pragma GCC unroll 8
        for (std::size_t c = 0; c < 8; ++c) x[i + c] = v[c];
      }
      inverse_levels<1>(f, x, w);
      store_rows<rows>(f, x, words, 8);
    } else {
      for (std::size_t i = 0; i < 8 * rows; i += leaf) {
        Vector v[8];
        load_rows<8>(f, words + i, lanes, v);
        const Factor factor = inverse_factors(f, t, first + i / 8);
        for (std::size_t c = 0; c < 4; ++c) inverse2(f, v[c], v[c + 4], factor);
        f.store_transposed(v, words + i);
      }
      pass_inline<rows, false, true>(f, t, words, 8, node, 0, 8);
    }
  }

  // How many levels the next pass does of those above polynomials of eight coefficients: four where the rest can be
  // done in threes and fours.
  static constexpr unsigned levels_of_pass(unsigned levels) {
    switch (levels) {
      case 5:
        return 2;
      case 3:
      case 6:
      case 9:
        return 3;
      default:
        return 4;
    }
  }

  // All that is below a node of two images: forward, combined, and back. Depth first: each subtree is done while it is
  // in the nearest cache that holds it.
  template <Combination combination>
  static void subtree_of(const Field& f, const Line& line, std::uint64_t* a, std::uint64_t* b, std::size_t length,
                         std::size_t node) {
    constexpr bool has_b = combination != Combination::square;
    constexpr bool keeps_b = combination == Combination::doubling;
    if (length == 64) return leaves<8, combination>(f, line, a, b, node);
    if (length == 128) return leaves<16, combination>(f, line, a, b, node);
    const unsigned levels = levels_of_pass(static_cast<unsigned>(std::countr_zero(length)) - 3);
    const std::size_t rows = std::size_t{1} << levels;
    const std::size_t each = length / rows;
    const Columns all{0, each};
    pass_of<true>(f, line.twiddles, a, rows, each, node, all);
    if constexpr (has_b) pass_of<true>(f, line.twiddles, b, rows, each, node, all);
    for (std::size_t r = 0; r < rows; ++r) {
      subtree_of<combination>(f, line, a + r * each, has_b ? b + r * each : nullptr, each, node * rows + r);
    }
    pass_of<false>(f, line.inverse, a, rows, each, node, all);
    if constexpr (keeps_b) pass_of<false>(f, line.inverse, b, rows, each, node, all);
  }
  template <std::size_t rows, Combination combination>
  static void leaves(const Field& f, const Line& line, std::uint64_t* a, std::uint64_t* b, std::size_t node) {
    forward_leaves<rows>(f, line.twiddles, a, node);
    if constexpr (combination != Combination::square) forward_leaves<rows>(f, line.twiddles, b, node);
    combine_leaves<combination>(f, line.twiddles, a, b, 8 * rows, node);
    inverse_leaves<rows>(f, line.inverse, a, node);
    if constexpr (combination == Combination::doubling) inverse_leaves<rows>(f, line.inverse, b, node);
  }
  template <bool forward>
  static void pass_of(const Field& f, const std::uint64_t* t, std::uint64_t* words, std::size_t rows,
                      std::size_t row_length, std::size_t node, Columns columns) {
    switch (rows) {
      case 2:
        return pass<2, forward>(f, t, words, row_length, node, columns.begin, columns.end);
      case 4:
        return pass<4, forward>(f, t, words, row_length, node, columns.begin, columns.end);
      case 8:
        return pass<8, forward>(f, t, words, row_length, node, columns.begin, columns.end);
      default:
        return pass<16, forward>(f, t, words, row_length, node, columns.begin, columns.end);
    }
  }

  // -1 / t of as many nodes as there are lanes, from j on.
  static DUET_INLINE Factor inverse_factors(const Field& f, const std::uint64_t* t, std::size_t j) {
    if (j != 0 && j >= lanes) return f.backward_factors(t + (3 * std::bit_floor(j) - j - lanes));
    std::uint64_t w[lanes];
    for (std::size_t i = 0; i < lanes; ++i) {
      w[i] = j + i == 0 ? f.minus_one() : t[3 * std::bit_floor(j + i) - 1 - j - i];
    }
    return f.factors(w);
  }

  // The product of two polynomials of four coefficients modulo x^4 - theta, with y = b and z = theta b.
  static DUET_INLINE void multiply_and_store(const Field& f, const Vector (&a)[4], const Vector (&y)[4],
                                             const Vector (&z)[4], std::uint64_t* to) {
    f.store(f.dot(a[0], y[0], a[1], z[3], a[2], z[2], a[3], z[1]), to);
    f.store(f.dot(a[0], y[1], a[1], y[0], a[2], z[3], a[3], z[2]), to + lanes);
    f.store(f.dot(a[0], y[2], a[1], y[1], a[2], y[0], a[3], z[3]), to + 2 * lanes);
    f.store(f.dot(a[0], y[3], a[1], y[2], a[2], y[1], a[3], y[0]), to + 3 * lanes);
  }

  // The square: what occurs twice is doubled before.
  static DUET_INLINE void square_and_store(const Field& f, const Vector (&a)[4], const Vector (&y)[4],
                                           const Vector (&z)[4], std::uint64_t* to) {
    const Vector twice1 = f.plus(y[1], y[1]);
    const Vector twice2 = f.plus(y[2], y[2]);
    const Vector twice3 = f.plus(y[3], y[3]);
    f.store(f.dot(a[0], y[0], twice1, z[3], a[2], z[2]), to);
    f.store(f.dot(a[0], twice1, twice2, z[3]), to + lanes);
    f.store(f.dot(a[0], twice2, a[1], y[1], a[3], z[3]), to + 2 * lanes);
    f.store(f.dot(a[0], twice3, twice1, y[2]), to + 3 * lanes);
  }

  template <Combination combination>
  static DUET_NOINLINE void combine_leaves(const Field& f, const std::uint64_t* t, std::uint64_t* a, std::uint64_t* b,
                                           std::size_t length, std::size_t node) {
    constexpr bool squares = combination == Combination::square;
    const std::size_t first = node * (length / 8);
    for (std::size_t i = 0; i < length; i += leaf) {
      const Factor w = f.factors(t + first + i / 8);
      for (std::size_t half = 0; half < 2; ++half) {
        std::uint64_t* const a4 = a + i + half * 4 * lanes;
        std::uint64_t* const b4 = squares ? a4 : b + i + half * 4 * lanes;
        Vector right[4];  // below 4 p
        Vector y[4];      // below 2 p
        Vector z[4];
        for (std::size_t c = 0; c < 4; ++c) {
          right[c] = f.less(f.less(f.load(b4 + c * lanes), f.p8()), f.p4());
          y[c] = f.less(right[c], f.p2());
        }
        // The first half is modulo x^4 - t, the second modulo x^4 + t.
        for (std::size_t c = 1; c < 4; ++c) {
          z[c] = f.times(y[c], w);
          if (half == 1) z[c] = f.minus(f.p2(), z[c]);
        }
        if constexpr (combination == Combination::square) {
          square_and_store(f, right, y, z, a4);
          continue;
        }
        Vector left[4];  // below 4 p
        for (std::size_t c = 0; c < 4; ++c) left[c] = f.less(f.less(f.load(a4 + c * lanes), f.p8()), f.p4());
        multiply_and_store(f, left, y, z, a4);
        if constexpr (combination == Combination::doubling) multiply_and_store(f, right, y, z, b4);
      }
    }
  }

  // The functions of a TransformPath.

  static void twist(const TransformPrime& prime, std::span<const std::uint64_t> from, std::uint64_t factor,
                    std::uint64_t* to) {
    const Field f{prime};
    const Factor w = f.factor(factor);
    for (std::size_t i = 0; i < from.size(); i += lanes) f.store(f.turned(f.load(&from[i]), w), to + i);
  }

  static void subtree(const Line& line, std::uint64_t* a, std::uint64_t* b, std::size_t length, std::size_t node,
                      Combination combination) {
    const Field f{transform_primes[line.prime]};
    switch (combination) {
      case Combination::product:
        return subtree_of<Combination::product>(f, line, a, b, length, node);
      case Combination::square:
        return subtree_of<Combination::square>(f, line, a, b, length, node);
      case Combination::doubling:
        return subtree_of<Combination::doubling>(f, line, a, b, length, node);
    }
  }

  static void forward_columns(const Line& line, std::uint64_t* words, std::size_t rows, std::size_t row_length,
                              std::size_t node, Columns columns) {
    pass_of<true>(Field{transform_primes[line.prime]}, line.twiddles, words, rows, row_length, node, columns);
  }
  static void inverse_columns(const Line& line, std::uint64_t* words, std::size_t rows, std::size_t row_length,
                              std::size_t node, Columns columns) {
    pass_of<false>(Field{transform_primes[line.prime]}, line.inverse, words, rows, row_length, node, columns);
  }

  // Where the digits of a column are: row r has them at from + r * apart, but rows from `filled` on have none.
  struct TopColumns {
    const std::uint64_t* from;
    std::size_t apart;
    std::size_t filled;
    std::size_t begin;
    std::size_t end;
  };

  // Where the first rows begin; empty ones do not move on, and read one vector of zeros again and again.
  template <std::size_t rows>
  static DUET_INLINE void find_rows(const TopColumns& columns, const std::uint64_t* (&row)[rows],
                                    std::size_t (&moves)[rows]) {
    alignas(64) static constexpr std::uint64_t zeros[lanes] = {};
    for (std::size_t r = 0; r < rows; ++r) {
      row[r] = r < columns.filled ? columns.from + r * columns.apart : zeros;
      moves[r] = r < columns.filled ? SIZE_MAX : 0;
    }
  }

  // From so many words on, they leave the caches before they are read again: then they go to memory past them, and no
  // line is fetched only to be overwritten.
  static constexpr std::size_t streamed = std::size_t{1} << 21U;

  // Of the sixteen rows, at most the first `filled` have digits: eight or fewer, or all.
  template <std::size_t rows, std::size_t filled>
  static DUET_NOINLINE void forward_top_of(const Field& field, Factors<16, true>& w, const TopColumns& columns,
                                           std::uint64_t* words, std::size_t row_length) {
    const Field f = field;
    constexpr bool half_empty = filled <= 8;
    constexpr std::size_t most = std::min(rows, filled);
    const bool streams = rows * row_length >= streamed;
    const std::uint64_t* row[16];
    std::size_t moves[16];
    find_rows(columns, row, moves);
    for (std::size_t i = columns.begin; i < columns.end; i += lanes) {
      w.stay_in_memory();
      Vector x[16];
#pragma GCC unroll 16
      for (std::size_t r = 0; r < most; ++r) x[r] = f.from_digits(f.load(row[r] + ((i - columns.begin) & moves[r])));
#pragma GCC unroll 16
      for (std::size_t r = most; r < 16; ++r) x[r] = half_empty && r >= 8 ? x[r - 8] : f.p4();
      // Where half of the rows are empty, the first level only repeats the others.
      forward_levels<half_empty ? 4 : 8, rows, 0, std::min<std::size_t>(filled, half_empty ? 8 : 16)>(f, x, w);
      if (streams) {
        std::size_t apart = row_length;
        asm volatile("" : "+r"(apart));
#pragma GCC unroll 16
        for (std::size_t r = 0; r < rows; ++r) f.stream(x[r], words + r * apart + i);
      } else {
        store_rows<rows>(f, x, words + i, row_length);
      }
    }
    if (streams) f.finish_streams();
  }
  template <std::size_t rows = 16>
  static void forward_top_with(const Field& f, Factors<16, true>& w, const TopColumns& columns, std::uint64_t* words,
                               const TransformShape& shape) {
    if (shape.rows == rows) {
      if constexpr (rows > 8) {
        // A product's factors are mostly of one length, and fill half of its rows.
        constexpr std::size_t half = (rows + 1) / 2;
        if (columns.filled > 8) return forward_top_of<rows, 16>(f, w, columns, words, shape.row_length);
        if (columns.filled <= half) return forward_top_of<rows, half>(f, w, columns, words, shape.row_length);
      }
      return forward_top_of<rows, 8>(f, w, columns, words, shape.row_length);
    }
    if constexpr (rows > 1) return forward_top_with<rows - 1>(f, w, columns, words, shape);
  }

  static void forward_top(const Line& line, const std::uint64_t* digits, std::size_t count, std::uint64_t* words,
                          const TransformShape& shape, Columns columns) {
    const Field f{transform_primes[line.prime]};
    Factors<16, true> w;
    factors_below(f, line.twiddles, 0, w);
    // Columns up to where the last row ends have a digit more, and one vector may have it in part.
    const std::size_t whole = count / shape.row_length;
    const std::size_t rest = count % shape.row_length;
    const std::size_t even = rest / lanes * lanes;
    const std::size_t full_end = std::min(columns.end, even);
    if (columns.begin < full_end) {
      forward_top_with(f, w, {digits + columns.begin, shape.row_length, whole + 1, columns.begin, full_end}, words,
                       shape);
    }
    if (rest != even && columns.begin <= even && even < columns.end) {
      std::uint64_t part[16 * lanes] = {};
      for (std::size_t r = 0; r <= whole; ++r) {
        const std::size_t start = r * shape.row_length + even;
        std::copy_n(digits + start, std::min(lanes, count - start), part + r * lanes);
      }
      forward_top_with(f, w, {part, lanes, whole + 1, even, even + lanes}, words, shape);
    }
    const std::size_t after = std::max(columns.begin, even + (rest != even ? lanes : 0));
    if (after < columns.end) {
      forward_top_with(f, w, {digits + after, shape.row_length, whole, after, columns.end}, words, shape);
    }
  }

  // Where half of the sixteen rows have no digits, the first level only repeats the others, and each half of the result
  // is a pass of eight rows below its own node. Of its rows [4 first_four, last) those from `begin` on are stored.
  template <std::size_t first_four, std::size_t last, std::size_t filled>
  static DUET_NOINLINE void forward_half_of(const Field& field, Factors<8, true>& w, const TopColumns& columns,
                                            std::size_t begin, std::uint64_t* words, std::size_t row_length,
                                            bool streams) {
    const Field f = field;
    const std::uint64_t* row[8];
    std::size_t moves[8];
    find_rows(columns, row, moves);
    for (std::size_t i = columns.begin; i < columns.end; i += lanes) {
      w.stay_in_memory();
      Vector x[8];
#pragma GCC unroll 8
      for (std::size_t r = 0; r < filled; ++r) x[r] = f.from_digits(f.load(row[r] + ((i - columns.begin) & moves[r])));
      forward_levels<4, last, 4 * first_four, filled>(f, x, w);
      std::uint64_t* to = words + i;
#pragma GCC unroll 8
      for (std::size_t r = 4 * first_four; r < last; ++r) {
        if (r < begin) continue;
        streams ? f.stream(x[r], to) : f.store(x[r], to);
        to += row_length;
      }
    }
    if (streams) f.finish_streams();
  }
  template <std::size_t first_four, std::size_t last>
  static void forward_half_filled(const Field& f, Factors<8, true>& w, const TopColumns& columns, std::size_t begin,
                                  std::uint64_t* words, std::size_t row_length, bool streams) {
    const auto half_of =
        columns.filled <= 6 ? forward_half_of<first_four, last, 6> : forward_half_of<first_four, last, 8>;
    half_of(f, w, columns, begin, words, row_length, streams);
  }
  template <std::size_t last = 8>
  static void forward_half_with(const Field& f, Factors<8, true>& w, const TopColumns& columns, Rows rows,
                                std::uint64_t* words, std::size_t row_length, bool streams) {
    if (rows.end == last) {
      if constexpr (last > 4) {
        if (rows.begin >= 4) {
          return forward_half_filled<1, last>(f, w, columns, rows.begin, words, row_length, streams);
        }
      }
      return forward_half_filled<0, last>(f, w, columns, rows.begin, words, row_length, streams);
    }
    if constexpr (last > 1) forward_half_with<last - 1>(f, w, columns, rows, words, row_length, streams);
  }

  static void forward_top_rows(const Line& line, const DigitRows& digits, const TransformShape& shape, Rows rows,
                               std::uint64_t* words, Columns columns) {
    const Field f{transform_primes[line.prime]};
    const TopColumns from{digits.first, digits.apart, digits.rows, columns.begin, columns.end};
    if (rows.begin == 0 && rows.end == shape.rows) {
      Factors<16, true> w;
      factors_below(f, line.twiddles, 0, w);
      return forward_top_with(f, w, from, words, shape);
    }
    const bool streams = shape.words() >= streamed;
    for (std::size_t half = 0; half < 2; ++half) {
      const Rows here{std::max(rows.begin, 8 * half), std::min(rows.end, 8 * half + 8)};
      if (here.begin >= here.end) continue;
      Factors<8, true> w;
      factors_below(f, line.twiddles, half, w);
      forward_half_with(f, w, from, {here.begin - 8 * half, here.end - 8 * half},
                        words + (here.begin - rows.begin) * shape.row_length, shape.row_length, streams);
    }
  }

  struct InverseTop {
    Factors<16, true> w;
    InverseFactors<16, true> inverse;
    std::uint64_t half;
  };

  // Van der Hoeven's truncated inverse ("The truncated Fourier transform and applications", 2004) on `size` rows from
  // `block` on: of the first `known` the values at the leaves are given, of the others the coefficients, times `size`.
  // Leaves the coefficients of the first `known`, times `size`; what is in the others then means nothing.
  template <std::size_t size, std::size_t known, std::size_t block>
  static DUET_INLINE void inverse_rows(const Field& f, const InverseTop& top, Vector (&x)[16]) {
    if constexpr (known != 0 && size != 1) {
      constexpr std::size_t half = size / 2;
      constexpr std::size_t nodes = 16 / size;
      constexpr std::size_t node = block / size;
      if constexpr (known == 1 && size < 16) {
        // The value at the first leaf, less what the others give there.
        Vector all = x[block];
#pragma GCC unroll 3
        for (std::size_t times = 2; times < size; times *= 2) all = f.less(f.plus(all, all), f.p4());
        all = f.plus(all, all);
        x[block] = f.less(f.less(f.plus(f.minus(all, others_at_leaf<size, block>(f, top, x)), f.p8()), f.p8()), f.p4());
      } else if constexpr (known < half) {
        // L = (lo + w hi) / 2 where lo and hi are known, and where only hi is, lo = 2 L - w hi.
#pragma GCC unroll 8
        for (std::size_t r = known; r < half; ++r) {
          const Vector high = f.times(x[block + half + r], top.w(f, nodes, node));
          x[block + r] = f.times(f.plus(x[block + r], high), f.factor(top.half, f.clearing(top.half)));
        }
        inverse_rows<half, known, block>(f, top, x);
#pragma GCC unroll 8
        for (std::size_t r = 0; r < known; ++r) {
          x[block + r] = twice_less(f, x[block + r], f.times(x[block + half + r], top.w(f, nodes, node)));
        }
      } else {
        inverse_rows<half, half, block>(f, top, x);
        // R = L - w hi and lo = 2 L - w hi where hi is known. Beyond the rows of the whole it is zero.
#pragma GCC unroll 8
        for (std::size_t r = known - half; r < half; ++r) {
          const Vector left = x[block + r];
          if constexpr (size == 16) {
            x[block + half + r] = left;
            x[block + r] = f.less(f.plus(left, left), f.p4());
            continue;
          }
          const Vector high = f.times(x[block + half + r], top.w(f, nodes, node));
          x[block + half + r] = f.less(f.plus(f.minus(left, high), f.p2()), f.p4());
          x[block + r] = twice_less(f, left, high);
        }
        inverse_rows<half, known - half, block + half>(f, top, x);
#pragma GCC unroll 8
        for (std::size_t r = 0; r < known - half; ++r) {
          inverse2(f, x[block + r], x[block + half + r], top.inverse(f, nodes, node));
        }
      }
    }
  }
  // The value at the first leaf of the polynomial of `size` rows without its first coefficient: half as many rows at
  // every level. Below 2 p for each of them; what is in the rows before means nothing then.
  template <std::size_t size, std::size_t block>
  static DUET_INLINE Vector others_at_leaf(const Field& f, const InverseTop& top, Vector (&x)[16]) {
    constexpr std::size_t half = size / 2;
    const Factor w = top.w(f, 16 / size, block / size);
    const Vector first = f.times(x[block + half], w);
    if constexpr (half == 1) {
      return first;
    } else {
#pragma GCC unroll 4
      for (std::size_t r = 1; r < half; ++r) x[block + r] = f.plus(x[block + r], f.times(x[block + half + r], w));
      return f.plus(first, others_at_leaf<half, block>(f, top, x));
    }
  }
  // 2 x - y for x below 4 p and y below 2 p.
  static DUET_INLINE Vector twice_less(const Field& f, Vector x, Vector y) {
    return f.less(f.less(f.plus(f.minus(f.plus(x, x), y), f.p2()), f.p8()), f.p4());
  }

  template <std::size_t rows>
  static DUET_NOINLINE void inverse_top_of(const Field& field, InverseTop& top, const std::uint64_t* const* from,
                                           const WordRows& to, Columns columns) {
    const Field f = field;
    const std::uint64_t* row[rows];
    std::copy_n(from, rows, row);
    std::uint64_t* const target = to.first;
    const std::size_t target_apart = to.apart;
    for (std::size_t i = columns.begin; i < columns.end; i += lanes) {
      top.w.stay_in_memory();
      top.inverse.stay_in_memory();
      Vector x[16];
#pragma GCC unroll 16
      for (std::size_t r = 0; r < rows; ++r) x[r] = f.load(row[r] + i);
#pragma GCC unroll 16
      for (std::size_t r = rows; r < 16; ++r) x[r] = f.zero();
      inverse_rows<16, rows, 0>(f, top, x);
      store_rows<rows>(f, x, target + i, target_apart);
    }
  }
  template <std::size_t rows = 16>
  static void inverse_top_with(const Field& f, InverseTop& top, std::span<const std::uint64_t* const> from,
                               const WordRows& to, Columns columns) {
    if (from.size() == rows) return inverse_top_of<rows>(f, top, from.data(), to, columns);
    if constexpr (rows > 1) return inverse_top_with<rows - 1>(f, top, from, to, columns);
  }

  static void inverse_top(const Line& line, std::span<const std::uint64_t* const> from, const WordRows& to,
                          Columns columns) {
    const TransformPrime& prime = transform_primes[line.prime];
    const Field f{prime};
    InverseTop top;
    factors_below(f, line.twiddles, 0, top.w);
    inverse_factors_below(f, line.inverse, 0, top.inverse);
    top.half = Field::entry(prime, (prime.value() + 1) / 2);
    inverse_top_with(f, top, from, to, columns);
  }
};
