#pragma once

/// Text for a grid of character cells, whatever it holds: names of any script, bytes that are not UTF-8, control
/// characters that would move the cursor or change colours.

#include <string>
#include <string_view>
#include <vector>

namespace duet {

/// `text` with nothing in it that a terminal would act upon: control and formatting characters and what is not UTF-8
/// become '?', line ends and tabs blanks. Without `unicode`, what is beyond ASCII is spelt out ("x" for the
/// multiplication sign, "..." for the ellipsis) or becomes '?'.
[[nodiscard]] std::string printable(std::string_view text, bool unicode);

/// Columns that printable text takes: 2 for East Asian wide characters and emoji, 0 for combining marks, else 1.
[[nodiscard]] int columns_of(std::string_view text);

/// `text` in at most `columns`, its end replaced by ".." where it does not fit.
[[nodiscard]] std::string shortened(std::string_view text, int columns);

/// `text` in exactly `columns`, blanks before or after it.
[[nodiscard]] std::string to_the_right(std::string_view text, int columns);
[[nodiscard]] std::string to_the_left(std::string_view text, int columns);

/// Lines of at most `columns`, broken at blanks, or inside a word that is wider than a line.
[[nodiscard]] std::vector<std::string> wrapped(std::string_view text, int columns);

}  // namespace duet
