#include "drivers/study/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "drivers/statistics/medians.hpp"
#include "drivers/statistics/text.hpp"
#include "drivers/study/headline.hpp"
#include "drivers/study/reasons.hpp"
#include "drivers/study/summaries.hpp"

namespace duet {
namespace {

constexpr double level = 0.95;

/// The comparable cells of one group at one size, a model each.
using Contestants = std::map<Model, const CellSummary*>;

/// All that is compared at one size.
struct Question {
  std::string size;
  double size_value = 0;
  Contestants best;                     ///< of each model: the cell with the lowest median
  std::vector<const CellSummary*> all;  ///< with every choice of tunables, ranks and threads
};

struct Contest {
  Group group;
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

/// The groups of cells, in the order of the summaries; those of one problem with the most workers first.
std::vector<Contest> contests_of(const std::vector<CellSummary>& summaries) {
  std::vector<Contest> contests;
  for (const CellSummary& summary : summaries) {
    const Group group = group_of(summary.cell);
    auto contest = std::ranges::find(contests, group, &Contest::group);
    if (contest == contests.end()) {
      contests.push_back({group, varying_parameters(summary.cell, summaries), {}});
      contest = contests.end() - 1;
    }
    auto& questions = contest->questions;
    if (questions.empty() || questions.back().size != summary.cell.size) {
      questions.push_back({summary.cell.size, summary.size, {}, {}});
    }
    if (is_comparable(summary)) questions.back().all.push_back(&summary);
  }
  for (Contest& contest : contests) {
    for (Question& question : contest.questions) {
      leave_out_oversubscribed(question.all);
      for (const CellSummary* summary : question.all) {
        const CellSummary*& best = question.best[summary->cell.model];
        if (best == nullptr || summary->seconds.estimate < best->seconds.estimate) best = summary;
      }
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
          if (question.all[i]->cell.model != question.all[j]->cell.model) ++family;
        }
      }
    }
  }
  return std::max(family, 1);
}

std::string sentence_of(const Comparison& comparison) {
  const std::string where =
      fmt::format("{} at {}{}", on_workers(comparison.workers), size_named(comparison.problem, comparison.size),
                  comparison.oversubscribed ? ", with more workers than cores" : "");
  if (comparison.significant) {
    return fmt::format("{} beats {} {} {}", name_of(comparison.faster), name_of(comparison.slower),
                       factor_text(comparison.ratio), where);
  }
  const auto [one, other] = std::minmax(comparison.faster, comparison.slower);
  const double largest = largest_difference(comparison.ratio);
  if (std::isfinite(largest)) {
    return fmt::format("no difference larger than {} can be seen between {} and {} {}", bound_text(largest),
                       name_of(one), name_of(other), where);
  }
  return fmt::format("{} cannot tell {} from {} {}: {} are needed", counted(comparison.ratio.n, "round"), name_of(one),
                     name_of(other), where, fewest_values(level));
}

/// Nothing where the two share no round or took no time.
std::optional<Comparison> compare(const Contest& contest, const Question& question, const CellSummary& one,
                                  const CellSummary& other, int family, std::uint64_t seed) {
  const CommonRounds rounds = common_rounds(one, other);
  if (rounds.first.empty()) return std::nullopt;
  const bool one_is_faster = median(rounds.first) <= median(rounds.second);
  const auto& slower_seconds = one_is_faster ? rounds.second : rounds.first;
  const auto& faster_seconds = one_is_faster ? rounds.first : rounds.second;
  const std::uint64_t own_seed = seed_for(one, other, seed);

  Comparison comparison;
  comparison.problem = contest.group.problem;
  comparison.parameters = contest.parameters;
  comparison.size = question.size;
  comparison.size_value = question.size_value;
  comparison.workers = contest.group.workers;
  comparison.faster = (one_is_faster ? one : other).cell.model;
  comparison.slower = (one_is_faster ? other : one).cell.model;
  comparison.oversubscribed = one.oversubscribed || other.oversubscribed;
  comparison.ratio = ratio_of_medians(slower_seconds, faster_seconds, level, own_seed);
  if (comparison.ratio.n == 0) return std::nullopt;
  const Interval widened =
      widened_ratio_of_medians(slower_seconds, faster_seconds, level_for_family(level, family), own_seed);
  comparison.significant = widened.low > 1 + smallest_difference;
  comparison.sentence = sentence_of(comparison);
  return comparison;
}

/// The comparisons of one question, by the pair of models, the lower one first.
using ByPair = std::map<std::pair<Model, Model>, Comparison>;

const Comparison* between(const ByPair& comparisons, Model one, Model other) {
  const auto found = comparisons.find(std::minmax(one, other));
  return found == comparisons.end() ? nullptr : &found->second;
}

/// One side of a contest: the models that share state, or those that pass messages. Several workers in one rank send
/// nothing to one another, so a hybrid cell of that shape stands for neither side: it would answer for message passing
/// with threads alone.
bool on_side(const CellSummary& summary, bool messages) {
  const Cell& cell = summary.cell;
  if (cell.model == Model::serial || passes_messages(cell.model) != messages) return false;
  return !messages || cell.ranks > 1 || cell.workers() == 1;
}

/// The model that stands for its side: measured at the most sizes, and of these the one whose distance to the side's
/// best is the least, by the median over sizes. One model for all sizes, so that noise at one size does not choose.
std::optional<Model> champion_of(const Contest& contest, bool messages) {
  std::map<Model, std::vector<double>> distances;
  for (const Question& question : contest.questions) {
    double best = INFINITY;
    for (const auto& [model, summary] : question.best) {
      if (on_side(*summary, messages)) best = std::min(best, summary->seconds.estimate);
    }
    for (const auto& [model, summary] : question.best) {
      if (on_side(*summary, messages)) distances[model].push_back(summary->seconds.estimate / best);
    }
  }
  std::optional<Model> champion;
  for (const auto& [model, of_model] : distances) {
    if (champion) {
      const auto& of_champion = distances.at(*champion);
      if (of_model.size() < of_champion.size()) continue;
      if (of_model.size() == of_champion.size() && median(of_model) >= median(of_champion)) continue;
    }
    champion = model;
  }
  return champion;
}

/// The champion, or at this size whoever beats it significantly by the most, or whoever is there in its place.
std::optional<Model> representative(const Question& question, const ByPair& comparisons, bool messages,
                                    Model champion) {
  if (!question.best.contains(champion)) {
    std::optional<Model> fastest;
    for (const auto& [model, summary] : question.best) {
      if (!on_side(*summary, messages)) continue;
      if (!fastest || summary->seconds.estimate < question.best.at(*fastest)->seconds.estimate) fastest = model;
    }
    return fastest;
  }
  Model chosen = champion;
  double by = 1;
  for (const auto& [model, summary] : question.best) {
    if (!on_side(*summary, messages) || model == champion) continue;
    const Comparison* const comparison = between(comparisons, champion, model);
    if (comparison == nullptr || !comparison->significant || comparison->faster != model) continue;
    if (comparison->ratio.estimate <= by) continue;
    by = comparison->ratio.estimate;
    chosen = model;
  }
  return chosen;
}

/// log(message passing / shared state): above 0 where shared state is faster.
double signed_log(const Comparison& comparison) {
  const double log_ratio = std::log(comparison.ratio.estimate);
  return passes_messages(comparison.faster) ? -log_ratio : log_ratio;
}

/// Sizes on a logarithmic axis; size 0 is put beside 1.
double log_size(const Comparison& comparison) { return std::log(std::max(comparison.size_value, 1.0)); }

/// The first index i in [begin, end) at which the faster side differs between comparisons i and i + 1.
std::size_t change_between(const std::vector<Comparison>& comparisons, std::size_t begin, std::size_t end) {
  const bool shared_at_begin = signed_log(comparisons[begin]) > 0;
  std::size_t i = begin;
  while (i + 1 < end && (signed_log(comparisons[i + 1]) > 0) == shared_at_begin) ++i;
  return i;
}

/// Calls act(i, j) for each i < j, significant both and nothing significant between, whose winning sides differ.
template <class Act>
void for_changes(const std::vector<Comparison>& comparisons, Act&& act) {
  std::optional<std::size_t> last;
  for (std::size_t j = 0; j < comparisons.size(); ++j) {
    if (!comparisons[j].significant) continue;
    if (last && passes_messages(comparisons[*last].faster) != passes_messages(comparisons[j].faster)) act(*last, j);
    last = j;
  }
}

Crossover crossover_between(const Verdict& verdict, std::size_t i, std::size_t j) {
  const auto& comparisons = verdict.shared_against_messages;
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
  crossover.sentence = fmt::format(
      "{} wins up to {} = {:.0f} ({}), {} from {} = {:.0f} on ({}), {}; they cross at about {} = {}",
      side_of(crossover.below), extent, crossover.last_below, name_of(crossover.below), side_of(crossover.above),
      extent, crossover.first_above, name_of(crossover.above), on_workers(verdict.workers), extent,
      rounded_within(crossover.estimate, crossover.last_below, crossover.first_above));
  return crossover;
}

/// Why: at the size where each winner wins by the most, and at the largest size.
std::vector<std::string> reasons_of(const Verdict& verdict, const Contest& contest) {
  const auto& comparisons = verdict.shared_against_messages;
  std::set<std::size_t> telling;
  for (const bool messages : {false, true}) {
    std::optional<std::size_t> most;
    for (std::size_t i = 0; i < comparisons.size(); ++i) {
      if (!comparisons[i].significant || passes_messages(comparisons[i].faster) != messages) continue;
      if (!most || comparisons[i].ratio.estimate > comparisons[*most].ratio.estimate) most = i;
    }
    if (most) telling.insert(*most);
  }
  if (!comparisons.empty()) telling.insert(comparisons.size() - 1);
  std::vector<std::string> reasons;
  for (const std::size_t i : telling) {
    const auto question = std::ranges::find(contest.questions, comparisons[i].size, &Question::size);
    const auto found = reasons_for(comparisons[i], *question->best.at(comparisons[i].faster),
                                   *question->best.at(comparisons[i].slower));
    reasons.insert(reasons.end(), found.begin(), found.end());
  }
  return reasons;
}

/// True where cells of both sides were asked for, compared or not.
bool has_both_sides(const Group& group, const std::vector<CellSummary>& summaries) {
  const auto has = [&](bool messages) {
    return std::ranges::any_of(summaries, [&](const CellSummary& summary) {
      return on_side(summary, messages) && group_of(summary.cell) == group;
    });
  };
  return has(false) && has(true);
}

Verdict verdict_of(const Contest& contest, const std::vector<ByPair>& comparisons) {
  Verdict verdict;
  verdict.problem = contest.group.problem;
  verdict.parameters = contest.parameters;
  verdict.workers = contest.group.workers;
  const std::optional<Model> shared = champion_of(contest, false);
  const std::optional<Model> messages = champion_of(contest, true);
  if (shared && messages) {
    for (std::size_t i = 0; i < contest.questions.size(); ++i) {
      const Question& question = contest.questions[i];
      const auto one = representative(question, comparisons[i], false, *shared);
      const auto other = representative(question, comparisons[i], true, *messages);
      if (!one || !other) continue;
      const Comparison* const comparison = between(comparisons[i], *one, *other);
      if (comparison != nullptr) verdict.shared_against_messages.push_back(*comparison);
    }
  }
  for_changes(verdict.shared_against_messages, [&verdict](std::size_t i, std::size_t j) {
    verdict.crossovers.push_back(crossover_between(verdict, i, j));
  });
  verdict.headline = headline_of(verdict);
  verdict.reasons = reasons_of(verdict, contest);
  return verdict;
}

}  // namespace

