#include "kernels/local_product/local_product.hpp"

#include <gtest/gtest.h>
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <limits>
#include <memory>
#include <thread>
#include <vector>

#include "kernels/core/random.hpp"
#include "kernels/local_product/packing_space.hpp"
#include "kernels/local_product/simd_product.hpp"
#include "tests/local_product/only_target.hpp"

namespace duet {
namespace {

template <class Element>
constexpr Element not_a_number = std::numeric_limits<Element>::quiet_NaN();

struct Shape {
  std::int64_t m;
  std::int64_t n;
  std::int64_t k;
};

/// Calls act(multiply) for each library, and for our own once with each instruction set.
template <class Element, class Act>
void with_every_kernel(Act&& act) {
  for (const LocalKernel& kernel : available_local_kernels()) {
    if (kernel.library != "duet") {
      SCOPED_TRACE(kernel.library + " " + kernel.code_path);
      act(kernel.of<Element>());
      continue;
    }
    for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
      SCOPED_TRACE(std::string{"duet "} + hwy::TargetName(target));
      const OnlyTarget only{target};
      act(simd_kernel().of<Element>());
    }
  }
}

/// A matrix inside a larger one, whose other elements are guards.
template <class Element>
class Guarded {
 public:
  Guarded(std::int64_t rows, std::int64_t columns, std::int64_t margin)
      : whole_{rows + 2 * margin, columns + 2 * margin}, rows_{rows}, columns_{columns}, margin_{margin} {
    const MatrixView<Element> all = whole_.view();
    for (std::int64_t i = 0; i < all.rows; ++i) std::fill_n(all.data + i * all.stride, all.columns, guard);
  }
  [[nodiscard]] MatrixView<Element> view() { return whole_.view().block(margin_, margin_, rows_, columns_); }

  [[nodiscard]] bool guards_are_untouched() {
    const MatrixView<Element> all = whole_.view();
    for (std::int64_t i = 0; i < all.rows; ++i) {
      for (std::int64_t j = 0; j < all.columns; ++j) {
        const bool inside = i >= margin_ && i < margin_ + rows_ && j >= margin_ && j < margin_ + columns_;
        if (!inside && all(i, j) != guard) return false;
      }
    }
    return true;
  }

