#include "drivers/files/output_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <random>
#include <utility>
#include <vector>

#include "drivers/files/file_error.hpp"
#include "kernels/core/mpi.hpp"

namespace duet {
namespace {

/// The temporary files of this process, for the handler of signals: C strings, which whoever takes one out owns. The
/// handler never frees.
std::array<std::atomic<char*>, 1024> unfinished{};

int remember_unfinished(const std::string& path) {
  char* const copy = ::strdup(path.c_str());
  for (std::size_t slot = 0; copy != nullptr && slot < unfinished.size(); ++slot) {
    char* none = nullptr;
    if (unfinished.at(slot).compare_exchange_strong(none, copy)) return static_cast<int>(slot);
  }
  std::free(copy);
  return -1;
}

void forget_unfinished(int slot) {
  if (slot >= 0) std::free(unfinished.at(static_cast<std::size_t>(slot)).exchange(nullptr));
}

std::atomic_flag dying;

void remove_and_die(int signal) {
  // Signals come in pairs: `timeout` sends one to the process and one to its group, a terminal and mpirun one each. The
  // second may not end the program while the first still removes.
  if (dying.test_and_set()) return;
  remove_unfinished_outputs();
  // Takes effect when this handler returns: the caller's shell learns how the program ended.
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

void handle_signals() {
  static const bool once = [] {
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
      struct sigaction current {};
      // Whoever ignores a signal (nohup) or handles it himself keeps his way.
      if (::sigaction(signal, nullptr, &current) != 0 || current.sa_handler != SIG_DFL) continue;
      struct sigaction action {};
      action.sa_handler = remove_and_die;
      action.sa_flags = SA_RESTART;
      ::sigaction(signal, &action, nullptr);
    }
    // A limit of file sizes shall be an error of write, and not the end.
    return ::signal(SIGXFSZ, SIG_IGN) != SIG_ERR;
  }();
  static_cast<void>(once);
}

std::int64_t bytes_free(int file) {
  struct statvfs status {};
  if (::fstatvfs(file, &status) != 0) return -1;
  return static_cast<std::int64_t>(status.f_bavail) * static_cast<std::int64_t>(status.f_frsize);
}

/// The first exception of several acts.
class FirstError {
 public:
  template <class Act>
  void keep(Act&& act) {
    try {
      act();
    } catch (...) {
      if (!error_) error_ = std::current_exception();
    }
  }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::exception_ptr error_;
};

struct PieceOfRank {
  Piece piece;
  int rank = 0;
};

void send_pieces(std::span<const Piece> pieces, MPI_Comm communicator) {
  static_assert(sizeof(Piece) == 2 * sizeof(std::int64_t));
  check(MPI_Send(pieces.data(), mpi_count(2 * static_cast<std::int64_t>(pieces.size())), MPI_INT64_T, 0, 0,
                 communicator));
}

std::vector<Piece> receive_pieces(int rank, MPI_Comm communicator) {
  MPI_Status status{};
  check(MPI_Probe(rank, 0, communicator, &status));
  int words = 0;
  check(MPI_Get_count(&status, MPI_INT64_T, &words));
  std::vector<Piece> pieces(static_cast<std::size_t>(words) / 2);
  check(MPI_Recv(pieces.data(), words, MPI_INT64_T, rank, 0, communicator, MPI_STATUS_IGNORE));
  return pieces;
}

/// `pieces`, moved by `base`, in groups of at most 64 MiB, for which larger ones are cut: what one collective call
/// writes, and what MPI may have to copy.
std::vector<std::vector<Piece>> rounds_of(std::span<const Piece> pieces, std::int64_t base) {
  constexpr std::int64_t most = std::int64_t{64} << 20;
  std::vector<std::vector<Piece>> rounds;
  std::int64_t room = 0;
  for (const Piece& piece : pieces) {
    for (std::int64_t done = 0; done < piece.bytes;) {
      if (room == 0) {
        rounds.emplace_back();
        room = most;
      }
      const std::int64_t now = std::min(piece.bytes - done, room);
      rounds.back().push_back({base + piece.offset + done, now});
      done += now;
      room -= now;
    }
  }
  return rounds;
}

void share_text(std::string& text, MPI_Comm communicator) {
  int length = mpi_count(static_cast<std::int64_t>(text.size()));
  check(MPI_Bcast(&length, 1, MPI_INT, 0, communicator));
  text.resize(static_cast<std::size_t>(length));
  check(MPI_Bcast(text.data(), length, MPI_CHAR, 0, communicator));
}

}  // namespace

void remove_unfinished_outputs() noexcept {
  for (auto& slot : unfinished) {
    if (const char* const path = slot.exchange(nullptr); path != nullptr) ::unlink(path);
  }
}

OutputFile::OutputFile(std::string path, MPI_Comm communicator)
    : path_{std::move(path)},
      communicator_{communicator},
      rank_{rank_in(communicator)},
      ranks_{size_of(communicator)},
      exceptions_{std::uncaught_exceptions()} {
  handle_signals();
  together(communicator_, [&] {
    if (is_root()) open_target();
  });
  if (ranks_ == 1) return;
  share_text(target_, communicator_);
  share_text(temporary_, communicator_);
  together(communicator_, [&] {
    if (!is_stream() && ::access(temporary_.c_str(), F_OK) != 0) {
      fail(path_, fmt::format("cannot be written by rank {}: its folder is not shared with the node of rank 0", rank_));
    }
  });
}

OutputFile::~OutputFile() {
  // Closing is collective, and an exception that comes from elsewhere may not have come to all ranks: then the handle
  // is left open, and the job ends.
  if (std::uncaught_exceptions() > exceptions_) static_cast<void>(shared_.release());
  shared_.reset();
  if (is_root() && !temporary_.empty()) ::unlink(temporary_.c_str());
  forget_unfinished(registered_);
}

void OutputFile::open_target() {
  if (path_ == "-") {
    file_ = Descriptor{::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)};
    if (file_.get() < 0) fail_in_system("standard output", "cannot write", errno);
    return;
  }
  struct stat status {};
  const bool exists = ::stat(path_.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode)) fail(path_, "is a folder, where a file is to be written");
  if (exists && ::access(path_.c_str(), W_OK) != 0) fail_in_system(path_, "cannot replace", errno);
  if (exists && !S_ISREG(status.st_mode)) {
    file_ = Descriptor{::open(path_.c_str(), O_WRONLY | O_CLOEXEC)};
    if (file_.get() < 0) fail_in_system(path_, "cannot open for writing", errno);
    return;
  }
  // A symbolic link stays, and what it points to is replaced.
  std::error_code ignored;
  const std::filesystem::path target =
      exists ? std::filesystem::canonical(path_, ignored) : std::filesystem::path{path_};
  const std::filesystem::path folder = target.has_parent_path() ? target.parent_path() : ".";
  create_beside(folder.string(), target.filename().string());
  target_ = target.string();
  if (exists && ::fchmod(file_.get(), status.st_mode & 07777U) != 0)
    fail_in_system(path_, "cannot set its mode", errno);
}

