#pragma once

#include <sstream>
#include <string>

namespace duet {

/// Four digits, for people: "1.235e+06".
[[nodiscard]] inline std::string number_text(double value) {
  std::ostringstream text;
  text.precision(4);
  text << value;
  return text.str();
}

}  // namespace duet
