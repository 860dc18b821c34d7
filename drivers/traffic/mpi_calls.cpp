/// MPI's functions that move data between ranks, as a program calls them: each books what it moves (ledger.hpp) where
/// somebody counts, tells what it waits for (waiting.hpp) where somebody watches, and hands on to PMPI. Blocking and
/// immediate calls of one operation are booked by one function. Those that move nothing are in mpi_waits.cpp.

#include <mpi.h>

#include "drivers/traffic/ledger.hpp"
#include "drivers/watchdog/waiting.hpp"

namespace duet {

Ledger* open_ledger = nullptr;

namespace {

/// Books one call on the open ledger; nothing where nobody counts.
template <class Book>
inline void counted(Book&& book) {
  if (Ledger* const ledger = open_ledger; ledger != nullptr) [[unlikely]]
    book(*ledger);
}

void sends(int count, MPI_Datatype type, int destination, MPI_Comm comm) {
  counted([&](Ledger& ledger) { ledger.message(comm, destination, bytes_of(count, type)); });
}

void waits_for_all(MPI_Comm comm) {
  counted([&](Ledger& ledger) { ledger.barrier(comm); });
}

void broadcasts(int count, MPI_Datatype type, int root, MPI_Comm comm) {
  counted([&](Ledger& ledger) { ledger.broadcast(comm, root, bytes_of(count, type)); });
}

bool is_root(int root, MPI_Comm comm) {
  int rank = 0;
  PMPI_Comm_rank(comm, &rank);
  return rank == root;
}

// All parts are described at the root alone, and there MPI_IN_PLACE may stand for its own; the other ranks describe
// theirs.
void gathers(int mine, MPI_Datatype my_type, int each, MPI_Datatype type, int root, MPI_Comm comm) {
  counted([&](Ledger& ledger) {
    const std::int64_t bytes = is_root(root, comm) ? bytes_of(each, type) : bytes_of(mine, my_type);
    ledger.gather(comm, root, Parts{bytes});
  });
}

void gathers(int mine, MPI_Datatype my_type, const int* counts, MPI_Datatype type, int root, MPI_Comm comm) {
  counted([&](Ledger& ledger) {
    ledger.gather(comm, root, is_root(root, comm) ? Parts{counts, type} : Parts{bytes_of(mine, my_type)});
  });
}

void scatters(int each, MPI_Datatype type, int mine, MPI_Datatype my_type, int root, MPI_Comm comm) {
  counted([&](Ledger& ledger) {
    const std::int64_t bytes = is_root(root, comm) ? bytes_of(each, type) : bytes_of(mine, my_type);
    ledger.scatter(comm, root, Parts{bytes});
  });
}

void scatters(const int* counts, MPI_Datatype type, int mine, MPI_Datatype my_type, int root, MPI_Comm comm) {
  counted([&](Ledger& ledger) {
    ledger.scatter(comm, root, is_root(root, comm) ? Parts{counts, type} : Parts{bytes_of(mine, my_type)});
  });
}

// From here on the receiving side says all: MPI_IN_PLACE leaves the sending one without meaning.
void allgathers(int each, MPI_Datatype type, MPI_Comm comm) {
  counted([&](Ledger& ledger) { ledger.allgather(comm, Parts{bytes_of(each, type)}); });
}

void allgathers(const int* counts, MPI_Datatype type, MPI_Comm comm) {
  counted([&](Ledger& ledger) { ledger.allgather(comm, Parts{counts, type}); });
}

void exchanges(int each, MPI_Datatype type, MPI_Comm comm) {
  counted([&](Ledger& ledger) {
    const Parts parts{bytes_of(each, type)};
    ledger.alltoall(comm, parts, parts);
  });
}

template <class Types>
void exchanges(const void* from, const int* sent, Types sent_types, const int* received, Types types, MPI_Comm comm) {
  counted([&](Ledger& ledger) {
    const Parts in{received, types};
    ledger.alltoall(comm, from == MPI_IN_PLACE ? in : Parts{sent, sent_types}, in);
  });
}

void reduces(int count, MPI_Datatype type, int root, MPI_Comm comm) {
  counted([&](Ledger& ledger) { ledger.reduce(comm, root, bytes_of(count, type)); });
}

void allreduces(int count, MPI_Datatype type, MPI_Comm comm) {
  counted([&](Ledger& ledger) { ledger.allreduce(comm, bytes_of(count, type)); });
}

void reduces_and_scatters(const int* counts, MPI_Datatype type, MPI_Comm comm) {
  counted([&](Ledger& ledger) { ledger.reduce_scatter(comm, Parts{counts, type}); });
}

void reduces_and_scatters(int each, MPI_Datatype type, MPI_Comm comm) {
  counted([&](Ledger& ledger) { ledger.reduce_scatter(comm, Parts{bytes_of(each, type)}); });
}

void scans(int count, MPI_Datatype type, MPI_Comm comm) {
  counted([&](Ledger& ledger) { ledger.scan(comm, bytes_of(count, type)); });
}

void puts_to(int count, MPI_Datatype type, int target, MPI_Win win) {
  counted([&](Ledger& ledger) { ledger.one_sided(win, target, bytes_of(count, type), 0); });
}

void gets_from(int count, MPI_Datatype type, int target, MPI_Win win) {
  counted([&](Ledger& ledger) { ledger.one_sided(win, target, 0, bytes_of(count, type)); });
}

void fetches(int count, MPI_Datatype type, MPI_Op op, int result_count, MPI_Datatype result_type, int target,
             MPI_Win win) {
  counted([&](Ledger& ledger) {
    const std::int64_t operand = op == MPI_NO_OP ? 0 : bytes_of(count, type);
    ledger.one_sided(win, target, operand, bytes_of(result_count, result_type));
  });
}

void compares(MPI_Datatype type, int target, MPI_Win win) {
  counted([&](Ledger& ledger) { ledger.one_sided(win, target, bytes_of(2, type), bytes_of(1, type)); });
}

}  // namespace
}  // namespace duet

