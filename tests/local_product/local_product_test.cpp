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

namespace duet {
namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

struct Shape {
  std::int64_t m;
  std::int64_t n;
  std::int64_t k;
};

/// Lets Highway believe that the processor has `target` alone, while it lives.
class OnlyTarget {
 public:
  explicit OnlyTarget(std::int64_t target) { set(target); }
  OnlyTarget(const OnlyTarget&) = delete;
  ~OnlyTarget() { set(0); }

 private:
  static void set(std::int64_t targets) {
    hwy::SetSupportedTargetsForTest(targets);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
};

/// Calls act(multiply) for each library, and for our own once with each instruction set.
template <class Act>
void with_every_kernel(Act&& act) {
  for (const LocalKernel& kernel : available_local_kernels()) {
    if (kernel.library != "duet") {
      SCOPED_TRACE(kernel.library + " " + kernel.code_path);
      act(kernel.multiply);
      continue;
    }
    for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
      SCOPED_TRACE(std::string{"duet "} + hwy::TargetName(target));
      const OnlyTarget only{target};
      act(simd_kernel().multiply);
    }
  }
}

/// A matrix inside a larger one, whose other elements are guards.
class Guarded {
 public:
  Guarded(std::int64_t rows, std::int64_t columns, std::int64_t margin)
      : whole_{rows + 2 * margin, columns + 2 * margin}, rows_{rows}, columns_{columns}, margin_{margin} {
    const View all = whole_.view();
    for (std::int64_t i = 0; i < all.rows; ++i) std::fill_n(all.data + i * all.stride, all.columns, guard);
  }
  [[nodiscard]] View view() { return whole_.view().block(margin_, margin_, rows_, columns_); }

  [[nodiscard]] bool guards_are_untouched() {
    const View all = whole_.view();
    for (std::int64_t i = 0; i < all.rows; ++i) {
      for (std::int64_t j = 0; j < all.columns; ++j) {
        const bool inside = i >= margin_ && i < margin_ + rows_ && j >= margin_ && j < margin_ + columns_;
        if (!inside && all(i, j) != guard) return false;
      }
    }
    return true;
  }

