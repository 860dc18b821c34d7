#pragma once

#include <hwy/targets.h>

namespace duet {

/// Lets Highway ask the processor what it can run, once in a process: in a virtual machine each question takes 10 us.
/// To be called before the first HWY_DYNAMIC_DISPATCH.
inline void choose_simd_target() {
  static const bool chosen = [] {
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    return true;
  }();
  static_cast<void>(chosen);
}

}  // namespace duet