using namespace duet;  // what follows are MPI's own names

int MPI_Send(const void* buf, int count, MPI_Datatype datatype, int dest, int tag, MPI_Comm comm) {
  const Waiting waiting{sending<"MPI_Send">(dest, tag, comm)};
  sends(count, datatype, dest, comm);
  return PMPI_Send(buf, count, datatype, dest, tag, comm);
}

int MPI_Isend(const void* buf, int count, MPI_Datatype datatype, int dest, int tag, MPI_Comm comm,
              MPI_Request* request) {
  sends(count, datatype, dest, comm);
  return posted(PMPI_Isend(buf, count, datatype, dest, tag, comm, request), request,
                sending<"MPI_Isend">(dest, tag, comm));
}

int MPI_Ssend(const void* buf, int count, MPI_Datatype datatype, int dest, int tag, MPI_Comm comm) {
  const Waiting waiting{sending<"MPI_Ssend">(dest, tag, comm)};
  sends(count, datatype, dest, comm);
  return PMPI_Ssend(buf, count, datatype, dest, tag, comm);
}

int MPI_Issend(const void* buf, int count, MPI_Datatype datatype, int dest, int tag, MPI_Comm comm,
               MPI_Request* request) {
  sends(count, datatype, dest, comm);
  return posted(PMPI_Issend(buf, count, datatype, dest, tag, comm, request), request,
                sending<"MPI_Issend">(dest, tag, comm));
}

int MPI_Rsend(const void* buf, int count, MPI_Datatype datatype, int dest, int tag, MPI_Comm comm) {
  const Waiting waiting{sending<"MPI_Rsend">(dest, tag, comm)};
  sends(count, datatype, dest, comm);
  return PMPI_Rsend(buf, count, datatype, dest, tag, comm);
}

