#pragma once

/// Which sizes give every worker the same work.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "kernels/core/problem.hpp"

namespace duet {

/// For each of `workers` the size of `problem` that has as much work a worker as `size` has for one: all extents grow
/// by one factor until Work::operations are so many times as many, which for a product is the cube root of the workers
/// and for a batch their number. Extents are whole numbers: of those within 2 % of the work, the roundest in binary,
/// since an odd size next to a friendly one would measure that; else the nearest.
///
/// Throws std::invalid_argument, which names the size and what would be right, where `size` has no work that could
/// grow, where work a worker would be off by more than `most_work_deviation` (scaling.hpp), or where an extent would
/// exceed what the problem allows. Costs about 50 times Problem::work a worker count.
[[nodiscard]] std::vector<std::string> weak_sizes(const Problem& problem, const std::string& size,
                                                  const std::vector<int>& workers, std::uint64_t seed,
                                                  const std::map<std::string, std::string>& parameters);

}  // namespace duet
