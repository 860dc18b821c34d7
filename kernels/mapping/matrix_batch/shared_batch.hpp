#pragma once

/// A batch in the memory of one process, and its tasks as views.

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/core/view.hpp"
#include "kernels/local_product/small_product.hpp"
#include "kernels/mapping/matrix_batch/division.hpp"

namespace duet {

/// A task, with the views that it is computed on.
template <class Element>
struct ComputedTask {
  std::int64_t task = 0;
  ProductRun<Element> run{};
};

/// The tasks of a division as what the local kernel is given. Views of somebody's memory.
template <class Element>
class DividedRuns {
 public:
  /// Divides the products of `runs` for `whom`. Throws std::invalid_argument where shapes do not fit.
  DividedRuns(std::span<const ProductRun<Element>> runs, const DivisionFor& whom);

  [[nodiscard]] const Plan& plan() const { return plan_; }
  [[nodiscard]] Schedule schedule() const { return schedule_; }
  [[nodiscard]] const Division& division() const { return division_; }
  /// All tasks: whether they were computed, their memory tells.
  [[nodiscard]] std::vector<ComputedTask<Element>> computed() const;
  /// C = A B for all tasks of consecutive pieces of the plan.
  void multiply(Range pieces, const LocalKernel& kernel) const;

 private:
  Schedule schedule_;
  Division division_;
  Plan plan_;
  std::vector<ProductRun<Element>> tasks_;
};

/// The block of C, and what it takes of A and B, that `task` is of `run`; the task's items are those of the run.
template <class Element>
[[nodiscard]] ProductRun<Element> part_of(const ProductRun<Element>& run, const BatchTask& task) {
  ProductRun<Element> part = run;
  part.a = run.a.block(task.rows.begin, 0, task.rows.size(), run.a.columns);
  part.b = run.b.block(0, task.columns.begin, run.b.rows, task.columns.size());
  part.c = run.c.block(task.rows.begin, task.columns.begin, task.rows.size(), task.columns.size());
  return part;
}

/// Words that a matrix of rows x columns takes: whole cache lines, so that each begins with one.
template <class Element>
[[nodiscard]] constexpr std::int64_t padded_words(std::int64_t rows, std::int64_t columns) {
  constexpr std::int64_t line = 64 / sizeof(Element);
  return (rows * columns + line - 1) / line * line;
}

/// Operands and results of a whole batch, one item behind the other as A, B, C: what is needed together is together,
/// and equal items are a run.
template <class Element>
class SharedBatch {
 public:
  /// Reserves memory; its pages belong to nobody yet.
  explicit SharedBatch(const MatrixBatch& batch);

  /// Fills A and B of `items`, for worker and page alike.
  void fill(Range items);
  /// Every entry of C of `items` is NaN.
  void spoil(Range items);

  [[nodiscard]] const MatrixBatch& batch() const { return batch_; }
  [[nodiscard]] MatrixView<Element> a(std::int64_t item);
  [[nodiscard]] MatrixView<Element> b(std::int64_t item);
  [[nodiscard]] MatrixView<Element> c(std::int64_t item);
  /// All items, those of one shape that follow each other as one run.
  [[nodiscard]] std::vector<ProductRun<Element>> runs();

 private:
  [[nodiscard]] Element* at(std::int64_t item) { return memory_.data() + begins_[static_cast<std::size_t>(item)]; }

  const MatrixBatch& batch_;
  std::vector<std::int64_t> begins_;
  Matrix<Element> memory_;
};

}  // namespace duet
