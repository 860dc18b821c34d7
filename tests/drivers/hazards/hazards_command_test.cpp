/// `duet hazards` as a user meets it.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "drivers/files/temporary_folder.hpp"
#include "drivers/hazards/child.hpp"
#include "drivers/study/launch.hpp"
#include "kernels/hazards/hazard.hpp"
#include "tests/environment_variable.hpp"

namespace duet {
namespace {

namespace fs = std::filesystem;

constexpr double limit_seconds = 120;

Ending duet(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), DUET_PROGRAM);
  const StopSignals stop;
  return run_process(arguments, limit_seconds, stop);
}

/// A folder of the test's own, where everything that it starts keeps its files: their command lines tell them apart.
class HazardsCommand : public testing::Test {
 protected:
  void SetUp() override {
    folder_.emplace();
    // Short: OpenMPI makes sockets below it.
    temporary_.emplace("TMPDIR", folder_->path().c_str());
  }
  void TearDown() override {
    temporary_.reset();
    folder_.reset();
  }

  /// Processes whose command line names the folder.
  [[nodiscard]] std::vector<std::string> left_over() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator{"/proc"}) {
      std::ifstream file{entry.path() / "cmdline"};
      std::stringstream text;
      text << file.rdbuf();
      std::string line = text.str();
      std::ranges::replace(line, '\0', ' ');
      if (line.find(folder_->path().string()) != std::string::npos) found.push_back(line);
    }
    return found;
  }

  std::optional<TemporaryFolder> folder_;

 private:
  std::optional<EnvironmentVariable> temporary_;
};

void expect_texts(const Ending& ending, const std::vector<std::string>& texts) {
  std::string flat = ending.output;  // as it was before it was wrapped
  for (std::size_t at = 0; (at = flat.find("\n             ", at)) != std::string::npos;) {
    flat.replace(at, flat.find_first_not_of(" \n", at) - at, " ");
  }
  for (const std::string& text : texts) EXPECT_NE(flat.find(text), std::string::npos) << text << "\n" << ending.output;
}

void expect_eighty_columns(const std::string& output) {
  constexpr std::size_t columns = 80;
  std::istringstream lines{output};
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), columns) << line;
}

TEST(DeadlockText, IsOfCyclesAndMismatchesAlone) {
  RankState receives{.rank = 0, .doing = RankState::Doing::waits, .call = "MPI_Recv"};
  receives.waits = {{.call = "MPI_Recv", .way = Wait::Way::receives, .peer = 1, .tag = 7, .communicator = "all"}};
  RankState other = receives;
  other.rank = 1;
  other.waits[0].peer = 0;
  EXPECT_NE(deadlock_text(diagnose({receives, other}, 2)).find("wait cycle: rank 0 -> rank 1 -> rank 0"),
            std::string::npos);
  other = {.rank = 1, .doing = RankState::Doing::idles};
  EXPECT_EQ(deadlock_text(diagnose({receives, other}, 2)), "") << "a rank that sleeps is no deadlock";
}

TEST_F(HazardsCommand, ListsThemAllInALineEach) {
  const Ending ending = duet({"hazards"});
  EXPECT_EQ(ending.code, 0);
  expect_eighty_columns(ending.output);
  for (const hazards::Hazard& hazard : hazards::all_hazards()) expect_texts(ending, {hazard.name, hazard.summary});
}

