#!/usr/bin/env bash
# hang_on_several_nodes_test.sh DUET_MISBEHAVING: ranks of two hosts that wait for each other.
# shellcheck disable=SC2317  # `expect` calls the functions that nobody seems to call
source "$(dirname "$0")/expect.sh"
source "$(dirname "$0")/box.sh"
misbehaving=$1
slurm=$repository/jobs/slurm-in-a-box.sh

# Even ranks are on n1, odd ones on n2.
# shellcheck disable=SC2034  # `hangs_end` takes one of the two
by_mpirun=("$cluster" run -- mpirun -n)
# Ranks share cores, and let each other have them: mpirun sees to that itself.
# shellcheck disable=SC2034
by_srun=("$slurm" run -- env OMPI_MCA_mpi_yield_when_idle=1 srun --mpi=pmix --nodes=2 --distribution=cyclic --ntasks)

job() {
  local ranks=$1 how=$2
  shift 2
  in_time 60 "${start[@]}" "$ranks" "$misbehaving" run misbehave --model mpi --oversubscribe --repeat 1 --warm-up 0 \
    --set how="$how" "$@"
}
told_once() { [[ $(grep -c '^duet: .*no progress' <<< "$output") == 1 ]]; }

hangs_end() {
  local launcher=$1 rank
  local -n start=by_$launcher
  run job 4 receive_first --deadline 1s --json "$workshop/$launcher.trials"
  expect "$launcher: a cycle over two hosts ends the job" exited_with 4
  expect "$launcher: it is told once" told_once
  expect "$launcher: the cycle goes through both hosts" says "wait cycle: rank 0 -> rank 3 -> rank 2 -> rank 1 -> rank 0"
  for rank in 0 1 2 3; do
    expect "$launcher: rank $rank is described" says "rank $rank, for "
  done
  expect "$launcher: nothing of it is unknown" says_not "of other nodes"
  expect "$launcher: the trial is recorded" grep -q '"kind":"cycle"' "$workshop/$launcher.trials"

  run job 3 send_first --deadline 1s
  expect "$launcher: sends that wait for each other on hosts with two ranks and with one end the job" exited_with 4
  expect "$launcher: they are told once" told_once
  expect "$launcher: with the way round" says "wait cycle: rank 0 -> rank 1 -> rank 2 -> rank 0"

  run job 4 mismatch --deadline 1s
  expect "$launcher: collectives that do not match on two hosts end the job" exited_with 4
  expect "$launcher: they are told once" told_once
  expect "$launcher: with both calls" says "rank 0 is in MPI_Barrier, rank 1 in MPI_Bcast (root 0), on the same communicator of 4 ranks"

  run job 4 hang --deadline 1s --set rank=3
  expect "$launcher: a rank that sleeps ends the job" exited_with 4
  expect "$launcher: it is told once" told_once
  expect "$launcher: and named to the others" says "rank 0 waits for rank 3 in MPI_Barrier"

  run job 4 compute --deadline 1s --set pause=6000
  expect "$launcher: a rank that computes is waited for by a host that stands still" exited_with 0
  expect "$launcher: which says so once" told_once
  expect "$launcher: and goes on" says "it goes on, as ranks of other nodes may compute"
}

up_or_end "$cluster" up 2
hangs_end mpirun
run "$cluster" down
expect "nothing is left" eventually nothing_left
up_or_end "$slurm" up 2 --cores 2
hangs_end srun
printf 'n1\nn2\nn2\n' > "$workshop/hosts"
# shellcheck disable=SC2034  # `job` takes it
start=("$slurm" run -- env SLURM_HOSTFILE="$workshop/hosts" srun --mpi=pmix --nodes=2 --distribution=arbitrary --ntasks)
run job 3 two_stuck_one_computes --deadline 1s
expect "two ranks of a node that can never go on end a third one on another" exited_with 4
expect "which is told once" told_once
expect "with their cycle" says "wait cycle: rank 1 -> rank 2 -> rank 1"
finish
