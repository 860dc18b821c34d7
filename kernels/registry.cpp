#include "kernels/registry.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "kernels/data_decomposition/fib_number/fib_number.hpp"
#include "kernels/data_decomposition/matmul/matmul.hpp"
#include "kernels/data_decomposition/stencil/stencil.hpp"
#include "kernels/divide_and_conquer/fib_tree/fib_tree.hpp"
#include "kernels/divide_and_conquer/strassen/strassen.hpp"
#include "kernels/mapping/fib_batch/fib_batch.hpp"
#include "kernels/mapping/matrix_batch/matrix_batch.hpp"
#include "kernels/pipeline/cholesky/cholesky.hpp"
#include "kernels/pipeline/fib_stream/fib_stream.hpp"
#include "kernels/pipeline/matrix_stream/matrix_stream.hpp"

namespace duet {

const std::vector<Problem>& all_problems() {
  static const std::vector<Problem> problems{
      strassen_problem(),  fib_tree_problem(),     matmul_problem(),   stencil_problem(),       fib_number_problem(),
      fib_batch_problem(), matrix_batch_problem(), cholesky_problem(), matrix_stream_problem(), fib_stream_problem(),
  };
  return problems;
}

const Problem& problem_called(std::string_view name) {
  const auto& problems = all_problems();
  const auto found = std::ranges::find(problems, name, &Problem::name);
  if (found != problems.end()) return *found;
  std::string names;
  for (const Problem& problem : problems) names += (names.empty() ? "" : ", ") + problem.name;
  throw std::invalid_argument("no problem is called '" + std::string{name} + "'; there are " + names);
}

}  // namespace duet
