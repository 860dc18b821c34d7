#include "kernels/core/timesheet.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>

namespace duet {
namespace {

using std::chrono::steady_clock;

double seconds_since(steady_clock::time_point begin) {
  return std::chrono::duration<double>(steady_clock::now() - begin).count();
}

void pass_some_time() { std::this_thread::sleep_for(std::chrono::milliseconds(2)); }

TEST(Timesheet, StartsEmpty) {
  const Timesheet timesheet{3};
  EXPECT_EQ(timesheet.threads(), 3);
  for (int thread = 0; thread < 3; ++thread) {
    EXPECT_EQ(timesheet.of(thread).useful, 0);
    EXPECT_EQ(timesheet.of(thread).communicating, 0);
    EXPECT_EQ(timesheet.of(thread).stretches, 0);
  }
}

TEST(Timesheet, RefusesAThreadThatItHasNoLineFor) {
  Timesheet timesheet{2};
  EXPECT_THROW(static_cast<void>(timesheet.of(2)), std::out_of_range);
  EXPECT_THROW((Booking{&timesheet, 2, Activity::useful}), std::out_of_range);
}

TEST(Booking, BooksEachActivityWhereItBelongs) {
  Timesheet timesheet{2};
  const auto begin = steady_clock::now();
  {
    Booking booking{&timesheet, 1, Activity::useful};
    pass_some_time();
    booking.now(Activity::communicating);
    pass_some_time();
    booking.now(Activity::waiting);
    pass_some_time();
    booking.now(Activity::useful);
    pass_some_time();
  }
  const double whole = seconds_since(begin);
  const Booked& booked = timesheet.of(1);
  // A sleep lasts at least what it was asked for, however busy the machine: four of 2 ms, one of them waited.
  EXPECT_GE(booked.useful, 0.004);
  EXPECT_GE(booked.communicating, 0.002);
  EXPECT_LE(booked.useful + booked.communicating, whole - 0.002);
  EXPECT_EQ(booked.stretches, 2);
  EXPECT_EQ(timesheet.of(0).useful, 0);
}

TEST(Booking, CountsOneStretchWhereTheActivityStaysTheSame) {
  Timesheet timesheet{1};
  {
    Booking booking{&timesheet, 0, Activity::useful};
    booking.now(Activity::useful);
    booking.now(Activity::useful);
  }
  EXPECT_EQ(timesheet.of(0).stretches, 1);
}

TEST(Booking, LetsSamplesStandForAll) {
  Timesheet timesheet{1};
  const auto begin = steady_clock::now();
  {
    Booking booking{&timesheet, 0, Activity::communicating};
    for (int piece = 0; piece < 6; ++piece) {
      if (piece % 3 == 0) booking.now(Activity::useful);
      pass_some_time();
      booking.now(Activity::communicating);
    }
    booking.extrapolate(3);
    // Never more than there was.
    booking.extrapolate(1e9);
    pass_some_time();
  }
  const double whole = seconds_since(begin);
  const Booked& booked = timesheet.of(0);
  EXPECT_GE(booked.useful, 0.008);
  EXPECT_GE(booked.communicating, 0.002);
  EXPECT_LE(booked.useful + booked.communicating, whole);
  EXPECT_EQ(booked.stretches, 2);
}

TEST(Booking, AddsUpUntilTheSheetIsCleared) {
  Timesheet timesheet{1};
  for (int round = 0; round < 3; ++round) {
    const Booking booking{&timesheet, 0, Activity::useful};
    pass_some_time();
  }
  EXPECT_EQ(timesheet.of(0).stretches, 3);
  EXPECT_GE(timesheet.of(0).useful, 0.006);
  timesheet.clear();
  EXPECT_EQ(timesheet.of(0).stretches, 0);
  EXPECT_EQ(timesheet.of(0).useful, 0);
}

TEST(Booking, DoesNothingWithoutASheet) {
  Booking booking{nullptr, 5, Activity::useful};
  booking.now(Activity::communicating);
}

TEST(Booking, LetsEachThreadBookForItself) {
  constexpr int threads = 4;
  constexpr int stretches = 1000;
  Timesheet timesheet{threads};
  std::vector<std::thread> team;
  for (int thread = 0; thread < threads; ++thread) {
    team.emplace_back([&timesheet, thread] {
      for (int i = 0; i < stretches; ++i) const Booking booking{&timesheet, thread, Activity::useful};
    });
  }
  for (std::thread& member : team) member.join();
  for (int thread = 0; thread < threads; ++thread) EXPECT_EQ(timesheet.of(thread).stretches, stretches);
}

}  // namespace
}  // namespace duet
