#include "drivers/study/moved.hpp"

#include <fmt/format.h>

#include "drivers/statistics/text.hpp"

namespace duet {

std::string messages_text(std::int64_t messages) { return counted(messages, "message"); }

std::string moved_text(const Traffic& traffic, int ranks) {
  const Volume& most = traffic.received.most;
  const Volume& in_all = traffic.received.in_all;
  if (in_all.messages == 0) return "nothing";
  const auto bytes = [](const Volume& volume) { return bytes_text(static_cast<double>(volume.bytes)); };
  const bool alike = in_all == Volume{ranks * most.messages, ranks * most.bytes};
  std::string text = alike ? fmt::format("{} to each rank in {}", bytes(most), messages_text(most.messages))
                           : fmt::format("up to {} to a rank in up to {}, {} in all", bytes(most),
                                         messages_text(most.messages), bytes(in_all));
  const Volume& between = traffic.received_between_nodes.in_all;
  if (between.messages == 0) return text + ", none between nodes";
  if (between == in_all) return text + ", all between nodes";
  return text + fmt::format(", {} in {} between nodes", bytes(between), messages_text(between.messages));
}

}  // namespace duet
