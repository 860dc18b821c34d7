#pragma once

/// Measures the network between two hosts as a program of message passing meets it: over TCP without Nagle's algorithm,
/// by two threads that look for the next message without sleeping, and yield their core meanwhile; after 200 us they
/// sleep until it comes.

#include "jobs/virtual_switch/tap_switch.hpp"

namespace duet {

/// Half the round trip of a message of 8 bytes between the two hosts, in seconds: of as many round trips as fit
/// into `budget_seconds`, at least 21, the one that a tenth are faster than: what the network takes, without the time
/// for which a busy machine kept either thread from its core. Throws std::runtime_error where the hosts cannot reach
/// each other, or a message does not come within five seconds.
[[nodiscard]] double half_round_trip(const SwitchHost& from, const SwitchHost& to, double budget_seconds);

/// Bytes per second of one stream from one host to the other, over `budget_seconds` after its first 1/5. Throws as
/// half_round_trip.
[[nodiscard]] double bandwidth(const SwitchHost& from, const SwitchHost& to, double budget_seconds);

}  // namespace duet
