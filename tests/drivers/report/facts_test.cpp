#include "drivers/report/facts.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "tests/drivers/report/synthetic_study.hpp"

namespace duet {
namespace {

bool holds(const std::vector<std::string>& sentences, const std::string& piece) {
  return std::ranges::any_of(sentences, [&](const std::string& text) { return text.find(piece) != std::string::npos; });
}

TEST(Caveats, NameTheEndingAndTheCellsWithoutAnAnswer) {
  const SyntheticStudy study = synthetic_study();
  const std::vector<std::string> sentences = caveats(study.study, study.analysis);
  ASSERT_EQ(sentences.size(), 3);
  EXPECT_TRUE(sentences[0].starts_with("The time budget was spent"));
  EXPECT_TRUE(sentences[1].starts_with("2 of 108 cells have no trial that counts"));
  EXPECT_TRUE(sentences[2].starts_with("3 cells failed, hung or answered wrongly in some of their trials"));
}

TEST(Caveats, TellAnInterruptedStudyFromOneThatStillRuns) {
  SavedStudy study = study_that_says("p").study;
  study.record.ending = "interrupted";
  EXPECT_TRUE(holds(caveats(study, analyse(study)), "was interrupted"));
  study.record.ending.clear();
  EXPECT_TRUE(holds(caveats(study, analyse(study)), "has not ended"));
}

TEST(Caveats, AreSilentWhereAllIsWell) {
  SavedStudy study = study_that_says("p").study;
  study.record.ending = "complete";
  std::erase_if(study.trials, [](const Trial& trial) { return trial.outcome != Outcome::right; });
  EXPECT_TRUE(caveats(study, analyse(study)).empty());
}

TEST(Caveats, SayThatNothingCounts) {
  SavedStudy study = study_that_says("p").study;
  std::erase_if(study.trials, [](const Trial& trial) { return trial.outcome == Outcome::right; });
  EXPECT_TRUE(holds(caveats(study, analyse(study)), "No cell has a trial that counts"));
}

TEST(ShellLine, IsReadBackByAShellAsTheSameWords) {
  const std::vector<std::string> words{"duet", "plain/path-1.2", "two words", "",   "it's", "$HOME",
                                       "`id`", "a\nb",           "*",         "#x", "~"};
  std::vector<std::string> command{"printf", "%s\\0"};
  command.insert(command.end(), words.begin(), words.end());
  std::FILE* const pipe = popen(shell_line(command).c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string output;
  std::array<char, 256> piece{};
  for (std::size_t count = 0; (count = std::fread(piece.data(), 1, piece.size(), pipe)) > 0;) {
    output.append(piece.data(), count);
  }
  EXPECT_EQ(pclose(pipe), 0);
  std::string expected;
  for (const std::string& word : words) expected.append(word).push_back('\0');
  EXPECT_EQ(output, expected);
  EXPECT_EQ(shell_line({"duet", "run", "--set", "schedule=dynamic"}), "duet run --set schedule=dynamic");
}

TEST(CommandFor, StartsRanksAndSetsThreadsWhereTheModelHasThem) {
  Cell cell{
      .problem = "matmul", .model = Model::hybrid, .size = "64", .tunables = {{"tile", "0"}}, .ranks = 2, .threads = 3};
  EXPECT_EQ(command_for(cell),
            "mpirun -n 2 duet run matmul --model hybrid --size 64 --seed 1 --threads 3 --set tile=0");
  cell.model = Model::mpi;
  EXPECT_EQ(command_for(cell), "mpirun -n 2 duet run matmul --model mpi --size 64 --seed 1 --set tile=0");
  cell.model = Model::tbb;
  EXPECT_EQ(command_for(cell), "duet run matmul --model tbb --size 64 --seed 1 --threads 3 --set tile=0");
  cell.model = Model::serial;
  EXPECT_EQ(command_for(cell), "duet run matmul --model serial --size 64 --seed 1 --set tile=0");
}

CellSummary summary(Model model, const char* size, int ranks, int threads, const char* schedule, const char* modulus) {
  CellSummary summary{};
  summary.cell = {.problem = "fib_batch",
                  .model = model,
                  .size = size,
                  .parameters = {{"modulus", modulus}},
                  .tunables = {{"schedule", schedule}},
                  .ranks = ranks,
                  .threads = threads};
  return summary;
}

TEST(SeriesNames, AddWhatTellsCellsOfOneModelApartAndNothingElse) {
  const std::vector<std::string> names = series_names({
      summary(Model::openmp, "64", 1, 2, "block", "0"),
      summary(Model::openmp, "64", 1, 4, "block", "0"),  // other workers
      summary(Model::openmp, "64", 1, 2, "block", "7"),  // another question
      summary(Model::hybrid, "64", 1, 2, "block", "0"),
      summary(Model::hybrid, "64", 2, 1, "block", "0"),
      summary(Model::mpi, "64", 2, 1, "block", "0"),
      summary(Model::mpi, "64", 2, 1, "dynamic", "0"),
      summary(Model::mpi, "128", 2, 1, "dynamic", "0"),
  });
  EXPECT_EQ(names, (std::vector<std::string>{"openmp", "openmp", "openmp", "hybrid 1x2", "hybrid 2x1",
                                             "mpi schedule=block", "mpi schedule=dynamic", "mpi schedule=dynamic"}));
}

TEST(Conditions, NameTheParametersThatDifferWithinAProblemAsComparisonsDo) {
  std::vector<CellSummary> cells{summary(Model::openmp, "64", 1, 2, "block", "0"),
                                 summary(Model::openmp, "64", 1, 2, "block", "7")};
  EXPECT_EQ(conditions(cells), (std::vector<std::string>{"modulus = 0", "modulus = 7"}));
  cells[1].cell.parameters = cells[0].cell.parameters;
  EXPECT_EQ(conditions(cells), (std::vector<std::string>{"", ""}));
  cells[1].cell.seed = 2;
  EXPECT_EQ(conditions(cells), (std::vector<std::string>{"seed = 1", "seed = 2"}));

  SavedStudy study = synthetic_study().study;
  for (Trial& trial : study.trials) {
    if (trial.cell.problem == "fib_batch")
      trial.cell.parameters.insert_or_assign("modulus", std::to_string(trial.round % 2));
  }
  const Analysis analysis = analyse(study);
  const std::vector<std::string> found = conditions(analysis.cells);
  for (const Verdict& verdict : analysis.verdicts) EXPECT_TRUE(std::ranges::count(found, verdict.parameters) > 0);
  EXPECT_EQ(std::ranges::count(analysis.verdicts, "modulus = 1", &Verdict::parameters), 1);
}

}  // namespace
}  // namespace duet
