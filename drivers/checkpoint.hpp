#pragma once

/// A long doubling in a file, from which another run goes on, in any model and on any number of workers.
///
///     512 bytes     a line of JSON: the index, the radix, the steps that are left, the length of each number, a hash
///     of
///                   it; spaces up to the end
///     8 `length`    the digits of F(k), least significant first, 64 bits each as the processor has them
///     8 `length`    those of L(k)

#include <mpi.h>

#include <cstdint>
#include <optional>
#include <string>

#include "drivers/files/byte_source.hpp"
#include "kernels/data_decomposition/fib_number/fib_number.hpp"

namespace duet {

/// Collective over its communicator, in all members. Each step replaces the file that the one before it wrote, which is
/// whole at any time.
class Checkpoint {
 public:
  /// Looks into the file where there is one. Throws FileError, the same on all ranks: it is no checkpoint, that of
  /// another number, or too short; or it could not be written.
  Checkpoint(std::string path, const FibNumber& asked, MPI_Comm communicator);
  Checkpoint(const Checkpoint&) = delete;
  Checkpoint& operator=(const Checkpoint&) = delete;

  /// What the computation goes on from, once: steps and digits, and the call that reads them. It throws FileError where
  /// the digits are not those that were written.
  [[nodiscard]] const std::optional<DoublingRecord::Start>& start() const { return start_; }
  /// Keeps a step.
  void keep(const DoublingStep& step);
  /// The number is there: removes the file.
  void remove();

 private:
  /// What stands in the first line.
  struct Head {
    unsigned left = 0;
    std::int64_t digits = 0;
    std::int64_t length = 0;
    std::string fibonacci;  ///< digests
    std::string lucas;
  };
  [[nodiscard]] Head head() const;
  void read(const Head& head, Sequence which, std::span<const Stretch<std::uint64_t>> mine) const;

  std::string path_;
  FibNumber asked_;
  MPI_Comm communicator_;
  Descriptor file_;
  std::optional<DoublingRecord::Start> start_;
};

}  // namespace duet
