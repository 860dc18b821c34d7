#include "kernels/local_product/eigen_product.hpp"

#include <Eigen/Core>

#include "kernels/local_product/shapes.hpp"

#if !defined(EIGEN_DONT_PARALLELIZE)
#error "Eigen would start threads of its own: compile with EIGEN_DONT_PARALLELIZE"
#endif

namespace duet {
namespace {

template <class Element>
void multiply(const MatrixView<const Element>& a, const MatrixView<const Element>& b, const MatrixView<Element>& c,
              Update update) {
  check_shapes(a, b, c);
  if (c.empty()) return;
  using Dense = Eigen::Matrix<Element, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
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

void multiply_by_eigen(const ConstView& a, const ConstView& b, const View& c, Update update) {
  multiply(a, b, c, update);
}
void multiply_by_eigen(const MatrixView<const float>& a, const MatrixView<const float>& b, const MatrixView<float>& c,
                       Update update) {
  multiply(a, b, c, update);
}

std::string eigen_version() {
  return "eigen " + std::to_string(EIGEN_WORLD_VERSION) + "." + std::to_string(EIGEN_MAJOR_VERSION) + "." +
         std::to_string(EIGEN_MINOR_VERSION);
}

std::string eigen_code_path() { return Eigen::SimdInstructionSetsInUse(); }

}  // namespace duet
