#pragma once

/// What a study measures: the cells that follow from what a user asks, each checked before anything is launched. Pure
/// functions of their arguments and the registry.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "drivers/study/scaling.hpp"
#include "drivers/study/trials.hpp"

namespace duet {

/// Which of how many parts of a study (parts.hpp).
struct StudyPart {
  int number = 1;  ///< from 1
  int of = 1;
  friend bool operator==(const StudyPart&, const StudyPart&) = default;
};

/// What a user asks of a study, as understood: presets filled in.
struct StudyOptions {
  std::vector<std::string> problems;
  std::vector<Model> models;
  std::map<std::string, std::vector<std::string>> sizes;  ///< of each problem, small to large
  bool sizes_given = false;                               ///< by the user; else they are the problems' own
  std::vector<int> workers;                               ///< ascending
  std::vector<int> nodes{1};                              ///< ascending: numbers of nodes for what passes messages
  bool nodes_given = false;                               ///< by the user
  /// Weak: the problem has a size for each of `workers`, in their order, and is measured on these alone. Strong, weak:
  /// every number of workers leads (PlannedCell::leading).
  Scaling scaling = Scaling::none;
  std::map<std::string, std::string> settings;  ///< --set
  std::uint64_t seed = 1;
  bool oversubscribe = false;
  double budget_seconds = 300;
  double precision = 0.02;         ///< relative half width of an interval that is narrow enough
  double time_limit_seconds = 60;  ///< of one launch
  int rounds = 0;                  ///< exactly so many for every cell; 0: as many as precision and budget want
  StudyPart part{};                ///< the rest says what all parts have
};

/// The options in words, for study.json, and back: options_from(as_text(o)) is o. Throws std::invalid_argument that
/// names the key where a recorded option does not parse.
[[nodiscard]] std::map<std::string, std::string> as_text(const StudyOptions& options);
[[nodiscard]] StudyOptions options_from(const std::map<std::string, std::string>& text);

/// What there is to run on.
struct Resources {
  int cores = 1;  ///< of one node, that this job may use
  int numa_nodes = 1;
  int nodes = 1;
  double memory_bytes = 0;  ///< of one node
};

/// A cell, and why it is not launched, if so.
struct PlannedCell {
  Cell cell;
  std::string id;  ///< Cell::id
  /// Cells of one group are compared with one another and run next to each other: those of a problem and size, and in
  /// a weak run those of all sizes.
  std::string group;
  double size = 0;        ///< Instance::size
  double operations = 0;  ///< Work::operations
  /// The cells that the study is about: the most workers that are asked for, the most of them that one node holds, and
  /// serial; all where it asks for scaling.
  /// The others are the bases of speedups, and hybrid where it has one rank.
  bool leading = false;
  std::string refusal{};  ///< one line with the figure; empty for a cell that can be launched
};

/// 1, the powers of two below `count`, and `count`: cores or nodes.
[[nodiscard]] std::vector<int> powers_up_to(int count);

/// The worker counts of a study that names none: `powers_up_to` the cores of one node, and all cores of each number of
/// nodes.
[[nodiscard]] std::vector<int> default_workers(const Resources& resources, const std::vector<int>& nodes);

/// The numbers of nodes on which `model` runs `workers`. One for what shares state. Messages: the fewest of
/// `options.nodes` that have the cores, and the most on which the workers divide evenly, or all between where the user
/// named them (`nodes_given`); where none divides them, the fewest nodes that have the cores.
[[nodiscard]] std::vector<int> nodes_for(Model model, int workers, const StudyOptions& options,
                                         const Resources& resources);

/// How `model` divides `workers` of one node into ranks x threads. Hybrid: one rank a NUMA node, but two at the least,
/// so that there are messages, and the nearest smaller number that divides the workers evenly; below 4 workers one
/// rank, since teams of one thread would be pure message passing.
struct Shape {
  int ranks = 1;
  int threads = 1;
};
[[nodiscard]] Shape shape_of(Model model, int workers, int numa_nodes);

/// All cells of one problem at one size, in the order of models, workers and nodes. The serial model has one worker,
/// whatever is asked; in a weak run it has the smallest size alone. What shares state ends at one node: it has no cell
/// for more workers where the study has several nodes. Hybrid on several nodes has one rank each, and where that
/// differs also as many as `shape_of` says. Cells are refused for want of memory (Problem::memory
/// against `resources`). Throws std::invalid_argument for a size or setting that the problem does not allow.
[[nodiscard]] std::vector<PlannedCell> cells_of(const std::string& problem, const std::string& size,
                                                const StudyOptions& options, const Resources& resources);

/// Checks the options as a whole and plans every cell: problem by problem, size by size. Throws std::invalid_argument,
/// which names the value and what would be right, for unknown names and values, a setting that nothing in the study
/// has, more nodes than there are, more workers than cores without `oversubscribe`, and where no variant fits. Of a
/// study in parts, its own part.
[[nodiscard]] std::vector<PlannedCell> plan_cells(const StudyOptions& options, const Resources& resources);

/// 0 to count - 1 in the order in which a short budget takes sizes: the first, the last, the middle, then the middles
/// of the largest gaps.
[[nodiscard]] std::vector<std::size_t> coarse_first(std::size_t count);

/// The order of one round: the groups are shuffled, and the cells within each, so that cells which are compared run
/// next to each other, and in another order each time. The same seed and round give the same order, on every system.
[[nodiscard]] std::vector<PlannedCell> shuffled(std::vector<PlannedCell> cells, std::uint64_t seed, int round);

/// A size between two others, near their geometric mean and round in binary, so that bisection does not compare a
/// friendly size with an odd one: 736 between 512 and 1024. 0 where there is none strictly between.
[[nodiscard]] std::int64_t size_between(double below, double above);

}  // namespace duet
