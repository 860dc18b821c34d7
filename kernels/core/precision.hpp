#pragma once

/// The parameter `precision` of the problems that are asked in double and in float.

#include "kernels/core/problem.hpp"

namespace duet {

[[nodiscard]] inline Setting precision_setting() {
  return {.name = "precision", .preset = "double", .meaning = "of the numbers", .choices = {"double", "float"}};
}

[[nodiscard]] inline bool in_floats(const Instance& instance) {
  return instance.parameters.text("precision") == "float";
}

/// Bytes of one number: 8 or 4.
[[nodiscard]] inline std::int64_t word_bytes(const Instance& instance) {
  return in_floats(instance) ? sizeof(float) : sizeof(double);
}

}  // namespace duet
