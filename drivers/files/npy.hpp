#pragma once

/// NumPy's .npy: "numpy.lib.format", versions 1.0, 2.0 and 3.0. A magic, a Python dictionary as text, and then the
/// elements one after another:
///
///     \x93NUMPY 1 0 <length> {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }     elements
///
/// Read are matrices of floats of 4 and 8 bytes and of integers of 1 to 8 bytes and bool, of both byte orders, in C
/// order (rows one after another) and Fortran order (columns). Integers become doubles; one that no double holds
/// exactly is refused and not rounded. A vector of shape (n,) is read as a column, n x 1. Refused are complex numbers,
/// half and long double, records, objects, scalars, and more than two dimensions.

#include <mpi.h>

#include <cstdint>
#include <string>

#include "drivers/files/byte_source.hpp"
#include "kernels/core/partition.hpp"
#include "kernels/core/view.hpp"

namespace duet {

struct NpyHeader {
  char kind = 'f';        ///< f, i, u or b, as NumPy has it
  std::int64_t size = 8;  ///< bytes of an element
  bool swapped = false;   ///< the other byte order than this machine's
  bool fortran = false;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t data_offset = 0;

  /// NumPy's word for the element: "<f8".
  [[nodiscard]] std::string element() const;
  friend bool operator==(const NpyHeader&, const NpyHeader&) = default;
};

/// Reads the header from the beginning of `source`. Throws FileError where it is malformed, or where the file is not as
/// long as the header says (for gzip: cannot be).
[[nodiscard]] NpyHeader read_npy_header(ByteSource& source);

/// Reads the rest of `source`, behind the header, to its end, and keeps the block of `rows` x `columns` in `out`.
void read_npy_stream(ByteSource& source, const NpyHeader& header, Range rows, Range columns, View out,
                     const Progress& progress);

/// Reads only the block of an uncompressed file: each byte of the block once, and no other. Ranks of `communicator`
/// read theirs together by MPI_File_read_at_all, collective; MPI_COMM_NULL reads with pread. Memory: 16 MiB beside
/// `out`.
void read_npy_block(const std::string& path, const NpyHeader& header, Range rows, Range columns, View out,
                    MPI_Comm communicator, const Progress& progress);

}  // namespace duet