TEST_F(HazardsCommand, SaysInOneLineWhatIsWrong) {
  const Ending unknown = duet({"hazards", "deadlok"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_EQ(std::ranges::count(unknown.output, '\n'), 1) << unknown.output;
  expect_texts(unknown, {"'deadlok'", "lock_order", "send_send"});
  EXPECT_EQ(duet({"hazards", "lock_order", "--all"}).code, 2);
  EXPECT_EQ(duet({"hazards", "lock_order", "--workers", "1"}).code, 2);
  EXPECT_EQ(duet({"hazards", "lock_order", "--repeat", "0"}).code, 2);
  EXPECT_EQ(duet({"hazards", "lock_order", "--json", "/nowhere/file"}).code, 2);
}

TEST_F(HazardsCommand, ExplainsBreaksAndCuresOneBySharedState) {
  const std::string json = *folder_ / "hazards.json";
  const Ending ending = duet({"hazards", "lock_order", "--repeat", "6", "--json", json});
  EXPECT_EQ(ending.code, 0) << ending.output;
  expect_eighty_columns(ending.output);
  expect_texts(ending,
               {"why", "symptom", "detection", "worker 0 holds lock 0 and waits for lock 1, which worker 1 holds",
                "ordered", "scoped_lock", "back_off", "one transfer"});
  std::ifstream file{json};
  const auto record = nlohmann::json::parse(file).at("hazards").at(0);
  EXPECT_EQ(record.at("hazard"), "lock_order");
  EXPECT_EQ(record.at("right"), true);
  for (const auto& form : record.at("forms")) {
    EXPECT_EQ(form.at("detected"), form.at("broken") == true ? form.at("runs") : nlohmann::json(0)) << form.dump();
    if (form.at("broken") == true) continue;
    EXPECT_EQ(form.at("seconds").size(), 6U);
    EXPECT_GT(form.at("seconds_an_operation").at("estimate"), 0);
    EXPECT_GE(form.at("times_cheapest").at("estimate"), 1);
  }
  EXPECT_TRUE(left_over().empty());
}

TEST_F(HazardsCommand, NamesRanksAndCallsOfADeadlockOfSends) {
  for (const int ranks : {2, 3}) {
    const Ending ending =
        duet({"hazards", "send_send", "--workers", std::to_string(ranks), "--repeat", "1", "--deadline", "40s"});
    EXPECT_EQ(ending.code, 0) << ending.output;
    expect_eighty_columns(ending.output);
    std::vector<std::string> texts{"deadlock from", "bytes still pass (eager)"};
    for (int rank = 0; rank < ranks; ++rank) {
      texts.push_back(fmt::format("waits for rank {} in MPI_Send (tag 7)", (rank + 1) % ranks));
    }
    texts.emplace_back(ranks == 2 ? "wait cycle: rank 0 -> rank 1 -> rank 0"
                                  : "wait cycle: rank 0 -> rank 1 -> rank 2 -> rank 0");
    texts.emplace_back("beyond the eager limit MPI_Send waits for its receive");
    expect_texts(ending, texts);
  }
  EXPECT_TRUE(left_over().empty());
}

TEST_F(HazardsCommand, NamesRanksAndCallsOfCollectivesThatDiffer) {
  for (const int ranks : {2, 3}) {
    const Ending ending = duet(
        {"hazards", "mismatched_collective", "--workers", std::to_string(ranks), "--repeat", "1", "--deadline", "40s"});
    EXPECT_EQ(ending.code, 0) << ending.output;
    expect_texts(ending, {fmt::format("rank 0 is in MPI_Bcast (root 0), rank 1 in MPI_Reduce (root 0), on the same "
                                      "communicator of {} ranks",
                                      ranks),
                          "it is collective call number "});
  }
  EXPECT_TRUE(left_over().empty());
}

TEST_F(HazardsCommand, MeasuresSharedStateAndMessagesInOneTable) {
  const Ending ending = duet({"hazards", "early_buffer", "--repeat", "1", "--deadline", "40s"});
  EXPECT_EQ(ending.code, 0) << ending.output;
  expect_texts(ending, {"overwrites what is being sent", "reads what is still to come", "two_buffers"});
  EXPECT_TRUE(left_over().empty());
}

TEST_F(HazardsCommand, EndsADeadlockAtItsDeadlineAndLeavesNobodyBehind) {
  // Sooner than the watchdog finds it.
  const Ending ending = duet({"hazards", "send_send", "--repeat", "1", "--deadline", "150ms"});
  EXPECT_EQ(ending.how, Ending::How::exited);
  EXPECT_LT(ending.seconds, 30);
  EXPECT_EQ(ending.code, 1) << ending.output;
  expect_texts(ending, {"met its deadline of 150 ms"});
  EXPECT_TRUE(left_over().empty());
}

TEST_F(HazardsCommand, IsNotForMpirun) {
  const StopSignals stop;
  const Ending ending =
      run_process({MPIRUN_PROGRAM, "-n", "2", DUET_PROGRAM, "hazards", "send_send"}, limit_seconds, stop);
  EXPECT_EQ(ending.code, 2);
  expect_texts(ending, {"starts its ranks itself"});
}

}  // namespace
}  // namespace duet
