#include "drivers/study/summaries.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <tuple>

#include "drivers/statistics/medians.hpp"
#include "drivers/statistics/scaling.hpp"
#include "drivers/statistics/text.hpp"
#include "drivers/study/pipelines.hpp"
#include "kernels/registry.hpp"

namespace duet {
namespace {

/// Tells cells apart exactly, also where their ids are equal (a study of two seeds).
std::string identity_of(const Cell& cell) { return nlohmann::json(cell).dump(); }

/// Right, and with no other marks than these: any other sets a trial aside, unknown ones of other versions too. What is
/// doubtful does not decide.
bool is_right_but_for(const Trial& trial, std::initializer_list<std::string_view> marks) {
  return trial.outcome == Outcome::right && std::ranges::all_of(trial.marks, [&](const std::string& mark) {
           return std::ranges::find(marks, mark) != marks.end();
         });
}

/// How bad an outcome is for the user who relies on answers; the order of the enumeration is another.
int badness(Outcome outcome) {
  constexpr std::array<Outcome, 5> from_good_to_bad{Outcome::right, Outcome::refused, Outcome::failed, Outcome::hung,
                                                    Outcome::wrong};
  return static_cast<int>(std::ranges::find(from_good_to_bad, outcome) - from_good_to_bad.begin());
}

template <class Get>
double median_over(const std::vector<const Trial*>& trials, Get&& get) {
  std::vector<double> values;
  values.reserve(trials.size());
  for (const Trial* trial : trials) values.push_back(get(*trial));
  return median(values);
}

/// The median of each launch, then of the launches of one round, which is one but where a study was resumed.
RoundSeconds by_rounds(const std::vector<const Trial*>& trials) {
  RoundSeconds medians;
  std::map<int, std::map<int, std::vector<double>>> by_round_and_launch;
  for (const Trial* trial : trials) by_round_and_launch[trial->round][trial->launch].push_back(trial->seconds);
  for (const auto& [round, launches] : by_round_and_launch) {
    std::vector<double> of_launches;
    for (const auto& [launch, seconds] : launches) of_launches.push_back(median(seconds));
    medians.rounds.push_back(round);
    medians.seconds.push_back(median(of_launches));
  }
  return medians;
}

/// What was moved and where the workers' time went, in the one trial whose time is the (lower) median.
void book_typical(CellSummary& summary, std::vector<const Trial*> trials) {
  const auto middle = trials.begin() + static_cast<std::ptrdiff_t>((trials.size() - 1) / 2);
  std::ranges::nth_element(trials, middle, {}, &Trial::seconds);
  const Trial& typical = **middle;
  summary.traffic = typical.traffic;
  const double all = static_cast<double>(typical.useful_seconds.size()) * typical.seconds;
  if (!(all > 0)) return;
  const auto sum = [](const std::vector<double>& seconds) {
    return std::accumulate(seconds.begin(), seconds.end(), 0.0);
  };
  summary.useful_share = std::min(1.0, sum(typical.useful_seconds) / all);
  summary.communicating_share = std::min(1 - summary.useful_share, sum(typical.communicating_seconds) / all);
  summary.waiting_share = 1 - summary.useful_share - summary.communicating_share;
}

CellSummary summary_of(const std::vector<const Trial*>& trials) {
  CellSummary summary;
  summary.cell = trials.front()->cell;
  summary.size = size_value(summary.cell.size);
  std::vector<const Trial*> counted_ones;
  std::vector<const Trial*> with_disturbed;
  for (const Trial* trial : trials) {
    if (trial->outcome != Outcome::right) {
      if (summary.not_right == 0) summary.message = trial->message;
      ++summary.not_right;
      if (badness(trial->outcome) > badness(summary.worst)) summary.worst = trial->outcome;
    } else if (is_right_but_for(*trial, {"oversubscribed"})) {
      counted_ones.push_back(trial);
    } else if (!trial->warms_up()) {
      ++summary.set_aside;
    }
    if (is_right_but_for(*trial, {"oversubscribed", "slow_canary"})) with_disturbed.push_back(trial);
    summary.oversubscribed = summary.oversubscribed || trial->has_mark("oversubscribed");
  }
  summary.trials = static_cast<int>(counted_ones.size());
  if (counted_ones.empty()) return summary;

  summary.clean = by_rounds(counted_ones);
  summary.with_disturbed = by_rounds(with_disturbed);
  summary.seconds = median_interval(summary.clean.seconds);
  summary.unit = counted_ones.front()->unit;
  summary.operations = counted_ones.front()->operations;
  if (summary.seconds.estimate > 0) {
    summary.operations_per_second = summary.operations / summary.seconds.estimate;
  }
  summary.load_balance = median_over(counted_ones, [](const Trial& trial) { return trial.load_balance(); });
  summary.communication_efficiency =
      median_over(counted_ones, [](const Trial& trial) { return trial.communication_efficiency(); });
  summary.parallel_efficiency = median_over(
      counted_ones, [](const Trial& trial) { return trial.load_balance() * trial.communication_efficiency(); });
  book_typical(summary, counted_ones);
  summary.stages = median_stages(counted_ones);
  summary.pipeline = bound_of(summary.stages, summary.cell.workers(), summary.seconds.estimate);
  return summary;
}

/// True where both answer the same question, on whatever workers.
bool same_question(const Cell& first, const Cell& second) {
  return first.problem == second.problem && first.size == second.size && first.seed == second.seed &&
         first.parameters == second.parameters;
}

/// The fastest comparable cell that `is_base` accepts; null where there is none.
template <class IsBase>
const CellSummary* fastest(const std::vector<CellSummary>& summaries, IsBase&& is_base) {
  const CellSummary* best = nullptr;
  for (const CellSummary& summary : summaries) {
    if (!is_comparable(summary) || !is_base(summary.cell)) continue;
    if (best == nullptr || summary.seconds.estimate < best->seconds.estimate) best = &summary;
  }
  return best;
}

Interval speedup_over(const CellSummary* base, const CellSummary& summary, std::uint64_t seed) {
  if (base == nullptr || !is_comparable(summary)) return {};
  const CommonRounds rounds = common_rounds(*base, summary);
  return speedup(rounds.first, rounds.second, 0.95, seed_for(*base, summary, seed));
}

void book_speedups(std::vector<CellSummary>& summaries, std::uint64_t seed) {
  for (CellSummary& summary : summaries) {
    const Cell& cell = summary.cell;
    const CellSummary* const serial = fastest(
        summaries, [&cell](const Cell& base) { return base.model == Model::serial && same_question(base, cell); });
    // One worker with the same tunables where it was measured, else with any.
    const auto one_worker = [&cell](const Cell& base) {
      return base.model == cell.model && base.workers() == 1 && same_question(base, cell);
    };
    const CellSummary* one =
        fastest(summaries, [&](const Cell& base) { return one_worker(base) && base.tunables == cell.tunables; });
    if (one == nullptr) one = fastest(summaries, one_worker);
    summary.speedup_over_serial = speedup_over(serial, summary, seed);
    summary.speedup_over_one_worker = speedup_over(one, summary, seed);
  }
}

/// "shared_core" of a cell whose trials carry several marks: the one that says most.
std::string most_telling_mark(const std::vector<Trial>& trials, const Cell& cell) {
  for (const std::string_view mark : {"shared_core", "unbound", "moved_cores", "slow_canary", "warm_up"}) {
    const bool found =
        std::ranges::any_of(trials, [&](const Trial& trial) { return trial.cell == cell && trial.has_mark(mark); });
    if (found) return std::string{mark};
  }
  return {};
}

void add_differing_digests(std::vector<std::string>& troubles, const std::vector<Trial>& trials) {
  struct Answers {
    const Cell* cell;
    std::map<std::string, std::set<Model>> models_by_digest;
  };
  std::map<std::string, Answers> by_question;
  for (const Trial& trial : trials) {
    if (trial.outcome != Outcome::right || trial.digest.empty()) continue;
    const std::string question = trial.cell.size + " " + group_of(trial.cell).parameters + " " + trial.cell.problem;
    by_question.try_emplace(question, Answers{&trial.cell, {}})
        .first->second.models_by_digest[trial.digest]
        .insert(trial.cell.model);
  }
  for (const auto& [question, answers] : by_question) {
    if (answers.models_by_digest.size() < 2) continue;
    std::string listed;
    for (const auto& [digest, models] : answers.models_by_digest) {
      std::string names;
      for (const Model model : models) names += (names.empty() ? "" : ", ") + std::string{name_of(model)};
      listed += (listed.empty() ? "" : "; ") + digest + " in " + names;
    }
    troubles.push_back(fmt::format("answers differ: {} at {} has digest {}", answers.cell->problem,
                                   size_named(answers.cell->problem, answers.cell->size), listed));
  }
}

void add_set_aside(std::vector<std::string>& troubles, const std::vector<Trial>& trials) {
  struct Tally {
    int trials = 0;
    std::set<std::string> cells;
  };
  std::map<std::string, Tally> by_mark;
  int right = 0;
  for (const Trial& trial : trials) {
    if (trial.outcome != Outcome::right || trial.warms_up()) continue;
    ++right;
    for (const std::string& mark : trial.marks) {
      ++by_mark[mark].trials;
      by_mark[mark].cells.insert(trial.cell.id());
    }
  }
  for (const auto& [mark, tally] : by_mark) {
    const std::string where = fmt::format("{} of {} trials, in {}", tally.trials, right,
                                          counted(static_cast<long long>(tally.cells.size()), "cell"));
    if (mark == "oversubscribed") {
      troubles.push_back(where + ", ran more workers than cores");
    } else {
      const std::string but = mark == "slow_canary" ? fmt::format(" where {} others are left", fewest_values()) : "";
      troubles.push_back(
          fmt::format("{}, are marked {} and decide nothing{}: {}", where, mark, but, meaning_of_mark(mark)));
    }
  }
}

CommonRounds matched(const RoundSeconds& first, const RoundSeconds& second) {
  CommonRounds common;
  std::size_t j = 0;
  for (std::size_t i = 0; i < first.rounds.size(); ++i) {
    while (j < second.rounds.size() && second.rounds[j] < first.rounds[i]) ++j;
    if (j == second.rounds.size()) break;
    if (second.rounds[j] != first.rounds[i]) continue;
    common.first.push_back(first.seconds[i]);
    common.second.push_back(second.seconds[j]);
  }
  return common;
}

}  // namespace

Group group_of(const Cell& cell) {
  std::string parameters;
  for (const auto& [name, value] : cell.parameters) parameters += name + "=" + value + " ";
  return {cell.problem, parameters + "seed=" + std::to_string(cell.seed), cell.nodes, cell.workers()};
}

std::vector<CellSummary> summarise(const std::vector<Trial>& trials, std::uint64_t seed) {
  std::map<std::string, std::vector<const Trial*>> by_cell;
  std::map<std::string, std::size_t> met;
  for (const Trial& trial : trials) {
    if (!trial.tried.empty()) continue;
    by_cell[identity_of(trial.cell)].push_back(&trial);
    met.try_emplace(trial.cell.problem, met.size());
  }
  // As in the registry; rounds are shuffled, and would show another problem first each time.
  for (auto& [problem, place] : met) {
    const auto& problems = all_problems();
    const auto found = std::ranges::find(problems, problem, &Problem::name);
    place = found == problems.end() ? problems.size() + place : static_cast<std::size_t>(found - problems.begin());
  }
  std::vector<CellSummary> summaries;
  summaries.reserve(by_cell.size());
  for (const auto& [identity, of_cell] : by_cell) summaries.push_back(summary_of(of_cell));
  const auto order = [&met](const CellSummary& summary) {
    const Group group = group_of(summary.cell);
    return std::tuple{met.at(group.problem), group.parameters,   group.nodes,
                      group.workers,         summary.size,       summary.cell.size,
                      summary.cell.model,    summary.cell.ranks, identity_of(summary.cell)};
  };
  std::ranges::sort(summaries, {}, order);
  book_speedups(summaries, seed);
  return summaries;
}

bool is_comparable(const CellSummary& summary) {
  return !summary.clean.rounds.empty() && summary.seconds.estimate > 0 && summary.worst != Outcome::wrong;
}

CommonRounds common_rounds(const CellSummary& first, const CellSummary& second) {
  CommonRounds clean = matched(first.clean, second.clean);
  if (std::cmp_greater_equal(clean.first.size(), fewest_values())) return clean;
  CommonRounds all = matched(first.with_disturbed, second.with_disturbed);
  if (std::cmp_less(all.first.size(), fewest_values())) return clean;
  all.disturbed = true;
  return all;
}

std::uint64_t seed_for(const CellSummary& first, const CellSummary& second, std::uint64_t seed) {
  // FNV-1a over the names of the two (Fowler, Noll, Vo, 1991).
  std::uint64_t hash = 0xcbf29ce484222325U ^ seed;
  for (const char letter : identity_of(first.cell) + "|" + identity_of(second.cell)) {
    hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3U;
  }
  return hash;
}

double size_value(std::string_view size) {
  Instance instance;
  for (std::size_t begin = 0; begin <= size.size();) {
    const std::size_t end = std::min(size.find('x', begin), size.size());
    std::int64_t extent = 0;
    const auto [stopped, error] = std::from_chars(size.data() + begin, size.data() + end, extent);
    if (error != std::errc{} || stopped != size.data() + end) return 0;
    instance.extents.push_back(extent);
    begin = end + 1;
  }
  return instance.size();
}

std::string extent_name(std::string_view problem) {
  const auto& problems = all_problems();
  const auto found = std::ranges::find(problems, problem, &Problem::name);
  return found != problems.end() && found->extent_names.size() == 1 ? found->extent_names.front() : "n";
}

std::string size_named(std::string_view problem, std::string_view size) {
  if (size.find('x') != std::string_view::npos) return std::string{size};
  return fmt::format("{} = {}", extent_name(problem), size);
}

std::string meaning_of_mark(std::string_view mark) {
  if (mark == "shared_core") return "two workers shared a core";
  if (mark == "oversubscribed") return "more workers than cores";
  if (mark == "slow_canary") return "a neighbour or a lower clock slowed the cores down";
  if (mark == "moved_cores") return "the host had moved the workers' cores to another distance";
  if (mark == "unbound") return "workers were not bound to cores";
  if (mark == "warm_up") return "only the first, unmeasured run of each process is there";
  return "marked " + std::string{mark};
}

std::vector<std::string> troubles_of(const std::vector<Trial>& trials, const std::vector<CellSummary>& summaries) {
  std::vector<std::string> troubles;
  for (const CellSummary& summary : summaries) {
    const std::string id = summary.cell.id();
    if (summary.not_right > 0) {
      const int all = summary.not_right + summary.trials + summary.set_aside;
      const std::string message = summary.message.empty() ? "no message" : summary.message;
      troubles.push_back(fmt::format("{}: {} of {} not right ({}): {}{}", id, summary.not_right, counted(all, "trial"),
                                     name_of(summary.worst), message,
                                     summary.worst == Outcome::wrong ? "; not compared" : ""));
    }
    if (summary.trials == 0 && summary.not_right == 0) {
      troubles.push_back(
          fmt::format("{} is not compared: {}", id, meaning_of_mark(most_telling_mark(trials, summary.cell))));
    }
  }
  add_differing_digests(troubles, trials);
  add_set_aside(troubles, trials);
  return troubles;
}

}  // namespace duet
