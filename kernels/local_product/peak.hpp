#pragma once

/// The ceiling that every product is held against: what one core can do when nothing but arithmetic is asked of it.

namespace duet {

/// Flop/s of the calling thread over about `seconds` (at least one stretch of some 20 microseconds) of fused
/// multiply-adds in registers, two flop each, with the widest vectors of the processor: no load, no store, chains long
/// enough to hide the latency. It is the mean over the whole time, so a thread that shares its core, or whose clock is
/// throttled, sees that; the peak is the largest of several calls.
[[nodiscard]] double fma_peak(double seconds);

}  // namespace duet
