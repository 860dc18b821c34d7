#pragma once

/// A study as a person reads it: one page for the browser, and tables for the terminal. Both say the same, in the same
/// order: what the reader must know first, the verdicts, the reasons, then the numbers and what went wrong.
///
/// The page is one file that needs no network: style, scripts, the chart library and the data stand in it, and its
/// content security policy forbids everything else. Every text of the study (names, messages, hosts) is data to it and
/// never markup. It draws with Chart.js (MIT licence).

#include <filesystem>
#include <ostream>
#include <string>

#include "drivers/study/trials.hpp"
#include "drivers/study/verdict.hpp"

namespace duet {

/// The whole page. The same study and analysis give the same page. About 300 KiB and 150 bytes a trial.
[[nodiscard]] std::string report_page(const SavedStudy& study, const Analysis& analysis);

/// Writes `page` beside `path` and renames it into place, so that a reader never meets half a page. Throws FileError
/// with path and reason.
void write_page(const std::filesystem::path& path, const std::string& page);

/// What a terminal can show.
struct TerminalStyle {
  bool colour = false;   ///< ANSI colours and bold
  bool unicode = false;  ///< anything beyond ASCII
  int columns = 80;      ///< no line is wider

  /// For `descriptor` (1 is standard output): colour where it is a terminal, NO_COLOR is not set and TERM is not
  /// "dumb"; unicode where the locale's character set (LC_ALL, LC_CTYPE, LANG) is UTF-8.
  [[nodiscard]] static TerminalStyle of(int descriptor);
};

/// Prints the same facts as tables. Control characters in names and messages are not passed on to the terminal.
void print_verdict(std::ostream& out, const SavedStudy& study, const Analysis& analysis, const TerminalStyle& style);

}  // namespace duet
