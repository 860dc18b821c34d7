// The passes of the transform over the arithmetic of one prime on one kind of vectors, `Field`. To be included by the
// source of a path after it has chosen what to compile for, within its own unnamed namespace.
//
// Ranges. Words hold residues that are not reduced; p16 = 2^52 / p > 16 of a prime's multiples fit below what a product
// takes. A forward pass takes words in (p, 15 p) and leaves words in (2 p, 14 p):
//
//     x reduced to [0, 8 p), lifted to [4 p, 12 p)   - w y in (-p, p) ->   (3 p, 13 p)   - w' y' ->   (2 p, 14 p)
//
// An inverse pass takes and leaves words in [0, 4 p): sums grow to 16 p and are reduced, products are in (0, 2 p).

/// Row r of a strip starts at data + r * stride.
template <class Word>
struct Strip {
  Word* data;
  std::size_t stride;
  DUET_INLINE Word* row(std::size_t r) const { return data + r * stride; }
};

template <class Field>
struct Passes {
  using Vector = typename Field::Vector;
  using Factor = typename Field::Factor;
  static constexpr std::size_t lanes = Field::lanes;

  // Half of the first-level cache, in words: below it a pass finds everything there.
  static constexpr std::size_t first_level = 2048;
  static constexpr std::size_t strip_words = 2048;
  static constexpr std::size_t widest_strip = 64;
  static constexpr std::size_t leaf = 8 * lanes;

  struct Factors4 {
    Factor upper;  // of the node
    Factor left;   // of its two children
    Factor right;
  };

  static DUET_INLINE std::uint64_t inverse_twiddle(const Field& f, const std::uint64_t* t, std::size_t j) {
    return j == 0 ? t[0] : f.modulus() - t[3 * std::bit_floor(j) - 1 - j];
  }
  static DUET_INLINE Factors4 factors_below(const Field& f, const std::uint64_t* t, std::size_t node) {
    return {f.factor(t[node]), f.factor(t[2 * node]), f.factor(t[2 * node + 1])};
  }
  static DUET_INLINE Factors4 inverse_factors_below(const Field& f, const std::uint64_t* t, std::size_t node) {
    return {f.factor(inverse_twiddle(f, t, node)), f.factor(inverse_twiddle(f, t, 2 * node)),
            f.factor(inverse_twiddle(f, t, 2 * node + 1))};
  }

  // x, y := x + w y, x - w y
  static DUET_INLINE void forward2(const Field& f, Vector& x, Vector& y, const Factor& w) {
    const Vector d = f.centred(y, w);
    y = f.minus(x, d);
    x = f.plus(x, d);
  }
  // x, y := x + y, (x - y) w
  static DUET_INLINE void inverse2(const Field& f, Vector& x, Vector& y, const Factor& w) {
    const Vector difference = f.plus(f.minus(x, y), f.p4());
    x = f.less(f.plus(x, y), f.p4());
    y = f.times(difference, w);
  }
  static DUET_INLINE Vector lifted(const Field& f, Vector x) { return f.plus(f.less(x, f.p8()), f.p4()); }

  static DUET_INLINE void forward4(const Field& f, Vector (&x)[4], const Factors4& w) {
    x[0] = lifted(f, x[0]);
    forward2(f, x[0], x[2], w.upper);
    forward2(f, x[1], x[3], w.upper);
    forward2(f, x[0], x[1], w.left);
    forward2(f, x[2], x[3], w.right);
  }
  static DUET_INLINE void inverse4(const Field& f, Vector (&x)[4], const Factors4& w) {
    const Vector b0 = f.times(f.plus(f.minus(x[0], x[1]), f.p4()), w.left);
    const Vector b1 = f.times(f.plus(f.minus(x[2], x[3]), f.p4()), w.right);
    const Vector a0 = f.plus(x[0], x[1]);
    const Vector a1 = f.plus(x[2], x[3]);
    x[0] = f.less(f.less(f.plus(a0, a1), f.p8()), f.p4());
    x[1] = f.plus(b0, b1);
    x[2] = f.times(f.plus(f.minus(a0, a1), f.p8()), w.upper);
    x[3] = f.times(f.plus(f.minus(b0, b1), f.p2()), w.upper);
  }

