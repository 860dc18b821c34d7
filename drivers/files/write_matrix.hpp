#pragma once

/// Writes a matrix whose blocks the ranks hold, none of them more than its own and a window:
///
///     OutputFile file{"C.npy", communicator};     before computing: whether it can be written is known at once
///     write_matrix(file, format_of("C.npy"), {m, n, rows, columns, block});
///     file.commit();
///
/// .npy is version 1.0, '<f8', C order; several ranks write their blocks by MPI_File_write_at_all. Matrix Market is
/// `array real general`, column by column, each number with the fewest digits that read back to the same double. Both
/// may be compressed: the workers compress pieces of their own, which follow each other as the members of one gzip
/// file.

#include <cstdint>
#include <string_view>

#include "drivers/files/byte_source.hpp"
#include "drivers/files/output_file.hpp"
#include "drivers/files/team.hpp"
#include "kernels/core/partition.hpp"
#include "kernels/core/view.hpp"

namespace duet {

enum class MatrixFormat { npy, npy_gzip, market, market_gzip };

/// By the name's end: .npy, .npy.gz, .mtx or .mtx.gz, and Matrix Market for "-". Throws FileError, which lists them.
[[nodiscard]] MatrixFormat format_of(std::string_view path);

/// What a rank has of a `rows` x `columns` matrix: the blocks of all ranks are disjoint and cover it.
struct MatrixPart {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  Range row_range;
  Range column_range;
  ConstView block;
};

/// Collective over the communicator of `file`. `team` writes digits and compresses. Throws FileError.
void write_matrix(OutputFile& file, MatrixFormat format, const MatrixPart& mine, const RunTeam& team = {},
                  const Progress& progress = {});

}  // namespace duet
