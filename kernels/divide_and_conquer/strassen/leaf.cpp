#include "kernels/divide_and_conquer/strassen/leaf.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "kernels/core/mpi.hpp"
#include "kernels/core/thread_clock.hpp"
#include "kernels/divide_and_conquer/strassen/additions.hpp"

namespace duet {
namespace {

template <class Act>
double least_seconds(int rounds, Act&& act) {
  double least = std::numeric_limits<double>::infinity();
  for (int round = 0; round < rounds; ++round) {
    const double begin = thread_seconds();
    act();
    least = std::min(least, thread_seconds() - begin);
  }
  return least;
}

}  // namespace

int asked_levels(const Execution& execution) {
  const std::string levels = execution.text_or("levels", "auto");
  return levels == "auto" ? -1 : std::stoi(levels);
}

std::int64_t leaf_for(const LeafRates& rates, std::size_t word_bytes, int workers) {
  const double sharing = std::max(1.0, workers / 4.0);
  const double pays_from = 31 * static_cast<double>(word_bytes) * rates.operations * sharing / rates.added_bytes;
  const double wanted = std::max(pays_from / 2, 256 * std::sqrt(static_cast<double>(workers)));
  constexpr std::int64_t largest = std::int64_t{1} << 20;
  std::int64_t leaf = 512;
  while (leaf < largest && static_cast<double>(leaf) < wanted) leaf *= 2;
  return leaf;
}

LeafRates measured_rates(const LocalKernel& kernel) {
  constexpr std::int64_t extent = 512;       // a product of 5 ms at 50 Gflop/s
  constexpr std::int64_t added_rows = 2048;  // three matrices of 8 MiB, as of a product of 1024 doubles
  Matrix<double> a{added_rows, extent};
  Matrix<double> b{added_rows, extent};
  Matrix<double> c{added_rows, extent};
  for (Matrix<double>* const each : {&a, &b, &c}) std::fill_n(each->data(), added_rows * extent, 1.0);
  const auto square = [](auto view) { return view.block(0, 0, extent, extent); };
  const auto product = kernel.multiply;
  const double product_seconds =
      least_seconds(3, [&] { product(square(a.view()), square(b.view()), square(c.view()), Update::assign); });
  const double addition_seconds = least_seconds(4, [&] { add<double>(a.view(), b.view(), c.view()); });
  constexpr auto n = static_cast<double>(extent);
  const double bytes = 3 * sizeof(double) * n * static_cast<double>(added_rows);
  return {2 * n * n * n / product_seconds, bytes / addition_seconds};
}

std::int64_t leaf_extent(const Execution& execution) {
  const std::int64_t leaf = execution.whole_or("leaf", 0);
  if (leaf != 0) return leaf;
  static const LeafRates rates = measured_rates(local_kernel("auto"));
  const int ranks = size_of(execution.communicator);
  return leaf_for(rates, sizeof(double), ranks * execution.threads) * (ranks > 1 ? 2 : 1);
}

}  // namespace duet