 private:
  static constexpr Element guard = -77.25;
  Matrix<Element> whole_;
  std::int64_t rows_;
  std::int64_t columns_;
  std::int64_t margin_;
};

/// C = A B + C0 in long double, and |A| |B| + |C0|.
struct Reference {
  std::vector<long double> value;
  std::vector<double> magnitude;
};

template <class Element>
Reference reference_of(MatrixView<const Element> a, MatrixView<const Element> b, MatrixView<const Element> before) {
  const auto size = static_cast<std::size_t>(a.rows * b.columns);
  Reference reference{std::vector<long double>(size), std::vector<double>(size)};
  std::size_t at = 0;
  for (std::int64_t i = 0; i < a.rows; ++i) {
    for (std::int64_t j = 0; j < b.columns; ++j, ++at) {
      long double sum = before(i, j);
      double magnitude = std::abs(before(i, j));
      for (std::int64_t p = 0; p < a.columns; ++p) {
        sum += static_cast<long double>(a(i, p)) * b(p, j);
        magnitude += std::abs(a(i, p) * b(p, j));
      }
      reference.value[at] = sum;
      reference.magnitude[at] = magnitude;
    }
  }
  return reference;
}

/// Whatever the order of summation, |C - (C0 + A B)| <= gamma (|C0| + |A| |B|) with gamma = q u / (1 - q u) and q = k +
/// 1 roundings (Higham, "Accuracy and Stability of Numerical Algorithms", 2002, section 3.1); one more for the
/// reference.
template <class Element>
void expect_within_bound(MatrixView<const Element> c, const Reference& reference, std::int64_t k) {
  const double rounding = static_cast<double>(k + 2) * 0.5 * std::numeric_limits<Element>::epsilon();
  const double gamma = rounding / (1 - rounding);
  std::size_t at = 0;
  for (std::int64_t i = 0; i < c.rows; ++i) {
    for (std::int64_t j = 0; j < c.columns; ++j, ++at) {
      const auto error = static_cast<double>(std::abs(c(i, j) - reference.value[at]));
      // Written so that NaN fails.
      if (!(error <= gamma * reference.magnitude[at])) {
        FAIL() << "entry (" << i << ", " << j << ") is " << c(i, j) << ", off by " << error << " with "
               << gamma * reference.magnitude[at] << " allowed";
      }
    }
  }
}

template <class Element>
void check_shape(const Shape& shape, std::int64_t margin) {
  SCOPED_TRACE(std::to_string(shape.m) + " x " + std::to_string(shape.n) + " x " + std::to_string(shape.k) +
               ", margin " + std::to_string(margin));
  Guarded<Element> a{shape.m, shape.k, margin};
  Guarded<Element> b{shape.k, shape.n, margin};
  Guarded<Element> before{shape.m, shape.n, margin};
  Guarded<Element> zero{shape.m, shape.n, 0};
  fill_random(a.view(), 1, 0, 0, 0);
  fill_random(b.view(), 1, 1, 0, 0);
  fill_random(before.view(), 1, 2, 0, 0);
  for (std::int64_t i = 0; i < shape.m; ++i) std::fill_n(zero.view().data + i * shape.n, shape.n, Element{0});
  const Reference assigned = reference_of<Element>(a.view(), b.view(), zero.view());
  const Reference added = reference_of<Element>(a.view(), b.view(), before.view());
  with_every_kernel<Element>([&](auto multiply) {
    Guarded<Element> c{shape.m, shape.n, margin};
    const MatrixView<Element> view = c.view();
    for (std::int64_t i = 0; i < shape.m; ++i) std::fill_n(view.data + i * view.stride, shape.n, not_a_number<Element>);
    multiply(a.view(), b.view(), view, Update::assign);
    expect_within_bound<Element>(view, assigned, shape.k);
    for (std::int64_t i = 0; i < shape.m; ++i) {
      std::copy_n(before.view().data + i * before.view().stride, shape.n, view.data + i * view.stride);
    }
    multiply(a.view(), b.view(), view, Update::add);
    expect_within_bound<Element>(view, added, shape.k);
    EXPECT_TRUE(c.guards_are_untouched());
  });
  EXPECT_TRUE(a.guards_are_untouched());
  EXPECT_TRUE(b.guards_are_untouched());
}

template <class Element>
std::vector<std::uint64_t> bits_of(MatrixView<const Element> c) {
  std::vector<std::uint64_t> bits;
  for (std::int64_t i = 0; i < c.rows; ++i) {
    std::transform(c.data + i * c.stride, c.data + i * c.stride + c.columns, std::back_inserter(bits),
                   [](Element value) { return std::bit_cast<std::uint64_t>(static_cast<double>(value)); });
  }
  return bits;
}

template <class Element>
class LocalProduct : public testing::Test {};
template <class Element>
class OurLocalProduct : public testing::Test {};
using Elements = testing::Types<double, float>;
TYPED_TEST_SUITE(LocalProduct, Elements);
TYPED_TEST_SUITE(OurLocalProduct, Elements);

TYPED_TEST(LocalProduct, IsWithinItsBoundInEverySmallShape) {
  using Element = TypeParam;
  constexpr std::array<std::int64_t, 7> extents{0, 1, 2, 3, 7, 8, 9};
  for (const std::int64_t m : extents) {
    for (const std::int64_t n : extents) {
      for (const std::int64_t k : extents) {
        check_shape<Element>({m, n, k}, (m + n + k) % 2 == 0 ? 0 : 3);
        if (testing::Test::HasFatalFailure()) return;
      }
    }
  }
}

TYPED_TEST(LocalProduct, IsWithinItsBoundInShapesOfAllSizes) {
  using Element = TypeParam;
  constexpr std::array<std::int64_t, 14> extents{0, 1, 2, 3, 7, 8, 9, 23, 24, 25, 31, 64, 97, 193};
  const auto drawn = [&](std::uint64_t sample, std::uint64_t which) {
    return extents.at(random_bits(42, 0, sample, which) % extents.size());
  };
  for (std::uint64_t sample = 0; sample < 100; ++sample) {
    check_shape<Element>({drawn(sample, 0), drawn(sample, 1), drawn(sample, 2)},
                         static_cast<std::int64_t>(sample % 3) * 2);
    if (testing::Test::HasFatalFailure()) return;
  }
}

TYPED_TEST(LocalProduct, IsWithinItsBoundAcrossTheBlocksOfEachExtent) {
  using Element = TypeParam;
  // More rows than a panel, more columns than a block, more of k than one summation; few and many of each; with edges.
  for (const Shape& shape :
       {Shape{2057, 25, 9}, Shape{2057, 50, 259}, Shape{23, 1033, 31}, Shape{121, 131, 513}, Shape{57, 20, 300},
        Shape{1, 49, 700}, Shape{113, 1, 257}, Shape{4100, 1, 3}, Shape{24, 24, 256}, Shape{29, 265, 300}}) {
    check_shape<Element>(shape, 1);
    if (testing::Test::HasFatalFailure()) return;
  }
}

TYPED_TEST(LocalProduct, IsWithinItsBoundWhereRowsAreAPageApart) {
  using Element = TypeParam;
  for (const Shape& shape : {Shape{40, 30, 212}, Shape{40, 212, 30}, Shape{5, 7, 212}, Shape{212, 212, 212}}) {
    const std::int64_t longest = std::max(shape.n, shape.k);
    check_shape<Element>(shape, (std::int64_t{4096 / sizeof(Element)} - longest) / 2);
    if (testing::Test::HasFatalFailure()) return;
  }
}

TYPED_TEST(LocalProduct, CarriesNotANumberAndInfinityThroughZeros) {
  using Element = TypeParam;
  for (const std::int64_t n : {5, 24, 130}) {
    Matrix<Element> a{n, n};
    Matrix<Element> b{n, n};
    Matrix<Element> c{n, n};
    for (const MatrixView<Element>& view : {a.view(), b.view()}) std::fill_n(view.data, n * n, Element{0});
    // Row 1 of A and column 2 of B are hit: 0 times NaN and 0 times infinity are NaN.
    a.view()(1, n - 1) = not_a_number<Element>;
    b.view()(n - 1, 2) = std::numeric_limits<Element>::infinity();
    with_every_kernel<Element>([&](auto multiply) {
      for (const Update update : {Update::assign, Update::add}) {
        std::fill_n(c.data(), n * n, Element{0});
        multiply(std::as_const(a).view(), std::as_const(b).view(), c.view(), update);
        for (std::int64_t i = 0; i < n; ++i) {
          for (std::int64_t j = 0; j < n; ++j) {
            EXPECT_EQ(std::isnan(c.view()(i, j)), i == 1 || j == 2) << n << ": " << i << ", " << j;
          }
        }
      }
    });
  }
}

TYPED_TEST(LocalProduct, AddKeepsNotANumberAndAssignForgetsIt) {
  using Element = TypeParam;
  for (const std::int64_t n : {4, 110}) {
    Matrix<Element> a{n, 0};
    Matrix<Element> b{0, n};
    Matrix<Element> c{n, n};
    with_every_kernel<Element>([&](auto multiply) {
      std::fill_n(c.data(), n * n, not_a_number<Element>);
      multiply(std::as_const(a).view(), std::as_const(b).view(), c.view(), Update::add);
      EXPECT_TRUE(std::all_of(c.data(), c.data() + n * n, [](double value) { return std::isnan(value); }));
      multiply(std::as_const(a).view(), std::as_const(b).view(), c.view(), Update::assign);
      EXPECT_TRUE(std::all_of(c.data(), c.data() + n * n, [](double value) { return value == 0; }));
    });
  }
}

TYPED_TEST(LocalProduct, RepeatsBitForBit) {
  using Element = TypeParam;
  for (const Shape& shape : {Shape{33, 41, 70}, Shape{201, 150, 300}}) {
    Matrix<Element> a{shape.m, shape.k};
    Matrix<Element> b{shape.k, shape.n};
    fill_random(a.view(), 5, 0, 0, 0);
    fill_random(b.view(), 5, 1, 0, 0);
    with_every_kernel<Element>([&](auto multiply) {
      Matrix<Element> first{shape.m, shape.n};
      Matrix<Element> second{shape.m, shape.n};
      multiply(std::as_const(a).view(), std::as_const(b).view(), first.view(), Update::assign);
      multiply(std::as_const(a).view(), std::as_const(b).view(), second.view(), Update::assign);
      EXPECT_EQ(bits_of<Element>(first.view()), bits_of<Element>(second.view()));
    });
  }
}

TYPED_TEST(OurLocalProduct, AnEntryDependsOnItsRowItsColumnAndKAlone) {
  using Element = TypeParam;
  constexpr std::int64_t n = 300;
  constexpr std::int64_t k = 2 * summation_block + 17;
  Matrix<Element> a{n, k};
  Matrix<Element> b{k, n};
  fill_random(a.view(), 6, 0, 0, 0);
  fill_random(b.view(), 6, 1, 0, 0);
  const MatrixView<const Element> left = std::as_const(a).view();
  const MatrixView<const Element> right = std::as_const(b).view();
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    SCOPED_TRACE(hwy::TargetName(target));
    const OnlyTarget only{target};
    const auto multiply = simd_kernel().of<Element>();
    Matrix<Element> whole{n, n};
    multiply(left, right, whole.view(), Update::assign);

    // Blocks of C, some small enough for the way without packing.
    for (const Shape& part : {Shape{1, 1, k}, Shape{5, 29, k}, Shape{150, 77, k}, Shape{299, 23, k}}) {
      Matrix<Element> c{part.m, part.n};
      multiply(left.block(n - part.m, 0, part.m, k), right.block(0, n - part.n, k, part.n), c.view(), Update::assign);
      EXPECT_EQ(bits_of<Element>(c.view()),
                bits_of<Element>(whole.view().block(n - part.m, n - part.n, part.m, part.n)));
    }

    // Panels of k, one after the other.
    Matrix<Element> c{n, n};
    for (std::int64_t p = 0; p < k; p += summation_block) {
      const std::int64_t width = std::min(summation_block, k - p);
      multiply(left.block(0, p, n, width), right.block(p, 0, width, n), c.view(),
               p == 0 ? Update::assign : Update::add);
    }
    EXPECT_EQ(bits_of<Element>(c.view()), bits_of<Element>(whole.view()));
  }
}

