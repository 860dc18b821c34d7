#pragma once

/// What a rank is about to do, said before each call that may wait, so that whoever watches can name it. The hazards
/// say it themselves, around the few calls that matter; who has a tool that sees every call does without.

#include <cstdint>
#include <string_view>

namespace duet::hazards {

enum class CallKind { send, receive, send_receive, wait, broadcast, reduce, agreement };

/// "MPI_Send", "MPI_Bcast" ...; an agreement is an MPI_Allreduce.
[[nodiscard]] std::string_view name_of(CallKind kind);

/// One call as its rank sees it.
struct Call {
  CallKind kind = CallKind::send;
  int to = -1;    ///< the rank that has to receive; -1: none
  int from = -1;  ///< the rank that has to send; of a collective its root; -1: none
  int tag = -1;
  std::int64_t bytes = 0;

  friend bool operator==(const Call&, const Call&) = default;
};

[[nodiscard]] constexpr bool is_collective(CallKind kind) {
  return kind == CallKind::broadcast || kind == CallKind::reduce || kind == CallKind::agreement;
}

/// Hears of calls. Each rank has its own, used by the thread that calls MPI.
class CallLog {
 public:
  CallLog() = default;
  CallLog(const CallLog&) = delete;
  CallLog& operator=(const CallLog&) = delete;
  virtual ~CallLog() = default;

  virtual void begins(const Call& call) = 0;
  virtual void ended() = 0;
};

/// A call, from construction to destruction, told to a log that may be missing.
class Told {
 public:
  Told(CallLog* log, const Call& call) : log_{log} {
    if (log_ != nullptr) log_->begins(call);
  }
  ~Told() {
    if (log_ != nullptr) log_->ended();
  }
  Told(const Told&) = delete;
  Told& operator=(const Told&) = delete;

 private:
  CallLog* log_;
};

}  // namespace duet::hazards
