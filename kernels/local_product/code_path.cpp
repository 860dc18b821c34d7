#include "kernels/local_product/code_path.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace duet {

std::string_view name_of(VectorSet set) {
  switch (set) {
    case VectorSet::unknown:
      return "unknown vectors";
    case VectorSet::sse:
      return "SSE";
    case VectorSet::avx:
      return "AVX";
    case VectorSet::avx2:
      return "AVX2";
    case VectorSet::avx512:
      return "AVX-512";
  }
  return "";
}

VectorSet widest_vectors() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  if (avx512) return VectorSet::avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return VectorSet::avx2;
  if (__builtin_cpu_supports("avx")) return VectorSet::avx;
  return VectorSet::sse;
#else
  return VectorSet::unknown;
#endif
}

VectorSet full_rate_vectors() {
  const VectorSet widest = widest_vectors();
#if defined(__x86_64__)
  if (widest == VectorSet::avx512 && __builtin_cpu_is("amdfam19h")) return VectorSet::avx2;
#endif
  return widest;
}

VectorSet vectors_of(std::string_view code_path) {
  // Names in lower case, as the libraries differ in that.
  static constexpr std::array<std::pair<std::string_view, VectorSet>, 41> known{{
      {"skylakex", VectorSet::avx512}, {"cooperlake", VectorSet::avx512}, {"sapphirerapids", VectorSet::avx512},
      {"skx", VectorSet::avx512},      {"zen4", VectorSet::avx512},       {"zen5", VectorSet::avx512},
      {"avx3", VectorSet::avx512},     {"avx3_dl", VectorSet::avx512},    {"avx3_zen4", VectorSet::avx512},
      {"avx3_spr", VectorSet::avx512}, {"haswell", VectorSet::avx2},      {"zen", VectorSet::avx2},
      {"zen2", VectorSet::avx2},       {"zen3", VectorSet::avx2},         {"excavator", VectorSet::avx2},
      {"avx2", VectorSet::avx2},       {"sandybridge", VectorSet::avx},   {"bulldozer", VectorSet::avx},
      {"piledriver", VectorSet::avx},  {"steamroller", VectorSet::avx},   {"prescott", VectorSet::sse},
      {"katmai", VectorSet::sse},      {"northwood", VectorSet::sse},     {"core2", VectorSet::sse},
      {"penryn", VectorSet::sse},      {"dunnington", VectorSet::sse},    {"nehalem", VectorSet::sse},
      {"atom", VectorSet::sse},        {"nano", VectorSet::sse},          {"athlon", VectorSet::sse},
      {"opteron", VectorSet::sse},     {"opteron_sse3", VectorSet::sse},  {"barcelona", VectorSet::sse},
      {"bobcat", VectorSet::sse},      {"generic", VectorSet::sse},       {"ssse3", VectorSet::sse},
      {"sse4", VectorSet::sse},        {"sse2", VectorSet::sse},          {"emu128", VectorSet::sse},
      {"scalar", VectorSet::sse},      {"sse, sse2", VectorSet::sse},
  }};
  std::string lower{code_path};
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  const auto* const found = std::ranges::find(known, lower, &std::pair<std::string_view, VectorSet>::first);
  return found == known.end() ? VectorSet::unknown : found->second;
}

std::string warning_of(std::string_view library, std::string_view code_path, std::string_view cure) {
  const VectorSet has = vectors_of(code_path);
  if (has == VectorSet::unknown || has >= full_rate_vectors()) return {};
  std::string line{library};
  line += " runs its code for ";
  line += code_path;
  line += " (";
  line += name_of(has);
  line += ") on a processor with ";
  line += name_of(widest_vectors());
  line += "; ";
  line += cure;
  return line;
}

}  // namespace duet
