#pragma once

/// The contract between a problem and whoever measures it.
///
/// A *problem* poses questions and judges answers; a *variant* answers in one model. The harness sees both through the
/// plain structs below, and nothing else:
///
///     Instance    one concrete question                  problem.pose(size, seed, parameters)
///     Placed      the instance where a model wants it    variant.place(instance, execution)     not timed, but
///     reported
///       .reset      forget the last answer                 not timed
///       .execute    answer                                 timed; repeatable; the same input each time
///       .verify     judge by independent mathematics       not timed
///
/// Under message passing every rank of execution.communicator calls each of them, in that order.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/core/execution.hpp"
#include "kernels/core/settings.hpp"
#include "kernels/core/stage_figures.hpp"
#include "kernels/core/vocabulary.hpp"

namespace duet {

/// One concrete question. `extents` are what the problem's `extent_names` name: {m, n, k} for a product.
struct Instance {
  std::vector<std::int64_t> extents;
  std::uint64_t seed = 1;
  Settings parameters;

  /// "1024" where all extents are equal, else "100x200x300".
  [[nodiscard]] std::string size_text() const;
  /// The one number that charts and crossovers use: the extent where all are equal, else their geometric mean.
  [[nodiscard]] double size() const;
};

/// What has to be done at the least, the same for every model and worker count.
struct Work {
  double operations = 0;
  std::string unit;             ///< what an operation is: "flop", "doubling step"
  double compulsory_bytes = 0;  ///< read once and written once: operands and answer
};

/// The verdict on one answer, the same on every rank.
struct Judgement {
  bool right = false;
  std::string explanation{};  ///< one line: what was found wrong, where; empty for a right answer
  double error = 0;           ///< largest error seen, in the unit of `bound`; 0 where the answer is exact
  double bound = 0;           ///< what the error may be, derived and not tuned; 0 where the answer is exact
};

/// An instance in the memory of this process, with the variant bound to it. The closures share what they own.
struct Placed {
  std::function<void()> reset;
  std::function<void()> execute;
  std::function<Judgement()> verify;
  /// A hash of the whole answer that does not depend on how it is distributed, the same on every rank: equal in every
  /// model where answers are bitwise equal. Empty function where they are equal only within a bound.
  std::function<std::string()> digest{};
  /// What was chosen at placement: the local kernel and its code path, the process grid. Recorded with every trial.
  std::map<std::string, std::string> facts{};
  /// What the stages of a pipeline did in the last execution, over all ranks and the same on each of them. Empty
  /// function for what has no stages.
  std::function<std::vector<StageFigures>()> stages{};
};

/// One problem solved in one model.
struct Variant {
  Model model = Model::serial;
  std::vector<Setting> tunables;
  /// Throws std::invalid_argument for tunables that cannot serve the instance.
  std::function<Placed(const Instance&, const Execution&)> place;
};

/// A variant for every model, where the same function places all of them.
[[nodiscard]] std::vector<Variant> variants_of_all_models(
    const std::function<std::vector<Setting>(Model)>& tunables,
    const std::function<Placed(Model, const Instance&, const Execution&)>& place);

struct Problem {
  std::string name;
  Pattern pattern = Pattern::data_decomposition;
  Workload workload = Workload::matrix;
  std::string summary;                    ///< one line, below 35 characters: "C = A B for dense matrices"
  std::vector<std::string> extent_names;  ///< {"m", "n", "k"} or {"count"}
  std::int64_t largest_extent = 0;
  std::vector<Setting> parameters;
  /// Whether an instance depends on the seed.
  bool seeded = true;
  /// The sizes that a comparison looks at first, small to large; it bisects between them.
  std::vector<std::int64_t> sizes;
  std::function<Work(const Instance&)> work;
  /// Upper estimate of the bytes that all processes of one node need together, verification included, where `ranks`
  /// ranks of `threads` threads share the node.
  std::function<double(const Instance&, Model, int ranks, int threads)> memory;
  std::vector<Variant> variants;
  /// How `ranks` ranks would divide an instance, without any of them: what is chosen and what it moves, a name and a
  /// value each. A pure function of its arguments; throws std::invalid_argument for tunables that cannot serve. Empty
  /// where nothing is chosen.
  std::function<std::vector<std::pair<std::string, std::string>>(const Instance&, const Settings& tunables,
                                                                 std::int64_t ranks)>
      plan{};

  /// Checks `size` ("1024" or "100x200x300") and the parameters. Throws std::invalid_argument that says what is right.
  [[nodiscard]] Instance pose(std::string_view size, std::uint64_t seed,
                              const std::map<std::string, std::string>& parameters) const;
  /// The variant for `model`. Throws std::invalid_argument, which lists what there is.
  [[nodiscard]] const Variant& variant(Model model) const;
};

}  // namespace duet
