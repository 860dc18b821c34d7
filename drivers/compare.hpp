#pragma once

/// `duet compare`: which sizes of which problems it measures. The subcommand itself is added by `add_compare`
/// (drivers/command.hpp); what it shares with `duet scale` is in drivers/study_command.hpp.

#include <map>
#include <string>
#include <vector>

namespace duet {

/// The texts of `--sizes`, of which each is "256,512" for every problem or "matmul=256,512" for one: the sizes of each
/// of `problems`, in their plain form, small to large and without repetition; a problem that is not mentioned has its
/// own. Throws std::invalid_argument for a size that a problem does not allow, or a problem that is not in the study.
[[nodiscard]] std::map<std::string, std::vector<std::string>> sizes_from(const std::vector<std::string>& texts,
                                                                         const std::vector<std::string>& problems,
                                                                         const std::string& option = "--sizes");

}  // namespace duet
