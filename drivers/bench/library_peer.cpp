#include <fmt/format.h>

#include <stdexcept>

#include "drivers/bench/peer.hpp"
#include "kernels/core/random.hpp"
#include "kernels/data_decomposition/matmul/matmul.hpp"
#include "kernels/data_decomposition/matmul/verify.hpp"
#include "kernels/registry.hpp"

namespace duet {

void run_library_peer(const PeerOptions& options) {
  const bool alone = options.name == "call-serial";
  if (!alone && options.name != "call-openmp") {
    throw std::invalid_argument(fmt::format("no peer is called '{}'", options.name));
  }
  const Problem& problem = problem_called("matmul");
  const Instance instance = problem.pose(options.size, 1, {});
  const ProductShape shape{.m = instance.extents[0], .n = instance.extents[1], .k = instance.extents[2]};
  Matrix<double> a(shape.m, shape.k);
  Matrix<double> b(shape.k, shape.n);
  Matrix<double> c(shape.m, shape.n);
  fill_random(a.view(), instance.seed, 0, 0, 0);
  fill_random(b.view(), instance.seed, 1, 0, 0);

  Trial trial = trial_of(problem, instance, alone ? Model::serial : Model::openmp, options.threads);
  const RankGrid one_rank;
  const ProductLayout layout{shape, {1, 1}};
  time_and_judge(
      options, trial, [&] { fill_random(c.view(), instance.seed, 2, 0, 0); },
      [&] {
        if (alone) {
          matmul_serial(a.view(), b.view(), c.view(), {});
        } else {
          matmul_openmp(a.view(), b.view(), c.view(), {.threads = options.threads});
        }
      },
      [&] {
        return judge_product({.ranks = one_rank, .layout = layout, .a = a.view(), .b = b.view(), .c = c.view()}, 1);
      });
}

}  // namespace duet
