#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "drivers/files/output_file.hpp"
#include "drivers/report/assets.hpp"
#include "drivers/report/facts.hpp"
#include "drivers/report/report.hpp"
#include "drivers/report/simulated.hpp"
#include "drivers/statistics/text.hpp"
#include "drivers/study/pipelines.hpp"
#include "drivers/study/summaries.hpp"
#include "kernels/registry.hpp"

namespace duet {
namespace {

using nlohmann::json;

json number(double value) { return std::isfinite(value) ? json(value) : json(nullptr); }

/// null where nothing is known; an end that is not known is null.
json interval(const Interval& interval, const std::string& text) {
  if (interval.n == 0 || !std::isfinite(interval.estimate)) return nullptr;
  return {{"estimate", interval.estimate},
          {"low", number(interval.low)},
          {"high", number(interval.high)},
          {"level", interval.level},
          {"n", interval.n},
          {"text", text}};
}

json seconds(const Interval& seconds) { return interval(seconds, seconds_text(seconds)); }
json factor(const Interval& factor) { return interval(factor, factor_text(factor)); }

json comparison(const Comparison& comparison) {
  return {{"size", comparison.size},
          {"size_value", number(comparison.size_value)},
          {"faster", name_of(comparison.faster)},
          {"slower", name_of(comparison.slower)},
          {"faster_name", comparison.faster_name},
          {"slower_name", comparison.slower_name},
          {"winner", comparison.winner},
          {"ratio", factor(comparison.ratio)},
          {"significant", comparison.significant},
          {"disturbed", comparison.disturbed},
          {"sentence", comparison.sentence}};
}

json crossover(const Crossover& crossover) {
  return {{"below", name_of(crossover.below)},          {"above", name_of(crossover.above)},
          {"last_below", number(crossover.last_below)}, {"first_above", number(crossover.first_above)},
          {"estimate", number(crossover.estimate)},     {"sentence", crossover.sentence}};
}

const char* name_of(Axis axis) {
  switch (axis) {
    case Axis::models:
      return "models";
    case Axis::spread:
      return "spread";
    case Axis::growth:
      return "growth";
  }
  return "?";
}

json span(const Span& span) { return {{"nodes", span.nodes}, {"workers", span.workers}}; }

json verdict(const Verdict& verdict) {
  json comparisons = json::array();
  for (const Comparison& one : verdict.comparisons) comparisons.push_back(comparison(one));
  json crossovers = json::array();
  for (const Crossover& one : verdict.crossovers) crossovers.push_back(crossover(one));
  return {{"workers", verdict.workers},
          {"axis", name_of(verdict.axis)},
          {"fewer", span(verdict.fewer)},
          {"more", span(verdict.more)},
          {"sides", verdict.sides},
          {"headline", verdict.headline},
          {"comparisons", std::move(comparisons)},
          {"crossovers", std::move(crossovers)},
          {"reasons", verdict.reasons}};
}

/// A problem, and the parameters that tell it from others of the study.
using Question = std::pair<std::string, std::string>;

/// What the table of all problems knows of `question`; a study may come from a program that had others.
json described(const Question& question, const Analysis& analysis) {
  json known{{"name", question.first}, {"condition", question.second}, {"summary", ""}};
  const auto found = std::ranges::find(all_problems(), question.first, &Problem::name);
  if (found != all_problems().end()) known["summary"] = found->summary;
  known["extent"] = extent_name(question.first);
  json verdicts = json::array();
  for (const Verdict& one : analysis.verdicts) {
    if (Question{one.problem, one.parameters} == question) verdicts.push_back(verdict(one));
  }
  known["verdicts"] = std::move(verdicts);
  return known;
}

json across_ranks(const AcrossRanks& figure) {
  return {{"messages", figure.in_all.messages},
          {"bytes", figure.in_all.bytes},
          {"most_messages", figure.most.messages},
          {"most_bytes", figure.most.bytes}};
}

/// null where nothing was counted.
json traffic(const CellSummary& summary) {
  if (!summary.traffic) return nullptr;
  std::string by;
  for (std::size_t carrier = 0; carrier < carriers; ++carrier) {
    const Volume& volume = summary.traffic->received_by[carrier];
    if (volume.messages == 0) continue;
    std::string name{name_of(Carrier{static_cast<int>(carrier)})};
    std::ranges::replace(name, '_', ' ');
    by += fmt::format("{}{} {}", by.empty() ? "" : ", ", name, bytes_text(static_cast<double>(volume.bytes)));
  }
  return {{"received", across_ranks(summary.traffic->received)},
          {"received_between_nodes", across_ranks(summary.traffic->received_between_nodes)},
          {"by", by}};
}

/// What each stage did, and where it stands in the median time: each from 0, divided among those who may be in it; but
/// computing stages share the cores, and follow one another, so that the last one ends where the cores are done.
json stages(const CellSummary& summary) {
  const int cores = summary.cell.workers();
  double computed = 0;
  json all = json::array();
  for (const StageFigures& stage : summary.stages) {
    const bool shares_cores = stage.kind == StageKind::computing && !stage.in_order;
    const double from = shares_cores ? computed : 0;
    const int workers = stage.in_order ? 1 : stage.kind == StageKind::computing ? cores : std::max(1, stage.workers);
    if (stage.kind == StageKind::computing) computed += stage.useful_seconds / cores;
    all.push_back({{"name", stage.name},
                   {"kind", name_of(stage.kind)},
                   {"in_order", stage.in_order},
                   {"workers", stage.workers},
                   {"items", stage.items},
                   {"bytes_in", bytes_text(static_cast<double>(stage.bytes_in))},
                   {"bytes_out", bytes_text(static_cast<double>(stage.bytes_out))},
                   {"useful_seconds", number(stage.useful_seconds)},
                   {"queued_seconds", number(stage.queued_seconds)},
                   {"mean_depth", number(stage.mean_depth)},
                   {"most_depth", stage.most_depth},
                   {"from", number(from)},
                   {"to", number(from + stage.useful_seconds / workers)}});
  }
  return all;
}

/// null for what is no pipeline.
json pipeline(const CellSummary& summary, const std::vector<TriedChange>& tried) {
  if (summary.stages.empty()) return nullptr;
  const PipelineBound& bound = summary.pipeline;
  return {{"stages", stages(summary)},
          {"job", job_text(bound)},
          {"stage", bound.stage},
          {"seconds", number(bound.seconds)},
          {"sentence", bound.stage.empty() ? "" : bound_sentence(bound)},
          {"advice", bound.advice},
          {"change", trial_of_change(summary, tried)}};
}

json summary(const CellSummary& summary, std::size_t question, const std::string& series, const Machine& machine) {
  const Cell& cell = summary.cell;
  json settings = json::object();
  for (const auto* values : {&cell.parameters, &cell.tunables}) {
    for (const auto& [name, value] : *values) settings[name] = value;
  }
  const double peak = machine.peak_flops_one_core * cell.workers();
  const bool of_peak = summary.unit == "flop" && peak > 0 && summary.operations_per_second > 0;
  return {
      {"id", cell.id()},
      {"question", question},
      {"model", name_of(cell.model)},
      {"series", series},
      {"size", cell.size},
      {"size_value", number(summary.size)},
      {"workers", cell.workers()},
      {"ranks", cell.ranks},
      {"threads", cell.threads},
      {"nodes", cell.nodes},
      {"settings", std::move(settings)},
      {"command", command_for(cell)},
      {"seconds", seconds(summary.seconds)},
      {"trials", summary.trials},
      {"set_aside", summary.set_aside},
      {"not_right", summary.not_right},
      {"message", summary.message},
      {"worst", name_of(summary.worst)},
      {"rate", summary.operations_per_second > 0 ? rate_text(summary.operations_per_second, summary.unit) : ""},
      {"of_peak", of_peak ? json(summary.operations_per_second / peak) : json(nullptr)},
      {"load_balance", number(summary.load_balance)},
      {"communication_efficiency", number(summary.communication_efficiency)},
      {"parallel_efficiency", number(summary.parallel_efficiency)},
      {"shares", {number(summary.useful_share), number(summary.communicating_share), number(summary.waiting_share)}},
      {"traffic", traffic(summary)},
      {"speedup", factor(summary.speedup_over_serial)},
      {"own_speedup", factor(summary.speedup_over_one_worker)}};
}

std::string processors_of(const WorkerPlace& place) {
  std::string list;
  for (const int processor : place.bound_to) list += (list.empty() ? "" : ", ") + std::to_string(processor);
  return list;
}

/// Where the workers were, once for all cells that were placed alike. Worker by worker of a cell's last placed trial.
json placements(const std::vector<const Trial*>& trials, const std::vector<std::size_t>& cell_of) {
  std::map<std::size_t, const Trial*> last;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    if (!trials[i]->places.empty()) last[cell_of[i]] = trials[i];
  }
  json groups = json::array();
  std::map<std::string, std::size_t> known;
  for (const auto& [cell, trial] : last) {
    json workers = json::array();
    for (const WorkerPlace& place : trial->places) {
      workers.push_back({{"rank", place.rank},
                         {"thread", place.thread},
                         {"host", place.host},
                         {"processors", processors_of(place)},
                         {"core", place.core},
                         {"numa_node", place.numa_node}});
    }
    const std::string layout =
        fmt::format("{}/{}x{}/", name_of(trial->cell.model), trial->cell.ranks, trial->cell.threads) +
        workers.dump(-1, ' ', false, json::error_handler_t::replace);
    if (const auto [entry, fresh] = known.try_emplace(layout, groups.size()); fresh) {
      groups.push_back({{"cells", json::array({cell})}, {"workers", std::move(workers)}});
    } else {
      groups[entry->second]["cells"].push_back(cell);
    }
  }
  return groups;
}

/// An array a trial, not an object: a study has thousands. The order is that of `trial_fields` in report.js.
json trial_row(const Trial& trial, std::size_t cell) {
  json marks = json::array();
  for (const std::string& mark : trial.marks) marks.push_back(mark);
  return json::array({cell, trial.round, trial.launch, trial.number, name_of(trial.outcome), number(trial.seconds),
                      std::move(marks), trial.message, number(trial.load_balance()), number(trial.place_seconds),
                      number(trial.canary_before), number(trial.canary_after), number(trial.hop_seconds),
                      trial.started_at});
}

json machine_facts(const Machine& machine) {
  return {{"host", machine.host},
          {"processor", machine.processor},
          {"sockets", machine.sockets},
          {"cores", machine.cores},
          {"threads_per_core", machine.threads_per_core},
          {"numa_nodes", machine.numa_nodes},
          {"memory_bytes", number(machine.memory_bytes)},
          {"caches", machine.caches},
          {"instruction_sets", machine.instruction_sets},
          {"operating_system", machine.operating_system},
          {"peak_flops_one_core", number(machine.peak_flops_one_core)}};
}

json node_facts(const Node& node) {
  const bool apart = node.latency_seconds > 0;
  return {{"host", node.machine.host},
          {"processor", node.machine.processor},
          {"cores", node.machine.cores},
          {"memory", node.machine.memory_bytes > 0 ? bytes_text(node.machine.memory_bytes) : ""},
          {"peak", rate_text(node.machine.peak_flops_one_core, "flop")},
          {"latency", apart ? seconds_text(node.latency_seconds) : ""},
          {"bandwidth", apart ? bytes_text(node.bytes_per_second) + "/s" : ""}};
}

json simulated(const SimulatedSeries& series) {
  json points = json::array();
  for (const SimulatedPoint& point : series.points) {
    const bool timed = point.efficiency > 0;
    points.push_back({{"ranks", point.ranks},
                      {"nodes", point.nodes},
                      {"outcome", name_of(point.outcome)},
                      {"message", point.message},
                      {"seconds", timed ? number(point.seconds) : json(nullptr)},
                      {"efficiency", timed ? number(point.efficiency) : json(nullptr)},
                      {"useful", number(point.useful_share)},
                      {"messages", point.messages},
                      {"bytes", point.bytes}});
  }
  return {{"problem", series.problem},
          {"label", series.label()},
          {"platform", series.platform},
          {"size", series.size},
          {"size_value", number(series.size_value)},
          {"base_ranks", series.base_ranks},
          {"points", std::move(points)}};
}

json page_data(const SavedStudy& study, const Analysis& analysis) {
  const StudyRecord& record = study.record;
  const std::vector<std::string> condition = conditions(analysis.cells);
  const std::vector<std::string> series = series_names(analysis.cells);
  std::vector<Question> questions;
  std::vector<std::size_t> question_of;
  for (std::size_t i = 0; i < analysis.cells.size(); ++i) {
    const Question question{analysis.cells[i].cell.problem, condition[i]};
    const auto known = std::ranges::find(questions, question);
    question_of.push_back(static_cast<std::size_t>(known - questions.begin()));
    if (known == questions.end()) questions.push_back(question);
  }
  json problems = json::array();
  for (const Question& question : questions) problems.push_back(described(question, analysis));
  json nodes = json::array();
  for (const Node& node : record.nodes) nodes.push_back(node_facts(node));

  json cells = json::array();
  std::map<std::string, std::size_t> index;
  const auto key = [](const Cell& cell) { return fmt::format("{}#{}", cell.id(), cell.seed); };
  for (std::size_t i = 0; i < analysis.cells.size(); ++i) {
    cells.push_back(summary(analysis.cells[i], question_of[i], series[i], record.machine));
    cells.back()["pipeline"] = pipeline(analysis.cells[i], analysis.tried);
    index.emplace(key(analysis.cells[i].cell), i);
  }

  json trials = json::array();
  std::vector<const Trial*> placed;
  std::vector<std::size_t> cell_of;
  for (const Trial& trial : study.trials) {
    if (!trial.tried.empty()) continue;
    const auto found = index.find(key(trial.cell));
    if (found == index.end()) throw std::logic_error("the analysis does not know the cell " + trial.cell.id());
    cell_of.push_back(found->second);
    placed.push_back(&trial);
    trials.push_back(trial_row(trial, found->second));
  }

  json simulations = json::array();
  for (const SimulatedSeries& one : simulated_series(study.simulated)) simulations.push_back(simulated(one));

  return {{"study",
           {{"duet_version", record.duet_version},
            {"command", shell_line(record.command)},
            {"started_at", record.started_at},
            {"ended_at", record.ended_at},
            {"ending", record.ending},
            {"machine", machine_facts(record.machine)},
            {"nodes", std::move(nodes)},
            {"versions", record.versions},
            {"options", record.options},
            {"warnings", record.warnings}}},
          {"caveats", caveats(study, analysis)},
          {"troubles", analysis.troubles},
          {"problems", std::move(problems)},
          {"scaling", scaling_json(analysis.scaling)},
          {"cells", std::move(cells)},
          {"trials", std::move(trials)},
          {"simulated", std::move(simulations)},
          {"placements", placements(placed, cell_of)}};
}

/// JSON that may stand inside <script>: no character of it can end the element, open a comment or end a line of
/// JavaScript. Bytes that are not UTF-8 become U+FFFD.
std::string script_safe(const json& data) {
  const std::string text = data.dump(-1, ' ', false, json::error_handler_t::replace);
  std::string safe;
  safe.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view rest = std::string_view{text}.substr(i, 3);
    if (text[i] == '<') {
      safe += "\\u003c";
    } else if (text[i] == '>') {
      safe += "\\u003e";
    } else if (text[i] == '&') {
      safe += "\\u0026";
    } else if (rest == "\u2028" || rest == "\u2029") {
      safe += rest == "\u2028" ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      safe += text[i];
    }
  }
  return safe;
}

