#pragma once

namespace duet {

/// Whether the address or the thread sanitizer watches: what takes seconds without them then does less.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool under_sanitizer = true;
#else
inline constexpr bool under_sanitizer = false;
#endif

}  // namespace duet
