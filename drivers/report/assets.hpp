#pragma once

/// The page's template, style and scripts, as they were when this program was built.

#include <string_view>

namespace duet::asset {

[[nodiscard]] std::string_view page_template();  ///< report.html, with {{places}} to fill
[[nodiscard]] std::string_view style();          ///< report.css
[[nodiscard]] std::string_view charts();         ///< charts.js
[[nodiscard]] std::string_view sections();       ///< report.js
[[nodiscard]] std::string_view chart_library();  ///< Chart.js, minified

}  // namespace duet::asset
