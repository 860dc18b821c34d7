#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>
#include <string_view>
#include <utility>

#include "drivers/report/facts.hpp"
#include "drivers/report/report.hpp"
#include "drivers/report/scaling_terminal.hpp"
#include "drivers/report/simulated.hpp"
#include "drivers/report/stages_terminal.hpp"
#include "drivers/report/writer.hpp"
#include "drivers/statistics/medians.hpp"
#include "drivers/statistics/text.hpp"
#include "drivers/study/moved.hpp"
#include "drivers/study/summaries.hpp"

namespace duet {
namespace {

std::string titled(const std::string& problem, const std::string& condition) {
  return condition.empty() ? problem : problem + " (" + condition + ")";
}

void print_verdicts(Writer& writer, const Analysis& analysis) {
  for (const Verdict& verdict : analysis.verdicts) {
    writer.blank();
    writer.paragraph("", titled(verdict.problem, verdict.parameters) + ": " + verdict.headline, bold);
    for (const Crossover& crossover : verdict.crossovers) writer.paragraph("  ", crossover.sentence);
    for (const std::string& reason : verdict.reasons) writer.paragraph("  - ", reason);
  }
  if (analysis.verdicts.empty()) {
    writer.blank();
    writer.paragraph("", "No verdict: it takes right answers from a shared-state model and a message-passing model.",
                     bold);
  }
}

/// What is between the nodes of the study, where there are several.
void print_network(Writer& writer, const std::vector<Node>& nodes) {
  std::vector<double> latencies;
  std::vector<double> bandwidths;
  std::string names;
  for (const Node& node : nodes) {
    names += (names.empty() ? "" : ", ") + node.machine.host;
    if (!(node.latency_seconds > 0)) continue;
    latencies.push_back(node.latency_seconds);
    bandwidths.push_back(node.bytes_per_second);
  }
  if (latencies.empty()) return;
  writer.blank();
  writer.paragraph(
      "", fmt::format("Nodes {}: a short message takes {} from the first to the others, long ones go at {}/s", names,
                      seconds_text(median(latencies)), bytes_text(median(bandwidths))));
}

/// The first line of a cell in a table: the median and the wider side of its interval.
Entry median_entry(const CellSummary* summary, bool best) {
  if (summary == nullptr) return {};
  if (summary->trials == 0) {
    if (summary->not_right > 0) return {std::string{name_of(summary->worst)}, red};
    return {"set aside", yellow};
  }
  const Interval& seconds = summary->seconds;
  std::string text = seconds_text(seconds.estimate);
  const double half = seconds.relative_half_width();
  if (std::isfinite(half) && half >= 0) text += half < 0.995 ? fmt::format(" {:.0f}%", 100 * half) : " >99%";
  return {std::move(text), best ? green : std::string_view{}};
}

/// The second line: times the fastest of the row, or why the cell is not compared; "!" where not all trials were right.
Entry ratio_entry(const CellSummary* summary, double best) {
  if (summary == nullptr || summary->trials == 0) return {};
  if (!is_comparable(*summary)) return {std::string{name_of(summary->worst)}, red};
  const bool fastest = summary->seconds.estimate <= best;
  const std::string text = fastest ? "fastest" : factor_text(summary->seconds.estimate / best);
  if (summary->not_right > 0) return {"! " + text, yellow};
  return {text, fastest ? green : dim};
}

/// The cells that one table shows, by series.
using Series = std::vector<std::pair<std::string, const CellSummary*>>;

/// A column for each series, a pair of lines for each size.
void print_table(Writer& writer, const std::string& title, const Series& series) {
  std::vector<std::string> columns;
  std::map<std::pair<double, std::string>, std::map<std::string, const CellSummary*>> rows;
  for (const auto& [name, summary] : series) {
    if (std::ranges::find(columns, name) == columns.end()) columns.push_back(name);
    rows[{summary->size, summary->cell.size}][name] = summary;
  }
  writer.blank();
  writer.paragraph("", title, bold);
  constexpr int size_width = 11;
  constexpr int width = 13;
  const auto a_table = static_cast<std::size_t>(std::max((writer.columns() - size_width) / width, 1));
  for (std::size_t begin = 0; begin < columns.size(); begin += a_table) {
    const std::size_t end = std::min(begin + a_table, columns.size());
    std::vector<Entry> head;
    for (std::size_t i = begin; i < end; ++i) head.push_back({columns[i], dim});
    writer.row("size", size_width, head, width, dim);
    for (const auto& [size, cells] : rows) {
      double best = 0;
      for (const auto& [name, summary] : cells) {
        if (is_comparable(*summary) && (best == 0 || summary->seconds.estimate < best)) {
          best = summary->seconds.estimate;
        }
      }
      std::vector<Entry> medians;
      std::vector<Entry> ratios;
      for (std::size_t i = begin; i < end; ++i) {
        const auto found = cells.find(columns[i]);
        const CellSummary* const summary = found == cells.end() ? nullptr : found->second;
        medians.push_back(
            median_entry(summary, summary != nullptr && is_comparable(*summary) && summary->seconds.estimate <= best));
        ratios.push_back(ratio_entry(summary, best));
      }
      writer.row(size.second, size_width, medians, width);
      writer.row("", size_width, ratios, width);
    }
  }
}

/// What each cell's ranks received: bytes and messages of the rank with the most, and what came from other nodes.
/// Nothing where nothing was received.
void print_traffic(Writer& writer, const std::string& title, const Series& series) {
  std::vector<std::string> columns;
  std::map<std::pair<double, std::string>, std::map<std::string, const Traffic*>> rows;
  bool between_nodes = false;
  for (const auto& [name, summary] : series) {
    if (!summary->traffic || summary->traffic->received.in_all.messages == 0) continue;
    if (std::ranges::find(columns, name) == columns.end()) columns.push_back(name);
    rows[{summary->size, summary->cell.size}][name] = &*summary->traffic;
    between_nodes = between_nodes || summary->traffic->received_between_nodes.in_all.messages > 0;
  }
  if (columns.empty()) return;
  writer.blank();
  writer.paragraph(
      "",
      title + ": received by the rank with the most" + (between_nodes ? "; below, by all ranks from other nodes" : ""),
      bold);
  constexpr int size_width = 11;
  constexpr int width = 26;
  const auto text_of = [](const Volume& volume) {
    return volume.messages == 0
               ? std::string{"nothing"}
               : fmt::format("{}, {}", bytes_text(static_cast<double>(volume.bytes)), messages_text(volume.messages));
  };
  const auto a_table = static_cast<std::size_t>(std::max((writer.columns() - size_width) / width, 1));
  for (std::size_t begin = 0; begin < columns.size(); begin += a_table) {
    const std::size_t end = std::min(begin + a_table, columns.size());
    std::vector<Entry> head;
    for (std::size_t i = begin; i < end; ++i) head.push_back({columns[i], dim});
    writer.row("size", size_width, head, width, dim);
    for (const auto& [size, cells] : rows) {
      std::vector<Entry> received;
      std::vector<Entry> from_other_nodes;
      for (std::size_t i = begin; i < end; ++i) {
        const auto found = cells.find(columns[i]);
        received.push_back(found == cells.end() ? Entry{} : Entry{text_of(found->second->received.most)});
        from_other_nodes.push_back(
            found == cells.end() ? Entry{} : Entry{text_of(found->second->received_between_nodes.in_all), dim});
      }
      writer.row(size.second, size_width, received, width);
      if (between_nodes) writer.row("", size_width, from_other_nodes, width);
    }
  }
}

/// A table for each question and number of workers. The serial cells stand in each, to compare with.
void print_tables(Writer& writer, const Analysis& analysis) {
  const std::vector<std::string> names = series_names(analysis.cells);
  const std::vector<std::string> condition = conditions(analysis.cells);
  std::vector<std::string> questions;
  std::map<std::string, std::map<int, Series, std::greater<>>> tables;  // most workers first
  std::map<std::string, Series> serial;
  for (const Model model : all_models) {
    for (std::size_t i = 0; i < analysis.cells.size(); ++i) {
      const CellSummary& summary = analysis.cells[i];
      if (summary.cell.model != model) continue;
      const std::string question = titled(summary.cell.problem, condition[i]);
      if (std::ranges::find(questions, question) == questions.end()) questions.push_back(question);
      (model == Model::serial ? serial[question] : tables[question][summary.cell.workers()])
          .emplace_back(names[i], &summary);
    }
  }
  writer.blank();
  writer.paragraph("", "Medians with the half width of their 95 % intervals; below, how many times the fastest.");
  for (const std::string& question : questions) {
    if (tables[question].empty()) tables[question][1] = {};
    for (const auto& [workers, series] : tables[question]) {
      Series shown = serial[question];
      shown.insert(shown.end(), series.begin(), series.end());
      const std::string title = question + " on " + counted(workers, "worker");
      print_table(writer, title, shown);
      print_traffic(writer, title, series);
    }
  }
}

/// Whether a table of `series` stands on the terminal: of all sizes of a question on one platform the largest, and any
/// with a point that has no time.
bool is_shown(const SimulatedSeries& series, const std::vector<SimulatedSeries>& all) {
  const bool all_timed =
      std::ranges::all_of(series.points, [](const SimulatedPoint& point) { return point.efficiency > 0; });
  return !all_timed || std::ranges::none_of(all, [&](const SimulatedSeries& other) {
    return other.problem == series.problem && other.label() == series.label() && other.size_value > series.size_value;
  });
}

/// A table for each question and platform, a line for each number of ranks.
void print_simulated(Writer& writer, const std::vector<Trial>& simulated) {
  if (simulated.empty()) return;
  const std::vector<SimulatedSeries> all = simulated_series(simulated);
  int left_out = 0;
  writer.blank();
  writer.paragraph("", "Simulated, not measured: no part of any verdict", bold);
  constexpr int ranks_width = 11;
  constexpr int width = 13;
  for (const SimulatedSeries& series : all) {
    if (!is_shown(series, all)) {
      ++left_out;
      continue;
    }
    writer.blank();
    writer.paragraph(
        "", fmt::format("{}, {}, {}", series.problem, size_named(series.problem, series.size), series.label()));
    const std::string base = fmt::format("efficiency against {}", counted(series.base_ranks, "rank"));
    writer.row("ranks", ranks_width, {{"time", dim}, {"efficiency", dim}, {"useful", dim}, {"answer", dim}}, width,
               dim);
    for (const SimulatedPoint& point : series.points) {
      const bool timed = point.efficiency > 0;
      const bool right = point.outcome == Outcome::right;
      writer.row(std::to_string(point.ranks), ranks_width,
                 {{timed ? seconds_text(point.seconds) : "-"},
                  {timed ? fmt::format("{:.3f}", point.efficiency) : "-"},
                  {timed ? share_text(point.useful_share) : "-"},
                  {point.outcome == Outcome::modelled ? "none" : std::string{name_of(point.outcome)},
                   right || timed ? std::string_view{} : red}},
                 width);
    }
    if (series.base_ranks > 0) writer.paragraph("  ", base, dim);
  }
  if (left_out > 0) {
    writer.blank();
    writer.paragraph("", fmt::format("The report has {} more, of smaller sizes", counted(left_out, "table")), dim);
  }
}

bool utf8_locale() {
  for (const char* const name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* const value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    std::string lower{value};
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return lower.find("utf-8") != std::string::npos || lower.find("utf8") != std::string::npos;
  }
  return false;
}

bool colour_wanted(int descriptor) {
  const char* const no_colour = std::getenv("NO_COLOR");
  if (no_colour != nullptr && *no_colour != '\0') return false;
  const char* const terminal = std::getenv("TERM");
  if (terminal == nullptr || std::string_view{terminal} == "dumb") return false;
  return ::isatty(descriptor) == 1;
}

}  // namespace

TerminalStyle TerminalStyle::of(int descriptor) {
  return {.colour = colour_wanted(descriptor), .unicode = utf8_locale(), .columns = 80};
}

void print_verdict(std::ostream& out, const SavedStudy& study, const Analysis& analysis, const TerminalStyle& style) {
  Writer writer{out, style};
  for (const std::string& sentence : caveats(study, analysis)) writer.paragraph("! ", sentence, yellow);
  if (analysis.scaling.empty()) {
    print_verdicts(writer, analysis);
    print_stages(writer, analysis);
    print_network(writer, study.record.nodes);
    print_tables(writer, analysis);
  } else {
    print_scaling(writer, analysis.scaling);
  }
  print_simulated(writer, study.simulated);
  if (!analysis.troubles.empty()) {
    writer.blank();
    writer.paragraph("", "Troubles", bold);
    for (const std::string& trouble : analysis.troubles) writer.paragraph("  - ", trouble);
  }
  if (!study.record.warnings.empty()) {
    writer.blank();
    writer.paragraph("", "Warnings", bold);
    for (const std::string& warning : study.record.warnings) writer.paragraph("  - ", warning);
  }
}

}  // namespace duet
