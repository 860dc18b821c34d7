#!/usr/bin/env bash
# cluster_in_a_box_test.sh DUET RANK_PLACES HOSTS: what mpirun and duet do on that many hosts.
# shellcheck disable=SC2016,SC2317  # shells of the box expand it; `expect` calls the functions
source "$(dirname "$0")/expect.sh"
source "$(dirname "$0")/box.sh"
duet=$1 rank_places=$2 hosts=$3
other_hosts=$((hosts == 2 ? 4 : 2))

up_or_end "$cluster" up "$hosts"
run "$cluster" status
expect "its status tells what it is" says "$hosts hosts"
run "$cluster" up "$other_hosts"
expect "a second one of the same name is refused" exited_with 1
expect "with what is up" says "is up: $hosts hosts"
other=$DUET_BOX-other
DUET_BOX=$other run in_time 60 "$cluster" up 2
expect "one of another name is not" exited_with 0
DUET_BOX=$other run "$cluster" run --on n2 -- hostname
expect "and has hosts of its own" test "$output" = n2
DUET_BOX=$other run "$cluster" down
expect "which end alone" exited_with 0

run "$cluster" run -- sh -c 'hostname; wc -l < "$DUET_HOSTS"; exit 7'
expect "a command runs on the head, and finds the hosts" test "$output" = "head"$'\n'"$hosts"
expect "its exit status is told" exited_with 7
run "$cluster" run -- pwd
expect "in the same folder" test "$output" = "$PWD"
run "$cluster" run --on "n$hosts" -- sh -c 'hostname; cat /etc/hostname; ls /dev/shm; ps -e | wc -l'
expect "a host has a name, shared memory and processes of its own" test "$(head -n 2 <<< "$output" | sort -u)" = "n$hosts"
expect "few of them" test "$(tail -n 1 <<< "$output")" -lt 10
run "$cluster" run -- ip -4 -oneline address show
expect "nothing of the real network is seen" test "$(wc -l <<< "$output")" = 2

# Ranks are dealt out to the hosts in turn: two on each.
ranks=$((2 * hosts))
places() { "$cluster" run -- timeout 60 mpirun -n "$ranks" "$rank_places" 2> /dev/null; }
run places
expect "ranks start on the hosts" exited_with 0
expect "all of them" test "$(wc -l <<< "$output")" = "$ranks"
for ((i = 0; i < ranks; ++i)); do
  expect "rank $i shares memory with the other rank of its host, and no other" says "$i n$((i % hosts + 1)) 2"
done
run "$cluster" run -- sh -c 'exec timeout 60 sh -c "exec mpirun -n 2 true"'
expect "so they do where a program of the command starts mpirun" exited_with 0

for problem in matmul fib_batch; do
  for model in mpi hybrid; do
    run in_time 100 "$cluster" run -- mpirun -n "$hosts" "$duet" run "$problem" --model "$model" --size 300 --threads 1 \
      --repeat 2 --oversubscribe
    expect "$problem in the model $model is right on $hosts hosts" exited_with 0
  done
done
run in_time 100 "$cluster" run -- mpirun -n "$ranks" "$duet" run matmul --model mpi --size 301 --oversubscribe
expect "matmul is right on $ranks ranks of $hosts hosts" exited_with 0

# Bad luck.
run "$cluster" run --on "n9" -- true
expect "an unknown host is named" says "there is no host 'n9'; there are n1 to n$hosts"
run "$cluster" link "n$hosts" down
expect "a cable is pulled" exited_with 0
reach_last_host() { "$cluster" run -- timeout 2 bash -c 'echo > /dev/tcp/10.77.0.'"$hosts"'/9' 2>&1; }
run reach_last_host
expect "the host is silent" exited_with 124
run "$cluster" link "n$hosts" up
expect "and plugged in again" exited_with 0
answers() { [[ $(reach_last_host) == *refused* ]]; }
expect "the host answers" eventually answers
run "$cluster" crash "n$hosts"
expect "a host crashes" exited_with 0
run in_time 60 "$cluster" run -- mpirun -n "$hosts" "$rank_places"
expect "mpirun then fails" test "$status" -ne 0
expect "and the host that is down is named" says "host n$hosts is down"
run in_time 60 "$cluster" run -- mpirun -n 1 --host n1 "$rank_places"
expect "the others live on" exited_with 0

run "$cluster" down
expect "it ends" exited_with 0
expect "and leaves nothing" eventually nothing_left
run "$cluster" run -- true
expect "without a box, run says how to make one" says "up 4 makes one"

for words in "up" "up 1" "up 9" "up two" "up 2 3" "up 2 --latency 50" "up 2 --rate fast" "up 2 --cores 0" "up 2 --what" \
  "up 2 --latency" "run" "run hostname" "link n1" "crash" "nonesuch"; do
  # shellcheck disable=SC2086  # words
  run "$cluster" $words
  expect "'$words' is refused" exited_with 1
  expect "'$words' is refused with one line" test "$(wc -l <<< "$output")" = 1
done
run "$cluster" --help
expect "--help shows the usage" says "usage: jobs/cluster-in-a-box.sh up N"
expect "and succeeds" exited_with 0
finish
