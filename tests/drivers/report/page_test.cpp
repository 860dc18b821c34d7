#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "drivers/files/file_error.hpp"
#include "drivers/report/report.hpp"
#include "tests/drivers/files/scratch_folder.hpp"
#include "tests/drivers/report/synthetic_study.hpp"

namespace duet {
namespace {

std::string page_of(const SyntheticStudy& study) { return report_page(study.study, study.analysis); }

std::string data_in(const std::string& page) {
  const std::string opening = "<script type=\"application/json\" id=\"data\">";
  const std::size_t begin = page.find(opening) + opening.size();
  return page.substr(begin, page.find("</script>", begin) - begin);
}

std::size_t count(const std::string& page, const std::string& piece) {
  std::size_t found = 0;
  for (std::size_t at = page.find(piece); at != std::string::npos; at = page.find(piece, at + 1)) ++found;
  return found;
}

TEST(ReportPage, HoldsEveryTrialAndCellAsJson) {
  const SyntheticStudy study = synthetic_study();
  const nlohmann::json data = nlohmann::json::parse(data_in(page_of(study)));
  EXPECT_EQ(data.at("trials").size(), study.study.trials.size());
  EXPECT_EQ(data.at("cells").size(), study.analysis.cells.size());
  EXPECT_EQ(data.at("problems").size(), 2);
  EXPECT_EQ(data.at("problems").at(0).at("verdicts").size(), 1);
  const nlohmann::json& cell = data.at("cells").at(0);
  EXPECT_EQ(cell.at("seconds").at("estimate"), study.analysis.cells[0].seconds.estimate);
  EXPECT_NEAR(cell.at("of_peak").get<double>(), study.analysis.cells[0].operations_per_second / 58e9, 1e-12);
}

TEST(ReportPage, IsTheSameForTheSameStudy) { EXPECT_EQ(page_of(synthetic_study()), page_of(synthetic_study())); }

TEST(ReportPage, LoadsNothingFromAnywhere) {
  const std::string page = page_of(synthetic_study());
  EXPECT_EQ(count(page, " src="), 0);
  EXPECT_EQ(count(page, "<link"), 1);
  EXPECT_NE(page.find("<link rel=\"icon\" href=\"data:,\">"), std::string::npos);
  EXPECT_EQ(count(page, "@import"), 0);
  EXPECT_EQ(count(page, "url("), 0);
  EXPECT_NE(page.find("content=\"default-src 'none';"), std::string::npos);
  EXPECT_EQ(page.find("unsafe"), std::string::npos);
}

TEST(ReportPage, ShowsTheTablesAsTextWhereScriptsAreForbidden) {
  const std::string page = page_of(synthetic_study());
  const std::size_t begin = page.find("<noscript>");
  const std::string plain = page.substr(begin, page.find("</noscript>") - begin);
  EXPECT_NE(plain.find("Message passing wins from about count = "), std::string::npos);
  EXPECT_NE(plain.find("matmul on 2 workers"), std::string::npos);
}

const std::string hostile = "</script><!--<script>alert(1)</script></noscript><b>&{{nonce}}\u2028\u2029";

/// `page` is `harmless` but for texts, which are hostile.
void expect_no_more_markup(const std::string& page, const std::string& harmless) {
  for (const char* const piece : {"<script", "</script>", "<!--", "</noscript>", "<b>"}) {
    EXPECT_EQ(count(page, piece), count(harmless, piece)) << piece;
  }
  const std::string data = data_in(page);
  EXPECT_EQ(data.find('<'), std::string::npos);
  EXPECT_EQ(data.find("\u2028"), std::string::npos);
}

TEST(ReportPage, KeepsEveryTextOfTheStudyFromBecomingMarkup) {
  const std::string page = page_of(study_that_says(hostile));
  expect_no_more_markup(page, page_of(study_that_says("plain")));
  EXPECT_EQ(nlohmann::json::parse(data_in(page)).at("study").at("machine").at("host"), hostile);
}

TEST(ReportPage, HoldsTheStagesOfPipelinesAsMediansAndNoTrialThatTriedAChange) {
  const SyntheticStudy study = pipeline_study();
  const nlohmann::json data = nlohmann::json::parse(data_in(page_of(study)));
  EXPECT_EQ(data.at("cells").size(), 6);
  EXPECT_EQ(data.at("trials").size(), 6 * 8);
  const auto& cells = data.at("cells");
  const auto openmp = std::ranges::find_if(
      cells, [](const auto& cell) { return cell.at("model") == "openmp" && cell.at("size") == "200"; });
  ASSERT_NE(openmp, cells.end());
  const nlohmann::json& pipeline = openmp->at("pipeline");
  EXPECT_EQ(pipeline.at("job"), "this job waits");
  EXPECT_EQ(pipeline.at("sentence"), "bound by waiting, most of it in ask: 500 ms at the least, 95 % of the run");
  EXPECT_EQ(pipeline.at("advice"), "ask waits for answers: more threads would help, more cores would not");
  EXPECT_EQ(pipeline.at("change").get<std::string>().find("tried readers=200, tokens=408: median "), 0U);
  ASSERT_EQ(pipeline.at("stages").size(), 2);
  const nlohmann::json& ask = pipeline.at("stages").at(0);
  EXPECT_EQ(ask.at("items"), 200);
  EXPECT_EQ(ask.at("from"), 0);
  EXPECT_DOUBLE_EQ(ask.at("to").get<double>(), 0.5);
}

TEST(ReportPage, PutsComputingStagesOneAfterTheOther) {
  SyntheticStudy study = pipeline_study();
  for (Trial& trial : study.study.trials) {
    trial.stages = {{.name = "read", .kind = StageKind::disk, .workers = 2, .useful_seconds = 0.02},
                    {.name = "multiply", .workers = 2, .useful_seconds = 0.3},
                    {.name = "compress", .workers = 2, .useful_seconds = 0.1}};
  }
  study.analysis = analyse(study.study);
  const nlohmann::json data = nlohmann::json::parse(data_in(page_of(study)));
  for (const nlohmann::json& cell : data.at("cells")) {
    const double cores = cell.at("workers").get<double>();
    const nlohmann::json& stages = cell.at("pipeline").at("stages");
    EXPECT_DOUBLE_EQ(stages.at(0).at("to").get<double>(), 0.01);
    EXPECT_EQ(stages.at(1).at("from"), 0);
    EXPECT_DOUBLE_EQ(stages.at(1).at("to").get<double>(), 0.3 / cores);
    EXPECT_EQ(stages.at(2).at("from"), stages.at(1).at("to"));
    EXPECT_DOUBLE_EQ(stages.at(2).at("to").get<double>(), cell.at("pipeline").at("seconds").get<double>());
  }
}

TEST(ReportPage, KeepsNamesOfStagesFromBecomingMarkup) {
  const std::string page = page_of(pipeline_study(hostile));
  expect_no_more_markup(page, page_of(pipeline_study("plain")));
  const nlohmann::json data = nlohmann::json::parse(data_in(page));
  EXPECT_EQ(data.at("cells").at(0).at("pipeline").at("stages").at(0).at("name"), hostile);
}

TEST(ReportPage, HasNoPipelineWhereThereAreNoStages) {
  const nlohmann::json data = nlohmann::json::parse(data_in(page_of(synthetic_study())));
  for (const nlohmann::json& cell : data.at("cells")) EXPECT_TRUE(cell.at("pipeline").is_null());
}

TEST(ReportPage, TakesTextThatIsNotUtf8) {
  SyntheticStudy study = study_that_says("plain");
  study.study.record.machine.host = "a\xff";
  for (Trial& trial : study.study.trials) trial.message = trial.places[0].host = "b\xc3";
  study.analysis = analyse(study.study);
  const nlohmann::json data = nlohmann::json::parse(data_in(page_of(study)));
  EXPECT_EQ(data.at("study").at("machine").at("host"), "a\uFFFD");
  EXPECT_EQ(data.at("placements").at(0).at("workers").at(0).at("host"), "b\uFFFD");
}

TEST(WritePage, ReplacesAPageAsAWhole) {
  const ScratchFolder folder;
  const std::string path = folder.file("report.html", "old");
  write_page(path, "new page");
  EXPECT_EQ(content_of(path), "new page");
  EXPECT_EQ(folder.entries(), 1);
}

TEST(WritePage, LeavesNothingAndNamesThePathWhereItCannotWrite) {
  const ScratchFolder folder;
  const std::string path = folder.path("missing/report.html");
  EXPECT_NE(error_of([&] { write_page(path, "page"); }).find(path), std::string::npos);
  std::filesystem::create_directory(folder.path("taken"));
  EXPECT_NE(error_of([&] { write_page(folder.path("taken"), "page"); }).find("taken"), std::string::npos);
  EXPECT_EQ(folder.entries(), 1);
}

}  // namespace
}  // namespace duet
