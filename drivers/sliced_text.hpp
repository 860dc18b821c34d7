#pragma once

/// A number that lies on many ranks, as the line of text that people read.

#include <mpi.h>

#include <cstdint>
#include <string>
#include <vector>

#include "drivers/files/mpi_file.hpp"
#include "drivers/files/team.hpp"
#include "kernels/data_decomposition/fib_number/sliced_number.hpp"

namespace duet {

/// One rank's part of the line: its pieces, in order, and their characters, one piece after the other.
struct SlicedText {
  std::vector<Piece> pieces;
  std::string text;
  std::int64_t bytes = 0;  ///< of the whole line, on all ranks
};

/// The decimal digits of `number`, whose radix is decimal, with a minus before them where it is negative, and the end
/// of the line. The team of each rank prints its digits. Collective.
[[nodiscard]] SlicedText sliced_text(const SlicedNumber& number, bool negative, const RunTeam& team,
                                     MPI_Comm communicator);

}  // namespace duet
