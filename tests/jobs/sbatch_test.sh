#!/usr/bin/env bash
# sbatch_test.sh DUET: jobs/*.sbatch as a user submits them, to SLURM on two nodes.
source "$(dirname "$0")/expect.sh"
source "$(dirname "$0")/box.sh"
source "$(dirname "$0")/submit.sh"
export DUET=$1
duet=$1
# Small, and on any number of cores.
small=(--rounds 2 --workers "1,2" --oversubscribe)

submit_and_wait -N 2 "$jobs/compare.sbatch" matmul --sizes 64 "${small[@]}"
expect "a comparison ends well" completed
expect "in a folder that is named after it" test -s duet-compare-matmul-2-nodes/report.html
expect "with every cell once in each round" counted "$(cells 10 8) 2" duet-compare-matmul-2-nodes
expect "its ranks are started by srun" grep -q '"launcher": "srun' duet-compare-matmul-2-nodes/study.json
submit_and_wait -N 2 "$jobs/compare.sbatch" matmul --sizes 64 "${small[@]}"
expect "a finished study is not done again" says "the study in duet-compare-matmul-2-nodes is finished, and stays as it is"
expect "with what to do instead" says "-o DIR begins another one"
expect "and this is no failure" completed
expect "nor changed" counted "$(cells 10 8) 2" duet-compare-matmul-2-nodes

submit_and_wait -N 2 "$jobs/compare.sbatch" matmul --sizes 64 "${small[@]}" --models "mpi,hybrid" --launcher mpirun -o by_mpirun
expect "mpirun starts the ranks as well" completed
expect "with every cell once in each round" counted "$(cells 5 3) 2" by_mpirun
expect "it is named in the record" grep -q '"launcher": ".*mpi[a-z]* --bind-to none' by_mpirun/study.json

mkdir -p without_pmix
printf '#!/bin/bash\n[[ $* == --mpi=list ]] && echo none && exit\nexec %q "$@"\n' "$(type -P srun)" > without_pmix/srun
chmod +x without_pmix/srun
PATH=$PWD/without_pmix:$PATH submit_and_wait -N 2 "$jobs/compare.sbatch" matmul --sizes 64 "${small[@]}" --models mpi -o no_pmix
expect "where srun has no PMIx, mpirun is taken, and that is said" says \
  "duet: ranks are started by mpirun: srun has no PMIx (srun --mpi=list)"
expect "and it works" completed

submit_and_wait -N 2 "$jobs/strong_scaling.sbatch" matmul --size 64 "${small[@]}"
expect "strong scaling ends well" completed
expect "with every cell once in each round" counted "$(cells 9 8) 2" duet-strong-scaling-matmul-2-nodes
submit_and_wait -N 2 "$jobs/weak_scaling.sbatch" fib_batch --size 64 "${small[@]}"
expect "weak scaling ends well" completed
expect "with every cell once in each round" counted "$(cells 9 8) 2" duet-weak-scaling-fib_batch-2-nodes

# ---- one cell, for every split of ranks and threads
submit_and_wait -N 2 --ntasks-per-node=2 "$jobs/run.sbatch" matmul --model mpi --size 100 --oversubscribe
expect "a run ends well" completed
expect "with a rank for each task" says "model mpi, 4 ranks x 1 thread"
expect "two of them on the other node" test "$(grep -c '^rank [23] thread 0 on n2' <<< "$output")" = 2
submit_and_wait -N 2 --ntasks-per-node=1 --cpus-per-task=2 "$jobs/run.sbatch" matmul --model hybrid --size 100 --oversubscribe
expect "teams have a thread for each core of a task" says "model hybrid, 2 ranks x 2 threads"
expect "on both nodes" test "$(grep -c '^rank 1 thread [01] on n2' <<< "$output")" = 2
PATH=$PWD/without_pmix:$PATH submit_and_wait -N 2 --ntasks-per-node=1 --cpus-per-task=2 "$jobs/run.sbatch" matmul \
  --model hybrid --size 100 --oversubscribe
expect "so they have under mpirun" test "$(grep -c '^rank 1 thread [01] on n2' <<< "$output")" = 2
submit_and_wait --cpus-per-task=2 "$jobs/run.sbatch" fib_batch --model openmp --size 32 --oversubscribe
expect "so has a shared-memory model" says "1 rank x 2 threads"

# ---- an array; left alone, parts on a busy machine may each measure another library as the fastest, which makes other cells
small+=(--models "serial,openmp,mpi" --set local_kernel=duet)
submit -N 1 --array=0-2 "$jobs/compare.sbatch" matmul fib_batch --sizes "matmul=64,96" --sizes "fib_batch=32" "${small[@]}" -o parts
wait_for
expect "an array of jobs ends well" test "$output" = COMPLETED
expect "each job has measured a part" test "$(find parts -name trials.jsonl | wc -l)" = 3
run "$duet" report parts
expect "the parts are read as one study" exited_with 0
expect "with all sizes of the first problem" test "$(grep -cE '^(64|96) ' <<< "$output")" -ge 2
expect "and the second problem" says "fib_batch on 2 workers"
expect "of which nothing is missing" says_not "missing"
expect "the last job has written the same" test -s parts/report.html
expect "every cell is in one part, once in each round" counted "15 2" parts/part-*
run "$duet" report parts/part-1-of-3 parts/part-2-of-3 --terminal-only
expect "what is missing is said" says "of 3 parts 1 is missing: 3"
run "$duet" report parts/part-1-of-3 duet-compare-matmul-2-nodes
expect "strangers are refused" exited_with 2
expect "in one line" test "$(wc -l <<< "$output")" = 1
submit -N 1 --array=1-2 "$jobs/strong_scaling.sbatch" matmul --size 64 "${small[@]}" -o strong_parts
wait_for
expect "scaling is divided as well" test "$output" = COMPLETED
run "$duet" report strong_parts
expect "by models, with the serial base in each part" counted "5 2" strong_parts/part-*
finish
