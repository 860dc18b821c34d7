#include <gtest/gtest.h>

#include "kernels/core/stage_figures.hpp"

namespace duet {
namespace {

StageFigures stage(const char* name, StageKind kind, double useful, int workers, bool in_order = false) {
  StageFigures figures;
  figures.name = name;
  figures.kind = kind;
  figures.in_order = in_order;
  figures.workers = workers;
  figures.useful_seconds = useful;
  return figures;
}

TEST(PipelineBound, OfNothingIsNothing) {
  const PipelineBound bound = bound_of({}, 2, 1);
  EXPECT_EQ(bound.seconds, 0);
  EXPECT_TRUE(bound.stage.empty());
}

TEST(PipelineBound, IsTheComputingOfAllStagesSharedByTheCores) {
  const PipelineBound bound =
      bound_of({stage("read", StageKind::disk, 1, 1), stage("multiply", StageKind::computing, 6, 2),
                stage("compress", StageKind::computing, 2, 2)},
               2, 5);
  EXPECT_DOUBLE_EQ(bound.seconds, 4);
  EXPECT_EQ(bound.kind, StageKind::computing);
  EXPECT_EQ(bound.stage, "multiply");
  EXPECT_DOUBLE_EQ(bound.share, 0.8);
  EXPECT_NE(bound.advice.find("more cores would help"), std::string::npos) << bound.advice;
  EXPECT_EQ(bound.tunable, "");
}

TEST(PipelineBound, IsTheDiskWhereItTakesLonger) {
  const PipelineBound bound =
      bound_of({stage("read", StageKind::disk, 12, 2), stage("multiply", StageKind::computing, 6, 2)}, 2, 6);
  EXPECT_DOUBLE_EQ(bound.seconds, 6);
  EXPECT_EQ(bound.kind, StageKind::disk);
  EXPECT_EQ(bound.stage, "read");
  EXPECT_DOUBLE_EQ(bound.share, 1);
  EXPECT_NE(bound.advice.find("more cores would not"), std::string::npos) << bound.advice;
  EXPECT_EQ(bound.tunable, "readers");
}

TEST(PipelineBound, NamesTheThreadsBehindTheWorkersWhereTheyAreTooFew) {
  const PipelineBound bound =
      bound_of({stage("multiply", StageKind::computing, 2, 2), stage("write", StageKind::disk, 9, 1)}, 2, 9);
  EXPECT_EQ(bound.stage, "write");
  EXPECT_EQ(bound.tunable, "writers");
}

TEST(PipelineBound, NamesTheThreadsAheadOfTheWorkersAlsoBehindASourceThatComputes) {
  const PipelineBound bound =
      bound_of({stage("source", StageKind::computing, 0.1, 1, true), stage("ask", StageKind::waiting, 10, 2),
                stage("digest", StageKind::computing, 0.1, 2)},
               2, 5);
  EXPECT_EQ(bound.stage, "ask");
  EXPECT_EQ(bound.tunable, "readers");
}

TEST(PipelineBound, IsAStageInOrderWhateverTheWorkers) {
  const PipelineBound bound = bound_of(
      {stage("parse", StageKind::computing, 5, 1, true), stage("multiply", StageKind::computing, 3, 4)}, 4, 10);
  EXPECT_DOUBLE_EQ(bound.seconds, 5);
  EXPECT_EQ(bound.stage, "parse");
  EXPECT_NE(bound.advice.find("one item after the other"), std::string::npos) << bound.advice;
}

TEST(PipelineBound, IsWaitingWhereAnswersTakeLongest) {
  const PipelineBound bound =
      bound_of({stage("ask", StageKind::waiting, 10, 20), stage("digest", StageKind::computing, 0.1, 2)}, 2, 0.6);
  EXPECT_DOUBLE_EQ(bound.seconds, 0.5);
  EXPECT_EQ(bound.kind, StageKind::waiting);
  EXPECT_NE(bound.advice.find("more threads would help"), std::string::npos) << bound.advice;
}

TEST(PipelineBound, AsksForNoMoreThreadsWhereAllAnswersAreWaitedForAtOnce) {
  StageFigures ask = stage("ask", StageKind::waiting, 10, 200);
  ask.items = 200;
  const PipelineBound at_once = bound_of({ask}, 2, 0.06);
  EXPECT_EQ(at_once.advice, "ask waits for all answers at once: only sooner answers would help");
  EXPECT_EQ(at_once.tunable, "");
  ask.items = 201;
  EXPECT_EQ(bound_of({ask}, 2, 0.06).tunable, "readers");
}

}  // namespace
}  // namespace duet
