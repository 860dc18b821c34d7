#include "drivers/watchdog/postings.hpp"

#ifdef DUET_HAS_PMIX
#include <pmix.h>
#endif

#include <array>
#include <cstring>

namespace duet {

#ifdef DUET_HAS_PMIX

namespace {

/// Of this job's processes alone, and for as long as it lives.
constexpr pmix_data_range_t to_this_job = PMIX_RANGE_NAMESPACE;
constexpr pmix_persistence_t to_its_end = PMIX_PERSIST_APP;

std::string name_of_ours(const std::string& name) { return "duet." + name; }

bool post(const std::string& name, const std::string& text) {
  if (PMIx_Initialized() == 0) return false;
  const std::string key = name_of_ours(name);
  if (key.size() > PMIX_MAX_KEYLEN) return false;
  std::array<pmix_info_t, 3> info{};
  PMIX_INFO_LOAD(info.data(), key.c_str(), text.c_str(), PMIX_STRING);
  PMIX_INFO_LOAD(&info[1], PMIX_RANGE, &to_this_job, PMIX_DATA_RANGE);
  PMIX_INFO_LOAD(&info[2], PMIX_PERSISTENCE, &to_its_end, PMIX_PERSIST);
  const bool posted = PMIx_Publish(info.data(), info.size()) == PMIX_SUCCESS;
  for (pmix_info_t& each : info) PMIX_INFO_DESTRUCT(&each);
  return posted;
}

std::optional<std::string> find(const std::string& name) {
  if (PMIx_Initialized() == 0) return std::nullopt;
  const std::string key = name_of_ours(name);
  if (key.size() > PMIX_MAX_KEYLEN) return std::nullopt;
  pmix_pdata_t asked;
  PMIX_PDATA_CONSTRUCT(&asked);
  std::memcpy(asked.key, key.c_str(), key.size() + 1);
  pmix_info_t info;
  PMIX_INFO_LOAD(&info, PMIX_RANGE, &to_this_job, PMIX_DATA_RANGE);
  std::optional<std::string> text;
  if (PMIx_Lookup(&asked, 1, &info, 1) == PMIX_SUCCESS && asked.value.type == PMIX_STRING &&
      asked.value.data.string != nullptr) {
    text = asked.value.data.string;
  }
  PMIX_INFO_DESTRUCT(&info);
  PMIX_PDATA_DESTRUCT(&asked);
  return text;
}

}  // namespace

Postings postings_of_job() { return {.post = post, .find = find}; }

#else

Postings postings_of_job() {
  return {.post = [](const std::string&, const std::string&) { return false; },
          .find = [](const std::string&) -> std::optional<std::string> { return std::nullopt; }};
}

#endif

}  // namespace duet
