#pragma once

/// What message-passing kernels need beside MPI itself: checked calls, checked counts, and owners for the handles that
/// must be freed. MPI calls stay visible in the kernels; they are the subject.

#include <mpi.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <source_location>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace duet {

/// An MPI call that failed: where, and MPI's own text.
class MpiError : public std::runtime_error {
 public:
  MpiError(int code, const std::source_location& where);
  [[nodiscard]] int code() const { return code_; }

 private:
  int code_;
};

/// Throws MpiError unless `code` is MPI_SUCCESS. Of use only under MPI_ERRORS_RETURN, which `Communicator` sets.
inline void check(int code, const std::source_location& where = std::source_location::current()) {
  if (code != MPI_SUCCESS) throw MpiError(code, where);
}

/// The one conversion of a count to the int that MPI takes. Throws std::overflow_error where it does not fit: more than
/// 2^31 - 1 elements go in units of a larger datatype (`Datatype::run_of`) or in pieces (`pieces_of`).
[[nodiscard]] int mpi_count(std::int64_t count);

/// MPI's name for a floating-point type.
template <class Element>
[[nodiscard]] MPI_Datatype mpi_type() {
  static_assert(std::is_same_v<Element, double> || std::is_same_v<Element, float>);
  return std::is_same_v<Element, double> ? MPI_DOUBLE : MPI_FLOAT;
}

/// The largest number of elements that one call is given.
inline constexpr std::int64_t largest_mpi_count = 0x7fffffff;

/// Calls act(offset, count) for consecutive pieces of `total` elements, none larger than `limit`; never for none.
template <class Act>
void pieces_of(std::int64_t total, Act&& act, std::int64_t limit = largest_mpi_count) {
  for (std::int64_t offset = 0; offset < total; offset += limit) {
    act(offset, mpi_count(total - offset < limit ? total - offset : limit));
  }
}

/// Freeing communicators and windows is collective. A rank that throws must not wait there for ranks that do not know
/// of it, so the owners below leave their handles alone while an exception unwinds the stack: the job is about to end.
class Unwinding {
 public:
  [[nodiscard]] bool now() const { return std::uncaught_exceptions() > before_; }

 private:
  int before_ = std::uncaught_exceptions();
};

/// Owns a communicator, whose errors are returned to `check`.
class Communicator {
 public:
  Communicator() = default;
  /// Takes ownership.
  explicit Communicator(MPI_Comm owned);
  Communicator(Communicator&& other) noexcept : handle_{std::exchange(other.handle_, MPI_COMM_NULL)} {}
  Communicator& operator=(Communicator&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Communicator();

  /// Collective over `of`.
  [[nodiscard]] static Communicator duplicate(MPI_Comm of);
  /// Collective over `of`: the ranks of one colour, ordered by key.
  [[nodiscard]] static Communicator split(MPI_Comm of, int colour, int key);
  /// Collective over `of`: the ranks that share a node's memory.
  [[nodiscard]] static Communicator of_node(MPI_Comm of);

  [[nodiscard]] MPI_Comm get() const { return handle_; }

 private:
  MPI_Comm handle_ = MPI_COMM_NULL;
  Unwinding unwinding_;
};

/// The rank of the caller, and the number of ranks. 0 of 1 for MPI_COMM_NULL, which stands for "no message passing".
[[nodiscard]] int rank_in(MPI_Comm communicator);
[[nodiscard]] int size_of(MPI_Comm communicator);

/// Owns a committed datatype.
class Datatype {
 public:
  /// Takes ownership of a type not yet committed.
  explicit Datatype(MPI_Datatype owned);
  Datatype(Datatype&& other) noexcept : handle_{std::exchange(other.handle_, MPI_DATATYPE_NULL)} {}
  Datatype& operator=(Datatype&&) = delete;
  ~Datatype();

  /// `count` consecutive elements as one: the unit in which more than 2^31 - 1 elements are sent.
  [[nodiscard]] static Datatype run_of(std::int64_t count, MPI_Datatype element);

  [[nodiscard]] MPI_Datatype get() const { return handle_; }

 private:
  MPI_Datatype handle_ = MPI_DATATYPE_NULL;
};

/// Owns a window of `count` elements in this process's part, set to zero before any rank may reach it. Collective.
template <class Element>
class Window {
 public:
  Window(std::int64_t count, MPI_Comm communicator) {
    check(MPI_Win_allocate(static_cast<MPI_Aint>(count) * static_cast<MPI_Aint>(sizeof(Element)), sizeof(Element),
                           MPI_INFO_NULL, communicator, &memory_, &handle_));
    check(MPI_Win_set_errhandler(handle_, MPI_ERRORS_RETURN));
    check(MPI_Win_lock_all(0, handle_));
    for (std::int64_t i = 0; i < count; ++i) memory_[i] = Element{};
    check(MPI_Win_sync(handle_));
    check(MPI_Barrier(communicator));
  }
  Window(const Window&) = delete;
  Window& operator=(const Window&) = delete;
  /// Collective, like MPI_Win_free.
  ~Window() {
    if (unwinding_.now()) return;
    MPI_Win_unlock_all(handle_);
    MPI_Win_free(&handle_);
  }

  [[nodiscard]] MPI_Win get() const { return handle_; }
  [[nodiscard]] Element* memory() const { return memory_; }

 private:
  Element* memory_ = nullptr;
  MPI_Win handle_ = MPI_WIN_NULL;
  Unwinding unwinding_;
};

}  // namespace duet
