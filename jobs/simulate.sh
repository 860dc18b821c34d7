#!/usr/bin/env bash
# The message-passing kernels on machines that are described and not there: SimGrid's SMPI says what the messages cost,
# rates measured here what the computing costs (drivers/simulate/simulation.hpp says what that is worth).
set -euo pipefail
from=$PWD
cd "$(dirname "$0")/.."

usage() {
  cat <<'TEXT'
usage: jobs/simulate.sh [OPTION...] -- PROBLEM --size N [--set NAME=VALUE]... [--seed X]
       jobs/simulate.sh --calibrate | --check

Runs the code of matmul or fib_batch in the model mpi, unchanged, on as many simulated ranks as asked, and prints the
simulated time and the parallel efficiency for each number of ranks. Nothing is computed, and matrices take no memory:
--size 65536 on 1024 ranks takes seconds. The same question gives the same figures to the last bit.

  --ranks LIST         numbers of ranks (4,16,64,256,1024)
  --platform WHICH     fat-tree (the default), dragonfly, ethernet: 1024 nodes each, described in jobs/platforms/; or a
                       platform file of SimGrid, in which a core of speed 1Gf computes as a core of this machine does
  --ranks-per-node K   ranks on one node (1)
  --hosts FILE         the hosts of a platform file that ranks 0, 1, ... run on, a line each (its own order)
  --compute            compute besides, in memory, and verify the answers: for small sizes
  --rates FILE         what computing costs (measured when first needed, and kept in build/simulate/rates.json)
  --json FILE          append a trial for each number of ranks, a line each
  --deadline SECONDS   give up a simulation after so long (600)
  --programs FOLDER    take the programs built in there (they are built into build/ otherwise)
  --calibrate          measure this machine's rates, and messages between two of its cores; write rates.json and
                       this-machine.xml into build/simulate/ (or --output FOLDER); then simulate matmul on 2 ranks of
                       this machine and print how far that is from what was measured
                       (messages and products count while nobody else has the cores: up to two minutes)
  --oversubscribe      calibrate also where there is one core
  --check              only say whether the simulator is there and takes the options

examples:
  jobs/simulate.sh --calibrate
  jobs/simulate.sh -- matmul --size 65536
  jobs/simulate.sh --ranks 16,64 --platform ethernet -- matmul --size 8192 --set panel=128
  jobs/simulate.sh --ranks 8 --compute -- fib_batch --size 2000 --set schedule=stealing
  build/bin/duet compare matmul --simulate
  jobs/simulate.sh --json duet-report/simulated.jsonl -- matmul --size 65536 && build/bin/duet report duet-report

The last two draw simulated times in the report of a study, marked as such and outside its verdicts.
Needs libsimgrid-dev: jobs/setup.sh --simulate. Exit status: 0 all simulated, and right where they were computed; 1 not
all; 2 a wrong option.
TEXT
}

