#pragma once

namespace duet {

/// The memory of this process that is resident, from now on: what comes beside it, at the most.
class ResidentMemory {
 public:
  /// Starts anew: whatever was resident before, and is no longer, does not count.
  ResidentMemory();

  /// Bytes by which the process was larger than at the start, when it was largest. 0 where the system does not tell.
  [[nodiscard]] double peak_growth() const;

 private:
  double at_start_;
};

}  // namespace duet
