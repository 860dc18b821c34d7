#pragma once

/// A headless browser that opens a page, for tests that look at what a reader would see.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace duet {

/// What became of a page that was opened.
struct Visit {
  std::string document;               ///< the page after its scripts ran
  nlohmann::json probe;               ///< what the probe gave; null where it gave nothing
  std::vector<std::string> console;   ///< all that the browser's console said: errors, warnings, breaches of the policy
  std::vector<std::string> requests;  ///< addresses that were asked for, other than files and data:
};

/// The browser's path; empty where none is installed.
[[nodiscard]] std::string installed_browser();

class Browser {
 public:
  /// Keeps its profile and pages in `folder`.
  explicit Browser(std::filesystem::path folder) : folder_{std::move(folder)} {}

  /// Opens `page` (its text) `width` pixels wide after adding `probe`, JavaScript whose value is kept. Throws
  /// std::runtime_error with the browser's output where it ends otherwise than well.
  [[nodiscard]] Visit open(const std::string& page, std::string_view probe, int width = 1200,
                           const std::vector<std::string>& options = {});

 private:
  std::filesystem::path folder_;
  int visits_ = 0;
};

}  // namespace duet
