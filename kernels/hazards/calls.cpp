#include "kernels/hazards/calls.hpp"

namespace duet::hazards {

std::string_view name_of(CallKind kind) {
  switch (kind) {
    case CallKind::send:
      return "MPI_Send";
    case CallKind::receive:
      return "MPI_Recv";
    case CallKind::send_receive:
      return "MPI_Sendrecv";
    case CallKind::wait:
      return "MPI_Wait";
    case CallKind::broadcast:
      return "MPI_Bcast";
    case CallKind::reduce:
      return "MPI_Reduce";
    case CallKind::agreement:
      return "MPI_Allreduce";
  }
  return "?";
}

}  // namespace duet::hazards
