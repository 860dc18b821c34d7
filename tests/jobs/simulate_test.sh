#!/usr/bin/env bash
# jobs/simulate.sh: simulated ranks, digit by digit.   simulate_test.sh [PROGRAMS MISBEHAVING_PROGRAMS]
# shellcheck disable=SC2317  # `expect` calls the functions that nobody seems to call
source "$(dirname "$0")/expect.sh"

here=$repository/tests/jobs/simulate
simulate=$repository/jobs/simulate.sh

# What needs no SimGrid.
run "$simulate" --help
expect "--help succeeds" exited_with 0
expect "--help shows the usage" says "usage: jobs/simulate.sh"
refused() {
  local sentence=$1 words=$2
  shift 2
  run "$simulate" "$@"
  expect "$sentence" exited_with 2
  expect "$sentence, and said why" says "$words"
}
refused "an unknown option is refused" "unknown option '--rank'" --rank 4
refused "a number of ranks that is none is refused" "--ranks 'x' is not a whole number" --ranks 4,x -- matmul --size 4
refused "more ranks than nodes are refused" "1025 ranks with 1 a node do not fit the 1024 nodes of fat-tree" \
  --ranks 1025 -- matmul --size 4
refused "a platform that is not there is refused" "neither fat-tree, dragonfly, ethernet nor a file" \
  --platform hypercube -- matmul --size 4
refused "no problem is refused" "no problem is given" --ranks 4
refused "rates that are not there are refused" "/nowhere' is not a file" --rates nowhere -- matmul --size 4

command -v smpirun > /dev/null || skip "SimGrid is not installed (no smpirun here): jobs/setup.sh --simulate"
(($# == 2)) || skip "SimGrid was not there when this was configured, or the build has sanitizers"
[[ -e $1/duet_simulated.so ]] || skip "$1/duet_simulated.so is not built"
programs=$1
misbehaving=$2

# simulated RANKS PLATFORM OPTION... : the record of one simulation, in $workshop/record.json
simulated() {
  rm -f "$workshop/record.json"
  run "$simulate" --programs "$programs" --rates "$here/rates.json" --json "$workshop/record.json" --ranks "$1" \
    --platform "$2" "${@:3}"
}
# of EXPRESSION: of the last record `r`, in Python.
of() {
  python3 -c '
import json, sys
r = [json.loads(line) for line in open(sys.argv[1])][-1]
print(repr(eval(sys.argv[2])))' "$workshop/record.json" "$1"
}
is() { [[ $(of "$1") == "$2" ]] || { output+=" [$1 is $(of "$1")]" && false; }; }
# Seconds to nine digits: the last ones are those of a clock that began elsewhere.
takes() {
  local seconds
  seconds=$(of 'format(r["seconds"], ".8e")')
  [[ $seconds == "'$1'" ]] || { output+=" [takes $seconds]" && false; }
}

# The seconds of this release of SimGrid; later ones may share links in another way.
golden() {
  local seconds=$1
  shift
  simulated "$@"
  expect "$* is simulated" exited_with 0
  [[ $(smpirun -version 2>&1) != *"version 3.32"* ]] || expect "$* takes $seconds s" takes "$seconds"
}
# The same with answers, which are judged: the time stays the same, but for which of two messages that ask for a link at
# one moment gets it first.
computed() {
  local seconds
  seconds=$(of 'r["seconds"]')
  simulated "${@:1:2}" --compute "${@:3}"
  expect "$* is right" is 'r["outcome"]' "'right'"
  expect "$* takes the same time when it is computed" is "abs(r['seconds'] / $seconds - 1) < 0.005" True
}

golden 1.67849128e-03 4 fat-tree -- matmul --size 512
computed 4 fat-tree -- matmul --size 512

golden 1.11253328e-04 7 fat-tree -- matmul --size 100x211x301 --set panel=17 --set strips=3
computed 7 fat-tree -- matmul --size 100x211x301 --set panel=17 --set strips=3

golden 1.04606366e-04 16 dragonfly -- matmul --size 256
computed 16 dragonfly -- matmul --size 256

golden 1.52056030e-03 3 ethernet -- fib_batch --size 300 --set schedule=longest_first
computed 3 ethernet -- fib_batch --size 300 --set schedule=longest_first

golden 1.98040849e-04 16 fat-tree -- fib_batch --size 3000 --set largest=20000 --set schedule=dynamic
computed 16 fat-tree -- fib_batch --size 3000 --set largest=20000 --set schedule=dynamic

golden 3.57639679e-03 16 ethernet -- fib_batch --size 3000 --set largest=20000 --set schedule=stealing
computed 16 ethernet -- fib_batch --size 3000 --set largest=20000 --set schedule=stealing
expect "every rank and the platform are recorded" is \
  'r["simulated"], r["cell"]["ranks"], r["cell"]["nodes"], len(r["useful_seconds"])' "('ethernet', 16, 16, 16)"

# matmul sends what its header says: on R x C x L ranks, each receives m k / (R L) (1 - 1/C) + k n / (C L) (1 - 1/R) +
# m n / (R C) (1 - 1/L) words.
for ranks in 1 2 4 7 16 64; do
  simulated "$ranks" fat-tree -- matmul --size 1344
  expect "matmul sends what its formula says on $ranks ranks" is 'abs(float(r["facts"]["bytes_per_rank"]) / (8 * 1344 * 1344) - sum(
    (1 / R / L * (1 - 1 / C) + 1 / C / L * (1 - 1 / R) + 1 / R / C * (1 - 1 / L)) * R * C * L / '"$ranks"'
    for R, C, L in [map(int, (r["facts"]["grid"] + "x1").split("x")[:3])])) < 1e-6' True
