#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "kernels/local_product/code_path.hpp"
#include "kernels/local_product/local_product.hpp"

namespace duet {
namespace {

bool warned_of(const LocalKernel& kernel) {
  return std::ranges::any_of(local_kernel_warnings(),
                             [&](const std::string& line) { return line.starts_with(kernel.library + " "); });
}

TEST(LocalKernel, OursAndEigenAreAlwaysThere) {
  const std::vector<LocalKernel> kernels = available_local_kernels();
  ASSERT_GE(kernels.size(), 2U);
  EXPECT_EQ(kernels.front().library, "duet");
  EXPECT_TRUE(kernels.back().library.starts_with("eigen"));
  for (const LocalKernel& kernel : kernels) {
    EXPECT_NE(kernel.multiply, nullptr) << kernel.library;
    EXPECT_FALSE(kernel.code_path.empty()) << kernel.library;
  }
}

TEST(LocalKernel, IsFoundByTheFirstWordOfItsLibrary) {
  for (const LocalKernel& kernel : available_local_kernels()) {
    const std::string word = kernel.library.substr(0, kernel.library.find_first_of("- "));
    EXPECT_EQ(local_kernel(word).library, kernel.library);
    EXPECT_EQ(&local_kernel(word), &local_kernel(word)) << "a reference that stays";
  }
}

TEST(LocalKernel, SaysWhatThereIsWhenAskedForAnother) {
  try {
    static_cast<void>(local_kernel("atlas"));
    FAIL() << "no exception";
  } catch (const std::invalid_argument& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("'atlas'"), std::string::npos) << text;
    EXPECT_NE(text.find("auto, duet"), std::string::npos) << text;
    EXPECT_NE(text.find("eigen"), std::string::npos) << text;
  }
}

TEST(LocalKernel, AutoIsTheFirstOfTheCalibrationAndStays) {
  const LocalKernel& kernel = local_kernel();
  const std::vector<LocalKernelRate>& rates = calibration().rates;
  ASSERT_EQ(rates.size(), available_local_kernels().size());
  EXPECT_EQ(kernel.library, rates.front().library);
  EXPECT_EQ(kernel.code_path, rates.front().code_path);
  for (const LocalKernelRate& rate : rates) EXPECT_GT(rate.flops_per_second, 0) << rate.library;
  EXPECT_EQ(&kernel, &local_kernel("auto"));
  const std::string text = calibration().text();
  EXPECT_TRUE(text.starts_with(kernel.library + "/" + kernel.code_path + " (")) << text;
  EXPECT_TRUE(text.ends_with(")")) << text;
}

TEST(LocalKernel, RunsNoOldCodePathWithoutAWarning) {
  const auto old = [](const LocalKernel& kernel) {
    const VectorSet has = vectors_of(kernel.code_path);
    return has == VectorSet::unknown || has < full_rate_vectors();
  };
  for (const LocalKernel& kernel : available_local_kernels()) {
    // Eigen is old by intention, and told of only where it is chosen.
    if (kernel.library.starts_with("eigen") && local_kernel().library != kernel.library) continue;
    EXPECT_EQ(old(kernel), warned_of(kernel)) << kernel.library << " with " << kernel.code_path;
  }
}

TEST(LocalKernel, WarnsOfAnOldCodePathThatTheUserForced) {
  if (std::getenv("OPENBLAS_CORETYPE") == nullptr) GTEST_SKIP() << "nothing is forced";
  if (full_rate_vectors() <= VectorSet::sse) GTEST_SKIP() << "no code is older than this processor";
  bool any = false;
  for (const LocalKernel& kernel : available_local_kernels()) {
    if (!kernel.library.starts_with("openblas") && !kernel.library.starts_with("blis")) continue;
    any = true;
    EXPECT_EQ(vectors_of(kernel.code_path), VectorSet::sse) << kernel.library << " obeys the user";
    EXPECT_TRUE(warned_of(kernel)) << kernel.library;
  }
  if (!any) GTEST_SKIP() << "neither OpenBLAS nor BLIS is installed";
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they slow down our kernel and not the libraries
  EXPECT_FALSE(vectors_of(local_kernel().code_path) == VectorSet::sse) << "auto goes around it";
#endif
}

TEST(LocalKernel, LeavesTheEnvironmentAsItWas) {
  const auto value = [](const char* name) {
    const char* text = std::getenv(name);
    return std::string{text == nullptr ? "(not set)" : text};
  };
  const std::string before = value("OPENBLAS_CORETYPE") + value("BLIS_ARCH_TYPE");
  static_cast<void>(available_local_kernels());
  EXPECT_EQ(before, value("OPENBLAS_CORETYPE") + value("BLIS_ARCH_TYPE"));
}

}  // namespace
}  // namespace duet
