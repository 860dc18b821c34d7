/// The page as a reader meets it, in a headless browser: everything is there and drawn, nothing is fetched, and no text
/// of a study is taken for markup.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "drivers/report/report.hpp"
#include "tests/drivers/files/scratch_folder.hpp"
#include "tests/drivers/report/browser.hpp"
#include "tests/drivers/report/synthetic_study.hpp"

namespace duet {
namespace {

using nlohmann::json;

constexpr std::string_view whole_page = R"(
  const pixels = (canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const seen = new Set();
    for (let i = 0; i < data.length; i += 4) {
      if (data[i + 3] > 250) seen.add([data[i], data[i + 1], data[i + 2]].join());
    }
    return seen;
  };
  const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)).join();
  const theme = current_theme();
  const figures = [...document.querySelectorAll("figure")].map((figure) => {
    const seen = pixels(figure.querySelector("canvas"));
    return {
      name: figure.dataset.chart,
      title: figure.querySelector("h3").textContent,
      colours: seen.size,
      models: Object.keys(model_shapes).filter((model) => seen.has(rgb(theme.of(model)))),
      rows: figure.querySelectorAll("details tbody tr").length,
      label: figure.querySelector("canvas").getAttribute("aria-label"),
    };
  });
  const chart_in = (name) => Chart.getChart(document.querySelector(`[data-chart=${name}] canvas`));
  const tooltip_of = (name, matches) => {
    const chart = chart_in(name);
    for (const [datasetIndex, dataset] of chart.data.datasets.entries()) {
      const index = dataset.data.findIndex(matches);
      if (index < 0) continue;
      chart.tooltip.setActiveElements([{ datasetIndex, index }], { x: 50, y: 50 });
      chart.update();
      const { title, body } = chart.tooltip;
      return [...title, ...body.flatMap(({ lines }) => lines)].join(" | ");
    }
    return "none";
  };
  const trials = chart_in("trials").data.datasets.flatMap((dataset) => dataset.data.map((point, index) => ({
    marked: point.trial.marks.length > 0,
    right: point.trial.outcome === "right",
    hollow: dataset.pointBackgroundColor[index] === "transparent",
    cross: dataset.pointStyle[index] === "crossRot",
  })));
  const told = {
    state: document.documentElement.dataset.state,
    serial: chart_in("time").data.datasets[0].borderColor,
    title: document.title,
    headings: [...document.querySelectorAll("h1, h2")].map((heading) => heading.textContent),
    headlines: [...document.querySelectorAll(".verdict .headline")].map((heading) => heading.textContent),
    forest_rows: document.querySelectorAll(".forest tbody tr").length,
    reasons: document.querySelectorAll(".reasons li").length,
    crossings: [...document.querySelectorAll(".crossing")].map((crossing) => crossing.textContent),
    caveats: document.getElementById("caveats").textContent,
    figures,
    trials,
    time_tooltip: tooltip_of("time", (point) => point.cell.model === "mpi"),
    marked_tooltip: tooltip_of("trials", (point) => point.trial.marks.length > 0),
    hung_tooltip: tooltip_of("trials", (point) => point.trial.outcome === "hung"),
    ideal: chart_in("speedup-workers").config.plugins.map(({ id }) => id),
    cells: document.querySelectorAll(".problem .panel:not(.traffic) tbody tr").length,
    traffic: [...document.querySelectorAll(".problem .panel.traffic tbody tr")].map((row) => row.textContent),
    troubles: document.getElementById("troubles").textContent,
    machine: document.getElementById("machine").textContent,
    placement: document.getElementById("placement").textContent,
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  };
  const one_worker = document.querySelector(".controls input");
  one_worker.focus();
  told.focused = document.activeElement === one_worker;
  one_worker.click();
  told.after_choice = document.querySelector("[data-chart=time] h3").textContent;
  return told;
)";

class ReportInBrowser : public testing::Test {
 protected:
  void SetUp() override {
    if (installed_browser().empty()) GTEST_SKIP() << "no browser: chromium is not installed";
  }

