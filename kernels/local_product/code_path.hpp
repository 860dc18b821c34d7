#pragma once

/// How modern a code path is, and what the processor could run: so that nobody multiplies five times too slowly without
/// being told.

#include <string>
#include <string_view>

namespace duet {

/// Vector instruction sets in ascending order. `avx2` means with fused multiply-adds; `avx512` with F, DQ, BW and VL.
enum class VectorSet { unknown, sse, avx, avx2, avx512 };

[[nodiscard]] std::string_view name_of(VectorSet set);

/// The widest that this processor and its operating system have; `unknown` on processors that are not x86-64.
[[nodiscard]] VectorSet widest_vectors();

/// The narrowest set that reaches the processor's full arithmetic rate: `widest_vectors`, but for the first AMD
/// processors with AVX-512 (Zen 4), which execute it in two halves and are as fast with AVX2.
[[nodiscard]] VectorSet full_rate_vectors();

/// What a code path of OpenBLAS ("SkylakeX"), BLIS ("zen3"), Highway ("AVX3") or Eigen ("SSE, SSE2") is written for.
/// `unknown` for names that are not known.
[[nodiscard]] VectorSet vectors_of(std::string_view code_path);

/// A line that says that `library` runs `code_path`, older than what the processor has at its full rate; empty where
/// that is not so, or not known. `cure` ends the line.
[[nodiscard]] std::string warning_of(std::string_view library, std::string_view code_path, std::string_view cure);

}  // namespace duet
