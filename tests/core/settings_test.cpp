#include "kernels/core/settings.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace duet {
namespace {

/// What `act` complains about, or nothing.
template <class Act>
std::string complaint_of(Act&& act) {
  try {
    act();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return {};
}

const std::vector<Setting> declared{
    {.name = "tile", .preset = "64", .meaning = "rows of a tile", .least = 1, .most = 4096},
    {.name = "schedule", .preset = "block", .meaning = "who takes what", .choices = {"block", "cyclic"}},
};

TEST(WholeNumber, ReadsWhatIsInItsRange) {
  EXPECT_EQ(whole_number("size", "0", 0, 10), 0);
  EXPECT_EQ(whole_number("size", "10", 0, 10), 10);
  EXPECT_EQ(whole_number("size", "-3", -5, 10), -3);
  EXPECT_EQ(whole_number("size", "9223372036854775807", 0, INT64_MAX), INT64_MAX);
  EXPECT_EQ(whole_number("size", "-9223372036854775808", INT64_MIN, 0), INT64_MIN);
}

TEST(WholeNumber, RefusesEverythingElse) {
  for (const char* const text : {"", " ", "x", "1.5", "1e3", "10 ", " 10", "+10", "0x10", "10kB", "--1", "-", "11",
                                 "-1", "9223372036854775808", "99999999999999999999999", "1,000", "ten"}) {
    EXPECT_THROW(static_cast<void>(whole_number("size", text, 0, 10)), std::invalid_argument) << "'" << text << "'";
  }
}

TEST(WholeNumber, SaysWhatTheValueIsAndWhatWouldBeRight) {
  EXPECT_EQ(complaint_of([] { static_cast<void>(whole_number("tile", "9999", 1, 4096)); }),
            "tile: '9999' is not a whole number from 1 to 4096");
}

TEST(Settings, TakesPresetsWhereNothingIsGiven) {
  const Settings settings{"matmul", declared, {}};
  EXPECT_EQ(settings.whole("tile"), 64);
  EXPECT_EQ(settings.text("schedule"), "block");
  EXPECT_EQ(settings.all().size(), 2U);
}

TEST(Settings, TakesWhatIsGiven) {
  const Settings settings{"matmul", declared, {{"tile", "128"}, {"schedule", "cyclic"}}};
  EXPECT_EQ(settings.whole("tile"), 128);
  EXPECT_EQ(settings.text("schedule"), "cyclic");
}

TEST(Settings, SaysNumbersBackInTheirPlainForm) {
  EXPECT_EQ((Settings{"matmul", declared, {{"tile", "007"}}}.text("tile")), "7");
}

TEST(Settings, NamesWhatThereIsForAnUnknownName) {
  EXPECT_EQ(complaint_of([] { Settings{"matmul in openmp", declared, {{"tiles", "1"}}}; }),
            "matmul in openmp has no setting 'tiles'; it has tile, schedule");
  EXPECT_EQ(complaint_of([] { Settings{"matmul in serial", {}, {{"tile", "1"}}}; }),
            "matmul in serial has no setting 'tile'; it has none");
}

TEST(Settings, NamesTheChoicesForAnUnknownChoice) {
  EXPECT_EQ(complaint_of([] { Settings{"fib_batch", declared, {{"schedule", "random"}}}; }),
            "schedule: 'random' is none of block, cyclic");
  EXPECT_NE(complaint_of([] { Settings{"fib_batch", declared, {{"schedule", ""}}}; }), "");
  EXPECT_NE(complaint_of([] { Settings{"fib_batch", declared, {{"schedule", "Block"}}}; }), "");
}

TEST(Settings, RefusesANumberOutOfItsRange) {
  EXPECT_EQ(complaint_of([] { Settings{"matmul", declared, {{"tile", "0"}}}; }),
            "tile: '0' is not a whole number from 1 to 4096");
}

TEST(Settings, RefusesToReadWhatItDoesNotHold) {
  const Settings settings{"matmul", declared, {}};
  EXPECT_THROW(static_cast<void>(settings.text("grain")), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(settings.whole("schedule")), std::invalid_argument);
}

}  // namespace
}  // namespace duet
