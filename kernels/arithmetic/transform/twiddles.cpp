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

namespace {

/// The residue t(j).
std::uint64_t residue_at(const TransformPrime& prime, std::size_t j) {
  // theta(2 j): bit b of the index turns by 2^-(b + 1).
  std::uint64_t turns = 0;
  for (unsigned bit = 0; 2 * j >> bit != 0; ++bit) turns |= (2 * j >> bit & 1U) << (root_bits - 1 - bit);
  return prime.power(prime.root(), turns);
}

/// Levels 0 to `last` below a node, whose factors are those of the common table times factors[level].
void write_levels(const Line& line, const TransformPath& path, unsigned last,
                  const std::array<std::uint64_t, root_bits>& factors, std::uint64_t* to) {
  const TransformPrime& prime = transform_primes[line.prime];
  for (unsigned level = 0; level <= last; ++level) {
    const std::size_t nodes = std::size_t{1} << level;
    const std::uint64_t factor = entry(prime, factors[level], path.factors);
    if (nodes >= shortest_twist) {
      path.twist(prime, {line.twiddles, nodes}, factor, to + nodes);
    } else {
      alignas(64) std::array<std::uint64_t, shortest_twist> eight{};
      path.twist(prime, {line.twiddles, eight.size()}, factor, eight.data());
      std::copy_n(eight.begin(), nodes, to + nodes);
    }
  }
}

}  // namespace

Line NodeTwiddles::below(const Line& line, const TransformPath& path, std::size_t node, std::size_t length) {
  const TransformPrime& prime = transform_primes[line.prime];
  const auto last = static_cast<unsigned>(std::countr_zero(length / 8));
  make_room(forward_, length / 4);
  make_room(inverse_, length / 4);
  // The lowest level's factor is a power of the root; each is the square of that below.
  const auto factors_of = [&](std::size_t of) {
    std::array<std::uint64_t, root_bits> factors{};
    factors[last] = residue_at(prime, of << last);
    for (unsigned level = last; level-- > 0;) factors[level] = prime.product(factors[level + 1], factors[level + 1]);
    return factors;
  };
  write_levels(line, path, last, factors_of(node), forward_.data());
  if (node != 0) {
    write_levels(line, path, last, factors_of(mirrored(node)), inverse_.data());
  } else {
    std::array<std::uint64_t, root_bits> factors{prime.value() - 1};
    for (unsigned level = 1; level <= last; ++level) factors[level] = residue_at(prime, std::size_t{1} << (level - 1));
    write_levels(line, path, last, factors, inverse_.data());
  }
  return {line.prime, forward_.data(), inverse_.data(), length / 4};
}

Line line_of(std::size_t prime, std::size_t count, const TransformPath& path) {
  const std::span<const std::uint64_t> table = twiddles(prime, count, path);
  return {prime, table.data(), table.data(), table.size()};
}

std::span<const std::uint64_t> twiddles(std::size_t prime, std::size_t count, const TransformPath& path) {
  static std::array<std::array<Table, transform_primes_count>, 2> tables;
  return tables.at(path.factors == FactorForm::montgomery ? 0 : 1)
      .at(prime)
      .at_least(count, transform_primes.at(prime), path);
}

}  // namespace duet