fail() {
  echo "simulate.sh: $1" >&2
  exit "${2:-1}"
}
wrong_option() { fail "$1; jobs/simulate.sh --help says what there is" 2; }
# A path as the caller meant it.
path_of() { [[ $1 == /* ]] && echo "$1" || echo "$from/$1"; }
whole_number() { [[ $2 =~ ^[1-9][0-9]{0,6}$ ]] || wrong_option "$1 '$2' is not a whole number of 1 or more"; }

ranks_list=4,16,64,256,1024
platform=fat-tree
ranks_per_node=1
hosts=
compute=()
rates=
json=
deadline=600
programs=
calibrate=false
check=false
output=build/simulate
oversubscribe=()
while (($# > 0)); do
  case $1 in
    --ranks | --platform | --ranks-per-node | --hosts | --rates | --json | --deadline | --programs | --output)
      (($# > 1)) || wrong_option "$1 needs a value"
      case $1 in
        --ranks) ranks_list=$2 ;;
        --platform) platform=$2 ;;
        --ranks-per-node) ranks_per_node=$2 ;;
        --hosts) hosts=$(path_of "$2") ;;
        --rates) rates=$(path_of "$2") ;;
        --json) json=$(path_of "$2") ;;
        --deadline) deadline=$2 ;;
        --programs) programs=$(path_of "$2") ;;
        --output) output=$(path_of "$2") ;;
      esac
      shift
      ;;
    --compute) compute=(--compute) ;;
    --calibrate) calibrate=true ;;
    --check) check=true ;;
    --oversubscribe) oversubscribe=(--oversubscribe) ;;
    -h | --help) usage && exit 0 ;;
    --) shift && break ;;
    *) wrong_option "unknown option '$1' (the problem stands behind --)" ;;
  esac
  shift
done
question=("$@")

whole_number --ranks-per-node "$ranks_per_node"
whole_number --deadline "$deadline"
IFS=, read -r -a all_ranks <<< "$ranks_list"
((${#all_ranks[@]} > 0)) || wrong_option "--ranks is empty"
for ranks in "${all_ranks[@]}"; do whole_number --ranks "$ranks"; done

nodes=0 # 0: as many as the file has
case $platform in
  fat-tree | dragonfly | ethernet)
    platform_file=jobs/platforms/$platform.xml
    nodes=1024
    [[ -z $hosts ]] || wrong_option "--hosts goes with a platform file"
    ;;
  *)
    platform_file=$(path_of "$platform")
    [[ -f $platform_file ]] || wrong_option "--platform '$platform' is neither fat-tree, dragonfly, ethernet nor a file"
    platform=$(basename "$platform" .xml)
    ((ranks_per_node == 1)) || wrong_option "--ranks-per-node goes with the platforms that have names; use --hosts"
    [[ -z $hosts || -f $hosts ]] || wrong_option "--hosts '$hosts' is not a file"
    ;;
esac
for ranks in "${all_ranks[@]}"; do
  ((nodes == 0 || (ranks + ranks_per_node - 1) / ranks_per_node <= nodes)) ||
    wrong_option "$ranks ranks with $ranks_per_node a node do not fit the $nodes nodes of $platform"
done
$calibrate || $check || ((${#question[@]} > 0)) || wrong_option "no problem is given: -- matmul --size 65536, say"
! $calibrate || ((${#question[@]} == 0)) || wrong_option "--calibrate takes no problem"
[[ -z $rates || -f $rates ]] || wrong_option "--rates '$rates' is not a file"

command -v smpirun > /dev/null ||
  fail "SimGrid is not installed (no smpirun here): jobs/setup.sh --simulate, then jobs/simulate.sh --calibrate"
# A file that is not there, in words that say how to get it.
built() {
  [[ -e $programs/$1 ]] || fail "'$programs' has no $1, which jobs/simulate.sh --calibrate builds in build/bin"
}
if $check; then
  [[ -n $programs ]] || programs=build/bin
  built duet_simulated.so
  built duet_calibrate
  exit 0
fi

scratch=$(mktemp -d -t duet-simulate.XXXXXX)
child=
clean_up() {
  [[ -z $child ]] || kill "$child" 2> /dev/null || true
  rm -rf "$scratch"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# Runs a command in the background with its whole output in a file, so that a signal is heard at once.
run_into() {
  local log=$1 status=0
  shift
  "$@" > "$log" 2>&1 < /dev/null &
  child=$!
  wait "$child" || status=$?
  child=
  return "$status"
}

build() {
  local log=build/simulate.log launcher=()
  mkdir -p build
  ! command -v ccache > /dev/null || launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  echo "simulate: building (build/simulate.log)" >&2
  # SimGrid may have been installed since the last configuration.
  if ! run_into "$log" cmake --preset default "${launcher[@]}" ||
    ! run_into "$log" cmake --build --preset default --parallel "$(nproc)" --target duet_simulated duet_calibrate; then
    tail -n 30 "$log" >&2
    fail "building failed; the whole output is in $log"
  fi
}
if [[ -z $programs ]]; then
  build
  programs=build/bin
fi
built duet_simulated.so

# What one simulation said, on one line, into `said`: fails with a reason, since smpirun ends with 0 on a deadlock.
said=
simulate_on() {
  local ranks=$1 file=$2 name=$3 log=$scratch/log status=0 placement=() factors=()
  shift 3
  if ((nodes > 0)); then
    for ((rank = 0; rank < ranks; ++rank)); do echo "node-$((rank / ranks_per_node))"; done > "$scratch/hosts"
    placement=(-hostfile "$scratch/hosts")
  elif [[ -n $hosts ]]; then
    placement=(-hostfile "$hosts")
  fi
  # A link is as fast as it is described, unless the description brings factors of its own.
  grep -q smpi/bw-factor "$file" || factors+=(--cfg=smpi/bw-factor:0:1)
  grep -q smpi/lat-factor "$file" || factors+=(--cfg=smpi/lat-factor:0:1)
  # Asking whether a message is here takes a core 0.1 us; SMPI's own presets are 100 us.
  run_into "$log" timeout -k 5 "$deadline" smpirun -np "$ranks" -platform "$file" "${placement[@]}" -no-privatize \
    --cfg=smpi/simulate-computation:no --cfg=smpi/test:1e-7 --cfg=smpi/iprobe:1e-7 "${factors[@]}" \
    --cfg=smpi/shared-malloc:global --log=root.thresh:warning \
    "$programs/duet_simulated.so" --platform "$name" "$@" || status=$?
  said=$(grep '^duet_simulated [0-9]' "$log" || true)
  local reason=
  if ((status == 124 || status == 137)); then
    reason="no end within $deadline s; --deadline sets another limit"
  elif grep -qi 'deadlock' "$log"; then
    reason="the ranks wait for each other (deadlock): $(grep -i -m 1 -A 3 'deadlock' "$log" | tr '\n' ' ')"
  elif grep -q '^duet_simulated: ' "$log"; then
    reason=$(sed -n 's/^duet_simulated: //p' "$log" | head -n 1)
    ((status != 2)) || fail "$reason" 2
  elif grep -q 'MPI_Abort' "$log"; then
    reason="a rank called MPI_Abort: $(grep -m 1 'MPI_Abort' "$log")"
  elif [[ -z $said ]] || { ((status != 0)) && [[ $said != *wrong* ]]; }; then
    tail -n 20 "$log" >&2
    reason="smpirun ended with status $status and no answer (its last lines stand above)"
  fi
  [[ -z $reason ]] || fail "$ranks ranks on $name: $reason"
}

measure_here() {
  local as_root=() yielding=() said_here=$scratch/calibration
  # Two ranks on one core: the one that waits must let the other one have it.
  ((${#oversubscribe[@]} == 0)) || yielding=(--mca mpi_yield_when_idle 1)
  built duet_calibrate
  command -v mpirun > /dev/null || fail "there is no mpirun here to measure with: jobs/setup.sh"
  ((EUID != 0)) || as_root=(env OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1)
  if ! run_into "$said_here" "${as_root[@]}" timeout -k 5 "$deadline" mpirun -n 2 --bind-to none \
    "${yielding[@]}" "${oversubscribe[@]}" "$programs/duet_calibrate" "$output" "${oversubscribe[@]}" "$@"; then
    tail -n 10 "$said_here" >&2
    fail "measuring this machine failed: $(sed -n 's/^duet_calibrate: //p' "$said_here" | head -n 1)"
  fi
}

if $calibrate; then
  sizes=(256 512 1024 2048 4096)
  echo "simulate: measuring this machine: half a minute, and up to two where others use its cores" >&2
  measure_here "${sizes[@]}"
  grep -v '^duet_measured' "$scratch/calibration"
  echo "written: $output/rates.json, $output/this-machine.xml"
  echo
  echo "matmul on 2 ranks of this machine: the median of the trials that nobody disturbed, and simulated"
  nodes=0 hosts=
  for size in "${sizes[@]}"; do
    simulate_on 2 "$output/this-machine.xml" this-machine --rates "$output/rates.json" matmul --size "$size"
    echo "simulated $size $(cut -d ' ' -f 3 <<< "$said")" >> "$scratch/calibration"
  done
  awk '
    BEGIN { printf "%8s %12s %12s %10s  %s\n", "n", "measured", "simulated", "deviation", "trials" }
    $1 == "duet_measured" { measured[$2] = $3; undisturbed[$2] = $4; all[$2] = $5; share[$2] = $6 }
    $1 == "simulated" {
      deviation = $3 / measured[$2] - 1
      printf "%8d %9.2f ms %9.2f ms %+9.1f%%  ", $2, 1000 * measured[$2], 1000 * $3, 100 * deviation
      if (undisturbed[$2] == 0) {
        printf "0 of %d: others had %.0f%% of a core, measured is too long\n", all[$2], 100 * (1 - share[$2])
        next
      }
      printf "%d of %d\n", undisturbed[$2], all[$2]
      if (!sure || (deviation < 0 ? -deviation : deviation) > (worst < 0 ? -worst : worst)) {
        worst = deviation
        at = $2
      }
      sure = 1
    }
    END {
      if (sure) printf "largest deviation: %+.1f%%, at n = %d\n", 100 * worst, at
      else print "no trial was undisturbed: calibrate again when the cores are free"
    }' "$scratch/calibration"
  exit 0
fi

if [[ -z $rates ]]; then
  rates=$output/rates.json
  if [[ ! -f $rates ]]; then
    echo "simulate: measuring what computing costs here, once ($rates)" >&2
    measure_here
  fi
fi
arguments=(--rates "$rates" "${compute[@]}")
if [[ -n $json ]]; then
  [[ -d $(dirname "$json") ]] || fail "--json '$json': there is no folder '$(dirname "$json")'" 2
  arguments+=(--json "$json")
fi

print_head() {
  echo "${question[*]}, mpi, simulated on $platform, ranks on a node: $ranks_per_node; computing as $rates says"
  printf '%6s %12s %11s %8s %14s %12s  %s\n' ranks time efficiency useful messages/rank bytes/rank answer
}
base_ranks=
base_seconds=
all_right=true
for ranks in "${all_ranks[@]}"; do
  simulate_on "$ranks" "$platform_file" "$platform" "${arguments[@]}" "${question[@]}"
  read -r _ _ seconds _ <<< "$said"
  [[ -n $base_ranks ]] || print_head
  : "${base_ranks:=$ranks}" "${base_seconds:=$seconds}"
  awk -v base_ranks="$base_ranks" -v base_seconds="$base_seconds" '
    function time_text(s) {
      return s >= 1 ? sprintf("%.4g s", s) : s >= 1e-3 ? sprintf("%.4g ms", 1e3 * s) : sprintf("%.4g us", 1e6 * s)
    }
    function bytes_text(b) {
      return b >= 1e9 ? sprintf("%.3g GB", b / 1e9) : b >= 1e6 ? sprintf("%.3g MB", b / 1e6) : \
        b >= 1e3 ? sprintf("%.3g kB", b / 1e3) : sprintf("%d B", b)
    }
    { answer = $7; for (i = 8; i <= NF; ++i) answer = answer " " $i
      efficiency = $3 > 0 ? base_seconds * base_ranks / ($3 * $2) : 0
      printf "%6d %12s %11.3f %7.1f%% %14.1f %12s  %s\n", $2, time_text($3), efficiency, 100 * $4, $5,
        bytes_text($6), answer == "modelled" ? "not computed" : answer }' <<< "$said"
  [[ $said != *wrong* ]] || all_right=false
done
echo "efficiency: time on $base_ranks ranks x $base_ranks / (time x ranks);" \
  "useful: share of the ranks' time that they compute"
$all_right || fail "not every answer is right"
