#include "kernels/arithmetic/transform/twiddles.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <memory>
#include <mutex>
#include <vector>

#include "kernels/arithmetic/transform/path.hpp"
#include "kernels/arithmetic/transform/prime.hpp"
#include "kernels/arithmetic/transform/words.hpp"

namespace duet {
namespace {

constexpr std::size_t least_entries = 64;

/// One prime's table. Longer ones take the place of shorter ones, which are kept for those who still read them: all
/// together they are no longer than the longest.
class Table {
 public:
  std::span<const std::uint64_t> at_least(std::size_t count, const TransformPrime& prime) {
    const Words* table = newest_.load(std::memory_order_acquire);
    if (table == nullptr || table->size() < count) table = grown(count, prime);
    return {table->data(), table->size()};
  }

 private:
  const Words* grown(std::size_t count, const TransformPrime& prime) {
    const std::scoped_lock lock{growing_};
    const Words* const before = newest_.load(std::memory_order_acquire);
    if (before != nullptr && before->size() >= count) return before;
    auto table = std::make_unique<Words>(std::max(least_entries, std::bit_ceil(count)));
    std::uint64_t* const t = table->data();
    std::size_t have = 1;
    t[0] = prime.factor(1);
    if (before != nullptr) {
      have = before->size();
      std::copy_n(before->data(), have, t);
    }
    // t(j + 2^k) = t(j) theta(2^(k+1)) for j < 2^k, and theta(2^(k+1)) has the angle 1 / 2^(k+2).
    for (; have < table->size(); have *= 2) {
      const auto level = static_cast<unsigned>(std::countr_zero(have)) + 2;
      const std::uint64_t turn = prime.power(prime.root(), std::uint64_t{1} << (root_bits - level));
      if (have >= shortest_twist) {
        fastest_path().twist(prime, {t, have}, prime.factor(turn), t + have);
      } else {
        for (std::size_t j = 0; j < have; ++j) t[have + j] = prime.product(t[j], turn);
      }
    }
    newest_.store(table.get(), std::memory_order_release);
    all_.push_back(std::move(table));
    return all_.back().get();
  }

  std::atomic<const Words*> newest_ = nullptr;
  std::mutex growing_;
  std::vector<std::unique_ptr<Words>> all_;
};

}  // namespace

std::span<const std::uint64_t> twiddles(std::size_t prime, std::size_t count) {
  static std::array<Table, transform_primes_count> tables;
  return tables.at(prime).at_least(count, transform_primes.at(prime));
}

}  // namespace duet
