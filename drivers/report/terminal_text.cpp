#include "drivers/report/terminal_text.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace duet {
namespace {

struct Character {
  char32_t code = 0;
  std::size_t bytes = 1;
  bool valid = true;
};

/// The first character of `text`, which is not empty. A byte that does not begin a shortest-form UTF-8 sequence is one
/// invalid character.
Character first_of(std::string_view text) {
  const auto byte = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t length = lead >= 0xF0 && lead <= 0xF4 ? 4 : lead >= 0xE0 ? 3 : 2;
  constexpr std::array<char32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return {lead, 1, false};
  char32_t code = lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return {lead, 1, false};
    code = (code << 6U) | (byte(i) & 0x3FU);
  }
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < least[length] || code > 0x10FFFF || surrogate) return {lead, 1, false};
  return {code, length, true};
}

template <std::size_t count>
bool in(const std::array<std::pair<char32_t, char32_t>, count>& ranges, char32_t code) {
  return std::ranges::any_of(ranges, [code](const auto& range) { return range.first <= code && code <= range.second; });
}

/// Control characters and those that change the direction or order of what follows.
bool acts_on_terminal(char32_t code) {
  constexpr std::array<std::pair<char32_t, char32_t>, 7> ranges{{{0x00, 0x1F},
                                                                 {0x7F, 0x9F},
                                                                 {0x200B, 0x200F},
                                                                 {0x2028, 0x202E},
                                                                 {0x2060, 0x206F},
                                                                 {0xFEFF, 0xFEFF},
                                                                 {0xFFF9, 0xFFFB}}};
  return in(ranges, code);
}

/// The widths of Unicode's East Asian Width property, in its large blocks.
int width_of(char32_t code) {
  constexpr std::array<std::pair<char32_t, char32_t>, 5> none{
      {{0x0300, 0x036F}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x20D0, 0x20FF}, {0xFE00, 0xFE2F}}};
  constexpr std::array<std::pair<char32_t, char32_t>, 8> wide{{{0x1100, 0x115F},
                                                               {0x2E80, 0xA4CF},
                                                               {0xAC00, 0xD7A3},
                                                               {0xF900, 0xFAFF},
                                                               {0xFE30, 0xFE6F},
                                                               {0xFF00, 0xFF60},
                                                               {0x1F300, 0x1FAFF},
                                                               {0x20000, 0x3FFFD}}};
  return in(none, code) ? 0 : in(wide, code) ? 2 : 1;
}

std::string_view spelt(char32_t code) {
  switch (code) {
    case 0x00D7:
      return "x";
    case 0x00B1:
      return "+-";
    case 0x00B5:
    case 0x03BC:
      return "u";
    case 0x2013:
    case 0x2014:
      return "-";
    case 0x2018:
    case 0x2019:
      return "'";
    case 0x201C:
    case 0x201D:
      return "\"";
    case 0x2026:
      return "...";
    default:
      return "?";
  }
}

/// The longest beginning of `text` that fits into `columns`.
std::string_view beginning(std::string_view text, int columns) {
  std::size_t end = 0;
  while (end < text.size()) {
    const Character next = first_of(text.substr(end));
    columns -= width_of(next.code);
    if (columns < 0) break;
    end += next.bytes;
  }
  return text.substr(0, end);
}

}  // namespace

std::string printable(std::string_view text, bool unicode) {
  std::string result;
  while (!text.empty()) {
    const Character next = first_of(text);
    if (next.code == '\n' || next.code == '\t') {
      result += ' ';
    } else if (!next.valid || acts_on_terminal(next.code)) {
      result += '?';
    } else if (next.code >= 0x80 && !unicode) {
      result += spelt(next.code);
    } else {
      result += text.substr(0, next.bytes);
    }
    text.remove_prefix(next.bytes);
  }
  return result;
}

int columns_of(std::string_view text) {
  int columns = 0;
  while (!text.empty()) {
    const Character next = first_of(text);
    columns += width_of(next.code);
    text.remove_prefix(next.bytes);
  }
  return columns;
}

std::string shortened(std::string_view text, int columns) {
  if (columns_of(text) <= columns) return std::string{text};
  if (columns < 3) return std::string{beginning(text, columns)};
  return std::string{beginning(text, columns - 2)} + "..";
}

std::string to_the_right(std::string_view text, int columns) {
  const std::string short_text = shortened(text, columns);
  return std::string(static_cast<std::size_t>(columns - columns_of(short_text)), ' ') + short_text;
}

std::string to_the_left(std::string_view text, int columns) {
  const std::string short_text = shortened(text, columns);
  return short_text + std::string(static_cast<std::size_t>(columns - columns_of(short_text)), ' ');
}

std::vector<std::string> wrapped(std::string_view text, int columns) {
  std::vector<std::string> lines;
  std::string line;
  while (!text.empty()) {
    const std::size_t blank = std::min(text.find(' '), text.size());
    std::string_view word = text.substr(0, blank);
    text.remove_prefix(std::min(blank + 1, text.size()));
    if (word.empty()) continue;
    if (!line.empty() && columns_of(line) + 1 + columns_of(word) > columns) lines.push_back(std::exchange(line, {}));
    while (columns_of(word) > columns) {
      // A character that is wider than the line still has to go somewhere.
      const std::size_t bytes = std::max(beginning(word, columns).size(), first_of(word).bytes);
      lines.emplace_back(word.substr(0, bytes));
      word.remove_prefix(bytes);
    }
    if (!line.empty()) line += ' ';
    line += word;
  }
  if (!line.empty()) lines.push_back(std::move(line));
  return lines;
}

}  // namespace duet
