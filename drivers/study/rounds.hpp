#pragma once

/// What is measured next, round by round, until everything is precise or the budget is spent. No clock and no process:
/// it is told what was measured and how long that took, so that tests run whole studies in no time, and a study that
/// was interrupted goes on from its file.
///
/// The budget goes, in this order, to
/// 1. the sizes of each problem, coarsely first (smallest, middle, largest, ...), as far as each can have its rounds:
///    the leading cells of every size, then the other worker counts at these sizes, largest and smallest first;
/// 2. `fewest_rounds` rounds of all these, the fewest that give a 95 % interval of a median; what was taken last is
///    left out again where launches turn out to take longer than was thought. A round that is set aside, because the
///    machine was disturbed, is made up for, and serial comes along, because speedups compare times of the same round;
/// 3. leading cells whose intervals, or a ratio that they take part in, are wider than `coarse_precision`, up to twice
///    their fewest rounds;
/// 4. sizes that were left out, where launches turn out to be cheaper than was thought;
/// 5. bisection in size, where the winner between sharing state and passing messages changes;
/// 6. every cell, leading or not, whose own interval is still wider than `coarse_precision`: where one launch in three
///    meets a neighbour, it takes some thirty rounds until a median's interval leaves these out; then the ratios of
///    leading cells that are;
/// 7. further rounds for cells that are still less precise than was asked for. A cell that is precise itself goes on as
///    long as a partner needs it, because ratios compare times of the same round; for the same reason the other worker
///    counts take the leading cells of their model, and serial, along.
///
/// In a study of scaling all cells lead, what must be narrow are efficiencies (scaling.hpp), and a model's worker
/// counts are measured together.

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "drivers/study/plan.hpp"
#include "drivers/study/verdict.hpp"

namespace duet {

/// The fewest rounds that give a 95 % interval of a median, whatever the distribution.
inline constexpr int fewest_rounds = 6;

/// Wider intervals than this leave a verdict open; what is narrower is a luxury that other sizes go before.
inline constexpr double coarse_precision = 0.05;

/// A cell that failed so often is not launched again.
inline constexpr int most_failures = 2;

/// Bisection stops where the sizes on both sides of a crossover are closer than this ratio.
inline constexpr double crossover_resolution = 1.15;

/// The ids of the cells of `among` whose own interval is wider than `precision`, or that have no `fewest_rounds` rounds
/// in `analysis` yet.
[[nodiscard]] std::set<std::string> cells_wider_than(const Analysis& analysis, const std::set<std::string>& among,
                                                     double precision);

/// And with them those that take part in a ratio, or an efficiency, which is not yet as narrow.
[[nodiscard]] std::set<std::string> cells_in_need(const Analysis& analysis, const std::set<std::string>& among,
                                                  double precision);

/// Repetitions of one launch: as many trials as a twentieth of a second holds, three where that is bearable, one where
/// a trial is long; a launch has one more, to warm up.
struct Repeats {
  int repeat = 20;
  double at_most = 0.1;
};
[[nodiscard]] Repeats repeats_for(double trial_seconds);

class Rounds {
 public:
  using Analyse = std::function<Analysis(const std::vector<Trial>&)>;

  /// `plan` are all cells of the sizes asked for; refused ones are left alone. `analyse` judges trials so far.
  Rounds(StudyOptions options, Resources resources, std::vector<PlannedCell> plan, Analyse analyse);

  /// One launch is over: its trials (one at least) and what it took in all.
  void note(const std::vector<Trial>& trials, double seconds);

  /// The cells of the next round, in the order to launch them, each at most once; empty when there is nothing more to
  /// measure that would fit into `seconds_left`. `number` is theirs.
  [[nodiscard]] std::vector<PlannedCell> next(double seconds_left);
  [[nodiscard]] int number() const { return round_; }
  /// A number for a round of the caller's own, beside those of `next`, which it is never given again.
  int begin_extra_round() { return ++round_; }
  /// True where `next` is empty because everything is as precise as was asked, or has its rounds.
  [[nodiscard]] bool complete() const { return complete_; }

