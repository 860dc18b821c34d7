#include "drivers/machine.hpp"

#include <gtest/gtest.h>

#include "drivers/command.hpp"
#include "drivers/placement.hpp"

namespace duet {
namespace {

TEST(Machine, IsDescribedByWhatThisJobMayUse) {
  const Machine machine = describe_machine();
  EXPECT_FALSE(machine.host.empty());
  EXPECT_EQ(machine.cores, static_cast<int>(usable_cores().size()));
  EXPECT_GE(machine.sockets, 1);
  EXPECT_GE(machine.numa_nodes, 1);
  EXPECT_GE(machine.threads_per_core, 1);
  EXPECT_GT(machine.memory_bytes, 0);
}

TEST(Machine, NamesTheVersionsThatARecordNeeds) {
  const auto versions = describe_versions();
  for (const char* name : {"duet", "compiler", "flags", "mpi", "openmp", "tbb", "eigen", "gmp", "hwloc"}) {
    ASSERT_TRUE(versions.contains(name)) << name;
    EXPECT_FALSE(versions.at(name).empty()) << name;
  }
}

TEST(Memory, IsRefusedWithBothFigures) {
  EXPECT_NO_THROW(refuse_without_memory("little", 1));
  try {
    refuse_without_memory("matmul of size 1000000000 in openmp", 24e18);
    FAIL() << "24 EB were granted";
  } catch (const UsageError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("matmul of size 1000000000 in openmp needs about 2.4e+10 GB"), std::string::npos) << text;
    EXPECT_NE(text.find("available here"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace duet
