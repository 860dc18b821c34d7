// Exact numbers outside the harness: GMP's, and those calls of the library that are no variant of a problem.

#include <fmt/format.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "drivers/bench/peer.hpp"
#include "kernels/arithmetic/fast_doubling.hpp"
#include "kernels/arithmetic/gmp_number.hpp"
#include "kernels/arithmetic/natural.hpp"
#include "kernels/arithmetic/primes.hpp"
#include "kernels/arithmetic/teams.hpp"
#include "kernels/arithmetic/transform/path.hpp"
#include "kernels/core/random.hpp"
#include "kernels/core/tbb_team.hpp"
#include "kernels/data_decomposition/fib_number/fib_number.hpp"
#include "kernels/registry.hpp"

namespace duet {
namespace {

constexpr std::uint64_t number_seed = 1;

/// The threads that the library's calls are shared by.
class NumberTeam {
 public:
  NumberTeam(const std::string& who, int threads) : execution_{.threads = threads} {
    if (who == "serial") {
      execution_.threads = 1;
      team_ = serial_team();
    } else if (who == "openmp") {
      team_ = openmp_team(execution_);
    } else if (who == "tbb") {
      workers_ = std::make_unique<TbbTeam>(execution_);
      team_ = tbb_team(execution_, *workers_);
    } else {
      throw std::invalid_argument(fmt::format("numbers are not computed by '{}'", who));
    }
  }
  NumberTeam(const NumberTeam&) = delete;
  NumberTeam& operator=(const NumberTeam&) = delete;

  [[nodiscard]] const TransformTeam& team() const { return team_; }
  [[nodiscard]] int workers() const { return execution_.threads; }

 private:
  Execution execution_;
  std::unique_ptr<TbbTeam> workers_;
  TransformTeam team_;
};

Judgement judge_digits(const FibNumber& asked, std::span<const std::uint64_t> digits, const Radix& radix) {
  while (!digits.empty() && digits.back() == 0) digits = digits.first(digits.size() - 1);
  DigitNumber number{Words{digits.size()}, digits.size(), radix};
  std::ranges::copy(digits, number.words.data());
  return judge_fib_number(asked, in_order(std::move(number)), number_seed, MPI_COMM_NULL);
}

Judgement judge_limbs(const FibNumber& asked, std::span<const std::uint64_t> limbs) {
  const Radix radix = asked.radix();
  std::vector<std::uint64_t> digits(digits_of_limbs(limbs.size(), radix));
  unpack_limbs(limbs, radix, digits);
  return judge_digits(asked, digits, radix);
}

Judgement judge_text(const FibNumber& asked, const std::string& text) {
  const Radix radix = asked.radix();
  return judge_digits(asked, digits_of_decimal(text, radix), radix);
}

Trial trial_of(const PeerOptions& options, const std::string& who, int threads, const std::string& unit,
               double operations) {
  Trial trial;
  trial.cell = {.problem = "fib_number", .model = Model::openmp, .size = options.size, .threads = threads};
  trial.unit = unit;
  trial.operations = operations;
  trial.facts["code_path"] =
      who == "gmp" ? "GMP " + std::string{gmp_version} : "transforms, " + std::string{fastest_path().name};
  return trial;
}

/// GMP's F(n), and with its decimals.
void run_fibonacci(const PeerOptions& options, const std::string& who, bool text) {
  const Problem& problem = problem_called("fib_number");
  const Instance instance = problem.pose(options.size, number_seed, {});
  const FibNumber asked{.n = static_cast<std::uint64_t>(instance.extents[0]), .decimal = text};
  const Work work = problem.work(instance);
  std::string digits;
  const auto forget = [&] { digits = std::string{}; };
  const auto judge = [&] { return judge_text(asked, digits); };
  if (who == "gmp") {
    GmpNumber number;
    const Trial trial = trial_of(options, who, 1, work.unit, work.operations);
    if (!text) {
      time_and_judge(
          options, trial, [] {}, [&] { mpz_fib_ui(number.get(), asked.n); },
          [&] { return judge_limbs(asked, number.limbs()); });
      return;
    }
    time_and_judge(
        options, trial, forget,
        [&] {
          mpz_fib_ui(number.get(), asked.n);
          digits = decimal_by_gmp(number.limbs());
        },
        judge);
    return;
  }
  const NumberTeam workers{who, options.threads};
  const Trial trial = trial_of(options, who, workers.workers(), work.unit, work.operations);
  time_and_judge(
      options, trial, forget, [&] { digits = fibonacci_decimal(asked.n, workers.team()); }, judge);
}

/// So many random bits, the highest of them set.
Natural random_natural(std::int64_t bits, std::uint32_t stream) {
  std::vector<std::uint64_t> limbs(static_cast<std::size_t>((bits + 63) / 64));
  fill_random_bits(limbs, number_seed, stream, 0);
  const auto unused = static_cast<unsigned>(std::ssize(limbs) * 64 - bits);
  limbs.back() = (limbs.back() | std::uint64_t{1} << 63U) >> unused;
  return Natural{std::move(limbs)};
}

Judgement judge_product(const Natural& a, const Natural& b, const Natural& product) {
  for (const std::uint64_t draw : {0U, 1U}) {
    const std::uint64_t p = random_prime(number_seed, draw);
    const std::uint64_t right = product_modulo(a.modulo(p), b.modulo(p), p);
    if (product.modulo(p) != right) {
      return {.right = false, .explanation = fmt::format("{} modulo {}; {} is right", product.modulo(p), p, right)};
    }
  }
  return {.right = true};
}

/// One product, or square, of numbers with as many bits as `size` says.
void run_product(const PeerOptions& options, const std::string& who, bool square) {
  const std::int64_t bits = whole_number("bits of the factors", options.size, 1, std::int64_t{1} << 36);
  const Natural a = random_natural(bits, 0);
  const Natural b = square ? a : random_natural(bits, 1);
  const auto operations = static_cast<double>(bits);
  if (who == "gmp") {
    const auto taken_in = [](GmpNumber& number, const Natural& from) {
      mpz_import(number.get(), from.limbs().size(), -1, sizeof(std::uint64_t), 0, 0, from.limbs().data());
    };
    GmpNumber first;
    GmpNumber second;
    GmpNumber product;
    taken_in(first, a);
    taken_in(second, b);
    time_and_judge(
        options, trial_of(options, who, 1, "bit", operations), [] {},
        [&] { mpz_mul(product.get(), first.get(), square ? first.get() : second.get()); },
        [&] {
          return judge_product(a, b, Natural{{product.limbs().begin(), product.limbs().end()}});
        });
    return;
  }
  const NumberTeam workers{who, options.threads};
  Natural product;
  time_and_judge(
      options, trial_of(options, who, workers.workers(), "bit", operations), [&] { product = {}; },
      [&] { product = square ? a.squared(workers.team()) : a.times(b, workers.team()); },
      [&] { return judge_product(a, b, product); });
}

}  // namespace

void run_number_peer(const PeerOptions& options) {
  const std::size_t dash = options.name.rfind('-');
  const std::string question = options.name.substr(0, dash);
  const std::string who = options.name.substr(dash + 1);
  if (question == "number-fib" && who == "gmp") {
    run_fibonacci(options, who, false);
  } else if (question == "number-text") {
    run_fibonacci(options, who, true);
  } else if (question == "number-product" || question == "number-square") {
    run_product(options, who, question == "number-square");
  } else {
    throw std::invalid_argument(fmt::format("no peer is called '{}'", options.name));
  }
}

}  // namespace duet
