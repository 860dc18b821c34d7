#pragma once

/// The dense product on one thread, C = A B or C += A B, in double or float, that every matrix kernel of Duet is built
/// from.
///
/// Shapes: A is m x k, B is k x n, C is m x n; any extent may be 0, any stride at least the number of columns. C must
/// not overlap A or B. With k = 0, `assign` writes zeros and `add` nothing. NaN and infinity are carried: nothing is
/// skipped because a factor is zero. Elements outside the views are neither read nor written.
///
/// Several libraries can do this, and which is fastest depends on the processor and on whether the library knows it:
/// OpenBLAS 0.3.21 runs a newer Xeon five times too slow. So the candidates are compared when the first kernel is
/// asked for, with doubles, and what was chosen and measured is on record (`calibration`).
///
///     duet       ours, after Goto and van de Geijn and BLIS, compiled for several instruction sets into one binary
///     openblas   the OpenBLAS of the system on one thread, loaded when asked for, its code path set to the processor's
///     blis       the serial BLIS of the system, the same
///     eigen      compiled in, for the oldest processors: always there
///
/// Cost: 2 m n k operations; `duet` keeps up to 6 MiB of buffers for each thread that calls it, made at the first large
/// product and given back when the thread ends. All kernels may be called from any number of threads at once, and none
/// starts a thread of its own.
///
/// Sources: K. Goto, R. van de Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS 34(3), 2008;
/// F. Van Zee, R. van de Geijn, "BLIS: a framework for rapidly instantiating BLAS functionality", ACM TOMS 41(3), 2015.

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "kernels/core/view.hpp"

namespace duet {

/// What happens to C: C = A B, or C += A B. `assign` does not read C.
enum class Update { assign, add };

/// One way to multiply. `multiply` throws std::invalid_argument where the shapes do not fit, and may throw
/// std::bad_alloc; it is deterministic: the same shape, the same operands, the same bits.
struct LocalKernel {
  template <class Element>
  using Multiply = void (*)(const MatrixView<const Element>& a, const MatrixView<const Element>& b,
                            const MatrixView<Element>& c, Update update);

  std::string library;    ///< "duet", or with its version "openblas 0.3.21"
  std::string code_path;  ///< the instruction set or core that its code is written for: "AVX3", "SkylakeX"
  Multiply<double> multiply = nullptr;
  Multiply<float> multiply_floats = nullptr;

  /// The one of the two for `Element`.
  template <class Element>
  [[nodiscard]] Multiply<Element> of() const {
    if constexpr (std::is_same_v<Element, double>) {
      return multiply;
    } else {
      return multiply_floats;
    }
  }
};

/// `duet` adds the products of an entry in index order within blocks of so many, and the blocks' sums in order: an
/// entry depends on its row of A, its column of B and k alone, whatever m, n and the strides. So a product in panels of
/// k whose widths are multiples of this is equal to the whole product, bit for bit, but for the sign of zeros.
inline constexpr std::int64_t summation_block = 256;

/// The kernel called `choice`: "duet", "openblas", "blis", "eigen", or "auto", the fastest here. Throws
/// std::invalid_argument, which says what there is, where `choice` is unknown or not installed. The first call for
/// "auto" measures (about 60 ms) and, like the first for a library, sets an environment variable for the moment of
/// loading: make it before other threads start.
[[nodiscard]] const LocalKernel& local_kernel(std::string_view choice = "auto");

/// Every kernel that can be had here, `duet` first.
[[nodiscard]] std::vector<LocalKernel> available_local_kernels();

/// One line for each library whose code path is older than the processor and could not be changed. Empty when all is
/// well.
[[nodiscard]] std::vector<std::string> local_kernel_warnings();

/// The rate that one candidate reached on one thread.
struct LocalKernelRate {
  std::string library;
  std::string code_path;
  double flops_per_second = 0;
};

/// How "auto" came about.
struct Calibration {
  std::vector<LocalKernelRate> rates;  ///< the chosen kernel first
  /// "duet/AVX3 (57 GF/s; openblas 0.3.21/SkylakeX 55, ...)"
  [[nodiscard]] std::string text() const;
};

/// What was measured for "auto"; measures if that has not been done.
[[nodiscard]] const Calibration& calibration();

}  // namespace duet
