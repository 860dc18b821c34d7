#pragma once

/// How fast one core of a real machine computes, measured: what a simulation charges.

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace duet {

/// Measured by `duet_calibrate`, with as many ranks busy as were given to it.
struct Rates {
  std::string machine{};  ///< "host, processor"
  std::string local_kernel{};

  /// A product of m x k by k x n takes
  ///
  ///     2 m n k / flops_per_second + (m k + k n) seconds_per_operand_word + m n seconds_per_result_word
  ///                                + seconds_per_product:
  ///
  /// arithmetic at the rate of a large product, packing A and B once, reading and writing C once, the call. Thin panels
  /// and small blocks are slower by what the other terms say.
  double flops_per_second = 0;
  double seconds_per_operand_word = 0;
  double seconds_per_result_word = 0;
  double seconds_per_product = 0;

  /// Gathering a panel from the rows of a block into one piece, to be sent.
  double seconds_per_gathered_byte = 0;

  /// Times the estimate of `fibonacci_nanoseconds`.
  double fibonacci_scale = 1;
  double residue_seconds = 0;   ///< F(n) mod m, one of many
  double planning_seconds = 0;  ///< an item that longest_first sorts

  /// Seconds of one core.
  [[nodiscard]] double product_seconds(std::int64_t m, std::int64_t n, std::int64_t k) const;
};

void to_json(nlohmann::json& json, const Rates& rates);
/// Throws std::invalid_argument that names what is missing or no positive number.
void from_json(const nlohmann::json& json, Rates& rates);

/// Throws std::runtime_error with path and reason.
[[nodiscard]] Rates load_rates(const std::filesystem::path& path);

}  // namespace duet
