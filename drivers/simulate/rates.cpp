#include "drivers/simulate/rates.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

namespace duet {
namespace {

struct Figure {
  const char* name;
  double Rates::*value;
  bool may_be_zero;
};

constexpr std::array<Figure, 8> figures{{{"flops_per_second", &Rates::flops_per_second, false},
                                         {"seconds_per_operand_word", &Rates::seconds_per_operand_word, true},
                                         {"seconds_per_result_word", &Rates::seconds_per_result_word, true},
                                         {"seconds_per_product", &Rates::seconds_per_product, true},
                                         {"seconds_per_gathered_byte", &Rates::seconds_per_gathered_byte, true},
                                         {"fibonacci_scale", &Rates::fibonacci_scale, false},
                                         {"residue_seconds", &Rates::residue_seconds, false},
                                         {"planning_seconds", &Rates::planning_seconds, true}}};

}  // namespace

double Rates::product_seconds(std::int64_t m, std::int64_t n, std::int64_t k) const {
  const auto rows = static_cast<double>(m);
  const auto columns = static_cast<double>(n);
  const auto inner = static_cast<double>(k);
  return 2 * rows * columns * inner / flops_per_second + (rows + columns) * inner * seconds_per_operand_word +
         rows * columns * seconds_per_result_word + seconds_per_product;
}

void to_json(nlohmann::json& json, const Rates& rates) {
  json = {{"machine", rates.machine}, {"local_kernel", rates.local_kernel}};
  for (const Figure& figure : figures) json[figure.name] = rates.*figure.value;
}

void from_json(const nlohmann::json& json, Rates& rates) {
  rates = {};
  rates.machine = json.value("machine", "");
  rates.local_kernel = json.value("local_kernel", "");
  for (const Figure& figure : figures) {
    const auto found = json.find(figure.name);
    if (found == json.end()) throw std::invalid_argument("'" + std::string{figure.name} + "' is missing");
    const double value = found->is_number() ? found->get<double>() : -1;
    if (!(figure.may_be_zero ? value >= 0 : value > 0)) {
      throw std::invalid_argument("'" + std::string{figure.name} + "' is " + found->dump() +
                                  (figure.may_be_zero ? ", not 0 or more" : ", not a number above 0"));
    }
    rates.*figure.value = value;
  }
}

Rates load_rates(const std::filesystem::path& path) {
  std::ifstream file{path};
  if (!file) throw std::runtime_error(path.string() + ": cannot be read: " + std::strerror(errno));
  try {
    return nlohmann::json::parse(file).get<Rates>();
  } catch (const std::exception& error) {
    throw std::runtime_error(path.string() + " holds no rates: " + error.what() +
                             " (jobs/simulate.sh --calibrate measures them)");
  }
}

}  // namespace duet