done

simulated 8 fat-tree --ranks-per-node 4 -- matmul --size 256
expect "ranks share nodes" is 'r["cell"]["nodes"]' 2
simulated 2,4 dragonfly -- fib_batch --size 200
expect "there is a line for each number of ranks" test "$(grep -cE '^ +(2|4) .*not computed$' <<< "$output")" = 2
expect "the base of the efficiency is named" says "time on 2 ranks x 2"

cat > "$workshop/two.xml" << 'TEXT'
<?xml version='1.0'?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1">
  <zone id="two" routing="Full">
    <host id="slow" speed="1Gf"/>
    <host id="fast" speed="2Gf"/>
    <link id="wire" bandwidth="1GBps" latency="1us"/>
    <route src="slow" dst="fast"><link_ctn id="wire"/></route>
  </zone>
</platform>
TEXT
printf 'fast\nslow\n' > "$workshop/fast-first"
# One direction of the same link for two cores that share memory, and for two that do not.
sed -e 's|<link id="wire"[^>]*>|<link id="wire" bandwidth="1GBps" latency="1us" sharing_policy="SPLITDUPLEX"/>|' \
  -e 's|<link_ctn id="wire"/>|<link_ctn id="wire" direction="UP"/>|' -e 's|speed="2Gf"|speed="1Gf"|' \
  "$workshop/two.xml" > "$workshop/wired.xml"
sed -E 's|(<host [^/]*)/>|\1><prop id="memory" value="here"/></host>|' "$workshop/wired.xml" > "$workshop/sharing.xml"
simulated 2 "$workshop/wired.xml" -- matmul --size 512
wired=$(of 'r["seconds"]')
simulated 2 "$workshop/sharing.xml" -- matmul --size 512
expect "what a core copies hides behind no product" is \
  "r['seconds'] > 1.2 * $wired and r['seconds'] > max(r['useful_seconds']) + 4 * 512 * 64 * 8 / 1e9" True
computed 2 "$workshop/sharing.xml" -- matmul --size 512
simulated 4 fat-tree --ranks-per-node 4 -- matmul --size 200 --set panel=17 --set strips=3
computed 4 fat-tree --ranks-per-node 4 -- matmul --size 200 --set panel=17 --set strips=3
simulated 6 fat-tree --ranks-per-node 3 -- matmul --size 300x200x100 --set panel=7
computed 6 fat-tree --ranks-per-node 3 -- matmul --size 300x200x100 --set panel=7

simulated 1 "$workshop/two.xml" --hosts "$workshop/fast-first" -- matmul --size 512
fast=$(of 'r["seconds"]')
printf 'slow\nfast\n' > "$workshop/slow-first"
# One direction of the same link for two cores that share memory, and for two that do not.
sed -e 's|<link id="wire"[^>]*>|<link id="wire" bandwidth="1GBps" latency="1us" sharing_policy="SPLITDUPLEX"/>|' \
  -e 's|<link_ctn id="wire"/>|<link_ctn id="wire" direction="UP"/>|' -e 's|speed="2Gf"|speed="1Gf"|' \
  "$workshop/two.xml" > "$workshop/wired.xml"
sed -E 's|(<host [^/]*)/>|\1><prop id="memory" value="here"/></host>|' "$workshop/wired.xml" > "$workshop/sharing.xml"
simulated 2 "$workshop/wired.xml" -- matmul --size 512
wired=$(of 'r["seconds"]')
simulated 2 "$workshop/sharing.xml" -- matmul --size 512
expect "what a core copies hides behind no product" is \
  "r['seconds'] > 1.2 * $wired and r['seconds'] > max(r['useful_seconds']) + 4 * 512 * 64 * 8 / 1e9" True
