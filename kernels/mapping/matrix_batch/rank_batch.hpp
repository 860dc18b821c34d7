#pragma once

/// What one rank holds of a batch: operands, results, and the ways by which operands come from other ranks.

#include <mpi.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "kernels/core/execution.hpp"
#include "kernels/core/mpi.hpp"
#include "kernels/core/view.hpp"
#include "kernels/local_product/small_product.hpp"
#include "kernels/mapping/matrix_batch/division.hpp"
#include "kernels/mapping/matrix_batch/shared_batch.hpp"
#include "kernels/mapping/schedule/rank_words.hpp"

namespace duet {

/// Where the ranks with parts of one item have the operand that all of them need: rank s of `ranks` holds the slice s
/// of its rows before the exchange, all have all of it afterwards.
struct SharedOperand {
  std::int64_t item = 0;
  Factor factor = Factor::b;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<int> ranks{};  ///< that have parts, ascending

  [[nodiscard]] Range slice(std::size_t s) const {
    return share_of(rows, std::ssize(ranks), static_cast<std::int64_t>(s));
  }
  /// The slice of a rank that is one of them.
  [[nodiscard]] std::size_t slice_of(int rank) const {
    return static_cast<std::size_t>(std::ranges::find(ranks, rank) - ranks.begin());
  }
};

/// The operands that parts share, of all items that several ranks have parts of: a pure function.
[[nodiscard]] std::vector<SharedOperand> shared_operands(const MatrixBatch& batch, const Division& division,
                                                         int threads);

/// Sends the slices of shared operands that this rank holds, and receives the others', without waiting.
template <class Element>
class OperandExchange {
 public:
  /// An operand that this rank takes part in, in memory for all of it.
  struct Mine {
    SharedOperand operand;
    MatrixView<Element> whole;
  };

  /// No message has more than `limit` elements.
  void start(std::span<const Mine> mine, MPI_Comm communicator, std::int64_t limit = largest_mpi_count);
  /// Lets messages make progress; true when all have come.
  bool test();
  void finish();

 private:
  std::vector<MPI_Request> requests_;
};

/// Memory in large pieces, kept when it is given back: the first execution pays for its pages.
template <class Element>
class WordStore {
 public:
  /// `words` elements, uninitialised, on a cache line; valid until `clear`.
  [[nodiscard]] Element* take(std::int64_t words);
  void clear();

 private:
  std::vector<Matrix<Element>> chunks_;
  std::size_t chunk_ = 0;
  std::int64_t used_ = 0;
};

template <class Element>
class RankBatch {
 public:
  /// Reserves and fills what this rank holds. Collective over execution.communicator, the same on all ranks. Tunables:
  /// schedule, grain and split. Throws std::invalid_argument for spawn_each. `batch` is kept alive by the caller.
  RankBatch(const MatrixBatch& batch, Model model, const Execution& execution);

  [[nodiscard]] const MatrixBatch& batch() const { return batch_; }
  [[nodiscard]] const Division& division() const { return division_; }
  [[nodiscard]] Schedule schedule() const { return whom_.schedule; }
  /// Whether tasks were assigned before; else they are dealt by `plan`.
  [[nodiscard]] bool bound() const { return whom_.bound; }
  [[nodiscard]] const Plan& plan() const { return plan_; }

  /// Forgets results and what came from other ranks.
  void reset();

  /// Bound tasks of this rank: those that need nothing from others, then the parts of divided items.
  [[nodiscard]] std::span<const ComputedTask<Element>> whole_tasks() const { return {mine_.data(), wholes_}; }
  [[nodiscard]] std::span<const ComputedTask<Element>> parts() const {
    return std::span<const ComputedTask<Element>>{mine_}.subspan(wholes_);
  }
  [[nodiscard]] double nanoseconds_of_task(std::int64_t task) const {
    return division_.nanoseconds[static_cast<std::size_t>(task)];
  }
  void start_exchange() { exchange_.start(shared_, communicator_); }
  bool test_exchange() { return exchange_.test(); }
  void finish_exchange() { exchange_.finish(); }

  /// Tasks that are dealt: what `deal.hpp` asks for.
  [[nodiscard]] RankWords& words() { return *words_; }
  /// Gets the operands of pieces that other ranks hold.
  void bring(Range pieces);
  /// Computes pieces as thread `worker`, with operands that are here or were brought.
  void multiply(Range pieces, int worker, const LocalKernel& kernel);
  [[nodiscard]] double nanoseconds_of_piece(std::int64_t piece) const;
  /// The rank that holds the operands of a piece.
  [[nodiscard]] int holder_of(std::int64_t piece) const {
    return static_cast<int>(owner_of(plan_.pieces(), ranks_, piece));
  }
  /// The words of A and B of a piece, filled up to cache lines.
  [[nodiscard]] std::int64_t operand_words(std::int64_t piece) const;

  /// What this rank computed.
  [[nodiscard]] std::vector<ComputedTask<Element>> computed() const;

 private:
  /// Operands and results of a piece that is not bound, while it is computed here.
  struct Place {
    Element* operands = nullptr;
    Element* results = nullptr;
  };
  /// Of one thread.
  struct alignas(64) Shelf {
    std::vector<ComputedTask<Element>> computed;
  };

  /// What a product of a task takes here, in whole cache lines.
  struct TaskWords {
    std::int64_t a = 0;
    std::int64_t b = 0;
    std::int64_t c = 0;

    [[nodiscard]] std::int64_t all() const { return a + b + c; }
  };

  void hold_bound_tasks();
  void hold_pieces();
  void fill(const Execution& execution);
  /// Fills what of the operands stands at `operands`, and `step` further for each product of a run.
  void fill_task(const BatchTask& its, Element* operands, std::int64_t step) const;
  [[nodiscard]] TaskWords words_of(const BatchTask& its) const;
  /// The views of a task whose operands stand at `operands`, product after product, and results at `results`.
  [[nodiscard]] ProductRun<Element> run_at(const BatchTask& its, Element* operands, Element* results) const;
  [[nodiscard]] const BatchTask& task(std::int64_t index) const {
    return division_.tasks[static_cast<std::size_t>(index)];
  }
  template <class Act>
  void each_task_of(std::int64_t piece, Act&& act) const;

  const MatrixBatch& batch_;
  MPI_Comm communicator_;
  int rank_;
  int ranks_;
  int threads_;
  DivisionFor whom_;
  Division division_;
  Plan plan_;
  Matrix<Element> memory_;

  std::vector<ComputedTask<Element>> mine_;  // of bound tasks
  std::vector<Element*> operands_;           // where each of them begins
  std::size_t wholes_ = 0;
  std::vector<typename OperandExchange<Element>::Mine> shared_;
  OperandExchange<Element> exchange_;

  std::optional<Window<Element>> window_;  // of tasks that are dealt
  std::optional<RankWords> words_;
  std::vector<std::int64_t> begins_;  // where a piece's operands begin in its holder's window
  std::vector<Place> places_;
  WordStore<Element> came_;
  std::vector<Shelf> shelves_;
};

}  // namespace duet
