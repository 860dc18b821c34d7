#include "kernels/product/agreed_kernel.hpp"

#include <algorithm>
#include <cstddef>

#include "kernels/core/mpi.hpp"
#include "kernels/local_product/local_product.hpp"

namespace duet {

Setting local_kernel_setting() {
  return {.name = "local_kernel",
          .preset = "auto",
          .meaning = "the library that multiplies on one thread",
          .choices = {"auto", "duet", "openblas", "blis", "eigen"}};
}

std::string agreed_kernel(const std::string& choice, MPI_Comm ranks) {
  const std::vector<std::string> choices = local_kernel_setting().choices;
  int index = static_cast<int>(std::ranges::find(choices, choice) - choices.begin());
  if (index == 0 && rank_in(ranks) == 0) {
    const std::string& library = local_kernel("auto").library;
    const auto named = [&](const std::string& name) { return library.starts_with(name); };
    index = static_cast<int>(std::ranges::find_if(choices, named) - choices.begin());
  }
  if (ranks != MPI_COMM_NULL) check(MPI_Bcast(&index, 1, MPI_INT, 0, ranks));
  return choices.at(static_cast<std::size_t>(index));
}

}  // namespace duet
