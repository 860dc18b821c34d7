#include "kernels/local_product/code_path.hpp"

#include <gtest/gtest.h>

namespace duet {
namespace {

TEST(CodePath, KnowsTheNamesOfEachLibrary) {
  EXPECT_EQ(vectors_of("SkylakeX"), VectorSet::avx512);
  EXPECT_EQ(vectors_of("AVX3"), VectorSet::avx512);
  EXPECT_EQ(vectors_of("zen3"), VectorSet::avx2);
  EXPECT_EQ(vectors_of("Haswell"), VectorSet::avx2);
  EXPECT_EQ(vectors_of("Sandybridge"), VectorSet::avx);
  EXPECT_EQ(vectors_of("Prescott"), VectorSet::sse);
  EXPECT_EQ(vectors_of("SSE, SSE2"), VectorSet::sse);
  EXPECT_EQ(vectors_of("a core of the future"), VectorSet::unknown);
}

TEST(CodePath, FullRateNeedsNoMoreThanTheWidestVectors) { EXPECT_LE(full_rate_vectors(), widest_vectors()); }

TEST(CodePath, WarnsOfCodeOlderThanTheProcessorAndOfNothingElse) {
  EXPECT_EQ(warning_of("a library", "SkylakeX", "a cure"), "");
  EXPECT_EQ(warning_of("a library", "a core of the future", "a cure"), "");
  if (full_rate_vectors() <= VectorSet::sse) GTEST_SKIP() << "no code is older than this processor";
  const std::string line = warning_of("a library 1.2", "Prescott", "a cure");
  EXPECT_NE(line.find("a library 1.2 runs its code for Prescott (SSE)"), std::string::npos) << line;
  EXPECT_NE(line.find(name_of(widest_vectors())), std::string::npos) << line;
  EXPECT_NE(line.find("; a cure"), std::string::npos) << line;
}

}  // namespace
}  // namespace duet
