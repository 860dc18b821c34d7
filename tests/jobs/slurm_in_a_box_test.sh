#!/usr/bin/env bash
# slurm_in_a_box_test.sh DUET RANK_PLACES: jobs and steps on two nodes.
# shellcheck disable=SC2016,SC2317  # shells of the box expand it; `expect` calls the functions
source "$(dirname "$0")/expect.sh"
source "$(dirname "$0")/box.sh"
slurm=$repository/jobs/slurm-in-a-box.sh
duet=$1 rank_places=$2

up_or_end "$slurm" up 2 --cores 2
cd "$workshop" || exit 1
submit() {
  run "$slurm" run -- sbatch --parsable --output=job.out "$@"
  expect "a job is taken: $*" exited_with 0
  job=$output
}
wait_for() { run in_time 100 "$slurm" wait "$job" "${1:-60}"; }

run in_time 60 "$slurm" run -- srun --mpi=pmix --nodes=2 --ntasks=4 "$rank_places"
expect "srun starts ranks on the nodes" exited_with 0
expect "which share memory within a node" test "$(grep -cE '^[0-3] n[12] 2$' <<< "$output")" = 4
for problem in matmul fib_batch; do
  run in_time 100 "$slurm" run -- srun --mpi=pmix --nodes=2 --ntasks=2 "$duet" run "$problem" --model mpi --size 300 \
    --repeat 2 --oversubscribe
  expect "$problem is right on 2 nodes under srun" exited_with 0
done
if (($(nproc) > 1)); then
  run "$slurm" run -- srun --mpi=pmix --nodes=2 --ntasks=2 "$duet" run matmul --model mpi --size 300 --json trials.jsonl
  expect "nodes that share this machine's cores do not all take the first" test \
    "$(grep -o '"core":[0-9]*' trials.jsonl | sort -u | wc -l)" = 2
fi

cat > job.sh << 'TEXT'
#!/bin/bash
#SBATCH --nodes=2 --ntasks-per-node=2 --time=5
mpirun "$@"
TEXT
submit job.sh "$rank_places"
wait_for
expect "mpirun in a job ends well" exited_with 0
expect "and the job's state is told" test "$output" = COMPLETED
expect "with two ranks on each node" test "$(grep -cE '^[0-3] n[12] 2$' job.out)" = 4
submit job.sh "$duet" run matmul --model mpi --size 300 --repeat 2 --oversubscribe
wait_for
expect "matmul is right under mpirun in a job" exited_with 0

submit --wrap 'exit 5'
wait_for
expect "a job that fails is told" test "$output" = FAILED
expect "by the exit status" exited_with 1
submit --array=0-3 --wrap 'echo done > task.$SLURM_ARRAY_TASK_ID'
wait_for
expect "an array ends with its last job" test "$output" = COMPLETED
expect "each of which ran" test "$(cat task.[0-3] | wc -l)" = 4

submit --wrap 'sleep 1000'
wait_for 1
expect "wait gives up in time" exited_with 124
run "$slurm" run -- scancel "$job"
wait_for
expect "a job can be cancelled" test "$output" = CANCELLED
run "$slurm" wait 4711
expect "a job that does not exist is told" says "job '4711'"

# Its ports are open in the box, and nowhere else.
run bash -c 'echo > /dev/tcp/127.0.0.1/6817'
expect "nothing listens on this machine" test "$status" -ne 0

submit --wrap 'exec sleep 1001'
kill -KILL "$(cut -d ' ' -f 1 /tmp/duet-"$DUET_BOX".*/keeper "${XDG_RUNTIME_DIR:-/nonesuch}"/duet-"$DUET_BOX".*/keeper 2> /dev/null)"
expect "nothing is left of a box that is killed" eventually nothing_left
slurm_daemons() { pgrep -f "slurm(ctld|d).*$DUET_BOX" > /dev/null; }
expect "no daemon either" eventually eval '! slurm_daemons'

run "$slurm" --help
expect "--help shows the usage" says "usage: jobs/slurm-in-a-box.sh up N"
run "$slurm" nonesuch
expect "an unknown word is refused" says "unknown word 'nonesuch'"
finish
