#include "kernels/pipeline/matrix_stream/scratch_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>

namespace duet {
namespace {

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

ScratchFile::~ScratchFile() { ::close(descriptor_); }

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
  to.resize(static_cast<std::size_t>(bytes));
  for (std::int64_t done = 0; done < bytes;) {
    const ssize_t now = ::pread(descriptor_, to.data() + done, static_cast<std::size_t>(bytes - done), offset + done);
    if (now < 0 && errno == EINTR) continue;
    if (now < 0) fail_with("a temporary file cannot be read");
    if (now == 0) throw std::runtime_error("a temporary file ends too early");
    done += now;
  }
}

}  // namespace duet
