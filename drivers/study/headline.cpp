#include "drivers/study/headline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>
#include <vector>

#include "drivers/statistics/medians.hpp"
#include "drivers/statistics/text.hpp"
#include "drivers/study/summaries.hpp"

namespace duet {
namespace {

using Comparisons = std::vector<const Comparison*>;

/// What became of one size: one of the two sides won it, or neither.
enum class State { first, second, even };

State state_of(const Comparison& comparison) {
  if (!comparison.significant) return State::even;
  return comparison.winner == 0 ? State::first : State::second;
}

Comparisons those_with(const std::vector<Comparison>& all, State state) {
  Comparisons found;
  for (const Comparison& comparison : all) {
    if (state_of(comparison) == state) found.push_back(&comparison);
  }
  return found;
}

std::string capitalised(std::string_view text) {
  std::string copy{text};
  copy[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(copy[0])));
  return copy;
}

std::string listed(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == words.size() ? " and " : ", ") + words[i];
  }
  return text;
}

/// "n = 64 to 256 and 1024": those of `some` among `all`, three neighbours and more joined.
std::string sizes_of(const Comparisons& some, const std::vector<Comparison>& all) {
  std::vector<std::string> runs;
  for (std::size_t i = 0; i < some.size();) {
    std::size_t j = i;
    while (j + 1 < some.size() && some[j + 1] - some[j] == 1) ++j;
    if (j < i + 2) {
      j = i;
      runs.push_back(some[i]->size);
    } else {
      runs.push_back(some[i]->size + " to " + some[j]->size);
    }
    i = j + 1;
  }
  const bool named = std::ranges::none_of(
      all, [](const Comparison& comparison) { return comparison.size.find('x') != std::string::npos; });
  return (named ? extent_name(all.front().problem) + " = " : "") + listed(runs);
}

/// "openmp" or "openmp or tbb": the models that `get` takes from the comparisons, with their names.
template <class Get>
std::string models_in(const Comparisons& comparisons, Get&& get) {
  std::set<std::pair<Model, std::string>> models;
  for (const Comparison* comparison : comparisons) models.insert(get(*comparison));
  std::string text;
  for (const auto& [model, name] : models) text += (text.empty() ? "" : " or ") + name;
  return text;
}

std::string winners(const Comparisons& comparisons) {
  return models_in(comparisons, [](const Comparison& comparison) {
    return std::pair{comparison.faster, comparison.faster_name};
  });
}
std::string losers(const Comparisons& comparisons) {
  return models_in(comparisons, [](const Comparison& comparison) {
    return std::pair{comparison.slower, comparison.slower_name};
  });
}

const Comparison& largest_in(const Comparisons& comparisons) {
  return **std::ranges::max_element(comparisons, {},
                                    [](const Comparison* comparison) { return comparison->ratio.estimate; });
}

/// "openmp 1.05x to 3.20x faster than mpi", with the interval where there is one size only.
std::string by_how_much(const Comparisons& won) {
  if (won.size() == 1) {
    return fmt::format("{} {} faster than {}", winners(won), factor_text(won[0]->ratio), losers(won));
  }
  const auto [least, most] =
      std::ranges::minmax(won, {}, [](const Comparison* comparison) { return comparison->ratio.estimate; });
  const std::string low = factor_text(least->ratio.estimate);
  const std::string high = factor_text(most->ratio.estimate);
  return fmt::format("{} {} faster than {}", winners(won), low == high ? low : low + " to " + high, losers(won));
}

/// "mpi up to 1.22x faster than openmp (n = 4096)"
std::string at_most(const Comparisons& won) {
  const Comparison& largest = largest_in(won);
  return fmt::format("{} up to {} faster than {} ({})", largest.faster_name, factor_text(largest.ratio.estimate),
                     largest.slower_name, size_named(largest.problem, largest.size));
}

double largest_difference_in(const Comparisons& comparisons) {
  double largest = 0;
  for (const Comparison* comparison : comparisons) {
    largest = std::max(largest, largest_difference(comparison->ratio));
  }
  return largest;
}

/// What is said of sizes without a winner.
std::string undecided(const Comparisons& even) {
  const double largest = largest_difference_in(even);
  if (std::isfinite(largest)) return fmt::format("no difference larger than {} can be seen", bound_text(largest));
  int rounds = even.front()->ratio.n;
  for (const Comparison* comparison : even) rounds = std::min(rounds, comparison->ratio.n);
  return fmt::format("{} tell nothing yet, {} are needed", counted(rounds, "round"), fewest_values());
}

/// The name of the side that won, or wins from there on.
const std::string& side(const Verdict& verdict, int winner) {
  return verdict.sides.at(static_cast<std::size_t>(winner));
}

