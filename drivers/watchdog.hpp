#pragma once

/// Nothing waits in silence, and nothing waits for ever. While a process is in one phase for long, a line on standard
/// error says which rank, which phase, since when and what it waits for. Where no rank can go on, the job ends with a
/// diagnosis: who waits for whom, in which call, and the cycle (watchdog/diagnosis.hpp). At a time limit it ends
/// anyway.
///
/// What counts as standing still. A rank *moves* while it computes, however long that takes: while it takes processor
/// time outside MPI, or its other threads do; and whenever an MPI call ends, unless that was a test or a probe in vain,
/// or its phase changes. It *stands still* in a call that does not end; while it tests and probes in vain, with less
/// than a tenth of its time in between; while it is outside MPI and takes no processor time (asleep, stopped, its
/// threads waiting for each other); and when it has ended. Hence
///
///   - a long computation is never ended by the deadline, nor are those that wait for it: they are named in reminders;
///   - nor is a rank that others keep from the cores: one that wants a core stands still only when it had one for 0.2 s
///     in all or 25 times, in which any message that was there would have been taken;
///   - the job ends with status `hung` when every rank has stood still for the deadline, or when some have that can
///     never go on whatever the others compute (a wait cycle, a rank that has ended);
///   - an endless loop that computes looks like a long computation, and so do threads that spin for each other and
///     ranks that poll by one-sided calls: those are for the time limit.
///
/// The usual deadline is 30 s: as no computation counts, one second would do on an idle machine, but a swapping one or
/// a file server may keep all ranks from working for some seconds. Time in which the watchdogs themselves did not run
/// (a suspended job or machine) does not count.
///
/// Several nodes. Ranks of a node see each other (watchdog/board.hpp). A node on which all ranks stand still asks the
/// others by PMIx, through the connections that mpirun or srun has anyway (watchdog/postings.hpp), and where all nodes
/// stand still the first one tells of all ranks (watchdog/agreement.hpp), one to two seconds after the deadline. While a
/// node moves it posts nothing and asks nothing. Where the launcher does not serve that, or some node moves, a node that
/// stands still says so once and goes on, unless some of its own ranks can never go on; then the time limit ends the
/// job, and each node tells of its ranks.
///
/// Not seen either: messages of MPI-IO, persistent requests and intercommunicators, which are "not told"; and which of
/// the requests of MPI_Waitall are done already, so that what those are for is waited for "perhaps".
///
/// Told once: by the lowest rank of the node that is alive, in one write; the others end soon after with that status,
/// and those of other nodes are ended by mpirun or srun, which are asked to.
///
/// Costs one thread, which looks ten times a second, or ten times within a deadline below one, and in each MPI call
/// four to six stores to a slot of this process; of immediate calls the request is noted, but for those that are done
/// at once, and a wait for a few requests that are all done tells nothing. Under OpenMPI 4.1.4 between two ranks of a
/// node, watched against not watched in pairs (medians of series of 201, in the order of their size): a round trip of 0
/// bytes by MPI_Send and MPI_Recv (370 ns and more) takes 0.97 to 1.03 times as long, 1.00 in the middle of twelve, an
/// MPI_Allreduce of one number (250 ns and more) 1.00 to 1.02, also 1.00 in the middle; an exchange of 0 bytes by
/// MPI_Irecv, MPI_Isend and MPI_Waitall (220 ns and more) 0.97, 0.98, 0.99 and 1.01, with an MPI_Wait for each request
/// 1.00, 1.01, 1.01 and 1.01, and one of a rank with itself (100 ns) 0.86: OpenMPI tests requests that are done quicker
/// than it waits for them. Communicators are noted when they are made, without a message.

#include <mpi.h>

#include <functional>
#include <string>

#include "drivers/watchdog/diagnosis.hpp"

namespace duet {

inline constexpr double usual_deadline_seconds = 30;

struct Watch {
  int rank = 0;  ///< for what is said
  int ranks = 1;
  double remind_seconds = 60;                        ///< a line after every so many seconds in one phase; 0: none
  double limit_seconds = 0;                          ///< status `timed_out` after so many in all; 0: none
  double deadline_seconds = usual_deadline_seconds;  ///< status `hung` after so many without progress; 0: none
};

/// Starts watching this process, for its whole life. Call once, on the thread that is to call MPI, before it makes a
/// communicator; before MPI starts, where a start that hangs is to be seen as well.
void watch(const Watch& watch);

/// From now on the ranks of each node see each other; before, nothing is ended by the deadline where there are several.
/// Collective over `all`, all ranks of the job, when MPI has started. Nothing where `watch` was not called.
void watch_each_other(MPI_Comm all);

/// How the watchdog ends a job.
struct Hang {
  int status = 0;         ///< `hung` or `timed_out`
  std::string message{};  ///< one line: "hung: no progress for 30 s; was in trial 0: executing; a wait cycle: ..."
  Diagnosis diagnosis{};
};

/// From now on this process is neither told of nor ended. For the way out of a program with a deadline that is shorter
/// than MPI_Finalize may take; call it on all ranks, behind a barrier.
void watch_no_longer();

/// Called, if at all, once, on one rank of each node that tells, by the watching thread, after it told and before it
/// ends the process. It may call no MPI, and nothing that the program may hold locked.
void before_ending(std::function<void(const Hang&)> record);

/// What this process does now, for the watchdog. The last one said is the one told.
class Phase {
 public:
  explicit Phase(std::string what) { now(std::move(what)); }
  ~Phase() { now("ending"); }
  Phase(const Phase&) = delete;
  Phase& operator=(const Phase&) = delete;

  /// `trial` where one begins.
  void now(std::string what, int trial = -1);
};

}  // namespace duet
