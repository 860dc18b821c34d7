#include "drivers/study/trials.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string>

#include "drivers/files/temporary_folder.hpp"
#include "kernels/registry.hpp"

namespace duet {
namespace {

/// A folder of its own for each test, removed after it.
class StudyFolder : public testing::Test {
 protected:
  [[nodiscard]] std::string text_of(const std::string& name) const {
    std::ifstream file{folder_ / name};
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  void write(const std::string& name, const std::string& text) const { std::ofstream{folder_ / name} << text; }
  [[nodiscard]] std::string reading_error() const {
    try {
      (void)load_study(folder_);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "";
  }

  TemporaryFolder scratch_;
  const std::filesystem::path& folder_ = scratch_.path();
};

Trial example() {
  Trial trial;
  trial.cell = {.problem = "matmul",
                .model = Model::mpi,
                .size = "100x200x300",
                .seed = std::uint64_t{1} << 63U,
                .parameters = {{"layout", "row"}},
                .tunables = {{"panel", "128"}},
                .nodes = 2,
                .ranks = 4,
                .threads = 1};
  trial.round = 3;
  trial.launch = 17;
  trial.number = 2;
  trial.outcome = Outcome::right;
  trial.seconds = 0.1;
  trial.place_seconds = 1.0 / 3;
  trial.verify_seconds = 2e-3;
  trial.error = 1e-16;
  trial.bound = 1e-13;
  trial.digest = "00ff";
  trial.operations = 1.2e7;
  trial.unit = "flop";
  trial.compulsory_bytes = 8.8e5;
  trial.useful_seconds = {0.08, 0.06, 0.08, 0.06};
  trial.communicating_seconds = {0.01, 0.02, 0.01, 0.02};
  trial.traffic = Traffic{.received = {{24, std::int64_t{1} << 40}, {7, 5000}},
                          .received_between_nodes = {{12, 600}, {4, 300}},
                          .sent = {{20, 900}, {5, 450}},
                          .sent_between_nodes = {{10, 500}, {3, 250}}};
  trial.traffic->received_by[static_cast<std::size_t>(Carrier::one_sided)] = {24, std::int64_t{1} << 40};
  trial.canary_before = 1.5e10;
  trial.canary_after = 1.4e10;
  trial.marks = {"slow_canary"};
  trial.places = {{.rank = 1, .thread = 0, .host = "node-1", .bound_to = {2, 3}, .core = 1, .numa_node = 0}};
  trial.facts = {{"local_product", "OpenBLAS SkylakeX"}};
  trial.started_at = "2026-01-02T03:04:05Z";
  return trial;
}

StudyRecord example_record() {
  StudyRecord record;
  record.duet_version = "0.1.0";
  record.command = {"duet", "compare", "matmul"};
  record.started_at = "2026-01-02T03:04:05Z";
  record.machine = {.host = "node-1", .processor = "EPYC", .sockets = 1, .cores = 2, .caches = {"L1d 32 KiB"}};
  record.versions = {{"compiler", "gcc 12.2"}};
  record.options = {{"budget", "3m"}};
  record.warnings = {"the machine is noisy"};
  return record;
}

TEST(TrialJson, KeepsEverythingThereAndBack) {
  const nlohmann::json json = example();
  EXPECT_EQ(nlohmann::json(json.get<Trial>()), json);
  EXPECT_EQ(json.get<Trial>().cell, example().cell);
  EXPECT_EQ(json.at("outcome"), "right");
  EXPECT_EQ(json.at("cell").at("model"), "mpi");
  EXPECT_EQ(json.at("cell").at("seed"), std::uint64_t{1} << 63U);
}

TEST(TrialJson, KeepsDoublesToTheLastBit) {
  const auto back = nlohmann::json::parse(nlohmann::json(example()).dump()).get<Trial>();
  EXPECT_EQ(back.place_seconds, 1.0 / 3);
  EXPECT_EQ(back.error, 1e-16);
}

TEST(TrialJson, WritesWhatIsNotFiniteAsNull) {
  Trial trial = example();
  trial.outcome = Outcome::wrong;
  trial.error = std::numeric_limits<double>::infinity();
  const auto back = nlohmann::json::parse(nlohmann::json(trial).dump()).get<Trial>();
  EXPECT_TRUE(std::isnan(back.error));
}

TEST(TrialJson, NeedsOnlyTheCellAndTheOutcome) {
  const auto trial =
      nlohmann::json::parse(R"({"cell": {"problem": "matmul", "model": "tbb", "size": "64"}, "outcome": "hung"})")
          .get<Trial>();
  EXPECT_EQ(trial.cell.model, Model::tbb);
  EXPECT_EQ(trial.cell.workers(), 1);
  EXPECT_EQ(trial.outcome, Outcome::hung);
  EXPECT_TRUE(trial.marks.empty());
}

TEST(TrialJson, IgnoresKeysOfLaterVersions) {
  nlohmann::json json = example();
  json["mood"] = "good";
  EXPECT_NO_THROW((void)json.get<Trial>());
}

TEST(TrialJson, RefusesWhatItDoesNotKnow) {
  const auto error_of = [](const std::string& key, const nlohmann::json& value) -> std::string {
    nlohmann::json json = example();
    json[nlohmann::json::json_pointer{key}] = value;
    try {
      (void)json.get<Trial>();
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(error_of("/outcome", "great"),
            "outcome 'great' is none of right, wrong, failed, hung, refused, "
            "modelled");
  EXPECT_NE(error_of("/cell/model", "openacc").find("'openacc' is none of serial, openmp"), std::string::npos);
  EXPECT_EQ(error_of("/round", 1.5), "'round': not a whole number in range: 1.5");
  EXPECT_EQ(error_of("/round", 1e10), "'round': not a whole number in range: 10000000000.0");
  EXPECT_EQ(error_of("/cell/ranks", 5000000000), "'cell': 'ranks': not a whole number in range: 5000000000");
  EXPECT_EQ(error_of("/cell/seed", -1), "'cell': 'seed': not a whole number in range: -1");
  EXPECT_EQ(error_of("/seconds", "fast"), "'seconds': not a number: \"fast\"");
  EXPECT_NE(error_of("/seconds", nullptr).find("'seconds' of a right trial must be 0 or more"), std::string::npos);
  EXPECT_NE(error_of("/seconds", -1.0).find("'seconds' of a right trial must be 0 or more"), std::string::npos);
  EXPECT_NE(error_of("/cell/threads", 0).find("must be 1 or more"), std::string::npos);
  EXPECT_NE(error_of("/useful_seconds", 3).find("'useful_seconds': not a list"), std::string::npos);
  EXPECT_FALSE(error_of("/marks", "slow_canary").empty());
  EXPECT_FALSE(error_of("/facts", "none").empty());
}

TEST(TrialEfficiencies, FollowTheBookedTime) {
  const Trial trial = example();
  EXPECT_DOUBLE_EQ(trial.load_balance(), 0.07 / 0.08);
  EXPECT_DOUBLE_EQ(trial.communication_efficiency(), 0.8);
}

TEST(TrialEfficiencies, AreNothingWhereNothingWasBooked) {
  Trial trial = example();
  trial.useful_seconds.clear();
  EXPECT_EQ(trial.load_balance(), 0);
  EXPECT_EQ(trial.communication_efficiency(), 0);
  trial.useful_seconds = {0, 0};
  EXPECT_EQ(trial.load_balance(), 0);
}

TEST(CellId, NamesWhatIsNoPreset) {
  Cell cell{.problem = "no-such-problem", .model = Model::openmp, .size = "64", .threads = 2};
  EXPECT_EQ(cell.id(), "no-such-problem/openmp/64/1x2");
  cell.parameters = {{"kind", "exact"}};
  cell.tunables = {{"grain", "8"}};
  EXPECT_EQ(cell.id(), "no-such-problem/openmp/64/1x2/kind=exact/grain=8");
}

TEST(CellId, LeavesPresetsOut) {
  for (const Problem& problem : all_problems()) {
    for (const Variant& variant : problem.variants) {
      Cell cell{.problem = problem.name, .model = variant.model, .size = "64"};
      for (const Setting& parameter : problem.parameters) cell.parameters[parameter.name] = parameter.preset;
      for (const Setting& tunable : variant.tunables) cell.tunables[tunable.name] = tunable.preset;
      EXPECT_EQ(cell.id(), problem.name + "/" + std::string{name_of(variant.model)} + "/64/1x1");
      if (variant.tunables.empty()) continue;
      const std::string& name = variant.tunables.front().name;
      cell.tunables[name] += "9";
      EXPECT_TRUE(cell.id().ends_with("/" + name + "=" + cell.tunables[name])) << cell.id();
    }
  }
}

TEST_F(StudyFolder, KeepsAStudy) {
  save_record(folder_, example_record());
  append_trials(folder_, {example(), example()});
  append_trials(folder_, {});
  append_trials(folder_, {example()});
  const SavedStudy study = load_study(folder_);
  EXPECT_EQ(nlohmann::json(study.record), nlohmann::json(example_record()));
  ASSERT_EQ(study.trials.size(), 3U);
  EXPECT_EQ(nlohmann::json(study.trials[2]), nlohmann::json(example()));
}

TEST_F(StudyFolder, HasNoTrialsBeforeTheFirst) {
  save_record(folder_, example_record());
  EXPECT_TRUE(load_study(folder_).trials.empty());
}

TEST_F(StudyFolder, IsReplacedWholeAndLeavesNothingBeside) {
  save_record(folder_, example_record());
  StudyRecord record = example_record();
  record.ending = "complete";
  save_record(folder_, record);
  EXPECT_EQ(load_study(folder_).record.ending, "complete");
  int files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder_)) ++files;
  EXPECT_EQ(files, 1);
}

TEST_F(StudyFolder, LeavesALineOutThatACrashCutOff) {
  save_record(folder_, example_record());
  append_trials(folder_, {example(), example()});
  const std::string whole = text_of("trials.jsonl");
  for (const std::size_t cut : {std::size_t{2}, std::size_t{100}, whole.size() / 2 - 3}) {
    write("trials.jsonl", whole.substr(0, whole.size() - cut));
    const SavedStudy study = load_study(folder_);
    EXPECT_EQ(study.trials.size(), 1U);
    ASSERT_EQ(study.record.warnings.size(), 2U);
    EXPECT_TRUE(study.record.warnings[1].ends_with("trials.jsonl:2: the last line was cut off and is left out"));
  }
}

TEST_F(StudyFolder, GoesOnBehindALineThatACrashCutOff) {
  save_record(folder_, example_record());
  append_trials(folder_, {example(), example()});
  const std::string whole = text_of("trials.jsonl");
  write("trials.jsonl", whole.substr(0, whole.size() - 10));
  append_trials(folder_, {example()});
  EXPECT_EQ(text_of("trials.jsonl"), whole);
}

TEST_F(StudyFolder, KeepsALastLineThatLacksOnlyItsNewline) {
  save_record(folder_, example_record());
  append_trials(folder_, {example(), example()});
  const std::string whole = text_of("trials.jsonl");
  write("trials.jsonl", whole.substr(0, whole.size() - 1));
  EXPECT_EQ(load_study(folder_).trials.size(), 2U);
  append_trials(folder_, {example()});
  EXPECT_EQ(load_study(folder_).trials.size(), 3U);
}

/// A file that may not grow beyond so many bytes is what a full disk looks like to whoever writes to it.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
    std::signal(SIGXFSZ, SIG_IGN);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, SIG_DFL);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
};

TEST_F(StudyFolder, KeepsWholeLinesWhereTheDiskIsFull) {
  save_record(folder_, example_record());
  append_trials(folder_, {example()});
  const std::string trials = (folder_ / "trials.jsonl").string();
  const auto before = std::filesystem::file_size(trials);
  {
    const FullDisk disk{before + before / 2};
    try {
      append_trials(folder_, {example(), example()});
      FAIL() << "nothing was said";
    } catch (const std::runtime_error& error) {
      EXPECT_EQ(error.what(), trials + ": cannot be written: File too large");
    }
  }
  EXPECT_EQ(std::filesystem::file_size(trials), before);
  append_trials(folder_, {example()});
  EXPECT_EQ(load_study(folder_).trials.size(), 2U);
  EXPECT_EQ(load_study(folder_).record.warnings, example_record().warnings);
}

TEST_F(StudyFolder, NamesFileAndLineOfWhatItCannotRead) {
  save_record(folder_, example_record());
  const std::string good = nlohmann::json(example()).dump() + "\n";
  write("trials.jsonl", good + "{\"cell\": \n" + good);
  EXPECT_NE(reading_error().find((folder_ / "trials.jsonl").string() + ":2: "), std::string::npos) << reading_error();
  nlohmann::json strange = example();
  strange["outcome"] = "great";
  write("trials.jsonl", good + good + strange.dump() + "\n");
  EXPECT_EQ(reading_error(), (folder_ / "trials.jsonl").string() +
                                 ":3: outcome 'great' is none of right, wrong, failed, hung, refused, "
                                 "modelled");
}

Trial simulated_example() {
  Trial trial = example();
  trial.outcome = Outcome::modelled;
  trial.simulated = "fat-tree";
  trial.marks.clear();
  return trial;
}

TEST(TrialJson, SaysOnWhichPlatformATrialWasSimulated) {
  const nlohmann::json json = simulated_example();
  EXPECT_EQ(json.at("simulated"), "fat-tree");
  EXPECT_EQ(json.at("outcome"), "modelled");
  EXPECT_EQ(nlohmann::json(json.get<Trial>()), json);
  EXPECT_FALSE(nlohmann::json(example()).contains("simulated"));
}

TEST(TrialJson, RefusesAModelledTrialWithoutAPlatformOrATime) {
  nlohmann::json json = simulated_example();
  json["seconds"] = nullptr;
  EXPECT_THROW((void)json.get<Trial>(), std::invalid_argument);
  json = simulated_example();
  json.erase("simulated");
  EXPECT_THROW((void)json.get<Trial>(), std::invalid_argument);
}

TEST_F(StudyFolder, KeepsSimulatedTrialsApartWhereverTheyStand) {
  save_record(folder_, example_record());
  append_trials(folder_, {example(), simulated_example()});
  write("simulated.jsonl", nlohmann::json(simulated_example()).dump() + "\n");
  const SavedStudy study = load_study(folder_);
  EXPECT_EQ(study.trials.size(), 1U);
  EXPECT_EQ(study.simulated.size(), 2U);
}

TEST_F(StudyFolder, TakesNoMeasuredTrialForASimulatedOne) {
  save_record(folder_, example_record());
  write("simulated.jsonl", nlohmann::json(example()).dump() + "\n");
  EXPECT_NE(reading_error().find("simulated.jsonl: the trial of matmul/mpi/100x200x300"), std::string::npos)
      << reading_error();
}

TEST_F(StudyFolder, SaysWhatIsWrongWithItsRecord) {
  EXPECT_EQ(reading_error(), (folder_ / "study.json").string() + ": cannot be read: No such file or directory");
  write("study.json", R"({"schema": 2})");
  EXPECT_EQ(reading_error(), (folder_ / "study.json").string() + ": schema 2 is not 1, which this version reads");
  write("study.json", "{");
  EXPECT_NE(reading_error().find("study.json: "), std::string::npos);
}

TEST_F(StudyFolder, KeepsOutputThatIsNoText) {
  Trial trial = example();
  trial.outcome = Outcome::failed;
  trial.message = "died: \xff\xfe";
  save_record(folder_, example_record());
  append_trials(folder_, {trial});
  EXPECT_EQ(load_study(folder_).trials.at(0).message, "died: \xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST_F(StudyFolder, CannotBeWrittenWhereThereIsNoFolder) {
  EXPECT_THROW(save_record(folder_ / "nowhere", example_record()), std::runtime_error);
  EXPECT_THROW(append_trials(folder_ / "nowhere", {example()}), std::runtime_error);
}

}  // namespace
}  // namespace duet
