#pragma once

#include <string>
#include <vector>

#include "drivers/files/temporary_folder.hpp"

/// A folder of its own for one test, gone afterwards.
using Scratch = duet::TemporaryFolder;

/// Running processes, ours or not, in whose command line `text` stands; zombies do not count.
[[nodiscard]] std::vector<int> processes_with(const std::string& text);

/// Waits, up to five seconds, until `processes_with(text)` is empty; true if it is.
[[nodiscard]] bool nothing_runs_with(const std::string& text);
