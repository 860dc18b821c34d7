/// `duet compare --simulate` with a simulator that does as it is told: what is started, kept, skipped and said.
/// tests/jobs/simulate_test.sh has the same with the one that simulates.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "drivers/machine.hpp"
#include "drivers/simulate/rates.hpp"
#include "drivers/study/launch.hpp"
#include "tests/drivers/launch/running_study.hpp"
#include "tests/drivers/launch/scratch.hpp"

namespace duet {
namespace {

namespace fs = std::filesystem;

/// Notes each call; takes matmul without settings only, or with a panel. `orders` beside it: "fail N", "hang N",
/// "nothing N", "refuse": N is the number of ranks.
constexpr const char* told_simulator = R"SH(#!/bin/bash
here=$(dirname "$0")
echo "$*" >> "$here/calls"
orders=" $(cat "$here/orders" 2> /dev/null) "
panel=0
while (($# > 0)); do
  case $1 in
    --check)
      [[ $orders != *" refuse "* ]] || { echo "simulate.sh: SimGrid is not there" >&2; exit 1; }
      exit 0 ;;
    --calibrate) calibrate=yes ;;
    --output) mkdir -p "$2" && cp "$here/rates.json" "$2/rates.json" && echo "largest deviation: +3.0%, at n = 512" ;;
    --ranks) ranks=$2 ;;
    --json) json=$2 ;;
    --platform) platform=$2 ;;
    --size) size=$2 ;;
    --set) [[ $2 == panel=* ]] && panel=${2#panel=} ;;
  esac
  shift
done
[[ -z $calibrate ]] || exit 0
[[ $orders != *" fail $ranks "* ]] || { echo "simulate.sh: the ranks wait for each other (deadlock)" >&2; exit 1; }
[[ $orders != *" hang $ranks "* ]] || exec sleep 1000
[[ $orders != *" nothing $ranks "* ]] || exit 0
printf '%s\n' "{\"cell\": {\"problem\": \"matmul\", \"model\": \"mpi\", \"size\": \"$size\", \"seed\": 1,
  \"parameters\": {\"precision\": \"double\"}, \"tunables\": {\"aim\": \"time\", \"grid\": \"0\", \"layers\": \"0\",
  \"local_kernel\": \"auto\", \"memory\": \"0\", \"panel\": \"$panel\", \"strips\": \"1\"},
  \"nodes\": $ranks, \"ranks\": $ranks, \"threads\": 1}, \"outcome\": \"modelled\", \"seconds\": 0.25,
  \"simulated\": \"$(basename "$platform" .xml)\"}" | tr -d '\n' > "$json"
echo >> "$json"
)SH";

std::string content_of(const fs::path& path) {
  std::ifstream file{path};
  return {std::istreambuf_iterator<char>{file}, {}};
}

