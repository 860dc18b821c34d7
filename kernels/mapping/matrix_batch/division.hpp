#pragma once

/// How a batch is divided into tasks, before anybody works: the same in every model.
///
///     items    0 1 2 3 4 5 6 7 8 | 9 10 | 11                 C_i = A_i B_i
///     tasks   |0 1 2 3|4 5 6 7|8 | 9|10 | 11a | 11b | 11c    what one local call does
///     pieces  by a Plan over the tasks                       what a worker takes at a time
///
/// Consecutive items of one shape are one task, a run (kernels/local_product/small_product.hpp), of about 25 us: a
/// product of n = 8 takes 25 ns, and to deal it out singly would take as long. Under longest_first an item that is more
/// than a quarter of a worker's fair share is divisible: it is cut across the longer side of C into parts, blocks of
/// rows or of columns. What the parts cost beside the whole is the packing of the operand that all of them need; so
/// there are as few as even loads allow:
///
///     load                          McNaughton's rule ("Scheduling with deadlines and loss functions", 1959): when all
///       |  11a |  11b |  11c |      other tasks have been given to workers, the dearest first, each to who has least,
///       |......|      |......|      the divisible items are poured over the workers up to one level, in their order.
///       |  9   |......|  8   |      Each worker has at most one part of each but the first and the last that he meets;
///       |      |  10  |      |      all parts together are at most (items + workers - 1).
///       +------+------+------+
///         w0     w1     w2

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/core/execution.hpp"
#include "kernels/core/partition.hpp"
#include "kernels/core/vocabulary.hpp"
#include "kernels/mapping/matrix_batch/question.hpp"
#include "kernels/mapping/schedule/plan.hpp"

namespace duet {

/// Items `items` whole, all of one shape; or of one item, the block `rows` x `columns` of C.
struct BatchTask {
  Range items;
  Range rows;
  Range columns;

  [[nodiscard]] bool is_part_of(const ItemShape& shape) const {
    return rows.size() != shape.m || columns.size() != shape.n;
  }
  friend bool operator==(const BatchTask&, const BatchTask&) = default;
};

/// For whom a batch is divided.
struct DivisionFor {
  Schedule schedule = Schedule::longest_first;
  std::int64_t grain = 0;  ///< items of one shape in a task at the most; 0: about 25 us of them
  int workers = 1;
  /// Whether a task stays with the worker it is given to: under message passing its operands are there.
  bool bound = false;
  bool split = true;  ///< whether items may be divided under longest_first
};

/// What the tunables schedule, grain and split of `execution` say, for all workers of a variant in `model`. serial has
/// no schedule: one worker takes the items in their order. Throws std::invalid_argument for a schedule that the model
/// does not have.
[[nodiscard]] DivisionFor division_for(Model model, const Execution& execution);

struct Division {
  std::vector<BatchTask> tasks{};
  std::vector<double> nanoseconds{};  ///< estimated, of each task
  /// The worker of each task, where DivisionFor is bound and the schedule block, cyclic or longest_first; else empty.
  std::vector<int> workers{};
};

/// A pure function of its arguments: every rank makes the same division. Costs O(items log items) and 100 bytes a task.
/// Throws as require_plannable.
[[nodiscard]] Division divided(const MatrixBatch& batch, const DivisionFor& whom);

/// How the tasks are dealt where they are not bound.
[[nodiscard]] Plan plan_of(const Division& division, const MatrixBatch& batch, const DivisionFor& whom);

}  // namespace duet