  Visit open(const std::string& page, std::string_view probe, int width = 1200,
             const std::vector<std::string>& options = {}) {
    const Visit visit = browser_.open(page, probe, width, options);
    EXPECT_FALSE(visit.probe.is_null()) << visit.document.substr(0, 2000);
    EXPECT_FALSE(visit.probe.contains("probe_error")) << visit.probe.value("probe_error", "");
    return visit;
  }

  /// The synthetic study's page, which several tests look at, opened once.
  const Visit& whole_visit() {
    static const Visit visit = open(page_of(synthetic_study()), whole_page);
    return visit;
  }

  static std::string page_of(const SyntheticStudy& study) { return report_page(study.study, study.analysis); }

 private:
  ScratchFolder folder_;
  Browser browser_{folder_.path("")};
};

TEST_F(ReportInBrowser, ShowsVerdictsChartsAndTables) {
  const SyntheticStudy study = synthetic_study();
  const Visit& visit = whole_visit();
  const json& told = visit.probe;
  EXPECT_TRUE(visit.console.empty()) << visit.console.front();
  EXPECT_TRUE(visit.requests.empty()) << visit.requests.front();

  EXPECT_EQ(told.at("state"), "ready");
  EXPECT_EQ(told.at("title"), "Duet on node17");
  EXPECT_EQ(told.at("headlines").size(), study.analysis.verdicts.size());
  std::size_t compared = 0;
  std::size_t reasons = 0;
  for (const Verdict& verdict : study.analysis.verdicts) {
    compared += verdict.comparisons.size();
    reasons += verdict.reasons.size();
  }
  EXPECT_EQ(told.at("forest_rows"), compared);
  EXPECT_EQ(told.at("reasons"), reasons);
  EXPECT_EQ(told.at("crossings").size(), 1);
  EXPECT_NE(told.at("caveats").get<std::string>().find("budget was spent"), std::string::npos);

  ASSERT_EQ(told.at("figures").size(), 12);
  for (const json& figure : told.at("figures")) {
    SCOPED_TRACE(figure.at("title").get<std::string>());
    EXPECT_GT(figure.at("colours").get<int>(), 20);
    EXPECT_GE(figure.at("rows").get<int>(), 5);
    EXPECT_NE(figure.at("label").get<std::string>().find(figure.at("title").get<std::string>()), std::string::npos);
  }
  EXPECT_EQ(told.at("figures").at(0).at("models"), json({"serial", "openmp", "tbb", "mpi", "hybrid"}));
  EXPECT_EQ(told.at("figures").at(2).at("models"), json({"openmp", "tbb", "mpi", "hybrid"}));
  EXPECT_EQ(told.at("cells"), study.analysis.cells.size());
  // Six sizes of two problems in mpi on two ranks; all other cells receive nothing.
  ASSERT_EQ(told.at("traffic").size(), 12U);
  EXPECT_NE(told.at("traffic").at(0).get<std::string>().find("16,384"), std::string::npos) << told.at("traffic").at(0);
  EXPECT_NE(told.at("traffic").at(0).get<std::string>().find("broadcast 32.0 KiB"), std::string::npos);
  EXPECT_EQ(told.at("ideal"), json({"whiskers", "annotations"}));
  EXPECT_NE(told.at("troubles").get<std::string>().find("std::bad_alloc"), std::string::npos);
  EXPECT_NE(told.at("troubles").get<std::string>().find("both in use by this job"), std::string::npos);
  for (const char* const fact : {"AMD EPYC 9354P", "24 GiB", "-O3 -DNDEBUG", "Open MPI 4.1.4",
                                 "duet compare matmul fib_batch --budget 3m -o 'my report'"}) {
    EXPECT_NE(told.at("machine").get<std::string>().find(fact), std::string::npos) << fact;
  }
  EXPECT_NE(told.at("placement").get<std::string>().find("node17"), std::string::npos);
  EXPECT_EQ(told.at("overflow"), 0);
}