int count(const std::string& text, const std::string& part) {
  int found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

/// A copy of duet in BUILD/bin of a tree of its own, with the told simulator in its jobs/.
class SimulatedStudy : public testing::Test {
 protected:
  SimulatedStudy() {
    fs::create_directories(scratch_ / "build/bin");
    fs::create_directories(scratch_ / "jobs");
    fs::copy_file(DUET_PROGRAM, duet());
    std::ofstream{jobs("simulate.sh")} << told_simulator;
    fs::permissions(jobs("simulate.sh"), fs::perms::owner_all);
    write_rates(jobs("rates.json"), machine_here());
  }

  [[nodiscard]] fs::path duet() const { return scratch_ / "build/bin/duet"; }
  [[nodiscard]] fs::path jobs(const std::string& name) const { return scratch_ / "jobs" / name; }
  [[nodiscard]] fs::path folder() const { return scratch_ / "study"; }
  void order(const std::string& orders) const { std::ofstream{jobs("orders")} << orders; }
  [[nodiscard]] std::string calls() const { return content_of(jobs("calls")); }

  static std::string machine_here() {
    const Machine machine = describe_machine();
    return machine.host + ", " + machine.processor;
  }
  static void write_rates(const fs::path& path, const std::string& machine) {
    fs::create_directories(path.parent_path());
    const Rates rates{.machine = machine, .flops_per_second = 5e10, .residue_seconds = 4e-8};
    std::ofstream{path} << nlohmann::json(rates).dump();
  }

  /// A small study of matmul that simulates.
  [[nodiscard]] Command words(const std::vector<std::string>& more = {"--simulate"}) const {
    Command command{duet().string(), "compare",  "matmul", "--sizes", "32,64", "--models",
                    "serial",        "--rounds", "1",      "--quiet", "-o",    folder().string()};
    command.insert(command.end(), more.begin(), more.end());
    return command;
  }
  [[nodiscard]] static Ending run(const Command& command) {
    constexpr double limit = 60;
    const StopSignals stop;
    return run_process(command, limit, stop);
  }
  [[nodiscard]] std::vector<Trial> simulated() const { return trials_from((folder() / "simulated.jsonl").string()); }

  Scratch scratch_;
};

TEST_F(SimulatedStudy, SimulatesEachSizeOnEachNumberOfRanksAndSaysSoInOneLine) {
  const Ending ending = run(words({"--simulate", "--simulate-ranks", "16,4"}));
  EXPECT_EQ(ending.code, 0) << ending.output;
  std::vector<std::string> cells;
  for (const Trial& trial : simulated()) {
    EXPECT_EQ(trial.simulated, "fat-tree");
    cells.push_back(trial.cell.size + " on " + std::to_string(trial.cell.ranks));
  }
  EXPECT_EQ(cells, (std::vector<std::string>{"32 on 4", "32 on 16", "64 on 4", "64 on 16"}));
  const std::string line =
      fmt::format("\nsimulated {}/simulated.jsonl (4 on fat-tree, 4 to 16 ranks)\n", folder().string());
  EXPECT_NE(ending.output.find(line), std::string::npos) << ending.output;
  EXPECT_NE(content_of(folder() / "report.html").find("\"platform\":\"fat-tree\""), std::string::npos);
  EXPECT_FALSE(fs::exists(folder() / "simulation.jsonl"));
}

TEST_F(SimulatedStudy, MeasuresTheRatesOfThisMachineOnce) {
  EXPECT_EQ(run(words({"--simulate", "--simulate-ranks", "4"})).code, 0);
  EXPECT_EQ(count(calls(), "--calibrate"), 1) << calls();
  EXPECT_NE(calls().find("--rates " + (scratch_ / "build/simulate/rates.json").string()), std::string::npos) << calls();
  EXPECT_EQ(run(words({"--simulate=dragonfly", "--simulate-ranks", "4", "--resume"})).code, 0);
  EXPECT_EQ(count(calls(), "--calibrate"), 1) << calls();
  EXPECT_EQ(simulated().size(), 4U);
}

TEST_F(SimulatedStudy, TakesNoRatesOfAnotherMachine) {
  write_rates(scratch_ / "build/simulate/rates.json", "elsewhere, another processor");
  EXPECT_EQ(run(words({"--simulate", "--simulate-ranks", "4"})).code, 0);
  EXPECT_EQ(count(calls(), "--calibrate"), 1) << calls();
}

TEST_F(SimulatedStudy, LosesNothingWhereRatesCannotBeMeasured) {
  write_rates(jobs("rates.json"), "elsewhere, another processor");
  const Ending ending = run(words({"--simulate", "--simulate-ranks", "4"}));
  EXPECT_EQ(ending.code, 0);
  EXPECT_EQ(count(ending.output, "duet: warning: nothing is simulated"), 1) << ending.output;
  EXPECT_TRUE(fs::exists(folder() / "report.html"));
}

TEST_F(SimulatedStudy, WarnsOfASimulationThatFailsAndGoesOn) {
  order("fail 16 nothing 64");
  const Ending ending = run(words({"--simulate", "--simulate-ranks", "4,16,64,256"}));
  EXPECT_EQ(ending.code, 0) << ending.output;
  EXPECT_EQ(simulated().size(), 4U);
  for (const char* const line :
       {"duet: warning: simulating matmul/32 on 16 ranks failed: the ranks wait for each other (deadlock)\n",
        "duet: warning: simulating matmul/64 on 64 ranks failed: the simulator gave no time for it\n",
        "(4 on fat-tree, 4 to 256 ranks; 4 failed)\n"}) {
    EXPECT_EQ(count(ending.output, line), 1) << line << ending.output;
  }
}

TEST_F(SimulatedStudy, EndsASimulationThatHangs) {
  order("hang 16");
  const Ending ending =
      run(words({"--simulate", "--simulate-ranks", "4,16", "--simulate-sizes", "64", "--time-limit", "2s"}));
  EXPECT_EQ(ending.code, 0) << ending.output;
  EXPECT_EQ(count(ending.output, "simulating matmul/64 on 16 ranks failed: no end within 2 s"), 1) << ending.output;
  EXPECT_EQ(simulated().size(), 1U);
}

TEST_F(SimulatedStudy, KeepsWhatWasSimulatedBeforeAnInterruptAndGoesOnWithTheRest) {
  order("hang 16");
  const fs::path said = scratch_ / "said";
  RunningStudy study{words({"--simulate", "--simulate-ranks", "4,16"}), said.string()};
  for (int tenths = 0; tenths < 300 && count(calls(), "--ranks 16 ") == 0; ++tenths) {
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
  }
  study.send(SIGINT);
  EXPECT_EQ(study.wait(), 130) << content_of(said);
  EXPECT_TRUE(nothing_runs_with(jobs("simulate.sh").string()));
  EXPECT_EQ(simulated().size(), 1U);
  EXPECT_FALSE(fs::exists(folder() / "simulation.jsonl"));
  EXPECT_TRUE(fs::exists(folder() / "report.html"));
  EXPECT_EQ(count(content_of(said), "duet: interrupted; what was simulated is kept"), 1) << content_of(said);

  order("");
  const std::string before = calls();
  EXPECT_EQ(run(words({"--simulate", "--simulate-ranks", "4,16", "--resume"})).code, 0);
  EXPECT_EQ(simulated().size(), 4U);
  EXPECT_EQ(count(calls().substr(before.size()), "--json"), 3) << calls();
}

TEST_F(SimulatedStudy, HandsOnTheSettingsThatMeanSomethingThere) {
  EXPECT_EQ(run(words({"--simulate", "--simulate-ranks", "4", "--set", "panel=32", "--set", "local_kernel=duet",
                       "--models", "serial,mpi", "--workers", "1"}))
                .code,
            0);
  EXPECT_EQ(count(calls(), "--seed 1 --set panel=32\n"), 2) << calls();
  EXPECT_EQ(count(calls(), "local_kernel"), 0) << calls();
}

TEST_F(SimulatedStudy, MayHaveSizesThatTheStudyHasNot) {
  EXPECT_EQ(run(words({"--simulate=ethernet", "--simulate-ranks", "4", "--simulate-sizes", "matmul=8192"})).code, 0);
  ASSERT_EQ(simulated().size(), 1U);
  EXPECT_EQ(simulated().front().cell.size, "8192");
  EXPECT_EQ(simulated().front().simulated, "ethernet");
}

TEST_F(SimulatedStudy, PrintsWhatItWouldSimulateInADryRun) {
  const Ending ending = run(words({"--simulate=dragonfly", "--simulate-ranks", "4,16", "--dry-run"}));
  EXPECT_EQ(ending.code, 0);
  const std::string start = jobs("simulate.sh").string() + " ";
  EXPECT_EQ(count(ending.output, start + "--calibrate --programs "), 1) << ending.output;
  EXPECT_EQ(count(ending.output, start + "--ranks 16 --platform dragonfly --programs "), 2) << ending.output;
  EXPECT_LT(ending.output.find(" run matmul "), ending.output.find(start));
  EXPECT_FALSE(fs::exists(folder()));
}

TEST_F(SimulatedStudy, SaysBeforeMeasuringThatTheSimulatorIsNotThere) {
  order("refuse");
  const auto expect_refused = [this](const std::vector<std::string>& more, const std::string& line) {
    const Ending ending = run(words(more));
    EXPECT_EQ(ending.code, 2) << ending.output;
    EXPECT_NE(ending.output.find(line), std::string::npos) << ending.output;
    EXPECT_EQ(count(ending.output, "\n"), 1) << ending.output;
    EXPECT_FALSE(fs::exists(folder()));
  };
  expect_refused({"--simulate"}, "--simulate: SimGrid is not there");
  expect_refused({"--simulate", "--simulator", "/nowhere/simulate.sh"},
                 "--simulate: there is no simulator '/nowhere/simulate.sh'");
  expect_refused({"--simulate", "--simulate-ranks", "4,x"}, "--simulate-ranks");
  expect_refused({"--simulate", "--simulate-sizes", "fib_batch=32"}, "--simulate-sizes: 'fib_batch' is not in this");
  EXPECT_EQ(run(words({"--simulate-ranks", "4"})).code, 2);
}

}  // namespace
}  // namespace duet
