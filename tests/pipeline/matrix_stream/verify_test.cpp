#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "kernels/pipeline/matrix_stream/npy_bytes.hpp"
#include "kernels/pipeline/matrix_stream/stream_files.hpp"

namespace duet {
namespace {

class MatrixStreamVerify : public testing::TestWithParam<Codec> {
 protected:
  MatrixStreamVerify() : files_{{.files = 5, .order = 12, .codec = GetParam(), .multiplies = true}, 2} {
    static_cast<void>(matrix_stream(files_.stream(), Model::serial, Execution{}));
  }

  void change_output(std::int64_t index, const std::function<void(View)>& change) {
    Bytes file;
    Bytes text;
    files_.output(index, file);
    decompress(file.text(), text);
    const ConstView c = matrix_in(text.text()).value();
    change({const_cast<double*>(c.data), c.rows, c.columns, c.stride});
    compress(GetParam(), text.text(), file);
    files_.replace_output(index, file.text());
  }

  [[nodiscard]] std::string objection() const {
    const Judgement judgement = files_.judge(7, MPI_COMM_NULL);
    return judgement.right ? "" : judgement.explanation;
  }

  StreamFiles files_;
};

TEST_P(MatrixStreamVerify, AcceptsWhatIsRight) { EXPECT_EQ(objection(), ""); }

TEST_P(MatrixStreamVerify, RejectsOneWrongEntryAndNamesItsRow) {
  change_output(3, [](View c) { c(11, 5) += 1; });
  EXPECT_EQ(objection(), "file 3: row 11 is not that of A B");
}

TEST_P(MatrixStreamVerify, RejectsTwoRowsExchanged) {
  change_output(0, [](View c) {
    for (std::int64_t j = 0; j < c.columns; ++j) std::swap(c(2, j), c(7, j));
  });
  EXPECT_EQ(objection(), "file 0: row 2 is not that of A B");
}

TEST_P(MatrixStreamVerify, RejectsWhatIsNoWholeNumber) {
  change_output(1, [](View c) { c(0, 0) += 0.25; });
  EXPECT_NE(objection().find("file 1: row 0"), std::string::npos) << objection();
  change_output(1, [](View c) { c(0, 0) = std::nan(""); });
  EXPECT_NE(objection().find("file 1: row 0"), std::string::npos) << objection();
}

TEST_P(MatrixStreamVerify, RejectsTwoFilesExchanged) {
  Bytes one;
  Bytes other;
  files_.output(1, one);
  files_.output(2, other);
  files_.replace_output(1, other.text());
  files_.replace_output(2, one.text());
  EXPECT_EQ(objection(), "file 1: row 0 is not that of A B");
}

TEST_P(MatrixStreamVerify, RejectsAFileThatIsCutShort) {
  Bytes file;
  files_.output(4, file);
  files_.replace_output(4, file.text().substr(0, file.size() / 2));
  EXPECT_NE(objection().find("file 4: "), std::string::npos) << objection();
}

TEST_P(MatrixStreamVerify, RejectsNothingDone) {
  files_.clear();
  EXPECT_EQ(objection(), "0 files were written and 0 taken of 5");
}

TEST_P(MatrixStreamVerify, RejectsResultsOutOfOrder) {
  std::swap(files_.taken()[1], files_.taken()[2]);
  EXPECT_EQ(objection(), "file 1: was taken out of order");
}

TEST_P(MatrixStreamVerify, RejectsAResultThatIsNotWhatWasWritten) {
  files_.taken()[1].hash ^= 1;
  EXPECT_EQ(objection(), "what was taken is not what was written");
}

TEST_P(MatrixStreamVerify, RejectsAFault) {
  files_.taken()[2].fault = "is damaged";
  EXPECT_EQ(objection(), "file 2: is damaged");
}

INSTANTIATE_TEST_SUITE_P(Codecs, MatrixStreamVerify, testing::ValuesIn(codecs),
                         [](const auto& given) { return std::string{name_of(given.param)}; });

TEST(MatrixStreamVerifyText, RejectsOneThatIsNotTheFiles) {
  StreamFiles files{{.files = 3, .order = 9, .codec = Codec::bzip2, .multiplies = false}, 1};
  static_cast<void>(matrix_stream(files.stream(), Model::serial, Execution{}));
  EXPECT_TRUE(files.judge(1, MPI_COMM_NULL).right);
  files.taken()[0].hash += 1;
  EXPECT_FALSE(files.judge(1, MPI_COMM_NULL).right);
}

}  // namespace
}  // namespace duet
