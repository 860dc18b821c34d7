#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "drivers/statistics/medians.hpp"
#include "drivers/study/verdict.hpp"

/// Two people run the same study on a noisy machine with two cores: what one calls significant must not be denied by
/// the other. Simulated, since nobody can run hundreds of studies; the true times are known here, so that claims are
/// also held against the truth.

namespace duet {
namespace {

const std::vector<std::string> sizes{"64", "128", "256", "512", "1024", "2048"};
constexpr std::array<Model, 4> models{Model::openmp, Model::tbb, Model::mpi, Model::hybrid};

/// log seconds of each model at each size.
using Truth = std::map<std::pair<Model, std::string>, double>;

/// Differences from none to 30 %, many of them at the edge of what can be seen.
Truth some_truth(std::mt19937_64& engine) {
  const std::vector<double> differences{0, 0, 0, 0.003, 0.01, 0.02, 0.03, 0.05, 0.1, 0.3};
  std::uniform_int_distribution<std::size_t> pick{0, differences.size() - 1};
  Truth truth;
  for (const std::string& size : sizes) {
    for (const Model model : models)
      truth[{model, size}] = 2 * std::log(std::stod(size)) - 20 + differences[pick(engine)];
  }
  return truth;
}

struct Noise {
  double drift;          ///< of the machine from round to round, all cells alike
  double launch;         ///< between processes: layout of memory, placement
  double second_mode;    ///< some launches are slower by this
  double outlier_share;  ///< launches that are disturbed, by up to half
  double trial;          ///< within a process
  double study;          ///< what all rounds of one study share, for each cell: no interval can see it
};

SavedStudy simulated(const Truth& truth, const Noise& noise, int rounds, std::mt19937_64& engine) {
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform;
  SavedStudy study;
  std::map<std::pair<Model, std::string>, double> shift;
  for (const auto& [cell, seconds] : truth) shift[cell] = noise.study * normal(engine);
  double drift = 0;
  int launch = 0;
  for (int round = 0; round < rounds; ++round) {
    drift = 0.7 * drift + noise.drift * normal(engine);
    for (const auto& [cell, log_seconds] : truth) {
      double of_launch = log_seconds + shift[cell] + drift + noise.launch * normal(engine);
      if (uniform(engine) < 0.3) of_launch += noise.second_mode;
      if (uniform(engine) < noise.outlier_share) of_launch += 0.5 * uniform(engine);
      ++launch;
      for (int number = 0; number < 3; ++number) {
        Trial trial;
        trial.cell = {.problem = "matmul",
                      .model = cell.first,
                      .size = cell.second,
                      .ranks = passes_messages(cell.first) ? 2 : 1,
                      .threads = passes_messages(cell.first) ? 1 : 2};
        trial.round = round;
        trial.launch = launch;
        trial.number = number;
        trial.outcome = Outcome::right;
        trial.seconds = std::exp(of_launch + noise.trial * normal(engine));
        study.trials.push_back(trial);
      }
    }
  }
  return study;
}

/// What is claimed: for each pair of models and size, log(second / first) where it is significant.
using Pair = std::tuple<std::string, Model, Model>;
using Claims = std::map<Pair, double>;

/// What is denied: the interval's ends as the sentence prints them, "no difference larger than", where it is not.
std::map<Pair, double> denials_of(const Analysis& analysis) {
  std::map<Pair, double> denials;
  for (const Comparison& comparison : analysis.comparisons) {
    if (comparison.significant) continue;
    const auto [one, other] = std::minmax(comparison.faster, comparison.slower);
    denials[{comparison.size, one, other}] = std::log1p(largest_difference(comparison.ratio));
  }
  return denials;
}

Claims claims_of(const Analysis& analysis) {
  Claims claims;
  for (const Comparison& comparison : analysis.comparisons) {
    if (!comparison.significant) continue;
    const double log_ratio = std::log(comparison.ratio.estimate);
    if (comparison.faster < comparison.slower) {
      claims[{comparison.size, comparison.faster, comparison.slower}] = log_ratio;
    } else {
      claims[{comparison.size, comparison.slower, comparison.faster}] = -log_ratio;
    }
  }
  return claims;
}

struct Tally {
  int claims = 0;
  int contradictions = 0;  ///< both studies claim a winner, not the same one
  int false_claims = 0;    ///< the winner is not faster in truth
  int denied = 0;          ///< one claims a winner by more than the largest difference that the other admits
  int clear = 0;           ///< true differences of 30 %
  int clear_seen = 0;
};

Tally over_pairs_of_studies(const Noise& noise, int rounds, int pairs) {
  std::mt19937_64 engine{20};
  Tally tally;
  for (int pair = 0; pair < pairs; ++pair) {
    const Truth truth = some_truth(engine);
    const Claims first = claims_of(analyse(simulated(truth, noise, rounds, engine)));
    const Analysis again = analyse(simulated(truth, noise, rounds, engine));
    const Claims second = claims_of(again);
    const std::map<Pair, double> denials = denials_of(again);
    for (const auto& [what, log_ratio] : first) {
      const auto& [size, one, other] = what;
      const double true_log_ratio = truth.at({other, size}) - truth.at({one, size});
      ++tally.claims;
      if (true_log_ratio * log_ratio <= 0) ++tally.false_claims;
      const auto also = second.find(what);
      if (also != second.end() && also->second * log_ratio < 0) ++tally.contradictions;
      const auto denial = denials.find(what);
      if (denial != denials.end() && std::abs(log_ratio) > denial->second) ++tally.denied;
    }
    for (const std::string& size : sizes) {
      for (std::size_t i = 0; i < models.size(); ++i) {
        for (std::size_t j = i + 1; j < models.size(); ++j) {
          if (std::abs(truth.at({models[i], size}) - truth.at({models[j], size})) < 0.295) continue;
          ++tally.clear;
          if (first.contains({size, models[i], models[j]})) ++tally.clear_seen;
        }
      }
    }
  }
  return tally;
}

TEST(TwoStudies, NeverContradictEachOtherOnANoisyMachine) {
  const Noise cloud{
      .drift = 0.08, .launch = 0.02, .second_mode = 0.05, .outlier_share = 0.08, .trial = 0.01, .study = 0.003};
  const Tally tally = over_pairs_of_studies(cloud, 8, 40);
  RecordProperty("claims", tally.claims);
  RecordProperty("false_claims", tally.false_claims);
  RecordProperty("denied", tally.denied);
  RecordProperty("clear", tally.clear);
  RecordProperty("clear_seen", tally.clear_seen);
  EXPECT_EQ(tally.contradictions, 0);
  EXPECT_LE(tally.false_claims, tally.claims / 100);
  EXPECT_GE(2 * tally.clear_seen, tally.clear) << "what is clear must still be seen, half the time at the least";
}

TEST(TwoStudies, NeverContradictEachOtherOnAQuietMachine) {
  const Noise quiet{
      .drift = 0.01, .launch = 0.005, .second_mode = 0, .outlier_share = 0.01, .trial = 0.003, .study = 0.003};
  const Tally tally = over_pairs_of_studies(quiet, 8, 40);
  RecordProperty("claims", tally.claims);
  RecordProperty("false_claims", tally.false_claims);
  RecordProperty("denied", tally.denied);
  RecordProperty("clear", tally.clear);
  RecordProperty("clear_seen", tally.clear_seen);
  EXPECT_EQ(tally.contradictions, 0);
  EXPECT_LE(tally.false_claims, tally.claims / 100);
  EXPECT_GE(10 * tally.clear_seen, 9 * tally.clear);
}

}  // namespace
}  // namespace duet
