#pragma once

/// What the ranks of a trial moved, in words.

#include <string>

#include "drivers/traffic/traffic.hpp"

namespace duet {

/// "8.00 MiB to each rank in 16 messages, none between nodes"; where ranks differ "up to 8.00 MiB to a rank in up to 16
/// messages, 24.0 MiB in all, none between nodes"; "nothing" where no rank received a message. `ranks` is their number.
[[nodiscard]] std::string moved_text(const Traffic& traffic, int ranks);

/// "16 messages", "1 message".
[[nodiscard]] std::string messages_text(std::int64_t messages);

}  // namespace duet
