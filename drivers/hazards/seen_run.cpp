#include "drivers/hazards/seen_run.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>

namespace duet {

void append_run(const std::string& path, const SeenRun& run) {
  const std::string line = nlohmann::json(run).dump() + "\n";
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const bool whole = file >= 0 && write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  const int reason = errno;
  if (file >= 0) close(file);
  if (!whole) throw std::runtime_error(fmt::format("{}: {}", path, std::strerror(reason)));
}

std::vector<SeenRun> runs_from(const std::string& path) {
  std::vector<SeenRun> runs;
  std::ifstream file{path};
  for (std::string line; std::getline(file, line);) {
    const auto parsed = nlohmann::json::parse(line, nullptr, false);
    if (!parsed.is_discarded()) runs.push_back(parsed.get<SeenRun>());
  }
  return runs;
}

}  // namespace duet
