#include "drivers/statistics/scaling_laws.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>
#include <stdexcept>

namespace duet {
namespace {

constexpr int rounds = 9;

/// Samples whose y(p) is `law_of(p)`, work `work_of(p)`, and times that scatter by `noise` (a share), alike in all
/// samples of a round by half of it.
std::vector<ScalingSample> samples_of(
    const std::vector<int>& workers, const std::function<double(double)>& law_of, double noise = 0, unsigned seed = 1,
    const std::function<double(double)>& work_of = [](double) { return 1.0; }) {
  std::mt19937 random{seed};
  std::normal_distribution<double> scatter{0, 1};
  std::vector<double> of_round(rounds);
  for (double& value : of_round) value = 0.5 * noise * scatter(random);
  std::vector<ScalingSample> samples;
  for (const int p : workers) {
    ScalingSample sample{p, work_of(p), {}};
    for (const double shared : of_round) {
      const double ideal = law_of(p) * sample.work / p;
      sample.seconds.push_back(ideal * std::exp(shared + noise * scatter(random)));
    }
    samples.push_back(sample);
  }
  return samples;
}

/// T(p) = s + (1 - s) / p.
std::vector<ScalingSample> amdahl(double s, const std::vector<int>& workers, double noise = 0, unsigned seed = 1) {
  return samples_of(
      workers, [s](double p) { return p * (s + (1 - s) / p); }, noise, seed);
}

std::vector<ScalingSample> usl(double sigma, double kappa, const std::vector<int>& workers, double noise = 0) {
  return samples_of(
      workers, [=](double p) { return 1 + sigma * (p - 1) + kappa * p * (p - 1); }, noise);
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(Amdahl, GivesTheSerialFractionBack) {
  const ScalingFit fit = fit_scaling(ScalingLaw::amdahl, amdahl(0.05, {1, 2, 4, 8}));
  EXPECT_EQ(fit.refusal, "");
  EXPECT_NEAR(fit.fraction.estimate, 0.05, 1e-12);
  EXPECT_NEAR(fit.fraction.low, 0.05, 1e-12);
  EXPECT_NEAR(fit.fraction.high, 0.05, 1e-12);
  EXPECT_NEAR(fit.seconds_a_unit, 1, 1e-12);
  EXPECT_NEAR(fit.misfit, 0, 1e-12);
  // Amdahl's speedup on 8 workers is 1 / (0.05 + 0.95 / 8) = 5.9259...
  EXPECT_NEAR(8 / worker_seconds(fit, 8), 1 / (0.05 + 0.95 / 8), 1e-12);
  EXPECT_EQ(fit.held_out.workers, 8);
  EXPECT_NEAR(fit.held_out.predicted_seconds, 0.05 + 0.95 / 8, 1e-12);
  EXPECT_NEAR(fit.held_out.error.estimate, 0, 1e-12);
}

TEST(Amdahl, PredictsThePointThatIsHeldOutFromTheOthersAlone) {
  auto samples = amdahl(0.05, {1, 2, 4, 8});
  for (double& seconds : samples.back().seconds) seconds *= 1.25;
  const ScalingFit fit = fit_scaling(ScalingLaw::amdahl, samples);
  EXPECT_NEAR(fit.held_out.error.estimate, 1 / 1.25 - 1, 1e-12);
  EXPECT_NEAR(fit.held_out.measured_seconds, 1.25 * (0.05 + 0.95 / 8), 1e-12);
  EXPECT_GT(fit.fraction.estimate, 0.05);
  EXPECT_GT(fit.misfit, 0.02);
}

TEST(Amdahl, CoversTheTruthAsOftenAsItsIntervalSays) {
  int covered = 0;
  constexpr int studies = 120;
  for (unsigned study = 0; study < studies; ++study) {
    const Interval s = fit_scaling(ScalingLaw::amdahl, amdahl(0.05, {1, 2, 4, 8}, 0.02, 100 + study)).fraction;
    covered += s.low <= 0.05 && 0.05 <= s.high ? 1 : 0;
  }
  // 95 % of 120 are 114; the standard deviation is 2.4.
  EXPECT_GE(covered, 107);
}

TEST(Amdahl, OnlyBoundsAFractionThatIsNotToldFromNothing) {
  const ScalingFit fit = fit_scaling(ScalingLaw::amdahl, amdahl(0, {1, 2, 4, 8}, 0.02));
  EXPECT_EQ(fit.refusal, "");
  EXPECT_LE(fit.fraction.low, 0);
  EXPECT_GT(fit.fraction.high, 0);
  EXPECT_LT(fit.fraction.high, 0.03);
}

TEST(Amdahl, IsRefusedWhereNothingIsLeftToHoldOut) {
  const ScalingFit fit = fit_scaling(ScalingLaw::amdahl, amdahl(0.05, {1, 2}));
  EXPECT_TRUE(contains(fit.refusal, "3 worker counts")) << fit.refusal;
  EXPECT_TRUE(contains(fit.refusal, "there are 2")) << fit.refusal;
  EXPECT_EQ(fit.fraction.n, 0);
  EXPECT_FALSE(fit_scaling(ScalingLaw::amdahl, {}).refusal.empty());
}

TEST(Amdahl, IsRefusedWithoutOneWorker) {
  const ScalingFit fit = fit_scaling(ScalingLaw::amdahl, amdahl(0.05, {2, 4, 8}));
  EXPECT_TRUE(contains(fit.refusal, "one worker was not measured, only 2 and more")) << fit.refusal;
}

TEST(Amdahl, IsRefusedWithTooFewRounds) {
  auto samples = amdahl(0.05, {1, 2, 4});
  for (ScalingSample& sample : samples) sample.seconds.resize(5);
  const ScalingFit fit = fit_scaling(ScalingLaw::amdahl, samples);
  EXPECT_TRUE(contains(fit.refusal, "6 rounds")) << fit.refusal;
  EXPECT_TRUE(contains(fit.refusal, "there are 5")) << fit.refusal;
}

TEST(Amdahl, IsRefusedForASuperlinearSpeedup) {
  const ScalingFit fit =
      fit_scaling(ScalingLaw::amdahl, samples_of(
                                          {1, 2, 4, 8}, [](double p) { return std::pow(p, -0.2); }, 0.01));
  EXPECT_TRUE(contains(fit.refusal, "below 0")) << fit.refusal;
}

TEST(Amdahl, IsRefusedWhereMoreWorkersTakeLonger) {
  const ScalingFit fit = fit_scaling(ScalingLaw::amdahl, samples_of(
                                                             {1, 2, 4, 8}, [](double p) { return p * p; }, 0.01));
  EXPECT_TRUE(contains(fit.refusal, "more workers take longer")) << fit.refusal;
}

TEST(Amdahl, IsRefusedWhereNoiseHidesEverything) {
  const ScalingFit fit = fit_scaling(ScalingLaw::amdahl, amdahl(0.05, {1, 2, 3}, 0.8, 5));
  EXPECT_TRUE(contains(fit.refusal, "may as well be 0")) << fit.refusal << fit.fraction.low << " " << fit.fraction.high;
}

TEST(Gustafson, GivesTheSerialFractionBackAlsoWhereWorkIsNotQuiteConstant) {
  const auto law = [](double p) { return 1 / (1 - 0.1 * (1 - 1 / p)); };
  const auto work = [](double p) { return p * (1 + 0.01 * std::sin(p)); };
  const ScalingFit fit = fit_scaling(ScalingLaw::gustafson, samples_of({1, 2, 4, 8}, law, 0, 1, work));
  EXPECT_EQ(fit.refusal, "");
  EXPECT_NEAR(fit.fraction.estimate, 0.1, 1e-12);
  // Gustafson's scaled speedup on 8 workers is 8 - 0.1 (8 - 1) = 7.3.
  EXPECT_NEAR(8 / worker_seconds(fit, 8), 7.3, 1e-12);
  EXPECT_NEAR(fit.held_out.error.estimate, 0, 1e-12);
}

TEST(Usl, GivesContentionAndCoherencyBack) {
  const ScalingFit fit = fit_scaling(ScalingLaw::usl, usl(0.03, 0.0005, {1, 2, 4, 8, 16, 32, 64}));
  EXPECT_EQ(fit.refusal, "");
  EXPECT_NEAR(fit.fraction.estimate, 0.03, 1e-11);
  EXPECT_NEAR(fit.coherency.estimate, 0.0005, 1e-12);
  EXPECT_NEAR(fit.most_workers.estimate, std::sqrt((1 - 0.03) / 0.0005), 1e-6);
  EXPECT_NEAR(fit.held_out.error.estimate, 0, 1e-10);
}

/// The SPEC SDM91 benchmark on a SPARCcenter 2000, as in chapter 4 of Gunther's book and in the R package usl (Stefan
/// Moeding), whose documentation gives, by nonlinear least squares on throughput, contention 0.0277, coherency 0.000104
/// and a peak at 96.5. Relative least squares, which trust the single processor as much as 216, were computed beside
/// this program with rational numbers.
TEST(Usl, FindsThePublishedPeakOfTheSparccenter) {
  const std::vector<int> workers{1, 18, 36, 72, 108, 144, 216};
  const std::vector<double> throughput{64.9, 995.9, 1652.4, 1853.2, 1828.9, 1775.0, 1702.2};
  std::vector<ScalingSample> samples;
  for (std::size_t i = 0; i < workers.size(); ++i) {
    samples.push_back({workers[i], 1, std::vector<double>(6, 1 / throughput[i])});
  }
  const ScalingFit fit = fit_scaling(ScalingLaw::usl, samples);
  EXPECT_EQ(fit.refusal, "");
  EXPECT_NEAR(fit.fraction.estimate, 0.013361254590649805, 1e-10);
  EXPECT_NEAR(fit.coherency.estimate, 0.00011520259846976548, 1e-13);
  EXPECT_NEAR(1 / fit.seconds_a_unit, 68.16070521545245, 1e-8);
  EXPECT_NEAR(fit.misfit, 0.08607272101693046, 1e-10);
  EXPECT_NEAR(fit.held_out.error.estimate, 0.23539097810376627, 1e-9);
  EXPECT_NEAR(fit.most_workers.estimate, 96.5, 0.05 * 96.5);
}

TEST(Usl, GivesThePublishedPeakForThePublishedParameters) {
  const auto samples = usl(0.0277285, 0.0001044, {1, 18, 36, 72, 108, 144, 216});
  EXPECT_NEAR(fit_scaling(ScalingLaw::usl, samples).most_workers.estimate, 96.5, 0.05);
}

TEST(Usl, IsRefusedForThreeWorkerCounts) {
  const ScalingFit fit = fit_scaling(ScalingLaw::usl, usl(0.03, 0.0005, {1, 2, 4}));
  EXPECT_TRUE(contains(fit.refusal, "4 worker counts")) << fit.refusal;
}

TEST(Usl, OnlyBoundsCoherencyThatIsNotThere) {
  const ScalingFit fit = fit_scaling(ScalingLaw::usl, usl(0.05, 0, {1, 2, 4, 8, 16}, 0.01));
  EXPECT_EQ(fit.refusal, "");
  EXPECT_GT(fit.fraction.low, 0);
  EXPECT_LE(fit.coherency.low, 0);
  EXPECT_EQ(fit.most_workers.n, 0);
}

TEST(Usl, IsRefusedWhereCoherencyWouldBeNegative) {
  const ScalingFit fit = fit_scaling(ScalingLaw::usl, samples_of(
                                                          {1, 2, 4, 8, 16}, [](double p) { return 2 - 1 / p; }, 0.001));
  EXPECT_TRUE(contains(fit.refusal, "coherency would be")) << fit.refusal;
  EXPECT_TRUE(contains(fit.refusal, "below 0")) << fit.refusal;
}

TEST(ScalingFit, IsTheSameForTheSameSamplesAndSeed) {
  const auto samples = usl(0.05, 0.001, {1, 2, 4, 8, 16}, 0.02);
  const ScalingFit one = fit_scaling(ScalingLaw::usl, samples, 3);
  const ScalingFit other = fit_scaling(ScalingLaw::usl, samples, 3);
  EXPECT_EQ(one.fraction.low, other.fraction.low);
  EXPECT_EQ(one.coherency.high, other.coherency.high);
  EXPECT_EQ(one.held_out.error.low, other.held_out.error.low);
}

TEST(ScalingFit, RefusesSamplesThatAreNone) {
  auto samples = amdahl(0.05, {1, 2, 4});
  samples[1].seconds.pop_back();
  EXPECT_THROW(static_cast<void>(fit_scaling(ScalingLaw::amdahl, samples)), std::invalid_argument);
  samples = amdahl(0.05, {1, 4, 2});
  EXPECT_THROW(static_cast<void>(fit_scaling(ScalingLaw::amdahl, samples)), std::invalid_argument);
  samples = amdahl(0.05, {1, 2, 4});
  samples[0].seconds[3] = 0;
  EXPECT_THROW(static_cast<void>(fit_scaling(ScalingLaw::amdahl, samples)), std::invalid_argument);
}

}  // namespace
}  // namespace duet
