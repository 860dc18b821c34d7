#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "drivers/command.hpp"
#include "drivers/machine.hpp"
#include "drivers/nodes.hpp"
#include "drivers/session.hpp"
#include "drivers/study/trials.hpp"
#include "kernels/core/mpi.hpp"
#include "kernels/local_product/peak.hpp"

namespace duet {
namespace {

double peak_of_this_node() {
  constexpr double seconds = 0.01;
  constexpr int tries = 5;
  double peak = 0;
  for (int i = 0; i < tries; ++i) peak = std::max(peak, fma_peak(seconds));
  return peak;
}

Node this_node() {
  Node node;
  node.machine = describe_machine();
  node.kernel = running_kernel();
  node.program = program_hash("/proc/self/exe");
  node.versions = describe_versions();
  return node;
}

/// Half a round trip of `bytes` between rank 0 and `other`, the median of several batches, on both; 0 on all others.
double half_round_trip(MPI_Comm communicator, int other, int bytes, int round_trips) {
  const int rank = rank_in(communicator);
  if (rank != 0 && rank != other) return 0;
  constexpr int batches = 9;
  constexpr int tag = 1;
  std::vector<char> message(static_cast<std::size_t>(bytes));
  std::vector<double> seconds;
  for (int batch = 0; batch < batches; ++batch) {
    const double begin = MPI_Wtime();
    for (int i = 0; i < round_trips; ++i) {
      if (rank == 0) check(MPI_Send(message.data(), bytes, MPI_CHAR, other, tag, communicator));
      check(MPI_Recv(message.data(), bytes, MPI_CHAR, rank == 0 ? other : 0, tag, communicator, MPI_STATUS_IGNORE));
      if (rank != 0) check(MPI_Send(message.data(), bytes, MPI_CHAR, 0, tag, communicator));
    }
    seconds.push_back((MPI_Wtime() - begin) / (2 * round_trips));
  }
  const auto middle = seconds.begin() + batches / 2;
  std::ranges::nth_element(seconds, middle);
  return *middle;
}

void measure_way_to_first(Node& node, MPI_Comm communicator) {
  constexpr int small = 8;
  constexpr int large = 1 << 20;
  for (int other = 1; other < size_of(communicator); ++other) {
    const double latency = half_round_trip(communicator, other, small, 10);
    const double transfer = half_round_trip(communicator, other, large, 1);
    if (rank_in(communicator) != other) continue;
    node.latency_seconds = latency;
    node.bytes_per_second = large / transfer;
  }
}

int describe(const std::string& path) {
  // Before a session binds the process to one of the cores.
  Node node = this_node();
  std::optional<Session> session;
  if (launched().by_launcher) session.emplace(Workers{.model = Model::mpi, .threads = 1, .oversubscribe = true});
  node.machine.peak_flops_one_core = peak_of_this_node();
  const MPI_Comm communicator = session ? session->communicator() : MPI_COMM_NULL;
  if (session) measure_way_to_first(node, communicator);
  const std::string lines = gathered(communicator, nlohmann::json(node).dump() + "\n");
  if (session && session->rank() != 0) return status::right;
  if (path.empty()) {
    fmt::print("{}", lines);
    return status::right;
  }
  std::ofstream file{path, std::ios::app};
  file << lines << std::flush;
  if (!file) throw std::runtime_error(fmt::format("{}: cannot be written: {}", path, std::strerror(errno)));
  return status::right;
}

}  // namespace

void add_node(CLI::App& duet, Act& act) {
  CLI::App* const command =
      duet.add_subcommand("node", "What this node is, or under mpirun what each is and how far: one line of JSON each");
  const auto path = std::make_shared<std::string>();
  command->add_option("--json", *path, "Append to this file instead of printing")->type_name("FILE");
  command->footer(
      "Examples:\n"
      "  duet node\n"
      "  mpirun --host n1:1,n2:1 --bind-to none duet node      one rank a node\n"
      "Cores and memory that may be used, the peak of one core, the hash of the program, and latency and bandwidth to\n"
      "the first node. `duet compare --hosts` asks it of every node before it measures.");
  command->callback([&act, path] { act = [path] { return describe(*path); }; });
}

}  // namespace duet
