#include "drivers/bench/fibonacci_contests.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "drivers/statistics/medians.hpp"
#include "drivers/statistics/task_granularity.hpp"
#include "drivers/statistics/text.hpp"
#include "kernels/arithmetic/fast_doubling.hpp"
#include "kernels/divide_and_conquer/fib_tree/tree.hpp"
#include "kernels/registry.hpp"

namespace duet {
namespace {

class FibonacciContests {
 public:
  FibonacciContests(const Lineup& lineup, const BenchOptions& options) : lineup_{lineup}, options_{options} {}

  /// Large enough that the triad is bound by memory: 0.5 GB.
  static constexpr const char* triad_grid = "4096x8192";

  /// The n of trees whose tasks are counted singly: half a million of them, and 1.5 ms of calls.
  static constexpr std::int64_t tree_n = 28;

  [[nodiscard]] Contest fib_batch() const {
    std::vector<Contestant> contestants;
    for (const Model model : {Model::serial, Model::openmp, Model::tbb, Model::mpi}) {
      contestants.push_back(lineup_.variant("fib_batch", model, options_.fib_batch_size));
    }
    contestants.push_back(lineup_.peer("gmp-loop", Contestant::Role::peer, options_.fib_batch_size, 1, {}));
    contestants.push_back(lineup_.peer("gmp-openmp", Contestant::Role::peer, options_.fib_batch_size, lineup_.workers(),
                                       {"OMP_PLACES=cores", "OMP_PROC_BIND=close"}));
    return {fmt::format("fib_batch, {} exact numbers, {} workers", options_.fib_batch_size, lineup_.workers()),
            std::move(contestants), lineup_.folder(), 2};
  }

  /// Every model and the serial one, which is what efficiencies are measured from.
  [[nodiscard]] Contest uneven_numbers(const std::string& title, const std::string& size,
                                       const Parameters& parameters) const {
    std::vector<Contestant> contestants;
    for (const Model model : {Model::serial, Model::openmp, Model::tbb, Model::mpi}) {
      contestants.push_back(lineup_.variant("fib_batch", model, size, Tunables{}, parameters));
    }
    contestants.push_back(
        lineup_.variant("fib_batch", Model::openmp, size, Tunables{{"schedule", "dynamic"}}, parameters));
    return {fmt::format("fib_batch, {}, {} workers", title, lineup_.workers()), std::move(contestants),
            lineup_.folder(), 17};
  }

  /// One number takes three times as long as the 63 others together.
  [[nodiscard]] Contest batch_with_a_giant() const {
    return uneven_numbers("F(2 10^7) and 63 numbers to F(3 10^5)", "64",
                          {{"inputs", "giants"}, {"largest", "20000000"}});
  }
  [[nodiscard]] Contest skewed_numbers() const {
    return uneven_numbers("1024 numbers log-uniform to F(10^6)", "1024",
                          {{"inputs", "log_uniform"}, {"largest", "1000000"}});
  }

  /// Residues modulo the largest primes below 2^50 and 2^63, on one thread.
  [[nodiscard]] Contest fib_batch_modulo(const std::string& modulus) const {
    const std::string& size = options_.fib_modulo_size;
    const Parameters parameters{{"inputs", "uniform"}, {"largest", "9223372036854775807"}, {"modulus", modulus}};
    std::vector<Contestant> contestants{lineup_.variant("fib_batch", Model::serial, size, Tunables{}, parameters)};
    for (const char* const name : {"doubling-remainder", "doubling-montgomery"}) {
      contestants.push_back(lineup_.peer(name, Contestant::Role::peer, size, 1, {}, parameters));
    }
    return {fmt::format("fib_batch, {} residues modulo {}, 1 thread", size, modulus), std::move(contestants),
            lineup_.folder(), 9};
  }