void OutputFile::create_beside(const std::string& folder, const std::string& name) {
  if (name.empty()) fail(path_, "names no file to write");
  std::random_device entropy;
  constexpr int attempts = 100;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    // A name has 255 bytes at the most: of a long one the front is enough.
    temporary_ = fmt::format("{}/.{}.{:08x}{:08x}.part", folder, name.substr(0, 200), entropy(), entropy());
    registered_ = remember_unfinished(temporary_);
    file_ = Descriptor{::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666)};
    if (file_.get() >= 0) return;
    const int error = errno;
    forget_unfinished(std::exchange(registered_, -1));
    temporary_.clear();
    if (error != EEXIST) fail_in_system(path_, fmt::format("cannot create a file in {}", folder), error);
  }
  fail(path_, fmt::format("cannot find a free name in {}", folder));
}

void OutputFile::make_room(std::int64_t bytes) {
  if (is_stream() || bytes <= room_) return;
  const std::int64_t free = bytes_free(file_.get());
  int code = 0;
  do {
    code = ::fallocate(file_.get(), FALLOC_FL_KEEP_SIZE, 0, bytes) == 0 ? 0 : errno;
  } while (code == EINTR);
  // Where the file system cannot reserve, what it says of its free space must do.
  if (code == ENOSYS || code == EOPNOTSUPP || code == EINVAL) code = free >= 0 && free < bytes - room_ ? ENOSPC : 0;
  if (code == ENOSPC || code == EDQUOT || code == EFBIG) {
    fail(path_, fmt::format("cannot write: {}: {} bytes are needed, and {} are free there", std::strerror(code), bytes,
                            free + room_));
  }
  if (code != 0) fail_in_system(path_, "cannot write", code);
  room_ = bytes;
}

