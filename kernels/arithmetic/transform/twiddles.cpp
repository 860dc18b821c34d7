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

std::uint64_t entry(const TransformPrime& prime, std::uint64_t residue, FactorForm form) {
  return form == FactorForm::montgomery ? prime.factor(residue) : std::bit_cast<std::uint64_t>(prime.centred(residue));
}
std::uint64_t residue(const TransformPrime& prime, std::uint64_t entry, FactorForm form) {
  if (form == FactorForm::montgomery) return prime.combined(entry, 1);
  const auto centred = static_cast<std::int64_t>(std::bit_cast<double>(entry));
  return centred < 0 ? prime.value() - static_cast<std::uint64_t>(-centred) : static_cast<std::uint64_t>(centred);
}

/// One prime's table. Longer ones take the place of shorter ones, which are kept for those who still read them: all
/// together they are no longer than the longest.
class Table {
 public:
  std::span<const std::uint64_t> at_least(std::size_t count, const TransformPrime& prime, const TransformPath& path) {
    const Words* table = newest_.load(std::memory_order_acquire);
    if (table == nullptr || table->size() < count) table = grown(count, prime, path);
    return {table->data(), table->size()};
  }

 private:
  const Words* grown(std::size_t count, const TransformPrime& prime, const TransformPath& path) {
    const std::scoped_lock lock{growing_};
    const Words* const before = newest_.load(std::memory_order_acquire);
    if (before != nullptr && before->size() >= count) return before;
    auto table = std::make_unique<Words>(std::max(least_entries, std::bit_ceil(count)));
    std::uint64_t* const t = table->data();
    std::size_t have = 1;
    t[0] = entry(prime, 1, path.factors);
    if (before != nullptr) {
      have = before->size();
      std::copy_n(before->data(), have, t);
    }
    // t(j + 2^k) = t(j) theta(2^(k+1)) for j < 2^k, and theta(2^(k+1)) has the angle 1 / 2^(k+2).
    for (; have < table->size(); have *= 2) {
      const auto level = static_cast<unsigned>(std::countr_zero(have)) + 2;
      const std::uint64_t turn = prime.power(prime.root(), std::uint64_t{1} << (root_bits - level));
      if (have >= shortest_twist) {
        path.twist(prime, {t, have}, entry(prime, turn, path.factors), t + have);
      } else {
        for (std::size_t j = 0; j < have; ++j) {
          t[have + j] = entry(prime, prime.product(residue(prime, t[j], path.factors), turn), path.factors);
        }
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

std::span<const std::uint64_t> twiddles(std::size_t prime, std::size_t count, const TransformPath& path) {
  static std::array<std::array<Table, transform_primes_count>, 2> tables;
  return tables.at(path.factors == FactorForm::montgomery ? 0 : 1)
      .at(prime)
      .at_least(count, transform_primes.at(prime), path);
}

}  // namespace duet
