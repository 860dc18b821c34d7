#include "drivers/study/verdict.hpp"

namespace duet {

Analysis analyse(const SavedStudy& /*study*/, std::uint64_t /*seed*/) { return {}; }

std::vector<Gap> open_crossovers(const Analysis& /*analysis*/, double /*resolution*/) { return {}; }

}  // namespace duet
