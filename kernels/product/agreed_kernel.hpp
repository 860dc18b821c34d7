#pragma once

/// The local kernel as a tunable of products.

#include <mpi.h>

#include <string>
#include <vector>

#include "kernels/core/settings.hpp"

namespace duet {

/// The tunable `local_kernel`, chosen by measurement where nothing is said.
[[nodiscard]] Setting local_kernel_setting();

/// The name under which every rank finds the kernel that rank 0 means by `choice`: with "auto" measured rank by rank,
/// noise could give them different ones. Collective over `ranks`, which may be MPI_COMM_NULL.
[[nodiscard]] std::string agreed_kernel(const std::string& choice, MPI_Comm ranks);

}  // namespace duet
