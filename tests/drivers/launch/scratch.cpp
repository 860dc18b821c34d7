#include "tests/drivers/launch/scratch.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

namespace fs = std::filesystem;

std::vector<int> processes_with(const std::string& text) {
  std::vector<int> found;
  for (const fs::directory_entry& process : fs::directory_iterator{"/proc"}) {
    const int pid = std::atoi(process.path().filename().c_str());
    if (pid <= 0 || pid == getpid()) continue;
    std::ifstream file{process.path() / "cmdline"};
    std::ostringstream words_to;
    words_to << file.rdbuf();  // a process may be gone by now: then there is nothing to read, and no exception
    const std::string words = words_to.str();
    if (words.find(text) != std::string::npos) found.push_back(pid);
  }
  return found;
}

bool nothing_runs_with(const std::string& text) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    if (processes_with(text).empty()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
  }
  return false;
}
