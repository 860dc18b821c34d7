// Products, conversions and residues against GMP, over operands made to break them, on every code path and for teams.

#include <gmp.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "kernels/arithmetic/gmp_number.hpp"
#include "kernels/arithmetic/natural.hpp"
#include "kernels/arithmetic/primes.hpp"
#include "kernels/arithmetic/radix_conversion.hpp"
#include "kernels/arithmetic/transform/prime.hpp"
#include "kernels/arithmetic/transform/transform.hpp"
#include "tests/sanitizers.hpp"

namespace duet {
namespace {

/// A number made bit by bit, or run by run.
class Bits {
 public:
  explicit Bits(std::size_t count) : limbs_((count + 63) / 64) {}
  void set(std::size_t bit) { limbs_[bit / 64] |= std::uint64_t{1} << bit % 64; }
  void set(std::size_t first, std::size_t last) {
    for (; first < last && first % 64 != 0; ++first) set(first);
    for (; first + 64 <= last; first += 64) limbs_[first / 64] = UINT64_MAX;
    for (; first < last; ++first) set(first);
  }
  void set_at_random(std::mt19937_64& random, std::size_t count) {
    for (std::size_t bit = 0; bit < count; bit += 64) {
      limbs_[bit / 64] = count - bit < 64 ? random() >> (64 - (count - bit)) : random();
    }
  }
  [[nodiscard]] Natural natural() && { return Natural{std::move(limbs_)}; }

