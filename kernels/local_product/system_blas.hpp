#pragma once

/// The BLAS libraries of the system on one thread, loaded when they are asked for and not before: a library costs 1 to
/// 10 ms to load, and its choice of a code path is made at that moment and cannot be mended later.
///
/// They start no threads, since threads inside threads cost a factor of 2 to 30, and may be called from several. They
/// are loaded by their full path, and their symbols stay their own: two OpenBLAS in one process otherwise resolve each
/// other's.

#include <string>

#include "kernels/local_product/local_product.hpp"

namespace duet {

/// A library as it was found.
struct SystemBlas {
  LocalKernel kernel;     ///< `multiply` is null where the library is not there
  std::string where;      ///< the file it was loaded from, or the files that were looked for
  std::string warning{};  ///< one line when it runs a code path older than the processor
};

/// OpenBLAS. Where the user has not set OPENBLAS_CORETYPE, it is set to the processor's while the library loads, since
/// a release does not know later processors and falls back to SSE3 in silence. Thread-safe; loads once.
[[nodiscard]] const SystemBlas& openblas_library();

/// BLIS, the same with BLIS_ARCH_TYPE; release 0.9.0 only, whose numbers are known. Thread-safe; loads once.
[[nodiscard]] const SystemBlas& blis_library();

}  // namespace duet
