#include "drivers/files/team.hpp"

#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/partitioner.h>

#include <exception>

#include "kernels/core/tbb_team.hpp"

namespace duet {

RunTeam::RunTeam(Model model, const Execution& execution) : model_{model}, execution_{execution} {}

void RunTeam::each(std::int64_t parts, const std::function<void(std::int64_t part)>& act) const {
  if (execution_.threads == 1) {
    for (std::int64_t part = 0; part < parts; ++part) act(part);
  } else if (model_ == Model::tbb) {
    TbbTeam{execution_}.run([&] {
      oneapi::tbb::parallel_for(
          oneapi::tbb::blocked_range<std::int64_t>{0, parts, 1},
          [&](const oneapi::tbb::blocked_range<std::int64_t>& range) {
            for (std::int64_t part = range.begin(); part != range.end(); ++part) act(part);
          },
          oneapi::tbb::simple_partitioner{});
    });
  } else {
    std::exception_ptr error;
    const int threads = execution_.threads;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1) default(none) shared(parts, act, error)
    for (std::int64_t part = 0; part < parts; ++part) {
      try {
        act(part);
      } catch (...) {
#pragma omp critical(duet_team)
        if (!error) error = std::current_exception();
      }
    }
    if (error) std::rethrow_exception(error);
  }
}

}  // namespace duet
