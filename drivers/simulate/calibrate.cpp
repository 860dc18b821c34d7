/// Measures what a simulation charges, and what messages cost between two cores here: run it as two ranks, so that both
/// cores are busy as they are when they work together. Writes rates.json and this-machine.xml, and says how long the
/// products took, in the fastest trial of four seconds, that the simulation is then held against. `jobs/simulate.sh
/// --calibrate` does all of it.

#include <fmt/format.h>
#include <mpi.h>
#include <time.h>

#include <CLI/CLI.hpp>
#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <filesystem>
#include <vector>

#include "drivers/command.hpp"
#include "drivers/files/output_file.hpp"
#include "drivers/machine.hpp"
#include "drivers/measure.hpp"
#include "drivers/session.hpp"
#include "drivers/simulate/rates.hpp"
#include "drivers/statistics/medians.hpp"
#include "kernels/arithmetic/fibonacci_residue.hpp"
#include "kernels/arithmetic/natural.hpp"
#include "kernels/core/mpi.hpp"
#include "kernels/core/random.hpp"
#include "kernels/local_product/local_product.hpp"
#include "kernels/mapping/fib_batch/plan.hpp"
#include "kernels/registry.hpp"

namespace duet {
namespace {

double largest(MPI_Comm ranks, double mine) {
  check(MPI_Allreduce(MPI_IN_PLACE, &mine, 1, MPI_DOUBLE, MPI_MAX, ranks));
  return mine;
}

/// Seconds that this thread has computed: time in which others had its core is no part of a rate.
double thread_seconds() {
  timespec now{};
  static_cast<void>(::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now));
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// What `act`, which all ranks do at once, takes by `clock`: so many turns as take about `budget` seconds, five at the
/// least. The same number of turns on all ranks.
template <class Act>
std::vector<double> turns(MPI_Comm ranks, double budget, double (*clock)(), const Act& act) {
  constexpr int fewest = 5;
  constexpr int most = 1000;
  act();
  std::vector<double> seconds;
  double spent = 0;
  while (std::ssize(seconds) < fewest || (spent < budget && std::ssize(seconds) < most)) {
    check(MPI_Barrier(ranks));
    const double begin = clock();
    act();
    seconds.push_back(clock() - begin);
    spent = largest(ranks, spent + seconds.back());
  }
  return seconds;
}

/// The median of what a thread computes, on the slower rank.
template <class Act>
double computing_seconds(MPI_Comm ranks, double budget, const Act& act) {
  return largest(ranks, median(turns(ranks, budget, thread_seconds, act)));
}

/// The fastest turn: a rank that waits for one whose core others have says nothing of messages.
template <class Act>
double messaging_seconds(MPI_Comm ranks, double budget, const Act& act) {
  return largest(ranks, std::ranges::min(turns(ranks, budget, MPI_Wtime, act)));
}

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

  const auto plan = [&] { bits += Plan{batch, Schedule::longest_first, 0, size_of(ranks)}.pieces(); };
  rates.planning_seconds = computing_seconds(ranks, budget, plan) / static_cast<double>(count);
  if (bits == 0) throw std::logic_error("nothing was computed");
}

struct MessageTime {
  std::int64_t bytes = 0;
  double seconds = 0;  ///< one way
};

/// Half the round trip between ranks 0 and 1.
std::vector<MessageTime> message_times(MPI_Comm ranks) {
  std::vector<MessageTime> times{{8}, {1 << 10}, {4 << 10}, {16 << 10}, {64 << 10}, {256 << 10}, {1 << 20}, {8 << 20}};
  constexpr double budget = 0.15;
  std::vector<char> bytes(static_cast<std::size_t>(times.back().bytes));
  const int rank = rank_in(ranks);
  for (MessageTime& time : times) {
    const int count = mpi_count(time.bytes);
    constexpr int trips = 10;
    const auto round_trips = [&] {
      for (int trip = 0; trip < trips; ++trip) {
        if (rank == 0) check(MPI_Send(bytes.data(), count, MPI_CHAR, 1, 0, ranks));
        check(MPI_Recv(bytes.data(), count, MPI_CHAR, 1 - rank, 0, ranks, MPI_STATUS_IGNORE));
        if (rank == 1) check(MPI_Send(bytes.data(), count, MPI_CHAR, 0, 0, ranks));
      }
    };
    time.seconds = messaging_seconds(ranks, budget, round_trips) / (2 * trips);
  }
  return times;
}

/// Two hosts with a core each and a link between them, on which a message takes as long as it was measured to: SMPI
/// scales latency and bandwidth by factors for messages of so many bytes and more.
std::string platform_text(const std::vector<MessageTime>& times, const std::string& machine) {
  const double latency = times.front().seconds;
  const MessageTime& longest = times.back();
  const double bandwidth = static_cast<double>(longest.bytes) / std::max(longest.seconds - latency, 1e-12);
  std::string latencies;
  std::string bandwidths;
  for (const MessageTime& time : times) {
    const bool first = &time == &times.front();
    const double travel = time.seconds - latency;
    const double factor = travel > 0 ? static_cast<double>(time.bytes) / travel / bandwidth : 1;
    const std::int64_t from = first ? 0 : time.bytes;
    latencies += fmt::format("{}{}:1", first ? "" : ";", from);
    bandwidths += fmt::format("{}{}:{:.4g}", first ? "" : ";", from, first ? 1.0 : factor);
  }
  std::string comment = machine;
  std::ranges::replace(comment, '-', ' ');  // two of them would end the comment
  return fmt::format(
      R"(<?xml version='1.0'?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<!-- Two cores of {0}, as measured by jobs/simulate.sh with the option calibrate. -->
<platform version="4.1">
  <config>
    <prop id="smpi/lat-factor" value="{1}"/>
    <prop id="smpi/bw-factor" value="{2}"/>
  </config>
  <zone id="this-machine" routing="Full">
    <host id="core-0" speed="1Gf"/>
    <host id="core-1" speed="1Gf"/>
    <link id="memory" bandwidth="{3:.6g}Bps" latency="{4:.4g}s" sharing_policy="SPLITDUPLEX"/>
    <route src="core-0" dst="core-1">
      <link_ctn id="memory" direction="UP"/>
    </route>
  </zone>
</platform>
)",
      comment, latencies, bandwidths, bandwidth, latency);
}

