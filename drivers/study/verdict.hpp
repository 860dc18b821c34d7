#pragma once

/// From trials to answers: who wins, by how much, from which size on, and why. Pure functions of the saved trials, so
/// that `duet report` says what `duet compare` said. Cores and nodes are two questions, with verdicts of their own:
///
///     models   sharing state against passing messages      on the same cores of one node
///     spread   messages in a node against between nodes    as many ranks and threads, on fewer and on more nodes
///     growth   few nodes against more                      the best of all models on all cores of each
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

#include <array>
#include <compare>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "drivers/statistics/interval.hpp"
#include "drivers/study/scaling.hpp"
#include "drivers/study/trials.hpp"

namespace duet {

/// The fraction by which two models must differ at the least to be told apart.
inline constexpr double smallest_difference = 0.01;

/// A cell's seconds, a median for each round.
struct RoundSeconds {
  std::vector<int> rounds;      ///< ascending
  std::vector<double> seconds;  ///< of each
};

/// What is known of one cell.
struct CellSummary {
  Cell cell;
  double size = 0;                ///< Instance::size, for axes
  RoundSeconds clean{};           ///< the median of each launch's unmarked right trials
  RoundSeconds with_disturbed{};  ///< the same over the trials of a slow canary as well
  Interval seconds{};             ///< median over rounds, with its rank-based 95 % interval
  int trials = 0;                 ///< right ones that count
  int set_aside = 0;              ///< right ones that are marked and do not count; not those that warm up
  bool oversubscribed = false;    ///< more workers than cores: compared only with its like
  int not_right = 0;              ///< wrong, failed, hung, refused
  std::string message{};          ///< of the first that was not right
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
  std::vector<StageFigures> stages{};  ///< of a pipeline: medians over the trials that count
  PipelineBound pipeline{};            ///< what binds these stages
  Interval speedup_over_serial{};      ///< base: the best serial cell at this size; n = 0 where there is none
  Interval speedup_over_one_worker{};  ///< base: one worker of the same model
};

/// What a verdict sets against each other; see above.
enum class Axis { models, spread, growth };

/// Where workers run.
struct Span {
  int nodes = 1;
  int workers = 0;  ///< in all
  friend auto operator<=>(const Span&, const Span&) = default;
};

/// One model against another on the same question. On the same span, but where nodes are compared.
struct Comparison {
  std::string problem;
  std::string parameters{};  ///< "modulus = 7": those that differ within the study; empty where none does
  std::string size;
  double size_value = 0;
  int workers = 0;               ///< of the side with more
  Model faster = Model::serial;  ///< the one with the lower median; the two are not told apart where !significant
  Model slower = Model::serial;
  std::string faster_name{};  ///< "mpi", or where nodes are compared "mpi on 2 nodes"
  std::string slower_name{};
  std::string faster_id{};  ///< Cell::id
  std::string slower_id{};
  int winner = 0;               ///< the side of `faster` in its verdict: 0 or 1, of Verdict::sides
  Interval ratio{};             ///< slower's seconds / faster's seconds: `ratio_of_medians` over the common rounds
  bool significant = false;     ///< the interval, widened for the number of comparisons made, stays clear of 1
  bool oversubscribed = false;  ///< both ran more workers than cores
  bool disturbed = false;       ///< too few clean rounds: those with a slow canary are used as well
  std::string sentence{};       ///< "openmp beats mpi 1.34x [1.29, 1.40] on 2 workers at n = 1024"
};

/// Where the winner of the two sides changes.
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

/// The answer to one question about one problem: two sides, size by size. Of `models`, one worker has a verdict only
/// where nothing else was measured.
struct Verdict {
  std::string problem;
  std::string parameters{};  ///< as in Comparison
  Axis axis = Axis::models;
  Span fewer{};     ///< nodes and workers of the first side
  Span more{};      ///< of the second; the same where models are compared
  int workers = 0;  ///< of `more`
  std::array<std::string, 2> sides{"shared state", "message passing"};
  std::string headline{};  ///< one sentence a person can act upon
  /// The best of the first side against the best of the second, a size each: the model that is nearest to its side's
  /// best over all sizes (by the median), but where another one beats it significantly.
  std::vector<Comparison> comparisons{};
  std::vector<Crossover> crossovers{};
  std::vector<std::string> reasons{};  ///< efficiencies and booked time that say why
};

/// What came of a change that may help the pipeline of a cell (pipelines.hpp).
struct TriedChange {
  Cell cell;                                    ///< without the change
  std::map<std::string, std::string> change{};  ///< tunables: "readers" is "200"
  Interval seconds{};                           ///< median over rounds with the change
  Interval gain{};        ///< seconds without / seconds with, over the rounds that have both; n = 0: none
  std::string failure{};  ///< of the change, in one line: it hung, say
};

struct Analysis {
  std::vector<CellSummary> cells;
  std::vector<Comparison> comparisons;  ///< all pairs of models at equal size and span, and across spans
  std::vector<Verdict> verdicts;
  std::vector<TriedChange> tried;     ///< of pipelines, where the study tried what may help
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
