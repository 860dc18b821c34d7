#include "drivers/simulate/rates.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "tests/drivers/files/scratch_folder.hpp"

namespace duet {
namespace {

Rates example() {
  return {.machine = "node17, EPYC",
          .local_kernel = "duet/AVX3",
          .flops_per_second = 5e10,
          .seconds_per_operand_word = 2e-10,
          .seconds_per_result_word = 4e-10,
          .seconds_per_product = 1e-6,
          .seconds_per_gathered_byte = 1e-10,
          .fibonacci_scale = 1.1,
          .residue_seconds = 4e-8,
          .planning_seconds = 2e-8};
}

std::string refusal(const nlohmann::json& json) {
  try {
    static_cast<void>(json.get<Rates>());
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

TEST(Rates, ChargeArithmeticPackingTheResultAndTheCall) {
  EXPECT_DOUBLE_EQ(example().product_seconds(10, 20, 30),
                   2.0 * 10 * 20 * 30 / 5e10 + (10 + 20) * 30 * 2e-10 + 10 * 20 * 4e-10 + 1e-6);
}

TEST(Rates, ChargeAnEmptyProductItsCallAlone) { EXPECT_DOUBLE_EQ(example().product_seconds(0, 20, 0), 1e-6); }

TEST(Rates, AreReadBackAsTheyWereWritten) {
  const nlohmann::json json = example();
  EXPECT_EQ(nlohmann::json(nlohmann::json::parse(json.dump()).get<Rates>()), json);
}

TEST(Rates, NameWhatIsMissingOrNoRate) {
  nlohmann::json json = example();
  json.erase("residue_seconds");
  EXPECT_EQ(refusal(json), "'residue_seconds' is missing");
  json = example();
  json["flops_per_second"] = 0;
  EXPECT_EQ(refusal(json), "'flops_per_second' is 0, not a number above 0");
  json["flops_per_second"] = "fast";
  EXPECT_EQ(refusal(json), "'flops_per_second' is \"fast\", not a number above 0");
  json = example();
  json["seconds_per_product"] = -1;
  EXPECT_EQ(refusal(json), "'seconds_per_product' is -1, not 0 or more");
}

TEST(Rates, NameTheFileThatCannotBeRead) {
  const ScratchFolder folder;
  for (const std::string& path : {folder.path("missing.json"), folder.file("broken.json", "{")}) {
    try {
      static_cast<void>(load_rates(path));
      ADD_FAILURE() << path;
    } catch (const std::runtime_error& error) {
      EXPECT_NE(std::string{error.what()}.find(path), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace duet