void OutputFile::reserve(std::int64_t bytes) {
  together(communicator_, [&] {
    if (is_root()) make_room(bytes);
  });
}

void OutputFile::write_fully(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(file_.get(), text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const int error = errno;
      fail_in_system(path_ == "-" ? "standard output" : path_,
                     fmt::format("cannot write at byte {}, with {} more to write now", written_, text.size()), error);
    }
    text.remove_prefix(static_cast<std::size_t>(count));
    written_ += count;
  }
}

void OutputFile::append(std::string_view mine) {
  const auto bytes = static_cast<std::int64_t>(mine.size());
  std::int64_t before = 0;
  if (ranks_ > 1) check(MPI_Exscan(&bytes, &before, 1, MPI_INT64_T, MPI_SUM, communicator_));
  const Piece piece{is_root() ? 0 : before, bytes};
  append_scattered({&piece, 1}, mine);
}

void OutputFile::append_scattered(std::span<const Piece> pieces, std::string_view mine) {
  if (ranks_ == 1) {
    write_fully(mine);
  } else if (is_stream()) {
    append_to_stream(pieces, mine);
  } else {
    append_to_file(pieces, mine);
  }
}

void OutputFile::append_to_stream(std::span<const Piece> pieces, std::string_view mine) {
  // Rank 0 merges the texts of the ranks, of which it holds one message each at a time.
  constexpr int tag = 0;
  constexpr std::int64_t message_bytes = std::int64_t{4} << 20;
  if (!is_root()) {
    send_pieces(pieces, communicator_);
    pieces_of(
        static_cast<std::int64_t>(mine.size()),
        [&](std::int64_t offset, int count) {
          check(MPI_Send(mine.data() + offset, count, MPI_CHAR, 0, tag, communicator_));
        },
        message_bytes);
    return rethrow_together(communicator_, nullptr);
  }
  std::vector<PieceOfRank> all;
  for (const Piece& piece : pieces) all.push_back({piece, 0});
  std::vector<std::int64_t> to_come(static_cast<std::size_t>(ranks_));
  for (int rank = 1; rank < ranks_; ++rank) {
    for (const Piece& piece : receive_pieces(rank, communicator_)) {
      all.push_back({piece, rank});
      to_come[static_cast<std::size_t>(rank)] += piece.bytes;
    }
  }
  std::ranges::sort(all, {}, [](const PieceOfRank& of) { return of.piece.offset; });

  std::vector<std::string> received(static_cast<std::size_t>(ranks_));
  std::vector<std::string_view> rest(static_cast<std::size_t>(ranks_));
  rest.front() = mine;
  std::string gathered;  // small pieces, so that each is not a system call
  std::exception_ptr error;
  const auto write_gathered = [&] {
    try {
      if (!error) write_fully(gathered);
    } catch (...) {
      error = std::current_exception();  // and the other ranks still get rid of what they send
    }
    gathered.clear();
  };
  for (const auto& [piece, rank] : all) {
    const auto from = static_cast<std::size_t>(rank);
    for (std::int64_t left = piece.bytes; left > 0;) {
      if (rest[from].empty()) {
        const std::int64_t count = std::min(to_come[from], message_bytes);
        received[from].resize(static_cast<std::size_t>(count));
        check(MPI_Recv(received[from].data(), mpi_count(count), MPI_CHAR, rank, tag, communicator_, MPI_STATUS_IGNORE));
        to_come[from] -= count;
        rest[from] = received[from];
      }
      const std::string_view now = rest[from].substr(0, static_cast<std::size_t>(left));
      gathered += now;
      rest[from].remove_prefix(now.size());
      left -= static_cast<std::int64_t>(now.size());
      if (static_cast<std::int64_t>(gathered.size()) >= message_bytes) write_gathered();
    }
  }
  write_gathered();
  rethrow_together(communicator_, error);
}