TEST_F(ReportInBrowser, TellsTrialsApartAndExplainsThemOnHover) {
  const json& told = whole_visit().probe;
  const json& trials = told.at("trials");
  EXPECT_EQ(trials.size(), 5U * 8 * 3 - 2);  // five models, eight rounds of three trials, one launch without any
  for (const json& trial : trials) {
    EXPECT_EQ(trial.at("hollow"), trial.at("marked").get<bool>() || !trial.at("right").get<bool>());
    EXPECT_EQ(trial.at("cross"), !trial.at("right").get<bool>());
  }
  const auto marked = [](const json& trial) { return trial.at("marked").get<bool>(); };
  EXPECT_EQ(std::ranges::count_if(trials, marked), 5 * 8 - 1);
  EXPECT_NE(told.at("time_tooltip").get<std::string>().find("mpi, size 64"), std::string::npos);
  EXPECT_NE(told.at("marked_tooltip").get<std::string>().find("set aside: warm_up"), std::string::npos);
  EXPECT_NE(told.at("hung_tooltip").get<std::string>().find("met its time limit of 20 s"), std::string::npos);
}

TEST_F(ReportInBrowser, FollowsTheChoiceOfWorkersFromTheKeyboard) {
  EXPECT_EQ(whole_visit().probe.at("focused"), true);
  EXPECT_EQ(whole_visit().probe.at("after_choice"), "Time against size, on 1 worker");
}

TEST_F(ReportInBrowser, ListsManySizesAndDrawsThemAsACurve) {
  SyntheticStudy curve = scaling_study(Scaling::strong);
  const std::vector<Trial> of_one_size = curve.study.trials;
  for (int more = 1; more < 60; ++more) {
    for (Trial trial : of_one_size) {
      if (trial.cell.model != Model::serial) continue;
      trial.cell.size = std::to_string(512 + more);
      curve.study.trials.push_back(std::move(trial));
    }
  }
  curve.analysis = analyse(curve.study);
  const Visit visit = open(page_of(curve), R"(
    const list = document.querySelector(".controls select");
    const serial = Chart.getChart(document.querySelector("[data-chart=time] canvas")).data.datasets
      .find((dataset) => dataset.data.length > 1);
    list.value = "7";
    list.dispatchEvent(new Event("change"));
    return { sizes: list.options.length, buttons: document.querySelectorAll(".controls input[name^=size]").length,
      chosen: list.selectedOptions[0].textContent, points: serial.data.length, radius: serial.pointRadius,
      title: document.querySelector("[data-chart=trials] h3").textContent };
  )");
  const json& told = visit.probe;
  EXPECT_EQ(told.at("sizes"), 60);
  EXPECT_EQ(told.at("buttons"), 0);
  EXPECT_EQ(told.at("points"), 60);
  EXPECT_LT(told.at("radius").get<double>(), 2);
  EXPECT_EQ(told.at("chosen"), "519");
  EXPECT_NE(told.at("title").get<std::string>().find("size 519"), std::string::npos) << told.dump();
  EXPECT_TRUE(visit.console.empty()) << visit.console.front();
}

TEST_F(ReportInBrowser, FitsTheWidthOfATelephone) {
  const Visit visit = open(page_of(synthetic_study()), R"(
    for (const details of document.querySelectorAll("details")) details.open = true;
    return { state: document.documentElement.dataset.state, width: innerWidth,
      overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth };
  )",
                           360);
  EXPECT_EQ(visit.probe.at("state"), "ready");
  EXPECT_EQ(visit.probe.at("width"), 360);
  EXPECT_EQ(visit.probe.at("overflow"), 0);
  EXPECT_TRUE(visit.console.empty()) << visit.console.front();
}

TEST_F(ReportInBrowser, FollowsTheColourSchemeOfTheReader) {
  const json dark = open(page_of(synthetic_study()), R"(
    const brightness = (colour) => colour.match(/\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) / 765;
    const { color, backgroundColor } = getComputedStyle(document.body);
    const chart = Chart.getChart(document.querySelector("canvas"));
    return { ink: brightness(color), ground: brightness(backgroundColor), serial: chart.data.datasets[0].borderColor };
  )",
                         1200, {"--blink-settings=preferredColorScheme=0"})
                        .probe;
  EXPECT_GT(dark.at("ink").get<double>(), 0.8);
  EXPECT_LT(dark.at("ground").get<double>(), 0.2);
  EXPECT_NE(whole_visit().probe.at("serial"), dark.at("serial"));
}