void write(const std::filesystem::path& path, const std::string& text) {
  OutputFile file{path.string()};
  file.append(text);
  file.commit();
}

void calibrate(const std::string& folder, const std::vector<std::string>& sizes, bool oversubscribe) {
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
  measure_fibonacci(ranks, rates);
  const std::vector<MessageTime> messages = message_times(ranks);
  if (session.rank() == 0) {
    fmt::print("local product, {}, both cores busy: {:.1f} Gflop/s and what packing takes\n", rates.local_kernel,
               1e-9 * rates.flops_per_second);
    for (const ProductTime& time : products) {
      const double flops = 2 * static_cast<double>(time.m * time.n * time.k);
      fmt::print("  {:>4} x {:>4} x {:>3}  {:5.1f} Gflop/s measured, {:5.1f} charged\n", time.m, time.n, time.k,
                 1e-9 * flops / time.seconds, 1e-9 * flops / rates.product_seconds(time.m, time.n, time.k));
    }
    fmt::print("fibonacci: {:.2f} times its estimate; a residue {:.0f} ns; planning {:.0f} ns an item\n",
               rates.fibonacci_scale, 1e9 * rates.residue_seconds, 1e9 * rates.planning_seconds);
    fmt::print("messages: {:.2f} us for 8 bytes, {:.1f} GB/s for 8 MiB\n", 1e6 * messages.front().seconds,
               1e-9 * static_cast<double>(messages.back().bytes) / messages.back().seconds);
    std::filesystem::create_directories(folder);
    write(std::filesystem::path{folder} / "rates.json", nlohmann::json(rates).dump(2) + "\n");
    write(std::filesystem::path{folder} / "this-machine.xml", platform_text(messages, rates.machine));
    std::fflush(stdout);
  }
  const Problem& problem = problem_called("matmul");
  const Variant& variant = problem.variant(Model::mpi);
  const Settings tunables{"matmul in mpi", variant.tunables, {{"local_kernel", "duet"}}};
  for (const std::string& size : sizes) {
    std::vector<double> seconds;
    const MeasureOptions options{.repeat = 200, .at_most = 4, .canary_seconds = 0};
    const bool right =
        measure(problem, variant, problem.pose(size, 1, {}), tunables, session, options, [&](const Trial& trial) {
          if (std::ranges::find(trial.marks, "warm_up") == trial.marks.end()) seconds.push_back(trial.seconds);
        });
    if (!right) throw std::runtime_error("matmul of size " + size + " was wrong");
    if (session.rank() == 0 && !seconds.empty()) {
      fmt::print("duet_measured {} {:.17g}\n", size, std::ranges::min(seconds));
      std::fflush(stdout);
    }
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
  bool oversubscribe = false;
  app.add_flag("--oversubscribe", oversubscribe, "Also on one core: the rates then say little");
  CLI11_PARSE(app, argc, argv);
  try {
    duet::calibrate(folder, sizes, oversubscribe);
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