int MPI_Irsend(const void* buf, int count, MPI_Datatype datatype, int dest, int tag, MPI_Comm comm,
               MPI_Request* request) {
  sends(count, datatype, dest, comm);
  return posted(PMPI_Irsend(buf, count, datatype, dest, tag, comm, request), request,
                sending<"MPI_Irsend">(dest, tag, comm));
}

int MPI_Bsend(const void* buf, int count, MPI_Datatype datatype, int dest, int tag, MPI_Comm comm) {
  const Waiting waiting{sending<"MPI_Bsend">(dest, tag, comm)};
  sends(count, datatype, dest, comm);
  return PMPI_Bsend(buf, count, datatype, dest, tag, comm);
}

int MPI_Ibsend(const void* buf, int count, MPI_Datatype datatype, int dest, int tag, MPI_Comm comm,
               MPI_Request* request) {
  sends(count, datatype, dest, comm);
  return posted(PMPI_Ibsend(buf, count, datatype, dest, tag, comm, request), request,
                sending<"MPI_Ibsend">(dest, tag, comm));
}

int MPI_Sendrecv(const void* sendbuf, int sendcount, MPI_Datatype sendtype, int dest, int sendtag, void* recvbuf,
                 int recvcount, MPI_Datatype recvtype, int source, int recvtag, MPI_Comm comm, MPI_Status* status) {
  const Waiting waiting{sending<"MPI_Sendrecv", CallKind::Shape::two_operations>(dest, sendtag, comm),
                        receiving<"MPI_Sendrecv">(source, recvtag, comm)};
  sends(sendcount, sendtype, dest, comm);
  return PMPI_Sendrecv(sendbuf, sendcount, sendtype, dest, sendtag, recvbuf, recvcount, recvtype, source, recvtag, comm,
                       status);
}

int MPI_Sendrecv_replace(void* buf, int count, MPI_Datatype datatype, int dest, int sendtag, int source, int recvtag,
                         MPI_Comm comm, MPI_Status* status) {
  const Waiting waiting{sending<"MPI_Sendrecv_replace", CallKind::Shape::two_operations>(dest, sendtag, comm),
                        receiving<"MPI_Sendrecv_replace">(source, recvtag, comm)};
  sends(count, datatype, dest, comm);
  return PMPI_Sendrecv_replace(buf, count, datatype, dest, sendtag, source, recvtag, comm, status);
}

int MPI_Barrier(MPI_Comm comm) {
  const Waiting waiting{collective<"MPI_Barrier">(comm)};
  waits_for_all(comm);
  return PMPI_Barrier(comm);
}

int MPI_Ibarrier(MPI_Comm comm, MPI_Request* request) {
  waits_for_all(comm);
  return posted(PMPI_Ibarrier(comm, request), request, collective<"MPI_Ibarrier">(comm));
}

int MPI_Bcast(void* buffer, int count, MPI_Datatype datatype, int root, MPI_Comm comm) {
  const Waiting waiting{collective<"MPI_Bcast">(comm, root)};
  broadcasts(count, datatype, root, comm);
  return PMPI_Bcast(buffer, count, datatype, root, comm);
}

int MPI_Ibcast(void* buffer, int count, MPI_Datatype datatype, int root, MPI_Comm comm, MPI_Request* request) {
  broadcasts(count, datatype, root, comm);
  return posted(PMPI_Ibcast(buffer, count, datatype, root, comm, request), request,
                collective<"MPI_Ibcast">(comm, root));
}

int MPI_Gather(const void* sendbuf, int sendcount, MPI_Datatype sendtype, void* recvbuf, int recvcount,
               MPI_Datatype recvtype, int root, MPI_Comm comm) {
  const Waiting waiting{collective<"MPI_Gather">(comm, root)};
  gathers(sendcount, sendtype, recvcount, recvtype, root, comm);
  return PMPI_Gather(sendbuf, sendcount, sendtype, recvbuf, recvcount, recvtype, root, comm);
}

