#include "drivers/watchdog/postings.hpp"

#ifdef DUET_HAS_PMIX
#include <pmix.h>
#endif

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <utility>

namespace duet {

#ifdef DUET_HAS_PMIX

namespace {

constexpr int patience_seconds = 2;

/// This process in its job, whose processes PMIx numbers as MPI_COMM_WORLD does.
std::optional<pmix_proc_t> self() {
  if (PMIx_Initialized() == 0) return std::nullopt;
  static const std::optional<pmix_proc_t> asked = []() -> std::optional<pmix_proc_t> {
    pmix_proc_t process;
    // Who asks for it joins those that use PMIx, and leaves them at once: MPI remains.
    if (PMIx_Init(&process, nullptr, 0) != PMIX_SUCCESS) return std::nullopt;
    PMIx_Finalize(nullptr, 0);
    return process;
  }();
  return asked;
}

bool put(const std::string& key, const std::string& text) {
  pmix_value_t value;
  PMIX_VALUE_LOAD(&value, text.c_str(), PMIX_STRING);
  const bool done = PMIx_Put(PMIX_GLOBAL, key.c_str(), &value) == PMIX_SUCCESS && PMIx_Commit() == PMIX_SUCCESS;
  PMIX_VALUE_DESTRUCT(&value);
  return done;
}

std::optional<std::string> get(const pmix_proc_t& process, const std::string& key) {
  constexpr bool anew = true;
  std::array<pmix_info_t, 2> info{};
  PMIX_INFO_LOAD(info.data(), PMIX_GET_REFRESH_CACHE, &anew, PMIX_BOOL);
  PMIX_INFO_LOAD(&info[1], PMIX_TIMEOUT, &patience_seconds, PMIX_INT);
  std::optional<std::string> text;
  pmix_value_t* value = nullptr;
  if (PMIx_Get(&process, key.c_str(), info.data(), info.size(), &value) == PMIX_SUCCESS && value != nullptr) {
    if (value->type == PMIX_STRING && value->data.string != nullptr) text = value->data.string;
    PMIX_VALUE_RELEASE(value);
  }
  for (pmix_info_t& each : info) PMIX_INFO_DESTRUCT(&each);
  return text;
}

/// Each text has a key of its own: what is put under an old one may never be found (PMIx 4.2.2, longer texts).
class JobPostings {
 public:
  bool post(const std::string& text) {
    if (!self()) return false;
    return put(key_of(++posted_), text);
  }
  std::optional<std::string> find(int rank) {
    auto process = self();
    if (!process) return std::nullopt;
    process->rank = static_cast<pmix_rank_t>(rank);
    Found& found = found_[rank];
    while (auto next = get(*process, key_of(found.count + 1))) {
      ++found.count;
      found.text = std::move(next);
    }
    return found.text;
  }

 private:
  struct Found {
    int count = 0;
    std::optional<std::string> text{};
  };
  static std::string key_of(int number) { return "duet." + std::to_string(number); }

  std::atomic<int> posted_{0};
  std::map<int, Found> found_;
};

}  // namespace

Postings postings_of_job() {
  const auto postings = std::make_shared<JobPostings>();
  return {.post = [postings](const std::string& text) { return postings->post(text); },
          .find = [postings](int rank) { return postings->find(rank); }};
}

void end_job(int status) {
  if (self()) PMIx_Abort(status, "no progress", nullptr, 0);
}

#else

Postings postings_of_job() {
  return {.post = [](const std::string&) { return false; },
          .find = [](int) -> std::optional<std::string> { return std::nullopt; }};
}

void end_job(int) {}

#endif

}  // namespace duet
