#include "kernels/mapping/matrix_batch/division.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

#include "kernels/core/mpi.hpp"
#include "kernels/mapping/schedule/assignment.hpp"

namespace duet {
namespace {

/// An item is divisible from this share of a worker's fair one on, and where it takes this long: below, starting its
/// parts costs more than is gained.
constexpr double divisible_share = 0.25;
constexpr double divisible_nanoseconds = 100'000;
/// Parts are cut at multiples of so many rows or columns, which local kernels compute at a time.
constexpr std::int64_t cut_unit = 8;
/// A part of so many rows or columns, when it is not bound, is cut again: the last quarter in two halves, which go to
/// whoever is free. On quiet cores that costs 1 %; where a neighbour takes half of one core, it is 1.3x as fast.
constexpr std::int64_t recut_extent = 512;

BatchTask whole(const MatrixBatch& batch, Range items) {
  const ItemShape& shape = batch[items.begin];
  return {items, {0, shape.m}, {0, shape.n}};
}

double nanoseconds_of(const MatrixBatch& batch, const BatchTask& task) {
  return static_cast<double>(task.items.size()) * nanoseconds_of_product(static_cast<double>(task.rows.size()),
                                                                         static_cast<double>(task.columns.size()),
                                                                         batch[task.items.begin].k);
}

/// Where the items of one shape that begin at `first` end.
std::int64_t end_of_run(const MatrixBatch& batch, std::int64_t first, std::int64_t limit) {
  std::int64_t end = first + 1;
  while (end < limit && batch[end] == batch[first]) ++end;
  return end;
}

/// Pours divisible items over those workers that have less than a level, in their order. What one worker gets too much
/// of, since parts are whole rows, all that come after get less of.
class Pouring {
 public:
  Pouring(const MatrixBatch& batch, const std::vector<double>& loads, double poured) : batch_{batch}, left_{poured} {
    const double level = level_of(loads, poured);
    for (std::size_t worker = 0; worker < loads.size(); ++worker) {
      if (loads[worker] >= level) continue;
      workers_.push_back(static_cast<int>(worker));
      loads_.push_back(loads[worker]);
      all_loads_ += loads[worker];
    }
    fill_next();
  }

  /// Cuts `item` where workers are full, and calls act(part, worker).
  template <class Act>
  void pour(std::int64_t item, Act&& act) {
    const ItemShape& shape = batch_[item];
    const bool by_rows = shape.m >= shape.n;
    const std::int64_t extent = by_rows ? shape.m : shape.n;
    const double each = duet::nanoseconds_of(shape) / static_cast<double>(extent);
    for (std::int64_t begin = 0; begin < extent;) {
      while (!is_last() && room_ < each * cut_unit / 2) fill_next();
      const std::int64_t left = extent - begin;
      std::int64_t cut = left;
      if (!is_last()) {
        const std::int64_t fitting = std::llround(room_ / each / cut_unit) * cut_unit;
        cut = std::clamp<std::int64_t>(fitting, std::min(left, cut_unit), left);
        // What would be left is not worth a part.
        if (left - cut < cut_unit) cut = left;
      }
      const Range poured{begin, begin + cut};
      act(BatchTask{{item, item + 1}, by_rows ? poured : Range{0, shape.m}, by_rows ? Range{0, shape.n} : poured},
          workers_[next_ - 1]);
      room_ -= each * static_cast<double>(cut);
      left_ -= each * static_cast<double>(cut);
      begin += cut;
    }
  }

 private:
  /// The level up to which `poured` fills the loads.
  static double level_of(std::vector<double> loads, double poured) {
    std::ranges::sort(loads);
    double below = poured;
    for (std::size_t full = 0; full < loads.size(); ++full) {
      below += loads[full];
      const double level = below / static_cast<double>(full + 1);
      if (full + 1 == loads.size() || level <= loads[full + 1]) return level;
    }
    return poured;
  }
  [[nodiscard]] bool is_last() const { return next_ == workers_.size(); }
  /// Goes on to the next worker: what is left makes an even level for it and all that come after.
  void fill_next() {
    const double level = (left_ + all_loads_) / static_cast<double>(workers_.size() - next_);
    room_ = level - loads_[next_];
    all_loads_ -= loads_[next_];
    ++next_;
  }

  const MatrixBatch& batch_;
  std::vector<int> workers_;  // below the level
  std::vector<double> loads_;
  double all_loads_ = 0;  // of workers that come after
  double left_;           // to be poured
  double room_ = 0;
  std::size_t next_ = 0;
};

class Dividing {
 public:
  Dividing(const MatrixBatch& batch, const DivisionFor& whom) : batch_{batch}, whom_{whom} {
    for (const ItemShape& shape : batch.shapes) all_ += duet::nanoseconds_of(shape);
  }

  [[nodiscard]] Division division() {
    if (whom_.schedule == Schedule::block) {
      for (int worker = 0; worker < whom_.workers; ++worker) {
        add_runs(share_of(batch_.count(), whom_.workers, worker));
        division_.workers.resize(division_.tasks.size(), worker);
      }
    } else {
      add_runs({0, batch_.count()});
      assign();
    }
    if (!whom_.bound) division_.workers.clear();
    return std::move(division_);
  }

 private:
  void add(const BatchTask& task) {
    division_.tasks.push_back(task);
    division_.nanoseconds.push_back(nanoseconds_of(batch_, task));
  }

