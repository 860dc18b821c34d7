#include "kernels/mapping/schedule/schedule.hpp"

#include <array>
#include <stdexcept>
#include <string>
#include <utility>

namespace duet {
namespace {

constexpr std::array<std::pair<std::string_view, Schedule>, 7> schedules{{{"block", Schedule::block},
                                                                          {"cyclic", Schedule::cyclic},
                                                                          {"dynamic", Schedule::dynamic},
                                                                          {"guided", Schedule::guided},
                                                                          {"longest_first", Schedule::longest_first},
                                                                          {"stealing", Schedule::stealing},
                                                                          {"spawn_each", Schedule::spawn_each}}};

}  // namespace

std::string_view name_of(Schedule schedule) { return schedules.at(static_cast<std::size_t>(schedule)).first; }

Schedule schedule_called(std::string_view name) {
  std::string names;
  for (const auto& [called, schedule] : schedules) {
    if (called == name) return schedule;
    names += (names.empty() ? "" : ", ") + std::string{called};
  }
  throw std::invalid_argument("schedule: '" + std::string{name} + "' is none of " + names);
}

}  // namespace duet
