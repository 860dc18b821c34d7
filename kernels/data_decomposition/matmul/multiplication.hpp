#pragma once

/// A product in the memory of the processes that compute it: placed where a model wants it, computed, judged, handed
/// out. The problem "matmul" fills it with random numbers, `duet multiply` from files.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kernels/core/execution.hpp"
#include "kernels/core/problem.hpp"
#include "kernels/core/view.hpp"
#include "kernels/core/vocabulary.hpp"
#include "kernels/data_decomposition/matmul/grid_plan.hpp"
#include "kernels/data_decomposition/matmul/matmul.hpp"

namespace duet {

/// Fills `block` with the entries of an operand in the rows and columns `where`. The block may be empty.
template <class Element>
using FillBlockOf = std::function<void(MatrixView<Element> block, const Block& where)>;
using FillBlock = FillBlockOf<double>;

/// How the blocks are filled: `whole`, once for each operand, A first, on every rank, by the thread that places, so
/// that reading may be collective; or `in_parts`, by all threads of the team at once, as a function of the position may
/// be.
enum class Filling { whole, in_parts };

/// What `matmul` may be told in `model`.
[[nodiscard]] std::vector<Setting> matmul_tunables(Model model);

/// What `grid`, `layers`, `memory`, `aim` and `panel` among `tunables` ask of a plan; presets where they are not set.
[[nodiscard]] PlanLimits limits_of(const Settings& tunables, std::int64_t element_bytes);

/// One product in one model. Owns A, B and C, or this rank's blocks of them: 8 (mk + kn + mn) bytes in all, 4 for each
/// float, divided by the number of ranks.
template <class Element>
class MultiplicationOf {
 public:
  /// Allocates the blocks so that pages belong to the workers that will use them, and fills A and B. Collective over
  /// execution.communicator where `model` passes messages; the other models multiply in this process alone. Throws
  /// std::invalid_argument for tunables that cannot serve the product, and whatever `fill_a` and `fill_b` throw. What
  /// `execution` refers to must outlive this object.
  MultiplicationOf(Model model, const ProductShape& shape, Execution execution, const FillBlockOf<Element>& fill_a,
                   const FillBlockOf<Element>& fill_b, Filling filling = Filling::whole);
  ~MultiplicationOf();
  MultiplicationOf(const MultiplicationOf&) = delete;
  MultiplicationOf& operator=(const MultiplicationOf&) = delete;

  /// Forgets C: every entry is NaN.
  void reset();
  /// C = A B. Collective like the constructor.
  void execute();
  /// Judges C (see judge_product). Collective, the same on every rank.
  [[nodiscard]] Judgement verify(std::uint64_t seed);

  /// This rank's block of C, and where it stands in the whole. Blocks of different ranks are disjoint and together are
  /// all of C.
  [[nodiscard]] MatrixView<const Element> c() const { return c_.view(); }
  [[nodiscard]] Block c_block() const { return layout_.c_of(ranks_.rank()); }
  [[nodiscard]] const ProductLayout& layout() const { return layout_; }

  /// What was chosen: local kernel, code path, grid of ranks.
  [[nodiscard]] std::map<std::string, std::string> facts() const;

 private:
  [[nodiscard]] OwnedBlocksOf<Element> mine();
  enum class Cut { rows, columns };  ///< what threads share of an operand's pages
  void place(Matrix<Element>& operand, const Block& where, Cut cut, const FillBlockOf<Element>& fill, Filling filling);

  Model model_;
  Execution execution_;
  std::unique_ptr<TbbTeam> team_;  ///< for tbb alone
  RankGrid ranks_;
  ProductLayout layout_;
  Matrix<Element> a_;
  Matrix<Element> b_;
  Matrix<Element> c_;
};
using Multiplication = MultiplicationOf<double>;

}  // namespace duet
