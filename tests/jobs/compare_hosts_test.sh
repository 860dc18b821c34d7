#!/usr/bin/env bash
# compare_hosts_test.sh DUET: a comparison across hosts, and what befalls it.
# shellcheck disable=SC2016,SC2154,SC2317  # shells of the box expand it; `expect` calls the functions
source "$(dirname "$0")/expect.sh"
source "$(dirname "$0")/box.sh"
(($(nproc) > 1)) || skip "one core may be used, and two workers on one node are set against two nodes"
cp "$1" "$workshop/duet"
duet=$workshop/duet
export duet workshop

# in_box WORD...: duet on the head, in the workshop.
in_box() { in_time 200 "$cluster" run -- sh -c 'cd "$workshop" && exec "$duet" "$@"' duet "$@"; }
# What the trials of a folder say, by a line of Python over `trials`.
of_trials() { python3 -c 'import json,sys; from statistics import median; trials=[json.loads(l) for l in open(sys.argv[1])]; print('"$2"')' "$workshop/$1/trials.jsonl"; }
with_hosts() { "$cluster" run -- sh -c 'cp "$DUET_HOSTS" "$workshop/hosts"'; }

# Two hosts of two cores each: on two workers, one node is set against two.
up_or_end "$cluster" up 2 --cores 2
with_hosts
run in_box compare matmul fib_batch --hosts hosts --sizes matmul=96 --sizes fib_batch=50 --workers 1,2 --rounds 6 \
  --quiet -o two
expect "a study on two hosts ends well" exited_with 0
# Which of them wins is for the machine of the day to say; and of which problem, where its host moves cores about and a
# cell of the other has no trial that counts.
verdict_on() { tr -s '\n ' ' ' <<< "$output" | grep -qiE "(matmul|fib_batch): .{0,160}($1)"; }
expect "it sets one node against two" verdict_on "keeping to one node|spreading over 2 nodes"
expect "and shared state against messages on one" verdict_on "shared state|message passing"
expect "every answer is right" test "$(of_trials two 'all(t["outcome"]=="right" for t in trials)')" = True
expect "cells on two nodes have a rank on each" test \
  "$(of_trials two 'sorted({tuple(sorted(p["host"] for p in t["places"])) for t in trials if t["cell"]["nodes"]==2})')" = \
  "[('n1', 'n2')]"
expect "all others ran on the first" test \
  "$(of_trials two 'sorted({p["host"] for t in trials if t["cell"]["nodes"]==1 for p in t["places"]})')" = "['n1']"
expect "what went between the nodes is counted" test \
  "$(of_trials two 'all((t["traffic"]["received_between_nodes"]["bytes"]>0)==(t["cell"]["nodes"]==2) for t in trials if t["cell"]["problem"]=="matmul" and t["cell"]["model"]=="mpi" and t["cell"]["ranks"]==2)')" = True
expect "the nodes are on record" grep -q '"latency_seconds"' "$workshop/two/study.json"
expect "the question to the nodes is gone" test ! -e "$workshop/two/nodes.jsonl"
run in_box compare matmul --hosts hosts --sizes 96 --workers 2 --dry-run -o dry
expect "a dry run prints the launches" says "--host n1:1,n2:1 -n 2"
expect "beginning with the question to the nodes" says "duet node --json"
expect "and leaves no folder" test ! -e "$workshop/dry"

# Interrupted and resumed, a study has exactly the launches of one that was not.
"$cluster" run -- sh -c 'cd "$workshop" && exec timeout --signal=INT 4 "$duet" compare matmul --hosts hosts --sizes 96,128 --workers 2 --rounds 3 --quiet -o cut' \
  > /dev/null 2>&1
run in_box compare -o cut --hosts hosts --resume --quiet matmul
expect "an interrupted study goes on" exited_with 0
expect "and has each cell three times" test \
  "$(of_trials cut 'sorted({(i, len({t["launch"] for t in trials if json.dumps(t["cell"])==i})) for i in {json.dumps(t["cell"]) for t in trials}}, key=str)' | grep -o ', [0-9]*)' | sort -u)" = ", 3)"