  // Four rows of `count` words.
  template <bool forward>
  static DUET_INLINE void rows4(const Field& f, Strip<const std::uint64_t> from, Strip<std::uint64_t> to,
                                std::size_t count, const Factors4& w) {
    for (std::size_t i = 0; i < count; i += lanes) {
      Vector x[4];
      for (std::size_t r = 0; r < 4; ++r) x[r] = f.load(from.row(r) + i);
      if constexpr (forward) {
        forward4(f, x, w);
      } else {
        inverse4(f, x, w);
      }
      for (std::size_t r = 0; r < 4; ++r) f.store(x[r], to.row(r) + i);
    }
  }
  template <bool forward>
  static DUET_INLINE void rows2(const Field& f, Strip<const std::uint64_t> from, Strip<std::uint64_t> to,
                                std::size_t count, const Factor& w) {
    for (std::size_t i = 0; i < count; i += lanes) {
      Vector x = f.load(from.row(0) + i);
      Vector y = f.load(from.row(1) + i);
      if constexpr (forward) {
        x = lifted(f, x);
        forward2(f, x, y, w);
      } else {
        inverse2(f, x, y, w);
      }
      f.store(x, to.row(0) + i);
      f.store(y, to.row(1) + i);
    }
  }

  // From a node of `length` words to its four grandchildren, in place.
  static DUET_INLINE void forward_pass4(const Field& f, const std::uint64_t* t, std::uint64_t* x, std::size_t length,
                                        std::size_t node) {
    rows4<true>(f, {x, length / 4}, {x, length / 4}, length / 4, factors_below(f, t, node));
  }
  static DUET_INLINE void inverse_pass4(const Field& f, const std::uint64_t* t, std::uint64_t* x, std::size_t length,
                                        std::size_t node) {
    rows4<false>(f, {x, length / 4}, {x, length / 4}, length / 4, inverse_factors_below(f, t, node));
  }

  static void forward_in_cache(const Field& f, const std::uint64_t* t, std::uint64_t* x, std::size_t length,
                               std::size_t node) {
    if (length > first_level) {
      forward_pass4(f, t, x, length, node);
      for (std::size_t q = 0; q < 4; ++q) forward_in_cache(f, t, x + q * (length / 4), length / 4, 4 * node + q);
      return;
    }
    std::size_t nodes = 1;
    std::size_t each = length;
    for (; each >= 32; each /= 4, nodes *= 4) {
      for (std::size_t i = 0; i < nodes; ++i) forward_pass4(f, t, x + i * each, each, node * nodes + i);
    }
    if (each == 16) {
      for (std::size_t i = 0; i < nodes; ++i) {
        rows2<true>(f, {x + 16 * i, 8}, {x + 16 * i, 8}, 8, f.factor(t[node * nodes + i]));
      }
    }
    // Polynomials of eight coefficients: a vector takes one coefficient of as many of them as it has lanes.
    const std::size_t first = node * (length / 8);
    for (std::size_t i = 0; i < length; i += leaf) {
      Vector v[8];
      f.load_transposed(x + i, v);
      const Factor w = f.factors(t + first + i / 8);
      for (std::size_t c = 0; c < 4; ++c) forward2(f, v[c], v[c + 4], w);
      for (std::size_t c = 0; c < 8; ++c) f.store(v[c], x + i + c * lanes);
    }
  }

  static DUET_INLINE Factor inverse_factors(const Field& f, const std::uint64_t* t, std::size_t j) {
    if (j != 0 && j >= lanes) return f.mirrored_factors(t + (3 * std::bit_floor(j) - j - lanes));
    std::uint64_t w[lanes];
    for (std::size_t i = 0; i < lanes; ++i) w[i] = inverse_twiddle(f, t, j + i);
    return f.factors(w);
  }

