#include "drivers/study/hosts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <system_error>

namespace duet {
namespace {

/// Names and addresses; nothing that a launcher could take for an option.
bool is_name(std::string_view text) {
  constexpr std::size_t longest = 253;
  return !text.empty() && text.size() <= longest && std::isalnum(static_cast<unsigned char>(text.front())) != 0 &&
         std::ranges::all_of(text, [](unsigned char letter) {
           return std::isalnum(letter) != 0 || letter == '-' || letter == '.' || letter == '_';
         });
}

std::optional<int> slots_from(std::string_view text) {
  constexpr int most = 1 << 20;
  int slots = 0;
  const auto [stopped, error] = std::from_chars(text.data(), text.data() + text.size(), slots);
  if (error != std::errc{} || stopped != text.data() + text.size() || slots < 1 || slots > most) return std::nullopt;
  return slots;
}

/// Throws what is wrong, without the place.
Host host_from(const std::string& line) {
  std::istringstream words{line};
  Host host;
  words >> host.name;
  const auto refuse = [](const std::string& text) {
    throw std::invalid_argument(
        fmt::format("'{}' is no number of slots: a host stands as `name`, `name slots=8` or `name:8`", text));
  };
  if (const auto colon = host.name.find(':'); colon != std::string::npos) {
    const std::string text = host.name.substr(colon + 1);
    const auto slots = slots_from(text);
    if (!slots) refuse(text);
    host.slots = *slots;
    host.name.resize(colon);
  }
  if (!is_name(host.name)) throw std::invalid_argument(fmt::format("'{}' is no name of a host", host.name));
  for (std::string word; words >> word;) {
    const auto equals = std::min(word.find('='), word.size());
    std::string key = word.substr(0, equals);
    std::ranges::replace(key, '-', '_');
    const bool is_slots = key == "slots";
    if (!is_slots && key != "max_slots") {
      throw std::invalid_argument(
          fmt::format("'{}' is not understood: a host stands as `name`, `name slots=8` or `name:8`", word));
    }
    const std::string text = word.substr(std::min(equals + 1, word.size()));
    const auto slots = slots_from(text);
    if (!slots) refuse(text);
    if (is_slots) host.slots = *slots;
  }
  return host;
}

}  // namespace

std::vector<Host> hosts_from(const std::string& path) {
  std::ifstream file{path};
  if (!file || std::filesystem::is_directory(path)) {
    throw std::runtime_error(
        fmt::format("{}: {}", path, file ? "a folder, and no list of hosts" : std::strerror(errno)));
  }
  std::vector<Host> hosts;
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    line.resize(std::min(line.find('#'), line.size()));
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    try {
      const Host host = host_from(line);
      const auto known = std::ranges::find(hosts, host.name, &Host::name);
      if (known == hosts.end()) {
        hosts.push_back(host);
      } else {
        // OpenMPI: a line without a number is one slot more.
        known->slots = std::max(known->slots, 1) + std::max(host.slots, 1);
      }
    } catch (const std::invalid_argument& error) {
      throw std::runtime_error(fmt::format("{}:{}: {}", path, number, error.what()));
    }
  }
  if (hosts.empty()) throw std::runtime_error(fmt::format("{}: no host in it, where one a line was expected", path));
  return hosts;
}

}  // namespace duet
