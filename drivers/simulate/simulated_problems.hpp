#pragma once

#include <string>
#include <vector>

namespace duet {

/// The problems whose computing has rates (rates.hpp), and that can be placed without memory (modelled.hpp).
[[nodiscard]] const std::vector<std::string>& simulated_problems();

}  // namespace duet
