#pragma once

/// matrix_stream: a stream of matrix files, each read, decompressed, multiplied by one fixed matrix, compressed and
/// written: C_i = A_i B.
///
///     file i --> read --> decompress --> multiply --> compress --> write --> file i
///                disk     computing      computing    computing    disk
///
/// Shapes: A_i is m_i x k, B is k x n, the same for all; any count, any m_i, also 0. A file goes through as the bytes
/// of a .npy (`npy_bytes.hpp`); gzip, bzip2 and zstd are known by content and may follow each other in any mixture.
/// Files do not depend on each other, and each is in one stage at a time (`stream.hpp`), so that any order of work is
/// right; what became of them is told in the order of their indices.
///
/// What the models differ in stands in `stream.hpp` (serial, openmp, tbb) and `stream_ranks.hpp` (mpi, hybrid: a farm
/// in which whole files go to ranks, or ranks as stages, as many for each as it costs). In a farm no element of a
/// matrix moves between ranks: each reads and writes its own files, and a message is 48 bytes.
///
/// Cost: 2 m_i k n operations, the codecs' own, and each file read and written once. Memory: B, and `tokens` files in
/// two buffers each a process. B is read by all threads and copied for none.
///
/// Errors: a file that cannot be read, is damaged, or has another number of columns than B has rows, has a fault, which
/// says so; the others are not touched by that. What `take` throws ends the stream.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/core/execution.hpp"
#include "kernels/core/problem.hpp"
#include "kernels/core/view.hpp"
#include "kernels/pipeline/matrix_stream/codec.hpp"
#include "kernels/pipeline/stream/stream.hpp"
#include "kernels/pipeline/stream/stream_ranks.hpp"

namespace duet {

struct LocalKernel;

/// What became of one file.
struct StreamedMatrix {
  std::int64_t index = 0;
  std::string fault;       ///< why there is no result; empty for a good one
  std::uint64_t hash = 0;  ///< of the elements of the result, or of the text where nothing is multiplied
  std::int64_t bytes = 0;  ///< written
};

struct MatrixStream {
  std::int64_t count = 0;
  ConstView b;
  bool multiplies = true;  ///< else files are only read, decompressed and hashed
  Codec codec = Codec::none;
  bool verifies = false;  ///< each product is judged by Freivalds' check; a wrong one is a fault, and is not written

  /// Called as soon as it is known that file `index` will be read here, to have the disk begin. May be empty; does not
  /// throw. Any thread, any rank.
  std::function<void(std::int64_t index)> expect{};
  /// The bytes of file `index`, as it is. Any thread, any rank.
  std::function<void(std::int64_t index, Bytes& to)> read;
  /// Makes the decompressed text of another format that of a .npy. May be empty: then such a file has a fault.
  std::function<void(std::int64_t index, Bytes& text)> convert{};
  /// The result, compressed. Any thread, any rank.
  std::function<void(std::int64_t index, std::string_view file)> write;
  /// Where `write` only begins: waits until the result is where it shall be. By the same thread, which may have written
  /// others meanwhile. May be empty.
  std::function<void(std::int64_t index)> settle{};
  /// In the order of indices, on rank 0 alone.
  std::function<void(const StreamedMatrix& result)> take;
};

/// What is chosen before a stream runs, the same on all ranks.
struct MatrixStreamPlan {
  const LocalKernel* kernel = nullptr;
  std::vector<StageGroup> groups{};  ///< which ranks do which stages; none where no messages pass

  /// Which ranks do what, for people.
  std::string mapping{};
};

/// Tunables: local_kernel, and for ranks mapping, for which rank 0 may work off the first file as far as writing.
/// Collective over execution.communicator.
[[nodiscard]] MatrixStreamPlan plan_matrix_stream(const MatrixStream& stream, Model model, const Execution& execution);

/// The algorithms. Tunables: tokens, readers, writers.
StreamFigures matrix_stream_serial(const MatrixStream& stream, const MatrixStreamPlan& plan,
                                   const Execution& execution);
StreamFigures matrix_stream_openmp(const MatrixStream& stream, const MatrixStreamPlan& plan,
                                   const Execution& execution);
StreamFigures matrix_stream_tbb(const MatrixStream& stream, const MatrixStreamPlan& plan, const Execution& execution,
                                TbbTeam& team);
/// Collective over execution.communicator; `stream` is the same on all ranks but for `take`.
StreamFigures matrix_stream_mpi(const MatrixStream& stream, const MatrixStreamPlan& plan, const Execution& execution);
StreamFigures matrix_stream_hybrid(const MatrixStream& stream, const MatrixStreamPlan& plan,
                                   const Execution& execution);
/// Any of them.
StreamFigures matrix_stream(const MatrixStream& stream, const MatrixStreamPlan& plan, Model model,
                            const Execution& execution);
/// The same with a plan of its own.
StreamFigures matrix_stream(const MatrixStream& stream, Model model, const Execution& execution);

[[nodiscard]] std::vector<Setting> matrix_stream_tunables(Model model);

/// The problem as the harness sees it: files of whole numbers, so that results are exact. Size: files. Parameters:
/// order, codec, work, storage.
[[nodiscard]] Problem matrix_stream_problem();

}  // namespace duet