int MPI_Igather(const void* sendbuf, int sendcount, MPI_Datatype sendtype, void* recvbuf, int recvcount,
                MPI_Datatype recvtype, int root, MPI_Comm comm, MPI_Request* request) {
  gathers(sendcount, sendtype, recvcount, recvtype, root, comm);
  return posted(PMPI_Igather(sendbuf, sendcount, sendtype, recvbuf, recvcount, recvtype, root, comm, request), request,
                collective<"MPI_Igather">(comm, root));
}

int MPI_Gatherv(const void* sendbuf, int sendcount, MPI_Datatype sendtype, void* recvbuf, const int recvcounts[],
                const int displs[], MPI_Datatype recvtype, int root, MPI_Comm comm) {
  const Waiting waiting{collective<"MPI_Gatherv">(comm, root)};
  gathers(sendcount, sendtype, recvcounts, recvtype, root, comm);
  return PMPI_Gatherv(sendbuf, sendcount, sendtype, recvbuf, recvcounts, displs, recvtype, root, comm);
}

int MPI_Igatherv(const void* sendbuf, int sendcount, MPI_Datatype sendtype, void* recvbuf, const int recvcounts[],
                 const int displs[], MPI_Datatype recvtype, int root, MPI_Comm comm, MPI_Request* request) {
  gathers(sendcount, sendtype, recvcounts, recvtype, root, comm);
  return posted(PMPI_Igatherv(sendbuf, sendcount, sendtype, recvbuf, recvcounts, displs, recvtype, root, comm, request),
                request, collective<"MPI_Igatherv">(comm, root));
}

int MPI_Scatter(const void* sendbuf, int sendcount, MPI_Datatype sendtype, void* recvbuf, int recvcount,
                MPI_Datatype recvtype, int root, MPI_Comm comm) {
  const Waiting waiting{collective<"MPI_Scatter">(comm, root)};
  scatters(sendcount, sendtype, recvcount, recvtype, root, comm);
  return PMPI_Scatter(sendbuf, sendcount, sendtype, recvbuf, recvcount, recvtype, root, comm);
}

int MPI_Iscatter(const void* sendbuf, int sendcount, MPI_Datatype sendtype, void* recvbuf, int recvcount,
                 MPI_Datatype recvtype, int root, MPI_Comm comm, MPI_Request* request) {
  scatters(sendcount, sendtype, recvcount, recvtype, root, comm);
  return posted(PMPI_Iscatter(sendbuf, sendcount, sendtype, recvbuf, recvcount, recvtype, root, comm, request), request,
                collective<"MPI_Iscatter">(comm, root));
}

int MPI_Scatterv(const void* sendbuf, const int sendcounts[], const int displs[], MPI_Datatype sendtype, void* recvbuf,
                 int recvcount, MPI_Datatype recvtype, int root, MPI_Comm comm) {
  const Waiting waiting{collective<"MPI_Scatterv">(comm, root)};
  scatters(sendcounts, sendtype, recvcount, recvtype, root, comm);
  return PMPI_Scatterv(sendbuf, sendcounts, displs, sendtype, recvbuf, recvcount, recvtype, root, comm);
}

int MPI_Iscatterv(const void* sendbuf, const int sendcounts[], const int displs[], MPI_Datatype sendtype, void* recvbuf,
                  int recvcount, MPI_Datatype recvtype, int root, MPI_Comm comm, MPI_Request* request) {
  scatters(sendcounts, sendtype, recvcount, recvtype, root, comm);
  return posted(
      PMPI_Iscatterv(sendbuf, sendcounts, displs, sendtype, recvbuf, recvcount, recvtype, root, comm, request), request,
      collective<"MPI_Iscatterv">(comm, root));
}

int MPI_Allgather(const void* sendbuf, int sendcount, MPI_Datatype sendtype, void* recvbuf, int recvcount,
                  MPI_Datatype recvtype, MPI_Comm comm) {
  const Waiting waiting{collective<"MPI_Allgather">(comm)};
  allgathers(recvcount, recvtype, comm);
  return PMPI_Allgather(sendbuf, sendcount, sendtype, recvbuf, recvcount, recvtype, comm);
}