TEST_F(ReportInBrowser, TakesNoTextOfAStudyForMarkup) {
  const std::string hostile =
      "</script><script>document.documentElement.dataset.hit = 1</script>"
      "<img src=x onerror=\"document.documentElement.dataset.hit = 2\"><!--<script>--></noscript></pre>"
      "\u2028'\"`${1}&lt;{{nonce}}{{data}}";
  const Visit visit = open(page_of(study_that_says(hostile)), R"(
    const plain = (text) => text.replaceAll("\u00a0", " ");
    return { state: document.documentElement.dataset.state, hit: document.documentElement.dataset.hit ?? "none",
      name: document.querySelector(".verdict .name").textContent,
      headline: plain(document.querySelector(".headline").textContent),
      reason: plain(document.querySelector(".reasons").textContent),
      host: document.querySelector(".subtitle").textContent,
      messages: plain(document.getElementById("troubles").textContent),
      images: document.images.length, scripts: document.scripts.length };
  )");
  const json& told = visit.probe;
  EXPECT_EQ(told.at("state"), "ready");
  EXPECT_EQ(told.at("hit"), "none");
  EXPECT_EQ(told.at("images"), 0);
  EXPECT_EQ(told.at("scripts"), 5);  // data, Chart.js, charts, sections, and the probe
  for (const char* const place : {"name", "headline", "reason", "host", "messages"}) {
    EXPECT_NE(told.at(place).get<std::string>().find(hostile), std::string::npos) << place << told.at(place);
  }
  EXPECT_TRUE(visit.console.empty()) << visit.console.front();
  EXPECT_TRUE(visit.requests.empty()) << visit.requests.front();
}

TEST_F(ReportInBrowser, ShowsAStudyWithoutAnyRightAnswer) {
  SavedStudy study = synthetic_study().study;
  std::erase_if(study.trials, [](const Trial& trial) { return trial.outcome == Outcome::right; });
  const Visit visit = open(report_page(study, analyse(study)), R"(
    return { state: document.documentElement.dataset.state, text: document.body.innerText };
  )");
  EXPECT_EQ(visit.probe.at("state"), "ready");
  EXPECT_NE(visit.probe.at("text").get<std::string>().find("No cell has a trial that counts"), std::string::npos);
  EXPECT_TRUE(visit.console.empty()) << visit.console.front();
}

TEST_F(ReportInBrowser, TellsSimulatedFromMeasuredByDashesAndHollowMarks) {
  SavedStudy study = synthetic_study().study;
  study.simulated = simulated_trials();
  const Visit visit = open(report_page(study, analyse(study)), R"(
    const figures = [...document.querySelectorAll("#simulated figure")].map((figure) => ({
      title: figure.querySelector("h3").textContent,
      rows: figure.querySelectorAll("details tbody tr").length,
      lines: Chart.getChart(figure.querySelector("canvas")).data.datasets.map((dataset) => ({
        label: dataset.label, points: dataset.data.length, dashed: dataset.borderDash.length > 0,
        hollow: dataset.pointBackgroundColor === current_theme().surface })),
    }));
    const chart = Chart.getChart(document.querySelectorAll("#simulated canvas")[1]);
    chart.tooltip.setActiveElements([{ datasetIndex: 0, index: 1 }], { x: 50, y: 50 });
    chart.update();
    return { figures, tooltip: [...chart.tooltip.title, ...chart.tooltip.body.flatMap(({ lines }) => lines)].join(" | "),
      text: document.getElementById("simulated").textContent,
      overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth };
  )");
  EXPECT_TRUE(visit.console.empty()) << visit.console.front();
  const json& figures = visit.probe.at("figures");
  ASSERT_EQ(figures.size(), 2);
  EXPECT_EQ(figures.at(0).at("title"), "Time against ranks, matmul, size 512");
  EXPECT_EQ(figures.at(0).at("rows"), 3);
  const auto line = [](const char* label, int points, bool simulated) {
    return json{{"label", label}, {"points", points}, {"dashed", simulated}, {"hollow", simulated}};
  };
  EXPECT_EQ(figures.at(0).at("lines"),
            json::array({line("mpi, measured", 2, false), line("simulated on fat-tree", 1, true),
                         line("simulated on fat-tree, panel = 64", 1, true)}));
  EXPECT_EQ(figures.at(1).at("lines"),
            json::array({line("simulated on fat-tree", 3, true), line("simulated on ethernet", 2, true)}));
  EXPECT_EQ(visit.probe.at("tooltip"),
            "simulated on fat-tree, 16 ranks | 710 s simulated, not measured | efficiency 0.986 against 4 ranks | "
            "80 % useful");
  EXPECT_NE(visit.probe.at("text").get<std::string>().find("no part of any verdict"), std::string::npos);
  EXPECT_NE(visit.probe.at("text").get<std::string>().find("wrong: C(1, 2) is 3"), std::string::npos);
  EXPECT_EQ(visit.probe.at("overflow"), 0);
}