  static void inverse_in_cache(const Field& f, const std::uint64_t* t, std::uint64_t* x, std::size_t length,
                               std::size_t node) {
    if (length > first_level) {
      for (std::size_t q = 0; q < 4; ++q) inverse_in_cache(f, t, x + q * (length / 4), length / 4, 4 * node + q);
      inverse_pass4(f, t, x, length, node);
      return;
    }
    const std::size_t first = node * (length / 8);
    for (std::size_t i = 0; i < length; i += leaf) {
      Vector v[8];
      for (std::size_t c = 0; c < 8; ++c) v[c] = f.load(x + i + c * lanes);
      const Factor w = inverse_factors(f, t, first + i / 8);
      for (std::size_t c = 0; c < 4; ++c) inverse2(f, v[c], v[c + 4], w);
      f.store_transposed(v, x + i);
    }
    std::size_t each = 32;
    if ((std::countr_zero(length) & 1) == 0) {
      const std::size_t nodes = length / 16;
      for (std::size_t i = 0; i < nodes; ++i) {
        rows2<false>(f, {x + 16 * i, 8}, {x + 16 * i, 8}, 8, f.factor(inverse_twiddle(f, t, node * nodes + i)));
      }
      each = 64;
    }
    for (; each <= length; each *= 4) {
      const std::size_t nodes = length / each;
      for (std::size_t i = 0; i < nodes; ++i) inverse_pass4(f, t, x + i * each, each, node * nodes + i);
    }
  }

  // The product of two polynomials of four coefficients modulo x^4 - theta, with y = b and z = theta b.
  static DUET_INLINE void multiply_and_store(const Field& f, const Vector (&a)[4], const Vector (&y)[4],
                                             const Vector (&z)[4], std::uint64_t* to) {
    f.store(f.dot(a[0], y[0], a[1], z[3], a[2], z[2], a[3], z[1]), to);
    f.store(f.dot(a[0], y[1], a[1], y[0], a[2], z[3], a[3], z[2]), to + lanes);
    f.store(f.dot(a[0], y[2], a[1], y[1], a[2], y[0], a[3], z[3]), to + 2 * lanes);
    f.store(f.dot(a[0], y[3], a[1], y[2], a[2], y[1], a[3], y[0]), to + 3 * lanes);
  }

  template <Combination combination>
  static void combine_leaves(const Field& f, const std::uint64_t* t, std::uint64_t* a, std::uint64_t* b,
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
          multiply_and_store(f, right, y, z, a4);
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
    for (std::size_t i = 0; i < from.size(); i += lanes) f.store(f.reduced(f.times(f.load(&from[i]), w)), to + i);
  }

  static void forward(const Line& line, std::uint64_t* words, std::size_t length, std::size_t node) {
    forward_in_cache(Field{transform_primes[line.prime]}, line.twiddles, words, length, node);
  }
  static void inverse(const Line& line, std::uint64_t* words, std::size_t length, std::size_t node) {
    inverse_in_cache(Field{transform_primes[line.prime]}, line.twiddles, words, length, node);
  }
  static void combine(const Line& line, std::uint64_t* a, std::uint64_t* b, std::size_t length, std::size_t node,
                      Combination combination) {
    const Field f{transform_primes[line.prime]};
    switch (combination) {
      case Combination::product:
        return combine_leaves<Combination::product>(f, line.twiddles, a, b, length, node);
      case Combination::square:
        return combine_leaves<Combination::square>(f, line.twiddles, a, b, length, node);
      case Combination::doubling:
        return combine_leaves<Combination::doubling>(f, line.twiddles, a, b, length, node);
    }
  }

  // Strips of columns go through a buffer in the first-level cache: rows a power of two apart would share its sets.
  static void forward_columns(const Line& line, std::uint64_t* words, std::size_t rows, std::size_t row_length,
                              std::size_t node, Columns columns) {
    const Field f{transform_primes[line.prime]};
    const std::uint64_t* const t = line.twiddles;
    alignas(64) std::uint64_t buffer[strip_words];
    const std::size_t width = std::min(widest_strip, strip_words / rows);
    for (std::size_t column = columns.begin; column < columns.end; column += width) {
      const Strip<std::uint64_t> outside{words + column, row_length};
      const Strip<std::uint64_t> inside{buffer, width};
      std::size_t size = rows;
      while (size > 1) {
        const bool first = size == rows;
        const bool four = size >= 4;
        const bool last = size <= 4;
        const std::size_t apart = four ? size / 4 : 1;
        const Strip<std::uint64_t>& from = first ? outside : inside;
        const Strip<std::uint64_t>& to = last ? outside : inside;
        for (std::size_t block = 0; block < rows; block += size) {
          const std::size_t here = node * (rows / size) + block / size;
          if (four) {
            const Factors4 w = factors_below(f, t, here);
            for (std::size_t i = 0; i < apart; ++i) {
              rows4<true>(f, {from.row(block + i), apart * from.stride}, {to.row(block + i), apart * to.stride}, width,
                          w);
            }
          } else {
            rows2<true>(f, {from.row(block), from.stride}, {to.row(block), to.stride}, width, f.factor(t[here]));
          }
        }
        size /= four ? 4 : 2;
      }
    }
  }

