#pragma once

#include <filesystem>
#include <string>
#include <vector>

/// A folder of its own for one test, gone afterwards.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Running processes, ours or not, in whose command line `text` stands; zombies do not count.
[[nodiscard]] std::vector<int> processes_with(const std::string& text);

/// Waits, up to five seconds, until `processes_with(text)` is empty; true if it is.
[[nodiscard]] bool nothing_runs_with(const std::string& text);
