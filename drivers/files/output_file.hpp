#pragma once

/// A file that is whole or not there. It is written beside its target under a name nobody can guess, in the same
/// folder, handed to the disk, and only then renamed; whatever goes wrong before, and SIGINT, SIGTERM or SIGHUP,
/// removes it, and what stood under the target's name is left as it was.
///
/// Standard output ("-"), pipes and devices such as /dev/null cannot be replaced: they are written straight, in order.

#include <mpi.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "drivers/files/byte_source.hpp"
#include "drivers/files/mpi_file.hpp"
#include "drivers/files/rectangles.hpp"

namespace duet {

/// Removes what unfinished OutputFiles of this process have written. Async-signal-safe: for handlers of signals; the
/// OutputFile installs its own where nobody else has.
void remove_unfinished_outputs() noexcept;

class OutputFile {
 public:
  /// Collective over `communicator`, whose ranks write together. Throws FileError, the same on all ranks, as do all
  /// members: no such folder, no permission, a folder of that name.
  explicit OutputFile(std::string path, MPI_Comm communicator = MPI_COMM_NULL);
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  /// Removes what was written, unless `commit` was reached.
  ~OutputFile();

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] MPI_Comm communicator() const { return communicator_; }
  /// True where it can only be written in order.
  [[nodiscard]] bool is_stream() const { return target_.empty(); }

  /// Collective: sees to it that `bytes` bytes in all find room, before they are computed and written. Throws where the
  /// disk is too full, with the figure.
  void reserve(std::int64_t bytes);

  /// Collective: the texts of all ranks, in the order of ranks, behind what was appended before.
  void append(std::string_view mine);

  /// Collective: the same, where each rank's text is cut into pieces that belong between those of others. Offsets are
  /// ascending and count from the end of what was appended before; the pieces of all ranks together leave no gap.
  void append_scattered(std::span<const Piece> pieces, std::string_view mine);

  /// Collective, not for streams: `piece` of lines of `line_length` elements of `size` bytes, which begin at byte
  /// `offset`. Below 2^31 bytes at once.
  void write_rectangle(const Rectangle& piece, std::int64_t line_length, std::int64_t size, std::int64_t offset,
                       const char* from);

  /// Has the disk begin with what was written. Only what it gains in time tells whether it does. Not for ranks
  /// together.
  void begin_sync() const;
  /// Collective: what was written is the file now, also after a power failure.
  void commit();
  /// The same, but that a power failure may take the file's name away until `sync_folder` was called for its folder:
  /// for many files of one folder. Not for ranks together.
  void commit_content();

 private:
  void open_target();
  void create_beside(const std::string& folder, const std::string& name);
  void write_fully(std::string_view text);
  void append_to_stream(std::span<const Piece> pieces, std::string_view mine);
  void append_to_file(std::span<const Piece> pieces, std::string_view mine);
  template <class Act>
  void on_shared_file(Act&& act);
  void make_room(std::int64_t bytes);
  /// The folder that has to be synced; empty for a stream.
  [[nodiscard]] std::string replace_target();
  [[nodiscard]] bool is_root() const { return rank_ == 0; }

  std::string path_;
  MPI_Comm communicator_;
  int rank_;
  int ranks_;
  std::string target_;               ///< what is replaced: the path with symbolic links followed; empty for a stream
  std::string temporary_;            ///< the same on all ranks
  Descriptor file_;                  ///< of rank 0
  std::unique_ptr<MpiFile> shared_;  ///< with several ranks, not for streams, from the first access on
  int exceptions_;                   ///< under way when this was made
  int registered_ = -1;
  std::int64_t written_ = 0;
  std::int64_t room_ = 0;
};

/// The names of a folder are on the disk, as far as its file system can do that.
void sync_folder(const std::string& path) noexcept;

}  // namespace duet
