#!/usr/bin/env bash
# What jobs/*.sbatch run inside a job of SLURM: `in_a_job.sh compare|strong_scaling|weak_scaling|run WORD...`.
#
# It becomes duet, so that the signal which SLURM sends before the time is up goes to duet itself, and once: a script in
# between would pass on what duet, when a job is cancelled, has got already.
set -euo pipefail

what=$1
shift
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
duet=${DUET:-$repository/build/bin/duet}

say() { echo "$what.sbatch: $*" >&2; }
die() { say "$@" && exit 2; }

[[ -n ${SLURM_JOB_ID:-} ]] || die "this is no job of SLURM: submit it, as in sbatch -N 2 jobs/$what.sbatch"
if [[ ! -f $duet || ! -x $duet ]]; then
  [[ -z ${DUET:-} ]] || die "DUET=$DUET is no program"
  die "$duet is not built: run $repository/jobs/build.sh, or set DUET to a duet that is elsewhere"
fi

# value_of OPTION WORD...: its value among the words.
value_of() {
  local option=$1 value=''
  shift
  while (($# > 0)); do
    case $1 in
      "$option") value=${2:-} ;;
      "$option="*) value=${1#*=} ;;
    esac
    shift
  done
  echo "$value"
}

# One cell: a rank a task, and as many threads as a task has cores.
run() {
  local options=() start=()
  case $(value_of --model "$@") in
    mpi) mpirun_or_srun ;;
    hybrid) mpirun_or_srun && take_cores "$@" ;;
    serial) ;;
    *) take_cores "$@" ;;
  esac
  exec "${start[@]}" "$duet" run "$@" "${options[@]}"
}
mpirun_or_srun() {
  local words
  words=$("$duet" launcher --ranks "${SLURM_NTASKS:-${SLURM_JOB_NUM_NODES:-1}}") || exit
  mapfile -t start <<< "$words"
}
take_cores() {
  [[ -z ${SLURM_CPUS_PER_TASK:-} || -n $(value_of --threads "$@") ]] || options=(--threads "$SLURM_CPUS_PER_TASK")
}

# A study, begun or continued; in a job of an array, a part of one.
study() {
  local folder words=() named=duet-${what/_/-} problems=true options=() part
  while (($# > 0)); do
    case $1 in
      -o | --output) folder=${2:-} && shift ;;
      -o?*) folder=${1#-o} ;;
      --output=*) folder=${1#*=} ;;
      *)
        [[ $1 != -* ]] || problems=false
        ! $problems || named+=-$1
        words+=("$1")
        ;;
    esac
    shift || true
  done
  folder=${folder:-$named-${SLURM_JOB_NUM_NODES:-1}-nodes}

  part=$(value_of --part "${words[@]}")
  if [[ -z $part && ${SLURM_ARRAY_TASK_COUNT:-1} -gt 1 ]]; then
    part=$(((SLURM_ARRAY_TASK_ID - SLURM_ARRAY_TASK_MIN) / ${SLURM_ARRAY_TASK_STEP:-1} + 1))/$SLURM_ARRAY_TASK_COUNT
    options=(--part "$part")
  fi
  local mine=$folder
  [[ -z $part ]] || mine+=/part-${part/\//-of-}

  if grep -qsE '^  "ending": "(complete|budget)"' "$mine/study.json"; then
    say "the study in $mine is finished, and stays as it is: \`duet report $folder\` shows it, -o DIR begins another one"
    exit 0
  elif [[ -e $mine/study.json ]]; then
    say "job $SLURM_JOB_ID goes on with the study in $mine"
    options+=(--resume)
  else
    say "job $SLURM_JOB_ID begins a study in $mine; cut short, it goes on when the same line is submitted again"
  fi
  case $what in
    compare) exec "$duet" compare "${words[@]}" "${options[@]}" -o "$mine" ;;
    *) exec "$duet" scale "${words[@]}" "--${what%_scaling}" "${options[@]}" -o "$mine" ;;
  esac
}

case $what in
  run) run "$@" ;;
  compare | strong_scaling | weak_scaling) study "$@" ;;
  *) die "there is no such job; there are compare, strong_scaling, weak_scaling and run" ;;
esac
