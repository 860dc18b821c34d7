#include "drivers/files/fibonacci_inputs.hpp"

#include <fmt/format.h>

#include <charconv>
#include <stdexcept>
#include <system_error>

#include "drivers/files/file_error.hpp"

namespace duet {
namespace {

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view blanks = " \t\r";
  const std::size_t first = text.find_first_not_of(blanks);
  return first == std::string_view::npos ? std::string_view{}
                                         : text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

}  // namespace

FibonacciIndex fibonacci_index(std::string_view text) {
  FibonacciIndex index;
  std::string_view digits = text;
  if (digits.starts_with('-') || digits.starts_with('+')) {
    index.negative = digits.front() == '-';
    digits.remove_prefix(1);
  }
  const char* const end = digits.data() + digits.size();
  const auto [stopped, error] = std::from_chars(digits.data(), end, index.magnitude);
  if (error == std::errc::invalid_argument || stopped != end) {
    throw std::invalid_argument(fmt::format("expected a whole number, found {}", quoted(text)));
  }
  if (error != std::errc{}) {
    throw std::invalid_argument(fmt::format("{} is beyond 2^64 - 1, the largest index", quoted(text)));
  }
  if (index.magnitude == 0) index.negative = false;
  return index;
}

FibonacciInputs::FibonacciInputs(const std::string& path) : source_{path, Readable::anything} {}

std::optional<FibonacciIndex> FibonacciInputs::next() {
  while (lines_.more()) {
    if (const std::optional<FibonacciIndex> index = index_of_line()) return index;
  }
  return std::nullopt;
}

std::optional<FibonacciIndex> FibonacciInputs::next_arrived() {
  while (lines_.arrived()) {
    if (const std::optional<FibonacciIndex> index = index_of_line()) return index;
  }
  return std::nullopt;
}

/// Takes a line; nothing for one without an index.
std::optional<FibonacciIndex> FibonacciInputs::index_of_line() {
  // Most lines are digits and nothing else: they are read at once.
  FibonacciIndex plain;
  const auto read = std::from_chars(lines_.begin(), lines_.end(), plain.magnitude);
  if (read.ec == std::errc{} && *read.ptr == '\n') {
    lines_.consume(read.ptr + 1, 1);
    return plain;
  }
  const std::string_view line = lines_.take_line();
  const std::string_view text = without_blanks(line.substr(0, line.find('#')));
  if (text.empty()) return std::nullopt;
  try {
    return fibonacci_index(text);
  } catch (const std::invalid_argument& error) {
    throw BadLine{fmt::format("{}: line {}: {}", source_.path(), this->line(), error.what())};
  }
}

}  // namespace duet
