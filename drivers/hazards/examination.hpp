#pragma once

/// A hazard examined: its broken forms run in processes of their own, each with a deadline, and have to be detected;
/// its cures run in interleaved rounds, must not be, and are timed.

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "drivers/statistics/interval.hpp"
#include "drivers/study/launch.hpp"
#include "kernels/hazards/hazard.hpp"

namespace duet {

struct ExaminationOptions {
  std::string duet;  ///< this program
  Launcher launcher{};
  int workers = 2;               ///< threads, or ranks
  int broken_runs = 1;           ///< of each broken form, a process each
  int rounds = 15;               ///< of all forms that return, for what they cost
  double deadline_seconds = 10;  ///< of each process, or job, and of every five rounds in it
};

/// What became of one form.
struct FormResult {
  const hazards::Form* form = nullptr;
  int runs = 0;
  int detected = 0;
  std::string says{};             ///< of the first run that is not as it should be, else of the last one
  std::string trouble{};          ///< why a run left no observation, in a line: a deadline, a crash
  std::vector<double> seconds{};  ///< an operation, one entry a round; the same rounds in all forms that have any
  Interval cost{};                ///< their median
  Interval times_cheapest{};      ///< of the cures

  /// Broken and detected each time, or a cure and never.
  [[nodiscard]] bool as_it_should() const;
};

struct Examination {
  const hazards::Hazard* hazard = nullptr;
  int workers = 0;
  std::vector<FormResult> forms{};
  bool stopped = false;  ///< the user did

  [[nodiscard]] bool right() const;
};

/// `tell` hears in a few words what is done next. Never longer than the deadlines of the processes it starts; none of
/// them is left when it returns. Throws std::runtime_error where the system has no process or no room to give.
[[nodiscard]] Examination examine(const hazards::Hazard& hazard, const ExaminationOptions& options,
                                  const StopSignals& stop, const std::function<void(const std::string&)>& tell = {});

[[nodiscard]] nlohmann::json json_of(const Examination& examination);

}  // namespace duet
