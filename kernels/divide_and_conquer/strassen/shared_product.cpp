#include "kernels/divide_and_conquer/strassen/shared_product.hpp"

#include <algorithm>
#include <array>

#include "kernels/divide_and_conquer/strassen/additions.hpp"
#include "kernels/divide_and_conquer/strassen/leaf.hpp"

namespace duet {
namespace {

LocalShape whole(const StrassenShape& shape) { return {shape.m, shape.n, shape.k, shape.k}; }

/// Four S, four T, and three products that find no place in C; then the workspaces of seven products at once.
std::int64_t breadth_words(const LocalShape& shape, int levels, int breadth) {
  if (breadth == 0) return winograd_words(shape, levels);
  const LocalShape half = shape.halved();
  return 4 * (half.m * half.a_columns + half.b_rows * half.n) + 3 * half.m * half.n +
         7 * breadth_words(half, levels - 1, breadth - 1);
}

/// The seven products of a level as seven tasks.
template <class Element>
class TaskTree {
 public:
  TaskTree(StrassenTeam& team, ProductBelow<Element>& leaf) : team_{team}, leaf_{leaf} {}

  void multiply(MatrixView<const Element> a, MatrixView<const Element> b, MatrixView<Element> c, int levels,
                int breadth, Element* free) {
    if (breadth == 0) return Winograd<Element>{levels, team_, leaf_, free}.multiply(a, b, c);
    const Quadrants<const Element> qa{a};
    const Quadrants<const Element> qb{b};
    const Quadrants<Element> qc{c};
    const LocalShape half{a.rows / 2, b.columns / 2, a.columns / 2, b.rows / 2};
    const auto take = [&free](std::int64_t rows, std::int64_t columns) {
      const MatrixView<Element> view{free, rows, columns, columns};
      free += rows * columns;
      return view;
    };
    std::array<MatrixView<Element>, 4> s;
    std::array<MatrixView<Element>, 4> t;
    for (auto& view : s) view = take(half.m, half.a_columns);
    for (auto& view : t) view = take(half.b_rows, half.n);
    const MatrixView<Element> p1 = take(half.m, half.n);
    const MatrixView<Element> p2 = take(half.m, half.n);
    const MatrixView<Element> p4 = take(half.m, half.n);
    const auto strips = [&](std::int64_t rows, auto&& act) {
      const std::int64_t count = std::min<std::int64_t>(4 * team_.threads(), std::max<std::int64_t>(rows, 1));
      team_.compute(count, [&](std::int64_t strip) { act(share_of(rows, count, strip)); });
    };
    const auto in = [](const auto& view, const Range& rows) {
      return MatrixView<const Element>(view.block(rows.begin, 0, rows.size(), view.columns));
    };
    const auto out = [](const MatrixView<Element>& view, const Range& rows) {
      return view.block(rows.begin, 0, rows.size(), view.columns);
    };
    strips(half.m, [&](const Range& rows) {
      add<Element>(in(qa.q21, rows), in(qa.q22, rows), out(s[0], rows));       // S1 = A21 + A22
      subtract<Element>(in(s[0], rows), in(qa.q11, rows), out(s[1], rows));    // S2 = S1 - A11
      subtract<Element>(in(qa.q11, rows), in(qa.q21, rows), out(s[2], rows));  // S3 = A11 - A21
      subtract<Element>(in(qa.q12, rows), in(s[1], rows), out(s[3], rows));    // S4 = A12 - S2
    });
    strips(half.b_rows, [&](const Range& rows) {
      subtract<Element>(in(qb.q12, rows), in(qb.q11, rows), out(t[0], rows));  // T1 = B12 - B11
      subtract<Element>(in(qb.q22, rows), in(t[0], rows), out(t[1], rows));    // T2 = B22 - T1
      subtract<Element>(in(qb.q22, rows), in(qb.q12, rows), out(t[2], rows));  // T3 = B22 - B12
      subtract<Element>(in(t[1], rows), in(qb.q21, rows), out(t[3], rows));    // T4 = T2 - B21
    });
    struct Product {
      MatrixView<const Element> a;
      MatrixView<const Element> b;
      MatrixView<Element> c;
    };
    const std::array<Product, 7> products{{{qa.q11, qb.q11, p1},
                                           {qa.q12, qb.q21, p2},
                                           {s[3], qb.q22, qc.q11},
                                           {qa.q22, t[3], p4},
                                           {s[0], t[0], qc.q22},
                                           {s[1], t[1], qc.q12},
                                           {s[2], t[2], qc.q21}}};
    const std::int64_t words = breadth_words(half, levels - 1, breadth - 1);
    team_.each(7, [&](std::int64_t index) {
      const Product& product = products[static_cast<std::size_t>(index)];
      multiply(product.a, product.b, product.c, levels - 1, breadth - 1, free + index * words);
    });
    strips(half.m, [&](const Range& rows) {
      Quadrants<Element> part = qc;
      for (MatrixView<Element>* const quadrant : {&part.q11, &part.q12, &part.q21, &part.q22}) {
        *quadrant = out(*quadrant, rows);
      }
      recombine_with<Element>(in(p1, rows), part);
      subtract<Element>(part.q21, in(p4, rows), part.q21);  // C21 = U3 - P4
      add<Element>(in(p1, rows), in(p2, rows), part.q11);   // C11 = P1 + P2
    });
  }