  /// One number by every model, and by GMP, which has no threads.
  [[nodiscard]] Contest fib_number(const std::string& size) const {
    std::vector<Contestant> contestants;
    for (const Model model : {Model::serial, Model::openmp, Model::tbb, Model::mpi}) {
      contestants.push_back(lineup_.variant("fib_number", model, size));
    }
    for (const Workers& split : {Workers{lineup_.workers(), 1}, Workers{1, lineup_.workers()}}) {
      contestants.push_back(lineup_.variant("fib_number", Model::hybrid, size, split));
      contestants.back().name += fmt::format(" {}x{}", split.ranks, split.threads);
    }
    contestants.push_back(lineup_.peer("number-fib-gmp", Contestant::Role::peer, size, 1, {}));
    contestants.push_back(lineup_.peer("fma-peak", Contestant::Role::yardstick, "0", lineup_.workers(), {}));
    contestants.push_back(lineup_.peer("triad", Contestant::Role::yardstick, triad_grid, lineup_.workers(),
                                       {"OMP_PLACES=cores", "OMP_PROC_BIND=close"}));
    return {fmt::format("F({}), {} workers", size, lineup_.workers()), std::move(contestants), lineup_.folder(), 13};
  }

  /// What the transforms reach of the processor's multiply-adds and of memory's bandwidth.
  static std::string number_figures(const Contest& contest, const std::string& size) {
    const std::vector<Showing>& showings = contest.showings();
    const Showing& peak = showings[showings.size() - 2];
    const Showing& triad = showings.back();
    const double workers = triad.contestant.workers;
    const Instance grid = problem_called("stencil").pose(triad_grid, 1, {});
    const double points = static_cast<double>(grid.extents[0]) * static_cast<double>(grid.extents[1]);
    const double bandwidth = 16 * points * static_cast<double>(grid.parameters.whole("sweeps")) / median(triad.seconds);
    const double multiply_adds = peak.operations / median(peak.seconds) / 2;
    const auto n = static_cast<std::uint64_t>(problem_called("fib_number").pose(size, 1, {}).extents[0]);
    const DoublingWork work = doubling_work(n, binary_radix_for_index(n));
    std::string text;
    for (const Showing& showing : showings) {
      if (showing.contestant.role != Contestant::Role::variant) continue;
      const double seconds = median(showing.seconds);
      text += fmt::format(
          "  {:<12} {} of the peak of multiply-adds, {} of the bandwidth of the triad\n", showing.contestant.name,
          share_text(work.multiply_adds / seconds / multiply_adds * workers / showing.contestant.workers),
          share_text(work.bytes / seconds / bandwidth));
    }
    return text + fmt::format(
                      "  The transforms take {:.3g} multiply-adds and move {}. Beside the three multiply-adds\n"
                      "  of a product modulo a prime stand a sum, a difference and what keeps them in range,\n"
                      "  which share the same two ports: of the peak, about three quarters can be had.\n",
                      work.multiply_adds, bytes_text(work.bytes));
  }

  /// The first in its process: pages, tables and teams are not there yet.
  [[nodiscard]] Contest cold_fib_number(const std::string& size) const {
    std::vector<Contestant> contestants;
    for (const Model model : {Model::serial, Model::openmp, Model::tbb}) {
      contestants.push_back(lineup_.variant("fib_number", model, size));
    }
    contestants.push_back(lineup_.peer("number-fib-gmp", Contestant::Role::peer, size, 1, {}));
    for (Contestant& contestant : contestants) contestant.cold = true;
    return {fmt::format("F({}), the first in a process, {} workers", size, lineup_.workers()), std::move(contestants),
            lineup_.folder(), 14};
  }

  /// A call of the library that is no variant, by one thread and by all, and GMP's.
  [[nodiscard]] std::vector<Contestant> calls_of_numbers(const std::string& question, const std::string& size) const {
    std::vector<Contestant> contestants;
    for (const std::string who : {"serial", "openmp", "tbb", "gmp"}) {
      const auto role = who == "gmp" ? Contestant::Role::peer : Contestant::Role::variant;
      const int workers = who == "openmp" || who == "tbb" ? lineup_.workers() : 1;
      std::vector<std::string> environment;
      if (who == "openmp") environment = {"OMP_PLACES=cores", "OMP_PROC_BIND=close"};
      contestants.push_back(lineup_.peer(fmt::format("number-{}-{}", question, who), role, size, workers, environment));
    }
    return contestants;
  }

