/// MPI's functions that wait, and move nothing that is counted: each tells what it waits for (waiting.hpp) where
/// somebody watches, and hands on to PMPI. With mpi_calls.cpp these are all calls in which a program of this project
/// can wait, but for MPI-IO.

#include <mpi.h>

#include "drivers/watchdog/waiting.hpp"

namespace duet {

Slot* open_slot = nullptr;

namespace {

/// A handle that a call has made, or failed to.
template <class Handle>
int made(int code, const Handle* handle) {
  if (open_slot != nullptr && code == MPI_SUCCESS) open_slot->made(*handle);
  return code;
}

template <class Handle>
void forget(const Handle* handle) {
  if (open_slot != nullptr) open_slot->forget(number_of(*handle));
}

template <CallName name>
constexpr const CallKind& all_of = kind_of<name, Wait::Way::receives, CallKind::Shape::all_requests>;
template <CallName name>
constexpr const CallKind& one_of = kind_of<name, Wait::Way::receives, CallKind::Shape::one_request>;

/// Tests and probes: `what` tells of those in vain.
template <class Test, class... What>
int tested(Test&& test, const bool& in_vain, const What&... what) {
  Slot* const slot = open_slot;
  if (slot == nullptr) return test();
  slot->before_test();
  const int code = test();
  if (in_vain) {
    slot->after_test_in_vain(what...);
  } else {
    slot->act();
  }
  return code;
}

}  // namespace
}  // namespace duet

using namespace duet;  // what follows are MPI's own names

int MPI_Recv(void* buf, int count, MPI_Datatype datatype, int source, int tag, MPI_Comm comm, MPI_Status* status) {
  const Waiting waiting{receiving<"MPI_Recv">(source, tag, comm)};
  return PMPI_Recv(buf, count, datatype, source, tag, comm, status);
}

int MPI_Irecv(void* buf, int count, MPI_Datatype datatype, int source, int tag, MPI_Comm comm, MPI_Request* request) {
  return posted(PMPI_Irecv(buf, count, datatype, source, tag, comm, request), request,
                receiving<"MPI_Irecv">(source, tag, comm));
}

int MPI_Probe(int source, int tag, MPI_Comm comm, MPI_Status* status) {
  const Waiting waiting{receiving<"MPI_Probe">(source, tag, comm)};
  return PMPI_Probe(source, tag, comm, status);
}

int MPI_Mprobe(int source, int tag, MPI_Comm comm, MPI_Message* message, MPI_Status* status) {
  const Waiting waiting{receiving<"MPI_Mprobe">(source, tag, comm)};
  return PMPI_Mprobe(source, tag, comm, message, status);
}

int MPI_Mrecv(void* buf, int count, MPI_Datatype type, MPI_Message* message, MPI_Status* status) {
  const Waiting waiting{Operation{.kind = &kind_of<"MPI_Mrecv", Wait::Way::receives>}};
  return PMPI_Mrecv(buf, count, type, message, status);
}

int MPI_Iprobe(int source, int tag, MPI_Comm comm, int* flag, MPI_Status* status) {
  bool in_vain = false;
  const auto probe = [&] {
    const int code = PMPI_Iprobe(source, tag, comm, flag, status);
    in_vain = code == MPI_SUCCESS && *flag == 0;
    return code;
  };
  return tested(probe, in_vain, receiving<"MPI_Iprobe">(source, tag, comm));
}

int MPI_Improbe(int source, int tag, MPI_Comm comm, int* flag, MPI_Message* message, MPI_Status* status) {
  bool in_vain = false;
  const auto probe = [&] {
    const int code = PMPI_Improbe(source, tag, comm, flag, message, status);
    in_vain = code == MPI_SUCCESS && *flag == 0;
    return code;
  };
  return tested(probe, in_vain, receiving<"MPI_Improbe">(source, tag, comm));
}

int MPI_Wait(MPI_Request* request, MPI_Status* status) {
  const Waiting waiting{all_of<"MPI_Wait">, 1, request};
  return PMPI_Wait(request, status);
}

// Of requests that are all done there is nothing to tell. OpenMPI tests a few of them quicker than it waits for them;
// many take long to look at, and of one MPI_Wait sees itself whether it is done.
int MPI_Waitall(int count, MPI_Request requests[], MPI_Status* statuses) {
  constexpr int few = 8;
  if (open_slot != nullptr && count <= few) {
    int done = 0;
    const int code = PMPI_Testall(count, requests, &done, statuses);
    if (code != MPI_SUCCESS || done != 0) {
      open_slot->act();
      return code;
    }
  }
  const Waiting waiting{all_of<"MPI_Waitall">, count, requests};
  return PMPI_Waitall(count, requests, statuses);
}

