#pragma once

/// The files of the problem: random matrices of small whole numbers, so that products are exact and files compress.

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/core/problem.hpp"
#include "kernels/core/view.hpp"
#include "kernels/pipeline/matrix_stream/matrix_stream.hpp"
#include "kernels/pipeline/matrix_stream/scratch_file.hpp"

namespace duet {

/// What an instance says.
struct StreamQuestion {
  std::int64_t files = 0;
  std::int64_t order = 0;
  Codec codec = Codec::none;
  bool multiplies = true;
  bool on_disk = false;  ///< inputs are read from the disk, and outputs are there when they are written
  std::uint64_t seed = 1;

  [[nodiscard]] static StreamQuestion of(const Instance& instance);
  [[nodiscard]] std::int64_t matrix_bytes() const;
};

/// An instance in the files of one process: any of its inputs may be read, any of its outputs written.
class StreamFiles {
 public:
  /// Makes the inputs with so many threads.
  StreamFiles(const StreamQuestion& question, int threads);

  [[nodiscard]] const StreamQuestion& question() const { return question_; }
  /// Whether inputs come from the disk past the page cache, where files are long enough for that to be faster.
  [[nodiscard]] bool read_past_cache() const { return in_.reads_past_cache(); }
  /// What the algorithms take; lasts as long as this.
  [[nodiscard]] MatrixStream stream();
  /// Forgets outputs and results, and has inputs leave memory where they shall be on the disk.
  void clear();

  /// Judges what this process wrote, and on rank 0 what was taken. Collective over `ranks`.
  [[nodiscard]] Judgement judge(std::uint64_t seed, MPI_Comm ranks) const;
  /// Of all results. Collective over `ranks`.
  [[nodiscard]] std::string digest(MPI_Comm ranks) const;

  /// For tests of the judge.
  [[nodiscard]] std::vector<StreamedMatrix>& taken() { return taken_; }
  void replace_output(std::int64_t index, std::string_view file);
  void output(std::int64_t index, Bytes& to) const;

 private:
  struct Extent {
    std::int64_t offset = 0;
    std::int64_t bytes = -1;  ///< -1: not there
    std::uint64_t hash = 0;
  };
  void write_output(std::int64_t index, std::string_view file);
  [[nodiscard]] std::string objection_to(std::int64_t index, std::uint64_t seed, std::uint64_t& found) const;

  StreamQuestion question_;
  Matrix<double> b_;
  ScratchFile in_;
  ScratchFile out_;
  std::vector<Extent> inputs_;
  std::vector<Extent> outputs_;
  std::int64_t room_ = 0;  ///< for each output
  std::vector<StreamedMatrix> taken_;
};

}  // namespace duet
