/// Measures what a simulation charges, and what messages cost between two cores here: run it as two ranks, so that both
/// cores are busy as they are when they work together. Writes rates.json and this-machine.xml, and says how long the
/// products took that the simulation is then held against. `jobs/simulate.sh --calibrate` does all of it.
///
/// On a machine that others use, and whose host moves its cores:
///   - what a core computes is timed by the clock of its thread;
///   - messages and whole products are timed in passes, side by side, and those count in which both ranks had their
///     cores all the time (turns.hpp), with the cores as far apart as they usually are (marks.hpp);
///   - passes go on, for a while, until there are enough of those.

#include <fmt/format.h>
#include <mpi.h>

#include <CLI/CLI.hpp>
#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <vector>

#include "drivers/command.hpp"
#include "drivers/files/output_file.hpp"
#include "drivers/machine.hpp"
#include "drivers/measure.hpp"
#include "drivers/session.hpp"
#include "drivers/simulate/rates.hpp"
#include "drivers/simulate/turns.hpp"
#include "drivers/simulate/two_cores.hpp"
#include "drivers/statistics/medians.hpp"
#include "drivers/study/marks.hpp"
#include "kernels/arithmetic/fibonacci_residue.hpp"
#include "kernels/arithmetic/natural.hpp"
#include "kernels/core/mpi.hpp"
#include "kernels/core/random.hpp"
#include "kernels/local_product/local_product.hpp"
#include "kernels/mapping/fib_batch/plan.hpp"
#include "kernels/registry.hpp"

