#pragma once

/// A folder that is there for one test, and files in it.

#include <string>
#include <string_view>

#include "drivers/files/temporary_folder.hpp"

namespace duet {

class ScratchFolder {
 public:
  [[nodiscard]] std::string path(std::string_view name) const { return (folder_ / name).string(); }
  /// Writes `content` and returns the path.
  std::string file(std::string_view name, std::string_view content) const;  // NOLINT(modernize-use-nodiscard)
  /// How many entries the folder has.
  [[nodiscard]] std::size_t entries() const;

 private:
  TemporaryFolder folder_;
};

/// The bytes of a file.
[[nodiscard]] std::string content_of(const std::string& path);
/// `text` as one gzip member.
[[nodiscard]] std::string gzipped(std::string_view text);
/// What `act` throws as FileError; empty where it throws nothing.
template <class Act>
std::string error_of(Act&& act);

}  // namespace duet

#include "drivers/files/file_error.hpp"

template <class Act>
std::string duet::error_of(Act&& act) {
  try {
    act();
  } catch (const FileError& error) {
    return error.what();
  }
  return {};
}
