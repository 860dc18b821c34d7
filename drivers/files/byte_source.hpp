#pragma once

/// The bytes of a file from its beginning, decompressed where it is gzip (by content, not by name; members that follow
/// each other are one text, as gzip has it). Memory: one window of 256 KiB.

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace duet {

/// Told from time to time how much is done: bytes of the file or elements, of how many.
using Progress = std::function<void(std::int64_t done, std::int64_t total)>;

/// Owns a file descriptor.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int owned) : number_{owned} {}
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();
  [[nodiscard]] int get() const { return number_; }
  /// Closes now, and returns 0 or the error number: some systems tell of a failed write only here.
  [[nodiscard]] int close();

 private:
  int number_ = -1;
};

/// What may be read: only files, which may be opened again and have a size, or pipes and devices too.
enum class Readable { files, anything };

/// Opens `path` for reading. Throws FileError: missing, no permission, a folder, and for Readable::files what is no
/// regular file.
[[nodiscard]] Descriptor open_to_read(const std::string& path, Readable readable = Readable::files);

class ByteSource {
 public:
  /// Throws FileError as `open_to_read`. With Readable::anything, "-" is standard input.
  explicit ByteSource(std::string path, Readable readable = Readable::files);
  /// What is in memory already, and stays there; `name` is for messages. Bytes are counted as those of a file.
  ByteSource(std::string name, std::string_view bytes);
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  ~ByteSource();

  /// Reads `bytes` bytes, fewer only at the end. Throws FileError for a failed read, and for gzip that is damaged,
  /// truncated, or followed by something else.
  std::size_t read(char* into, std::size_t bytes);
  /// The same, but waits for the first byte only and gives what is there: 0 at the end.
  std::size_t read_some(char* into, std::size_t bytes);
  /// Whether there is something to read, or the end, within so many milliseconds. A file always has.
  [[nodiscard]] bool wait(int milliseconds) const;

  /// For messages: standard input has a name here.
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] bool compressed() const { return compressed_; }
  /// Bytes given out so far.
  [[nodiscard]] std::int64_t offset() const { return offset_; }
  /// Bytes of the file as it lies on the disk (0 for a pipe), and how many of them are taken in.
  [[nodiscard]] std::int64_t file_bytes() const { return file_bytes_; }
  [[nodiscard]] std::int64_t file_bytes_taken() const { return taken_; }
  /// An upper bound of what `read` gives in all: deflate shrinks at most 1032 to 1 (zlib's "Technical Details"). A
  /// header that announces more is wrong, whatever follows.
  [[nodiscard]] std::int64_t most_bytes() const;

 private:
  void look_at_beginning();
  /// `least` bytes or more, fewer only at the end.
  std::size_t read_file(char* into, std::size_t bytes, std::size_t least);
  std::size_t take_seen(char* into, std::size_t bytes);
  std::size_t inflate_into(char* into, std::size_t bytes, std::size_t least);
  void refill(std::size_t least);

  std::string path_;
  Descriptor file_;
  std::optional<std::string_view> memory_;  ///< what is left of it
  bool compressed_ = false;
  std::int64_t file_bytes_ = 0;
  std::int64_t taken_ = 0;
  std::int64_t offset_ = 0;
  std::string seen_;  ///< read to recognise gzip, and not given out yet
  z_stream stream_{};
  bool member_open_ = false;
  std::vector<char> window_;
};

}  // namespace duet