/// Text that may stand inside an element or a quoted attribute.
std::string html_safe(std::string_view text) {
  std::string safe;
  for (const char letter : text) {
    switch (letter) {
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '&':
        safe += "&amp;";
        break;
      case '"':
        safe += "&quot;";
        break;
      case '\'':
        safe += "&#39;";
        break;
      default:
        safe += letter;
    }
  }
  return safe;
}

/// The template with each {{place}} filled, in one pass: what is filled in is not looked at again.
std::string filled(std::string_view page, const std::map<std::string_view, std::string_view>& contents) {
  std::string result;
  for (std::size_t at = 0; at < page.size();) {
    const std::size_t open = page.find("{{", at);
    if (open == std::string_view::npos) {
      result += page.substr(at);
      break;
    }
    const std::size_t close = page.find("}}", open);
    result += page.substr(at, open - at);
    result += contents.at(page.substr(open + 2, close - open - 2));
    at = close + 2;
  }
  return result;
}

}  // namespace

std::string report_page(const SavedStudy& study, const Analysis& analysis) {
  const std::string data = script_safe(page_data(study, analysis));
  // Scripts and styles run only with this number, which whoever wrote the texts in the data could not know.
  const XXH128_hash_t hash = XXH3_128bits(data.data(), data.size());
  const std::string nonce = fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
  std::ostringstream plain;
  print_verdict(plain, study, analysis, TerminalStyle{.colour = false, .unicode = false, .columns = 80});
  const std::string plain_text = html_safe(plain.str());
  return filled(asset::page_template(), {{"nonce", nonce},
                                         {"style", asset::style()},
                                         {"plain_text", plain_text},
                                         {"data", data},
                                         {"chart_library", asset::chart_library()},
                                         {"charts", asset::charts()},
                                         {"sections", asset::sections()}});
}

void write_page(const std::filesystem::path& path, const std::string& page) {
  OutputFile file{path.string()};
  file.append(page);
  file.commit();
}

}  // namespace duet