TYPED_TEST(LocalProduct, IsTheSameFromSeveralThreadsAtOnce) {
  using Element = TypeParam;
  constexpr std::int64_t n = 290;
  Matrix<Element> a{n, n};
  Matrix<Element> b{n, n};
  fill_random(a.view(), 7, 0, 0, 0);
  fill_random(b.view(), 7, 1, 0, 0);
  with_every_kernel<Element>([&](auto multiply) {
    Matrix<Element> alone{n, n};
    multiply(std::as_const(a).view(), std::as_const(b).view(), alone.view(), Update::assign);
    std::array<Matrix<Element>, 3> together{Matrix<Element>{n, n}, Matrix<Element>{n, n}, Matrix<Element>{n, n}};
    {
      std::vector<std::jthread> threads;
      for (Matrix<Element>& mine : together) {
        threads.emplace_back([&] {
          for (int repeat = 0; repeat < 5; ++repeat) {
            multiply(std::as_const(a).view(), std::as_const(b).view(), mine.view(), Update::assign);
          }
        });
      }
    }
    for (Matrix<Element>& mine : together) EXPECT_EQ(bits_of<Element>(mine.view()), bits_of<Element>(alone.view()));
  });
}

TYPED_TEST(LocalProduct, StartsNoThread) {
  using Element = TypeParam;
  const auto threads = [] {
    const std::filesystem::directory_iterator tasks{"/proc/self/task"};
    return std::distance(begin(tasks), end(tasks));
  };
  constexpr std::int64_t n = 300;
  Matrix<Element> a{n, n};
  Matrix<Element> c{n, n};
  std::fill_n(a.data(), n * n, Element{1});
  const auto before = threads();
  with_every_kernel<Element>([&](auto multiply) {
    multiply(std::as_const(a).view(), std::as_const(a).view(), c.view(), Update::assign);
    EXPECT_EQ(threads(), before);
  });
}

TYPED_TEST(LocalProduct, RefusesShapesThatDoNotFit) {
  using Element = TypeParam;
  Matrix<Element> a{3, 5};
  Matrix<Element> b{6, 4};
  Matrix<Element> c{3, 4};
  with_every_kernel<Element>([&](auto multiply) {
    try {
      multiply(std::as_const(a).view(), std::as_const(b).view(), c.view(), Update::assign);
      FAIL() << "no exception";
    } catch (const std::invalid_argument& error) {
      EXPECT_STREQ(error.what(), "C = A B with A 3 x 5, B 6 x 4 and C 3 x 4: the shapes do not fit");
    }
  });
}

TEST(PackingSpace, GrowsAndKeepsWhatItHas) {
  PackingSpace space;
  double* const first = space.of(1000);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(first) % 64, 0U);
  EXPECT_EQ(space.of(10), first);
  double* const large = space.of(std::size_t{1} << 19U);
  large[(std::size_t{1} << 19U) - 1] = 1;
  EXPECT_EQ(space.of(1000), large);
}

}  // namespace
}  // namespace duet
