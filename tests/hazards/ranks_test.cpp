/// Every form by messages that comes back: the broken ones are detected each time, the cured ones never.

#include <gtest/gtest.h>
#include <mpi.h>

#include "kernels/core/mpi.hpp"
#include "kernels/hazards/hazard.hpp"
#include "tests/all_ranks.hpp"

namespace duet::hazards {
namespace {

TEST(MessageForms, AreDetectedWhereTheyAreBrokenAndOnlyThere) {
  constexpr int times = 4;
  const Communicator world = Communicator::duplicate(MPI_COMM_WORLD);
  for (const Hazard& hazard : all_hazards()) {
    for (const Form& form : hazard.forms) {
      if (form.by != By::messages || !form.returns) continue;
      for (int run = 0; run < times; ++run) {
        const Observation seen = form.run({.execution = {.communicator = world.get()}});
        const Finding finding = hazard.judge(seen);
        EXPECT_TRUE(on_every_rank(finding.detected == form.broken))
            << hazard.name << ", " << form.name << ", run " << run << ": " << finding.says;
        EXPECT_TRUE(agree(finding.says)) << form.name;
        EXPECT_TRUE(on_every_rank(seen.workers == size_of(world.get()) && seen.operations > 0)) << form.name;
      }
    }
  }
}

}  // namespace
}  // namespace duet::hazards
