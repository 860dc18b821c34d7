#include "kernels/mapping/fib_batch/solver.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "kernels/mapping/fib_batch/plan.hpp"

namespace duet {

Solver::Solver(const FibBatch& batch, const Plan& plan, int workers) : batch_{batch}, plan_{plan} {
  const std::int64_t count = batch.inputs.count();
  if (!batch.exact() && count > 0) {
    modulo_.emplace(batch.modulus, batch.inputs.largest(), (count + workers - 1) / workers);
  }
}

void Solver::answer_giants(Plan& plan, Shelf& shelf, const TransformTeam& team) const {
  const std::int64_t giants = giants_of(batch_, plan, team.workers);
  if (giants == 0) return;
  answer_exactly({0, giants}, shelf, team);
  plan.drop_first(giants);
}

void Solver::answer(Range positions, Shelf& mine) const {
  if (positions.empty()) return;
  if (batch_.exact()) {
    answer_exactly(positions, mine, serial_team());
  } else {
    answer_modulo(positions, mine);
  }
}

void Solver::answer_exactly(Range positions, Shelf& mine, const TransformTeam& team) const {
  const auto first = static_cast<std::int64_t>(mine.naturals.size());
  mine.workspace.team = &team;
  for (std::int64_t position = positions.begin; position < positions.end; ++position) {
    mine.naturals.push_back(fibonacci(batch_.inputs[plan_.item(position)], mine.workspace));
  }
  mine.workspace.team = &serial_team();
  if (!plan_.reordered()) {
    mine.answered.push_back({positions, first});
    return;
  }
  for (std::int64_t position = positions.begin; position < positions.end; ++position) {
    const std::int64_t item = plan_.item(position);
    mine.answered.push_back({{item, item + 1}, first + position - positions.begin});
  }
}

void Solver::answer_modulo(Range positions, Shelf& mine) const {
  // Residues all cost the same, so that no plan reorders them: positions are items.
  constexpr std::int64_t together = 512;
  const std::size_t first = mine.residues.size();
  mine.residues.resize(first + static_cast<std::size_t>(positions.size()));
  std::span<std::uint64_t> residues = std::span{mine.residues}.subspan(first);
  std::array<std::uint64_t, together> room;
  for (std::int64_t begin = positions.begin; begin < positions.end; begin += together) {
    const Range items{begin, std::min(begin + together, positions.end)};
    const auto count = static_cast<std::size_t>(items.size());
    (*modulo_)(batch_.inputs.read(items, room), residues.first(count));
    residues = residues.subspan(count);
  }
  mine.answered.push_back({positions, static_cast<std::int64_t>(first)});
}

}  // namespace duet
