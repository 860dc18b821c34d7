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
#include "kernels/data_decomposition/matmul/matmul.hpp"

namespace duet {

/// Fills `block` with the entries of an operand in the rows and columns `where`. The block may be empty.
using FillBlock = std::function<void(View block, const Block& where)>;

/// How the blocks are filled: `whole`, once for each operand, A first, on every rank, by the thread that places, so
/// that reading may be collective; or `in_parts`, by all threads of the team at once, as a function of the position may
/// be.
enum class Filling { whole, in_parts };

/// What `matmul` may be told in `model`.
[[nodiscard]] std::vector<Setting> matmul_tunables(Model model);

/// One product in one model. Owns A, B and C, or this rank's blocks of them: 8 (mk + kn + mn) bytes in all, divided by
/// the number of ranks.
class Multiplication {
 public:
  /// Allocates the blocks so that pages belong to the workers that will use them, and fills A and B. Collective over
  /// execution.communicator where `model` passes messages; the other models multiply in this process alone. Throws
  /// std::invalid_argument for tunables that cannot serve the product, and whatever `fill_a` and `fill_b` throw. What
  /// `execution` refers to must outlive this object.
  Multiplication(Model model, const ProductShape& shape, Execution execution, const FillBlock& fill_a,
                 const FillBlock& fill_b, Filling filling = Filling::whole);
  ~Multiplication();
  Multiplication(const Multiplication&) = delete;
  Multiplication& operator=(const Multiplication&) = delete;

  /// Forgets C: every entry is NaN.
  void reset();
  /// C = A B. Collective like the constructor.
  void execute();
  /// Judges C (see judge_product). Collective, the same on every rank.
  [[nodiscard]] Judgement verify(std::uint64_t seed);

  /// This rank's block of C, and where it stands in the whole. Blocks of different ranks are disjoint and together are
  /// all of C.
  [[nodiscard]] ConstView c() const { return c_.view(); }
  [[nodiscard]] Block c_block() const { return layout_.c_of(ranks_.rank()); }
  [[nodiscard]] const ProductLayout& layout() const { return layout_; }

  /// What was chosen: local kernel, code path, grid of ranks.
  [[nodiscard]] std::map<std::string, std::string> facts() const;

 private:
  [[nodiscard]] OwnedBlocks mine();
  void on_team(const std::function<void(int part)>& act);
  void place(Matrix<double>& operand, const Block& where, const FillBlock& fill, Filling filling);

  Model model_;
  Execution execution_;
  std::unique_ptr<TbbTeam> team_;  ///< for tbb alone
  RankGrid ranks_;
  ProductLayout layout_;
  Matrix<double> a_;
  Matrix<double> b_;
  Matrix<double> c_;
};

}  // namespace duet
