#include "kernels/divide_and_conquer/strassen/additions.hpp"

#include <cstddef>
#include <cstdint>
#include <type_traits>

// What is fastest here is chosen when it runs.
#ifndef DUET_STRASSEN_ADDITIONS_ONCE
#define DUET_STRASSEN_ADDITIONS_ONCE
namespace duet {
namespace {

/// The passes as one instruction set does them.
template <class Element>
struct Passes {
  using In = const MatrixView<const Element>&;
  using Out = const MatrixView<Element>&;
  void (*add)(In, In, Out);
  void (*subtract)(In, In, Out);
  void (*add_two_subtract_two)(In, In, In, In, Out);
  void (*recombine)(const Quadrants<Element>&);
  void (*recombine_with)(In, const Quadrants<Element>&);
};

}  // namespace
}  // namespace duet
#endif

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/divide_and_conquer/strassen/additions.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "kernels/core/simd_target.hpp"

HWY_BEFORE_NAMESPACE();
namespace duet {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

/// Calls act(tag, row, column) for all whole vectors of a rows x columns matrix, then with a tag of one lane for the
/// columns that are left of each row.
template <class Element, class Act>
HWY_INLINE void for_each_vector(std::int64_t rows, std::int64_t columns, Act&& act) {
  const hn::ScalableTag<Element> all;
  const hn::CappedTag<Element, 1> one;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(all));
  for (std::int64_t i = 0; i < rows; ++i) {
    std::int64_t j = 0;
    for (; j + lanes <= columns; j += lanes) act(all, i, j);
    for (; j < columns; ++j) act(one, i, j);
  }
}

template <class Tag, class Element>
HWY_INLINE hn::Vec<Tag> at(Tag tag, const MatrixView<Element>& view, std::int64_t i, std::int64_t j) {
  return hn::LoadU(tag, view.data + i * view.stride + j);
}
template <class Tag, class Element>
HWY_INLINE void put(hn::Vec<Tag> value, Tag tag, const MatrixView<Element>& view, std::int64_t i, std::int64_t j) {
  hn::StoreU(value, tag, view.data + i * view.stride + j);
}

template <class Element>
void add_here(const MatrixView<const Element>& x, const MatrixView<const Element>& y, const MatrixView<Element>& out) {
  for_each_vector<Element>(out.rows, out.columns, [&](auto tag, std::int64_t i, std::int64_t j) {
    put(hn::Add(at(tag, x, i, j), at(tag, y, i, j)), tag, out, i, j);
  });
}

template <class Element>
void subtract_here(const MatrixView<const Element>& x, const MatrixView<const Element>& y,
                   const MatrixView<Element>& out) {
  for_each_vector<Element>(out.rows, out.columns, [&](auto tag, std::int64_t i, std::int64_t j) {
    put(hn::Sub(at(tag, x, i, j), at(tag, y, i, j)), tag, out, i, j);
  });
}

template <class Element>
void add_two_subtract_two_here(const MatrixView<const Element>& w, const MatrixView<const Element>& x,
                               const MatrixView<const Element>& y, const MatrixView<const Element>& z,
                               const MatrixView<Element>& out) {
  for_each_vector<Element>(out.rows, out.columns, [&](auto tag, std::int64_t i, std::int64_t j) {
    const auto sum = hn::Add(at(tag, w, i, j), at(tag, x, i, j));
    put(hn::Sub(hn::Sub(sum, at(tag, y, i, j)), at(tag, z, i, j)), tag, out, i, j);
  });
}

template <class Element>
void recombine_here(const Quadrants<Element>& c) {
  for_each_vector<Element>(c.q11.rows, c.q11.columns, [&](auto tag, std::int64_t i, std::int64_t j) {
    const auto u2 = hn::Add(at(tag, c.q11, i, j), at(tag, c.q12, i, j));
    const auto u3 = hn::Add(u2, at(tag, c.q21, i, j));
    const auto p5 = at(tag, c.q22, i, j);
    put(hn::Add(u2, p5), tag, c.q12, i, j);
    put(u3, tag, c.q21, i, j);
    put(hn::Add(u3, p5), tag, c.q22, i, j);
  });
}

template <class Element>
void recombine_with_here(const MatrixView<const Element>& p1, const Quadrants<Element>& c) {
  for_each_vector<Element>(c.q11.rows, c.q11.columns, [&](auto tag, std::int64_t i, std::int64_t j) {
    const auto u2 = hn::Add(at(tag, p1, i, j), at(tag, c.q12, i, j));
    const auto u3 = hn::Add(u2, at(tag, c.q21, i, j));
    const auto p5 = at(tag, c.q22, i, j);
    put(hn::Add(hn::Add(u2, p5), at(tag, c.q11, i, j)), tag, c.q12, i, j);
    put(u3, tag, c.q21, i, j);
    put(hn::Add(u3, p5), tag, c.q22, i, j);
  });
}

template <class Element>
Passes<Element> passes_here() {
  return {&add_here<Element>, &subtract_here<Element>, &add_two_subtract_two_here<Element>, &recombine_here<Element>,
          &recombine_with_here<Element>};
}
Passes<double> double_passes_here() { return passes_here<double>(); }
Passes<float> float_passes_here() { return passes_here<float>(); }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace duet
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace duet {
namespace {

HWY_EXPORT(double_passes_here);
HWY_EXPORT(float_passes_here);

template <class Element>
const Passes<Element>& passes() {
  static const Passes<Element> chosen = [] {
    choose_simd_target();
    if constexpr (std::is_same_v<Element, double>) {
      return HWY_DYNAMIC_DISPATCH(double_passes_here)();
    } else {
      return HWY_DYNAMIC_DISPATCH(float_passes_here)();
    }
  }();
  return chosen;
}

}  // namespace

template <class Element>
void add(MatrixView<const Element> x, MatrixView<const Element> y, MatrixView<Element> out) {
  passes<Element>().add(x, y, out);
}
template <class Element>
void subtract(MatrixView<const Element> x, MatrixView<const Element> y, MatrixView<Element> out) {
  passes<Element>().subtract(x, y, out);
}
template <class Element>
void add_two_subtract_two(MatrixView<const Element> w, MatrixView<const Element> x, MatrixView<const Element> y,
                          MatrixView<const Element> z, MatrixView<Element> out) {
  passes<Element>().add_two_subtract_two(w, x, y, z, out);
}
template <class Element>
void recombine(const Quadrants<Element>& c) {
  passes<Element>().recombine(c);
}
template <class Element>
void recombine_with(MatrixView<const Element> p1, const Quadrants<Element>& c) {
  passes<Element>().recombine_with(p1, c);
}

template void add(MatrixView<const double>, MatrixView<const double>, MatrixView<double>);
template void add(MatrixView<const float>, MatrixView<const float>, MatrixView<float>);
template void subtract(MatrixView<const double>, MatrixView<const double>, MatrixView<double>);
template void subtract(MatrixView<const float>, MatrixView<const float>, MatrixView<float>);
template void add_two_subtract_two(MatrixView<const double>, MatrixView<const double>, MatrixView<const double>,
                                   MatrixView<const double>, MatrixView<double>);
template void add_two_subtract_two(MatrixView<const float>, MatrixView<const float>, MatrixView<const float>,
                                   MatrixView<const float>, MatrixView<float>);
template void recombine(const Quadrants<double>&);
template void recombine(const Quadrants<float>&);
template void recombine_with(MatrixView<const double>, const Quadrants<double>&);
template void recombine_with(MatrixView<const float>, const Quadrants<float>&);

}  // namespace duet
#endif
