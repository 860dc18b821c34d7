#include "jobs/virtual_switch/forwarding.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace duet {
namespace {

constexpr std::size_t address_bytes = 6;
constexpr std::size_t header_bytes = 14;  // destination, source, type

std::uint64_t address_at(std::span<const std::byte> frame, std::size_t offset) {
  std::uint64_t address = 0;
  for (const std::byte byte : frame.subspan(offset, address_bytes)) {
    address = address << 8U | std::to_integer<std::uint64_t>(byte);
  }
  return address;
}

}  // namespace

Forwarding::Forwarding(int ports, double bytes_per_second) : ports_{ports}, bytes_per_second_{bytes_per_second} {
  if (ports < 1) throw std::invalid_argument(fmt::format("a switch of {} ports", ports));
  if (!(bytes_per_second >= 0)) {
    throw std::invalid_argument(fmt::format("a link of {} bytes per second", bytes_per_second));
  }
  in_free_.resize(static_cast<std::size_t>(ports));
  out_free_.resize(static_cast<std::size_t>(ports));
}

std::vector<int> Forwarding::route(int from, std::span<const std::byte> frame) {
  if (frame.size() < header_bytes) return {};
  const std::uint64_t source = address_at(frame, address_bytes);
  port_of_[source] = from;
  const bool to_a_group = (frame[0] & std::byte{1}) != std::byte{0};  // broadcast and multicast
  if (!to_a_group) {
    if (const auto known = port_of_.find(address_at(frame, 0)); known != port_of_.end()) {
      return known->second == from ? std::vector<int>{} : std::vector{known->second};
    }
  }
  std::vector<int> others;
  for (int port = 0; port < ports_; ++port) {
    if (port != from) others.push_back(port);
  }
  return others;
}

SwitchTime Forwarding::transfer(int from, int to, std::size_t bytes, SwitchTime sent) {
  if (bytes_per_second_ == 0) return sent;
  SwitchTime& in = in_free_[static_cast<std::size_t>(from)];
  SwitchTime& out = out_free_[static_cast<std::size_t>(to)];
  const SwitchTime busy{std::llround(1e9 * static_cast<double>(bytes) / bytes_per_second_)};
  in = out = std::max({sent, in, out}) + busy;
  return out;
}

}  // namespace duet