  /// From nothing to the text.
  [[nodiscard]] Contest fib_number_in_decimal(const std::string& size) const {
    return {fmt::format("the decimal digits of F({}), {} workers", size, lineup_.workers()),
            calls_of_numbers("text", size), lineup_.folder(), 15};
  }

  [[nodiscard]] Contest product(const std::string& question) const {
    return {fmt::format("a {} of {} bits, {} workers", question, options_.product_bits, lineup_.workers()),
            calls_of_numbers(question, options_.product_bits), lineup_.folder(), 16};
  }

  /// What a runtime's loops take, of which there is one way to start them for threads and one for ranks.
  [[nodiscard]] Contestant tree_peer(const std::string& name, const std::string& size) const {
    Contestant contestant = lineup_.peer(name, Contestant::Role::peer, size, lineup_.workers(),
                                         {"OMP_PLACES=cores", "OMP_PROC_BIND=close"});
    if (name.ends_with("-tbb")) contestant = lineup_.peer(name, Contestant::Role::peer, size, lineup_.workers(), {});
    if (!name.ends_with("-mpi")) return contestant;
    return lineup_.on_ranks(std::move(contestant));
  }

  /// Where every call is a task or spawns one, against a bare loop of as many.
  [[nodiscard]] Contest tree_without_cutoff(Model model, const std::string& join) const {
    const std::string size = std::to_string(tree_n);
    Tunables tunables{{"cutoff", "1"}};
    if (model == Model::mpi) {
      tunables["distribution"] = "counter";
    } else {
      tunables["join"] = join;
    }
    const std::string loop = model == Model::mpi ? "message" : join == "call" ? "join" : "spawn";
    std::vector<Contestant> contestants{lineup_.variant("fib_tree", model, size, tunables)};
    contestants.push_back(tree_peer(fmt::format("tree-{}-{}", loop, name_of(model)), size));
    contestants.push_back(tree_peer("tree-ideal", size));
    contestants.back().role = Contestant::Role::ceiling;
    return {fmt::format("fib_tree of {} without a cut-off, {} tasks, {} workers", size, tasks_of_tree(tree_n, 1),
                        lineup_.workers()),
            std::move(contestants), lineup_.folder(), 9};
  }

  /// What a task takes of a worker's time beside the calls of the recursion, and the same of the loop.
  static std::string tree_price(const Contest& contest) {
    const std::vector<Showing>& showings = contest.showings();
    const auto for_each_task = [&](double seconds) {
      return seconds * showings.front().contestant.workers / static_cast<double>(tasks_of_tree(tree_n, 1));
    };
    const double tree = for_each_task(median(showings[0].seconds) - median(showings[2].seconds));
    const double loop = for_each_task(median(showings[1].seconds));
    return fmt::format("  a task costs {} beside its calls, {:.2f} of the {} in the loop\n", seconds_text(tree),
                       tree / loop, seconds_text(loop));
  }

  /// The ideal beside one cut-off after the other, and the one that is chosen.
  [[nodiscard]] Contest tree_curve(Model model) const {
    const std::string size = std::to_string(tree_n);
    std::vector<Contestant> contestants;
    const int threads = model == Model::openmp || model == Model::tbb ? lineup_.workers()
                        : model == Model::hybrid                      ? std::max(lineup_.workers() / 2, 1)
                                                                      : 1;
    const Workers workers{.ranks = passes_messages(model) ? lineup_.workers() / threads : 1, .threads = threads};
    for (std::int64_t cutoff = 1; cutoff <= 23; cutoff += 2) {
      contestants.push_back(lineup_.variant("fib_tree", model, size, workers, {{"cutoff", std::to_string(cutoff)}}));
    }
    contestants.push_back(lineup_.variant("fib_tree", model, size, workers));
    contestants.push_back(tree_peer("tree-ideal", size));
    return {
        fmt::format("fib_tree of {} at every other cut-off, {}, {} workers", size, name_of(model), lineup_.workers()),
        std::move(contestants), lineup_.folder(), 10};
  }