computed 2 "$workshop/sharing.xml" -- matmul --size 512
simulated 4 fat-tree --ranks-per-node 4 -- matmul --size 200 --set panel=17 --set strips=3
computed 4 fat-tree --ranks-per-node 4 -- matmul --size 200 --set panel=17 --set strips=3
simulated 6 fat-tree --ranks-per-node 3 -- matmul --size 300x200x100 --set panel=7
computed 6 fat-tree --ranks-per-node 3 -- matmul --size 300x200x100 --set panel=7

simulated 1 "$workshop/two.xml" --hosts "$workshop/slow-first" -- matmul --size 512
expect "a core of 2 Gf computes twice as fast" is "abs(r['seconds'] / $fast - 2) < 1e-3" True
expect "a platform file is called by its name" is 'r["simulated"]' "'two'"

simulated 4 fat-tree -- matmul --size 64 --set panels=3
expect "a setting that is not there is a wrong option" exited_with 2
expect "by its name" says "matmul in mpi has no 'panels'"
expect "and records nothing" test ! -e "$workshop/record.json"
simulated 4 fat-tree -- matmul --size 64 --set grid=3
expect "a tunable that cannot serve is a wrong option" exited_with 2
expect "and says why" says "3 rows do not divide 4 ranks"
simulated 4 fat-tree -- nonesuch --size 64
expect "an unknown problem is a wrong option" exited_with 2
expect "with those there are" says "matmul, stencil"

run "$simulate" --check --programs "$programs" --platform dragonfly --ranks 4
expect "--check finds the simulator" exited_with 0
run "$simulate" --check --programs "$workshop"
expect "--check misses it where it is not built" exited_with 1
expect "and says what builds it" says "has no duet_simulated.so, which jobs/simulate.sh --calibrate builds"

# A study, and its simulation with rates of this machine, as it calls itself.
study=$workshop/study
if [[ -x $programs/duet ]]; then
  run "$programs/duet" compare matmul fib_batch --sizes 64 --models serial --rounds 1 --quiet -o "$study"
  expect "a study is measured" exited_with 0
  python3 - "$here/rates.json" "$study" <<'PYTHON'
import json, sys
machine = json.load(open(sys.argv[2] + "/study.json"))["machine"]
rates = json.load(open(sys.argv[1]))
rates["machine"] = machine["host"] + ", " + machine["processor"]
json.dump(rates, open(sys.argv[2] + "/rates.json", "w"))
PYTHON
  cp "$study/trials.jsonl" "$workshop/before.jsonl"
  run "$programs/duet" compare -o "$study" --resume --quiet --simulate --simulator "$simulate" --simulate-ranks 4,16 \
    --simulate-sizes matmul=448
  expect "and simulated" exited_with 0
  expect "in one line" says "simulated $study/simulated.jsonl (4 on fat-tree, 4 to 16 ranks)"
  expect "its measurements are as before" cmp -s "$study/trials.jsonl" "$workshop/before.jsonl"
  cp "$study/simulated.jsonl" "$workshop/record.json"
  expect "what was asked is simulated" is '{(t["cell"]["problem"], t["cell"]["size"], t["cell"]["ranks"], t["outcome"])
    for t in map(json.loads, open(sys.argv[1]))} == {(problem, size, ranks, "modelled")
    for problem, size in (("matmul", "448"), ("fib_batch", "64")) for ranks in (4, 16)}' True
  run "$programs/duet" compare -o "$study" --resume --quiet --simulate --simulator "$simulate" --simulate-ranks 4,16 \
    --simulate-sizes matmul=448 --dry-run
  expect "and nothing twice" says_not "--rates"
fi

# smpirun ends with 0 after a deadlock and after MPI_Abort.
misbehave() { run "$simulate" --programs "$misbehaving" --rates "$here/rates.json" --ranks 2 "${@:2}" -- "$1" --size 1; }
misbehave deadlock
expect "a deadlock fails" exited_with 1
expect "and is called so" says "2 ranks on fat-tree: the ranks wait for each other (deadlock)"
misbehave abort
expect "MPI_Abort fails" exited_with 1
misbehave spin --deadline 2
expect "what does not end is ended" exited_with 1
expect "and says after how long" says "no end within 2 s"
misbehave nothing
expect "no answer fails" exited_with 1
expect "and says so" says "and no answer"
misbehave wrong
expect "a wrong answer fails" exited_with 1
expect "in words" says "wrong: C(1, 2) is 3"
finish
