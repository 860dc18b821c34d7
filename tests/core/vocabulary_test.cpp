#include "kernels/core/vocabulary.hpp"

#include <gtest/gtest.h>

namespace duet {
namespace {

TEST(Vocabulary, FindsEveryModelByItsName) {
  for (const Model model : all_models) EXPECT_EQ(model_called(name_of(model)), model);
}

TEST(Vocabulary, FindsNoModelByAnotherName) {
  for (const char* const name : {"", "OpenMP", "mpi ", "cuda"}) EXPECT_FALSE(model_called(name).has_value()) << name;
}

TEST(Vocabulary, KnowsWhichModelsPassMessagesAndWhichRunThreads) {
  for (const Model model : all_models) {
    EXPECT_EQ(passes_messages(model), model == Model::mpi || model == Model::hybrid);
    EXPECT_EQ(runs_threads(model), model != Model::serial && model != Model::mpi);
  }
}

TEST(Vocabulary, NamesPatternsAndWorkloads) {
  EXPECT_EQ(name_of(Pattern::divide_and_conquer), "divide_and_conquer");
  EXPECT_EQ(name_of(Pattern::data_decomposition), "data_decomposition");
  EXPECT_EQ(name_of(Pattern::pipeline), "pipeline");
  EXPECT_EQ(name_of(Pattern::mapping), "mapping");
  EXPECT_EQ(name_of(Workload::matrix), "matrix");
  EXPECT_EQ(name_of(Workload::fibonacci), "fibonacci");
}

}  // namespace
}  // namespace duet
