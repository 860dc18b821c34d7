#include "drivers/options.hpp"

#include <gtest/gtest.h>

namespace duet {
namespace {

TEST(DurationFrom, KnowsItsUnits) {
  EXPECT_DOUBLE_EQ(duration_from("--budget", "90"), 90);
  EXPECT_DOUBLE_EQ(duration_from("--budget", "90s"), 90);
  EXPECT_DOUBLE_EQ(duration_from("--budget", "1.5m"), 90);
  EXPECT_DOUBLE_EQ(duration_from("--budget", "2h"), 7200);
  EXPECT_DOUBLE_EQ(duration_from("--budget", "200ms"), 0.2);
}

TEST(DurationFrom, RefusesWhatIsNoTimeAndNamesIt) {
  for (const char* text : {"", "s", "-3s", "0", "3 m", "3d", "1e400", "nan", "inf", "5m5", "9999999h"}) {
    try {
      (void)duration_from("--budget", text);
      FAIL() << "took '" << text << "'";
    } catch (const std::invalid_argument& error) {
      EXPECT_NE(std::string{error.what()}.find("--budget: '" + std::string{text} + "'"), std::string::npos)
          << error.what();
    }
  }
}

TEST(SettingsFrom, TakesNameAndValueApart) {
  const auto settings = settings_from({"tile=64", "schedule=", "x=a=b"});
  EXPECT_EQ(settings.at("tile"), "64");
  EXPECT_EQ(settings.at("schedule"), "");
  EXPECT_EQ(settings.at("x"), "a=b");
}

TEST(SettingsFrom, RefusesWhatHasNoNameAndWhatIsSaidTwice) {
  EXPECT_THROW((void)settings_from({"tile"}), UsageError);
  EXPECT_THROW((void)settings_from({"=3"}), UsageError);
  EXPECT_THROW((void)settings_from({"tile=1", "tile=2"}), UsageError);
}

TEST(SplitSettings, TellsParametersFromTunablesAndListsBothInItsError) {
  Problem problem;
  problem.name = "sample";
  problem.parameters = {{"modulus", "0", "meaning"}};
  const Variant variant{Model::openmp, {{"grain", "1", "meaning"}}, {}};
  const auto [parameters, tunables] = split_settings(problem, variant, {"grain=4", "modulus=7"});
  EXPECT_EQ(parameters.at("modulus"), "7");
  EXPECT_EQ(tunables.at("grain"), "4");
  try {
    (void)split_settings(problem, variant, {"colour=red"});
    FAIL() << "took an unknown name";
  } catch (const UsageError& error) {
    EXPECT_STREQ(error.what(), "--set: sample in openmp has no 'colour'; it has modulus, grain");
  }
}

TEST(WorkerOptions, RefuseAnUnknownModelByNameAndListTheModels) {
  CLI::App app;
  Workers workers;
  add_worker_options(app, workers);
  try {
    app.parse("--model cuda");
    FAIL() << "took an unknown model";
  } catch (const CLI::ParseError& error) {
    EXPECT_NE(std::string{error.what()}.find("'cuda' is none of serial, openmp, tbb, mpi, hybrid"), std::string::npos)
        << error.what();
  }
}

TEST(WholeOption, RefusesFractionsSignsAndOverflow) {
  for (const char* text : {"1.5", "-1", "99999999999999999999", "two", "1e3", "0x10"}) {
    CLI::App app;
    int repeat = 3;
    add_whole_option(app, "--repeat", repeat, "meaning", 1, 1000);
    try {
      app.parse(std::string{"--repeat="} + text);
      FAIL() << "took " << text;
    } catch (const CLI::ParseError& error) {
      EXPECT_NE(std::string{error.what()}.find("from 1 to 1000"), std::string::npos) << error.what();
    }
    EXPECT_EQ(repeat, 3);
  }
}

}  // namespace
}  // namespace duet
