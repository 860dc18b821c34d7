#pragma once

#include <hwy/targets.h>

#include <cstdint>

namespace duet {

/// Lets Highway believe that the processor has `target` alone, while it lives.
class OnlyTarget {
 public:
  explicit OnlyTarget(std::int64_t target) { set(target); }
  OnlyTarget(const OnlyTarget&) = delete;
  OnlyTarget& operator=(const OnlyTarget&) = delete;
  ~OnlyTarget() { set(0); }

 private:
  static void set(std::int64_t targets) {
    hwy::SetSupportedTargetsForTest(targets);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
};

}  // namespace duet
