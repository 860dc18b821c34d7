#include "kernels/arithmetic/transform/transform.hpp"

#include <gmp.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "kernels/arithmetic/transform/twiddles.hpp"
#include "tests/sanitizers.hpp"

namespace duet {
namespace {

using Digits = std::vector<std::uint64_t>;

/// Every path that runs here, and the ones that do not are left out by name.
std::vector<const TransformPath*> paths() {
  std::vector<const TransformPath*> here;
  for (const TransformPath& path : transform_paths()) {
    if (path.runs_here()) here.push_back(&path);
  }
  return here;
}

/// One GMP limb a digit is too long; GMP multiplies the limbs that they pack to.
Digits product_by_gmp(const Digits& a, const Digits& b, const Radix& radix) {
  const auto to_gmp = [&](const Digits& digits, mpz_t number) {
    if (radix.bits != 0) {
      std::vector<std::uint64_t> limbs(limbs_of_digits(digits.size(), radix));
      pack_limbs(digits, radix, limbs);
      mpz_import(number, limbs.size(), -1, sizeof(std::uint64_t), 0, 0, limbs.data());
    } else {
      mpz_set_str(number, decimal_string(digits, radix).c_str(), 10);
    }
  };
  mpz_t x;
  mpz_t y;
  mpz_inits(x, y, nullptr);
  to_gmp(a, x);
  to_gmp(b, y);
  mpz_mul(x, x, y);
  Digits product(a.size() + b.size());
  if (radix.bits != 0) {
    unpack_limbs({mpz_limbs_read(x), mpz_size(x)}, radix, product);
  } else {
    std::string text(mpz_sizeinbase(x, 10) + 2, '\0');
    mpz_get_str(text.data(), 10, x);
    text.resize(text.find('\0'));
    product = digits_of_decimal(text, radix);
    product.resize(a.size() + b.size());
  }
  mpz_clears(x, y, nullptr);
  return product;
}

Digits random_digits(std::size_t count, const Radix& radix, std::uint64_t seed) {
  std::mt19937_64 random{seed};
  Digits digits(count);
  for (std::uint64_t& digit : digits) digit = random() % radix.base;
  return digits;
}

/// Operands of every kind: what carries far, what is sparse, what is all the largest.
std::vector<Digits> operands(std::size_t count, const Radix& radix) {
  std::vector<Digits> all;
  all.push_back(random_digits(count, radix, count));
  all.emplace_back(count, radix.base - 1);
  all.emplace_back(count, 0);
  all.emplace_back(count, 0).back() = 1;
  all.emplace_back(count, 0).front() = radix.base - 1;
  Digits sparse(count, 0);
  for (std::size_t i = 0; i < count; i += 37) sparse[i] = radix.base / 2;
  all.push_back(std::move(sparse));
  return all;
}

TransformContext context_on(const TransformPath* path, const Radix& radix) { return {.radix = radix, .path = path}; }

TEST(TransformPrimes, ArePrimeBelowTwoToThe48AndHaveRootsOfUnity) {
  for (const TransformPrime& prime : transform_primes) {
    EXPECT_LT(prime.value(), std::uint64_t{1} << 48U);
    EXPECT_LT(16 * UInt128{prime.value()}, UInt128{1} << operand_bits);
    EXPECT_EQ(prime.value() * prime.inverse() & operand_mask, 1U);
    EXPECT_EQ(prime.power(prime.root(), std::uint64_t{1} << (root_bits - 1)), prime.value() - 1);
    mpz_t p;
    mpz_init_set_ui(p, prime.value());
    EXPECT_NE(mpz_probab_prime_p(p, 30), 0);
    mpz_clear(p);
  }
}

TEST(Twiddles, AreSquareRootsOfTheNodesAboveAndMirrorTheirInversesOnEveryPath) {
  for (const TransformPath* path : paths()) {
    for (std::size_t k = 0; k < transform_primes_count; ++k) {
      const TransformPrime& prime = transform_primes[k];
      const std::span<const std::uint64_t> t = twiddles(k, 300, *path);
      const auto plain = [&](std::size_t j) {
        if (path->factors == FactorForm::montgomery) return prime.combined(t[j], 1);
        const auto entry = static_cast<std::int64_t>(std::bit_cast<double>(t[j]));
        EXPECT_LE(static_cast<std::uint64_t>(std::abs(entry)), prime.value() / 2);
        return entry < 0 ? prime.value() - static_cast<std::uint64_t>(-entry) : static_cast<std::uint64_t>(entry);
      };
      EXPECT_EQ(plain(0), 1U);
      for (std::size_t j = 1; j < 150; ++j) {
        EXPECT_EQ(prime.product(plain(2 * j), plain(2 * j)), plain(j)) << path->name;
        EXPECT_EQ(prime.product(plain(2 * j + 1), plain(2 * j + 1)), prime.value() - plain(j));
        EXPECT_EQ(prime.product(plain(j), plain(mirrored(j))), prime.value() - 1);
      }
    }
  }
}

TEST(TransformShape, HoldsTheDigitsAndWastesLittle) {
  for (std::size_t digits = 1; digits < 200'000; digits += 1 + digits / 50) {
    const TransformShape shape = shape_for(digits);
    EXPECT_GE(shape.words(), digits);
    EXPECT_LE(shape.rows, most_rows);
    EXPECT_LE(static_cast<double>(shape.words()), std::max(64.0, static_cast<double>(digits) + 63) * 1.125) << digits;
  }
}

TEST(Radix, TakesFactorsAsLongAsTheProductOfThePrimesAllows) {
  EXPECT_GE(longest_factor(Radix::binary(60)) * 60, 1'000'000'000U);
  EXPECT_LT(longest_factor(Radix::binary(60)), std::size_t{1} << 24U);
  EXPECT_EQ(binary_radix_for(1e9), Radix::binary(60));
  EXPECT_EQ(binary_radix_for(1.01e9), Radix::binary(59));
  EXPECT_EQ(binary_radix_for(3.5e9), Radix::binary(59));
  EXPECT_EQ(decimal_radix_for(4e8), Radix::decimal(18));
  EXPECT_EQ(decimal_radix_for(5e8), Radix::decimal(17));
  EXPECT_THROW((void)binary_radix_for(1e30), std::length_error);
}

TEST(Radix, PacksWhatItUnpacked) {
  std::mt19937_64 random{7};
  for (unsigned bits = least_digit_bits; bits <= most_digit_bits; ++bits) {
    const Radix radix = Radix::binary(bits);
    for (const std::size_t count : {0U, 1U, 2U, 15U, 16U, 17U, 59U, 60U, 61U, 200U}) {
      std::vector<std::uint64_t> limbs(count);
      std::ranges::generate(limbs, [&] { return random(); });
      Digits digits(digits_of_limbs(count, radix));
      unpack_limbs(limbs, radix, digits);
      EXPECT_TRUE(std::ranges::all_of(digits, [&](std::uint64_t digit) { return digit < radix.base; }));
      std::vector<std::uint64_t> again(count);
      pack_limbs(digits, radix, again);
      EXPECT_EQ(again, limbs) << bits << " " << count;
    }
  }
}

TEST(Radix, WritesAndReadsDecimals) {
  for (unsigned places = least_digit_places; places <= most_digit_places; ++places) {
    const Radix radix = Radix::decimal(places);
    for (const std::string text : {"1", "999999999999999999", "1000000000000000000", "123456789012345678901234567890",
                                   "100000000000000000000000000000000000001"}) {
      EXPECT_EQ(decimal_string(digits_of_decimal(text, radix), radix), text);
    }
    EXPECT_EQ(decimal_string({}, radix), "0");
    EXPECT_EQ(decimal_string(Digits{0, 0}, radix), "0");
  }
}

TEST(Radix, CarriesAndBorrowsOfSmallNumbersRunThrough) {
  const Radix radix = Radix::decimal(18);
  Digits digits{radix.base - 1, radix.base - 1, 4};
  add_small(digits, 3, radix);
  EXPECT_EQ(digits, (Digits{2, 0, 5}));
  subtract_small(digits, 3, radix);
  EXPECT_EQ(digits, (Digits{radix.base - 1, radix.base - 1, 4}));
}

class TransformProduct : public testing::TestWithParam<Radix> {};

TEST_P(TransformProduct, IsGmpsForShortFactorsOfAllKinds) {
  const Radix radix = GetParam();
  for (const TransformPath* path : paths()) {
    TransformContext context = context_on(path, radix);
    for (const std::size_t a_count : {1U, 2U, 7U, 31U, 32U, 33U, 64U, 100U}) {
      for (const std::size_t b_count : {1U, 3U, 64U, 97U}) {
        for (const Digits& a : operands(a_count, radix)) {
          for (const Digits& b : operands(b_count, radix)) {
            Digits product(a_count + b_count);
            multiply_digits(a, b, product, context);
            ASSERT_EQ(product, product_by_gmp(a, b, radix)) << path->name << " " << a_count << " " << b_count;
          }
        }
      }
      for (const Digits& a : operands(a_count, radix)) {
        Digits square(2 * a_count);
        square_digits(a, square, context);
        ASSERT_EQ(square, product_by_gmp(a, a, radix)) << path->name << " " << a_count;
      }
    }
  }
}

TEST_P(TransformProduct, IsGmpsAroundEveryChangeOfLength) {
  const Radix radix = GetParam();
  std::vector<std::size_t> totals;
  for (std::size_t row = 64; row <= (under_sanitizer ? 128U : radix.bits == 0 ? 512U : 2048U); row *= 2) {
    for (std::size_t rows = row == 64 ? 1 : 9; rows <= 16; ++rows) {
      for (std::size_t off = 0; off < 3; ++off) totals.push_back(rows * row + off - 1);
    }
  }
  for (const TransformPath* path : paths()) {
    TransformContext context = context_on(path, radix);
    for (const std::size_t total : totals) {
      const std::size_t a_count = total % 5 == 0 ? total / 8 : total / 2;
      const Digits a(a_count, radix.base - 1);
      const Digits b = random_digits(total - a_count, radix, total);
      Digits product(total);
      multiply_digits(a, b, product, context);
      ASSERT_EQ(product, product_by_gmp(a, b, radix)) << path->name << " " << total;
    }
  }
}

TEST_P(TransformProduct, IsGmpsWhereColumnsAndChunksBegin) {
  const Radix radix = GetParam();
  for (const std::size_t total : {530'000U, 1'100'000U, 2'400'000U}) {
    if (under_sanitizer && total > 600'000) continue;
    // GMP's decimals would take most of the time.
    if (total > 600'000 && radix != Radix::binary(60)) continue;
    if (radix.bits == 0) continue;
    const Digits a = random_digits(total / 2, radix, total);
    const Digits b = random_digits(total - total / 2, radix, total + 1);
    const Digits right = product_by_gmp(a, b, radix);
    for (const TransformPath* path : paths()) {
      if (path->name == "portable" && total > 600'000) continue;
      TransformContext context = context_on(path, radix);
      Digits product(total);
      multiply_digits(a, b, product, context);
      ASSERT_TRUE(product == right) << path->name << " " << total;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Radices, TransformProduct,
                         testing::Values(Radix::binary(60), Radix::binary(59), Radix::binary(53), Radix::decimal(18),
                                         Radix::decimal(17)),
                         [](const testing::TestParamInfo<Radix>& radix) {
                           return radix.param.bits != 0 ? "Binary" + std::to_string(radix.param.bits)
                                                        : "Decimal" + std::to_string(radix.param.places);
                         });

TEST(TransformProduct, MayTakeThePlaceOfAFactor) {
  const Radix radix = Radix::binary(60);
  TransformContext context = context_on(&fastest_path(), radix);
  Digits a = random_digits(1000, radix, 1);
  const Digits b = random_digits(700, radix, 2);
  const Digits right = product_by_gmp(a, b, radix);
  a.resize(1700);
  multiply_digits(std::span{a}.first(1000), b, a, context);
  EXPECT_EQ(a, right);
}

TEST(TransformProduct, RefusesFactorsThatAreTooLongOrEmpty) {
  TransformContext context;
  Digits result(3);
  const Digits one(1, 1);
  EXPECT_THROW(multiply_digits(one, {}, std::span{result}.first(1), context), std::invalid_argument);
  EXPECT_THROW(multiply_digits(one, one, result, context), std::invalid_argument);
  const std::span<const std::uint64_t> long_one{one.data(), longest_factor(context.radix) + 1};
  EXPECT_THROW(multiply_digits(long_one, long_one, {result.data(), 2 * long_one.size()}, context), std::length_error);
}

TEST(TransformProduct, IsTheSameForEveryTeam) {
  const Radix radix = Radix::binary(60);
  // Teams that work off their parts backwards, and say they are few, who overlap primes, and many.
  const auto backwards = [](std::int64_t parts, const TransformTeam::Body& body) {
    while (parts-- > 0) body(parts);
  };
  const TransformTeam few{2, backwards};
  const TransformTeam many{9, backwards};
  const TransformTeam threads{3, [](std::int64_t parts, const TransformTeam::Body& body) {
                                std::atomic<std::int64_t> next = 0;
                                const auto work = [&] {
                                  for (std::int64_t part = next++; part < parts; part = next++) body(part);
                                };
                                std::jthread second{work};
                                std::jthread third{work};
                                work();
                              }};
  // Rows dealt out whole; rows of several pieces; one prime at a time, and rows left over that all share.
  for (const std::size_t total : {100U, 9'000U, 40'000U, 700'000U, 2'700'000U}) {
    if (under_sanitizer && total > 100'000) continue;
    const Digits a(total / 2, radix.base - 1);
    const Digits b = random_digits(total - total / 2, radix, total + 1);
    Digits right(total);
    Digits other(total);
    TransformContext context = context_on(&fastest_path(), radix);
    multiply_digits(a, b, right, context);
    for (const TransformTeam* team : {&few, &many, &threads}) {
      context.team = team;
      std::ranges::fill(other, 0);
      multiply_digits(a, b, other, context);
      EXPECT_TRUE(right == other) << total;
    }
  }
}

TEST(DoubleDigits, AreAProductAndASquareOnEveryPath) {
  for (const Radix& radix : {Radix::binary(60), Radix::decimal(18)}) {
    for (const TransformPath* path : paths()) {
      TransformContext context = context_on(path, radix);
      for (const std::size_t count : {1U, 5U, 64U, 500U, 3000U}) {
        const Digits a = random_digits(count, radix, 3);
        const Digits b(count, radix.base - 1);
        Digits product(2 * count);
        Digits square(2 * count);
        double_digits(a, b, product, square, context);
        EXPECT_EQ(product, product_by_gmp(a, b, radix)) << path->name << " " << count;
        EXPECT_EQ(square, product_by_gmp(b, b, radix)) << path->name << " " << count;
      }
    }
  }
}

TEST(HalfSums, AreThoseOfTheWholeNumbersForEveryTeam) {
  const TransformTeam three{3, serial_team().parallel};
  for (const Radix& radix : {Radix::binary(60), Radix::decimal(18)}) {
    for (const std::size_t count : {2U, 3U, 50U, 20'000U}) {
      for (const bool largest : {false, true}) {
        Digits a = largest ? Digits(count, radix.base - 1) : random_digits(count, radix, 11);
        Digits b = largest ? Digits(count, radix.base - 1) : random_digits(count, radix, 12);
        if (((a[0] + b[0]) & 1U) != 0) b[0] ^= 1U;
        a.back() = b.back() = 0;
        Digits once = a;
        Digits five_times = b;
        TransformContext context{.radix = radix};
        context.team = &three;
        half_sums(once, five_times, once, five_times, context);
        // Twice the one is a + b, and the other is 2 a more.
        const auto sum_of = [&](const Digits& x, const Digits& y) {
          Digits sum(count);
          std::uint64_t carry = 0;
          for (std::size_t i = 0; i < count; ++i) {
            const std::uint64_t digit = x[i] + y[i] + carry;
            carry = digit >= radix.base ? 1 : 0;
            sum[i] = digit - carry * radix.base;
          }
          return sum;
        };
        EXPECT_EQ(sum_of(once, once), sum_of(a, b)) << count;
        EXPECT_EQ(sum_of(once, sum_of(a, a)), five_times) << count;
      }
    }
  }
}

}  // namespace
}  // namespace duet
