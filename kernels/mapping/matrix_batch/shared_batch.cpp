#include "kernels/mapping/matrix_batch/shared_batch.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

#include "kernels/core/huge_pages.hpp"
#include "kernels/local_product/shapes.hpp"

namespace duet {
namespace {

template <class Element>
void require_fitting(const ProductRun<Element>& run) {
  check_shapes(run.a, run.b, run.c);
  if (std::max({run.c.rows, run.c.columns, run.a.columns}) > largest_item_extent) {
    throw std::invalid_argument("an extent of a product in a batch is at most " + std::to_string(largest_item_extent));
  }
}

template <class Element>
MatrixBatch shapes_of(std::span<const ProductRun<Element>> runs) {
  MatrixBatch batch;
  for (const ProductRun<Element>& run : runs) {
    require_fitting(run);
    const ItemShape shape{static_cast<std::int32_t>(run.c.rows), static_cast<std::int32_t>(run.c.columns),
                          static_cast<std::int32_t>(run.a.columns)};
    batch.shapes.insert(batch.shapes.end(), static_cast<std::size_t>(run.count), shape);
  }
  return batch;
}

/// The tasks of `division` as views. Items of one shape may stand in several runs: there is a task of each.
template <class Element>
std::vector<ProductRun<Element>> cut_at_runs(Division& division, std::span<const ProductRun<Element>> runs) {
  Division cut;
  std::vector<ProductRun<Element>> views;
  std::size_t run = 0;
  Range of_run{0, runs.empty() ? 0 : runs.front().count};
  for (std::size_t task = 0; task < division.tasks.size(); ++task) {
    BatchTask rest = division.tasks[task];
    // Parts of divided items come after all others.
    if (rest.items.begin < of_run.begin) {
      run = 0;
      of_run = {0, runs.front().count};
    }
    const double each = division.nanoseconds[task] / static_cast<double>(rest.items.size());
    while (!rest.items.empty()) {
      while (of_run.end <= rest.items.begin) of_run = {of_run.end, of_run.end + runs[++run].count};
      BatchTask first = rest;
      first.items.end = std::min(rest.items.end, of_run.end);
      cut.tasks.push_back(first);
      cut.nanoseconds.push_back(each * static_cast<double>(first.items.size()));
      views.push_back(part_of(runs[run].products(first.items.begin - of_run.begin, first.items.size()), first));
      rest.items.begin = first.items.end;
    }
  }
  division = std::move(cut);
  return views;
}

}  // namespace

template <class Element>
DividedRuns<Element>::DividedRuns(std::span<const ProductRun<Element>> runs, const DivisionFor& whom)
    : schedule_{whom.schedule}, plan_{Plan::in_order(0, 1)} {
  const MatrixBatch batch = shapes_of(runs);
  division_ = divided(batch, whom);
  tasks_ = cut_at_runs(division_, runs);
  plan_ = plan_of(division_, batch, whom);
}

template <class Element>
std::vector<ComputedTask<Element>> DividedRuns<Element>::computed() const {
  std::vector<ComputedTask<Element>> all;
  for (const ProductRun<Element>& run : tasks_) all.push_back({std::ssize(all), run});
  return all;
}

template <class Element>
void DividedRuns<Element>::multiply(Range pieces, const LocalKernel& kernel) const {
  const Range positions = plan_.positions(pieces);
  for (std::int64_t position = positions.begin; position < positions.end; ++position) {
    multiply_run(kernel, tasks_[static_cast<std::size_t>(plan_.item(position))]);
  }
}

template <class Element>
SharedBatch<Element>::SharedBatch(const MatrixBatch& batch) : batch_{batch} {
  std::int64_t words = 0;
  begins_.reserve(batch.shapes.size());
  for (const ItemShape& shape : batch.shapes) {
    begins_.push_back(words);
    words += padded_words<Element>(shape.m, shape.k) + padded_words<Element>(shape.k, shape.n) +
             padded_words<Element>(shape.m, shape.n);
  }
  memory_ = matrix_on_huge_pages<Element>(1, words);
}

template <class Element>
MatrixView<Element> SharedBatch<Element>::a(std::int64_t item) {
  const ItemShape& shape = batch_[item];
  return {at(item), shape.m, shape.k, shape.k};
}

template <class Element>
MatrixView<Element> SharedBatch<Element>::b(std::int64_t item) {
  const ItemShape& shape = batch_[item];
  return {at(item) + padded_words<Element>(shape.m, shape.k), shape.k, shape.n, shape.n};
}

template <class Element>
MatrixView<Element> SharedBatch<Element>::c(std::int64_t item) {
  const ItemShape& shape = batch_[item];
  return {at(item) + padded_words<Element>(shape.m, shape.k) + padded_words<Element>(shape.k, shape.n), shape.m,
          shape.n, shape.n};
}

template <class Element>
void SharedBatch<Element>::fill(Range items) {
  for (std::int64_t item = items.begin; item < items.end; ++item) {
    fill_operand(batch_, item, Factor::a, 0, 0, a(item));
    fill_operand(batch_, item, Factor::b, 0, 0, b(item));
  }
}

template <class Element>
void SharedBatch<Element>::spoil(Range items) {
  for (std::int64_t item = items.begin; item < items.end; ++item) {
    const MatrixView<Element> mine = c(item);
    std::fill_n(mine.data, mine.rows * mine.columns, std::numeric_limits<Element>::quiet_NaN());
  }
}

template <class Element>
std::vector<ProductRun<Element>> SharedBatch<Element>::runs() {
  std::vector<ProductRun<Element>> runs;
  for (std::int64_t first = 0; first < batch_.count();) {
    std::int64_t end = first + 1;
    while (end < batch_.count() && batch_[end] == batch_[first]) ++end;
    const std::int64_t step =
        end > first + 1 ? begins_[static_cast<std::size_t>(first) + 1] - begins_[static_cast<std::size_t>(first)] : 0;
    runs.push_back({a(first), b(first), c(first), step, step, step, end - first});
    first = end;
  }
  return runs;
}

template class DividedRuns<double>;
template class DividedRuns<float>;
template class SharedBatch<double>;
template class SharedBatch<float>;

}  // namespace duet
