#include "drivers/report/assets.hpp"

#include <cstddef>

// The assembler copies each file between two labels. It finds them along the search path that CMakeLists.txt gives it,
// where this file also depends on them. A language feature for this (#embed) comes with C23 and C++26.
#define DUET_ASSET(name, file)                                                                            \
  asm(".pushsection .rodata\n"                                                                            \
      "duet_asset_" #name                                                                                 \
      ":\n"                                                                                               \
      ".incbin \"" file                                                                                   \
      "\"\n"                                                                                              \
      "duet_asset_" #name                                                                                 \
      "_end:\n"                                                                                           \
      ".byte 0\n"                                                                                         \
      ".popsection\n");                                                                                   \
  [[gnu::visibility("hidden")]] extern const char name##_begin[] asm("duet_asset_" #name);                \
  [[gnu::visibility("hidden")]] extern const char name##_end[] asm("duet_asset_" #name "_end");           \
  std::string_view name() {                                                                               \
    return {static_cast<const char*>(name##_begin), static_cast<std::size_t>(name##_end - name##_begin)}; \
  }

namespace duet::asset {

DUET_ASSET(page_template, "report.html")
DUET_ASSET(style, "report.css")
DUET_ASSET(charts, "charts.js")
DUET_ASSET(sections, "report.js")
DUET_ASSET(chart_library, "chart.min.js")

}  // namespace duet::asset

#undef DUET_ASSET
