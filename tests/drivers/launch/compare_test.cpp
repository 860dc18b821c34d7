#include "drivers/compare.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "drivers/study_command.hpp"

namespace duet {
namespace {

using Sizes = std::map<std::string, std::vector<std::string>>;

TEST(PrecisionFrom, TakesPercentAndShares) {
  EXPECT_DOUBLE_EQ(precision_from("2%"), 0.02);
  EXPECT_DOUBLE_EQ(precision_from("0.5 %"), 0.005);
  EXPECT_DOUBLE_EQ(precision_from("0.1"), 0.1);
}

TEST(PrecisionFrom, RefusesWhatIsNoShare) {
  for (const char* text : {"", "0", "-1%", "100%", "2", "two", "2%%", "nan", "2 per cent"}) {
    EXPECT_THROW(static_cast<void>(precision_from(text)), std::invalid_argument) << text;
  }
}

TEST(SizesFrom, AreEachProblemsOwnWhereNothingIsSaid) {
  const Sizes sizes = sizes_from({}, {"steady"});
  EXPECT_EQ(sizes.at("steady"), (std::vector<std::string>{"1", "2", "4"}));
}

TEST(SizesFrom, AreSortedByValueAndNotRepeated) {
  EXPECT_EQ(sizes_from({"100,20,020", "3"}, {"steady"}).at("steady"), (std::vector<std::string>{"3", "20", "100"}));
}

TEST(SizesFrom, GoToOneProblemOrToAll) {
  const Sizes sizes = sizes_from({"steady=5,6", "7"}, {"steady", "misbehave"});
  EXPECT_EQ(sizes.at("steady"), (std::vector<std::string>{"5", "6", "7"}));
  EXPECT_EQ(sizes.at("misbehave"), (std::vector<std::string>{"7"}));
  const Sizes one = sizes_from({"steady=5"}, {"steady", "misbehave"});
  EXPECT_EQ(one.at("misbehave"), (std::vector<std::string>{"1", "2", "4"}));
}

TEST(SizesFrom, MayBeASeries) {
  const auto steady = [](const std::string& text) { return sizes_from({text}, {"steady"}).at("steady"); };
  EXPECT_EQ(steady("3..50"), (std::vector<std::string>{"3", "6", "12", "24", "48"}));
  EXPECT_EQ(steady("10..15:1.01,7"), (std::vector<std::string>{"7", "10", "11", "12", "13", "14", "15"}));
  EXPECT_EQ(steady("100..160:1.25"), (std::vector<std::string>{"100", "125", "156"}));
  EXPECT_EQ(steady("5..5:9"), (std::vector<std::string>{"5"}));
}

TEST(SizesFrom, RefuseWhatAProblemDoesNotAllow) {
  for (const char* text : {"", "-1", "1.5", "1e3", "99999999999999999999", "2x3", "matmul=5", "5,,6", "..", "5..",
                           "..5", "6..5", "1..9:1", "1..9:x", "1..9:", "1..9:nan", "1..9007199254740992:1.0001"}) {
    EXPECT_THROW(static_cast<void>(sizes_from({text}, {"steady"})), std::invalid_argument) << text;
  }
}

TEST(DifferenceOf, NamesBothValuesOfATypedOption) {
  const std::map<std::string, std::string> then{{"seed", "1"}, {"models", "serial"}};
  const std::map<std::string, std::string> now{{"seed", "2"}, {"models", "mpi"}};
  EXPECT_EQ(difference_of(then, now, {}), "");
  EXPECT_EQ(difference_of(then, then, {"seed", "models"}), "");
  EXPECT_EQ(difference_of(then, now, {"seed"}),
            "--resume: this study was begun with seed = '1', and now it is '2'; leave the option out, or -o DIR begins "
            "another study");
}

}  // namespace
}  // namespace duet
