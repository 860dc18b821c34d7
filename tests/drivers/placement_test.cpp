#include "drivers/placement.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace duet {
namespace {

const std::vector<UsableCore> four_cores_with_siblings{{0, 0, {0, 4}}, {1, 0, {1, 5}}, {2, 1, {2, 6}}, {3, 1, {3, 7}}};

TEST(Placement, GivesEachWorkerACoreOfItsOwnAndLeavesSiblingsAlone) {
  const auto places = places_for(four_cores_with_siblings, 0, 4);
  ASSERT_EQ(places.size(), 4U);
  for (int worker = 0; worker < 4; ++worker) {
    const WorkerPlace& place = places[static_cast<std::size_t>(worker)];
    EXPECT_EQ(place.core, worker);
    EXPECT_EQ(place.bound_to, std::vector<int>{worker});
    EXPECT_EQ(place.numa_node, worker / 2);
  }
  EXPECT_FALSE(shares_a_core(places));
}

TEST(Placement, ContinuesWhereTheRankBeforeEnded) {
  const auto places = places_for(four_cores_with_siblings, 2, 2);
  EXPECT_EQ(places[0].core, 2);
  EXPECT_EQ(places[1].core, 3);
}

TEST(Placement, FindsTwoWorkersOnOneCore) { EXPECT_TRUE(shares_a_core(places_for(four_cores_with_siblings, 0, 5))); }

TEST(Placement, FindsSiblingsOfOneCore) {
  auto places = places_for(four_cores_with_siblings, 0, 2);
  places[1].core = places[0].core;
  places[1].bound_to = {4};
  EXPECT_TRUE(shares_a_core(places));
}

TEST(Placement, FindsAWorkerThatIsNotBound) {
  auto places = places_for(four_cores_with_siblings, 0, 2);
  places[1].core = -1;
  EXPECT_TRUE(shares_a_core(places));
}

TEST(Placement, TellsCoresOfDifferentHostsApart) {
  auto places = places_for(four_cores_with_siblings, 0, 1);
  places.push_back(places.front());
  places[1].host = "another";
  EXPECT_FALSE(shares_a_core(places));
}

TEST(Placement, RestrictsCoresToWhatIsAllowed) {
  const auto cores = restricted_to(four_cores_with_siblings, {5, 2, 3});
  ASSERT_EQ(cores.size(), 3U);
  EXPECT_EQ(cores[0].core, 1);
  EXPECT_EQ(cores[0].processors, std::vector<int>{5});
  EXPECT_TRUE(restricted_to(four_cores_with_siblings, {}).empty());
}

TEST(Placement, BindsTheThreadThatAsks) {
  const auto cores = usable_cores();
  ASSERT_FALSE(cores.empty());
  const auto before = processors_of_this_thread();
  std::vector<int> bound;
  std::thread{[&] {
    bind_this_thread(places_for(cores, 0, 1).front());
    bound = processors_of_this_thread();
  }}.join();
  EXPECT_EQ(bound, std::vector<int>{cores.front().processors.front()});
  EXPECT_EQ(processors_of_this_thread(), before);
}

TEST(Placement, SaysWhichProcessorCannotBeHad) {
  WorkerPlace place;
  place.bound_to = {1'000'000};
  try {
    bind_this_thread(place);
    FAIL() << "bound to a processor that does not exist";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string{error.what()}.find("1000000"), std::string::npos) << error.what();
  }
}

TEST(Placement, ListsEachCoreOfTheMachineOnce) {
  const auto cores = all_cores();
  ASSERT_FALSE(cores.empty());
  for (std::size_t i = 1; i < cores.size(); ++i) EXPECT_LT(cores[i - 1].core, cores[i].core);
}

}  // namespace
}  // namespace duet
