#include "kernels/core/problem.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace duet {

std::string Instance::size_text() const {
  if (std::ranges::adjacent_find(extents, std::not_equal_to{}) == extents.end()) return std::to_string(extents.at(0));
  std::string text;
  for (const std::int64_t extent : extents) {
    if (!text.empty()) text += 'x';
    text += std::to_string(extent);
  }
  return text;
}

double Instance::size() const {
  double product = 1;
  for (const std::int64_t extent : extents) product *= static_cast<double>(extent);
  if (std::ranges::adjacent_find(extents, std::not_equal_to{}) == extents.end()) {
    return static_cast<double>(extents.at(0));
  }
  return std::pow(product, 1.0 / static_cast<double>(extents.size()));
}

Instance Problem::pose(std::string_view size, std::uint64_t seed,
                       const std::map<std::string, std::string>& given) const {
  Instance instance;
  instance.seed = seed;
  instance.parameters = Settings{name, parameters, given};
  std::string what = "size of " + name;
  if (size.find('x') != std::string_view::npos) what.append(" '").append(size).append("'");
  for (std::size_t begin = 0; begin <= size.size();) {
    const std::size_t end = std::min(size.find('x', begin), size.size());
    instance.extents.push_back(whole_number(what, size.substr(begin, end - begin), 0, largest_extent));
    begin = end + 1;
  }
  if (instance.extents.size() == 1) instance.extents.resize(extent_names.size(), instance.extents[0]);
  if (instance.extents.size() != extent_names.size()) {
    std::string names;
    for (const std::string& extent : extent_names) names += (names.empty() ? "" : "x") + extent;
    throw std::invalid_argument("size of " + name + ": '" + std::string{size} + "' is neither one number nor " + names);
  }
  return instance;
}

const Variant& Problem::variant(Model model) const {
  const auto found = std::ranges::find(variants, model, &Variant::model);
  if (found != variants.end()) return *found;
  std::string names;
  for (const Variant& variant : variants) {
    names += (names.empty() ? "" : ", ") + std::string{name_of(variant.model)};
  }
  throw std::invalid_argument(name + " has no variant in " + std::string{name_of(model)} + "; it has " + names);
}

std::vector<Variant> variants_of_all_models(
    const std::function<std::vector<Setting>(Model)>& tunables,
    const std::function<Placed(Model, const Instance&, const Execution&)>& place) {
  std::vector<Variant> variants;
  for (const Model model : all_models) {
    variants.push_back({model, tunables(model), [place, model](const Instance& instance, const Execution& execution) {
                          return place(model, instance, execution);
                        }});
  }
  return variants;
}

}  // namespace duet
