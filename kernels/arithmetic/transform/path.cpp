#include "kernels/arithmetic/transform/path.hpp"

#include <algorithm>

#include "kernels/arithmetic/transform/paths.hpp"

namespace duet {

std::span<const TransformPath> transform_paths() {
  static const std::array<TransformPath, 3> paths{ifma_path(), avx2_path(), portable_path()};
  return paths;
}

const TransformPath& fastest_path() {
  static const TransformPath& fastest =
      *std::ranges::find_if(transform_paths(), [](const TransformPath& path) { return path.runs_here(); });
  return fastest;
}

}  // namespace duet
