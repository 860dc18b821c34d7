/// mpi_rank_places: a line for each rank, "RANK HOST SHARED": on which host it runs, and how many ranks it can share
/// memory with, itself among them.

#include <fmt/format.h>
#include <mpi.h>

#include <array>
#include <string>

#include "kernels/core/mpi.hpp"

int main(int count, char** words) {
  duet::check(MPI_Init(&count, &words));
  {
    const duet::Communicator node = duet::Communicator::of_node(MPI_COMM_WORLD);
    std::array<char, MPI_MAX_PROCESSOR_NAME> host{};
    int length = 0;
    duet::check(MPI_Get_processor_name(host.data(), &length));
    fmt::print("{} {} {}\n", duet::rank_in(MPI_COMM_WORLD), host.data(), duet::size_of(node.get()));
  }
  duet::check(MPI_Finalize());
}