  /// What the curve says of the model.
  static std::string tree_figures(const Contest& contest) {
    const std::vector<Showing>& showings = contest.showings();
    const double workers = showings.front().contestant.workers;
    const double work = workers * median(showings.back().seconds);
    std::vector<Granularity> curve;
    std::int64_t cutoff = 1;
    for (auto showing = showings.begin(); showing + 2 != showings.end(); ++showing, cutoff += 2) {
      const double all = workers * median(showing->seconds);
      curve.push_back({all / static_cast<double>(tasks_of_tree(tree_n, cutoff)), work / all});
    }
    const double task = curve.front().task_seconds * (1 - curve.front().efficiency);
    std::string text = fmt::format("  {:>8}  {:>12}  {:>11}\n", "cut-off", "worker's time", "efficiency");
    cutoff = 1;
    for (const Granularity& point : curve) {
      text += fmt::format("  {:>8}  {:>13}  {:>11.3f}\n", cutoff, seconds_text(point.task_seconds), point.efficiency);
      cutoff += 2;
    }
    return text + fmt::format("  a task costs {} of a worker's time; METG(50 %) {}\n", seconds_text(task),
                              seconds_text(minimum_effective_granularity(curve, 0.5)));
  }
  /// How long it takes until a task that one worker offers is done by another one.
  [[nodiscard]] Contest tree_steals() const {
    std::vector<Contestant> contestants;
    for (const char* const name : {"tree-steal-openmp", "tree-steal-tbb", "tree-steal-mpi"}) {
      contestants.push_back(tree_peer(name, "20"));
    }
    return {fmt::format("a task taken by another worker, {} times", tasks_of_tree(20, 1)), std::move(contestants),
            lineup_.folder(), 11};
  }

  /// With the cut-off that is chosen, against the even division of the plain recursion.
  [[nodiscard]] Contest tree_with_cutoff() const {
    std::vector<Contestant> contestants;
    for (const Model model : {Model::openmp, Model::tbb, Model::mpi}) {
      contestants.push_back(lineup_.variant("fib_tree", model, options_.fib_tree_size));
    }
    contestants.push_back(lineup_.variant("fib_tree", Model::hybrid, options_.fib_tree_size,
                                          Workers{.ranks = 1, .threads = lineup_.workers()}));
    contestants.push_back(tree_peer("tree-ideal", options_.fib_tree_size));
    return {fmt::format("fib_tree of {}, cut-off chosen, {} workers", options_.fib_tree_size, lineup_.workers()),
            std::move(contestants), lineup_.folder(), 12};
  }

  /// A million numbers of up to 209 digits, in every model.
  static constexpr std::int64_t streamed_count = 1'000'000;
  [[nodiscard]] Contest small_numbers_in_a_stream() const {
    std::vector<Contestant> contestants;
    for (const Model model : {Model::serial, Model::openmp, Model::tbb, Model::mpi}) {
      contestants.push_back(lineup_.variant("fib_stream", model, std::to_string(streamed_count), Tunables{},
                                            {{"largest", "1000"}, {"inputs", "uniform"}}));
    }
    return {fmt::format("fib_stream, {} numbers uniform to F(1000), {} workers", streamed_count, lineup_.workers()),
            std::move(contestants), lineup_.folder(), 18};
  }

  static std::string numbers_a_second(const Contest& contest) {
    std::string text;
    for (const Showing& showing : contest.showings()) {
      text += fmt::format("  {:<27} {}\n", showing.contestant.name,
                          rate_text(static_cast<double>(streamed_count) / median(showing.seconds), "items"));
    }
    return text;
  }