 private:
  StrassenTeam& team_;
  ProductBelow<Element>& leaf_;
};

}  // namespace

std::int64_t SharedPlan::workspace() const { return breadth_words(whole(core), levels, breadth); }

// The sum over what is divided enters up to 2^levels more additions.
double SharedPlan::error() const {
  if (levels == 0) return 0;
  return strassen_error(core.k, levels) + static_cast<double>(core.k << levels);
}

SharedPlan shared_plan(const StrassenShape& shape, const Execution& execution) {
  SharedPlan plan;
  const int levels = asked_levels(execution);
  const auto is_even = [&](int of) {
    const StrassenShape blocks = shape.divided(of);
    return StrassenShape{blocks.m << of, blocks.n << of, blocks.k << of} == shape;
  };
  if (levels >= 0) {
    plan.levels = levels_within(shape, levels);
  } else {
    // Thin products are slow: at n = 2047 on 2 threads peeling costs 5 % with one level and 11 % with two, more than
    // the last level gains. What is peeled asks for twice the leaf.
    const std::int64_t leaf = leaf_extent(execution);
    plan.levels = levels_for(shape, leaf);
    if (!is_even(plan.levels)) plan.levels = levels_for(shape, 2 * leaf);
  }
  plan.breadth = static_cast<int>(std::min<std::int64_t>(execution.whole_or("breadth", 0), plan.levels));
  const StrassenShape blocks = shape.divided(plan.levels);
  plan.core = {blocks.m << plan.levels, blocks.n << plan.levels, blocks.k << plan.levels};
  return plan;
}

template <class Element>
void multiply_shared(MatrixView<const Element> a, MatrixView<const Element> b, MatrixView<Element> c,
                     const SharedPlan& plan, StrassenTeam& team, ProductBelow<Element>& leaf, PackingSpace& space) {
  if (plan.levels == 0) return leaf.multiply(a, b, c, Update::assign);
  const auto& [m, n, k] = plan.core;
  const MatrixView<Element> core = c.block(0, 0, m, n);
  TaskTree<Element>{team, leaf}.multiply(a.block(0, 0, m, k), b.block(0, 0, k, n), core, plan.levels, plan.breadth,
                                         space.of<Element>(static_cast<std::size_t>(plan.workspace())));
  if (k < a.columns) {
    leaf.multiply(a.block(0, k, m, a.columns - k), b.block(k, 0, a.columns - k, n), core, Update::add);
  }
  if (n < c.columns) {
    leaf.multiply(a.block(0, 0, m, a.columns), b.block(0, n, b.rows, c.columns - n), c.block(0, n, m, c.columns - n),
                  Update::assign);
  }
  if (m < c.rows) {
    leaf.multiply(a.block(m, 0, c.rows - m, a.columns), b, c.block(m, 0, c.rows - m, c.columns), Update::assign);
  }
}

template void multiply_shared(MatrixView<const double>, MatrixView<const double>, MatrixView<double>, const SharedPlan&,
                              StrassenTeam&, ProductBelow<double>&, PackingSpace&);
template void multiply_shared(MatrixView<const float>, MatrixView<const float>, MatrixView<float>, const SharedPlan&,
                              StrassenTeam&, ProductBelow<float>&, PackingSpace&);

}  // namespace duet
