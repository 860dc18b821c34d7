#include <algorithm>
#include <stdexcept>

#include "kernels/hazards/catalogue.hpp"
#include "kernels/hazards/hazard.hpp"

namespace duet::hazards {
namespace {

template <class Named>
const Named& named(const std::vector<Named>& all, std::string_view name, const std::string& what) {
  const auto found = std::ranges::find(all, name, &Named::name);
  if (found != all.end()) return *found;
  std::string names;
  for (const Named& each : all) names += (names.empty() ? "" : ", ") + each.name;
  throw std::invalid_argument("no " + what + " is called '" + std::string{name} + "'; there are " + names);
}

}  // namespace

const Form& Hazard::form(std::string_view wanted) const { return named(forms, wanted, "form of " + name); }

const std::vector<Hazard>& all_hazards() {
  static const std::vector<Hazard> table{
      lost_update(),           false_sharing(),    lock_order(),         starvation(),
      static_schedule(),       oversubscription(), semaphore_priority(), send_send(),
      mismatched_collective(), early_buffer(),
  };
  return table;
}

const Hazard& hazard_called(std::string_view name) { return named(all_hazards(), name, "hazard"); }

}  // namespace duet::hazards