Analysis analyse(const SavedStudy& study, std::uint64_t seed) {
  Analysis analysis;
  analysis.cells = summarise(study.trials, seed);
  analysis.troubles = troubles_of(study.trials, analysis.cells);
  const std::vector<Contest> contests = contests_of(analysis.cells);
  const int family = family_of(contests);
  for (const Contest& contest : contests) {
    std::vector<ByPair> of_contest;
    for (const Question& question : contest.questions) {
      ByPair& by_pair = of_contest.emplace_back();
      for (auto one = question.best.begin(); one != question.best.end(); ++one) {
        for (auto other = std::next(one); other != question.best.end(); ++other) {
          const auto comparison = compare(contest, question, *one->second, *other->second, family, seed);
          if (comparison) {
            by_pair.emplace(std::pair{one->first, other->first}, *comparison);
            analysis.comparisons.push_back(*comparison);
          } else if (one->first != Model::serial) {  // the first in order; no verdict needs it
            analysis.troubles.push_back(fmt::format("{} and {} are not compared: no round has both",
                                                    one->second->cell.id(), other->second->cell.id()));
          }
        }
      }
    }
    if (has_both_sides(contest.group, analysis.cells)) analysis.verdicts.push_back(verdict_of(contest, of_contest));
  }
  // What most workers do is what a user came for: of one problem, that stands first.
  for (auto begin = analysis.verdicts.begin(); begin != analysis.verdicts.end();) {
    const auto end = std::find_if(begin, analysis.verdicts.end(), [&begin](const Verdict& verdict) {
      return verdict.problem != begin->problem || verdict.parameters != begin->parameters;
    });
    std::stable_sort(begin, end, [](const Verdict& a, const Verdict& b) { return a.workers > b.workers; });
    begin = end;
  }
  // One worker alone shares and sends nothing: a base of speedups, and a verdict only where nothing else was measured.
  std::erase_if(analysis.verdicts, [verdicts = analysis.verdicts](const Verdict& verdict) {
    return verdict.workers == 1 && std::ranges::any_of(verdicts, [&verdict](const Verdict& other) {
             return other.workers > 1 && other.problem == verdict.problem && other.parameters == verdict.parameters;
           });
  });
  analysis.scaling = scaling_curves(analysis.cells, scaling_of(study.record.options), seed);
  return analysis;
}

std::vector<Gap> open_crossovers(const Analysis& analysis, double resolution) {
  std::vector<Gap> gaps;
  for (const Verdict& verdict : analysis.verdicts) {
    const auto& comparisons = verdict.shared_against_messages;
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