# What is wrong is said before anything is measured, in one line.
refused() { # SENTENCE SAYS WORD...
  run in_box compare matmul --sizes 96 --workers 2 --rounds 1 --quiet -o refused "${@:3}"
  expect "$1: status" exited_with 2
  expect "$1: what is said" says "$2"
  expect "$1: one line" test "$(grep -vc '^duet: warning' <<< "$output")" = 1
  expect "$1: nothing is left" test ! -e "$workshop/refused"
}
echo "n1 slot=2" > "$workshop/typo"
refused "a typo in the host file" "typo:1: 'slot=2' is not understood" --hosts typo
printf 'n1 slots=2\nn9 slots=2\n' > "$workshop/unknown"
refused "an unknown host" "host n9 cannot be used" --hosts unknown
printf 'n1 slots=2\nn2 slots=4096\n' > "$workshop/slots"
refused "more slots than cores" "host n2 is given 4096 slots" --hosts slots
refused "a file that is not there" "nowhere: No such file" --hosts nowhere
refused "more nodes than hosts" "--nodes 3: this job has 2 nodes" --hosts hosts --nodes 3
refused "more workers than cores" "--workers 64: this job may use 4 cores of 2 nodes" --hosts hosts --workers 64
run in_box compare matmul --hosts hosts --sizes 96 --workers 2 --rounds 1 --quiet -o "/dev/shm/not-shared"
expect "a folder that the hosts do not share is refused" exited_with 2
expect "with the reason" says "is not on a file system that this machine shares with the nodes"

# Another build on one of the nodes.
cp "$duet" "$workshop/another"
echo >> "$workshop/another"
if "$cluster" run --on n2 -- mount --bind "$workshop/another" "$duet" 2> /dev/null; then
  refused "another build on a node" "duet on n2 is another build than here" --hosts hosts
  "$cluster" run --on n2 -- umount "$duet"
fi

# A host that dies in the middle: what was measured is kept, the rest is reported, and nothing hangs.
in_box compare matmul --hosts hosts --sizes 96 --workers 2 --rounds 12 --time-limit 10 --quiet -o dies > "$workshop/out" 2>&1 &
study=$!
has_two_nodes() { grep -q '"nodes":2' "$workshop/dies/trials.jsonl" 2> /dev/null; }
expect "the study has begun" eventually has_two_nodes
"$cluster" crash n2
wait "$study"
status=$? output=$(cat "$workshop/out")
expect "a study that loses a host ends" exited_with 3
expect "it tells what failed" says "nodes=2"
expect "cells of the other host have all their rounds" test \
  "$(of_trials dies 'len({t["round"] for t in trials if t["cell"]["model"]=="openmp" and t["outcome"]=="right"})')" = 12
refused "a host that is down" "host n2 cannot be used" --hosts hosts
run "$cluster" down

# A slow network: what goes between nodes decides.
run in_time 100 "$cluster" up 2 --cores 2 --latency 2ms --rate 100mbit
if ((status == 0)); then
  with_hosts
  run in_box compare matmul --models mpi --hosts hosts --sizes 512 --workers 2 --rounds 12 --quiet -o slow
  expect "on a slow network one node wins" test \
    "$(of_trials slow 'median(t["seconds"] for t in trials if t["cell"]["nodes"]==1) < median(t["seconds"] for t in trials if t["cell"]["nodes"]==2)')" = True
  expect "and the verdict speaks of nodes" verdict_on "keeping to one node|spreading over 2 nodes"
  run "$cluster" down
fi

# Four hosts.
up_or_end "$cluster" up 4
with_hosts
run in_box compare matmul fib_batch --models serial,mpi --hosts hosts --sizes matmul=96 --sizes fib_batch=50 --rounds 2 --quiet -o four
expect "a study on four hosts ends well" exited_with 0
# More workers than this machine has cores, though each host has its own: that is marked, and fewer are not.
cores=$(nproc)
expect "workers of several hosts on one core are marked" test \
  "$(of_trials four '{t["cell"]["nodes"]>'"$cores"' for t in trials if "oversubscribed" in t["marks"]}')" = \
  "$([[ $cores -lt 4 ]] && echo '{True}' || echo 'set()')"
expect "with right answers on 1, 2 and 4 of them" test \
  "$(of_trials four 'sorted({t["cell"]["nodes"] for t in trials if t["outcome"]=="right"})')" = "[1, 2, 4]"
run "$cluster" down
finish
