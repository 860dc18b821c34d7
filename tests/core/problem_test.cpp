#include "kernels/core/problem.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace duet {
namespace {

Problem product() {
  Problem problem;
  problem.name = "product";
  problem.extent_names = {"m", "n", "k"};
  problem.largest_extent = 1000;
  problem.parameters = {
      {.name = "kind", .preset = "dense", .meaning = "which entries", .choices = {"dense", "banded"}}};
  problem.variants.emplace_back().model = Model::serial;
  problem.variants.emplace_back().model = Model::mpi;
  return problem;
}

std::string complaint_about_size(std::string_view size) {
  try {
    static_cast<void>(product().pose(size, 1, {}));
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return {};
}

TEST(Pose, TakesOneNumberForAllExtents) {
  const Instance instance = product().pose("64", 9, {});
  EXPECT_EQ(instance.extents, (std::vector<std::int64_t>{64, 64, 64}));
  EXPECT_EQ(instance.seed, 9U);
  EXPECT_EQ(instance.size_text(), "64");
  EXPECT_EQ(instance.size(), 64);
}

TEST(Pose, TakesANumberForEachExtent) {
  const Instance instance = product().pose("10x0x1000", 1, {});
  EXPECT_EQ(instance.extents, (std::vector<std::int64_t>{10, 0, 1000}));
  EXPECT_EQ(instance.size_text(), "10x0x1000");
  EXPECT_EQ(instance.size(), 0);
}

TEST(Pose, GivesTheGeometricMeanAsTheSizeOfUnequalExtents) {
  EXPECT_NEAR(product().pose("10x100x1000", 1, {}).size(), 100, 1e-9);
}

TEST(Pose, RefusesASizeThatIsNone) {
  for (const char* const size : {"", "x", "-1", "1.5", "1e3", "1001", "10x", "x10", "10xx10", "10x10", "1x2x3x4",
                                 "10X10X10", "10 x10x10", "99999999999999999999", "10x10x1001", "lots"}) {
    const std::string complaint = complaint_about_size(size);
    EXPECT_TRUE(complaint.starts_with("size of product")) << "'" << size << "': " << complaint;
  }
}

TEST(Pose, NamesTheValueAndWhatWouldBeRight) {
  EXPECT_EQ(complaint_about_size("1001"), "size of product: '1001' is not a whole number from 0 to 1000");
  EXPECT_EQ(complaint_about_size("10x"), "size of product '10x': '' is not a whole number from 0 to 1000");
  EXPECT_EQ(complaint_about_size("10x20"), "size of product: '10x20' is neither one number nor mxnxk");
}

TEST(Pose, ChecksTheParameters) {
  EXPECT_EQ(product().pose("1", 1, {}).parameters.text("kind"), "dense");
  EXPECT_EQ(product().pose("1", 1, {{"kind", "banded"}}).parameters.text("kind"), "banded");
  EXPECT_THROW(static_cast<void>(product().pose("1", 1, {{"kind", "sparse"}})), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(product().pose("1", 1, {{"type", "dense"}})), std::invalid_argument);
}

TEST(ProblemVariant, IsFoundByItsModel) {
  const Problem problem = product();
  EXPECT_EQ(&problem.variant(Model::mpi), &problem.variants[1]);
}

TEST(ProblemVariant, IsRefusedWithAListOfThoseThereAre) {
  try {
    static_cast<void>(product().variant(Model::tbb));
    FAIL() << "no complaint";
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(), "product has no variant in tbb; it has serial, mpi");
  }
}

TEST(Execution, TakesTheKernelsPresetWhereATunableIsNotSet) {
  Execution execution;
  EXPECT_EQ(execution.whole_or("tile", 64), 64);
  EXPECT_EQ(execution.text_or("schedule", "block"), "block");
  const std::vector<Setting> declared{{.name = "tile", .preset = "32", .meaning = "rows of a tile"}};
  execution.tunables = Settings{"product", declared, {{"tile", "16"}}};
  EXPECT_EQ(execution.whole_or("tile", 64), 16);
  EXPECT_EQ(execution.text_or("schedule", "block"), "block");
}

}  // namespace
}  // namespace duet
