#include "drivers/stage_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "drivers/statistics/text.hpp"
#include "drivers/study/pipelines.hpp"

namespace duet {
namespace {

constexpr std::size_t terminal_columns = 80;
constexpr std::size_t cells_of_stage = 9;
using StageRow = std::array<std::string, cells_of_stage>;

/// At most eight characters, where `seconds_text` writes out minutes and hours.
std::string short_seconds(double seconds) {
  return seconds < 99.5 ? seconds_text(seconds) : fmt::format("{:.0f} s", seconds);
}

/// At most eight.
std::string short_count(std::int64_t count) {
  constexpr std::int64_t most = 99'999'999;
  return count <= most ? fmt::format("{}", count) : fmt::format("{:.3g}", static_cast<double>(count));
}

StageRow row_of(const StageFigures& stage) {
  constexpr std::size_t longest_name = 10;
  return {stage.name.substr(0, longest_name),
          std::string{name_of(stage.kind)},
          fmt::format("{}", stage.workers),
          short_count(stage.items),
          bytes_text(static_cast<double>(stage.bytes_in)),
          bytes_text(static_cast<double>(stage.bytes_out)),
          short_seconds(stage.useful_seconds),
          short_seconds(stage.queued_seconds),
          fmt::format("{:.{}f}/{}", stage.mean_depth, stage.mean_depth < 10 ? 1 : 0, stage.most_depth)};
}

/// `text` in lines of words.
std::string wrapped(std::string_view text) {
  std::string lines;
  while (text.size() > terminal_columns) {
    const std::size_t space = text.rfind(' ', terminal_columns);
    if (space == std::string_view::npos) break;
    lines += fmt::format("{}\n", text.substr(0, space));
    text.remove_prefix(space + 1);
  }
  return lines + fmt::format("{}\n", text);
}

}  // namespace

std::string stage_table(const std::vector<StageFigures>& stages, int workers, double seconds) {
  if (stages.empty()) return {};
  std::vector<StageRow> rows{{"stage", "kind", "by", "items", "in", "out", "useful", "queued", "depth"}};
  for (const StageFigures& stage : stages) rows.push_back(row_of(stage));
  std::array<std::size_t, cells_of_stage> widths{};
  for (const StageRow& row : rows) {
    for (std::size_t cell = 0; cell < cells_of_stage; ++cell) {
      widths.at(cell) = std::max(widths.at(cell), row.at(cell).size());
    }
  }
  std::size_t all = 0;
  for (const std::size_t width : widths) all += width;
  const std::size_t gap = all + 2 * (cells_of_stage - 1) <= terminal_columns ? 2 : 1;

  std::string table;
  for (const StageRow& row : rows) {
    std::string line = fmt::format("{:<{}}{:{}}{:<{}}", row[0], widths[0], "", gap, row[1], widths[1]);
    for (std::size_t cell = 2; cell < cells_of_stage; ++cell) {
      line += fmt::format("{:{}}{:>{}}", "", gap, row.at(cell), widths.at(cell));
    }
    table += line + '\n';
  }
  const PipelineBound bound = bound_of(stages, workers, seconds);
  if (bound.stage.empty()) return table;
  table += wrapped(bound_sentence(bound));
  return table + wrapped(bound.advice);
}

}  // namespace duet
