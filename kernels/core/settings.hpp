#pragma once

/// Named values a user may set: the parameters of a problem (part of the question) and the tunables of a variant (they
/// change speed and never the answer). Both are declared, so that help, checks and records come from one list.

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace duet {

/// One value that may be set. Without `choices` it is a whole number in [least, most].
struct Setting {
  std::string name;
  std::string preset;  ///< the value where nothing is said
  std::string meaning;
  std::vector<std::string> choices{};
  std::int64_t least = 0;
  std::int64_t most = std::int64_t{1} << 62;
};

/// A whole number in [least, most] from decimal text, with nothing before or after it. Throws std::invalid_argument
/// that names `what`, the text, and what would be right.
[[nodiscard]] std::int64_t whole_number(std::string_view what, std::string_view text, std::int64_t least,
                                        std::int64_t most);

/// Checked values for a list of declared settings.
class Settings {
 public:
  Settings() = default;

  /// The presets of `declared`, overridden by `given`. Throws std::invalid_argument for a name that is not declared
  /// (and says which are) or a value that is not allowed; `whose` is the word for the error, "matmul in openmp", say.
  Settings(std::string_view whose, std::span<const Setting> declared, const std::map<std::string, std::string>& given);

  [[nodiscard]] std::int64_t whole(std::string_view name) const;
  [[nodiscard]] const std::string& text(std::string_view name) const;
  [[nodiscard]] const std::map<std::string, std::string, std::less<>>& all() const { return values_; }

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

}  // namespace duet