  [[nodiscard]] bool is_divisible(const ItemShape& shape) const {
    if (!whom_.split || whom_.workers == 1 || whom_.schedule != Schedule::longest_first) return false;
    if (std::max(shape.m, shape.n) < 2 * cut_unit) return false;
    const double cost = duet::nanoseconds_of(shape);
    return cost > divisible_nanoseconds && cost > divisible_share * all_ / whom_.workers;
  }

  void add_runs(Range items) {
    const double target = std::min(piece_nanoseconds, all_ / static_cast<double>(pieces_a_worker * whom_.workers));
    for (std::int64_t first = items.begin; first < items.end;) {
      const ItemShape& shape = batch_[first];
      if (is_divisible(shape)) {
        divisible_.push_back(first);
        first += 1;
        continue;
      }
      const auto affordable = static_cast<std::int64_t>(target / duet::nanoseconds_of(shape));
      const std::int64_t most = whom_.grain > 0 ? whom_.grain : std::max<std::int64_t>(1, affordable);
      const std::int64_t end = end_of_run(batch_, first, std::min(items.end, first + most));
      add(whole(batch_, {first, end}));
      first = end;
    }
  }

  void assign() {
    if (whom_.schedule == Schedule::cyclic) {
      for (std::size_t task = 0; task < division_.tasks.size(); ++task) {
        division_.workers.push_back(static_cast<int>(task % static_cast<std::size_t>(whom_.workers)));
      }
    } else if (whom_.schedule == Schedule::longest_first) {
      division_.workers = assigned_longest_first(division_.nanoseconds, whom_.workers);
      pour();
    }
  }

  void pour() {
    if (divisible_.empty()) return;
    std::vector<double> loads(static_cast<std::size_t>(whom_.workers));
    for (std::size_t task = 0; task < division_.tasks.size(); ++task) {
      loads[static_cast<std::size_t>(division_.workers[task])] += division_.nanoseconds[task];
    }
    double poured = 0;
    for (const std::int64_t item : divisible_) poured += duet::nanoseconds_of(batch_[item]);
    Pouring pouring{batch_, loads, poured};
    for (const std::int64_t item : divisible_) {
      pouring.pour(item, [this](const BatchTask& part, int worker) {
        if (whom_.bound) {
          add(part);
          division_.workers.push_back(worker);
        } else {
          add_recut(part);
        }
      });
    }
  }

  void add_recut(const BatchTask& part) {
    const ItemShape& shape = batch_[part.items.begin];
    const bool by_rows = shape.m >= shape.n;
    const Range whole_side = by_rows ? part.rows : part.columns;
    if (whole_side.size() < recut_extent) return add(part);
    std::int64_t begin = whole_side.begin;
    for (const double until : {0.75, 0.875, 1.0}) {
      const auto cut = static_cast<std::int64_t>(until * static_cast<double>(whole_side.size()));
      const std::int64_t end =
          until == 1.0 ? whole_side.end : whole_side.begin + (cut + cut_unit - 1) / cut_unit * cut_unit;
      BatchTask piece = part;
      (by_rows ? piece.rows : piece.columns) = {begin, end};
      add(piece);
      begin = end;
    }
  }

  const MatrixBatch& batch_;
  const DivisionFor& whom_;
  double all_ = 0;
  std::vector<std::int64_t> divisible_;
  Division division_;
};

}  // namespace

DivisionFor division_for(Model model, const Execution& execution) {
  DivisionFor whom;
  whom.grain = execution.whole_or("grain", 0);
  if (model == Model::serial) {
    whom.schedule = Schedule::dynamic;
    return whom;
  }
  whom.schedule = schedule_called(execution.text_or("schedule", "longest_first"));
  whom.split = execution.text_or("split", "yes") == "yes";
  whom.workers = execution.threads;
  if (!passes_messages(model)) return whom;
  if (whom.schedule == Schedule::spawn_each) {
    throw std::invalid_argument("schedule: " + std::string{name_of(model)} + " has no spawn_each");
  }
  whom.workers *= size_of(execution.communicator);
  whom.bound =
      whom.schedule == Schedule::block || whom.schedule == Schedule::cyclic || whom.schedule == Schedule::longest_first;
  return whom;
}

Division divided(const MatrixBatch& batch, const DivisionFor& whom) {
  require_plannable(batch.count(), whom.grain, whom.workers);
  return Dividing{batch, whom}.division();
}

Plan plan_of(const Division& division, const MatrixBatch& batch, const DivisionFor& whom) {
  if (whom.schedule == Schedule::block) {
    // A block of items, not of tasks: no task reaches across.
    std::vector<std::uint32_t> starts;
    std::size_t task = 0;
    for (int worker = 0; worker < whom.workers; ++worker) {
      const std::int64_t begin = share_of(batch.count(), whom.workers, worker).begin;
      while (task < division.tasks.size() && division.tasks[task].items.begin < begin) ++task;
      starts.push_back(static_cast<std::uint32_t>(task));
    }
    starts.push_back(static_cast<std::uint32_t>(division.tasks.size()));
    return Plan::listed({}, std::move(starts), 0);
  }
  return Plan::by_cost(division.nanoseconds, whom.schedule, whom.grain > 0 ? 1 : 0, whom.workers);
}

}  // namespace duet
