#pragma once

/// ScaLAPACK as a peer: loaded when it is asked for, in a process of its own, over the BLAS that LD_LIBRARY_PATH says.

#include <array>
#include <cstdint>
#include <functional>
#include <string>

#include "drivers/bench/peer.hpp"

namespace duet {

/// MPI and ScaLAPACK from its making to its end, on a grid of all ranks.
class ScaLapack {
 public:
  /// A grid of `rows`, a divisor of the number of ranks; rank r stands at row r / columns. Binds this rank to a core of
  /// its own. Throws std::invalid_argument for another number of rows, std::runtime_error where there is no library.
  explicit ScaLapack(std::int64_t rows);

  [[nodiscard]] std::int64_t rows() const { return rows_; }
  [[nodiscard]] std::int64_t columns() const { return columns_; }
  [[nodiscard]] int context() const { return context_; }
  /// The core that the BLAS below computes for, "?" where it does not say.
  [[nodiscard]] std::string core_name() const;
  /// What ScaLAPACK wants to know of a rows x columns matrix in square blocks, of which this rank has `leading` rows.
  [[nodiscard]] std::array<int, 9> description(std::int64_t rows, std::int64_t columns, std::int64_t block,
                                               std::int64_t leading) const;

  /// The function of this name. Throws std::runtime_error where there is none.
  template <class Function>
  [[nodiscard]] Function symbol(const char* name) const {
    return reinterpret_cast<Function>(address_of(name));  // NOLINT: what dlsym is for
  }

 private:
  [[nodiscard]] void* address_of(const char* name) const;

  void* library_ = nullptr;
  std::int64_t rows_ = 1;
  std::int64_t columns_ = 1;
  int context_ = 0;
};

/// "NAME-R-B": runs `act` on a grid of R rows with blocks of B rows, which must be a multiple of `unit`, between MPI's
/// beginning and its end. What is thrown ends the job with its text.
void on_scalapack(const PeerOptions& options, std::int64_t unit,
                  const std::function<void(const ScaLapack& library, std::int64_t block)>& act);

}  // namespace duet
