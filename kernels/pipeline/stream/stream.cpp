#include "kernels/pipeline/stream/stream.hpp"

#include <algorithm>

namespace duet {

std::size_t Stream::leading() const {
  std::size_t count = 0;
  while (count < stages.size() && stages[count].kind != StageKind::computing) ++count;
  return count;
}

std::size_t Stream::trailing() const {
  std::size_t count = 0;
  const std::size_t left = stages.size() - leading();
  while (count < left && stages[stages.size() - 1 - count].kind != StageKind::computing) ++count;
  return count;
}

bool Stream::waits_asynchronously() const {
  return !stages.empty() && stages.front().kind != StageKind::computing && stages.front().begin != nullptr;
}

int StreamLimits::tokens_for(int workers) const {
  const int least = std::max(1, workers);
  return tokens > 0 ? tokens : 4 * least + 2 * (readers + writers);
}

}  // namespace duet
