#pragma once

/// What a batch is compared with: GMP's own Fibonacci numbers, with nothing of ours between.

#include <gmp.h>

#include <algorithm>
#include <cstdint>

#include "kernels/arithmetic/natural.hpp"

namespace duet {

class PlainFibonacci {
 public:
  explicit PlainFibonacci(std::uint64_t n) {
    mpz_init(number_);
    mpz_fib_ui(number_, n);
  }
  ~PlainFibonacci() { mpz_clear(number_); }
  PlainFibonacci(const PlainFibonacci&) = delete;
  PlainFibonacci& operator=(const PlainFibonacci&) = delete;

  [[nodiscard]] bool is(const Natural& answer) const {
    const mp_limb_t* const limbs = mpz_limbs_read(number_);
    return std::ranges::equal(answer.limbs(), std::span{limbs, mpz_size(number_)});
  }
  [[nodiscard]] bool is_modulo(std::uint64_t m, std::uint64_t residue) const {
    return mpz_fdiv_ui(number_, m) == residue;
  }

 private:
  mpz_t number_;
};

}  // namespace duet
