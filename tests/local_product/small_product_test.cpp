#include "kernels/local_product/small_product.hpp"

#include <gtest/gtest.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <vector>

#include "kernels/core/random.hpp"
#include "kernels/local_product/simd_product.hpp"
#include "tests/local_product/only_target.hpp"

namespace duet {
namespace {

/// Random operands of several products, and room for results, in one piece of memory whose other words are guards.
template <class Element>
class Products {
 public:
  static constexpr Element guard = Element{-77.25};

  Products(std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t count, std::int64_t margin)
      : words_{m * (k + margin) + k * (n + margin) + m * (n + margin) + margin},
        memory_(static_cast<std::size_t>(words_ * count + margin), guard) {
    Element* const a = memory_.data() + margin;
    Element* const b = a + m * (k + margin);
    Element* const c = b + k * (n + margin);
    run_ = {{a, m, k, k + margin}, {b, k, n, n + margin}, {c, m, n, n + margin}, words_, words_, words_, count};
    for (std::int64_t product = 0; product < count; ++product) {
      fill({a + product * words_, m, k, k + margin}, product, 0);
      fill({b + product * words_, k, n, n + margin}, product, 1);
      fill({c + product * words_, m, n, n + margin}, product, 2);
    }
  }

  [[nodiscard]] ProductRun<Element>& run() { return run_; }
  /// All of the memory with every C set to zero, to see what else was written.
  [[nodiscard]] std::vector<Element> around() const {
    std::vector<Element> copy = memory_;
    const auto first = run_.c.data - memory_.data();
    for (std::int64_t product = 0; product < run_.count; ++product) {
      for (std::int64_t i = 0; i < run_.c.rows; ++i) {
        std::fill_n(copy.begin() + first + product * words_ + i * run_.c.stride, run_.c.columns, Element{0});
      }
    }
    return copy;
  }

 private:
  static void fill(const MatrixView<Element>& view, std::int64_t product, std::uint32_t stream) {
    for (std::int64_t i = 0; i < view.rows; ++i) {
      for (std::int64_t j = 0; j < view.columns; ++j) {
        view(i, j) = static_cast<Element>(random_entry(3, stream, product, i * 64 + j));
      }
    }
  }

  std::int64_t words_;
  std::vector<Element> memory_;
  ProductRun<Element> run_;
};

template <class Element>
void expect_bits_of_the_local_kernel(std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t count,
                                     std::int64_t margin) {
  Products<Element> products{m, n, k, count, margin};
  const std::vector<Element> before = products.around();
  multiply_small_run(products.run());
  EXPECT_EQ(products.around(), before);
  Matrix<Element> expected{m, n};
  for (std::int64_t product = 0; product < count; ++product) {
    const ProductRun<Element> one = products.run().products(product, 1);
    simd_kernel().of<Element>()(one.a, one.b, expected.view(), Update::assign);
    for (std::int64_t i = 0; i < m && n > 0; ++i) {
      ASSERT_EQ(std::memcmp(&one.c(i, 0), &expected.view()(i, 0), static_cast<std::size_t>(n) * sizeof(Element)), 0)
          << m << " x " << n << " x " << k << ", product " << product << ", row " << i;
    }
  }
}

template <class Element>
class SmallProducts : public testing::Test {};
using Elements = testing::Types<double, float>;
TYPED_TEST_SUITE(SmallProducts, Elements);

TYPED_TEST(SmallProducts, HaveTheBitsOfTheLocalKernelInEveryShapeAndInstructionSet) {
  const std::vector<std::int64_t> extents{0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 20, 24, 25, 31, 32};
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    SCOPED_TRACE(hwy::TargetName(target));
    const OnlyTarget only{target};
    for (const std::int64_t m : extents) {
      for (const std::int64_t n : extents) {
        for (const std::int64_t k : {0, 1, 2, 4, 7, 16, 32}) {
          expect_bits_of_the_local_kernel<TypeParam>(m, n, k, 1 + (m + n + k) % 3, (m + n) % 2 * 3);
          if (this->HasFatalFailure()) return;
        }
      }
    }
  }
}

TYPED_TEST(SmallProducts, AreAllThereInRunsOfAnyLength) {
  for (const std::int64_t count : {0, 1, 2, 3, 99, 1000}) expect_bits_of_the_local_kernel<TypeParam>(5, 6, 7, count, 0);
}

TYPED_TEST(SmallProducts, CarryNotANumberAndInfinityThroughZeros) {
  for (const std::int64_t n : {1, 2, 4, 8, 11, 32}) {
    Products<TypeParam> products{n, n, n, 2, 0};
    ProductRun<TypeParam>& run = products.run();
    std::vector<TypeParam> a(static_cast<std::size_t>(n * n), TypeParam{0});
    std::vector<TypeParam> b = a;
    a[static_cast<std::size_t>(n - 1)] = std::numeric_limits<TypeParam>::quiet_NaN();  // row 0
    b.back() = std::numeric_limits<TypeParam>::infinity();                             // column n - 1
    run.a.data = a.data();
    run.b.data = b.data();
    run.a_step = run.b_step = 0;
    multiply_small_run(run);
    for (std::int64_t product = 0; product < 2; ++product) {
      const ProductRun<TypeParam> one = run.products(product, 1);
      for (std::int64_t i = 0; i < n; ++i) {
        for (std::int64_t j = 0; j < n; ++j) {
          EXPECT_EQ(std::isnan(one.c(i, j)), i == 0 || j == n - 1) << n << ": " << i << ", " << j;
        }
      }
    }
  }
}

TYPED_TEST(SmallProducts, KeepSubnormals) {
  const TypeParam tiny = std::numeric_limits<TypeParam>::denorm_min();
  Products<TypeParam> products{4, 4, 4, 1, 0};
  std::vector<TypeParam> a(16, tiny);
  std::vector<TypeParam> b(16, TypeParam{1});
  products.run().a.data = a.data();
  products.run().b.data = b.data();
  multiply_small_run(products.run());
  EXPECT_EQ(products.run().c(3, 3), 4 * tiny);
}

TYPED_TEST(SmallProducts, AreOneByOneThroughTheGivenKernelWhereTheyAreNotSmall) {
  Products<TypeParam> products{33, 5, 300, 3, 2};
  multiply_run(local_kernel("duet"), products.run());
  Matrix<TypeParam> expected{33, 5};
  for (std::int64_t product = 0; product < 3; ++product) {
    const ProductRun<TypeParam> one = products.run().products(product, 1);
    local_kernel("duet").of<TypeParam>()(one.a, one.b, expected.view(), Update::assign);
    EXPECT_EQ(one.c(32, 4), expected.view()(32, 4));
    EXPECT_EQ(one.c(0, 0), expected.view()(0, 0));
  }
}

TYPED_TEST(SmallProducts, AreRefusedWhereShapesDoNotFit) {
  Products<TypeParam> products{3, 4, 5, 1, 0};
  products.run().b.rows = 6;
  EXPECT_THROW(multiply_run(local_kernel("duet"), products.run()), std::invalid_argument);
}

}  // namespace
}  // namespace duet
