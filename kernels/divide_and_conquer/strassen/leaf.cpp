#include "kernels/divide_and_conquer/strassen/leaf.hpp"

#include <cmath>
#include <string>

#include "kernels/core/mpi.hpp"

namespace duet {

int asked_levels(const Execution& execution) {
  const std::string levels = execution.text_or("levels", "auto");
  return levels == "auto" ? -1 : std::stoi(levels);
}

std::int64_t leaf_extent(const Execution& execution) {
  const std::int64_t leaf = execution.whole_or("leaf", 0);
  if (leaf != 0) return leaf;
  return 1024;
}

}  // namespace duet
