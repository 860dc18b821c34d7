#include "drivers/study/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "drivers/statistics/medians.hpp"
#include "drivers/statistics/text.hpp"
#include "drivers/study/headline.hpp"
#include "drivers/study/pipelines.hpp"
#include "drivers/study/reasons.hpp"
#include "drivers/study/summaries.hpp"

namespace duet {
namespace {

/// A cell stands on one of the two sides of its contest, or beside it: compared, and with no part in the verdict.
enum Side : int { first = 0, second = 1, neither = 2 };

/// Of each side and model the cell with the lowest median.
using Contestants = std::map<std::pair<Side, Model>, const CellSummary*>;

/// All that is compared at one size.
struct Question {
  std::string size;
  double size_value = 0;
  Contestants best;
  std::vector<const CellSummary*> all;  ///< with every choice of tunables, ranks and threads
};

struct Contest {
  Axis axis = Axis::models;
  Group group;                      ///< of the side with more workers
  Span fewer;                       ///< where the first side runs
  Span more;                        ///< and the second
  std::string parameters;           ///< for a person
  std::vector<Question> questions;  ///< small sizes first
};

/// "modulus = 7, seed = 2": the parameters of `cell` that have more than one value among the cells of its problem.
std::string varying_parameters(const Cell& cell, const std::vector<CellSummary>& summaries) {
  const auto varies = [&](auto&& get) {
    return std::ranges::any_of(summaries, [&](const CellSummary& other) {
      return other.cell.problem == cell.problem && get(other.cell) != get(cell);
    });
  };
  std::string text;
  const auto add = [&text](const std::string& name, const std::string& value) {
    text += (text.empty() ? "" : ", ") + name + " = " + value;
  };
  for (const auto& [name, value] : cell.parameters) {
    const auto of_cell = [&key = name](const Cell& other) {
      const auto found = other.parameters.find(key);
      return found == other.parameters.end() ? std::string{} : found->second;
    };
    if (varies(of_cell)) add(name, value);
  }
  if (varies([](const Cell& other) { return other.seed; })) add("seed", std::to_string(cell.seed));
  return text;
}

/// Oversubscribed cells stay where all are: nobody else is compared with them.
void leave_out_oversubscribed(std::vector<const CellSummary*>& cells) {
  const bool mixed = std::ranges::any_of(cells, [](const CellSummary* summary) { return !summary->oversubscribed; });
  if (mixed) std::erase_if(cells, [](const CellSummary* summary) { return summary->oversubscribed; });
}

Span span_of(const Cell& cell) { return {cell.nodes, cell.workers()}; }

/// One side of a contest. Of models: those that share state, or those that pass messages. Several workers in one rank
/// send nothing to one another, so a hybrid cell of that shape stands for neither: it would answer for message passing
/// with threads alone. Of nodes: those on fewer, or those on more.
Side side_of(const Contest& contest, const Cell& cell) {
  if (contest.axis != Axis::models) return span_of(cell) == contest.fewer ? first : second;
  if (cell.model == Model::serial) return neither;
  if (!passes_messages(cell.model)) return first;
  return cell.ranks > 1 || cell.workers() == 1 ? second : neither;
}

/// Takes `summary` into its question, which is the last one or a new one.
void add_to(Contest& contest, const CellSummary& summary) {
  auto& questions = contest.questions;
  if (questions.empty() || questions.back().size != summary.cell.size) {
    questions.push_back({summary.cell.size, summary.size, {}, {}});
  }
  if (is_comparable(summary)) questions.back().all.push_back(&summary);
}

void choose_best(Contest& contest) {
  for (Question& question : contest.questions) {
    leave_out_oversubscribed(question.all);
    for (const CellSummary* summary : question.all) {
      const CellSummary*& best = question.best[{side_of(contest, summary->cell), summary->cell.model}];
      if (best == nullptr || summary->seconds.estimate < best->seconds.estimate) best = summary;
    }
  }
}

/// The groups of cells on one span, in the order of the summaries.
std::vector<Contest> contests_of_models(const std::vector<CellSummary>& summaries) {
  std::vector<Contest> contests;
  for (const CellSummary& summary : summaries) {
    const Group group = group_of(summary.cell);
    auto contest = std::ranges::find(contests, group, &Contest::group);
    if (contest == contests.end()) {
      const Span span = span_of(summary.cell);
      contests.push_back({Axis::models, group, span, span, varying_parameters(summary.cell, summaries), {}});
      contest = contests.end() - 1;
    }
    add_to(*contest, summary);
  }
  for (Contest& contest : contests) choose_best(contest);
  return contests;
}

/// What all spans of a problem have in common.
Group without_span(const Cell& cell) {
  Group group = group_of(cell);
  group.nodes = 0;
  group.workers = 0;
  return group;
}

/// Fewer nodes against more, where both were measured. Spread: as many workers that send messages. Growth: all workers
/// of the fewest nodes against all of more nodes.
std::vector<Contest> contests_of_nodes(const std::vector<CellSummary>& summaries) {
  std::map<Group, std::set<Span>> spans;
  std::map<Group, std::set<Span>> with_messages;
  for (const CellSummary& summary : summaries) {
    if (!is_comparable(summary)) continue;
    spans[without_span(summary.cell)].insert(span_of(summary.cell));
    if (summary.cell.ranks > 1) with_messages[without_span(summary.cell)].insert(span_of(summary.cell));
  }
  std::vector<Contest> contests;
  const auto add = [&](Axis axis, const Group& group, Span fewer, Span more) {
    Contest contest{axis, group, fewer, more, {}, {}};
    contest.group.nodes = more.nodes;
    contest.group.workers = more.workers;
    std::vector<const CellSummary*> of_both;
    for (const CellSummary& summary : summaries) {
      const Span span = span_of(summary.cell);
      if (without_span(summary.cell) != group || (span != fewer && span != more)) continue;
      if (axis == Axis::spread && summary.cell.ranks == 1) continue;
      of_both.push_back(&summary);
    }
    std::ranges::stable_sort(of_both, [](const CellSummary* a, const CellSummary* b) {
      return std::tie(a->size, a->cell.size) < std::tie(b->size, b->cell.size);
    });
    contest.parameters = varying_parameters(of_both.front()->cell, summaries);
    for (const CellSummary* summary : of_both) add_to(contest, *summary);
    choose_best(contest);
    contests.push_back(std::move(contest));
  };
  for (const auto& [group, of_group] : spans) {
    std::map<int, Span> widest;  // by nodes: with the most workers
    for (const Span& span : of_group) widest[span.nodes] = span;
    for (const auto& [nodes, span] : widest) {
      const Span& fewest = widest.begin()->second;
      if (span.workers > fewest.workers) add(Axis::growth, group, fewest, span);
    }
    const std::set<Span>& sending = with_messages[group];
    for (const Span& span : sending) {
      const auto fewest =
          std::ranges::find_if(sending, [&](const Span& other) { return other.workers == span.workers; });
      if (fewest->nodes < span.nodes) add(Axis::spread, group, *fewest, span);
    }
  }
  return contests;
}

/// Of how many pairs of models with common rounds the study could have shown each: choosing the best cell of a model is
/// choosing among comparisons, so all of them count.
int family_of(const std::vector<Contest>& contests) {
  int family = 0;
  for (const Contest& contest : contests) {
    for (const Question& question : contest.questions) {
      for (std::size_t i = 0; i < question.all.size(); ++i) {
        for (std::size_t j = i + 1; j < question.all.size(); ++j) {
          const Cell& one = question.all[i]->cell;
          const Cell& other = question.all[j]->cell;
          const bool set_against_each_other = contest.axis == Axis::models
                                                  ? one.model != other.model
                                                  : side_of(contest, one) != side_of(contest, other);
          if (set_against_each_other) ++family;
        }
      }
    }
  }
  return std::max(family, 1);
}

std::string sentence_of(const Comparison& comparison, const std::string& span) {
  const std::string where = fmt::format("{} at {}{}{}", span, size_named(comparison.problem, comparison.size),
                                        comparison.oversubscribed ? ", with more workers than cores" : "",
                                        comparison.disturbed ? ", on a disturbed machine" : "");
  if (comparison.significant) {
    return fmt::format("{} beats {} {} {}", comparison.faster_name, comparison.slower_name,
                       factor_text(comparison.ratio), where);
  }
  const bool in_order =
      std::pair{comparison.faster, comparison.winner} < std::pair{comparison.slower, 1 - comparison.winner};
  const std::string& one = in_order ? comparison.faster_name : comparison.slower_name;
  const std::string& other = in_order ? comparison.slower_name : comparison.faster_name;
  const double largest = largest_difference(comparison.ratio);
  if (std::isfinite(largest)) {
    return fmt::format("no difference larger than {} can be seen between {} and {} {}", bound_text(largest), one, other,
                       where);
  }
  return fmt::format("{} cannot tell {} from {} {}: {} are needed", counted(comparison.ratio.n, "round"), one, other,
                     where, fewest_values());
}

/// "mpi", or where nodes are compared "mpi on 2 nodes".
std::string contestant_name(const Contest& contest, const Cell& cell) {
  if (contest.axis == Axis::models) return std::string{name_of(cell.model)};
  return fmt::format("{} on {}", name_of(cell.model), counted(cell.nodes, "node"));
}

/// Nothing where the two share no round or took no time.
std::optional<Comparison> compare(const Contest& contest, const Question& question, const CellSummary& one,
                                  const CellSummary& other, int family, std::uint64_t seed) {
  const CommonRounds rounds = common_rounds(one, other);
  if (rounds.first.empty()) return std::nullopt;
  const bool one_is_faster = median(rounds.first) <= median(rounds.second);
  const auto& slower_seconds = one_is_faster ? rounds.second : rounds.first;
  const auto& faster_seconds = one_is_faster ? rounds.first : rounds.second;
  const Cell& faster = (one_is_faster ? one : other).cell;
  const Cell& slower = (one_is_faster ? other : one).cell;
  const std::uint64_t own_seed = seed_for(one, other, seed);

  Comparison comparison;
  comparison.problem = contest.group.problem;
  comparison.parameters = contest.parameters;
  comparison.size = question.size;
  comparison.size_value = question.size_value;
  comparison.workers = contest.group.workers;
  comparison.faster = faster.model;
  comparison.slower = slower.model;
  comparison.faster_name = contestant_name(contest, faster);
  comparison.slower_name = contestant_name(contest, slower);
  comparison.faster_id = faster.id();
  comparison.slower_id = slower.id();
  comparison.winner = side_of(contest, faster) == second ? 1 : 0;
  comparison.oversubscribed = one.oversubscribed || other.oversubscribed;
  comparison.disturbed = rounds.disturbed;
  comparison.ratio = ratio_of_medians(slower_seconds, faster_seconds, usual_level, own_seed);
  if (comparison.ratio.n == 0) return std::nullopt;
  const Interval widened =
      widened_ratio_of_medians(slower_seconds, faster_seconds, level_for_family(usual_level, family), own_seed);
  comparison.significant = widened.low > 1 + smallest_difference;
  comparison.sentence = sentence_of(comparison, on_span(contest.axis, contest.fewer, contest.more));
  return comparison;
}

/// The comparisons of one question, by the pair of contestants, the lower one first.
using Contestant = Contestants::key_type;
using ByPair = std::map<std::pair<Contestant, Contestant>, Comparison>;

const Comparison* between(const ByPair& comparisons, const Contestant& one, const Contestant& other) {
  const auto found = comparisons.find(std::minmax(one, other));
  return found == comparisons.end() ? nullptr : &found->second;
}

/// The model that stands for its side: measured at the most sizes, and of these the one whose distance to the side's
/// best is the least, by the median over sizes. One model for all sizes, so that noise at one size does not choose.
std::optional<Contestant> champion_of(const Contest& contest, Side side) {
  std::map<Contestant, std::vector<double>> distances;
  for (const Question& question : contest.questions) {
    double best = INFINITY;
    for (const auto& [contestant, summary] : question.best) {
      if (contestant.first == side) best = std::min(best, summary->seconds.estimate);
    }
    for (const auto& [contestant, summary] : question.best) {
      if (contestant.first == side) distances[contestant].push_back(summary->seconds.estimate / best);
    }
  }
  std::optional<Contestant> champion;
  for (const auto& [contestant, of_contestant] : distances) {
    if (champion) {
      const auto& of_champion = distances.at(*champion);
      if (of_contestant.size() < of_champion.size()) continue;
      if (of_contestant.size() == of_champion.size() && median(of_contestant) >= median(of_champion)) continue;
    }
    champion = contestant;
  }
  return champion;
}

/// The champion, or at this size whoever beats it significantly by the most, or whoever is there in its place.
std::optional<Contestant> representative(const Question& question, const ByPair& comparisons, Side side,
                                         const Contestant& champion) {
  if (!question.best.contains(champion)) {
    std::optional<Contestant> fastest;
    for (const auto& [contestant, summary] : question.best) {
      if (contestant.first != side) continue;
      if (!fastest || summary->seconds.estimate < question.best.at(*fastest)->seconds.estimate) fastest = contestant;
    }
    return fastest;
  }
  Contestant chosen = champion;
  double by = 1;
  for (const auto& [contestant, summary] : question.best) {
    if (contestant.first != side || contestant == champion) continue;
    const Comparison* const comparison = between(comparisons, champion, contestant);
    if (comparison == nullptr || !comparison->significant || comparison->faster != contestant.second) continue;
    if (comparison->ratio.estimate <= by) continue;
    by = comparison->ratio.estimate;
    chosen = contestant;
  }
  return chosen;
}

/// log(second side / first side): above 0 where the first is faster.
double signed_log(const Comparison& comparison) {
  const double log_ratio = std::log(comparison.ratio.estimate);
  return comparison.winner == second ? -log_ratio : log_ratio;
}

/// Sizes on a logarithmic axis; size 0 is put beside 1.
double log_size(const Comparison& comparison) { return std::log(std::max(comparison.size_value, 1.0)); }

/// The first index i in [begin, end) at which the faster side differs between comparisons i and i + 1.
std::size_t change_between(const std::vector<Comparison>& comparisons, std::size_t begin, std::size_t end) {
  const bool first_at_begin = signed_log(comparisons[begin]) > 0;
  std::size_t i = begin;
  while (i + 1 < end && (signed_log(comparisons[i + 1]) > 0) == first_at_begin) ++i;
  return i;
}

/// Calls act(i, j) for each i < j, significant both and nothing significant between, whose winning sides differ.
template <class Act>
void for_changes(const std::vector<Comparison>& comparisons, Act&& act) {
  std::optional<std::size_t> last;
  for (std::size_t j = 0; j < comparisons.size(); ++j) {
    if (!comparisons[j].significant) continue;
    if (last && comparisons[*last].winner != comparisons[j].winner) act(*last, j);
    last = j;
  }
}

Crossover crossover_between(const Verdict& verdict, std::size_t i, std::size_t j) {
  const auto& comparisons = verdict.comparisons;
  Crossover crossover;
  crossover.problem = verdict.problem;
  crossover.parameters = verdict.parameters;
  crossover.workers = verdict.workers;
  crossover.below = comparisons[i].faster;
  crossover.above = comparisons[j].faster;
  crossover.last_below = comparisons[i].size_value;
  crossover.first_above = comparisons[j].size_value;

  const std::size_t k = change_between(comparisons, i, j);
  const double here = signed_log(comparisons[k]);
  const double there = signed_log(comparisons[k + 1]);
  const double share = here == there ? 0.5 : here / (here - there);
  crossover.estimate =
      std::exp(log_size(comparisons[k]) + share * (log_size(comparisons[k + 1]) - log_size(comparisons[k])));

  const std::string extent = extent_name(verdict.problem);
  const auto side = [&verdict](const Comparison& comparison) {
    return verdict.sides.at(static_cast<std::size_t>(comparison.winner));
  };
  crossover.sentence = fmt::format(
      "{} wins up to {} = {:.0f} ({}), {} from {} = {:.0f} on ({}), {}; they cross at about {} = {}",
      side(comparisons[i]), extent, crossover.last_below, comparisons[i].faster_name, side(comparisons[j]), extent,
      crossover.first_above, comparisons[j].faster_name, on_span(verdict.axis, verdict.fewer, verdict.more), extent,
      rounded_within(crossover.estimate, crossover.last_below, crossover.first_above));
  return crossover;
}

/// Why: at the size where each winner wins by the most, and at the largest size.
std::vector<std::string> reasons_of(const Verdict& verdict, const Contest& contest) {
  const auto& comparisons = verdict.comparisons;
  std::set<std::size_t> telling;
  for (const int side : {0, 1}) {
    std::optional<std::size_t> most;
    for (std::size_t i = 0; i < comparisons.size(); ++i) {
      if (!comparisons[i].significant || comparisons[i].winner != side) continue;
      if (!most || comparisons[i].ratio.estimate > comparisons[*most].ratio.estimate) most = i;
    }
    if (most) telling.insert(*most);
  }
  if (!comparisons.empty()) telling.insert(comparisons.size() - 1);
  std::vector<std::string> reasons;
  for (const std::size_t i : telling) {
    const auto question = std::ranges::find(contest.questions, comparisons[i].size, &Question::size);
    const auto called = [&](const std::string& id) -> const CellSummary& {
      return **std::ranges::find(question->all, id, [](const CellSummary* summary) { return summary->cell.id(); });
    };
    const auto found = reasons_for(comparisons[i], called(comparisons[i].faster_id), called(comparisons[i].slower_id));
    reasons.insert(reasons.end(), found.begin(), found.end());
  }
  return reasons;
}

/// True where cells of both sides were asked for, compared or not.
bool has_both_sides(const Contest& contest, const std::vector<CellSummary>& summaries) {
  if (contest.axis != Axis::models) return true;
  const auto has = [&](Side side) {
    return std::ranges::any_of(summaries, [&](const CellSummary& summary) {
      return side_of(contest, summary.cell) == side && group_of(summary.cell) == contest.group;
    });
  };
  return has(first) && has(second);
}

/// A contest with its comparisons, a question each.
struct Judged {
  Contest contest;
  std::vector<ByPair> comparisons;
};

Verdict verdict_of(const Judged& judged) {
  const Contest& contest = judged.contest;
  Verdict verdict;
  verdict.problem = contest.group.problem;
  verdict.parameters = contest.parameters;
  verdict.axis = contest.axis;
  verdict.fewer = contest.fewer;
  verdict.more = contest.more;
  verdict.workers = contest.group.workers;
  verdict.sides = sides_of(contest.axis, contest.fewer, contest.more);
  const std::optional<Contestant> one_champion = champion_of(contest, first);
  const std::optional<Contestant> other_champion = champion_of(contest, second);
  if (one_champion && other_champion) {
    for (std::size_t i = 0; i < contest.questions.size(); ++i) {
      const Question& question = contest.questions[i];
      const auto one = representative(question, judged.comparisons[i], first, *one_champion);
      const auto other = representative(question, judged.comparisons[i], second, *other_champion);
      if (!one || !other) continue;
      const Comparison* const comparison = between(judged.comparisons[i], *one, *other);
      if (comparison != nullptr) verdict.comparisons.push_back(*comparison);
    }
  }
  for_changes(verdict.comparisons, [&verdict](std::size_t i, std::size_t j) {
    verdict.crossovers.push_back(crossover_between(verdict, i, j));
  });
  verdict.headline = headline_of(verdict);
  verdict.reasons = reasons_of(verdict, contest);
  return verdict;
}

/// Of models, what most workers do is what a user came for: of one problem, that stands first. Then what more nodes
/// bring, and what it costs to send between them.
void put_in_order(std::vector<Verdict>& verdicts) {
  for (auto begin = verdicts.begin(); begin != verdicts.end();) {
    const auto key = [](const Verdict& verdict) { return std::tie(verdict.problem, verdict.parameters); };
    const auto others = std::stable_partition(
        begin, verdicts.end(), [&, mine = *begin](const Verdict& verdict) { return key(verdict) == key(mine); });
    std::stable_sort(begin, others, [](const Verdict& a, const Verdict& b) {
      const auto rank = [](Axis axis) { return axis == Axis::models ? 0 : axis == Axis::growth ? 1 : 2; };
      return std::tuple{rank(a.axis), -a.workers, -a.more.nodes} < std::tuple{rank(b.axis), -b.workers, -b.more.nodes};
    });
    begin = others;
  }
  // One worker alone shares and sends nothing: a base of speedups, and a verdict only where nothing else was measured.
  std::erase_if(verdicts, [all = verdicts](const Verdict& verdict) {
    return verdict.workers == 1 && std::ranges::any_of(all, [&verdict](const Verdict& other) {
             return other.workers > 1 && other.problem == verdict.problem && other.parameters == verdict.parameters;
           });
  });
}

}  // namespace

Analysis analyse(const SavedStudy& study, std::uint64_t seed) {
  Analysis analysis;
  analysis.cells = summarise(study.trials, seed);
  analysis.troubles = troubles_of(study.trials, analysis.cells);
  std::vector<Contest> contests = contests_of_models(analysis.cells);
  std::ranges::move(contests_of_nodes(analysis.cells), std::back_inserter(contests));
  const int family = family_of(contests);
  for (Contest& contest : contests) {
    Judged judged{std::move(contest), {}};
    for (const Question& question : judged.contest.questions) {
      ByPair& by_pair = judged.comparisons.emplace_back();
      for (auto one = question.best.begin(); one != question.best.end(); ++one) {
        for (auto other = std::next(one); other != question.best.end(); ++other) {
          const auto comparison = compare(judged.contest, question, *one->second, *other->second, family, seed);
          if (comparison) {
            by_pair.emplace(std::pair{one->first, other->first}, *comparison);
            // Those of one span are compared in the contest of its models.
            const bool own = judged.contest.axis == Axis::models || one->first.first != other->first.first;
            if (own) analysis.comparisons.push_back(*comparison);
          } else if (judged.contest.axis == Axis::models && one->first.first != neither &&
                     other->first.first != neither) {  // no verdict needs the others
            analysis.troubles.push_back(fmt::format("{} and {} are not compared: no round has both",
                                                    one->second->cell.id(), other->second->cell.id()));
          }
        }
      }
    }
    if (has_both_sides(judged.contest, analysis.cells)) analysis.verdicts.push_back(verdict_of(judged));
  }
  const auto disturbed = std::ranges::count_if(analysis.comparisons, &Comparison::disturbed);
  if (disturbed > 0) {
    analysis.troubles.push_back(fmt::format(
        "disturbed rounds are used as well in {} of {} comparisons: fewer than {} clean ones have both sides",
        disturbed, analysis.comparisons.size(), fewest_values()));
  }
  put_in_order(analysis.verdicts);
  analysis.tried = tried_changes(study.trials, seed);
  for (const TriedChange& tried : analysis.tried) {
    if (tried.failure.empty()) continue;
    analysis.troubles.push_back(
        fmt::format("{}: tried {}: {}", tried.cell.id(), settings_text(tried.change), tried.failure));
  }
  analysis.scaling = scaling_curves(analysis.cells, scaling_of(study.record.options), seed);
  return analysis;
}

std::vector<Gap> open_crossovers(const Analysis& analysis, double resolution) {
  std::vector<Gap> gaps;
  for (const Verdict& verdict : analysis.verdicts) {
    const auto& comparisons = verdict.comparisons;
    std::optional<Gap> widest;
    for_changes(comparisons, [&](std::size_t i, std::size_t j) {
      const std::size_t k = change_between(comparisons, i, j);
      const Comparison& below = comparisons[k];
      const Comparison& above = comparisons[k + 1];
      if (!below.significant && !above.significant) return;
      const double factor = above.size_value / std::max(below.size_value, 1.0);
      const double middle = std::round(std::sqrt(std::max(below.size_value, 1.0) * above.size_value));
      if (factor <= resolution || middle <= below.size_value || middle >= above.size_value) return;
      if (widest && factor <= widest->above / std::max(widest->below, 1.0)) return;
      widest = Gap{verdict.problem, verdict.parameters, verdict.workers, below.size_value, above.size_value};
    });
    if (widest) gaps.push_back(*widest);
  }
  return gaps;
}

}  // namespace duet
