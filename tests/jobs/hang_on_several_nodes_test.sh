#!/usr/bin/env bash
# hang_on_several_nodes_test.sh DUET_MISBEHAVING: ranks of two hosts that wait for each other.
# shellcheck disable=SC2317  # `expect` calls the functions that nobody seems to call
source "$(dirname "$0")/expect.sh"
source "$(dirname "$0")/box.sh"
misbehaving=$1

up_or_end "$cluster" up 2
# Even ranks are on n1, odd ones on n2.
job() {
  local ranks=$1 how=$2
  shift 2
  in_time 60 "$cluster" run -- mpirun -n "$ranks" "$misbehaving" run misbehave --model mpi --oversubscribe --repeat 1 \
    --warm-up 0 --set how="$how" "$@"
}
told_once() { [[ $(grep -c '^duet: .*no progress' <<< "$output") == 1 ]]; }

run job 4 receive_first --deadline 1s --json "$workshop/trials"
expect "a cycle over two hosts ends the job" exited_with 4
expect "it is told once" told_once
expect "the cycle goes through both hosts" says "wait cycle: rank 0 -> rank 3 -> rank 2 -> rank 1 -> rank 0"
for rank in 0 1 2 3; do
  expect "rank $rank is described" says "rank $rank, for "
done
expect "nothing of it is unknown" says_not "of other nodes"
expect "the trial is recorded" grep -q '"kind":"cycle"' "$workshop/trials"

run job 3 send_first --deadline 1s
expect "sends that wait for each other on hosts with two ranks and with one end the job" exited_with 4
expect "they are told once" told_once
expect "with the way round" says "wait cycle: rank 0 -> rank 1 -> rank 2 -> rank 0"

run job 4 mismatch --deadline 1s
expect "collectives that do not match on two hosts end the job" exited_with 4
expect "they are told once" told_once
expect "with both calls" says "rank 0 is in MPI_Barrier, rank 1 in MPI_Bcast (root 0), on the same communicator of 4 ranks"

run job 4 hang --deadline 1s --set rank=3
expect "a rank that sleeps ends the job" exited_with 4
expect "it is told once" told_once
expect "and named to the others" says "rank 0 waits for rank 3 in MPI_Barrier"

run job 4 compute --deadline 1s --set pause=6000
expect "a rank that computes is waited for by a host that stands still" exited_with 0
expect "which says so once" told_once
expect "and goes on" says "it goes on, as ranks of other nodes may compute"

run "$cluster" down
expect "nothing is left" eventually nothing_left
finish
