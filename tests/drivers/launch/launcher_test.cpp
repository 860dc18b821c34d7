#include "drivers/study/launcher.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>

#include "tests/drivers/launch/scratch.hpp"

namespace duet {
namespace {

std::vector<Host> hosts_in(const std::string& text) {
  const Scratch scratch;
  std::ofstream{scratch / "hosts"} << text;
  return hosts_from(scratch / "hosts");
}

/// What is said of `text` as a host file, without the folder's name.
std::string complaint_about(const std::string& text) {
  try {
    static_cast<void>(hosts_in(text));
  } catch (const std::runtime_error& error) {
    const std::string message = error.what();
    return message.substr(message.find("hosts") + 5);
  }
  return "none";
}

TEST(HostsFrom, ReadsTheFormsOfOpenMpiAndMpich) {
  EXPECT_EQ(hosts_in("# ours\n\nn1 slots=8\nn2:4  # half of it\n n3\nn4.site.org slots=2 max_slots=4\r\n10.0.0.5\n"),
            (std::vector<Host>{{"n1", 8}, {"n2", 4}, {"n3", 0}, {"n4.site.org", 2}, {"10.0.0.5", 0}}));
}

TEST(HostsFrom, AddsTheSlotsOfAHostThatIsNamedTwice) {
  EXPECT_EQ(hosts_in("n1\nn1\nn2 slots=2\nn2 slots=3"), (std::vector<Host>{{"n1", 2}, {"n2", 5}}));
}

TEST(HostsFrom, SaysWhatIsWrongAndInWhichLine) {
  EXPECT_EQ(complaint_about("n1\nn2 slot=4\n"),
            ":2: 'slot=4' is not understood: a host stands as `name`, `name slots=8` or `name:8`");
  EXPECT_EQ(complaint_about("n1 slots=many\n"),
            ":1: 'many' is no number of slots: a host stands as `name`, `name slots=8` or `name:8`");
  EXPECT_EQ(complaint_about("n1:0\n").find(":1: '0' is no number of slots"), 0U);
  EXPECT_EQ(complaint_about("n1 slots=99999999999\n").find(":1: '99999999999' is no number of slots"), 0U);
  EXPECT_EQ(complaint_about("# nobody\n"), ": no host in it, where one a line was expected");
  EXPECT_THROW(static_cast<void>(hosts_from("/nowhere/hosts")), std::runtime_error);
  EXPECT_THROW(static_cast<void>(hosts_from("/")), std::runtime_error);
}

TEST(HostsFrom, TakesNothingThatALauncherWouldTakeForAnOption) {
  EXPECT_EQ(complaint_about("--prefix\n"), ":1: '--prefix' is no name of a host");
  EXPECT_EQ(complaint_about("n1,n2\n"), ":1: 'n1,n2' is no name of a host");
  EXPECT_EQ(complaint_about("$(reboot)\n"), ":1: '$(reboot)' is no name of a host");
}

Launcher over_hosts() {
  return {.kind = Launcher::Kind::hosts,
          .words = {"mpirun"},
          .cores_per_node = 2,
          .nodes = 3,
          .hosts = {{"a", 2}, {"b", 2}, {"c", 2}}};
}

TEST(Starting, OverHostsGivesEachItsPartOfTheRanks) {
  EXPECT_EQ(starting(over_hosts(), {.nodes = 2, .ranks = 2, .passes_messages = true}),
            (Command{"mpirun", "--host", "a:1,b:1", "-n", "2"}));
  EXPECT_EQ(starting(over_hosts(), {.nodes = 1, .ranks = 2, .passes_messages = true}),
            (Command{"mpirun", "--host", "a:2", "-n", "2"}));
  EXPECT_EQ(starting(over_hosts(), {.nodes = 3, .ranks = 5, .passes_messages = true}),
            (Command{"mpirun", "--host", "a:2,b:2,c:1", "-n", "5"}));
}

TEST(Starting, OverHostsPutsOneProcessOnTheFirstToo) {
  EXPECT_EQ(starting(over_hosts(), {.threads = 2}), (Command{"mpirun", "--host", "a:1", "-n", "1"}));
}

TEST(Starting, OversubscribesOnlyWhereANodeHasMoreRanksThanCores) {
  const auto asked = [](int nodes, int ranks) {
    const Command words = starting(over_hosts(), {.nodes = nodes, .ranks = ranks, .passes_messages = true});
    return std::ranges::count(words, "--oversubscribe");
  };
  EXPECT_EQ(asked(2, 4), 0);
  EXPECT_EQ(asked(2, 5), 1);
  EXPECT_EQ(asked(1, 3), 1);
}

TEST(Starting, ThroughSrunSpreadsTheRanksEvenlyOverNodesOfWhichItTakesAllCores) {
  const Launcher launcher{.kind = Launcher::Kind::srun, .words = {"srun"}, .cores_per_node = 4, .nodes = 4};
  EXPECT_EQ(starting(launcher, {.nodes = 2, .ranks = 3, .threads = 2, .passes_messages = true}),
            (Command{"srun", "--nodes=2", "--ntasks=3", "--distribution=block"}));
  EXPECT_EQ(starting(launcher, {.nodes = 1, .ranks = 5, .passes_messages = true}).back(), "--overcommit");
}

TEST(Starting, OnThisMachineNeedsNothingForOneProcess) {
  EXPECT_TRUE(starting({}, {.threads = 4}).empty());
  EXPECT_EQ(starting({}, {.ranks = 1, .passes_messages = true}), (Command{"mpirun", "-n", "1"}));
}

}  // namespace
}  // namespace duet