  static void inverse_columns(const Line& line, std::uint64_t* words, std::size_t rows, std::size_t row_length,
                              std::size_t node, Columns columns) {
    const Field f{transform_primes[line.prime]};
    const std::uint64_t* const t = line.twiddles;
    alignas(64) std::uint64_t buffer[strip_words];
    const std::size_t width = std::min(widest_strip, strip_words / rows);
    const bool odd = (std::countr_zero(rows) & 1) != 0;
    for (std::size_t column = columns.begin; column < columns.end; column += width) {
      const Strip<std::uint64_t> outside{words + column, row_length};
      const Strip<std::uint64_t> inside{buffer, width};
      std::size_t done = 1;
      while (done < rows) {
        const bool four = done > 1 || !odd;
        const std::size_t size = done * (four ? 4 : 2);
        const Strip<std::uint64_t>& from = done == 1 ? outside : inside;
        const Strip<std::uint64_t>& to = size == rows ? outside : inside;
        for (std::size_t block = 0; block < rows; block += size) {
          const std::size_t here = node * (rows / size) + block / size;
          if (four) {
            const Factors4 w = inverse_factors_below(f, t, here);
            for (std::size_t i = 0; i < done; ++i) {
              rows4<false>(f, {from.row(block + i), done * from.stride}, {to.row(block + i), done * to.stride}, width,
                           w);
            }
          } else {
            rows2<false>(f, {from.row(block), from.stride}, {to.row(block), to.stride}, width,
                         f.factor(inverse_twiddle(f, t, here)));
          }
        }
        done = size;
      }
    }
  }

  static void forward_top(const Line& line, const std::uint64_t* digits, std::size_t count, std::uint64_t* words,
                          const TransformShape& shape, Columns columns) {
    const Field f{transform_primes[line.prime]};
    const std::uint64_t* const t = line.twiddles;
    constexpr std::size_t width = widest_strip;
    alignas(64) std::uint64_t buffer[most_rows * width];
    for (std::size_t column = columns.begin; column < columns.end; column += width) {
      // Rows from `filled` on are zero.
      std::size_t filled = 0;
      for (; filled < shape.rows; ++filled) {
        const std::size_t start = filled * shape.row_length + column;
        if (start >= count) break;
        std::uint64_t* const row = buffer + filled * width;
        if (start + width <= count) {
          for (std::size_t i = 0; i < width; i += lanes) f.store(f.from_digits(f.load(digits + start + i)), row + i);
        } else {
          for (std::size_t i = 0; i < width; ++i) row[i] = start + i < count ? digits[start + i] : 0;
          for (std::size_t i = 0; i < width; i += lanes) f.store(f.from_digits(f.load(row + i)), row + i);
        }
      }
      for (std::size_t size = most_rows; size > 1; size /= 2) {
        const std::size_t half = size / 2;
        const std::size_t low = std::min(filled, half);
        for (std::size_t block = 0; block < shape.rows; block += size) {
          const Factor w = f.factor(t[block / size]);
          const bool needs_high = block + half < shape.rows;
          for (std::size_t r = 0; r < low; ++r) {
            std::uint64_t* const x = buffer + (block + r) * width;
            std::uint64_t* const y = x + half * width;
            if (half + r < std::min(filled, size)) {
              rows2<true>(f, {x, half * width}, {x, half * width}, width, w);
            } else if (needs_high) {
              std::copy_n(x, width, y);
            }
          }
        }
      }
      for (std::size_t r = 0; r < shape.rows; ++r) {
        std::uint64_t* const to = words + r * shape.row_length + column;
        if (filled == 0) {
          for (std::size_t i = 0; i < width; i += lanes) f.store(f.p4(), to + i);
        } else {
          for (std::size_t i = 0; i < width; i += lanes) f.store(f.load(buffer + r * width + i), to + i);
        }
      }
    }
  }

