/// Every form by messages that comes back: the broken ones are detected each time, the cured ones never.

#include <gtest/gtest.h>
#include <mpi.h>

#include "kernels/core/mpi.hpp"
#include "kernels/hazards/calls.hpp"
#include "kernels/hazards/hazard.hpp"
#include "tests/all_ranks.hpp"

namespace duet::hazards {
namespace {

/// Counts calls, and that each one begun has ended.
class Counting : public CallLog {
 public:
  void begins(const Call& call) override {
    EXPECT_FALSE(inside_) << name_of(call.kind);
    inside_ = true;
    calls += 1;
  }
  void ended() override { inside_ = false; }

  int calls = 0;

 private:
  bool inside_ = false;
};

TEST(MessageForms, AreDetectedWhereTheyAreBrokenAndOnlyThere) {
  constexpr int times = 4;
  const Communicator world = Communicator::duplicate(MPI_COMM_WORLD);
  for (const Hazard& hazard : all_hazards()) {
    for (const Form& form : hazard.forms) {
      if (form.by != By::messages || !form.returns) continue;
      for (int run = 0; run < times; ++run) {
        Counting calls;
        const Observation seen = form.run({.execution = {.communicator = world.get()}, .calls = &calls});
        const Finding finding = hazard.judge(seen);
        EXPECT_TRUE(on_every_rank(finding.detected == form.broken))
            << hazard.name << ", " << form.name << ", run " << run << ": " << finding.says;
        EXPECT_TRUE(agree(finding.says)) << form.name;
        EXPECT_TRUE(on_every_rank(seen.workers == size_of(world.get()) && seen.operations > 0)) << form.name;
      }
    }
  }
}

TEST(MessageForms, NeedNobodyToListen) {
  const Communicator world = Communicator::duplicate(MPI_COMM_WORLD);
  const Hazard& hazard = hazard_called("send_send");
  const Observation seen = hazard.form("parity").run({.execution = {.communicator = world.get()}});
  EXPECT_TRUE(on_every_rank(!hazard.judge(seen).detected));
}

}  // namespace
}  // namespace duet::hazards