int MPI_Iallgather(const void* sendbuf, int sendcount, MPI_Datatype sendtype, void* recvbuf, int recvcount,
                   MPI_Datatype recvtype, MPI_Comm comm, MPI_Request* request) {
  allgathers(recvcount, recvtype, comm);
  return posted(PMPI_Iallgather(sendbuf, sendcount, sendtype, recvbuf, recvcount, recvtype, comm, request), request,
                collective<"MPI_Iallgather">(comm));
}

int MPI_Allgatherv(const void* sendbuf, int sendcount, MPI_Datatype sendtype, void* recvbuf, const int recvcounts[],
                   const int displs[], MPI_Datatype recvtype, MPI_Comm comm) {
  const Waiting waiting{collective<"MPI_Allgatherv">(comm)};
  allgathers(recvcounts, recvtype, comm);
  return PMPI_Allgatherv(sendbuf, sendcount, sendtype, recvbuf, recvcounts, displs, recvtype, comm);
}

int MPI_Iallgatherv(const void* sendbuf, int sendcount, MPI_Datatype sendtype, void* recvbuf, const int recvcounts[],
                    const int displs[], MPI_Datatype recvtype, MPI_Comm comm, MPI_Request* request) {
  allgathers(recvcounts, recvtype, comm);
  return posted(PMPI_Iallgatherv(sendbuf, sendcount, sendtype, recvbuf, recvcounts, displs, recvtype, comm, request),
                request, collective<"MPI_Iallgatherv">(comm));
}

int MPI_Alltoall(const void* sendbuf, int sendcount, MPI_Datatype sendtype, void* recvbuf, int recvcount,
                 MPI_Datatype recvtype, MPI_Comm comm) {
  const Waiting waiting{collective<"MPI_Alltoall">(comm)};
  exchanges(recvcount, recvtype, comm);
  return PMPI_Alltoall(sendbuf, sendcount, sendtype, recvbuf, recvcount, recvtype, comm);
}

int MPI_Ialltoall(const void* sendbuf, int sendcount, MPI_Datatype sendtype, void* recvbuf, int recvcount,
                  MPI_Datatype recvtype, MPI_Comm comm, MPI_Request* request) {
  exchanges(recvcount, recvtype, comm);
  return posted(PMPI_Ialltoall(sendbuf, sendcount, sendtype, recvbuf, recvcount, recvtype, comm, request), request,
                collective<"MPI_Ialltoall">(comm));
}

int MPI_Alltoallv(const void* sendbuf, const int sendcounts[], const int sdispls[], MPI_Datatype sendtype,
                  void* recvbuf, const int recvcounts[], const int rdispls[], MPI_Datatype recvtype, MPI_Comm comm) {
  const Waiting waiting{collective<"MPI_Alltoallv">(comm)};
  exchanges(sendbuf, sendcounts, sendtype, recvcounts, recvtype, comm);
  return PMPI_Alltoallv(sendbuf, sendcounts, sdispls, sendtype, recvbuf, recvcounts, rdispls, recvtype, comm);
}

int MPI_Ialltoallv(const void* sendbuf, const int sendcounts[], const int sdispls[], MPI_Datatype sendtype,
                   void* recvbuf, const int recvcounts[], const int rdispls[], MPI_Datatype recvtype, MPI_Comm comm,
                   MPI_Request* request) {
  exchanges(sendbuf, sendcounts, sendtype, recvcounts, recvtype, comm);
  return posted(
      PMPI_Ialltoallv(sendbuf, sendcounts, sdispls, sendtype, recvbuf, recvcounts, rdispls, recvtype, comm, request),
      request, collective<"MPI_Ialltoallv">(comm));
}

