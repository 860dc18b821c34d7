#include "drivers/files/byte_source.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <stdexcept>
#include <utility>

#include "drivers/files/file_error.hpp"

namespace duet {
namespace {

constexpr std::size_t window_bytes = std::size_t{256} << 10U;
constexpr char first_magic = '\x1f';
constexpr char second_magic = '\x8b';

}  // namespace

Descriptor::Descriptor(Descriptor&& other) noexcept : number_{std::exchange(other.number_, -1)} {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

int Descriptor::close() { return number_ >= 0 && ::close(std::exchange(number_, -1)) != 0 ? errno : 0; }

Descriptor open_to_read(const std::string& path, Readable readable) {
  const bool only_files = readable == Readable::files;
  // Opening a pipe that nobody writes to would wait for ever but for O_NONBLOCK, which a regular file ignores.
  Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | (only_files ? O_NONBLOCK : 0))};
  if (file.get() < 0) fail_in_system(path, "cannot open", errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) fail_in_system(path, "cannot look at it", errno);
  if (S_ISDIR(status.st_mode)) fail(path, "is a folder, where a file is expected");
  if (only_files && !S_ISREG(status.st_mode)) {
    fail(path, "is no regular file (a pipe or a device?); save it to a file first");
  }
  return file;
}

ByteSource::ByteSource(std::string path, Readable readable) : path_{std::move(path)} {
  if (readable == Readable::anything && path_ == "-") {
    path_ = "standard input";
    file_ = Descriptor{::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)};
    if (file_.get() < 0) fail_in_system(path_, "cannot read", errno);
  } else {
    file_ = open_to_read(path_, readable);
  }
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) fail_in_system(path_, "cannot look at it", errno);
  if (S_ISREG(status.st_mode)) file_bytes_ = status.st_size;
  ::posix_fadvise(file_.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  look_at_beginning();
}

ByteSource::ByteSource(std::string name, std::string_view bytes)
    : path_{std::move(name)}, memory_{bytes}, file_bytes_{static_cast<std::int64_t>(bytes.size())} {
  look_at_beginning();
}

void ByteSource::look_at_beginning() {
  std::array<char, 2> magic{};
  const std::size_t count = read_file(magic.data(), magic.size(), magic.size());
  seen_.assign(magic.data(), count);
  compressed_ = count == 2 && magic[0] == first_magic && magic[1] == second_magic;
  if (compressed_) {
    window_.resize(window_bytes);
    // 16 asks for the gzip wrapper, with its check sum.
    if (inflateInit2(&stream_, MAX_WBITS + 16) != Z_OK) throw std::bad_alloc{};
    member_open_ = true;
  }
}

ByteSource::~ByteSource() {
  if (compressed_) inflateEnd(&stream_);
}

std::int64_t ByteSource::most_bytes() const {
  constexpr std::int64_t most_ratio = 1032;
  if (!compressed_) return file_bytes_;
  return file_bytes_ > std::numeric_limits<std::int64_t>::max() / most_ratio ? std::numeric_limits<std::int64_t>::max()
                                                                             : file_bytes_ * most_ratio;
}

std::size_t ByteSource::read(char* into, std::size_t bytes) {
  std::size_t count = 0;
  if (compressed_) {
    count = inflate_into(into, bytes, bytes);
  } else {
    count = take_seen(into, bytes);
    count += read_file(into + count, bytes - count, bytes - count);
  }
  offset_ += static_cast<std::int64_t>(count);
  return count;
}

std::size_t ByteSource::read_some(char* into, std::size_t bytes) {
  std::size_t count = 0;
  if (compressed_) {
    count = inflate_into(into, bytes, 1);
  } else {
    count = take_seen(into, bytes);
    if (count == 0) count = read_file(into, bytes, 1);
  }
  offset_ += static_cast<std::int64_t>(count);
  return count;
}

bool ByteSource::wait(int milliseconds) const {
  if (memory_ || !seen_.empty() || (compressed_ && stream_.avail_in != 0)) return true;
  pollfd asked{.fd = file_.get(), .events = POLLIN, .revents = 0};
  // An error of poll shows again when reading.
  return ::poll(&asked, 1, milliseconds) != 0;
}

std::size_t ByteSource::read_file(char* into, std::size_t bytes, std::size_t least) {
  if (memory_) {
    const std::size_t now = memory_->copy(into, bytes);
    memory_->remove_prefix(now);
    taken_ += static_cast<std::int64_t>(now);
    return now;
  }
  std::size_t count = 0;
  while (count < least) {
    const ssize_t now = ::read(file_.get(), into + count, bytes - count);
    if (now < 0 && errno == EINTR) continue;
    if (now < 0) fail_in_system(path_, fmt::format("cannot read at byte {}", taken_), errno);
    if (now == 0) break;
    count += static_cast<std::size_t>(now);
    taken_ += now;
  }
  return count;
}

std::size_t ByteSource::take_seen(char* into, std::size_t bytes) {
  const std::size_t count = std::min(bytes, seen_.size());
  std::copy_n(seen_.data(), count, into);
  seen_.erase(0, count);
  return count;
}

void ByteSource::refill(std::size_t least) {
  const std::size_t seen = take_seen(window_.data(), window_.size());
  stream_.next_in = reinterpret_cast<const Bytef*>(window_.data());
  stream_.avail_in = static_cast<uInt>(seen + read_file(window_.data() + seen, window_.size() - seen,
                                                        seen >= least ? 0 : std::min(least, window_.size()) - seen));
}

std::size_t ByteSource::inflate_into(char* into, std::size_t bytes, std::size_t least) {
  std::size_t given = 0;
  while (given < least) {
    if (stream_.avail_in == 0) refill(least == bytes ? window_.size() : 1);
    const std::int64_t at = taken_ - stream_.avail_in;
    if (stream_.avail_in == 0) {
      if (member_open_) {
        fail(path_, fmt::format("the gzip data are truncated: they break off after {} bytes, inside a member", at));
      }
      break;
    }
    if (!member_open_) {
      if (*stream_.next_in == 0) {  // Tapes and block devices pad with zeros; gzip accepts it.
        ++stream_.next_in;
        --stream_.avail_in;
        continue;
      }
      if (*stream_.next_in != static_cast<Bytef>(first_magic))
        fail_at_byte(path_, at, "something that is not gzip follows the gzip data");
      if (inflateReset(&stream_) != Z_OK) throw std::logic_error{"inflateReset"};
      member_open_ = true;
    }
    const std::size_t room = std::min<std::size_t>(bytes - given, std::size_t{1} << 30U);
    stream_.next_out = reinterpret_cast<Bytef*>(into + given);
    stream_.avail_out = static_cast<uInt>(room);
    const int code = inflate(&stream_, Z_NO_FLUSH);
    given += room - stream_.avail_out;
    if (code == Z_STREAM_END) {
      member_open_ = false;
    } else if (code == Z_MEM_ERROR) {
      throw std::bad_alloc{};
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
      fail_at_byte(
          path_, taken_ - stream_.avail_in,
          fmt::format("the gzip data are damaged ({})", stream_.msg != nullptr ? stream_.msg : "no reason given"));
    }
  }
  return given;
}

}  // namespace duet
