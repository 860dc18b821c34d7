#pragma once

/// How a study of one problem scales with the workers: a curve for each model, what it says about allocations, and the
/// laws that it follows. Pure functions of the saved trials, as the verdict is.
///
/// Strong scaling asks one question of more and more workers; weak scaling asks p workers a question of p times the
/// work. Efficiency means one thing in both (drivers/statistics/scaling_laws.hpp): with y(p) = p T(p) / W(p), the
/// workers' seconds for an operation,
///
///     efficiency = y(base) / y(p),      interval: that of the ratio of medians over common rounds
///
/// against two bases, each named: the fewest workers of the same model (one, where that was measured), and the serial
/// variant.

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/statistics/interval.hpp"
#include "drivers/statistics/scaling_laws.hpp"
#include "drivers/study/trials.hpp"

namespace duet {

struct CellSummary;

/// How the sizes of a study follow its worker counts.
enum class Scaling { none, strong, weak };
[[nodiscard]] std::string_view name_of(Scaling scaling);

/// What the recorded options of a study say: none for one that compares. Throws std::invalid_argument for a word that
/// is none of the three.
[[nodiscard]] Scaling scaling_of(const std::map<std::string, std::string>& options);

/// Work per worker may differ from that of one worker by this share in a weak run, because sizes are whole numbers.
inline constexpr double most_work_deviation = 0.05;

/// One number of workers.
struct ScalingPoint {
  Cell cell;
  double operations = 0;
  double work_deviation = 0;     ///< operations a worker, against those of the fewest workers, - 1
  Interval seconds{};            ///< as CellSummary::seconds; n = 0 where nothing counts
  Interval efficiency{};         ///< against the fewest workers of the same model; n = 0 for these themselves
  Interval serial_efficiency{};  ///< against the serial variant; n = 0 where there is none
  bool oversubscribed = false;   ///< more workers than cores
  std::string missing{};         ///< why it has no time, in a word or two
};

/// Up to how many workers efficiency stays above a share that committees ask for.
struct EfficiencyLine {
  double share = 0.75;
  /// The most workers up to which every interval lies above the line; 0 where none does.
  int above_up_to = 0;
  /// The fewest workers whose interval lies below it; 0 where none does.
  int below_from = 0;
};

struct ScalingCurve {
  std::string problem;
  Scaling scaling = Scaling::none;
  Model model = Model::serial;
  std::vector<ScalingPoint> points;  ///< fewest workers first
  int base_workers = 0;              ///< of the point that efficiency is measured against; 0 where nothing counts
  int rounds = 0;                    ///< that have every point with a time: those that the fits rest on
  bool has_serial = false;
  std::vector<EfficiencyLine> lines;         ///< of `efficiency`: 75 %, 50 %
  std::vector<EfficiencyLine> serial_lines;  ///< of `serial_efficiency`; empty where there is no serial cell
  std::vector<ScalingFit> fits;
  std::vector<std::string> sentences;  ///< what lines and fits say, for a person
};

/// The curves of all models but serial, in their order. `summaries` are those of the study (summaries.hpp).
[[nodiscard]] std::vector<ScalingCurve> scaling_curves(const std::vector<CellSummary>& summaries, Scaling scaling,
                                                       std::uint64_t seed);

/// "strong scaling of matmul at n = 2048", "weak scaling of matmul from n = 512 on one worker"
[[nodiscard]] std::string title_of(const ScalingCurve& curve);

/// "work per worker is constant within 1.4 %", or what is wrong with it; empty for strong scaling.
[[nodiscard]] std::string work_sentence(const ScalingCurve& curve);

/// The efficiency that the law gives for so many workers, against the curve's own base.
[[nodiscard]] double efficiency_on(const ScalingCurve& curve, const ScalingFit& fit, double workers);

/// The curves as data, for study.json and the page: points with their intervals, lines, fits with what was held out,
/// refusals, sentences, and the laws' efficiencies to draw them by. An end that is not known is null. null for no
/// curve.
[[nodiscard]] nlohmann::json scaling_json(const std::vector<ScalingCurve>& curves);

/// The ids of the cells that need more rounds before every efficiency is known as narrowly as `precision`, and every
/// curve has the rounds that a fit needs; of those in `among`.
[[nodiscard]] std::set<std::string> scaling_in_need(const std::vector<ScalingCurve>& curves,
                                                    const std::set<std::string>& among, double precision);

}  // namespace duet
