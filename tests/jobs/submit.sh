# Sourced by the tests of jobs/*.sbatch, after expect.sh and box.sh: SLURM on two nodes, and jobs in it.
# shellcheck shell=bash disable=SC2034,SC2154  # the tests use what this sets; expect.sh and box.sh set what it does not

slurm=$repository/jobs/slurm-in-a-box.sh
jobs=$repository/jobs

up_or_end "$slurm" up 2 --cores 2
cd "$workshop" || exit 1

# Each sets `output`: submit to the job's number, which is `job`; wait_for to the state in which it ended; submit_and_wait
# to what the job said, and `state`.
submit() {
  run "$slurm" run -- sbatch --parsable --output=%A.out "$@"
  expect "a job is taken: $*" exited_with 0
  job=$output
}
wait_for() { run in_time 100 "$slurm" wait "$job" 90; }
submit_and_wait() {
  submit "$@"
  wait_for
  state=$output
  run cat "$job.out"
}
completed() { [[ $state == COMPLETED ]]; }
# cells TWO ONE: how many a study has where a node has two cores, or this machine has but one.
cells() { (($(nproc) > 1)) && echo "$1" || echo "$2"; }
# counted "CELLS ROUNDS" FOLDER...: every cell was launched exactly once in each round, and its answers are right.
counted() { [[ $("$repository/tests/jobs/count_trials.py" "${@:2}") == "$1" ]]; }
