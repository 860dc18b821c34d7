#include "kernels/data_decomposition/fib_number/fib_number.hpp"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "kernels/arithmetic/natural.hpp"
#include "kernels/arithmetic/transform/path.hpp"
#include "kernels/core/number_text.hpp"
#include "kernels/core/tbb_team.hpp"
#include "kernels/data_decomposition/fib_number/rank_doubling.hpp"

namespace duet {
namespace {

FibNumber asked_by(const Instance& instance) {
  return {.sequence = instance.parameters.text("sequence") == "lucas" ? Sequence::lucas : Sequence::fibonacci,
          .n = static_cast<std::uint64_t>(instance.extents.at(0)),
          .decimal = instance.parameters.text("radix") == "decimal"};
}

/// What a placed question owns.
struct Place {
  Place(const FibNumber& question, const Execution& with) : asked{question}, execution{with} {}

  FibNumber asked;
  Execution execution;
  SlicedNumber answer{};
  FibNumberSpace space{};
  std::unique_ptr<TbbTeam> team{};  ///< for tbb alone: kept, since the workers of a new arena come late
};

SlicedNumber solved(Model model, Place& place) {
  switch (model) {
    case Model::serial:
      return fib_number_serial(place.asked, place.execution, place.space);
    case Model::openmp:
      return fib_number_openmp(place.asked, place.execution, place.space);
    case Model::tbb:
      return fib_number_tbb(place.asked, place.execution, place.space, *place.team);
    case Model::mpi:
      return fib_number_mpi(place.asked, place.execution, place.space);
    case Model::hybrid:
      return fib_number_hybrid(place.asked, place.execution, place.space);
  }
  throw std::invalid_argument("no such model");
}

SlicedQuestion question_of(const FibNumber& asked) {
  return {.sequence = asked.sequence, .n = asked.n, .radix = asked.radix()};
}

std::string moved_text(const Moved& moved) {
  return number_text(static_cast<double>(moved.words)) + " words in " +
         number_text(static_cast<double>(moved.messages)) + " messages";
}

std::vector<std::pair<std::string, std::string>> plan_of(const Instance& instance, const Settings& /*tunables*/,
                                                         std::int64_t ranks) {
  const SlicedQuestion question = question_of(asked_by(instance));
  const auto count = static_cast<int>(ranks);
  const SlicedProduct last = last_product(question, count);
  if (last.operands == 0) return {{"shared", "nothing: every rank computes the number"}};
  const std::int64_t units = RankDivision::units_in(last.to);
  const auto strips = static_cast<std::int64_t>(last.to.row_length / columns_in_strip);
  // Shares differ by one: who receives most is one of those where they change.
  RankMoves most;
  for (const std::int64_t rank :
       {std::int64_t{0}, units % ranks - 1, units % ranks, strips % ranks - 1, strips % ranks, ranks - 1}) {
    if (rank < 0) continue;
    const RankMoves moves = rank_doubling_moves(question, count, static_cast<int>(rank));
    if (moves.whole().words > most.whole().words) most = moves;
  }
  const double bytes = rank_doubling_bytes(question, count, 0);
  const double answer = 8 * static_cast<double>(most_sequence_digits(question.n, question.radix));
  return {
      {"last transform",
       std::to_string(last.to.rows) + " rows of " + std::to_string(last.to.row_length) + " words, modulo three primes"},
      {"exchanged", last.division.sends_digits ? "digits to all ranks, then coefficients by columns"
                                               : "images by columns, then coefficients by columns"},
      {"a rank works off", std::to_string(last.units_of(0).size()) + " of " + std::to_string(units) + " rows; " +
                               std::to_string(std::max<std::int64_t>(0, ranks - units)) + " ranks none"},
      {"a rank keeps", std::to_string(width_of(last.columns_to(0))) + " of " + std::to_string(last.to.row_length) +
                           " columns; " + std::to_string(std::max<std::int64_t>(0, ranks - strips)) + " ranks none"},
      {"a rank receives", moved_text(most.whole())},
      {"for operands", moved_text(most.operands)},
      {"of results", moved_text(most.results)},
      {"for carries", moved_text(most.parities + most.carries + most.row_carries)},
      {"a rank holds", number_text(bytes / 0x1p20) + " MiB, " + number_text(bytes / answer) + "x the answer"},
  };
}

Placed place_for_harness(Model model, const Instance& instance, const Execution& execution) {
  auto place = std::make_shared<Place>(asked_by(instance), execution);
  if (!passes_messages(model)) place->execution.communicator = MPI_COMM_NULL;
  if (model == Model::tbb) place->team = std::make_unique<TbbTeam>(place->execution);
  const std::uint64_t seed = instance.seed;
  Placed bound;
  // The answer's memory is resident, as all else.
  bound.reset = [place, model] {
    Words words = std::exchange(place->answer, {}).words;
    if (passes_messages(model)) return place->space.on_ranks.give_back(std::move(words));
    place->space.here.spare.give(std::move(words));
  };
  bound.execute = [place, model] { place->answer = solved(model, *place); };
  bound.verify = [place, seed] {
    return judge_fib_number(place->asked, place->answer, seed, place->execution.communicator);
  };
  bound.digest = [place] { return digest_of_fib_number(place->answer, place->execution.communicator); };
  bound.facts["arithmetic"] = "transforms modulo three primes, " + std::string{fastest_path().name};
  bound.facts["radix"] = radix_text(place->asked.radix());
  return bound;
}

}  // namespace

Radix FibNumber::radix() const { return decimal ? decimal_radix_for_index(n) : binary_radix_for_index(n); }

SlicedNumber fib_number(const FibNumber& asked, Model model, const Execution& execution) {
  Place place{asked, execution};
  if (model == Model::tbb) place.team = std::make_unique<TbbTeam>(place.execution);
  return solved(model, place);
}

double fib_number_memory(const FibNumber& asked, Model model, int ranks, int threads) {
  constexpr double least = 1e6;
  if (!passes_messages(model)) return least + doubling_bytes(asked.n, asked.radix(), threads);
  // The first has the largest part.
  return least + ranks * rank_doubling_bytes(question_of(asked), ranks, 0, threads);
}

Problem fib_number_problem() {
  Problem problem;
  problem.name = "fib_number";
  problem.pattern = Pattern::data_decomposition;
  problem.workload = Workload::fibonacci;
  problem.summary = "one exact F(n) by transforms";
  problem.extent_names = {"n"};
  problem.seeded = false;
  problem.largest_extent = static_cast<std::int64_t>(largest_fibonacci_index);
  problem.parameters = {
      {.name = "sequence",
       .preset = "fibonacci",
       .meaning = "which numbers: F(n), or Lucas numbers L(n)",
       .choices = {"fibonacci", "lucas"}},
      {.name = "radix", .preset = "binary", .meaning = "the digits of the answer", .choices = {"binary", "decimal"}},
  };
  problem.sizes = {10'000, 100'000, 1'000'000, 10'000'000, 100'000'000};
  problem.work = [](const Instance& instance) {
    const double bytes = fibonacci_bytes(static_cast<std::uint64_t>(instance.extents.at(0)));
    constexpr double log10_two = 0.30102999566398119521;
    return Work{.operations = 8 * bytes * log10_two, .unit = "decimal digit", .compulsory_bytes = bytes};
  };
  problem.memory = [](const Instance& instance, Model model, int ranks, int threads) {
    return fib_number_memory(asked_by(instance), model, ranks, threads);
  };
  problem.plan = plan_of;
  problem.variants = variants_of_all_models([](Model) { return std::vector<Setting>{}; }, place_for_harness);
  return problem;
}

}  // namespace duet
