#pragma once

/// From trials to answers: who wins, by how much, from which size on, and why. Pure functions of the saved trials, so
/// that `duet report` says what `duet compare` said.
///
/// How a winner is told from noise. Two cells are compared by the rounds that both have. The interval of their ratio
/// (drivers/statistics/medians.hpp) is widened to a level at which all comparisons of the study hold together with 95 %
/// probability, and only where even then its nearer end is more than `smallest_difference` away from 1 is the
/// difference called significant. That margin stands for what all rounds of one study share and no interval can see: a
/// neighbour, a clock, a layout of memory that another study does not meet again.
///
/// What does not decide: trials with a mark other than "oversubscribed" (they are counted and set aside), cells with a
/// wrong answer, cells where nothing is left (they are troubles, "not compared: two workers shared a core"), and
/// oversubscribed cells against others.

#include <optional>
#include <string>
#include <vector>

#include "drivers/statistics/interval.hpp"
#include "drivers/study/scaling.hpp"
#include "drivers/study/trials.hpp"

namespace duet {

/// The fraction by which two models must differ at the least to be told apart.
inline constexpr double smallest_difference = 0.01;

/// What is known of one cell.
struct CellSummary {
  Cell cell;
  double size = 0;               ///< Instance::size, for axes
  std::vector<double> by_round;  ///< seconds: the median of each launch's unmarked right trials, in order of rounds
  std::vector<int> rounds;       ///< the round of each entry
  Interval seconds{};            ///< median over rounds, with its rank-based 95 % interval
  int trials = 0;                ///< right ones that count
  int set_aside = 0;             ///< right ones that are marked and do not count; not those that warm up
  bool oversubscribed = false;   ///< more workers than cores: compared only with its like
  int not_right = 0;             ///< wrong, failed, hung, refused
  std::string message{};         ///< of the first that was not right
  Outcome worst = Outcome::right;
  double operations = 0;  ///< of one trial
  double operations_per_second = 0;
  std::string unit{};
  double load_balance = 0;  ///< median over trials
  double communication_efficiency = 0;
  double parallel_efficiency = 0;
  double useful_share = 0;  ///< of the workers' time in the trial of median time: the three shares add up to 1
  double communicating_share = 0;
  double waiting_share = 0;
  std::optional<Traffic> traffic{};    ///< of the same trial
  Interval speedup_over_serial{};      ///< base: the best serial cell at this size; n = 0 where there is none
  Interval speedup_over_one_worker{};  ///< base: one worker of the same model
};

/// One model against another on the same question and the same number of workers.
struct Comparison {
  std::string problem;
  std::string parameters{};  ///< "modulus = 7": those that differ within the study; empty where none does
  std::string size;
  double size_value = 0;
  int workers = 0;
  Model faster = Model::serial;  ///< the one with the lower median; the two are not told apart where !significant
  Model slower = Model::serial;
  Interval ratio{};             ///< slower's seconds / faster's seconds: `ratio_of_medians` over the common rounds
  bool significant = false;     ///< the interval, widened for the number of comparisons made, stays clear of 1
  bool oversubscribed = false;  ///< both ran more workers than cores
  std::string sentence{};       ///< "openmp beats mpi 1.34x [1.29, 1.40] on 2 workers at n = 1024"
};

/// Where the winner of two models changes.
struct Crossover {
  std::string problem;
  std::string parameters{};  ///< as in Comparison
  int workers = 0;
  Model below = Model::serial;  ///< wins at sizes up to `last_below`
  Model above = Model::serial;  ///< wins from `first_above` on
  double last_below = 0;        ///< the largest size at which `below` wins significantly
  double first_above = 0;       ///< the smallest at which `above` does
  double estimate = 0;          ///< by interpolating log(ratio) over log(size)
  std::string sentence{};
};

/// The answer for one problem and number of workers: shared state against message passing. One worker has one only
/// where nothing else was measured.
struct Verdict {
  std::string problem;
  std::string parameters{};  ///< as in Comparison
  int workers = 0;
  std::string headline{};  ///< one sentence a person can act upon
  std::vector<Comparison>
      shared_against_messages{};  ///< the best shared model against the best message-passing one, a size each:
                                  ///< the one that is nearest to its side's best over all sizes (by the median), but
                                  ///< where another one beats it significantly
  std::vector<Crossover> crossovers{};
  std::vector<std::string> reasons{};  ///< efficiencies and booked time that say why
};

struct Analysis {
  std::vector<CellSummary> cells;
  std::vector<Comparison> comparisons;  ///< all pairs of models at equal size and workers
  std::vector<Verdict> verdicts;
  std::vector<ScalingCurve> scaling;  ///< where the study was asked for them (scaling.hpp)
  std::vector<std::string> troubles;  ///< cells that failed, hung, were wrong or refused; marked trials; differing
                                      ///< digests; cells that are not compared, and why
};

/// `seed` drives the bootstrap: the same trials and seed give the same analysis.
[[nodiscard]] Analysis analyse(const SavedStudy& study, std::uint64_t seed = 1);

/// The sizes between which the winner changes and that lie further apart than `resolution` (a ratio, 1.15 say): a study
/// measures their geometric mean next. For each verdict at most one pair, the widest. Nothing where that mean, rounded,
/// is one of the two, nor where neither of them has a significant winner: more sizes would not tell more.
struct Gap {
  std::string problem;
  std::string parameters{};  ///< as in Comparison
  int workers = 0;
  double below = 0;
  double above = 0;
};
[[nodiscard]] std::vector<Gap> open_crossovers(const Analysis& analysis, double resolution);

}  // namespace duet
