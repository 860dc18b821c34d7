#include <xxhash.h>

#include <algorithm>
#include <array>

#include "kernels/core/digest.hpp"
#include "kernels/data_decomposition/fib_number/fib_number.hpp"

namespace duet {

std::uint64_t hash_of_digits(std::span<const std::uint64_t> digits, std::size_t place, std::size_t end) {
  std::uint64_t sum = 0;
  std::array<std::uint64_t, columns_in_strip> block{};
  for (; !digits.empty() && place < end; place += block.size()) {
    const std::size_t count = std::min({block.size(), digits.size(), end - place});
    std::fill(std::ranges::copy(digits.first(count), block.begin()).out, block.end(), 0);
    sum += XXH3_64bits_withSeed(block.data(), sizeof(block), place);
    digits = digits.subspan(std::min(block.size(), digits.size()));
  }
  return sum;
}

std::string digest_of_fib_number(const SlicedNumber& answer, MPI_Comm communicator) {
  std::uint64_t sum = 0;
  for (std::size_t r = 0; r < answer.shape.rows; ++r) {
    sum += hash_of_digits(answer.row(r), answer.place_of(r), answer.digits);
  }
  return digest_text(summed(sum, communicator));
}

}  // namespace duet
