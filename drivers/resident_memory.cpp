#include "drivers/resident_memory.hpp"

#include <algorithm>
#include <fstream>
#include <string>

namespace duet {
namespace {

/// "VmRSS" is what is resident, "VmHWM" what was when it was most; 0 where the system does not tell.
double bytes_of(const std::string& name) {
  std::ifstream status{"/proc/self/status"};
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name + ":")) return 1024 * std::stod(line.substr(name.size() + 1));
  }
  return 0;
}

}  // namespace

ResidentMemory::ResidentMemory() {
  std::ofstream{"/proc/self/clear_refs"} << "5\n";  // the peak becomes what is resident
  at_start_ = bytes_of("VmRSS");
}

double ResidentMemory::peak_growth() const { return std::max(0.0, bytes_of("VmHWM") - at_start_); }

}  // namespace duet