 private:
  std::vector<std::uint64_t> limbs_;
};

/// Numbers of exactly `bits` bits of all kinds. Digits are those of a radix of `digit` bits.
std::vector<Natural> numbers_of(std::size_t bits, unsigned digit = 60) {
  std::mt19937_64 random{bits};
  std::vector<Natural> all;
  const auto add = [&](const auto& fill) {
    Bits number{bits};
    fill(number);
    number.set(bits - 1);
    all.push_back(std::move(number).natural());
  };
  add([&](Bits& x) { x.set_at_random(random, bits); });
  add([&](Bits& x) { x.set(0, bits); });          // 2^bits - 1
  add([&](Bits& /*x*/) {});                       // 2^(bits - 1)
  add([&](Bits& x) { x.set(0); });                // and one more
  add([&](Bits& x) { x.set(bits / 2, bits); });   // a long run above zeros
  add([&](Bits& x) { x.set(0, bits / 2 + 1); });  // below zeros
  add([&](Bits& x) {                              // sparse
    for (std::size_t i = 0; i < bits / 700 + 1; ++i) x.set(random() % bits);
  });
  add([&](Bits& x) {  // runs of ones and of zeros
    for (std::size_t bit = 0; bit < bits;) {
      const std::size_t first = bit + random() % 300;
      bit = first + random() % 300;
      x.set(std::min(first, bits), std::min(bit, bits));
    }
  });
  add([&](Bits& x) {  // every other digit the largest
    for (std::size_t bit = 0; bit + digit <= bits; bit += 2 * digit) x.set(bit, bit + digit);
  });
  add([&](Bits& x) {  // every digit half the base: the first that stands next to zero from below
    for (std::size_t bit = digit - 1; bit < bits; bit += digit) x.set(bit);
  });
  return all;
}

/// Those of them that make the largest coefficients and the longest carries, and a random one.
std::vector<Natural> hardest_of(std::size_t bits, unsigned digit = 60) {
  const std::vector<Natural> all = numbers_of(bits, digit);
  return {all[0], all[1], all[7], all[8]};
}

mpz_srcptr read_by_gmp(const Natural& number, mpz_t read) {
  return mpz_roinit_n(read, number.limbs().data(), static_cast<mp_size_t>(number.limbs().size()));
}

Natural natural_of(GmpNumber& number) {
  return Natural{std::vector<std::uint64_t>(number.limbs().begin(), number.limbs().end())};
}

template <class Compute>
Natural by_gmp(const Natural& a, const Natural& b, const Compute& compute) {
  mpz_t x;
  mpz_t y;
  GmpNumber result;
  compute(result.get(), read_by_gmp(a, x), read_by_gmp(b, y));
  return natural_of(result);
}
Natural gmp_product(const Natural& a, const Natural& b) { return by_gmp(a, b, mpz_mul); }
Natural gmp_sum(const Natural& a, const Natural& b) { return by_gmp(a, b, mpz_add); }

std::string gmp_text(const Natural& number, int base) {
  mpz_t read;
  const mpz_srcptr x = read_by_gmp(number, read);
  std::string text(mpz_sizeinbase(x, base) + 2, '\0');
  mpz_get_str(text.data(), base, x);
  text.resize(text.find('\0'));
  return text;
}

std::vector<const TransformPath*> paths_here() {
  std::vector<const TransformPath*> here;
  for (const TransformPath& path : transform_paths()) {
    if (path.runs_here()) here.push_back(&path);
  }
  return here;
}

/// Threads that take the next part when they are free.
TransformTeam team_of(int workers) {
  return {workers, [workers](std::int64_t parts, const TransformTeam::Body& body) {
            std::atomic<std::int64_t> next = 0;
            const auto work = [&] {
              for (std::int64_t part = next++; part < parts; part = next++) body(part);
            };
            std::vector<std::jthread> others;
            for (int i = 1; i < workers; ++i) others.emplace_back(work);
            work();
          }};
}

Words digits_of(const Natural& number, const Radix& radix) {
  const auto bits = static_cast<std::size_t>(number.bits());
  Words digits{(bits + radix.bits - 1) / radix.bits};
  unpack_limbs(number.limbs(), radix, digits.span());
  return digits;
}
Natural number_of(const Words& digits, const Radix& radix) {
  std::vector<std::uint64_t> limbs(limbs_of_digits(digits.size(), radix));
  pack_limbs(digits.span(), radix, limbs);
  return Natural{std::move(limbs)};
}

/// The product by transforms in this context, however short the factors.
Natural product_in(TransformContext& context, const Natural& a, const Natural& b) {
  const Words x = digits_of(a, context.radix);
  const Words y = digits_of(b, context.radix);
  Words product{x.size() + y.size()};
  multiply_digits(x.span(), y.span(), product.span(), context);
  return number_of(product, context.radix);
}
Natural square_in(TransformContext& context, const Natural& a) {
  const Words x = digits_of(a, context.radix);
  Words square{2 * x.size()};
  square_digits(x.span(), square.span(), context);
  return number_of(square, context.radix);
}

TEST(NaturalProperties, ProductsOnEveryPathAreGmpsAroundEveryLengthOfATransform) {
  for (const TransformPath* path : paths_here()) {
    for (const unsigned bits : {60U, 59U, 53U}) {
      TransformContext context{.radix = Radix::binary(bits), .path = path};
      // Digits of the product: where rows begin, one row becomes nine half as long, and sixteen become longer.
      for (const std::size_t total : {2U, 63U, 64U, 65U, 576U, 1023U, 1024U, 1025U, 1152U, 2047U, 2048U, 2049U}) {
        if (under_sanitizer && total > 600) continue;
        const std::size_t even = (total + 1) / 2;
        const std::size_t uneven = std::max<std::size_t>(1, total / 17);
        for (const std::size_t first : {even, uneven}) {
          const std::vector<Natural> others = numbers_of((total - first) * bits, bits);
          for (const Natural& a : hardest_of(first * bits, bits)) {
            for (const Natural& b : others) {
              ASSERT_TRUE(product_in(context, a, b) == gmp_product(a, b)) << path->name << " " << bits << " " << total;
            }
          }
        }
        for (const Natural& a : numbers_of(even * bits, bits)) {
          ASSERT_TRUE(square_in(context, a) == gmp_product(a, a)) << path->name << " " << bits << " " << total;
        }
      }
    }
  }
}

TEST(NaturalProperties, LongProductsOnEveryPathAreGmps) {
  for (const TransformPath* path : paths_here()) {
    TransformContext context{.path = path};
    const std::size_t digits = under_sanitizer ? 3'000 : 40'000;
    for (const std::size_t other : {digits, std::size_t{129}}) {
      const std::vector<Natural> others = hardest_of(other * 60 - 1);
      for (const Natural& a : hardest_of(digits * 60)) {
        for (const Natural& b : others) {
          ASSERT_TRUE(product_in(context, a, b) == gmp_product(a, b)) << path->name << " " << other;
        }
      }
    }
  }
}

TEST(NaturalProperties, ProductsAndSquaresAreGmpsOnBothSidesOfTheChangeToTransforms) {
  std::set<std::size_t> sizes{1, 2, 16, 17};
  for (const TransformPath& path : transform_paths()) {
    if (path.least_limbs > 10'000) continue;
    for (const std::size_t off : {0U, 1U, 2U}) sizes.insert(path.least_limbs + off - 1);
  }
  for (const std::size_t size : sizes) {
    for (const Natural& a : hardest_of(64 * size)) {
      EXPECT_TRUE(a.squared() == gmp_product(a, a)) << size;
      for (const std::size_t other : {size, size + 1, 10 * size + 1, std::size_t{7'000}}) {
        if (under_sanitizer && other > 1'000) continue;
        for (const Natural& b : hardest_of(64 * other - 5)) {
          const Natural right = gmp_product(a, b);
          ASSERT_TRUE(a * b == right) << size << " " << other;
          ASSERT_TRUE(b * a == right) << size << " " << other;
        }
      }
    }
  }
}

TEST(NaturalProperties, AreTheSameForTeamsOfAnySize) {
  const std::size_t limbs = under_sanitizer ? 9'000 : 70'000;
  const std::vector<Natural> numbers = hardest_of(64 * limbs);
  const Natural other = hardest_of(64 * (limbs / 10)).front();
  for (const Natural& a : numbers) {
    const Natural product = gmp_product(a, other);
    const Natural square = gmp_product(a, a);
    const std::string text = &a == numbers.data() || !under_sanitizer ? a.decimal() : "";
    for (const int workers : {1, 2, 3, 5}) {
      const TransformTeam team = team_of(workers);
      EXPECT_TRUE(a.times(other, team) == product) << workers;
      EXPECT_TRUE(other.times(a, team) == product) << workers;
      EXPECT_TRUE(a.squared(team) == square) << workers;
      if (text.empty()) continue;
      EXPECT_TRUE(a.decimal(team) == text) << workers;
      EXPECT_TRUE(Natural::from_decimal(text, team) == a) << workers;
    }
  }
}

TEST(NaturalProperties, DecimalsOnEveryPathAreGmps) {
  for (const TransformPath* path : paths_here()) {
    for (const std::size_t limbs : {1U, 2U, 127U, 128U, 129U, 255U, 256U, 257U, 513U, 1'023U, 1'025U, 2'050U, 5'000U}) {
      if (under_sanitizer && limbs > 600) continue;
      for (const Natural& a : numbers_of(64 * limbs - limbs % 3)) {
        const std::string right = gmp_text(a, 10);
        for (const unsigned places : {18U, 17U}) {
          if (places == 17 && limbs % 2 == 0) continue;
          TransformContext context{.radix = Radix::decimal(places), .path = path};
          ASSERT_EQ(decimal_string(decimal_digits_of(a.limbs(), context), context.radix), right)
              << path->name << " " << limbs;
        }
        for (const unsigned bits : {60U, 53U}) {
          if (bits == 53 && limbs % 2 == 0) continue;
          TransformContext context{.radix = Radix::binary(bits), .path = path};
          ASSERT_TRUE(Natural{limbs_of_decimal(right, context)} == a) << path->name << " " << limbs;
        }
      }
    }
  }
}

TEST(NaturalProperties, DecimalsAroundPowersOfTenAreWhatTheySay) {
  // Pieces of 82 and 328 times 60 places, their doubles, and what GMP converts, on both sides.
  for (const std::size_t places : {1U, 17U, 18U, 19U, 4'920U, 9'840U, 19'264U, 19'266U, 19'680U, 39'360U}) {
    if (under_sanitizer && places > 10'000) continue;
    for (const std::size_t count : {places - 1, places, places + 1}) {
      const std::vector<std::string> texts{"1" + std::string(count, '0'), std::string(count + 1, '9'),
                                           "1" + std::string(count, '0') + "1",
                                           std::string(count / 2 + 1, '9') + std::string(count / 2, '0')};
      for (const std::string& text : texts) {
        GmpNumber number;
        mpz_set_str(number.get(), text.c_str(), 10);
        const Natural right = natural_of(number);
        ASSERT_TRUE(Natural::from_decimal(text) == right) << count;
        ASSERT_TRUE(Natural::from_decimal(std::string(77, '0') + text) == right) << count;
        ASSERT_TRUE(right.decimal() == text) << count;
        for (const TransformPath* path : paths_here()) {
          TransformContext context{.path = path};
          ASSERT_TRUE(Natural{limbs_of_decimal(text, context)} == right) << path->name << " " << count;
        }
      }
    }
  }
}

TEST(NaturalProperties, DecimalsComeBackOnBothSidesOfTheChangeToTransforms) {
  std::set<std::size_t> sizes;
  for (const TransformPath& path : transform_paths()) {
    for (const std::size_t least : {least_limbs_to_decimal(path), least_limbs_from_decimal(path)}) {
      if (least > 40'000) continue;
      for (const std::size_t off : {0U, 1U, 2U}) sizes.insert(least + off - 1);
    }
  }
  for (const std::size_t size : sizes) {
    if (under_sanitizer && size > 2'000) continue;
    for (const Natural& a : numbers_of(64 * size)) {
      const std::string right = gmp_text(a, 10);
      ASSERT_TRUE(a.decimal() == right) << size;
      ASSERT_TRUE(Natural::from_decimal(right) == a) << size;
    }
  }
}

TEST(NaturalProperties, HexadecimalsAreGmps) {
  for (const std::size_t bits : {1U, 3U, 4U, 5U, 60U, 63U, 64U, 65U, 127U, 128U, 129U, 1'000U, 64'000U, 300'003U}) {
    for (const Natural& a : numbers_of(bits)) {
      const std::string right = gmp_text(a, 16);
      ASSERT_EQ(a.hexadecimal(), right);
      ASSERT_TRUE(Natural::from_hexadecimal(right) == a);
      ASSERT_TRUE(Natural::from_hexadecimal("000" + right) == a);
    }
  }
}

TEST(NaturalProperties, ResiduesOfSumsAndProductsAreThoseOfTheResidues) {
  std::vector<std::uint64_t> moduli{1,
                                    2,
                                    3,
                                    10,
                                    std::uint64_t{1} << 32U,
                                    (std::uint64_t{1} << 32U) - 1,
                                    std::uint64_t{1} << 63U,
                                    (std::uint64_t{1} << 63U) + 1,
                                    UINT64_MAX,
                                    random_prime(1, 2)};
  for (const TransformPrime& prime : transform_primes) moduli.push_back(prime.value());
  for (const std::size_t bits : {64U, 127U, 8'000U, 64'001U, 200'000U}) {
    for (const Natural& a : numbers_of(bits)) {
      for (const Natural& b : hardest_of(bits + 131)) {
        const Natural product = a * b;
        const Natural sum = a + b;
        for (const std::uint64_t m : moduli) {
          const std::uint64_t x = a.modulo(m);
          const std::uint64_t y = b.modulo(m);
          ASSERT_EQ(product.modulo(m), product_modulo(x, y, m)) << bits << " " << m;
          ASSERT_EQ(sum.modulo(m), y < m - x ? x + y : x - (m - y)) << bits << " " << m;
        }
      }
    }
  }
}

TEST(NaturalProperties, SumsAndOrderAreGmps) {
  std::vector<Natural> all{Natural{}};
  for (const std::size_t bits : {1U, 64U, 65U, 127U, 128U, 5'000U, 5'001U}) {
    std::ranges::copy(numbers_of(bits), std::back_inserter(all));
  }
  for (const Natural& a : all) {
    for (const Natural& b : all) {
      EXPECT_TRUE(a + b == gmp_sum(a, b));
      mpz_t x;
      mpz_t y;
      EXPECT_EQ(a <=> b, mpz_cmp(read_by_gmp(a, x), read_by_gmp(b, y)) <=> 0);
    }
  }
}

TEST(NaturalProperties, ProductsDistributeOverSums) {
  const std::size_t bits = under_sanitizer ? 100'000 : 2'000'000;
  for (const Natural& a : hardest_of(bits)) {
    for (const Natural& b : hardest_of(bits - 4'321)) {
      // (a + b)^2 + 0 = a^2 + 2 a b + b^2, by three ways through the transforms.
      const Natural product = a * b;
      ASSERT_TRUE((a + b).squared() == a.squared() + product + product + b.squared());
    }
  }
}

TEST(NaturalProperties, FactorsFillTheProductOfThePrimesAndNoMore) {
  GmpNumber primes;
  mpz_set_ui(primes.get(), 1);
  for (const TransformPrime& prime : transform_primes) mpz_mul_ui(primes.get(), primes.get(), prime.value());
  const auto fits = [&](std::uint64_t count, std::uint64_t base) {
    GmpNumber largest;
    mpz_set_ui(largest.get(), base - 1);
    mpz_mul_ui(largest.get(), largest.get(), base - 1);
    mpz_mul_ui(largest.get(), largest.get(), count);
    return mpz_cmp(largest.get(), primes.get()) < 0;
  };
  std::vector<Radix> radices;
  for (unsigned bits = least_digit_bits; bits <= most_digit_bits; ++bits) radices.push_back(Radix::binary(bits));
  for (unsigned p = least_digit_places; p <= most_digit_places; ++p) radices.push_back(Radix::decimal(p));
  for (const Radix& radix : radices) {
    const std::size_t longest = longest_factor(radix);
    EXPECT_TRUE(fits(longest, radix.base)) << radix.base;
    // Within a 2^-48th of the longest there is.
    EXPECT_FALSE(fits(longest + longest / (std::uint64_t{1} << 48U) + 2, radix.base)) << radix.base;
    // The radix changes with the first bit, or place, that is too much.
    if (radix.bits != 0) {
      const double most = static_cast<double>(longest) * radix.bits;
      EXPECT_EQ(binary_radix_for(most), radix);
      if (radix.bits > least_digit_bits) {
        EXPECT_EQ(binary_radix_for(most + 1), Radix::binary(radix.bits - 1));
      }
    } else {
      const double most = static_cast<double>(longest) * radix.places;
      EXPECT_EQ(decimal_radix_for(most), radix);
      if (radix.places > least_digit_places) {
        EXPECT_EQ(decimal_radix_for(most + 1), Radix::decimal(radix.places - 1));
      }
    }
  }
}

}  // namespace
}  // namespace duet
