#include "kernels/mapping/matrix_batch/rank_batch.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "kernels/core/first_exception.hpp"
#include "kernels/core/huge_pages.hpp"
#include "kernels/mapping/matrix_batch/shared_batch.hpp"

namespace duet {
std::vector<SharedOperand> shared_operands(const MatrixBatch& batch, const Division& division, int threads) {
  std::map<std::int64_t, SharedOperand> of_item;
  for (std::size_t task = 0; task < division.tasks.size(); ++task) {
    const BatchTask& part = division.tasks[task];
    const ItemShape& shape = batch[part.items.begin];
    if (!part.is_part_of(shape)) continue;
    SharedOperand& shared = of_item[part.items.begin];
    const bool by_rows = part.columns.size() == shape.n;
    shared.item = part.items.begin;
    shared.factor = by_rows ? Factor::b : Factor::a;
    shared.rows = by_rows ? shape.k : shape.m;
    shared.columns = by_rows ? shape.n : shape.k;
    shared.ranks.push_back(division.workers[task] / threads);
  }
  std::vector<SharedOperand> all;
  for (auto& [item, shared] : of_item) {
    std::ranges::sort(shared.ranks);
    const auto again = std::ranges::unique(shared.ranks);
    shared.ranks.erase(again.begin(), again.end());
    all.push_back(std::move(shared));
  }
  return all;
}

// Both sides go through items and slices in the same order, and messages between two ranks do not overtake each other:
// one tag is enough.
template <class Element>
void OperandExchange<Element>::start(std::span<const Mine> mine, MPI_Comm communicator, std::int64_t limit) {
  const int me = rank_in(communicator);
  const MPI_Datatype type = mpi_type<Element>();
  for (const auto& [operand, whole] : mine) {
    const std::size_t my_slice = operand.slice_of(me);
    const auto each_message = [&](std::size_t slice, auto&& act) {
      const Range rows = operand.slice(slice);
      pieces_of(
          rows.size() * operand.columns,
          [&](std::int64_t offset, int count) { act(&whole(rows.begin, 0) + offset, count); }, limit);
    };
    for (std::size_t slice = 0; slice < operand.ranks.size(); ++slice) {
      if (slice == my_slice) continue;
      const int other = operand.ranks[slice];
      each_message(slice, [&](Element* words, int count) {
        check(MPI_Irecv(words, count, type, other, 0, communicator, &requests_.emplace_back()));
      });
      each_message(my_slice, [&](const Element* words, int count) {
        check(MPI_Isend(words, count, type, other, 0, communicator, &requests_.emplace_back()));
      });
    }
  }
}

template <class Element>
bool OperandExchange<Element>::test() {
  if (requests_.empty()) return true;
  int all = 0;
  check(MPI_Testall(mpi_count(std::ssize(requests_)), requests_.data(), &all, MPI_STATUSES_IGNORE));
  if (all != 0) requests_.clear();
  return all != 0;
}

template <class Element>
void OperandExchange<Element>::finish() {
  if (requests_.empty()) return;
  check(MPI_Waitall(mpi_count(std::ssize(requests_)), requests_.data(), MPI_STATUSES_IGNORE));
  requests_.clear();
}

template <class Element>
Element* WordStore<Element>::take(std::int64_t words) {
  constexpr std::int64_t least_chunk = (std::int64_t{8} << 20U) / sizeof(Element);
  words = padded_words<Element>(1, words);
  while (chunk_ < chunks_.size() && used_ + words > chunks_[chunk_].columns()) {
    ++chunk_;
    used_ = 0;
  }
  if (chunk_ == chunks_.size()) chunks_.emplace_back(1, std::max(words, least_chunk));
  Element* const taken = chunks_[chunk_].data() + used_;
  used_ += words;
  return taken;
}

template <class Element>
void WordStore<Element>::clear() {
  chunk_ = 0;
  used_ = 0;
}

template <class Element>
RankBatch<Element>::RankBatch(const MatrixBatch& batch, Model model, const Execution& execution)
    : batch_{batch},
      communicator_{execution.communicator},
      rank_{rank_in(execution.communicator)},
      ranks_{size_of(execution.communicator)},
      threads_{execution.threads},
      whom_{division_for(model, execution)},
      division_{divided(batch, whom_)},
      plan_{whom_.bound ? Plan::in_order(0, 1) : plan_of(division_, batch, whom_)},
      shelves_(static_cast<std::size_t>(execution.threads)) {
  if (whom_.bound) {
    hold_bound_tasks();
  } else {
    hold_pieces();
  }
  fill(execution);
  reset();
  if (window_) {
    check(MPI_Win_sync(window_->get()));
    check(MPI_Barrier(communicator_));
  }
}

template <class Element>
typename RankBatch<Element>::TaskWords RankBatch<Element>::words_of(const BatchTask& its) const {
  const ItemShape& shape = batch_[its.items.begin];
  // The operand that is not cut stands once for all parts of an item on this rank.
  const bool part = its.is_part_of(shape);
  const bool by_rows = its.columns.size() == shape.n;
  return {part && !by_rows ? 0 : padded_words<Element>(its.rows.size(), shape.k),
          part && by_rows ? 0 : padded_words<Element>(shape.k, its.columns.size()),
          padded_words<Element>(its.rows.size(), its.columns.size())};
}

template <class Element>
ProductRun<Element> RankBatch<Element>::run_at(const BatchTask& its, Element* operands, Element* results) const {
  const TaskWords words = words_of(its);
  const std::int64_t m = its.rows.size();
  const std::int64_t n = its.columns.size();
  const std::int64_t k = batch_[its.items.begin].k;
  return {{operands, m, k, k}, {operands + words.a, k, n, n},
          {results, m, n, n},  words.a + words.b,
          words.a + words.b,   words.c,
          its.items.size()};
}

template <class Element>
void RankBatch<Element>::fill_task(const BatchTask& its, Element* operands, std::int64_t step) const {
  const TaskWords words = words_of(its);
  const std::int64_t k = batch_[its.items.begin].k;
  for (std::int64_t item = its.items.begin; item < its.items.end; ++item, operands += step) {
    if (words.a > 0) {
      fill_operand(batch_, item, Factor::a, its.rows.begin, 0, MatrixView<Element>{operands, its.rows.size(), k, k});
    }
    if (words.b > 0) {
      const std::int64_t n = its.columns.size();
      fill_operand(batch_, item, Factor::b, 0, its.columns.begin, MatrixView<Element>{operands + words.a, k, n, n});
    }
  }
}

// The shared operands; then one task behind the other, each product as A, B, C.
template <class Element>
void RankBatch<Element>::hold_bound_tasks() {
  std::vector<SharedOperand> shared = shared_operands(batch_, division_, threads_);
  std::erase_if(shared, [&](const SharedOperand& each) { return !std::ranges::binary_search(each.ranks, rank_); });
  std::int64_t words = 0;
  for (const SharedOperand& each : shared) words += padded_words<Element>(each.rows, each.columns);
  for (const bool parts : {false, true}) {
    for (std::size_t index = 0; index < division_.tasks.size(); ++index) {
      const BatchTask& its = division_.tasks[index];
      if (division_.workers[index] / threads_ != rank_ || its.is_part_of(batch_[its.items.begin]) != parts) continue;
      mine_.push_back({static_cast<std::int64_t>(index), {}});
      words += its.items.size() * words_of(its).all();
    }
    if (!parts) wholes_ = mine_.size();
  }
  memory_ = matrix_on_huge_pages<Element>(1, words);
  Element* at = memory_.data();
  for (SharedOperand& each : shared) {
    const MatrixView<Element> whole{at, each.rows, each.columns, each.columns};
    shared_.push_back({std::move(each), whole});
    at += padded_words<Element>(whole.rows, whole.columns);
  }
  for (std::size_t index = 0; index < mine_.size(); ++index) {
    ComputedTask<Element>& mine = mine_[index];
    const BatchTask& its = task(mine.task);
    const TaskWords each = words_of(its);
    operands_.push_back(at);
    mine.run = run_at(its, at, at + each.a + each.b);
    mine.run.a_step = mine.run.b_step = mine.run.c_step = each.all();
    at += its.items.size() * each.all();
    if (index < wholes_) continue;
    const auto of_item = std::ranges::find(shared_, its.items.begin, [](const auto& one) { return one.operand.item; });
    (of_item->operand.factor == Factor::a ? mine.run.a : mine.run.b) = of_item->whole;
  }
}

template <class Element>
void RankBatch<Element>::hold_pieces() {
  begins_.resize(static_cast<std::size_t>(plan_.pieces()));
  places_.resize(begins_.size());
  std::int64_t words = 0;
  std::int64_t of_mine = 0;
  int holder = 0;
  for (std::int64_t piece = 0; piece < plan_.pieces(); ++piece) {
    if (holder_of(piece) != holder) {
      holder = holder_of(piece);
      words = 0;
    }
    begins_[static_cast<std::size_t>(piece)] = words;
    words += operand_words(piece);
    if (holder == rank_) of_mine = words;
  }
  window_.emplace(std::max<std::int64_t>(of_mine, padded_words<Element>(1, 1)), communicator_);
  words_.emplace(communicator_);
  for (std::int64_t piece = 0; piece < plan_.pieces(); ++piece) {
    if (holder_of(piece) != rank_) continue;
    places_[static_cast<std::size_t>(piece)].operands = window_->memory() + begins_[static_cast<std::size_t>(piece)];
  }
}

template <class Element>
template <class Act>
void RankBatch<Element>::each_task_of(std::int64_t piece, Act&& act) const {
  const Range positions = plan_.piece(piece);
  for (std::int64_t position = positions.begin; position < positions.end; ++position) act(plan_.item(position));
}

template <class Element>
std::int64_t RankBatch<Element>::operand_words(std::int64_t piece) const {
  std::int64_t words = 0;
  each_task_of(piece, [&](std::int64_t index) {
    const TaskWords each = words_of(task(index));
    words += task(index).items.size() * (each.a + each.b);
  });
  return words;
}

template <class Element>
void RankBatch<Element>::fill(const Execution& execution) {
  FirstException failure;
  const std::int64_t units = whom_.bound ? std::ssize(mine_) : plan_.pieces();
#pragma omp parallel for num_threads(execution.threads) default(none) shared(failure, units) schedule(dynamic, 1)
  for (std::int64_t unit = 0; unit < units; ++unit) {
    failure.guard([&] {
      const auto at = static_cast<std::size_t>(unit);
      if (whom_.bound) {
        fill_task(task(mine_[at].task), operands_[at], words_of(task(mine_[at].task)).all());
      } else if (holder_of(unit) == rank_) {
        Element* operands = places_[at].operands;
        each_task_of(unit, [&](std::int64_t index) {
          const TaskWords each = words_of(task(index));
          fill_task(task(index), operands, each.a + each.b);
          operands += task(index).items.size() * (each.a + each.b);
        });
      }
    });
  }
  failure.rethrow();
  for (const auto& [operand, whole] : shared_) {
    const Range rows = operand.slice(operand.slice_of(rank_));
    fill_operand(batch_, operand.item, operand.factor, rows.begin, 0,
                 whole.block(rows.begin, 0, rows.size(), whole.columns));
  }
}

template <class Element>
void RankBatch<Element>::reset() {
  const auto spoil = [](Element* words, std::int64_t count) {
    std::fill_n(words, count, std::numeric_limits<Element>::quiet_NaN());
  };
  for (const ComputedTask<Element>& mine : mine_) {
    for (std::int64_t item = 0; item < mine.run.count; ++item) {
      const MatrixView<Element> c = mine.run.products(item, 1).c;
      spoil(c.data, c.rows * c.columns);
    }
  }
  for (const auto& [operand, whole] : shared_) {
    const Range rows = operand.slice(operand.slice_of(rank_));
    spoil(whole.data, rows.begin * whole.columns);
    spoil(whole.data + rows.end * whole.columns, (whole.rows - rows.end) * whole.columns);
  }
  for (Shelf& shelf : shelves_) shelf.computed.clear();
  for (std::int64_t piece = 0; piece < std::ssize(places_); ++piece) {
    Place& place = places_[static_cast<std::size_t>(piece)];
    if (holder_of(piece) != rank_) place.operands = nullptr;
    place.results = nullptr;
  }
  came_.clear();
}

template <class Element>
void RankBatch<Element>::bring(Range pieces) {
  for (std::int64_t piece = pieces.begin; piece < pieces.end; ++piece) {
    const auto at = static_cast<std::size_t>(piece);
    std::int64_t results = 0;
    each_task_of(piece, [&](std::int64_t index) { results += task(index).items.size() * words_of(task(index)).c; });
    places_[at].results = came_.take(results);
    const int holder = holder_of(piece);
    if (holder == rank_) continue;
    const std::int64_t words = operand_words(piece);
    places_[at].operands = came_.take(words);
    const MPI_Datatype type = mpi_type<Element>();
    pieces_of(words, [&](std::int64_t offset, int count) {
      check(MPI_Get(places_[at].operands + offset, count, type, holder, begins_[at] + offset, count, type,
                    window_->get()));
    });
    check(MPI_Win_flush(holder, window_->get()));
  }
}

template <class Element>
void RankBatch<Element>::multiply(Range pieces, int worker, const LocalKernel& kernel) {
  std::vector<ComputedTask<Element>>& computed = shelves_[static_cast<std::size_t>(worker)].computed;
  for (std::int64_t piece = pieces.begin; piece < pieces.end; ++piece) {
    auto [operands, results] = places_[static_cast<std::size_t>(piece)];
    each_task_of(piece, [&](std::int64_t index) {
      const ProductRun<Element> run = run_at(task(index), operands, results);
      multiply_run(kernel, run);
      computed.push_back({index, run});
      operands += run.count * run.a_step;
      results += run.count * run.c_step;
    });
  }
}

template <class Element>
double RankBatch<Element>::nanoseconds_of_piece(std::int64_t piece) const {
  double sum = 0;
  each_task_of(piece, [&](std::int64_t index) { sum += nanoseconds_of_task(index); });
  return sum;
}

template <class Element>
std::vector<ComputedTask<Element>> RankBatch<Element>::computed() const {
  std::vector<ComputedTask<Element>> all = mine_;
  for (const Shelf& shelf : shelves_) all.insert(all.end(), shelf.computed.begin(), shelf.computed.end());
  return all;
}

template class OperandExchange<double>;
template class OperandExchange<float>;
template class WordStore<double>;
template class WordStore<float>;
template class RankBatch<double>;
template class RankBatch<float>;

}  // namespace duet