  /// What a launch of the cell will take, warm-up and start included, as far as is known.
  [[nodiscard]] double expected_seconds(const Cell& cell) const;
  [[nodiscard]] Repeats repeats_of(const Cell& cell) const;
  /// False once the cell failed `most_failures` times.
  [[nodiscard]] bool worth_launching(const Cell& cell) const;
  /// Cells of the present plan; bisection adds to it.
  [[nodiscard]] const std::vector<PlannedCell>& plan() const { return plan_; }
  /// What was left out for want of budget, and why, a line each.
  [[nodiscard]] std::vector<std::string> warnings() const;

  /// What cannot be told from the trials: sizes that were added or left out, the round, the cost of launches.
  [[nodiscard]] nlohmann::json state() const;
  /// Takes up where `state` was written, on a fresh object of the same options and plan. `trials` are all so far.
  void resume(const nlohmann::json& state, const std::vector<Trial>& trials);

 private:
  /// The cells of one problem and size that are taken or left out together: the leading ones (workers = 0), or those of
  /// one other number of workers.
  struct Part {
    std::string problem;
    std::string size;
    int workers = 0;
    auto operator<=>(const Part&) const = default;
  };
  enum class Choice { open, taken, left_out };
  struct Known {
    int launches = 0;
    int counting = 0;  ///< rounds with a trial that is not set aside, of it and of the serial cell beside it
    int failures = 0;
    double launch_seconds = 0;  ///< of a launch in all: what the latest took and what was thought before, averaged
    double trial_seconds = 0;   ///< executing and verifying: the least of its launches' medians
    double other_seconds = 0;   ///< starting, placing, ending
  };

  [[nodiscard]] static Part part_of(const PlannedCell& planned);
  [[nodiscard]] std::vector<const PlannedCell*> cells_in(const Part& part) const;
  [[nodiscard]] const PlannedCell* nearest_known(const PlannedCell& planned) const;
  [[nodiscard]] double expected_seconds(const PlannedCell& planned) const;
  [[nodiscard]] double round_seconds(const Part& part) const;
  [[nodiscard]] double growth_of(const PlannedCell& known, const PlannedCell& other) const;
  void order_parts();
  [[nodiscard]] bool affordable(const Part& part) const;
  [[nodiscard]] std::vector<PlannedCell> opening();
  [[nodiscard]] const PlannedCell* serial_beside(const PlannedCell& planned) const;
  void count_rounds();
  [[nodiscard]] int lacking(const PlannedCell& planned, int rounds) const;
  [[nodiscard]] std::set<std::string> lacking(int rounds) const;
  [[nodiscard]] std::set<std::string> imprecise(const Analysis& analysis) const;
  [[nodiscard]] std::set<std::string> with_partners(std::set<std::string> ids) const;
  void shed(double seconds_left);
  [[nodiscard]] bool reopen(double seconds_left);
  [[nodiscard]] bool bisect(const Analysis& analysis, double seconds_left);
  [[nodiscard]] std::vector<PlannedCell> fitting(const std::set<std::string>& wanted, double seconds_left) const;
  [[nodiscard]] const Known& known(const PlannedCell& planned) const;
  [[nodiscard]] std::set<std::string> active(bool leading_only) const;

  StudyOptions options_;
  Resources resources_;
  std::vector<PlannedCell> plan_;
  std::map<std::string, PlannedCell> by_id_;
  Analyse analyse_;
  std::vector<Trial> trials_;
  std::map<std::string, Known> known_;
  std::vector<Part> parts_;  ///< in the order in which they are taken
  std::map<Part, Choice> choices_;
  std::vector<std::pair<std::string, std::string>> added_;  ///< problem and size, by bisection
  int round_ = 0;
  bool opened_ = false;
  bool complete_ = false;
};

}  // namespace duet
