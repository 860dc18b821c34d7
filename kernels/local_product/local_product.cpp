#include "kernels/local_product/local_product.hpp"

#include <Eigen/Core>
#include <stdexcept>

namespace duet {
namespace {

void multiply_by_eigen(ConstView a, ConstView b, View c, Update update) {
  if (a.rows != c.rows || b.columns != c.columns || a.columns != b.rows) {
    throw std::invalid_argument("a product of matrices whose shapes do not fit");
  }
  if (c.empty()) return;
  using Dense = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using Stride = Eigen::OuterStride<>;
  const Eigen::Map<const Dense, 0, Stride> left{a.data, a.rows, a.columns, Stride{a.stride}};
  const Eigen::Map<const Dense, 0, Stride> right{b.data, b.rows, b.columns, Stride{b.stride}};
  Eigen::Map<Dense, 0, Stride> out{c.data, c.rows, c.columns, Stride{c.stride}};
  if (update == Update::assign) {
    out.noalias() = left * right;
  } else {
    out.noalias() += left * right;
  }
}

}  // namespace

const LocalKernel& local_kernel(std::string_view choice) {
  static const LocalKernel kernel{"eigen", "SSE2", multiply_by_eigen};
  if (choice != "auto" && choice != "eigen") {
    throw std::invalid_argument("no local kernel is called '" + std::string{choice} + "'; there are auto, eigen");
  }
  return kernel;
}

std::vector<LocalKernel> available_local_kernels() { return {local_kernel("eigen")}; }

std::vector<std::string> local_kernel_warnings() { return {}; }

std::string Calibration::text() const { return "eigen/SSE2"; }

const Calibration& calibration() {
  static const Calibration nothing{};
  return nothing;
}

}  // namespace duet
