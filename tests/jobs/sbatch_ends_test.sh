#!/usr/bin/env bash
# sbatch_ends_test.sh MISBEHAVING: jobs that are cut short, and what else can happen to them.
# shellcheck disable=SC2016,SC2317  # shells of the box expand it; `expect` calls the functions
source "$(dirname "$0")/expect.sh"
source "$(dirname "$0")/box.sh"
source "$(dirname "$0")/submit.sh"
misbehaving=$1
export DUET=$misbehaving

# Eight cells in three rounds: two workers are on one node, and on two; six where a node has but one core.
study=(steady --models "serial,mpi" --sizes "3,4" --rounds 3 --workers "1,2" --oversubscribe --set pause=40)
has_trials() { [[ -e $1/trials.jsonl ]] && (($(wc -l < "$1/trials.jsonl") >= $2)); }
submit_and_cut() {
  rm -rf "$folder"
  submit -N 2 "$jobs/compare.sbatch" "${study[@]}" -o "$folder"
  expect "the study begins" eventually has_trials "$folder" 6
  run "$slurm" run -- "$@" "$job"
}
folder=by_limit
submit_and_cut scancel --batch --signal=TERM
wait_for
expect "the signal of the time limit ends the job" test "$output" = FAILED
run cat "$job.out"
expect "which says so" says "duet: interrupted; "
expect "and writes a report" test -s by_limit/report.html
expect "with the status of an interruption" eval '"$slurm" run -- scontrol show job "$job" | grep -q ExitCode=130:0'
submit_and_wait -N 1 "$jobs/compare.sbatch" "${study[@]}" -o by_limit
expect "it is not continued on another number of nodes" says "begun on nodes = 2, and here there are 1 (sbatch -N 2)"
submit_and_wait -N 2 "$jobs/compare.sbatch" "${study[@]}" -o by_limit
expect "submitted again, it goes on" says "goes on with the study in by_limit"
expect "to its end" completed
expect "with exactly the planned trials" counted "$(cells 8 6) 3" by_limit

folder=by_cancel
submit_and_cut scancel
wait_for
expect "a job is cancelled" test "$output" = CANCELLED
submit_and_wait -N 2 "$jobs/compare.sbatch" "${study[@]}" -o by_cancel
expect "and goes on in another one" completed
expect "with exactly the planned trials: no launch that was cancelled counts" counted "$(cells 8 6) 3" by_cancel

folder=by_requeue
submit_and_cut scontrol requeue
wait_for
expect "a job that is put back into the queue ends well" test "$output" = COMPLETED
run cat "$job.out"
expect "it goes on by itself" says "goes on with the study in by_requeue"
expect "with exactly the planned trials" counted "$(cells 8 6) 3" by_requeue

# ---- bad luck
for launcher in srun mpirun; do
  submit_and_wait -N 2 "$jobs/compare.sbatch" misbehave --models mpi --workers 4 --oversubscribe --sizes 3 --rounds 1 \
    --set how=die --set rank=3 --set when=1 --launcher "$launcher" -o "dead_$launcher"
  # The others may die of its death, and be told first.
  expect "a rank that is killed on another node is named, under $launcher" grep -qE \
    '^duet: .*: failed: a rank died by .*rank 3 on n2( by signal 9|$)' <<< "$output"
  expect "and the job fails" test "$state" = FAILED
done
submit_and_wait -N 2 "$jobs/compare.sbatch" misbehave --models mpi --workers 4 --oversubscribe --sizes 3 --rounds 1 \
  --set how=stop --set rank=3 --set when=1 --time-limit 3s -o hung
expect "a rank that hangs on another node has a deadline" says "hung: no end within 3 s; was in trial 1: executing"

cat > twice.sh << TEXT
#!/bin/bash
#SBATCH --nodes=2 --exclusive --time=5
"$misbehaving" compare ${study[@]} --quiet -o first &
until [[ -s first/study.json ]]; do sleep 0.05; done
"$misbehaving" compare --quiet -o first --resume
"$misbehaving" compare steady --models serial --sizes 3 --rounds 1 --quiet -o second
wait
TEXT
submit_and_wait twice.sh
expect "a second study in one allocation is told that there is another" says "another study is running on this machine"
expect "and it is kept out of its folder" says "first: another duet is measuring into this folder now"
expect "both end" completed

unset DUET
submit_and_wait "$jobs/compare.sbatch" "${study[@]}" -o nowhere
if [[ ! -x $repository/build/bin/duet ]]; then
  expect "what is not built is told" says "compare.sbatch: $repository/build/bin/duet is not built: run $repository/jobs/build.sh"
  expect "in one line" test "$(wc -l <<< "$output")" = 1
fi
DUET=/nonesuch submit_and_wait "$jobs/run.sbatch" matmul
expect "so is a program that is not there" test "$output" = "run.sbatch: DUET=/nonesuch is no program"
mkdir -p elsewhere && cp "$jobs/compare.sbatch" elsewhere
submit_and_wait elsewhere/compare.sbatch
expect "a script that was copied away says where it belongs" says "no repository of Duet in"
run bash "$jobs/compare.sbatch"
expect "outside a job it is told how to submit" says "submit"

# The last, since the node does not come back.
export DUET=$misbehaving
folder=by_crash
rm -rf "$folder"
submit -N 2 "$jobs/compare.sbatch" steady --models mpi --sizes "3,4" --rounds 30 --workers 4 --oversubscribe \
  --time-limit 5s -o "$folder"
expect "the study begins" eventually has_trials "$folder" 4
run "$slurm" crash n2
put_back() { "$slurm" run -- scontrol show job "$job" | grep -q Restarts=1; }
for _ in {1..40}; do
  ! put_back || break
  sleep 1
done
expect "a job that loses a node is put back into the queue" put_back
run cat "$job.out"
expect "until then its study waits, and says so" says "waiting for it, or for SLURM to end the job"
expect "and keeps no launch that failed for that" eval '! grep -q "\"outcome\":\"\(failed\|hung\)\"" by_crash/trials.jsonl'
finish
