#include "drivers/study/parts.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <stdexcept>

#include "tests/drivers/launch/scratch.hpp"

namespace duet {
namespace {

StudyOptions options() {
  StudyOptions options;
  options.problems = {"matmul", "fib_batch"};
  options.models = {Model::serial, Model::openmp, Model::tbb, Model::mpi, Model::hybrid};
  options.sizes = {{"matmul", {"32", "64", "128"}}, {"fib_batch", {"32", "64"}}};
  options.workers = {1, 2};
  return options;
}

StudyOptions part(StudyOptions options, int number, int of) {
  options.part = {number, of};
  return narrowed(options);
}

std::string message_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

TEST(StudyPart, IsReadAsItIsWritten) {
  EXPECT_EQ(part_from("2/4"), (StudyPart{2, 4}));
  EXPECT_EQ(text_of({2, 4}), "2/4");
  EXPECT_EQ(part_from("1/1"), StudyPart{});
  EXPECT_EQ(text_of({}), "");
  EXPECT_EQ(part_of({}), StudyPart{});
  EXPECT_EQ(part_of({{"part", ""}}), StudyPart{});
  EXPECT_EQ(part_of({{"part", "3/3"}}), (StudyPart{3, 3}));
  for (const char* const text :
       {"", "2", "/", "2/", "/2", "0/2", "3/2", "-1/2", "1/2/3", "a/b", "1.5/2", "1/99999999"}) {
    EXPECT_EQ(message_of([&] { static_cast<void>(part_from(text)); }),
              std::string{"--part '"} + text + "': K/N is expected, a part and the number of parts, as in 2/4");
  }
}

TEST(Narrowed, DividesAComparisonIntoContiguousBlocksOfSizes) {
  EXPECT_EQ(as_text(narrowed(options())), as_text(options()));
  const StudyOptions first = part(options(), 1, 2);
  EXPECT_EQ(first.problems, (std::vector<std::string>{"matmul"}));
  EXPECT_EQ(first.sizes.at("matmul"), (std::vector<std::string>{"32", "64"}));
  const StudyOptions second = part(options(), 2, 2);
  EXPECT_EQ(second.problems, (std::vector<std::string>{"matmul", "fib_batch"}));
  EXPECT_EQ(second.sizes.at("matmul"), (std::vector<std::string>{"128"}));
  EXPECT_EQ(second.sizes.at("fib_batch"), (std::vector<std::string>{"32", "64"}));
  EXPECT_EQ(second.models, options().models);
}

TEST(Narrowed, GivesEverySizeToExactlyOnePart) {
  for (int of = 2; of <= 5; ++of) {
    std::multiset<std::string> sizes;
    for (int number = 1; number <= of; ++number) {
      const StudyOptions mine = part(options(), number, of);
      EXPECT_FALSE(mine.problems.empty());
      for (const auto& [problem, of_problem] : mine.sizes) {
        for (const std::string& size : of_problem) sizes.insert(problem + "=" + size);
      }
    }
    EXPECT_EQ(sizes,
              (std::multiset<std::string>{"matmul=32", "matmul=64", "matmul=128", "fib_batch=32", "fib_batch=64"}));
  }
}

TEST(Narrowed, DividesScalingByModelsOfWhichEachPartHasTheSerialBase) {
  StudyOptions strong = options();
  strong.scaling = Scaling::strong;
  EXPECT_EQ(part(strong, 1, 3).models, (std::vector<Model>{Model::serial, Model::openmp}));
  EXPECT_EQ(part(strong, 2, 3).models, (std::vector<Model>{Model::serial, Model::tbb}));
  EXPECT_EQ(part(strong, 3, 3).models, (std::vector<Model>{Model::serial, Model::mpi, Model::hybrid}));
  EXPECT_EQ(part(strong, 3, 3).sizes, strong.sizes);
}

TEST(Narrowed, RefusesMorePartsThanThereIsToDivide) {
  EXPECT_EQ(message_of([] { static_cast<void>(part(options(), 1, 6)); }),
            "--part 1/6: there are 5 sizes to divide, so that 5 parts are possible");
  StudyOptions weak = options();
  weak.scaling = Scaling::weak;
  weak.models = {Model::serial, Model::mpi};
  EXPECT_EQ(message_of([&] { static_cast<void>(part(weak, 2, 2)); }),
            "--part 2/2: there is 1 model, which cannot be divided");
}

TEST(Narrowed, IsWhatIsPlanned) {
  StudyOptions second = options();
  second.part = {2, 2};
  for (const PlannedCell& planned : plan_cells(second, {.cores = 2, .memory_bytes = 8e9})) {
    EXPECT_TRUE(planned.cell.problem == "fib_batch" || planned.cell.size == "128") << planned.id;
  }
  EXPECT_EQ(options_from(as_text(second)).part, second.part);
}

/// A part of a study of two sizes, with one trial of two models in each of two rounds.
LoadedPart loaded(int number, int of) {
  LoadedPart part;
  part.folder = "part-" + std::to_string(number);
  part.study.record.options = as_text(options());
  part.study.record.options["part"] = text_of({number, of});
  part.study.record.ending = "complete";
  part.study.record.started_at = "2026-01-0" + std::to_string(number);
  part.study.record.machine.host = "n" + std::to_string(number);
  part.study.record.machine.processor = "one processor";
  part.study.record.machine.cores = 2;
  part.study.record.versions = {{"compiler", "12"}};
  int launch = 0;
  for (int round = 1; round <= 2; ++round) {
    for (const Model model : {Model::serial, Model::mpi}) {
      Trial trial;
      trial.cell = {"matmul", model, std::to_string(number == 1 ? 32 : 128), 1, {}, {}, 1, 1, 1};
      trial.round = round;
      trial.launch = ++launch;
      trial.outcome = Outcome::right;
      trial.seconds = 1;
      part.study.trials.push_back(trial);
    }
  }
  return part;
}

TEST(MergedParts, HaveEveryTrialInRoundsAndLaunchesOfItsOwnPart) {
  const SavedStudy whole = merged({loaded(2, 2), loaded(1, 2)});
  ASSERT_EQ(whole.trials.size(), 8U);
  EXPECT_EQ(whole.trials.front().cell.size, "32") << "parts are put in their order";
  std::set<int> rounds;
  std::set<int> launches;
  for (const Trial& trial : whole.trials) {
    rounds.insert(trial.round);
    launches.insert(trial.launch);
    EXPECT_EQ(trial.cell.size, trial.round <= 2 ? "32" : "128");
  }
  EXPECT_EQ(rounds.size(), 4U);
  EXPECT_EQ(launches.size(), 8U);
  EXPECT_EQ(whole.record.ending, "complete");
  EXPECT_EQ(whole.record.started_at, "2026-01-01");
  EXPECT_EQ(whole.record.machine.host, "n1, n2");
  EXPECT_EQ(part_of(whole.record.options), StudyPart{});
  EXPECT_TRUE(whole.record.warnings.empty());
}

TEST(MergedParts, SayWhatIsMissingOrInterrupted) {
  LoadedPart third = loaded(3, 4);
  third.study.record.ending = "interrupted";
  const SavedStudy some = merged({loaded(1, 4), third});
  EXPECT_EQ(some.record.ending, "interrupted");
  EXPECT_EQ(some.record.warnings, (std::vector<std::string>{"part 3/4 is not complete: it was interrupted",
                                                            "of 4 parts 2 are missing: 2, 4"}));
}

TEST(MergedParts, KeepWarningsWithThePartTheyAreOf) {
  LoadedPart second = loaded(2, 2);
  second.study.record.warnings = {"noisy"};
  second.study.record.ending = "budget";
  const SavedStudy whole = merged({loaded(1, 2), second});
  EXPECT_EQ(whole.record.warnings, (std::vector<std::string>{"part 2/2: noisy"}));
  EXPECT_EQ(whole.record.ending, "budget");
}

TEST(MergedParts, MayHaveBudgetsAndMeasuredLocalKernelsOfTheirOwn) {
  LoadedPart first = loaded(1, 2);
  LoadedPart second = loaded(2, 2);
  second.study.record.options["budget_seconds"] = "12";
  for (LoadedPart* const part : {&first, &second}) part->study.record.options["local_kernel_measured"] = "yes";
  first.study.record.options["settings"] = "local_kernel=blis panel=64";
  second.study.record.options["settings"] = "local_kernel=duet panel=64";
  const SavedStudy whole = merged({first, second});
  ASSERT_EQ(whole.record.warnings.size(), 1U);
  EXPECT_NE(whole.record.warnings.front().find("local_kernel=blis"), std::string::npos);
  second.study.record.options["settings"] = "local_kernel=duet panel=32";
  EXPECT_NE(message_of([&] {
              static_cast<void>(merged({first, second}));
            }).find("settings is 'panel=64' in one and 'panel=32' in the other"),
            std::string::npos);
}

TEST(MergedParts, RefuseStrangersInOneLine) {
  const auto refusal = [](const std::function<void(StudyRecord&)>& change) {
    LoadedPart second = loaded(2, 2);
    change(second.study.record);
    return message_of([&] { static_cast<void>(merged({loaded(1, 2), second})); });
  };
  EXPECT_EQ(refusal([](StudyRecord&) {}), "");
  EXPECT_EQ(refusal([](StudyRecord& record) { record.machine.processor = "another"; }),
            "part-1 and part-2 are no parts of one study: the processor is 'one processor' in one and 'another' in the "
            "other");
  EXPECT_NE(refusal([](StudyRecord& record) { record.machine.cores = 4; }).find("cores"), std::string::npos);
  EXPECT_NE(refusal([](StudyRecord& record) { record.versions["compiler"] = "13"; }).find("compiler"),
            std::string::npos);
  EXPECT_NE(refusal([](StudyRecord& record) { record.versions["mpi"] = "4"; }).find("mpi"), std::string::npos);
  EXPECT_NE(refusal([](StudyRecord& record) { record.options["seed"] = "2"; }).find("seed is '1' in one"),
            std::string::npos);
  EXPECT_NE(refusal([](StudyRecord& record) { record.options["sizes"] = "matmul=7"; }).find("sizes"),
            std::string::npos);
  EXPECT_NE(refusal([](StudyRecord& record) { record.options["part"] = "2/3"; }).find("a part of 2 and the other of 3"),
            std::string::npos);
  EXPECT_EQ(refusal([](StudyRecord& record) { record.options["part"] = "1/2"; }),
            "part 1/2 is there twice: part-1 and part-2");
  EXPECT_EQ(refusal([](StudyRecord& record) { record.options["part"] = ""; }),
            "part-2 is a whole study and no part of one: report it alone");
}

TEST(HasAllParts, CountsOnlyWhatHasEnded) {
  const Scratch scratch;
  const auto save = [&](const LoadedPart& part) {
    std::filesystem::create_directories(scratch / part.folder.string());
    save_record(scratch / part.folder.string(), part.study.record);
  };
  EXPECT_FALSE(has_all_parts(scratch / ""));
  save(loaded(1, 2));
  EXPECT_FALSE(has_all_parts(scratch / ""));
  LoadedPart second = loaded(2, 2);
  second.study.record.ending = "interrupted";
  save(second);
  EXPECT_FALSE(has_all_parts(scratch / ""));
  second.study.record.ending = "budget";
  save(second);
  EXPECT_TRUE(has_all_parts(scratch / ""));
  EXPECT_EQ(load_parts(scratch / "").size(), 2U);
}

}  // namespace
}  // namespace duet
