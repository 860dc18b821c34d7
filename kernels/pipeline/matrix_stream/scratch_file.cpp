#include "kernels/pipeline/matrix_stream/scratch_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>

namespace duet {
namespace {

constexpr std::int64_t page = 4096;

[[noreturn]] void fail_with(const std::string& what) { throw std::system_error(errno, std::generic_category(), what); }

}  // namespace

ScratchFile::ScratchFile() {
  const std::string folder = std::filesystem::temp_directory_path().string();
  constexpr int owner_only = 0600;
  descriptor_ = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, owner_only);
  if (descriptor_ >= 0) return;
  // Some file systems have no files without names.
  std::string name = folder + "/duet-XXXXXX";
  descriptor_ = ::mkostemp(name.data(), O_CLOEXEC);
  if (descriptor_ < 0) fail_with(folder + ": no temporary file can be made");
  ::unlink(name.c_str());
}

ScratchFile::~ScratchFile() {
  ::close(descriptor_);
  if (past_cache_ >= 0) ::close(past_cache_);
}

void ScratchFile::write(std::int64_t offset, std::string_view text) const {
  while (!text.empty()) {
    const ssize_t now = ::pwrite(descriptor_, text.data(), text.size(), offset);
    if (now < 0 && errno == EINTR) continue;
    if (now < 0) fail_with("a temporary file cannot be written");
    text.remove_prefix(static_cast<std::size_t>(now));
    offset += now;
  }
}

void ScratchFile::read(std::int64_t offset, std::int64_t bytes, Bytes& to) const {
  to.clear();
  // Past the cache whole pages are read. One that was interrupted may have ended within a page: the cache has the rest.
  const bool past_cache = reads_past_cache() && offset % page == 0;
  const std::int64_t whole = past_cache ? (bytes + page - 1) / page * page : bytes;
  to.resize(static_cast<std::size_t>(whole));
  for (std::int64_t done = 0; done < bytes;) {
    const int from = past_cache && done % page == 0 ? past_cache_ : descriptor_;
    const ssize_t now = ::pread(from, to.data() + done, static_cast<std::size_t>(whole - done), offset + done);
    if (now < 0 && errno == EINTR) continue;
    if (now < 0) fail_with("a temporary file cannot be read");
    if (now == 0) throw std::runtime_error("a temporary file ends too early");
    done += now;
  }
  to.resize(static_cast<std::size_t>(bytes));
}

bool ScratchFile::read_past_cache() {
  if (reads_past_cache()) return true;
  const std::string itself = "/proc/self/fd/" + std::to_string(descriptor_);
  past_cache_ = ::open(itself.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC);
  if (past_cache_ < 0) return false;
  // Some systems open such files and refuse to read them, or ask for more than whole pages.
  Bytes first;
  first.resize(page);
  if (::pread(past_cache_, first.data(), page, 0) >= 0) return true;
  ::close(past_cache_);
  past_cache_ = -1;
  return false;
}

void ScratchFile::expect(std::int64_t offset, std::int64_t bytes) const noexcept {
  static_cast<void>(::posix_fadvise(descriptor_, offset, bytes, POSIX_FADV_WILLNEED));
}

void ScratchFile::begin_sync(std::int64_t offset, std::int64_t bytes) const {
  if (::sync_file_range(descriptor_, offset, bytes, SYNC_FILE_RANGE_WRITE) != 0) {
    fail_with("a temporary file cannot be written");
  }
}

void ScratchFile::sync(std::int64_t offset, std::int64_t bytes) const {
  constexpr unsigned all = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
  if (::sync_file_range(descriptor_, offset, bytes, all) != 0) fail_with("a temporary file cannot be written");
}

void ScratchFile::leave_memory() const {
  if (::fdatasync(descriptor_) != 0) fail_with("a temporary file cannot be written");
  for (const int advice : {POSIX_FADV_DONTNEED, POSIX_FADV_RANDOM}) {
    const int error = ::posix_fadvise(descriptor_, 0, 0, advice);
    if (error != 0) throw std::system_error(error, std::generic_category(), "a temporary file cannot leave memory");
  }
  struct stat about {};
  if (::fstat(descriptor_, &about) != 0) fail_with("a temporary file has no length");
  if (about.st_size == 0) return;
  void* const first = ::mmap(nullptr, 1, PROT_READ, MAP_SHARED, descriptor_, 0);
  if (first == MAP_FAILED) fail_with("a temporary file cannot be looked at");
  unsigned char in_memory = 1;
  const int failed = ::mincore(first, 1, &in_memory);
  ::munmap(first, 1);
  if (failed != 0 || (in_memory & 1U) != 0) {
    throw std::runtime_error(std::filesystem::temp_directory_path().string() +
                             ": files stay in memory there; TMPDIR may name a folder on a disk");
  }
}

}  // namespace duet
