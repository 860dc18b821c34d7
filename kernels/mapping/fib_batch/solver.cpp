#include "kernels/mapping/fib_batch/solver.hpp"

#include <algorithm>
#include <array>

namespace duet {

Solver::Solver(const FibBatch& batch, const Plan& plan) : batch_{batch}, plan_{plan} {
  if (!batch.exact() && batch.inputs.count() > 0) modulo_.emplace(batch.modulus, batch.inputs.largest());
}

void Solver::answer(Range positions, Shelf& mine) const {
  if (positions.empty()) return;
  if (batch_.exact()) {
    answer_exactly(positions, mine);
  } else {
    answer_modulo(positions, mine);
  }
}

void Solver::answer_exactly(Range positions, Shelf& mine) const {
  const auto first = static_cast<std::int64_t>(mine.naturals.size());
  for (std::int64_t position = positions.begin; position < positions.end; ++position) {
    mine.naturals.push_back(fibonacci(batch_.inputs[plan_.item(position)]));
  }
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
  constexpr std::int64_t together = 256;
  const std::size_t first = mine.residues.size();
  mine.residues.resize(first + static_cast<std::size_t>(positions.size()));
  std::uint64_t* out = mine.residues.data() + first;
  std::array<std::uint64_t, together> inputs;
  for (std::int64_t begin = positions.begin; begin < positions.end; begin += together) {
    const auto count = static_cast<std::size_t>(std::min(together, positions.end - begin));
    for (std::size_t k = 0; k < count; ++k) inputs[k] = batch_.inputs[begin + static_cast<std::int64_t>(k)];
    (*modulo_)({inputs.data(), count}, {out, count});
    out += count;
  }
  mine.answered.push_back({positions, static_cast<std::int64_t>(first)});
}

}  // namespace duet