  // Van der Hoeven's truncated inverse ("The truncated Fourier transform and applications", 2004) on the rows from
  // `block` on, `size` of them: of the first `known` the values at the leaves are given, of the others the
  // coefficients, times `size`. Leaves the coefficients of the first `known`, times `size`.
  static void inverse_rows(const Field& f, const std::uint64_t* t, std::uint64_t half_factor, std::uint64_t* buffer,
                           std::size_t block, std::size_t size, std::size_t known) {
    constexpr std::size_t width = widest_strip;
    if (known == 0 || size == 1) return;
    const std::size_t half = size / 2;
    const std::size_t node = block / size;
    const Strip<std::uint64_t> strip{buffer + block * width, width};
    const Factor w = f.factor(t[node]);
    if (known < half) {
      // L = (lo + w hi) / 2 where lo and hi are known, and where only hi is, lo = 2 L - w hi.
      const Factor one_half = f.factor(half_factor);
      for (std::size_t r = known; r < half; ++r) {
        for (std::size_t i = 0; i < width; i += lanes) {
          const Vector high = f.times(f.load(strip.row(half + r) + i), w);
          f.store(f.times(f.plus(f.load(strip.row(r) + i), high), one_half), strip.row(r) + i);
        }
      }
      inverse_rows(f, t, half_factor, buffer, block, half, known);
      for (std::size_t r = 0; r < known; ++r) {
        for (std::size_t i = 0; i < width; i += lanes) {
          const Vector high = f.times(f.load(strip.row(half + r) + i), w);
          f.store(twice_less(f, f.load(strip.row(r) + i), high), strip.row(r) + i);
        }
      }
      return;
    }
    inverse_rows(f, t, half_factor, buffer, block, half, half);
    // R = L - w hi and lo = 2 L - w hi where hi is known.
    for (std::size_t r = known - half; r < half; ++r) {
      for (std::size_t i = 0; i < width; i += lanes) {
        const Vector left = f.load(strip.row(r) + i);
        const Vector high = f.times(f.load(strip.row(half + r) + i), w);
        f.store(f.less(f.plus(f.minus(left, high), f.p2()), f.p4()), strip.row(half + r) + i);
        f.store(twice_less(f, left, high), strip.row(r) + i);
      }
    }
    inverse_rows(f, t, half_factor, buffer, block + half, half, known - half);
    const Factor inverse_w = f.factor(inverse_twiddle(f, t, node));
    for (std::size_t r = 0; r < known - half; ++r) {
      rows2<false>(f, {strip.row(r), half * width}, {strip.row(r), half * width}, width, inverse_w);
    }
  }
  // 2 x - y for x below 4 p and y below 2 p.
  static DUET_INLINE Vector twice_less(const Field& f, Vector x, Vector y) {
    return f.less(f.less(f.plus(f.minus(f.plus(x, x), y), f.p2()), f.p8()), f.p4());
  }

  static void inverse_top(const Line& line, std::uint64_t* words, const TransformShape& shape, Columns columns) {
    const TransformPrime& prime = transform_primes[line.prime];
    const Field f{prime};
    const std::uint64_t half_factor = prime.factor((prime.value() + 1) / 2);
    constexpr std::size_t width = widest_strip;
    alignas(64) std::uint64_t buffer[most_rows * width];
    for (std::size_t column = columns.begin; column < columns.end; column += width) {
      for (std::size_t r = 0; r < most_rows; ++r) {
        const std::uint64_t* const from = words + r * shape.row_length + column;
        for (std::size_t i = 0; i < width; i += lanes) {
          f.store(r < shape.rows ? f.load(from + i) : f.zero(), buffer + r * width + i);
        }
      }
      inverse_rows(f, line.twiddles, half_factor, buffer, 0, most_rows, shape.rows);
      for (std::size_t r = 0; r < shape.rows; ++r) {
        std::uint64_t* const to = words + r * shape.row_length + column;
        for (std::size_t i = 0; i < width; i += lanes) f.store(f.load(buffer + r * width + i), to + i);
      }
    }
  }
};