/// Opens the file for all ranks where that is still to be done, and runs `act`, in which every rank makes the same
/// collective calls, whatever they give. An error of any rank closes the file, together, and is thrown by all.
template <class Act>
void OutputFile::on_shared_file(Act&& act) {
  if (!shared_) shared_ = std::make_unique<MpiFile>(temporary_, MPI_MODE_WRONLY, communicator_);
  try {
    together(communicator_, act);
  } catch (const FileError&) {
    shared_.reset();
    throw;
  }
}

void OutputFile::append_to_file(std::span<const Piece> pieces, std::string_view mine) {
  const std::vector<std::vector<Piece>> rounds = rounds_of(pieces, written_);
  const auto bytes = static_cast<std::int64_t>(mine.size());
  const auto mine_rounds = static_cast<std::int64_t>(rounds.size());
  std::int64_t all_bytes = 0;
  std::int64_t all_rounds = 0;
  check(MPI_Allreduce(&bytes, &all_bytes, 1, MPI_INT64_T, MPI_SUM, communicator_));
  check(MPI_Allreduce(&mine_rounds, &all_rounds, 1, MPI_INT64_T, MPI_MAX, communicator_));
  reserve(written_ + all_bytes);
  on_shared_file([&] {
    FirstError first;
    for (std::size_t round = 0; round < static_cast<std::size_t>(all_rounds); ++round) {
      const std::vector<Piece> now = round < rounds.size() ? rounds[round] : std::vector<Piece>{};
      std::int64_t count = 0;
      for (const Piece& piece : now) count += piece.bytes;
      first.keep([&] { shared_->write_pieces_at_all(now, mine.substr(0, static_cast<std::size_t>(count))); });
      mine.remove_prefix(static_cast<std::size_t>(count));
    }
    first.rethrow();
  });
  written_ += all_bytes;
}

void OutputFile::write_rectangle(const Rectangle& piece, std::int64_t line_length, std::int64_t size,
                                 std::int64_t offset, const char* from) {
  on_shared_file([&] { shared_->write_rectangle_at_all(piece, line_length, size, offset, from); });
}

std::string OutputFile::replace_target() {
  if (::fsync(file_.get()) != 0 && errno != EINVAL && errno != ENOTSUP) {
    fail_in_system(path_, "cannot hand everything to the disk", errno);
  }
  if (const int error = file_.close(); error != 0) fail_in_system(path_, "cannot close after writing", error);
  if (is_stream()) return {};
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail_in_system(path_, "cannot rename into place", errno);
  forget_unfinished(std::exchange(registered_, -1));
  temporary_.clear();
  const std::string folder = std::filesystem::path{target_}.parent_path().string();
  return folder.empty() ? "." : folder;
}

void OutputFile::begin_sync() const {
  if (!is_stream()) static_cast<void>(::sync_file_range(file_.get(), 0, 0, SYNC_FILE_RANGE_WRITE));
}

void OutputFile::commit() {
  if (shared_) shared_->finish();
  shared_.reset();
  together(communicator_, [&] {
    if (!is_root()) return;
    // The name, too, must be on the disk.
    if (const std::string folder = replace_target(); !folder.empty()) sync_folder(folder);
  });
}

void OutputFile::commit_content() { static_cast<void>(replace_target()); }

void sync_folder(const std::string& path) noexcept {
  const Descriptor opened{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (opened.get() >= 0) static_cast<void>(::fsync(opened.get()));
}

}  // namespace duet