 private:
  static constexpr double guard = -77.25;
  Matrix<double> whole_;
  std::int64_t rows_;
  std::int64_t columns_;
  std::int64_t margin_;
};

/// C = A B + C0 in long double, and |A| |B| + |C0|.
struct Reference {
  std::vector<long double> value;
  std::vector<double> magnitude;
};

Reference reference_of(ConstView a, ConstView b, ConstView before) {
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
void expect_within_bound(ConstView c, const Reference& reference, std::int64_t k) {
  const double rounding = static_cast<double>(k + 2) * 0x1p-53;
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

void check_shape(const Shape& shape, std::int64_t margin) {
  SCOPED_TRACE(std::to_string(shape.m) + " x " + std::to_string(shape.n) + " x " + std::to_string(shape.k) +
               ", margin " + std::to_string(margin));
  Guarded a{shape.m, shape.k, margin};
  Guarded b{shape.k, shape.n, margin};
  Guarded before{shape.m, shape.n, margin};
  Guarded zero{shape.m, shape.n, 0};
  fill_random(a.view(), 1, 0, 0, 0);
  fill_random(b.view(), 1, 1, 0, 0);
  fill_random(before.view(), 1, 2, 0, 0);
  for (std::int64_t i = 0; i < shape.m; ++i) std::fill_n(zero.view().data + i * shape.n, shape.n, 0.0);
  const Reference assigned = reference_of(a.view(), b.view(), zero.view());
  const Reference added = reference_of(a.view(), b.view(), before.view());
  with_every_kernel([&](auto multiply) {
    Guarded c{shape.m, shape.n, margin};
    const View view = c.view();
    for (std::int64_t i = 0; i < shape.m; ++i) std::fill_n(view.data + i * view.stride, shape.n, not_a_number);
    multiply(a.view(), b.view(), view, Update::assign);
    expect_within_bound(view, assigned, shape.k);
    for (std::int64_t i = 0; i < shape.m; ++i) {
      std::copy_n(before.view().data + i * before.view().stride, shape.n, view.data + i * view.stride);
    }
    multiply(a.view(), b.view(), view, Update::add);
    expect_within_bound(view, added, shape.k);
    EXPECT_TRUE(c.guards_are_untouched());
  });
  EXPECT_TRUE(a.guards_are_untouched());
  EXPECT_TRUE(b.guards_are_untouched());
}

std::vector<std::uint64_t> bits_of(ConstView c) {
  std::vector<std::uint64_t> bits;
  for (std::int64_t i = 0; i < c.rows; ++i) {
    std::transform(c.data + i * c.stride, c.data + i * c.stride + c.columns, std::back_inserter(bits),
                   [](double value) { return std::bit_cast<std::uint64_t>(value); });
  }
  return bits;
}

TEST(LocalProduct, IsWithinItsBoundInEverySmallShape) {
  constexpr std::array<std::int64_t, 7> extents{0, 1, 2, 3, 7, 8, 9};
  for (const std::int64_t m : extents) {
    for (const std::int64_t n : extents) {
      for (const std::int64_t k : extents) {
        check_shape({m, n, k}, (m + n + k) % 2 == 0 ? 0 : 3);
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST(LocalProduct, IsWithinItsBoundInShapesOfAllSizes) {
  constexpr std::array<std::int64_t, 14> extents{0, 1, 2, 3, 7, 8, 9, 23, 24, 25, 31, 64, 97, 193};
  const auto drawn = [&](std::uint64_t sample, std::uint64_t which) {
    return extents.at(random_bits(42, 0, sample, which) % extents.size());
  };
  for (std::uint64_t sample = 0; sample < 100; ++sample) {
    check_shape({drawn(sample, 0), drawn(sample, 1), drawn(sample, 2)}, static_cast<std::int64_t>(sample % 3) * 2);
    if (HasFatalFailure()) return;
  }
}

TEST(LocalProduct, IsWithinItsBoundAcrossTheBlocksOfEachExtent) {
  // More rows than a panel, more columns than a block, more of k than one summation; few and many of each; with edges.
  for (const Shape& shape :
       {Shape{2057, 25, 9}, Shape{2057, 50, 259}, Shape{23, 1033, 31}, Shape{121, 131, 513}, Shape{57, 20, 300},
        Shape{1, 49, 700}, Shape{113, 1, 257}, Shape{4100, 1, 3}, Shape{24, 24, 256}, Shape{29, 265, 300}}) {
    check_shape(shape, 1);
    if (HasFatalFailure()) return;
  }
}

TEST(LocalProduct, IsWithinItsBoundWhereRowsAreAPageApart) {
  for (const Shape& shape : {Shape{40, 30, 212}, Shape{40, 212, 30}, Shape{5, 7, 212}, Shape{212, 212, 212}}) {
    const std::int64_t longest = std::max(shape.n, shape.k);
    check_shape(shape, (512 - longest) / 2);
    if (HasFatalFailure()) return;
  }
}

TEST(LocalProduct, CarriesNotANumberAndInfinityThroughZeros) {
  for (const std::int64_t n : {5, 24, 130}) {
    Matrix<double> a{n, n};
    Matrix<double> b{n, n};
    Matrix<double> c{n, n};
    for (const View& view : {a.view(), b.view()}) std::fill_n(view.data, n * n, 0.0);
    // Row 1 of A and column 2 of B are hit: 0 times NaN and 0 times infinity are NaN.
    a.view()(1, n - 1) = not_a_number;
    b.view()(n - 1, 2) = infinity;
    with_every_kernel([&](auto multiply) {
      for (const Update update : {Update::assign, Update::add}) {
        std::fill_n(c.data(), n * n, 0.0);
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

TEST(LocalProduct, AddKeepsNotANumberAndAssignForgetsIt) {
  for (const std::int64_t n : {4, 110}) {
    Matrix<double> a{n, 0};
    Matrix<double> b{0, n};
    Matrix<double> c{n, n};
    with_every_kernel([&](auto multiply) {
      std::fill_n(c.data(), n * n, not_a_number);
      multiply(std::as_const(a).view(), std::as_const(b).view(), c.view(), Update::add);
      EXPECT_TRUE(std::all_of(c.data(), c.data() + n * n, [](double value) { return std::isnan(value); }));
      multiply(std::as_const(a).view(), std::as_const(b).view(), c.view(), Update::assign);
      EXPECT_TRUE(std::all_of(c.data(), c.data() + n * n, [](double value) { return value == 0; }));
    });
  }
}

TEST(LocalProduct, RepeatsBitForBit) {
  for (const Shape& shape : {Shape{33, 41, 70}, Shape{201, 150, 300}}) {
    Matrix<double> a{shape.m, shape.k};
    Matrix<double> b{shape.k, shape.n};
    fill_random(a.view(), 5, 0, 0, 0);
    fill_random(b.view(), 5, 1, 0, 0);
    with_every_kernel([&](auto multiply) {
      Matrix<double> first{shape.m, shape.n};
      Matrix<double> second{shape.m, shape.n};
      multiply(std::as_const(a).view(), std::as_const(b).view(), first.view(), Update::assign);
      multiply(std::as_const(a).view(), std::as_const(b).view(), second.view(), Update::assign);
      EXPECT_EQ(bits_of(first.view()), bits_of(second.view()));
    });
  }
}

TEST(OurLocalProduct, AnEntryDependsOnItsRowItsColumnAndKAlone) {
  constexpr std::int64_t n = 300;
  constexpr std::int64_t k = 2 * summation_block + 17;
  Matrix<double> a{n, k};
  Matrix<double> b{k, n};
  fill_random(a.view(), 6, 0, 0, 0);
  fill_random(b.view(), 6, 1, 0, 0);
  const ConstView left = std::as_const(a).view();
  const ConstView right = std::as_const(b).view();
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    SCOPED_TRACE(hwy::TargetName(target));
    const OnlyTarget only{target};
    const auto multiply = simd_kernel().multiply;
    Matrix<double> whole{n, n};
    multiply(left, right, whole.view(), Update::assign);

    // Blocks of C, some small enough for the way without packing.
    for (const Shape& part : {Shape{1, 1, k}, Shape{5, 29, k}, Shape{150, 77, k}, Shape{299, 23, k}}) {
      Matrix<double> c{part.m, part.n};
      multiply(left.block(n - part.m, 0, part.m, k), right.block(0, n - part.n, k, part.n), c.view(), Update::assign);
      EXPECT_EQ(bits_of(c.view()), bits_of(whole.view().block(n - part.m, n - part.n, part.m, part.n)));
    }

    // Panels of k, one after the other.
    Matrix<double> c{n, n};
    for (std::int64_t p = 0; p < k; p += summation_block) {
      const std::int64_t width = std::min(summation_block, k - p);
      multiply(left.block(0, p, n, width), right.block(p, 0, width, n), c.view(),
               p == 0 ? Update::assign : Update::add);
    }
    EXPECT_EQ(bits_of(c.view()), bits_of(whole.view()));
  }
}

TEST(LocalProduct, IsTheSameFromSeveralThreadsAtOnce) {
  constexpr std::int64_t n = 290;
  Matrix<double> a{n, n};
  Matrix<double> b{n, n};
  fill_random(a.view(), 7, 0, 0, 0);
  fill_random(b.view(), 7, 1, 0, 0);
  with_every_kernel([&](auto multiply) {
    Matrix<double> alone{n, n};
    multiply(std::as_const(a).view(), std::as_const(b).view(), alone.view(), Update::assign);
    std::array<Matrix<double>, 3> together{Matrix<double>{n, n}, Matrix<double>{n, n}, Matrix<double>{n, n}};
    {
      std::vector<std::jthread> threads;
      for (Matrix<double>& mine : together) {
        threads.emplace_back([&] {
          for (int repeat = 0; repeat < 5; ++repeat) {
            multiply(std::as_const(a).view(), std::as_const(b).view(), mine.view(), Update::assign);
          }
        });
      }
    }
    for (Matrix<double>& mine : together) EXPECT_EQ(bits_of(mine.view()), bits_of(alone.view()));
  });
}

TEST(LocalProduct, StartsNoThread) {
  const auto threads = [] {
    const std::filesystem::directory_iterator tasks{"/proc/self/task"};
    return std::distance(begin(tasks), end(tasks));
  };
  constexpr std::int64_t n = 300;
  Matrix<double> a{n, n};
  Matrix<double> c{n, n};
  std::fill_n(a.data(), n * n, 1.0);
  const auto before = threads();
  with_every_kernel([&](auto multiply) {
    multiply(std::as_const(a).view(), std::as_const(a).view(), c.view(), Update::assign);
    EXPECT_EQ(threads(), before);
  });
}

TEST(LocalProduct, RefusesShapesThatDoNotFit) {
  Matrix<double> a{3, 5};
  Matrix<double> b{6, 4};
  Matrix<double> c{3, 4};
  with_every_kernel([&](auto multiply) {
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
