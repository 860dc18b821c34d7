#include "drivers/hazards/examination.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "drivers/files/temporary_folder.hpp"
#include "drivers/hazards/child.hpp"
#include "drivers/hazards/seen_run.hpp"
#include "drivers/statistics/medians.hpp"
#include "drivers/statistics/text.hpp"

namespace duet {
namespace {

using hazards::By;
using hazards::Finding;
using hazards::Form;
using hazards::Hazard;
using hazards::Observation;

std::string trouble_of(const Ending& ending, double deadline) {
  switch (ending.how) {
    case Ending::How::out_of_time:
      return fmt::format("met its deadline of {}", seconds_text(deadline));
    case Ending::How::not_started:
      return fmt::format("could not be started: {}", std::strerror(ending.code));
    case Ending::How::signalled:
      return fmt::format("ended by signal {}", ending.code);
    case Ending::How::stopped:
      return "stopped";
    case Ending::How::exited:
      break;
  }
  const std::string line = telling_line(ending.output);
  return fmt::format("ended with status {}{}", ending.code, line.empty() ? "" : ": " + line);
}

constexpr int few_rounds = 5;

class Examiner {
 public:
  Examiner(const Hazard& hazard, const ExaminationOptions& options, const StopSignals& stop,
           const std::function<void(const std::string&)>& tell)
      : hazard_{hazard}, options_{options}, stop_{stop}, tell_{tell} {
    done_.hazard = &hazard;
    done_.workers = options.workers;
    for (const Form& form : hazard.forms) done_.forms.push_back({.form = &form});
    seconds_.resize(done_.forms.size());
  }

  Examination examine() {
    for (FormResult& result : done_.forms) {
      if (!result.form->broken) continue;
      for (int run = 0; run < options_.broken_runs; ++run) {
        say(fmt::format("{} {}/{}", result.form->name, run + 1, options_.broken_runs));
        launch({&result}, 0, 0);
        if (done_.stopped) return done_;
      }
    }
    // Several launches, as what a process has in memory and where is its luck; and not one for each of many rounds.
    constexpr int most_launches = 20;
    const int rounds_a_launch = std::max(few_rounds, (options_.rounds + most_launches - 1) / most_launches);
    for (int first = 0; first < options_.rounds; first += rounds_a_launch) {
      const int rounds = std::min(rounds_a_launch, options_.rounds - first);
      say(fmt::format("costs, round {} of {}", first + 1, options_.rounds));
      // A broken form never runs beside cures: it may take its process with it.
      for (const By by : {By::shared_state, By::messages}) {
        for (const bool broken : {true, false}) {
          std::vector<FormResult*> group;
          for (FormResult& result : done_.forms) {
            const Form& form = *result.form;
            if (form.by == by && form.broken == broken && form.returns) group.push_back(&result);
          }
          if (!group.empty()) launch(group, rounds, first);
          if (done_.stopped) return done_;
        }
      }
    }
    weigh();
    return done_;
  }

 private:
  void say(const std::string& what) const {
    if (tell_) tell_(hazard_.name + ": " + what);
  }

  Command command_for(const std::vector<FormResult*>& group, int rounds, const std::string& file) const {
    Command words = starting(options_.launcher, {.nodes = 1,
                                                 .ranks = options_.workers,
                                                 .threads = 1,
                                                 .passes_messages = group.front()->form->by == By::messages});
    words.insert(words.end(), {options_.duet, "hazards", hazard_.name, "--child", file, "--rounds",
                               std::to_string(rounds), "--workers", std::to_string(options_.workers), "--forms"});
    for (const FormResult* result : group) words.push_back(result->form->name);
    return words;
  }

  /// One process or job with all forms of `group`, whose rounds count on from `first`.
  void launch(const std::vector<FormResult*>& group, int rounds, int first) {
    const std::string file = folder_ / fmt::format("runs-{}", launches_++);
    const double deadline = options_.deadline_seconds * std::max(1, rounds / few_rounds);
    const Ending ending = run_process(command_for(group, rounds, file), deadline, stop_);
    if (ending.how == Ending::How::stopped) {
      done_.stopped = true;
      return;
    }
    const std::vector<SeenRun> runs = runs_from(file);
    for (FormResult* const result : group) {
      int here = 0;
      for (const SeenRun& run : runs) {
        if (run.form != result->form->name) continue;
        here += 1;
        take(*result, run, rounds, first);
      }
      const int wanted = rounds + 1;
      // What a broken form leaves behind once it was seen does not matter: races are reported by an exit status.
      const bool ended_well = ending.how == Ending::How::exited && ending.code == 0;
      if (here < wanted || (!ended_well && !result->form->broken)) {
        if (here < wanted) result->runs += 1;
        if (result->trouble.empty()) result->trouble = trouble_of(ending, deadline);
      }
    }
  }

