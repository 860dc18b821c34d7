#include "drivers/stage_table.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace duet {
namespace {

StageFigures figures_of_stage(const std::string& name, StageKind kind, double useful) {
  return {.name = name,
          .kind = kind,
          .workers = 2,
          .items = 1000,
          .bytes_in = 1 << 20,
          .bytes_out = 2 << 20,
          .useful_seconds = useful,
          .queued_seconds = 3.4,
          .mean_depth = 2.5,
          .most_depth = 4};
}

TEST(StageTable, HasALineForEachStageAndSaysWhatBoundTheRun) {
  const std::string table = stage_table({figures_of_stage("compute", StageKind::computing, 1.2)}, 2, 0.65);
  EXPECT_EQ(table,
            "stage    kind       by  items        in       out  useful  queued  depth\n"
            "compute  computing   2   1000  1.00 MiB  2.00 MiB  1.20 s  3.40 s  2.5/4\n"
            "bound by computing, most of it in compute: 600 ms at the least, 92 % of the run\n"
            "2 cores compute: more cores would help, more readers would not\n");
}

TEST(StageTable, IsEmptyWithoutStages) { EXPECT_EQ(stage_table({}, 2, 1), ""); }

TEST(StageTable, FitsATerminalWhateverTheFigures) {
  StageFigures large = figures_of_stage("a stage with a long name", StageKind::disk, 1e5);
  large.workers = 1000;
  large.items = 123'456'789'012;
  large.bytes_in = large.bytes_out = std::int64_t{1023} << 30U;
  large.queued_seconds = 99e3;
  large.mean_depth = 1023.4;
  large.most_depth = 1024;
  const std::string table = stage_table({large, figures_of_stage("wait", StageKind::waiting, 1)}, 2, 5e5);
  std::istringstream lines{table};
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U) << line;
  EXPECT_NE(table.find("more cores would not"), std::string::npos) << table;
}

}  // namespace
}  // namespace duet
