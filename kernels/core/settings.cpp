#include "kernels/core/settings.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <stdexcept>
#include <system_error>

namespace duet {
namespace {

std::string listed(const std::vector<std::string>& words) {
  std::string list;
  for (const std::string& word : words) list += (list.empty() ? "" : ", ") + word;
  return list;
}

}  // namespace

std::int64_t whole_number(std::string_view what, std::string_view text, std::int64_t least, std::int64_t most) {
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  const bool is_number = error == std::errc{} && stopped == end && !text.empty();
  if (!is_number || value < least || value > most) {
    throw std::invalid_argument(std::string{what} + ": '" + std::string{text} + "' is not a whole number from " +
                                std::to_string(least) + " to " + std::to_string(most));
  }
  return value;
}

Settings::Settings(std::string_view whose, std::span<const Setting> declared,
                   const std::map<std::string, std::string>& given) {
  for (const Setting& setting : declared) values_[setting.name] = setting.preset;
  for (const auto& [name, value] : given) {
    const auto found = std::ranges::find(declared, name, &Setting::name);
    if (found == declared.end()) {
      std::vector<std::string> names;
      for (const Setting& setting : declared) names.push_back(setting.name);
      throw std::invalid_argument(std::string{whose} + " has no setting '" + name + "'; it has " +
                                  (names.empty() ? "none" : listed(names)));
    }
    if (found->choices.empty()) {
      // Said back in its plain form, so that "007" and "7" are one cell of a study.
      values_[name] = std::to_string(whole_number(name, value, found->least, found->most));
    } else if (std::ranges::find(found->choices, value) != found->choices.end()) {
      values_[name] = value;
    } else {
      throw std::invalid_argument(name + ": '" + value + "' is none of " + listed(found->choices));
    }
  }
}

std::int64_t Settings::whole(std::string_view name) const {
  const std::string& value = text(name);
  return whole_number(name, value, std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max());
}

const std::string& Settings::text(std::string_view name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) throw std::invalid_argument("no setting '" + std::string{name} + "'");
  return found->second;
}

}  // namespace duet