int MPI_Alltoallw(const void* sendbuf, const int sendcounts[], const int sdispls[], const MPI_Datatype sendtypes[],
                  void* recvbuf, const int recvcounts[], const int rdispls[], const MPI_Datatype recvtypes[],
                  MPI_Comm comm) {
  const Waiting waiting{collective<"MPI_Alltoallw">(comm)};
  exchanges(sendbuf, sendcounts, sendtypes, recvcounts, recvtypes, comm);
  return PMPI_Alltoallw(sendbuf, sendcounts, sdispls, sendtypes, recvbuf, recvcounts, rdispls, recvtypes, comm);
}

int MPI_Ialltoallw(const void* sendbuf, const int sendcounts[], const int sdispls[], const MPI_Datatype sendtypes[],
                   void* recvbuf, const int recvcounts[], const int rdispls[], const MPI_Datatype recvtypes[],
                   MPI_Comm comm, MPI_Request* request) {
  exchanges(sendbuf, sendcounts, sendtypes, recvcounts, recvtypes, comm);
  return posted(
      PMPI_Ialltoallw(sendbuf, sendcounts, sdispls, sendtypes, recvbuf, recvcounts, rdispls, recvtypes, comm, request),
      request, collective<"MPI_Ialltoallw">(comm));
}

int MPI_Reduce(const void* sendbuf, void* recvbuf, int count, MPI_Datatype datatype, MPI_Op op, int root,
               MPI_Comm comm) {
  const Waiting waiting{collective<"MPI_Reduce">(comm, root)};
  reduces(count, datatype, root, comm);
  return PMPI_Reduce(sendbuf, recvbuf, count, datatype, op, root, comm);
}

int MPI_Ireduce(const void* sendbuf, void* recvbuf, int count, MPI_Datatype datatype, MPI_Op op, int root,
                MPI_Comm comm, MPI_Request* request) {
  reduces(count, datatype, root, comm);
  return posted(PMPI_Ireduce(sendbuf, recvbuf, count, datatype, op, root, comm, request), request,
                collective<"MPI_Ireduce">(comm, root));
}

int MPI_Allreduce(const void* sendbuf, void* recvbuf, int count, MPI_Datatype datatype, MPI_Op op, MPI_Comm comm) {
  const Waiting waiting{collective<"MPI_Allreduce">(comm)};
  allreduces(count, datatype, comm);
  return PMPI_Allreduce(sendbuf, recvbuf, count, datatype, op, comm);
}

int MPI_Iallreduce(const void* sendbuf, void* recvbuf, int count, MPI_Datatype datatype, MPI_Op op, MPI_Comm comm,
                   MPI_Request* request) {
  allreduces(count, datatype, comm);
  return posted(PMPI_Iallreduce(sendbuf, recvbuf, count, datatype, op, comm, request), request,
                collective<"MPI_Iallreduce">(comm));
}

int MPI_Reduce_scatter(const void* sendbuf, void* recvbuf, const int recvcounts[], MPI_Datatype datatype, MPI_Op op,
                       MPI_Comm comm) {
  const Waiting waiting{collective<"MPI_Reduce_scatter">(comm)};
  reduces_and_scatters(recvcounts, datatype, comm);
  return PMPI_Reduce_scatter(sendbuf, recvbuf, recvcounts, datatype, op, comm);
}

int MPI_Ireduce_scatter(const void* sendbuf, void* recvbuf, const int recvcounts[], MPI_Datatype datatype, MPI_Op op,
                        MPI_Comm comm, MPI_Request* request) {
  reduces_and_scatters(recvcounts, datatype, comm);
  return posted(PMPI_Ireduce_scatter(sendbuf, recvbuf, recvcounts, datatype, op, comm, request), request,
                collective<"MPI_Ireduce_scatter">(comm));
}

