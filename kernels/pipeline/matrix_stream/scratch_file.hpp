#pragma once

/// A file without a name, in the folder for temporary files: nobody else can open it, and it is gone with the process,
/// whatever ends that.

#include <cstdint>
#include <string_view>

#include "kernels/pipeline/stream/bytes.hpp"

namespace duet {

class ScratchFile {
 public:
  /// Throws std::system_error, as all members do.
  ScratchFile();
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  ~ScratchFile();

  /// For any number of threads at once, where they do not overlap.
  void write(std::int64_t offset, std::string_view text) const;
  /// `to` becomes those bytes. Throws std::runtime_error where the file ends before.
  void read(std::int64_t offset, std::int64_t bytes, Bytes& to) const;

  /// Has the disk begin to read these bytes. A hint: nothing tells whether it does.
  void expect(std::int64_t offset, std::int64_t bytes) const noexcept;
  /// Hands these bytes to the disk, and waits until it has them.
  void begin_sync(std::int64_t offset, std::int64_t bytes) const;
  void sync(std::int64_t offset, std::int64_t bytes) const;
  /// From now on whatever is read comes from the disk, and nothing beyond it is read ahead, as if each part were a
  /// file of its own. Throws std::runtime_error where the folder's file system keeps files in memory.
  void leave_memory() const;

  /// From now on the disk writes what begins at a whole page straight to where it is read to (O_DIRECT), and the page
  /// cache is not asked: nothing is copied, and how its pages happen to lie does not matter. On a virtual machine whose
  /// disk takes pages that do not follow each other one by one, files of 2 MB came at 2.0 to 2.7 GB/s to large pages
  /// and at 1.0 to small ones; through the cache at 1.0 or 2.2. False, and nothing changes, where the system cannot do
  /// that.
  bool read_past_cache();
  [[nodiscard]] bool reads_past_cache() const { return past_cache_ >= 0; }

 private:
  int descriptor_;
  int past_cache_ = -1;
};

}  // namespace duet
