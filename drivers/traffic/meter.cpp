#include "drivers/traffic/meter.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "drivers/traffic/ledger.hpp"
#include "kernels/core/mpi.hpp"

namespace duet {

std::vector<int> nodes_by_memory(MPI_Comm all) {
  const Communicator node = Communicator::of_node(all);
  int lowest = rank_in(all);
  check(MPI_Allreduce(MPI_IN_PLACE, &lowest, 1, MPI_INT, MPI_MIN, node.get()));
  std::vector<int> nodes(static_cast<std::size_t>(size_of(all)));
  check(MPI_Allgather(&lowest, 1, MPI_INT, nodes.data(), 1, MPI_INT, all));
  return nodes;
}

TrafficMeter::TrafficMeter(MPI_Comm all, std::vector<int> node_of_rank)
    : ledger_{std::make_unique<Ledger>(all, std::move(node_of_rank))} {}

TrafficMeter::~TrafficMeter() = default;

void TrafficMeter::clear() { ledger_->clear(); }

TrafficMeter::Running::Running(TrafficMeter& meter) {
  if (open_ledger != nullptr) throw std::logic_error("MPI calls are being counted by another meter");
  open_ledger = meter.ledger_.get();
}

TrafficMeter::Running::~Running() { open_ledger = nullptr; }

RankTraffic TrafficMeter::total() const { return ledger_->total(); }

Traffic over_all(MPI_Comm all, const RankTraffic& mine) {
  const auto volumes = [](const Flow& flow) { return std::array{flow.whole(), flow.between_nodes}; };
  constexpr std::size_t both = 2;
  std::array<Volume, 2 * both + carriers> here{};
  std::ranges::copy(volumes(mine.received()), here.begin());
  std::ranges::copy(volumes(mine.sent()), here.begin() + both);
  for (std::size_t carrier = 0; carrier < carriers; ++carrier) {
    here[2 * both + carrier] = mine.by_carrier[carrier].received.whole();
  }
  static_assert(sizeof(here) == 2 * sizeof(std::int64_t) * here.size());
  std::array<Volume, here.size()> sum{};
  std::array<Volume, here.size()> most{};
  constexpr int numbers = 2 * static_cast<int>(here.size());
  check(MPI_Reduce(here.data(), sum.data(), numbers, MPI_INT64_T, MPI_SUM, 0, all));
  check(MPI_Reduce(here.data(), most.data(), numbers, MPI_INT64_T, MPI_MAX, 0, all));

  Traffic traffic{.received = {sum[0], most[0]},
                  .received_between_nodes = {sum[1], most[1]},
                  .sent = {sum[2], most[2]},
                  .sent_between_nodes = {sum[3], most[3]}};
  std::copy_n(sum.begin() + 2 * both, carriers, traffic.received_by.begin());
  return traffic;
}

}  // namespace duet