int MPI_Reduce_scatter_block(const void* sendbuf, void* recvbuf, int recvcount, MPI_Datatype datatype, MPI_Op op,
                             MPI_Comm comm) {
  const Waiting waiting{collective<"MPI_Reduce_scatter_block">(comm)};
  reduces_and_scatters(recvcount, datatype, comm);
  return PMPI_Reduce_scatter_block(sendbuf, recvbuf, recvcount, datatype, op, comm);
}

int MPI_Ireduce_scatter_block(const void* sendbuf, void* recvbuf, int recvcount, MPI_Datatype datatype, MPI_Op op,
                              MPI_Comm comm, MPI_Request* request) {
  reduces_and_scatters(recvcount, datatype, comm);
  return posted(PMPI_Ireduce_scatter_block(sendbuf, recvbuf, recvcount, datatype, op, comm, request), request,
                collective<"MPI_Ireduce_scatter_block">(comm));
}

int MPI_Scan(const void* sendbuf, void* recvbuf, int count, MPI_Datatype datatype, MPI_Op op, MPI_Comm comm) {
  const Waiting waiting{collective<"MPI_Scan">(comm)};
  scans(count, datatype, comm);
  return PMPI_Scan(sendbuf, recvbuf, count, datatype, op, comm);
}

int MPI_Iscan(const void* sendbuf, void* recvbuf, int count, MPI_Datatype datatype, MPI_Op op, MPI_Comm comm,
              MPI_Request* request) {
  scans(count, datatype, comm);
  return posted(PMPI_Iscan(sendbuf, recvbuf, count, datatype, op, comm, request), request,
                collective<"MPI_Iscan">(comm));
}

int MPI_Exscan(const void* sendbuf, void* recvbuf, int count, MPI_Datatype datatype, MPI_Op op, MPI_Comm comm) {
  const Waiting waiting{collective<"MPI_Exscan">(comm)};
  scans(count, datatype, comm);
  return PMPI_Exscan(sendbuf, recvbuf, count, datatype, op, comm);
}

int MPI_Iexscan(const void* sendbuf, void* recvbuf, int count, MPI_Datatype datatype, MPI_Op op, MPI_Comm comm,
                MPI_Request* request) {
  scans(count, datatype, comm);
  return posted(PMPI_Iexscan(sendbuf, recvbuf, count, datatype, op, comm, request), request,
                collective<"MPI_Iexscan">(comm));
}

int MPI_Put(const void* origin_addr, int origin_count, MPI_Datatype origin_datatype, int target_rank,
            MPI_Aint target_disp, int target_count, MPI_Datatype target_datatype, MPI_Win win) {
  const Waiting waiting{reaching<"MPI_Put">(win, target_rank)};
  puts_to(origin_count, origin_datatype, target_rank, win);
  return PMPI_Put(origin_addr, origin_count, origin_datatype, target_rank, target_disp, target_count, target_datatype,
                  win);
}

int MPI_Rput(const void* origin_addr, int origin_count, MPI_Datatype origin_datatype, int target_rank,
             MPI_Aint target_disp, int target_count, MPI_Datatype target_datatype, MPI_Win win, MPI_Request* request) {
  puts_to(origin_count, origin_datatype, target_rank, win);
  return posted(PMPI_Rput(origin_addr, origin_count, origin_datatype, target_rank, target_disp, target_count,
                          target_datatype, win, request),
                request, reaching<"MPI_Rput">(win, target_rank));
}

int MPI_Get(void* origin_addr, int origin_count, MPI_Datatype origin_datatype, int target_rank, MPI_Aint target_disp,
            int target_count, MPI_Datatype target_datatype, MPI_Win win) {
  const Waiting waiting{reaching<"MPI_Get">(win, target_rank)};
  gets_from(origin_count, origin_datatype, target_rank, win);
  return PMPI_Get(origin_addr, origin_count, origin_datatype, target_rank, target_disp, target_count, target_datatype,
                  win);
}