  /// 200 requests whose answers take 50 ms each, of which `permits` are waited for at once.
  static constexpr int waits = 200;
  static constexpr double wait_seconds = 50e-3;
  [[nodiscard]] Contest waits_in_a_stream(int permits) const {
    std::vector<Contestant> contestants;
    const Parameters parameters{{"work", "wait"}};
    for (const Model model : {Model::openmp, Model::tbb, Model::mpi, Model::hybrid}) {
      for (const std::string waiting : {"threads", "asynchronous"}) {
        const Tunables tunables{{"waiting", waiting}, {"readers", std::to_string(permits)}};
        contestants.push_back(lineup_.variant("fib_stream", model, std::to_string(waits), tunables, parameters));
      }
    }
    return {fmt::format("fib_stream, {} waits of 50 ms with {} permits, {} workers", waits, permits, lineup_.workers()),
            std::move(contestants), lineup_.folder(), 19};
  }

  static std::string over_the_least_wait(const Contest& contest, int permits) {
    const double least = wait_seconds * ((waits + permits - 1) / permits);
    std::string text;
    for (const Showing& showing : contest.showings()) {
      text += fmt::format("  {:<27} {:.3f} of the {} that the waits take\n", showing.contestant.name,
                          median(showing.seconds) / least, seconds_text(least));
    }
    return text;
  }

 private:
  const Lineup& lineup_;
  const BenchOptions& options_;
};

}  // namespace

void list_fibonacci_contests(const Lineup& lineup, const BenchOptions& options, const AddContest& add) {
  const auto contests = std::make_shared<const FibonacciContests>(lineup, options);
  add("peer/fib_batch/" + options.fib_batch_size, [contests] { return contests->fib_batch(); });
  add(
      "peer/fib_batch/giant", [contests] { return contests->batch_with_a_giant(); }, shares_of_even_division);
  add(
      "peer/fib_batch/skewed", [contests] { return contests->skewed_numbers(); }, shares_of_even_division);
  for (const char* const modulus : {"1125899906842597", "9223372036854775783"}) {
    add(fmt::format("peer/fib_batch/modulo/{}", modulus),
        [contests, modulus] { return contests->fib_batch_modulo(modulus); });
  }
  for (const std::string& size : options.fib_number_sizes) {
    add(
        "peer/fib_number/" + size, [contests, size] { return contests->fib_number(size); },
        [size](const Contest& contest) { return FibonacciContests::number_figures(contest, size); });
    add("peer/fib_number/decimal/" + size, [contests, size] { return contests->fib_number_in_decimal(size); });
  }
  const std::string& coldest = options.fib_number_sizes.back();
  add("peer/fib_number/cold/" + coldest, [contests, coldest] { return contests->cold_fib_number(coldest); });
  for (const char* const question : {"product", "square"}) {
    add(fmt::format("peer/natural/{}/{}", question, options.product_bits),
        [contests, question] { return contests->product(question); });
  }
  for (const Model model : {Model::openmp, Model::tbb, Model::mpi, Model::hybrid}) {
    const std::string name{name_of(model)};
    if (model != Model::hybrid) {
      add(
          "peer/fib_tree/spawn/" + name, [contests, model] { return contests->tree_without_cutoff(model, "end"); },
          &FibonacciContests::tree_price);
    }
    if (model == Model::openmp || model == Model::tbb) {
      add(
          "peer/fib_tree/join/" + name, [contests, model] { return contests->tree_without_cutoff(model, "call"); },
          &FibonacciContests::tree_price);
    }
    add(
        "peer/fib_tree/curve/" + name, [contests, model] { return contests->tree_curve(model); },
        &FibonacciContests::tree_figures);
  }
  add(
      "peer/fib_stream/small", [contests] { return contests->small_numbers_in_a_stream(); },
      &FibonacciContests::numbers_a_second);
  for (const int permits : {20, 200}) {
    add(
        fmt::format("peer/fib_stream/waits/{}", permits),
        [contests, permits] { return contests->waits_in_a_stream(permits); },
        [permits](const Contest& contest) { return FibonacciContests::over_the_least_wait(contest, permits); });
  }
  add("peer/fib_tree/steal", [contests] { return contests->tree_steals(); });
  add("peer/fib_tree/" + options.fib_tree_size, [contests] { return contests->tree_with_cutoff(); });
}

}  // namespace duet