std::string one_sided(const Verdict& verdict, const Comparisons& won, const Comparisons& even,
                      const std::string& where) {
  const auto& all = verdict.comparisons;
  const std::string winner = capitalised(side(verdict, won.front()->winner));
  if (all.size() == 1) {
    return fmt::format("{} wins {} at {}: {}", winner, where, sizes_of(won, all), by_how_much(won));
  }
  if (even.empty()) return fmt::format("{} wins at every size measured {}: {}", winner, where, by_how_much(won));
  return fmt::format("{} wins at {} {}: {}; at {} {}", winner, sizes_of(won, all), where, by_how_much(won),
                     sizes_of(even, all), undecided(even));
}

std::string two_sided(const Verdict& verdict, const Comparisons& one, const Comparisons& other,
                      const std::string& where) {
  const auto& all = verdict.comparisons;
  if (verdict.crossovers.size() == 1) {
    const Crossover& crossover = verdict.crossovers.front();
    const bool one_below = one.front()->size_value <= crossover.last_below;
    return fmt::format(
        "{} wins from about {} = {} on, {} below, {}: {}, {}", capitalised(side(verdict, one_below ? 1 : 0)),
        extent_name(verdict.problem), rounded_within(crossover.estimate, crossover.last_below, crossover.first_above),
        side(verdict, one_below ? 0 : 1), where, at_most(one_below ? one : other), at_most(one_below ? other : one));
  }
  return fmt::format("The winner changes {} with the size {}: {} wins at {} ({}), {} at {} ({})",
                     counted(static_cast<long long>(verdict.crossovers.size()), "time"), where, side(verdict, 0),
                     sizes_of(one, all), at_most(one), side(verdict, 1), sizes_of(other, all), at_most(other));
}

}  // namespace

std::string headline_of(const Verdict& verdict) {
  const auto& all = verdict.comparisons;
  const bool oversubscribed = std::ranges::any_of(all, &Comparison::oversubscribed);
  const std::string where =
      on_span(verdict.axis, verdict.fewer, verdict.more) + (oversubscribed ? " (more workers than cores)" : "");
  const std::string condition = verdict.parameters.empty() ? "" : verdict.parameters + ": ";
  const std::string both = verdict.sides[0] + " and " + verdict.sides[1];
  if (all.empty()) return fmt::format("{}No verdict {}: no size has both {} to compare", condition, where, both);
  const Comparisons one = those_with(all, State::first);
  const Comparisons other = those_with(all, State::second);
  const Comparisons even = those_with(all, State::even);
  if (!one.empty() && !other.empty()) return condition + two_sided(verdict, one, other, where);
  if (!one.empty()) return condition + one_sided(verdict, one, even, where);
  if (!other.empty()) return condition + one_sided(verdict, other, even, where);
  if (!std::isfinite(largest_difference_in(even))) {
    return fmt::format("{}No verdict yet between {} {}: {}", condition, both, where, undecided(even));
  }
  return fmt::format("{}{} are even {}: {} at {}", condition, capitalised(both), where, undecided(even),
                     all.size() == 1 ? sizes_of(even, all) : "any size measured");
}

std::array<std::string, 2> sides_of(Axis axis, Span fewer, Span more) {
  const auto nodes = [](int count) { return count == 1 ? std::string{"one node"} : counted(count, "node"); };
  switch (axis) {
    case Axis::models:
      break;
    case Axis::spread:
      return {"keeping to " + nodes(fewer.nodes), "spreading over " + nodes(more.nodes)};
    case Axis::growth:
      return {"staying on " + nodes(fewer.nodes), "taking " + nodes(more.nodes)};
  }
  return {"shared state", "message passing"};
}

std::string on_workers(int workers) { return "on " + counted(workers, "worker"); }

std::string on_span(Axis axis, Span fewer, Span more) {
  if (axis == Axis::growth) return fmt::format("on {} against {}", counted(more.workers, "worker"), fewer.workers);
  if (axis == Axis::models && more.nodes > 1)
    return fmt::format("{} of {} nodes", on_workers(more.workers), more.nodes);
  return on_workers(more.workers);
}

std::string rounded_within(double value, double low, double high) {
  if (!(value > 0)) return "0";
  for (double unit = std::pow(10, std::floor(std::log10(value)) - 1); unit > 1; unit /= 10) {
    const double rounded = std::round(value / unit) * unit;
    if (low <= rounded && rounded <= high) return fmt::format("{:.0f}", rounded);
  }
  return fmt::format("{:.0f}", value);
}

}  // namespace duet