int MPI_Waitany(int count, MPI_Request requests[], int* index, MPI_Status* status) {
  const Waiting waiting{one_of<"MPI_Waitany">, count, requests};
  return PMPI_Waitany(count, requests, index, status);
}

int MPI_Waitsome(int incount, MPI_Request requests[], int* outcount, int indices[], MPI_Status statuses[]) {
  const Waiting waiting{one_of<"MPI_Waitsome">, incount, requests};
  return PMPI_Waitsome(incount, requests, outcount, indices, statuses);
}

int MPI_Test(MPI_Request* request, int* flag, MPI_Status* status) {
  bool in_vain = false;
  const auto test = [&] {
    const int code = PMPI_Test(request, flag, status);
    in_vain = code == MPI_SUCCESS && *flag == 0;
    return code;
  };
  return tested(test, in_vain, all_of<"MPI_Test">, 1, request);
}

int MPI_Testall(int count, MPI_Request requests[], int* flag, MPI_Status statuses[]) {
  bool in_vain = false;
  const auto test = [&] {
    const int code = PMPI_Testall(count, requests, flag, statuses);
    in_vain = code == MPI_SUCCESS && *flag == 0;
    return code;
  };
  return tested(test, in_vain, all_of<"MPI_Testall">, count, requests);
}

int MPI_Testany(int count, MPI_Request requests[], int* index, int* flag, MPI_Status* status) {
  bool in_vain = false;
  const auto test = [&] {
    const int code = PMPI_Testany(count, requests, index, flag, status);
    in_vain = code == MPI_SUCCESS && *flag == 0;
    return code;
  };
  return tested(test, in_vain, one_of<"MPI_Testany">, count, requests);
}

int MPI_Testsome(int incount, MPI_Request requests[], int* outcount, int indices[], MPI_Status statuses[]) {
  bool in_vain = false;
  const auto test = [&] {
    const int code = PMPI_Testsome(incount, requests, outcount, indices, statuses);
    in_vain = code == MPI_SUCCESS && *outcount == 0;
    return code;
  };
  return tested(test, in_vain, one_of<"MPI_Testsome">, incount, requests);
}

int MPI_Comm_dup(MPI_Comm comm, MPI_Comm* newcomm) {
  const Waiting waiting{collective<"MPI_Comm_dup">(comm)};
  return made(PMPI_Comm_dup(comm, newcomm), newcomm);
}

int MPI_Comm_split(MPI_Comm comm, int color, int key, MPI_Comm* newcomm) {
  const Waiting waiting{collective<"MPI_Comm_split">(comm)};
  return made(PMPI_Comm_split(comm, color, key, newcomm), newcomm);
}

int MPI_Comm_split_type(MPI_Comm comm, int split_type, int key, MPI_Info info, MPI_Comm* newcomm) {
  const Waiting waiting{collective<"MPI_Comm_split_type">(comm)};
  return made(PMPI_Comm_split_type(comm, split_type, key, info, newcomm), newcomm);
}

int MPI_Comm_create(MPI_Comm comm, MPI_Group group, MPI_Comm* newcomm) {
  const Waiting waiting{collective<"MPI_Comm_create">(comm)};
  return made(PMPI_Comm_create(comm, group, newcomm), newcomm);
}

// Collective over the group alone, and so none of the communicator's collective calls.
int MPI_Comm_create_group(MPI_Comm comm, MPI_Group group, int tag, MPI_Comm* newcomm) {
  const Waiting waiting{receiving<"MPI_Comm_create_group">(Operation::none, tag, comm)};
  return made(PMPI_Comm_create_group(comm, group, tag, newcomm), newcomm);
}

int MPI_Cart_create(MPI_Comm comm, int ndims, const int dims[], const int periods[], int reorder, MPI_Comm* newcomm) {
  const Waiting waiting{collective<"MPI_Cart_create">(comm)};
  return made(PMPI_Cart_create(comm, ndims, dims, periods, reorder, newcomm), newcomm);
}

int MPI_Cart_sub(MPI_Comm comm, const int remain_dims[], MPI_Comm* newcomm) {
  const Waiting waiting{collective<"MPI_Cart_sub">(comm)};
  return made(PMPI_Cart_sub(comm, remain_dims, newcomm), newcomm);
}

