#pragma once

/// How much of a core this thread has at the moment.

namespace duet {

/// Operations a second of the calling thread over about `seconds` (at least one stretch of some 10 microseconds): six
/// independent xorshift generators (Marsaglia 2003) in general registers, no load, no store, so that nothing but the
/// core counts. Together they ask for more operations a cycle than cores take in (four to eight), so that whatever else
/// runs on the core, even on its other hardware thread, takes from them. Multiply-adds of wide vectors leave most
/// of those slots free, and hardly feel a neighbour who makes a product of long integers a fifth slower.
[[nodiscard]] double canary_rate(double seconds);

}  // namespace duet