namespace duet {
namespace {

struct ProductTime {
  std::int64_t m = 0;
  std::int64_t n = 0;
  std::int64_t k = 0;
  double seconds = 0;
};

/// Products of the shapes that matmul_mpi makes: blocks, times panels of 64 to 512.
std::vector<ProductTime> product_times(MPI_Comm ranks, const LocalKernel& kernel) {
  std::vector<ProductTime> times{{64, 64, 64},     {128, 128, 64},   {256, 256, 64},    {512, 512, 64},
                                 {512, 256, 128},  {256, 256, 256},  {512, 512, 512},   {1024, 512, 64},
                                 {1024, 512, 128}, {1024, 1024, 64}, {2048, 1024, 256}, {2048, 2048, 512}};
  constexpr double budget = 0.4;
  for (ProductTime& time : times) {
    Matrix<double> a{time.m, time.k};
    Matrix<double> b{time.k, time.n};
    Matrix<double> c{time.m, time.n};
    fill_random(a.view(), 1, 0, 0, 0);
    fill_random(b.view(), 1, 1, 0, 0);
    fill_random(c.view(), 1, 2, 0, 0);
    time.seconds =
        computing_seconds(ranks, budget, [&] { kernel.multiply(a.view(), b.view(), c.view(), Update::add); });
  }
  return times;
}

/// The four terms of `product_seconds` by least squares of relative errors; a term that would be negative is left out.
void fit(const std::vector<ProductTime>& times, Rates& rates) {
  constexpr int terms = 4;
  std::vector<int> used{0, 1, 2, 3};
  Eigen::VectorXd solution;
  while (true) {
    Eigen::MatrixXd matrix(std::ssize(times), std::ssize(used));
    for (Eigen::Index row = 0; row < matrix.rows(); ++row) {
      const ProductTime& time = times[static_cast<std::size_t>(row)];
      const auto m = static_cast<double>(time.m);
      const auto n = static_cast<double>(time.n);
      const auto k = static_cast<double>(time.k);
      const std::array<double, terms> words{2 * m * n * k, (m + n) * k, m * n, 1};
      for (Eigen::Index column = 0; column < matrix.cols(); ++column) {
        matrix(row, column) = words.at(static_cast<std::size_t>(used[static_cast<std::size_t>(column)])) / time.seconds;
      }
    }
    solution = matrix.colPivHouseholderQr().solve(Eigen::VectorXd::Ones(matrix.rows()));
    Eigen::Index least = 0;
    if (solution.minCoeff(&least) >= 0) break;
    used.erase(used.begin() + least);
  }
  std::array<double, terms> found{};
  for (std::size_t i = 0; i < used.size(); ++i) {
    found.at(static_cast<std::size_t>(used[i])) = solution(static_cast<Eigen::Index>(i));
  }
  if (!(found[0] > 0)) throw std::runtime_error("the times of the local products fit no rate: is the machine busy?");
  rates.flops_per_second = 1 / found[0];
  rates.seconds_per_operand_word = found[1];
  rates.seconds_per_result_word = found[2];
  rates.seconds_per_product = found[3];
}

void measure_fibonacci(MPI_Comm ranks, Rates& rates) {
  constexpr double budget = 0.2;
  constexpr std::int64_t count = 2000;
  constexpr std::uint64_t most = 100'000;
  const FibBatch batch{.inputs = FibInputs::random(Spread::log_uniform, count, most, 1), .modulus = 0};
  double estimate = 0;
  for (std::int64_t i = 0; i < count; ++i) estimate += 1e-9 * fibonacci_nanoseconds(batch.inputs[i]);
  std::int64_t bits = 0;
  const auto all = [&] {
    for (std::int64_t i = 0; i < count; ++i) bits += fibonacci(batch.inputs[i]).bits();
  };
  rates.fibonacci_scale = computing_seconds(ranks, budget, all) / estimate;

  constexpr std::uint64_t modulus = 1'000'000'007;
  const FibonacciModulo modulo{modulus};
  std::vector<std::uint64_t> inputs(256);
  std::vector<std::uint64_t> residues(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i] = random_bits(1, 0, i);
  rates.residue_seconds =
      computing_seconds(ranks, budget, [&] { modulo(inputs, residues); }) / static_cast<double>(inputs.size());

  const auto plan = [&] { bits += fib_batch_plan(batch, Schedule::longest_first, 0, size_of(ranks)).pieces(); };
  rates.planning_seconds = computing_seconds(ranks, budget, plan) / static_cast<double>(count);
  if (bits == 0) throw std::logic_error("nothing was computed");
}

/// Panels of a block of 4 MiB, one after the other, as matmul_mpi gathers them.
double gathering_seconds_per_byte(MPI_Comm ranks) {
  constexpr double budget = 0.2;
  constexpr std::int64_t rows = 1024;
  constexpr std::int64_t columns = 512;
  constexpr std::int64_t width = 128;
  Matrix<double> block{rows, columns};
  Matrix<double> panel{rows, width};
  fill_random(block.view(), 1, 0, 0, 0);
  const auto gather = [&] {
    for (std::int64_t first = 0; first < columns; first += width) {
      for (std::int64_t row = 0; row < rows; ++row) {
        std::copy_n(block.data() + row * columns + first, width, panel.data() + row * width);
      }
    }
  };
  return computing_seconds(ranks, budget, gather) / (8.0 * rows * columns);
}

/// Half the round trip between ranks 0 and 1 for messages of each size; `core_share` is of the round trips.
std::vector<std::pair<std::int64_t, std::vector<Turn>>> message_turns(MPI_Comm ranks) {
  constexpr double budget = 0.03;
  constexpr std::int64_t longest = 16 << 20;
  constexpr double turn_bytes = 4 << 20;
  std::vector<std::pair<std::int64_t, std::vector<Turn>>> all{{8, {}}};
  for (std::int64_t bytes = 1 << 10; bytes <= longest; bytes *= 2) all.push_back({bytes, {}});
  std::vector<char> message(longest);
  const int rank = rank_in(ranks);
  for (auto& [bytes, turns] : all) {
    const int count = mpi_count(bytes);
    // A turn takes long enough for the clocks, some 50 us.
    const int trips = static_cast<int>(std::clamp(turn_bytes / static_cast<double>(bytes) / 8, 1.0, 50.0));
    turns = turns_of(ranks, budget, [&] {
      for (int trip = 0; trip < trips; ++trip) {
        if (rank == 0) check(MPI_Send(message.data(), count, MPI_CHAR, 1, 0, ranks));
        check(MPI_Recv(message.data(), count, MPI_CHAR, 1 - rank, 0, ranks, MPI_STATUS_IGNORE));
        if (rank == 1) check(MPI_Send(message.data(), count, MPI_CHAR, 0, 0, ranks));
      }
    });
    for (Turn& turn : turns) turn.seconds /= 2 * trips;
  }
  return all;
}

/// matmul_mpi again and again, each trial as a turn beside it.
struct ProductTrials {
  std::vector<Trial> trials;
  std::vector<Turn> turns;
};

/// What was seen in passes over all that depends on both cores at once.
class Passes {
 public:
  Passes(const Session& session, const std::vector<std::string>& sizes) : session_{session} {
    for (const std::string& size : sizes) products_[size] = {};
  }

  /// Collective.
  void go_on_for(double seconds) {
    const double begin = MPI_Wtime();
    for (bool enough = false; !enough;) {
      run_one();
      const bool over = (passes_ >= fewest_passes && has_enough()) || MPI_Wtime() - begin > seconds;
      int flag = over ? 1 : 0;
      check(MPI_Bcast(&flag, 1, MPI_INT, 0, session_.communicator()));
      enough = flag != 0;
    }
  }