int MPI_Comm_free(MPI_Comm* comm) {
  const Waiting waiting{collective<"MPI_Comm_free">(*comm)};
  forget(comm);
  return PMPI_Comm_free(comm);
}

int MPI_Win_create(void* base, MPI_Aint size, int disp_unit, MPI_Info info, MPI_Comm comm, MPI_Win* win) {
  const Waiting waiting{collective<"MPI_Win_create">(comm)};
  return made(PMPI_Win_create(base, size, disp_unit, info, comm, win), win);
}

int MPI_Win_allocate(MPI_Aint size, int disp_unit, MPI_Info info, MPI_Comm comm, void* baseptr, MPI_Win* win) {
  const Waiting waiting{collective<"MPI_Win_allocate">(comm)};
  return made(PMPI_Win_allocate(size, disp_unit, info, comm, baseptr, win), win);
}

int MPI_Win_allocate_shared(MPI_Aint size, int disp_unit, MPI_Info info, MPI_Comm comm, void* baseptr, MPI_Win* win) {
  const Waiting waiting{collective<"MPI_Win_allocate_shared">(comm)};
  return made(PMPI_Win_allocate_shared(size, disp_unit, info, comm, baseptr, win), win);
}

int MPI_Win_create_dynamic(MPI_Info info, MPI_Comm comm, MPI_Win* win) {
  const Waiting waiting{collective<"MPI_Win_create_dynamic">(comm)};
  return made(PMPI_Win_create_dynamic(info, comm, win), win);
}

int MPI_Win_free(MPI_Win* win) {
  const Waiting waiting{collective<"MPI_Win_free">(*win)};
  forget(win);
  return PMPI_Win_free(win);
}

int MPI_Win_fence(int assert, MPI_Win win) {
  const Waiting waiting{collective<"MPI_Win_fence">(win)};
  return PMPI_Win_fence(assert, win);
}

int MPI_Win_lock(int lock_type, int rank, int assert, MPI_Win win) {
  const Waiting waiting{reaching<"MPI_Win_lock">(win, rank)};
  return PMPI_Win_lock(lock_type, rank, assert, win);
}

int MPI_Win_lock_all(int assert, MPI_Win win) {
  const Waiting waiting{reaching<"MPI_Win_lock_all">(win)};
  return PMPI_Win_lock_all(assert, win);
}

int MPI_Win_unlock(int rank, MPI_Win win) {
  const Waiting waiting{reaching<"MPI_Win_unlock">(win, rank)};
  return PMPI_Win_unlock(rank, win);
}

int MPI_Win_unlock_all(MPI_Win win) {
  const Waiting waiting{reaching<"MPI_Win_unlock_all">(win)};
  return PMPI_Win_unlock_all(win);
}

int MPI_Win_flush(int rank, MPI_Win win) {
  const Waiting waiting{reaching<"MPI_Win_flush">(win, rank)};
  return PMPI_Win_flush(rank, win);
}

int MPI_Win_flush_all(MPI_Win win) {
  const Waiting waiting{reaching<"MPI_Win_flush_all">(win)};
  return PMPI_Win_flush_all(win);
}

int MPI_Win_flush_local(int rank, MPI_Win win) {
  const Waiting waiting{reaching<"MPI_Win_flush_local">(win, rank)};
  return PMPI_Win_flush_local(rank, win);
}

int MPI_Win_flush_local_all(MPI_Win win) {
  const Waiting waiting{reaching<"MPI_Win_flush_local_all">(win)};
  return PMPI_Win_flush_local_all(win);
}

int MPI_Win_start(MPI_Group group, int assert, MPI_Win win) {
  const Waiting waiting{reaching<"MPI_Win_start">(win)};
  return PMPI_Win_start(group, assert, win);
}

int MPI_Win_complete(MPI_Win win) {
  const Waiting waiting{reaching<"MPI_Win_complete">(win)};
  return PMPI_Win_complete(win);
}

int MPI_Win_wait(MPI_Win win) {
  const Waiting waiting{reaching<"MPI_Win_wait">(win)};
  return PMPI_Win_wait(win);
}

int MPI_Finalize() {
  int code = MPI_SUCCESS;
  {
    const Waiting waiting{collective<"MPI_Finalize">(MPI_COMM_WORLD)};
    code = PMPI_Finalize();
  }
  if (open_slot != nullptr) open_slot->ended();
  return code;
}