constexpr std::string_view stages_of_page = R"(
  const part = document.querySelector(".stages");
  const figures = [...part.querySelectorAll("figure")].map((figure) => {
    const canvas = figure.querySelector("canvas");
    const chart = Chart.getChart(canvas);
    return {
      shown: !figure.hidden,
      head: figure.querySelector("h3").textContent,
      said: figure.querySelector(".said").textContent.replaceAll("\u00a0", " "),
      label: canvas.getAttribute("aria-label"),
      rows: [...figure.querySelectorAll("tbody tr")].map((row) => [...row.cells].map((cell) => cell.textContent).join(" ")),
      bars: chart?.data.datasets.map(({ label, data }) => ({ label, data })),
      bound: chart?.config.plugins.some(({ id }) => id === "annotations"),
      table_fits: figure.querySelector(".scroll").scrollWidth <= figure.querySelector(".scroll").clientWidth,
    };
  });
  const told = { state: document.documentElement.dataset.state, title: part.querySelector("h3").textContent, figures,
    images: document.images.length, scripts: document.scripts.length,
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth };
  const [smaller] = document.querySelectorAll(".controls input[name^=size]");
  smaller.click();
  told.smaller = Chart.getChart(part.querySelectorAll("canvas")[1]).data.datasets[0].data[0][1];
  return told;
)";

TEST_F(ReportInBrowser, ShowsWhatTheStagesOfAPipelineDidAndWhatBindsThem) {
  const Visit visit = open(page_of(pipeline_study()), stages_of_page);
  const json& told = visit.probe;
  EXPECT_TRUE(visit.console.empty()) << visit.console.front();
  EXPECT_EQ(told.at("state"), "ready");
  EXPECT_EQ(told.at("title"), "Stages of fib_stream: this job waits");
  EXPECT_EQ(told.at("overflow"), 0);
  ASSERT_EQ(told.at("figures").size(), 3);
  const json& openmp = told.at("figures").at(1);
  EXPECT_EQ(openmp.at("shown"), true);
  EXPECT_EQ(openmp.at("head"), "openmp, 2 threads");
  EXPECT_EQ(openmp.at("bound"), true);
  EXPECT_EQ(openmp.at("table_fits"), true);
  EXPECT_NE(openmp.at("label").get<std::string>().find("Stages of openmp, size 200 on 2 workers"), std::string::npos);
  EXPECT_EQ(openmp.at("rows").at(0), "ask waiting 20 200 1.76 KiB 137 KiB 10.0 s 1.00 ms 1.5/3");
  const auto said = openmp.at("said").get<std::string>();
  for (const char* const part : {"500 ms at the least, 95 % of the run", "more cores would not", "tried readers=200"}) {
    EXPECT_NE(said.find(part), std::string::npos) << said;
  }
  EXPECT_EQ(openmp.at("bars").at(0).at("label"), "useful");
  EXPECT_EQ(openmp.at("bars").at(0).at("data").at(0), json({0, 0.5}));
  EXPECT_NEAR(openmp.at("bars").at(1).at("data").at(0).at(1).get<double>(), 0.526, 0.001);
  EXPECT_NE(told.at("figures").at(2).at("said").get<std::string>().find("was not tried"), std::string::npos);
  EXPECT_DOUBLE_EQ(told.at("smaller").get<double>(), 0.125) << "50 answers of 50 ms on 20 threads";
}