  /// The following on rank 0.
  /// Of the passes in which the cores were as far apart as usual.
  [[nodiscard]] std::vector<MessageTime> messages() const {
    const UsualHops usual = usual_distance();
    std::vector<MessageTime> times;
    for (const auto& [bytes, turns] : messages_) {
      std::vector<Turn> counted;
      for (const auto& [hop, turn] : turns) {
        if (is_usual(hop, usual)) counted.push_back(turn);
      }
      if (counted.empty()) throw std::runtime_error("the host moved the cores all the time");
      times.push_back({bytes, typical(counted).seconds});
    }
    return times;
  }
  [[nodiscard]] Typical product(const std::string& size) const {
    const UsualHops usual = usual_distance();
    const ProductTrials& product = products_.at(size);
    std::vector<Turn> counted;
    for (std::size_t i = 0; i < product.trials.size(); ++i) {
      if (is_usual(product.trials[i].hop_seconds, usual)) counted.push_back(product.turns[i]);
    }
    return typical(counted);
  }
  /// Between the two cores, seconds; and the share of all trials that were made at another distance.
  [[nodiscard]] std::pair<double, double> distance() const {
    const UsualHops usual = usual_distance();
    std::vector<double> kept;
    std::size_t all = 0;
    for (const auto& [size, product] : products_) {
      for (const Trial& trial : product.trials) {
        ++all;
        if (is_usual(trial.hop_seconds, usual)) kept.push_back(trial.hop_seconds);
      }
    }
    if (kept.empty()) return {0, 0};
    return {median(kept), 1 - static_cast<double>(kept.size()) / static_cast<double>(all)};
  }

 private:
  static constexpr int fewest_passes = 3;

  void run_one() {
    constexpr double canary = 0.5e-3;
    const double hop = session_.canary(canary).hop_seconds;
    for (auto& [bytes, turns] : message_turns(session_.communicator())) {
      for (const Turn& turn : turns) messages_[bytes].emplace_back(hop, turn);
    }
    for (auto& [size, product] : products_) {
      // All ranks must agree, and only rank 0 knows the trials.
      int enough = passes_ >= fewest_passes && is_enough(typical_of(size)) ? 1 : 0;
      check(MPI_Bcast(&enough, 1, MPI_INT, 0, session_.communicator()));
      if (enough == 0) run_product(size, product);
    }
    ++passes_;
  }

  void run_product(const std::string& size, ProductTrials& product) {
    const Problem& problem = problem_called("matmul");
    Variant variant = problem.variant(Model::mpi);
    const Settings tunables{"matmul in mpi", variant.tunables, {{"local_kernel", "duet"}}};
    std::vector<Turn> mine;
    const auto place = variant.place;
    variant.place = [&mine, &place](const Instance& instance, const Execution& execution) {
      Placed placed = place(instance, execution);
      placed.execute = [&mine, execute = placed.execute] { mine.push_back(timed(execute)); };
      return placed;
    };
    std::vector<Trial> trials;
    const MeasureOptions options{.repeat = 100, .at_most = 0.5, .launch = passes_};
    const bool right = measure(problem, variant, problem.pose(size, 1, {}), tunables, session_, options,
                               [&](const Trial& trial) { trials.push_back(trial); });
    if (!right) throw std::runtime_error("matmul of size " + size + " was wrong");
    for (std::size_t i = 0; i < mine.size(); ++i) {
      const Turn turn = worst_of(session_.communicator(), mine[i]);
      if (session_.rank() != 0 || trials[i].warms_up()) continue;
      product.trials.push_back(trials[i]);
      product.turns.push_back(turn);
    }
  }

  [[nodiscard]] Typical typical_of(const std::string& size) const {
    return session_.rank() == 0 ? product(size) : Typical{};
  }
  [[nodiscard]] static bool is_enough(const Typical& found) {
    constexpr int fewest = 3;
    return found.undisturbed >= fewest;
  }
  [[nodiscard]] bool has_enough() const {
    return session_.rank() == 0 &&
           std::ranges::all_of(products_, [&](const auto& one) { return is_enough(product(one.first)); });
  }
  /// Where nothing was measured (0) nothing is unusual.
  [[nodiscard]] static bool is_usual(double hop, const UsualHops& usual) {
    return hop == 0 || (hop >= usual.nearest && hop <= usual.farthest);
  }
  [[nodiscard]] UsualHops usual_distance() const {
    std::vector<Trial> all;
    for (const auto& [size, product] : products_) all.insert(all.end(), product.trials.begin(), product.trials.end());
    return usual_hops(all, session_.nodes(), session_.ranks());
  }

