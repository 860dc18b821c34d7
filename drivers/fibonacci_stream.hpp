#pragma once

/// `duet fibonacci --inputs FILE|- --stream`: lines are answered as they come.

#include <cstdint>
#include <string>
#include <vector>

#include "drivers/session.hpp"

namespace duet {

struct FibonacciStreamOptions {
  std::string inputs;
  std::uint64_t modulus = 0;
  std::string output = "-";
  Workers workers;
  std::vector<std::string> settings;
};

/// Why an index beyond the largest exact one is refused; `bytes` is what it would need.
[[nodiscard]] std::string too_large_text(const std::string& name, std::uint64_t n, double bytes);

/// Answers, checks and writes line after line; gives the exit status. A line that cannot be answered is told of on
/// standard error and is empty in the output; the others are answered, and the status is `not_right`. At the end
/// standard error has what the stages did. Throws UsageError.
int stream_fibonacci(const FibonacciStreamOptions& options);

}  // namespace duet
