#pragma once

/// `duet compare`: from what a user types to a study, and from a study to what is printed and written. The subcommand
/// itself is added by `add_compare` (drivers/command.hpp).

#include <map>
#include <string>
#include <vector>

#include "drivers/study/plan.hpp"

namespace duet {

/// "2%" or "0.02" as 0.02. Throws std::invalid_argument for what is not between 0 and 1.
[[nodiscard]] double precision_from(const std::string& text);

/// The texts of `--sizes`, of which each is "256,512" for every problem or "matmul=256,512" for one: the sizes of each
/// of `problems`, in their plain form, small to large and without repetition; a problem that is not mentioned has its
/// own. Throws std::invalid_argument for a size that a problem does not allow, or a problem that is not in the study.
[[nodiscard]] std::map<std::string, std::vector<std::string>> sizes_from(const std::vector<std::string>& texts,
                                                                         const std::vector<std::string>& problems);

/// Nothing, or what is wrong, in one line, where an option that was typed now differs from the recorded one: name,
/// value then and value now. Both are `as_text`; `typed` are the keys that were typed.
[[nodiscard]] std::string difference_of(const std::map<std::string, std::string>& recorded,
                                        const std::map<std::string, std::string>& now,
                                        const std::vector<std::string>& typed);

}  // namespace duet
