#pragma once

/// C = A B in one process, whatever the team.

#include <cstdint>

#include "kernels/core/execution.hpp"
#include "kernels/divide_and_conquer/strassen/plan.hpp"
#include "kernels/divide_and_conquer/strassen/winograd.hpp"
#include "kernels/local_product/packing_space.hpp"

namespace duet {

/// How many levels one process takes, and how many of them, from the top, as seven tasks at a time.
struct SharedPlan {
  int levels = 0;
  int breadth = 0;
  /// The largest part that is divided: what is beyond a multiple of 2^levels is peeled off and multiplied as it is.
  StrassenShape core{};

  [[nodiscard]] std::int64_t workspace() const;
  /// See strassen_error; the peeled part of the inner extent is added to what is divided.
  [[nodiscard]] double error() const;
};

/// What `levels`, `leaf` and `breadth` of the execution say; without a word, what is chosen.
[[nodiscard]] SharedPlan shared_plan(const StrassenShape& shape, const Execution& execution);

/// C = A B. `space` becomes plan.workspace() elements large.
template <class Element>
void multiply_shared(MatrixView<const Element> a, MatrixView<const Element> b, MatrixView<Element> c,
                     const SharedPlan& plan, StrassenTeam& team, ProductBelow<Element>& leaf, PackingSpace& space);

}  // namespace duet