  void take(FormResult& result, const SeenRun& run, int rounds, int first) {
    const Finding finding = hazard_.judge(run.seen);
    const bool all_expected = result.detected == (result.form->broken ? result.runs : 0);
    result.runs += 1;
    result.detected += finding.detected ? 1 : 0;
    if (all_expected) result.says = finding.says;
    if (rounds == 0 || run.round == 0 || run.seen.seconds <= 0 || run.seen.operations <= 0) return;
    const std::size_t index = static_cast<std::size_t>(&result - done_.forms.data());
    seconds_[index][first + run.round] = run.seen.seconds / static_cast<double>(run.seen.operations);
  }

  /// Medians and ratios, over the rounds that all forms with a cost have.
  void weigh() {
    std::map<int, int> forms_with;
    int forms = 0;
    for (const auto& of_form : seconds_) {
      forms += of_form.empty() ? 0 : 1;
      for (const auto& [round, seconds] : of_form) forms_with[round] += 1;
    }
    const FormResult* cheapest = nullptr;
    for (std::size_t i = 0; i < done_.forms.size(); ++i) {
      FormResult& result = done_.forms[i];
      for (const auto& [round, seconds] : seconds_[i]) {
        if (forms_with[round] == forms) result.seconds.push_back(seconds);
      }
      if (result.seconds.empty()) continue;
      result.cost = median_interval(result.seconds);
      if (!result.form->broken && (cheapest == nullptr || result.cost.estimate < cheapest->cost.estimate)) {
        cheapest = &result;
      }
    }
    if (cheapest == nullptr) return;
    for (FormResult& result : done_.forms) {
      if (!result.seconds.empty()) result.times_cheapest = ratio_of_medians(result.seconds, cheapest->seconds);
    }
  }

  const Hazard& hazard_;
  const ExaminationOptions& options_;
  const StopSignals& stop_;
  const std::function<void(const std::string&)>& tell_;
  TemporaryFolder folder_;
  int launches_ = 0;
  Examination done_;
  std::vector<std::map<int, double>> seconds_;  // an operation, by round
};

nlohmann::json json_of(const Interval& interval) {
  if (interval.n == 0) return nullptr;
  const auto end = [](double value) { return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json(nullptr); };
  return {{"estimate", interval.estimate}, {"low", end(interval.low)}, {"high", end(interval.high)}};
}

}  // namespace

bool FormResult::as_it_should() const { return runs > 0 && trouble.empty() && detected == (form->broken ? runs : 0); }

bool Examination::right() const { return !stopped && std::ranges::all_of(forms, &FormResult::as_it_should); }

Examination examine(const Hazard& hazard, const ExaminationOptions& options, const StopSignals& stop,
                    const std::function<void(const std::string&)>& tell) {
  return Examiner{hazard, options, stop, tell}.examine();
}

nlohmann::json json_of(const Examination& examination) {
  nlohmann::json forms = nlohmann::json::array();
  for (const FormResult& result : examination.forms) {
    const Form& form = *result.form;
    forms.push_back({{"name", form.name},
                     {"broken", form.broken},
                     {"by", form.by == By::messages ? "messages" : "shared_state"},
                     {"does", form.does},
                     {"runs", result.runs},
                     {"detected", result.detected},
                     {"says", result.says},
                     {"trouble", result.trouble},
                     {"seconds", result.seconds},
                     {"seconds_an_operation", json_of(result.cost)},
                     {"times_cheapest", json_of(result.times_cheapest)}});
  }
  const Hazard& hazard = *examination.hazard;
  return {{"hazard", hazard.name},         {"by", hazard.by == By::messages ? "messages" : "shared_state"},
          {"operation", hazard.operation}, {"workers", examination.workers},
          {"forms", std::move(forms)},     {"right", examination.right()}};
}

}  // namespace duet
