/// The bytes and messages of every rank of a product by Strassen-Winograd are those that its plan gives.

#include <gtest/gtest.h>
#include <mpi.h>

#include <algorithm>
#include <string>
#include <vector>

#include "drivers/traffic/meter.hpp"
#include "kernels/core/mpi.hpp"
#include "kernels/divide_and_conquer/strassen/strassen.hpp"

namespace duet {
namespace {

const MPI_Comm world = MPI_COMM_WORLD;

template <class Element>
void expect_plan(const RankPlan& plan, void (*multiply)(const StrassenParts<Element>&, const Execution&)) {
  SCOPED_TRACE(std::to_string(plan.shape().m) + "x" + std::to_string(plan.shape().n) + "x" +
               std::to_string(plan.shape().k) + ", steps " + std::to_string(plan.steps().depth) + " " +
               std::to_string(plan.steps().breadth) + " " + std::to_string(plan.steps().local));
  RankTeam ranks{plan, world};
  const std::int64_t rank = ranks.rank();
  Matrix<Element> a{plan.rows(rank).size(), plan.a_columns(rank).size()};
  Matrix<Element> b{plan.b_rows(rank).size(), plan.columns(rank).size()};
  Matrix<Element> c{plan.rows(rank).size(), plan.columns(rank).size()};
  std::fill_n(a.data(), a.rows() * a.columns(), Element{1});
  std::fill_n(b.data(), b.rows() * b.columns(), Element{1});
  TrafficMeter meter{world, std::vector<int>(static_cast<std::size_t>(size_of(world)), 0)};
  {
    const TrafficMeter::Running running{meter};
    multiply({ranks, a.view(), b.view(), c.view()}, {.threads = 2, .communicator = world});
  }
  const RankTraffic traffic = meter.total();
  const RankPlan::Moved moved = plan.moved(rank);
  RankTraffic expected;
  const auto bytes = [](std::int64_t words) { return static_cast<std::int64_t>(sizeof(Element)) * words; };
  expected.by(Carrier::point_to_point).received.within_node = {moved.received_messages, bytes(moved.received_words)};
  expected.by(Carrier::point_to_point).sent.within_node = {moved.sent_messages, bytes(moved.sent_words)};
  EXPECT_EQ(traffic.received().whole().messages, moved.received_messages);
  EXPECT_EQ(traffic.received().whole().bytes, bytes(moved.received_words));
  EXPECT_EQ(traffic, expected);
}

TEST(StrassenTraffic, IsWhatThePlanSays) {
  for (const StrassenShape& shape : {StrassenShape{97, 31, 130}, {64, 64, 64}, {2, 9, 4}, {0, 5, 3}}) {
    for (const RankPlan::Steps& steps :
         {RankPlan::Steps{0, 0, 0}, {1, 0, 0}, {2, 0, 0}, {0, 1, 0}, {1, 1, 0}, {0, 1, 1}, {0, 2, 0}}) {
      const RankPlan plan{shape, size_of(world), steps, 20};
      expect_plan<double>(plan, strassen_mpi<double>);
      expect_plan<float>(plan, strassen_hybrid<float>);
    }
  }
}

/// Written down anew: the closed form of rank_product.hpp, for levels in depth on a grid.
TEST(StrassenTraffic, InDepthIsTheClosedForm) {
  const std::int64_t ranks = size_of(world);
  const RankPlan plan{{96, 80, 112}, ranks, {2, 0, 0}};
  const auto share = [](std::int64_t n, std::int64_t parts, std::int64_t i) {
    return n / parts + (i < n % parts ? 1 : 0);
  };
  for (std::int64_t rank = 0; rank < ranks; ++rank) {
    const std::int64_t rows = plan.grid().rows;
    const std::int64_t columns = plan.grid().columns;
    const std::int64_t r = rank / columns;
    const std::int64_t c = rank % columns;
    const std::int64_t m = share(24, rows, r);
    const std::int64_t n = share(20, columns, c);
    EXPECT_EQ(plan.moved(rank).received_words, 49 * (m * (28 - share(28, columns, c)) + n * (28 - share(28, rows, r))));
    EXPECT_EQ(plan.moved(rank).sent_words,
              49 * ((columns - 1) * m * share(28, columns, c) + (rows - 1) * n * share(28, rows, r)));
  }
}

}  // namespace
}  // namespace duet
