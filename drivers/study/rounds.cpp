#include "drivers/study/rounds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "drivers/study/marks.hpp"
#include "drivers/study/parts.hpp"
#include "kernels/registry.hpp"

namespace duet {
namespace {

/// Rounds that the budget is planned for; further ones narrow the intervals, and bisection takes what is over.
constexpr int leading_rounds = 10;
constexpr double planned_share = 0.8;
constexpr double bisection_share = 0.5;

/// A cell whose launches are set aside again and again gets no more than so many for each round that was wanted.
constexpr int most_launches_a_round = 3;

double quantity_median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

/// What a launch spends on its trials: the warm-up, and then trials until `at_most` is over.
double measuring_seconds(double trial_seconds) {
  const Repeats repeats = repeats_for(trial_seconds);
  return std::min((repeats.repeat + 1) * trial_seconds, std::max(repeats.at_most + trial_seconds, 2 * trial_seconds));
}

std::string name_of_choice(int choice) {
  constexpr std::array<const char*, 3> names{"open", "taken", "left_out"};
  return names.at(static_cast<std::size_t>(choice));
}

}  // namespace

std::set<std::string> cells_wider_than(const Analysis& analysis, const std::set<std::string>& among, double precision) {
  std::set<std::string> wider = among;
  for (const CellSummary& summary : analysis.cells) {
    const std::string id = summary.cell.id();
    if (summary.seconds.n >= fewest_rounds && summary.seconds.relative_half_width() <= precision) wider.erase(id);
  }
  return wider;
}

std::set<std::string> cells_in_need(const Analysis& analysis, const std::set<std::string>& among, double precision) {
  std::set<std::string> need = cells_wider_than(analysis, among, precision);
  if (!analysis.scaling.empty()) {
    // What was asked is efficiency, and not which model wins on so many workers.
    need.merge(scaling_in_need(analysis.scaling, among, precision));
    return need;
  }
  std::set<std::string> partners;
  for (const Comparison& comparison : analysis.comparisons) {
    if (comparison.ratio.n >= fewest_rounds && comparison.ratio.relative_half_width() <= precision) continue;
    const std::array<std::string, 2> both{comparison.faster_id, comparison.slower_id};
    if (std::ranges::all_of(both, [&](const std::string& id) { return among.contains(id); })) {
      partners.insert(both.begin(), both.end());
    }
  }
  need.insert(partners.begin(), partners.end());
  return need;
}

Repeats repeats_for(double trial_seconds) {
  constexpr double least = 0.05;
  constexpr double most = 0.25;
  constexpr double three_and_a_warm_up = 3.5;
  return {20, std::clamp(three_and_a_warm_up * trial_seconds, least, most)};
}

Rounds::Rounds(StudyOptions options, Resources resources, std::vector<PlannedCell> plan, Analyse analyse)
    : options_{narrowed(std::move(options))},
      resources_{resources},
      plan_{std::move(plan)},
      analyse_{std::move(analyse)} {
  for (const PlannedCell& planned : plan_) by_id_.emplace(planned.id, planned);
  order_parts();
}

Rounds::Part Rounds::part_of(const PlannedCell& planned) {
  return {planned.cell.problem, planned.cell.size, planned.leading ? 0 : planned.cell.workers()};
}

std::vector<const PlannedCell*> Rounds::cells_in(const Part& part) const {
  std::vector<const PlannedCell*> cells;
  for (const PlannedCell& planned : plan_) {
    if (planned.refusal.empty() && part_of(planned) == part) cells.push_back(&planned);
  }
  return cells;
}

const Rounds::Known& Rounds::known(const PlannedCell& planned) const {
  static const Known nothing;
  const auto found = known_.find(planned.id);
  return found == known_.end() ? nothing : found->second;
}

void Rounds::order_parts() {
  for (const std::string& problem : options_.problems) {
    std::vector<std::pair<double, std::string>> sizes;
    std::set<int> others;
    for (const PlannedCell& planned : plan_) {
      if (planned.cell.problem != problem) continue;
      sizes.emplace_back(planned.size, planned.cell.size);
      if (!planned.leading) others.insert(planned.cell.workers());
    }
    std::ranges::sort(sizes);
    const auto repeated = std::ranges::unique(sizes);
    sizes.erase(repeated.begin(), repeated.end());

    // The middle before the last: from two sizes one can tell what the last will cost.
    std::vector<std::size_t> order = coarse_first(sizes.size());
    if (order.size() > 2) std::swap(order[1], order[2]);
    for (const std::size_t i : order) parts_.push_back({problem, sizes[i].second, 0});

    // One worker is the base of speedups and goes first.
    std::vector<int> counts{others.rbegin(), others.rend()};
    if (!counts.empty() && counts.back() == 1) std::ranges::rotate(counts, counts.end() - 1);
    if (order.size() > 2) std::swap(order[0], order[2]);
    for (const std::size_t i : order) {
      for (const int count : counts) parts_.push_back({problem, sizes[i].second, count});
    }
  }
  for (const Part& part : parts_) choices_.emplace(part, Choice::open);
}

void Rounds::note(const std::vector<Trial>& trials, double seconds) {
  if (trials.empty()) return;
  Known& cell = known_[trials.front().cell.id()];
  cell.launches += 1;
  cell.launch_seconds = cell.launches == 1 ? seconds : (cell.launch_seconds + seconds) / 2;
  std::vector<double> each;
  double measuring = 0;
  bool failed = false;
  for (const Trial& trial : trials) {
    failed = failed || trial.outcome != Outcome::right;
    measuring += trial.seconds + trial.verify_seconds;
    if (!trial.warms_up() && trial.outcome == Outcome::right) each.push_back(trial.seconds + trial.verify_seconds);
  }
  if (failed) cell.failures += 1;
  if (!each.empty()) {
    // Disturbances only ever add: the least says what a trial costs.
    const double seconds_each = quantity_median(std::move(each));
    cell.trial_seconds = cell.trial_seconds > 0 ? std::min(cell.trial_seconds, seconds_each) : seconds_each;
  }
  cell.other_seconds = std::max(0.0, seconds - measuring);
  trials_.insert(trials_.end(), trials.begin(), trials.end());
}

bool Rounds::worth_launching(const Cell& cell) const {
  const auto found = known_.find(cell.id());
  return found == known_.end() || found->second.failures < most_failures;
}

Repeats Rounds::repeats_of(const Cell& cell) const {
  const auto found = known_.find(cell.id());
  return repeats_for(found == known_.end() ? 0 : found->second.trial_seconds);
}

double Rounds::expected_seconds(const Cell& cell) const {
  const auto found = by_id_.find(cell.id());
  return found == by_id_.end() ? 0 : expected_seconds(found->second);
}

/// The measured cell that tells most about another: of its problem, better of its model and shape, near in size.
const PlannedCell* Rounds::nearest_known(const PlannedCell& planned) const {
  constexpr double other_model = 3;
  constexpr double other_workers = 2;
  const PlannedCell* nearest = nullptr;
  double least = std::numeric_limits<double>::infinity();
  for (const PlannedCell& other : plan_) {
    if (other.cell.problem != planned.cell.problem || known(other).trial_seconds <= 0) continue;
    double distance = 0;
    if (other.operations > 0 && planned.operations > 0) {
      distance = std::abs(std::log(planned.operations / other.operations));
    }
    if (other.cell.model != planned.cell.model) distance += other_model;
    if (other.cell.workers() != planned.cell.workers()) distance += other_workers;
    if (distance < least) {
      least = distance;
      nearest = &other;
    }
  }
  return nearest;
}

/// By what a trial of `other` is longer than one of `known_cell`. Small sizes cost more an operation than large ones:
/// where two sizes of the same kind of cell were measured, the growth between them is carried on, half-way to
/// proportional.
double Rounds::growth_of(const PlannedCell& known_cell, const PlannedCell& other) const {
  if (known_cell.operations <= 0 || other.operations <= 0) return 1;
  const double ratio = other.operations / known_cell.operations;
  double exponent = 1;
  for (const PlannedCell& third : plan_) {
    const bool alike = third.cell.problem == known_cell.cell.problem && third.cell.model == known_cell.cell.model &&
                       third.cell.workers() == known_cell.cell.workers() && third.operations > 0 &&
                       third.operations != known_cell.operations && known(third).trial_seconds > 0;
    if (!alike) continue;
    const double seen = std::log(known(third).trial_seconds / known(known_cell).trial_seconds) /
                        std::log(third.operations / known_cell.operations);
    exponent = (1 + std::clamp(seen, 0.0, 1.0)) / 2;
  }
  return std::pow(ratio, exponent) * known_cell.cell.workers() / other.cell.workers();
}

double Rounds::expected_seconds(const PlannedCell& planned) const {
  if (known(planned).launches > 0) return known(planned).launch_seconds;
  constexpr double start_of_ranks = 0.2;
  constexpr double start_of_process = 0.1;
  const bool ranks = passes_messages(planned.cell.model);
  const double start = ranks ? start_of_ranks : start_of_process;
  const PlannedCell* const nearest = nearest_known(planned);
  if (nearest == nullptr) return start + repeats_for(0).at_most;
  const double trial = known(*nearest).trial_seconds * growth_of(*nearest, planned);
  const bool same_start = passes_messages(nearest->cell.model) == ranks;
  return std::min((same_start ? known(*nearest).other_seconds : start) + measuring_seconds(trial),
                  options_.time_limit_seconds);
}

double Rounds::round_seconds(const Part& part) const {
  double seconds = 0;
  for (const PlannedCell* const planned : cells_in(part)) seconds += expected_seconds(*planned);
  return seconds;
}

bool Rounds::affordable(const Part& part) const {
  if (options_.rounds > 0) return true;
  const double share = planned_share * options_.budget_seconds / static_cast<double>(options_.problems.size());
  double planned = 0;
  bool first = true;
  for (const Part& other : parts_) {
    if (other.problem != part.problem) continue;
    const bool taken = choices_.at(other) == Choice::taken;
    if (taken) first = false;
    if (taken || other == part) planned += round_seconds(other) * (other.workers == 0 ? leading_rounds : fewest_rounds);
  }
  return first || planned <= share;
}

std::vector<PlannedCell> Rounds::opening() {
  std::vector<PlannedCell> piece;
  for (const std::string& problem : options_.problems) {
    for (const Part& part : parts_) {
      if (part.problem != problem || choices_.at(part) != Choice::open) continue;
      const auto leading = choices_.find(Part{part.problem, part.size, 0});
      const bool of_a_size_taken = leading == choices_.end() || leading->second != Choice::left_out;
      const bool take = of_a_size_taken && affordable(part);
      choices_.at(part) = take ? Choice::taken : Choice::left_out;
      const auto cells = cells_in(part);
      if (!take || cells.empty()) continue;
      for (const PlannedCell* const planned : cells) piece.push_back(*planned);
      if (options_.rounds == 0) break;  // the next part when this one's cost is known
    }
  }
  return piece;
}

std::set<std::string> Rounds::active(bool leading_only) const {
  std::set<std::string> ids;
  for (const PlannedCell& planned : plan_) {
    if (!planned.refusal.empty() || (leading_only && !planned.leading)) continue;
    const auto choice = choices_.find(part_of(planned));
    if (choice == choices_.end() || choice->second != Choice::taken) continue;
    if (known(planned).failures < most_failures) ids.insert(planned.id);
  }
  return ids;
}

/// What the speedups of a cell are counted from, where the study measures it.
const PlannedCell* Rounds::serial_beside(const PlannedCell& planned) const {
  if (options_.scaling != Scaling::none || planned.cell.model == Model::serial) return nullptr;
  const auto found = std::ranges::find_if(plan_, [&](const PlannedCell& other) {
    return other.cell.model == Model::serial && other.group == planned.group && other.refusal.empty() &&
           known(other).failures < most_failures;
  });
  return found == plan_.end() ? nullptr : &*found;
}

/// What of the trials so far counts; that of a trial may change, as what is usual here becomes clear. A round in which
/// serial was set aside gives no speedup.
void Rounds::count_rounds() {
  static_cast<void>(mark_disturbances(trials_));
  std::map<std::string, std::set<int>> rounds;
  for (const Trial& trial : trials_) {
    const bool counts =
        std::ranges::all_of(trial.marks, [](const std::string& mark) { return mark == "oversubscribed"; });
    if (trial.outcome == Outcome::right && counts) rounds[trial.cell.id()].insert(trial.round);
  }
  for (auto& [id, cell] : known_) {
    const std::set<int>& mine = rounds[id];
    const auto planned = by_id_.find(id);
    const PlannedCell* const serial = planned == by_id_.end() ? nullptr : serial_beside(planned->second);
    const std::set<int>& bases = serial == nullptr ? mine : rounds[serial->id];
    cell.counting = static_cast<int>(std::ranges::count_if(mine, [&](int round) { return bases.contains(round); }));
  }
}

/// How many of `rounds` the cell still lacks, as long as there is hope.
int Rounds::lacking(const PlannedCell& planned, int rounds) const {
  const Known& cell = known(planned);
  if (options_.rounds > 0) return std::max(0, rounds - cell.launches);
  return cell.launches >= most_launches_a_round * rounds ? 0 : std::max(0, rounds - cell.counting);
}

std::set<std::string> Rounds::lacking(int rounds) const {
  std::set<std::string> ids = active(false);
  std::erase_if(ids, [&](const std::string& id) { return lacking(by_id_.at(id), rounds) == 0; });
  return ids;
}

/// Leading cells that a few more rounds would make precise enough for a verdict.
std::set<std::string> Rounds::imprecise(const Analysis& analysis) const {
  std::set<std::string> ids = cells_in_need(analysis, active(true), std::max(options_.precision, coarse_precision));
  std::erase_if(ids, [&](const std::string& id) { return lacking(by_id_.at(id), 2 * fewest_rounds) == 0; });
  return ids;
}

/// And the cells that the others are compared with as bases of speedups; a curve is measured as a whole, because its
/// fits rest on rounds that all its points have.
std::set<std::string> Rounds::with_partners(std::set<std::string> ids) const {
  const std::set<std::string> leading = active(true);
  std::set<std::string> partners;
  for (const std::string& id : ids) {
    const PlannedCell& base = by_id_.at(id);
    const bool serial_alone = base.leading && options_.scaling == Scaling::none;
    for (const std::string& other : leading) {
      if (by_id_.at(other).group != base.group) continue;
      const Cell& cell = by_id_.at(other).cell;
      const bool same_curve = cell.model == base.cell.model && !serial_alone;
      if (same_curve || cell.model == Model::serial) partners.insert(other);
    }
  }
  ids.merge(partners);
  return ids;
}

/// Leaves out again what was taken last, from the problem that has most left to do, until the rest can have its fewest
/// rounds. The smallest size of each problem stays.
void Rounds::shed(double seconds_left) {
  while (true) {
    std::map<std::string, double> needs;
    double all = 0;
    for (const Part& part : parts_) {
      if (choices_.at(part) != Choice::taken) continue;
      for (const PlannedCell* const planned : cells_in(part)) {
        if (known(*planned).failures >= most_failures) continue;
        const double seconds = lacking(*planned, fewest_rounds) * expected_seconds(*planned);
        needs[part.problem] += seconds;
        all += seconds;
      }
    }
    if (all <= seconds_left) return;
    const std::string problem =
        std::ranges::max_element(needs, {}, [](const auto& need) { return need.second; })->first;
    const Part* first = nullptr;
    const Part* last = nullptr;
    for (const Part& part : parts_) {
      if (part.problem != problem || choices_.at(part) != Choice::taken) continue;
      if (first == nullptr) first = &part;
      const auto cells = cells_in(part);
      const bool unfinished =
          std::ranges::any_of(cells, [&](const PlannedCell* planned) { return lacking(*planned, fewest_rounds) > 0; });
      if (unfinished) last = &part;
    }
    if (last == nullptr || last == first) return;
    for (const Part& part : parts_) {
      const bool goes = part == *last || (last->workers == 0 && part.problem == problem && part.size == last->size);
      if (goes) choices_.at(part) = Choice::left_out;
    }
  }
}

/// Takes the next part of each problem that was left out and that the time left can hold after all.
bool Rounds::reopen(double seconds_left) {
  bool any = false;
  for (const std::string& problem : options_.problems) {
    for (const Part& part : parts_) {
      if (part.problem != problem || choices_.at(part) != Choice::left_out) continue;
      const auto leading = choices_.find(Part{part.problem, part.size, 0});
      const bool of_a_size_taken = part.workers == 0 || leading == choices_.end() || leading->second == Choice::taken;
      const double seconds = fewest_rounds * round_seconds(part);
      if (!of_a_size_taken || seconds > planned_share * seconds_left || cells_in(part).empty()) continue;
      choices_.at(part) = Choice::taken;
      seconds_left -= seconds;
      any = true;
      break;
    }
  }
  return any;
}

bool Rounds::bisect(const Analysis& analysis, double seconds_left) {
  bool any = false;
  for (const Gap& gap : open_crossovers(analysis, crossover_resolution)) {
    const bool leads = std::ranges::any_of(plan_, [&gap](const PlannedCell& planned) {
      return planned.leading && planned.cell.problem == gap.problem && planned.cell.workers() == gap.workers;
    });
    if (!leads) continue;
    const auto& sizes = options_.sizes.at(gap.problem);
    if (std::ranges::any_of(sizes, [](const std::string& size) { return size.find('x') != std::string::npos; }))
      continue;
    const std::int64_t size = size_between(gap.below, gap.above);
    if (size == 0) continue;
    std::vector<PlannedCell> cells = cells_of(gap.problem, std::to_string(size), options_, resources_);
    std::erase_if(cells, [&](const PlannedCell& planned) { return !planned.leading || by_id_.contains(planned.id); });
    double seconds = 0;
    for (const PlannedCell& planned : cells) seconds += expected_seconds(planned) * fewest_rounds;
    if (cells.empty() || seconds > bisection_share * seconds_left) continue;
    const Part part = part_of(cells.front());
    parts_.push_back(part);
    choices_[part] = Choice::taken;
    added_.emplace_back(part.problem, part.size);
    for (PlannedCell& planned : cells) {
      by_id_.emplace(planned.id, planned);
      plan_.push_back(std::move(planned));
    }
    any = true;
  }
  return any;
}

std::vector<PlannedCell> Rounds::fitting(const std::set<std::string>& wanted, double seconds_left) const {
  struct Group {
    int rounds = std::numeric_limits<int>::max();  ///< that count, of the cell that has the fewest
    double seconds = 0;
    std::vector<PlannedCell> cells;
  };
  std::map<std::string, Group> groups;
  for (const PlannedCell& planned : plan_) {
    if (!wanted.contains(planned.id)) continue;
    Group& group = groups[planned.group];
    group.rounds = std::min(group.rounds, known(planned).counting);
    group.seconds += expected_seconds(planned);
    group.cells.push_back(planned);
  }
  std::vector<Group> order;
  for (auto& [key, group] : groups) order.push_back(std::move(group));
  std::ranges::stable_sort(order, [](const Group& a, const Group& b) {
    return std::pair{a.rounds, a.seconds} < std::pair{b.rounds, b.seconds};
  });
  std::vector<PlannedCell> cells;
  for (Group& group : order) {
    if (group.seconds > seconds_left) continue;
    seconds_left -= group.seconds;
    std::ranges::move(group.cells, std::back_inserter(cells));
  }
  return cells;
}

std::vector<PlannedCell> Rounds::next(double seconds_left) {
  complete_ = false;
  if (seconds_left <= 0) return {};
  if (!opened_) {
    round_ = 1;
    const std::vector<PlannedCell> piece = opening();
    if (!piece.empty()) return shuffled(piece, options_.seed, round_);
    opened_ = true;
  }
  count_rounds();
  if (options_.rounds == 0) shed(seconds_left);
  std::set<std::string> wanted = options_.rounds > 0 ? lacking(options_.rounds) : with_partners(lacking(fewest_rounds));
  if (wanted.empty() && options_.rounds == 0) {
    const Analysis analysis = analyse_(trials_);
    // Serial has its rounds by now, and is slow: a ratio of two other models does without it.
    wanted = options_.scaling == Scaling::none ? imprecise(analysis) : with_partners(imprecise(analysis));
    if (wanted.empty() && (reopen(seconds_left) || bisect(analysis, seconds_left))) {
      wanted = with_partners(lacking(fewest_rounds));
    }
    const double coarse = std::max(options_.precision, coarse_precision);
    if (wanted.empty()) wanted = cells_wider_than(analysis, active(false), coarse);
    if (wanted.empty()) wanted = cells_in_need(analysis, active(true), coarse);
    if (wanted.empty()) wanted = cells_in_need(analysis, active(true), options_.precision);
    if (wanted.empty()) wanted = with_partners(cells_in_need(analysis, active(false), options_.precision));
  }
  complete_ = wanted.empty();
  const std::vector<PlannedCell> cells = fitting(wanted, seconds_left);
  if (cells.empty()) return {};
  ++round_;
  return shuffled(cells, options_.seed, round_);
}

std::vector<std::string> Rounds::warnings() const {
  std::vector<std::string> warnings;
  for (const std::string& problem : options_.problems) {
    std::string sizes;
    std::string bases;
    double seconds = 0;
    for (const Part& part : parts_) {
      if (part.problem != problem || choices_.at(part) != Choice::left_out) continue;
      if (part.workers == 0) {
        sizes += (sizes.empty() ? "" : ", ") + part.size;
      } else {
        bases += fmt::format("{}{} on {}", bases.empty() ? "" : ", ", part.size, part.workers);
      }
      seconds += round_seconds(part) * (part.workers == 0 ? leading_rounds : fewest_rounds);
    }
    const auto about = [&] {
      const double more = seconds * static_cast<double>(options_.problems.size()) / planned_share;
      constexpr double minute = 60;
      return more < 2 * minute ? fmt::format("about {:.0f} s more would do", more)
                               : fmt::format("about {:.0f} minutes more would do", std::ceil(more / minute));
    };
    if (!sizes.empty()) {
      warnings.push_back(fmt::format("the budget of {:.0f} s is too small for every size of {}: left out {} ({})",
                                     options_.budget_seconds, problem, sizes, about()));
    } else if (!bases.empty()) {
      warnings.push_back(fmt::format("the budget of {:.0f} s left out of {} (size on workers): {} ({})",
                                     options_.budget_seconds, problem, bases, about()));
    }
  }
  return warnings;
}

nlohmann::json Rounds::state() const {
  nlohmann::json parts = nlohmann::json::array();
  for (const Part& part : parts_) {
    parts.push_back({{"problem", part.problem},
                     {"size", part.size},
                     {"workers", part.workers},
                     {"choice", name_of_choice(static_cast<int>(choices_.at(part)))}});
  }
  nlohmann::json launch_seconds = nlohmann::json::object();
  for (const auto& [id, cell] : known_) launch_seconds[id] = cell.launch_seconds;
  nlohmann::json added = nlohmann::json::array();
  for (const auto& [problem, size] : added_) added.push_back({{"problem", problem}, {"size", size}});
  return {
      {"round", round_}, {"opened", opened_}, {"parts", parts}, {"added", added}, {"launch_seconds", launch_seconds}};
}

void Rounds::resume(const nlohmann::json& state, const std::vector<Trial>& trials) {
  round_ = state.at("round").get<int>();
  opened_ = state.at("opened").get<bool>();
  for (const auto& added : state.at("added")) {
    const auto problem = added.at("problem").get<std::string>();
    const auto size = added.at("size").get<std::string>();
    for (PlannedCell& planned : cells_of(problem, size, options_, resources_)) {
      if (!planned.leading || !by_id_.emplace(planned.id, planned).second) continue;
      plan_.push_back(std::move(planned));
    }
    added_.emplace_back(problem, size);
  }
  parts_.clear();
  choices_.clear();
  for (const auto& saved : state.at("parts")) {
    const Part part{saved.at("problem").get<std::string>(), saved.at("size").get<std::string>(),
                    saved.at("workers").get<int>()};
    const auto choice = saved.at("choice").get<std::string>();
    parts_.push_back(part);
    for (const Choice one : {Choice::open, Choice::taken, Choice::left_out}) {
      if (choice == name_of_choice(static_cast<int>(one))) choices_[part] = one;
    }
    if (!choices_.contains(part)) throw std::invalid_argument(fmt::format("no choice is called '{}'", choice));
  }
  std::map<int, std::vector<Trial>> launches;
  for (const Trial& trial : trials) {
    if (trial.outcome != Outcome::refused) launches[trial.launch].push_back(trial);
  }
  const auto& seconds = state.at("launch_seconds");
  for (const auto& [number, launch] : launches) {
    note(launch, seconds.value(launch.front().cell.id(), 0.0));
  }
}

}  // namespace duet
