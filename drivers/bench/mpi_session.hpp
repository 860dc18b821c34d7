#pragma once

#include <mpi.h>

#include "kernels/core/mpi.hpp"

namespace duet {

/// MPI from here to the end of the scope, for one thread of the process.
class MpiSession {
 public:
  MpiSession() {
    int provided = 0;
    check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided));
  }
  ~MpiSession() { MPI_Finalize(); }
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;
};

}  // namespace duet
