/// Streams of a few files in memory, in the models that share it.

#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <stdexcept>

#include "kernels/core/random.hpp"
#include "kernels/pipeline/matrix_stream/matrix_stream.hpp"
#include "kernels/pipeline/matrix_stream/npy_bytes.hpp"

namespace duet {
namespace {

constexpr std::array<Model, 3> shared_models{Model::serial, Model::openmp, Model::tbb};

/// Files of several shapes and codecs, and what came of them.
struct FilesInMemory {
  FilesInMemory() : b{7, 5} {
    fill_random(b.view(), 1, 0, 0, 0);
    const std::array<std::int64_t, 6> rows{3, 0, 11, 1, 64, 7};
    for (std::size_t i = 0; i < rows.size(); ++i) {
      Bytes matrix;
      fill_random(make_matrix_in(matrix, rows[i], 7), 2, static_cast<std::uint32_t>(i), 0, 0);
      Bytes file;
      compress(codecs[i % codecs.size()], matrix.text(), file);
      files.emplace_back(file.text());
    }
  }

  [[nodiscard]] MatrixStream stream() {
    MatrixStream made;
    made.count = static_cast<std::int64_t>(files.size());
    made.b = b.view();
    made.codec = Codec::gzip;
    made.read = [this](std::int64_t index, Bytes& to) {
      if (files[static_cast<std::size_t>(index)] == "missing") throw std::runtime_error("cannot open");
      to.clear();
      to.append(files[static_cast<std::size_t>(index)]);
    };
    made.write = [this](std::int64_t index, std::string_view file) {
      const std::scoped_lock lock{mutex};
      written[index] = std::string{file};
    };
    made.take = [this](const StreamedMatrix& result) { taken.push_back(result); };
    return made;
  }

  Matrix<double> b;
  std::vector<std::string> files;
  std::mutex mutex;
  std::map<std::int64_t, std::string> written;
  std::vector<StreamedMatrix> taken;
};

Execution threads(Model model, int count) {
  Execution execution;
  execution.threads = model == Model::serial ? 1 : count;
  return execution;
}

TEST(MatrixStream, MultipliesFilesOfAllCodecsAndShapes) {
  for (const Model model : shared_models) {
    FilesInMemory files;
    static_cast<void>(matrix_stream(files.stream(), model, threads(model, 3)));
    ASSERT_EQ(files.written.size(), files.files.size());
    ASSERT_EQ(files.taken.size(), files.files.size());
    for (const auto& [index, file] : files.written) {
      Bytes text;
      Bytes source;
      decompress(file, text);
      decompress(files.files[static_cast<std::size_t>(index)], source);
      const ConstView a = matrix_in(source.text()).value();
      const ConstView c = matrix_in(text.text()).value();
      ASSERT_EQ(c.rows, a.rows);
      ASSERT_EQ(c.columns, 5);
      for (std::int64_t i = 0; i < c.rows; ++i) {
        for (std::int64_t j = 0; j < c.columns; ++j) {
          double sum = 0;
          for (std::int64_t k = 0; k < 7; ++k) sum += a(i, k) * files.b.view()(k, j);
          ASSERT_NEAR(c(i, j), sum, 1e-14);
        }
      }
      EXPECT_EQ(files.taken[static_cast<std::size_t>(index)].index, index);
      EXPECT_EQ(files.taken[static_cast<std::size_t>(index)].bytes, static_cast<std::int64_t>(file.size()));
    }
  }
}

TEST(MatrixStream, SaysWhatIsWrongWithAFileAndMultipliesTheOthers) {
  for (const Model model : shared_models) {
    FilesInMemory files;
    files.files[1] = "missing";
    files.files[2] = "not a matrix";
    files.files[3].resize(files.files[3].size() - 3);
    Bytes narrow;
    fill_random(make_matrix_in(narrow, 2, 6), 1, 1, 0, 0);
    files.files[4] = narrow.text();
    static_cast<void>(matrix_stream(files.stream(), model, threads(model, 2)));
    ASSERT_EQ(files.taken.size(), 6U);
    EXPECT_EQ(files.taken[0].fault, "");
    EXPECT_EQ(files.taken[1].fault, "cannot open");
    EXPECT_EQ(files.taken[2].fault, "is no .npy of doubles in C order");
    EXPECT_NE(files.taken[3].fault.find("zstd ends too early"), std::string::npos) << files.taken[3].fault;
    EXPECT_EQ(files.taken[4].fault, "is 2 x 6, and 7 columns were expected");
    EXPECT_EQ(files.taken[5].fault, "");
    EXPECT_EQ(files.written.size(), 2U);
  }
}

TEST(MatrixStream, ConvertsOtherFormatsWhereItIsToldHow) {
  FilesInMemory files;
  files.files = {"seven"};
  MatrixStream stream = files.stream();
  stream.convert = [](std::int64_t /*index*/, Bytes& text) {
    EXPECT_EQ(text.text(), "seven");
    const View made = make_matrix_in(text, 1, 7);
    for (int j = 0; j < 7; ++j) made(0, j) = 1;
  };
  static_cast<void>(matrix_stream(stream, Model::openmp, threads(Model::openmp, 2)));
  EXPECT_EQ(files.taken.at(0).fault, "");
}

TEST(MatrixStream, EndsWithWhatIsThrownAtItsEnd) {
  for (const Model model : shared_models) {
    FilesInMemory files;
    MatrixStream stream = files.stream();
    stream.take = [](const StreamedMatrix& result) {
      if (result.index == 2) throw std::runtime_error("the disk is full");
    };
    EXPECT_THROW(static_cast<void>(matrix_stream(stream, model, threads(model, 2))), std::runtime_error);
  }
}

}  // namespace
}  // namespace duet