int MPI_Rget(void* origin_addr, int origin_count, MPI_Datatype origin_datatype, int target_rank, MPI_Aint target_disp,
             int target_count, MPI_Datatype target_datatype, MPI_Win win, MPI_Request* request) {
  gets_from(origin_count, origin_datatype, target_rank, win);
  return posted(PMPI_Rget(origin_addr, origin_count, origin_datatype, target_rank, target_disp, target_count,
                          target_datatype, win, request),
                request, reaching<"MPI_Rget">(win, target_rank));
}

int MPI_Accumulate(const void* origin_addr, int origin_count, MPI_Datatype origin_datatype, int target_rank,
                   MPI_Aint target_disp, int target_count, MPI_Datatype target_datatype, MPI_Op op, MPI_Win win) {
  const Waiting waiting{reaching<"MPI_Accumulate">(win, target_rank)};
  puts_to(origin_count, origin_datatype, target_rank, win);
  return PMPI_Accumulate(origin_addr, origin_count, origin_datatype, target_rank, target_disp, target_count,
                         target_datatype, op, win);
}

int MPI_Raccumulate(const void* origin_addr, int origin_count, MPI_Datatype origin_datatype, int target_rank,
                    MPI_Aint target_disp, int target_count, MPI_Datatype target_datatype, MPI_Op op, MPI_Win win,
                    MPI_Request* request) {
  puts_to(origin_count, origin_datatype, target_rank, win);
  return posted(PMPI_Raccumulate(origin_addr, origin_count, origin_datatype, target_rank, target_disp, target_count,
                                 target_datatype, op, win, request),
                request, reaching<"MPI_Raccumulate">(win, target_rank));
}

int MPI_Get_accumulate(const void* origin_addr, int origin_count, MPI_Datatype origin_datatype, void* result_addr,
                       int result_count, MPI_Datatype result_datatype, int target_rank, MPI_Aint target_disp,
                       int target_count, MPI_Datatype target_datatype, MPI_Op op, MPI_Win win) {
  const Waiting waiting{reaching<"MPI_Get_accumulate">(win, target_rank)};
  fetches(origin_count, origin_datatype, op, result_count, result_datatype, target_rank, win);
  return PMPI_Get_accumulate(origin_addr, origin_count, origin_datatype, result_addr, result_count, result_datatype,
                             target_rank, target_disp, target_count, target_datatype, op, win);
}

int MPI_Rget_accumulate(const void* origin_addr, int origin_count, MPI_Datatype origin_datatype, void* result_addr,
                        int result_count, MPI_Datatype result_datatype, int target_rank, MPI_Aint target_disp,
                        int target_count, MPI_Datatype target_datatype, MPI_Op op, MPI_Win win, MPI_Request* request) {
  fetches(origin_count, origin_datatype, op, result_count, result_datatype, target_rank, win);
  return posted(
      PMPI_Rget_accumulate(origin_addr, origin_count, origin_datatype, result_addr, result_count, result_datatype,
                           target_rank, target_disp, target_count, target_datatype, op, win, request),
      request, reaching<"MPI_Rget_accumulate">(win, target_rank));
}

int MPI_Fetch_and_op(const void* origin_addr, void* result_addr, MPI_Datatype datatype, int target_rank,
                     MPI_Aint target_disp, MPI_Op op, MPI_Win win) {
  const Waiting waiting{reaching<"MPI_Fetch_and_op">(win, target_rank)};
  fetches(1, datatype, op, 1, datatype, target_rank, win);
  return PMPI_Fetch_and_op(origin_addr, result_addr, datatype, target_rank, target_disp, op, win);
}

int MPI_Compare_and_swap(const void* origin_addr, const void* compare_addr, void* result_addr, MPI_Datatype datatype,
                         int target_rank, MPI_Aint target_disp, MPI_Win win) {
  const Waiting waiting{reaching<"MPI_Compare_and_swap">(win, target_rank)};
  compares(datatype, target_rank, win);
  return PMPI_Compare_and_swap(origin_addr, compare_addr, result_addr, datatype, target_rank, target_disp, win);
}
