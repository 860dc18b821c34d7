#include "drivers/simulate/simulated_problems.hpp"

namespace duet {

const std::vector<std::string>& simulated_problems() {
  static const std::vector<std::string> names{"matmul", "fib_batch"};
  return names;
}

}  // namespace duet
