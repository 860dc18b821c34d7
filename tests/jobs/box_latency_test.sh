#!/usr/bin/env bash
# box_latency_test.sh PING_PONG: messages in a shaped box take as much longer than in a plain one as was asked for.
source "$(dirname "$0")/expect.sh"
source "$(dirname "$0")/box.sh"
ping_pong=$1

# Sets `microseconds` to half the round trip of 8 bytes between two hosts of the box. Other work on the machine can only
# add to it: the least of three.
measure() {
  local _
  microseconds=$(for _ in 1 2 3; do
    in_time 60 "$cluster" run -- mpirun -n 2 "$ping_pong" 2> /dev/null
  done | sort -g | head -n 1)
}

up_or_end "$cluster" up 2
measure
unshaped=$microseconds
echo "plain bridge: $unshaped us"
expect "the plain box was measured" test -n "$unshaped"
"$cluster" down

for latency in 50 500 2000; do
  # A machine that is busy at the wrong moment gets another chance; a network of another latency does not pass.
  for attempt in 1 2 3; do
    up_or_end "$cluster" up 2 --latency "${latency}us"
    expect "what was reached is told" says "(asked: $latency us)"
    echo "$output"
    measure
    "$cluster" down
    run awk -v "shaped=$microseconds" -v "plain=$unshaped" -v "asked=$latency" 'BEGIN {
      printf "asked: %g us, reached: %.1f us beyond %.1f us\n", asked, shaped - plain, plain
      exit !(shaped - plain > 0.8 * asked && shaped - plain < 1.2 * asked) }'
    echo "attempt $attempt: $output"
    ((status != 0)) || break
  done
  expect "the latency is within 20 % of $latency us" exited_with 0
done

up_or_end "$cluster" up 2 --latency=100us --rate=100mbit
reached=$(sed -n 's|.* \([0-9.]*\) mbit/s (asked: 100 mbit/s)|\1|p' <<< "$output")
expect "the rate is told, and within 20 % of 100 mbit/s" awk -v "reached=$reached" 'BEGIN { exit !(reached > 80 && reached < 120) }'
"$cluster" down

run in_time 60 "$cluster" up 2 --latency 0.01us
expect "a latency that cannot be had is refused" exited_with 1
expect "with the nearest" says "a latency of 0.01 us cannot be had here"
expect "and leaves nothing" eventually nothing_left
finish
