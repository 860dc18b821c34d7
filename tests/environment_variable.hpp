#pragma once

#include <cstdlib>
#include <optional>
#include <string>

namespace duet {

/// Sets a variable of the environment, or where `value` is null takes it out, until this ends.
class EnvironmentVariable {
 public:
  EnvironmentVariable(const char* name, const char* value) : name_{name} {
    if (const char* const now = std::getenv(name)) before_ = now;
    set(value);
  }
  ~EnvironmentVariable() { set(before_ ? before_->c_str() : nullptr); }
  EnvironmentVariable(const EnvironmentVariable&) = delete;
  EnvironmentVariable& operator=(const EnvironmentVariable&) = delete;

 private:
  void set(const char* value) { value == nullptr ? ::unsetenv(name_) : ::setenv(name_, value, 1); }

  const char* name_;
  std::optional<std::string> before_;
};

}  // namespace duet
