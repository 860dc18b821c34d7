#include "drivers/report/stages_terminal.hpp"

#include <utility>

#include "drivers/report/facts.hpp"
#include "drivers/statistics/text.hpp"
#include "drivers/study/pipelines.hpp"
#include "drivers/study/summaries.hpp"

namespace duet {
namespace {

using Cells = std::vector<const CellSummary*>;

/// What all of the cells that are no serial ones do for the most of their time; empty where they differ.
std::string_view job_of(const Cells& cells) {
  const auto is_serial = [](const CellSummary* cell) { return cell->cell.model == Model::serial; };
  const bool serial_alone = std::ranges::all_of(cells, is_serial);
  std::string_view job;
  for (const CellSummary* const cell : cells) {
    if (is_serial(cell) && !serial_alone) continue;
    const std::string_view mine = job_text(cell->pipeline);
    if (mine.empty() || (!job.empty() && job != mine)) return {};
    job = mine;
  }
  return job;
}

/// The names of cells, and what is said of all of them, in the order of first mention.
class Remarks {
 public:
  void add(const std::string& name, const std::string& remark) {
    if (remark.empty()) return;
    for (auto& [names, said] : all_) {
      if (said != remark) continue;
      names += ", " + name;
      return;
    }
    all_.emplace_back(name, remark);
  }
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& all() const { return all_; }

 private:
  std::vector<std::pair<std::string, std::string>> all_;
};

void print_pipelines(Writer& writer, const Cells& cells, const std::vector<std::string>& names,
                     const Analysis& analysis) {
  constexpr int name_width = 11;
  constexpr int most_width = 13;
  const int width = std::min(most_width, (writer.columns() - name_width) / 4);
  writer.row("", name_width, {{"bound by", dim}, {"stage", dim}, {"at least", dim}, {"of the run", dim}}, width);
  Remarks advice;
  Remarks changes;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const PipelineBound& bound = cells[i]->pipeline;
    if (bound.stage.empty()) continue;
    writer.row(
        names[i], name_width,
        {{std::string{name_of(bound.kind)}}, {bound.stage}, {seconds_text(bound.seconds)}, {share_text(bound.share)}},
        width);
    advice.add(names[i], bound.advice);
    changes.add(names[i], trial_of_change(*cells[i], analysis.tried));
  }
  const bool same_for_all = advice.all().size() == 1;
  for (const auto& [of, said] : advice.all()) writer.paragraph("  ", same_for_all ? said : of + ": " + said);
  for (const auto& [of, said] : changes.all()) writer.paragraph("  - ", of + ": " + said);
}

}  // namespace

void print_stages(Writer& writer, const Analysis& analysis) {
  const std::vector<std::string> all_names = series_names(analysis.cells);
  const std::vector<std::string> condition = conditions(analysis.cells);
  for (const Cells& cells : told_pipelines(analysis.cells)) {
    std::vector<std::string> names;
    const auto index = [&](const CellSummary* cell) { return static_cast<std::size_t>(cell - analysis.cells.data()); };
    for (const CellSummary* const cell : cells) names.push_back(all_names[index(cell)]);
    const Cell& last = cells.back()->cell;  // the most workers
    const std::string& under = condition[index(cells.back())];
    const std::string_view job = job_of(cells);
    writer.blank();
    writer.paragraph("",
                     fmt::format("{}{} on {} at {}: {}", last.problem, under.empty() ? "" : " (" + under + ")",
                                 counted(last.workers(), "worker"), size_named(last.problem, last.size),
                                 job.empty() ? "what binds its stages" : job),
                     bold);
    print_pipelines(writer, cells, names, analysis);
  }
}

}  // namespace duet
