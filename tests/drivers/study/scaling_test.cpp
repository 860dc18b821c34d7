#include "drivers/study/scaling.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "drivers/study/verdict.hpp"
#include "tests/drivers/report/synthetic_study.hpp"

namespace duet {
namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string all_of(const ScalingCurve& curve) {
  std::string text;
  for (const std::string& sentence : curve.sentences) text += sentence + "\n";
  return text;
}

const ScalingCurve& curve_of(const Analysis& analysis, Model model) {
  return *std::ranges::find(analysis.scaling, model, &ScalingCurve::model);
}

TEST(ScalingOf, IsReadFromTheOptionsAndNoneWhereNothingIsSaid) {
  EXPECT_EQ(scaling_of({}), Scaling::none);
  EXPECT_EQ(scaling_of({{"scaling", "strong"}}), Scaling::strong);
  EXPECT_EQ(scaling_of({{"scaling", "weak"}}), Scaling::weak);
  EXPECT_THROW(static_cast<void>(scaling_of({{"scaling", "huge"}})), std::invalid_argument);
}

TEST(ScalingCurves, AreNoneForAComparison) { EXPECT_TRUE(synthetic_study().analysis.scaling.empty()); }

TEST(ScalingCurves, HaveEfficienciesAgainstBothBases) {
  const Analysis analysis = scaling_study(Scaling::strong).analysis;
  ASSERT_EQ(analysis.scaling.size(), 2U);
  const ScalingCurve& openmp = curve_of(analysis, Model::openmp);
  ASSERT_EQ(openmp.points.size(), 5U);
  EXPECT_EQ(openmp.base_workers, 1);
  EXPECT_TRUE(openmp.has_serial);
  EXPECT_EQ(openmp.points[0].efficiency.n, 0);
  // Serial is 5 % faster than one worker: 0.02 of the time does not shrink.
  EXPECT_NEAR(openmp.points[0].serial_efficiency.estimate, 0.95, 0.01);
  for (const ScalingPoint& point : openmp.points) {
    if (point.cell.workers() == 1) continue;
    const double p = point.cell.workers();
    EXPECT_NEAR(point.efficiency.estimate, 1 / (1 + 0.02 * (p - 1)), 0.02);
    EXPECT_LE(point.efficiency.low, point.efficiency.estimate);
    EXPECT_GE(point.efficiency.high, point.efficiency.estimate);
    EXPECT_NEAR(point.serial_efficiency.estimate, 0.95 * point.efficiency.estimate, 0.02);
  }
}

TEST(ScalingCurves, SayUpToHowManyWorkersEfficiencyStaysAboveTheLines) {
  const Analysis analysis = scaling_study(Scaling::strong).analysis;
  // openmp: 1, 0.98, 0.94, 0.88, 0.77; mpi: 1, 0.94, 0.82, 0.62, 0.33.
  const ScalingCurve& openmp = curve_of(analysis, Model::openmp);
  EXPECT_EQ(openmp.lines[0].share, 0.75);
  EXPECT_EQ(openmp.lines[0].above_up_to, 16);
  EXPECT_EQ(openmp.lines[0].below_from, 0);
  EXPECT_EQ(openmp.serial_lines[0].above_up_to, 8);
  EXPECT_EQ(openmp.serial_lines[0].below_from, 16);
  const ScalingCurve& mpi = curve_of(analysis, Model::mpi);
  EXPECT_EQ(mpi.lines[0].above_up_to, 4);
  EXPECT_EQ(mpi.lines[0].below_from, 8);
  EXPECT_EQ(mpi.lines[1].above_up_to, 8);
  EXPECT_EQ(mpi.lines[1].below_from, 16);
  EXPECT_TRUE(contains(all_of(openmp),
                       "above 75 %: up to 16 workers, the most measured; of serial up to 8 workers, "
                       "below from 16 workers on"))
      << all_of(openmp);
  EXPECT_TRUE(contains(all_of(mpi), "above 50 %: up to 8 workers, below from 16 workers on")) << all_of(mpi);
}

TEST(ScalingCurves, HaveTheLawsThatTheyFollow) {
  const Analysis analysis = scaling_study(Scaling::strong).analysis;
  const ScalingCurve& openmp = curve_of(analysis, Model::openmp);
  ASSERT_EQ(openmp.fits.size(), 2U);
  EXPECT_EQ(openmp.fits[0].law, ScalingLaw::amdahl);
  EXPECT_EQ(openmp.fits[0].refusal, "");
  EXPECT_NEAR(openmp.fits[0].fraction.estimate, 0.02, 0.002);
  EXPECT_TRUE(contains(all_of(openmp), "Amdahl: serial fraction 2")) << all_of(openmp);
  EXPECT_TRUE(contains(all_of(openmp), "without 16 workers it predicts")) << all_of(openmp);
  const ScalingCurve& mpi = curve_of(analysis, Model::mpi);
  EXPECT_EQ(mpi.fits[1].law, ScalingLaw::usl);
  EXPECT_NEAR(mpi.fits[1].coherency.estimate, 0.006, 0.001);
  EXPECT_TRUE(contains(all_of(mpi), "most throughput on")) << all_of(mpi);
  // Drawn against its own base, the law passes by what was measured.
  for (const ScalingPoint& point : mpi.points) {
    const double drawn = efficiency_on(mpi, mpi.fits[1], point.cell.workers());
    EXPECT_NEAR(drawn, point.efficiency.n == 0 ? 1 : point.efficiency.estimate, 0.03);
  }
}

TEST(ScalingCurves, OfAWeakRunCorrectForWorkThatIsNotQuiteConstant) {
  const Analysis analysis = scaling_study(Scaling::weak).analysis;
  const ScalingCurve& openmp = curve_of(analysis, Model::openmp);
  EXPECT_EQ(title_of(openmp), "Weak scaling of matmul from n = 512 on 1 worker");
  EXPECT_TRUE(contains(work_sentence(openmp), "constant within 2 %")) << work_sentence(openmp);
  ASSERT_EQ(openmp.points.size(), 5U);
  EXPECT_EQ(openmp.points[1].cell.size, "648");
  EXPECT_NEAR(openmp.points[1].work_deviation, std::pow(648.0 / 512, 3) / 2 - 1, 1e-12);
  for (const ScalingPoint& point : openmp.points) {
    if (point.cell.workers() == 1) continue;
    EXPECT_NEAR(point.efficiency.estimate, 1 / (1 + 0.02 * (point.cell.workers() - 1)), 0.02);
  }
  EXPECT_EQ(openmp.fits[0].law, ScalingLaw::gustafson);
  EXPECT_NEAR(openmp.points[0].serial_efficiency.estimate, 0.95, 0.01);
}

TEST(ScalingCurves, RefuseLawsWhereWorkIsNotConstant) {
  SyntheticStudy study = scaling_study(Scaling::weak);
  for (Trial& trial : study.study.trials) {
    if (trial.cell.workers() == 16) trial.operations *= 1.2;
  }
  const Analysis analysis = analyse(study.study);
  const ScalingCurve& openmp = curve_of(analysis, Model::openmp);
  for (const ScalingFit& fit : openmp.fits) {
    EXPECT_TRUE(contains(fit.refusal, "work a worker is not constant")) << fit.refusal;
  }
}

TEST(ScalingCurves, TakeTheFewestWorkersWithAnAnswerAsBaseAndSayWhatIsMissing) {
  SyntheticStudy study = scaling_study(Scaling::strong);
  for (Trial& trial : study.study.trials) {
    if (trial.cell.model == Model::mpi && trial.cell.workers() == 1) trial.outcome = Outcome::failed;
  }
  const Analysis analysis = analyse(study.study);
  const ScalingCurve& mpi = curve_of(analysis, Model::mpi);
  EXPECT_EQ(mpi.base_workers, 2);
  EXPECT_EQ(mpi.points[0].missing, "failed");
  EXPECT_EQ(mpi.points[1].efficiency.n, 0);
  for (const ScalingFit& fit : mpi.fits) {
    EXPECT_TRUE(contains(fit.refusal, "one worker was not measured, only 2 and more")) << fit.refusal;
  }
}

TEST(ScalingCurves, AreDataWithEveryIntervalAndRefusal) {
  const Analysis analysis = scaling_study(Scaling::strong).analysis;
  const nlohmann::json json = scaling_json(analysis.scaling);
  ASSERT_EQ(json.size(), 2U);
  const nlohmann::json& curve = json.at(0);
  EXPECT_EQ(curve.at("model"), "openmp");
  EXPECT_EQ(curve.at("scaling"), "strong");
  EXPECT_EQ(curve.at("points").size(), 5U);
  EXPECT_TRUE(curve.at("points").at(0).at("efficiency").is_null());
  EXPECT_EQ(curve.at("points").at(4).at("efficiency").at("n"), 9);
  EXPECT_EQ(curve.at("lines").at(0).at("above_up_to"), 16);
  const nlohmann::json& law = curve.at("fits").at(0);
  EXPECT_EQ(law.at("law"), "Amdahl");
  EXPECT_GT(law.at("serial_fraction").at("low").get<double>(), 0);
  EXPECT_EQ(law.at("held_out").at("workers"), 16);
  EXPECT_EQ(law.at("line").front().at(0), 1);
  EXPECT_NEAR(law.at("line").back().at(0).get<double>(), 16, 1e-9);
  EXPECT_TRUE(scaling_json({}).is_null());
}

TEST(ScalingInNeed, AreTheCellsOfWideEfficienciesAndTheirBases) {
  const Analysis analysis = scaling_study(Scaling::strong).analysis;
  std::set<std::string> all;
  for (const CellSummary& summary : analysis.cells) all.insert(summary.cell.id());
  EXPECT_TRUE(scaling_in_need(analysis.scaling, all, 0.5).empty());
  const std::set<std::string> need = scaling_in_need(analysis.scaling, all, 1e-6);
  EXPECT_EQ(need.size(), 10U);
  EXPECT_TRUE(need.contains(curve_of(analysis, Model::mpi).points[0].cell.id()));
}

}  // namespace
}  // namespace duet
