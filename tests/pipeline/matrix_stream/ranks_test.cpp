#include <gtest/gtest.h>

#include "kernels/core/mpi.hpp"
#include "kernels/pipeline/matrix_stream/stream_files.hpp"
#include "tests/all_ranks.hpp"

namespace duet {
namespace {

Execution on_ranks(const std::string& mapping, int threads) {
  Execution execution;
  execution.threads = threads;
  execution.communicator = MPI_COMM_WORLD;
  const std::vector<Setting> tunables = matrix_stream_tunables(Model::hybrid);
  execution.tunables = Settings{"matrix_stream", tunables, {{"mapping", mapping}}};
  return execution;
}

TEST(MatrixStreamRanks, AnswerAsSerialDoes) {
  for (const Codec codec : {Codec::none, Codec::bzip2}) {
    for (const std::int64_t count : {0, 1, 5, 17}) {
      const StreamQuestion question{.files = count, .order = 19, .codec = codec, .multiplies = true};
      StreamFiles alone{question, 1};
      static_cast<void>(matrix_stream(alone.stream(), Model::serial, Execution{}));
      const std::string expected = alone.digest(MPI_COMM_NULL);
      for (const char* mapping : {"farm", "stages"}) {
        for (const Model model : {Model::mpi, Model::hybrid}) {
          StreamFiles files{question, 1};
          static_cast<void>(matrix_stream(files.stream(), model, on_ranks(mapping, model == Model::mpi ? 1 : 2)));
          const Judgement judgement = files.judge(5, MPI_COMM_WORLD);
          EXPECT_TRUE(on_every_rank(judgement.right)) << judgement.explanation;
          const std::string digest = files.digest(MPI_COMM_WORLD);
          EXPECT_TRUE(on_every_rank(digest == expected)) << mapping << " " << count;
        }
      }
    }
  }
}

TEST(MatrixStreamRanks, AWrongFileOfAnyRankIsRejectedOnAll) {
  StreamFiles files{{.files = 9, .order = 8, .codec = Codec::none, .multiplies = true}, 1};
  static_cast<void>(matrix_stream(files.stream(), Model::mpi, on_ranks("farm", 1)));
  // Whoever has file 6 spoils it.
  Bytes mine;
  files.output(6, mine);
  if (mine.size() != 0) {
    mine.data()[mine.size() - 1] = static_cast<char>(mine.data()[mine.size() - 1] ^ 1);
    files.replace_output(6, mine.text());
  }
  const Judgement judgement = files.judge(5, MPI_COMM_WORLD);
  EXPECT_TRUE(on_every_rank(!judgement.right));
  EXPECT_TRUE(agree(judgement.explanation)) << judgement.explanation;
  EXPECT_NE(judgement.explanation.find("file 6"), std::string::npos) << judgement.explanation;
}

}  // namespace
}  // namespace duet