TEST_F(ReportInBrowser, FitsStagesIntoTheWidthOfATelephone) {
  const Visit visit = open(page_of(pipeline_study(std::string(80, 'w'))), stages_of_page, 360);
  EXPECT_EQ(visit.probe.at("state"), "ready");
  EXPECT_EQ(visit.probe.at("overflow"), 0);
  EXPECT_TRUE(visit.console.empty()) << visit.console.front();
}

TEST_F(ReportInBrowser, TakesNoNameOfAStageForMarkup) {
  const std::string hostile =
      "<img src=x onerror=\"document.title='hit'\"></script><script>document.title='hit'</script>";
  const Visit visit = open(page_of(pipeline_study(hostile)), stages_of_page);
  EXPECT_TRUE(visit.console.empty()) << visit.console.front();
  EXPECT_EQ(visit.probe.at("images"), 0);
  EXPECT_EQ(visit.probe.at("scripts"), 5);
  EXPECT_EQ(visit.probe.at("figures").at(0).at("rows").at(0).get<std::string>().find(hostile), 0U);
  EXPECT_EQ(visit.probe.at("overflow"), 0);
}

TEST_F(ReportInBrowser, HasNoStagesWhereThereAreNone) {
  const Visit visit = open(page_of(scaling_study(Scaling::strong)),
                           R"(return { stages: document.querySelectorAll(".stages, [data-chart=stages]").length };)");
  EXPECT_EQ(visit.probe.at("stages"), 0);
}

// The policy of the page, and this test's eyes: what must not be there is seen where it is.
TEST_F(ReportInBrowser, ForbidsTheNetworkAndScriptsFromElsewhere) {
  std::string page = page_of(study_that_says("plain"));
  const std::size_t body = page.find("<main");
  page.insert(body,
              "<script>document.documentElement.dataset.hit = 1; console.log('hit')</script>"
              "<img src=\"http://example.org/x.png\">");
  constexpr std::string_view probe = R"(return { hit: document.documentElement.dataset.hit ?? "none" };)";
  const Visit guarded = open(page, probe);
  EXPECT_EQ(guarded.probe.at("hit"), "none");
  EXPECT_TRUE(guarded.requests.empty());
  EXPECT_EQ(guarded.console.size(), 2);

  const std::size_t policy = page.find("<meta http-equiv");
  page.erase(policy, page.find('>', policy) + 1 - policy);
  const Visit open_to_all = open(page, probe);
  EXPECT_EQ(open_to_all.probe.at("hit"), "1");
  EXPECT_FALSE(open_to_all.requests.empty());
  EXPECT_FALSE(open_to_all.console.empty());
}

TEST_F(ReportInBrowser, DrawsEfficiencyAgainstWorkersAgainstEitherBase) {
  const Visit visit = open(page_of(scaling_study(Scaling::weak)), R"(
    const figure = document.querySelector("#scaling figure");
    const shown = () => {
      const chart = Chart.getChart(figure.querySelector("canvas"));
      return { title: figure.querySelector("h3").textContent, lines: chart.data.datasets.length,
        highest: Math.max(...chart.data.datasets.flatMap(({ data }) => data.map((point) => point.y))) };
    };
    const own = shown();
    document.querySelectorAll("#scaling input")[1].click();
    return { state: document.documentElement.dataset.state, own, serial: shown(),
      rows: figure.querySelectorAll("details tbody tr").length,
      said: document.getElementById("scaling").textContent };
  )");
  EXPECT_TRUE(visit.console.empty()) << visit.console.front();
  EXPECT_EQ(visit.probe.at("state"), "ready");
  EXPECT_EQ(visit.probe.at("rows"), 10);
  EXPECT_EQ(visit.probe.at("own").at("lines"), 2);
  EXPECT_EQ(visit.probe.at("own").at("highest"), 1);
  EXPECT_NEAR(visit.probe.at("serial").at("highest").get<double>(), 0.95, 0.02);
  EXPECT_NE(visit.probe.at("own").at("title"), visit.probe.at("serial").at("title"));
  const auto said = visit.probe.at("said").get<std::string>();
  for (const char* text : {"Weak scaling of matmul", "Checked: work a worker is constant", "Gustafson", "USL"}) {
    EXPECT_NE(said.find(text), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace duet
