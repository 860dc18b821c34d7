#pragma once

/// GMP's numbers, owned, and its decimals: for short numbers, where GMP is faster than transforms.

#include <gmp.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace duet {

static_assert(GMP_NUMB_BITS == 64 && sizeof(mp_limb_t) == sizeof(std::uint64_t), "GMP with limbs of 64 bits is needed");

class GmpNumber {
 public:
  GmpNumber() { mpz_init(number_); }
  ~GmpNumber() { mpz_clear(number_); }
  GmpNumber(GmpNumber&& other) noexcept : GmpNumber{} { mpz_swap(number_, other.number_); }
  GmpNumber& operator=(GmpNumber&& other) noexcept {
    mpz_swap(number_, other.number_);
    return *this;
  }

  [[nodiscard]] mpz_ptr get() { return number_; }
  [[nodiscard]] std::span<const std::uint64_t> limbs() const { return {mpz_limbs_read(number_), mpz_size(number_)}; }

 private:
  mpz_t number_;
};

/// The decimal digits, without leading zeros; "0" for 0.
[[nodiscard]] inline std::string decimal_by_gmp(std::span<const std::uint64_t> limbs) {
  mpz_t number;
  const mpz_srcptr read = mpz_roinit_n(number, limbs.data(), static_cast<mp_size_t>(limbs.size()));
  std::string digits(mpz_sizeinbase(read, 10) + 2, '\0');
  mpz_get_str(digits.data(), 10, read);
  digits.resize(digits.find('\0'));
  return digits;
}

/// And back, without zeros at the end. `text` consists of decimal digits.
[[nodiscard]] inline std::vector<std::uint64_t> limbs_of_decimal_by_gmp(std::string_view text) {
  std::vector<unsigned char> values(text.size());
  std::ranges::transform(text, values.begin(), [](char c) { return static_cast<unsigned char>(c - '0'); });
  // Nineteen places fit into a limb, and GMP writes one more.
  std::vector<std::uint64_t> limbs(text.size() / 19 + 2);
  if (!text.empty())
    limbs.resize(static_cast<std::size_t>(mpn_set_str(limbs.data(), values.data(), values.size(), 10)));
  while (!limbs.empty() && limbs.back() == 0) limbs.pop_back();
  return limbs;
}

}  // namespace duet
