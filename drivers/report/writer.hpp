#pragma once

/// Lines and tables for a terminal, in one look.

#include <fmt/format.h>

#include <algorithm>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/report/report.hpp"
#include "drivers/report/terminal_text.hpp"

namespace duet {

inline constexpr std::string_view bold = "1";
inline constexpr std::string_view dim = "2";
inline constexpr std::string_view red = "31";
inline constexpr std::string_view green = "32";
inline constexpr std::string_view yellow = "33";

/// A cell of a table: what it says, and how it looks.
struct Entry {
  std::string text{};
  std::string_view look{};
};

/// Writes lines that are never wider than the style says.
class Writer {
 public:
  Writer(std::ostream& out, const TerminalStyle& style) : out_{out}, style_{style} {}

  [[nodiscard]] int columns() const { return style_.columns; }

  void blank() { out_ << '\n'; }

  /// Wrapped; lines after the first begin under the text of the first, after `lead`.
  void paragraph(std::string_view lead, std::string_view text, std::string_view look = {}) {
    const auto indent = static_cast<int>(lead.size());
    std::string before{lead};
    for (const std::string& line : wrapped(printable(text, style_.unicode), std::max(columns() - indent, 8))) {
      out_ << before << painted(line, look) << '\n';
      before.assign(lead.size(), ' ');
    }
  }

  /// `first` to the left, the rest to the right, in columns of `width` each.
  void row(std::string_view first, int first_width, const std::vector<Entry>& rest, int width,
           std::string_view first_look = {}) {
    std::string line = painted(to_the_left(printable(first, style_.unicode), first_width), first_look);
    for (const Entry& entry : rest) {
      const std::string text = shortened(printable(entry.text, style_.unicode), width - 1);
      line += std::string(static_cast<std::size_t>(width - columns_of(text)), ' ') + painted(text, entry.look);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out_ << line << '\n';
  }

 private:
  [[nodiscard]] std::string painted(const std::string& text, std::string_view look) const {
    if (!style_.colour || look.empty() || text.empty()) return text;
    return fmt::format("\033[{}m{}\033[0m", look, text);
  }

  std::ostream& out_;
  TerminalStyle style_;
};

}  // namespace duet