  const Session& session_;
  int passes_ = 0;
  std::map<std::int64_t, std::vector<std::pair<double, Turn>>> messages_;  ///< with the distance of their pass
  std::map<std::string, ProductTrials> products_;
};

void write(const std::filesystem::path& path, const std::string& text) {
  OutputFile file{path.string()};
  file.append(text);
  file.commit();
}

void calibrate(const std::string& folder, const std::vector<std::string>& sizes, double at_most, bool oversubscribe) {
  const Session session{{.model = Model::mpi, .threads = 0, .oversubscribe = oversubscribe}};
  const MPI_Comm ranks = session.communicator();
  if (session.ranks() != 2) throw UsageError(fmt::format("2 ranks calibrate, not {}", session.ranks()));
  const Machine machine = describe_machine();
  const LocalKernel& kernel = local_kernel("duet");
  Rates rates;
  rates.machine = machine.host + ", " + machine.processor;
  rates.local_kernel = kernel.library + "/" + kernel.code_path;
  const std::vector<ProductTime> products = product_times(ranks, kernel);
  fit(products, rates);
  rates.seconds_per_gathered_byte = gathering_seconds_per_byte(ranks);
  measure_fibonacci(ranks, rates);
  Passes passes{session, sizes};
  passes.go_on_for(at_most);
  if (session.rank() != 0) return;

  const std::vector<MessageTime> messages = passes.messages();
  std::filesystem::create_directories(folder);
  write(std::filesystem::path{folder} / "rates.json", nlohmann::json(rates).dump(2) + "\n");
  write(std::filesystem::path{folder} / "this-machine.xml", two_cores_platform(messages, rates.machine));
  fmt::print("local product, {}, both cores busy: {:.1f} Gflop/s and what packing takes\n", rates.local_kernel,
             1e-9 * rates.flops_per_second);
  for (const ProductTime& time : products) {
    const double flops = 2 * static_cast<double>(time.m * time.n * time.k);
    fmt::print("  {:>4} x {:>4} x {:>3}  {:5.1f} Gflop/s measured, {:5.1f} charged\n", time.m, time.n, time.k,
               1e-9 * flops / time.seconds, 1e-9 * flops / rates.product_seconds(time.m, time.n, time.k));
  }
  fmt::print("fibonacci: {:.2f} times its estimate; a residue {:.0f} ns; planning {:.0f} ns an item\n",
             rates.fibonacci_scale, 1e9 * rates.residue_seconds, 1e9 * rates.planning_seconds);
  const auto bandwidth = [&](std::int64_t bytes) {
    const auto found = std::ranges::find(messages, bytes, &MessageTime::bytes);
    return 1e-9 * static_cast<double>(bytes) / found->seconds;
  };
  fmt::print(
      "messages: {:.2f} us for 8 bytes; {:.1f} GB/s for 64 KiB, {:.1f} for 1 MiB, {:.1f} for 16 MiB; gathering "
      "{:.1f} GB/s\n",
      1e6 * messages.front().seconds, bandwidth(64 << 10), bandwidth(1 << 20), bandwidth(16 << 20),
      1e-9 / rates.seconds_per_gathered_byte);
  const auto [hop, elsewhere] = passes.distance();
  if (hop > 0) {
    fmt::print("the cores are {:.0f} ns apart{}\n", 1e9 * hop,
               elsewhere > 0
                   ? fmt::format("; {:.0f} % of the trials, at another distance, are set aside", 100 * elsewhere)
                   : "");
  }
  for (const std::string& size : sizes) {
    const Typical found = passes.product(size);
    fmt::print("duet_measured {} {:.17g} {} {} {:.3f}\n", size, found.seconds, found.undisturbed, found.turns,
               found.core_share);
  }
}

}  // namespace
}  // namespace duet

int main(int argc, char** argv) {
  std::string folder;
  std::vector<std::string> sizes;
  CLI::App app{"Rates of one core and of messages between two, for jobs/simulate.sh", "duet_calibrate"};
  app.add_option("FOLDER", folder, "Where rates.json and this-machine.xml go")->required();
  app.add_option("SIZES", sizes, "Orders of matmul to measure, for comparison");
  double at_most = 60;
  app.add_option("--at-most", at_most, "Seconds to go on for trials that nobody disturbs");
  bool oversubscribe = false;
  app.add_flag("--oversubscribe", oversubscribe, "Also on one core: the rates then say little");
  CLI11_PARSE(app, argc, argv);
  try {
    duet::calibrate(folder, sizes, at_most, oversubscribe);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "duet_calibrate: {}\n", error.what());
    std::fflush(stderr);
    int initialized = 0;
    MPI_Initialized(&initialized);
    if (initialized != 0) MPI_Abort(MPI_COMM_WORLD, 1);
    return 1;
  }
}
