#!/usr/bin/env bash
# SLURM in a box: a real slurmctld on the head and a real slurmd on each host of a cluster in a box.
set -euo pipefail

self=$(readlink -f "${BASH_SOURCE[0]}")
cluster=$(dirname "$self")/cluster-in-a-box.sh
export DUET_BOX=${DUET_BOX:-slurm}

usage() {
  cat <<'TEXT'
usage: jobs/slurm-in-a-box.sh up N [--latency TIME] [--rate RATE] [--cores C]   N nodes, 2 to 8: n1, n2, ...
       jobs/slurm-in-a-box.sh run [--on NODE] -- COMMAND...                     on the login node, or on NODE
       jobs/slurm-in-a-box.sh wait JOB [SECONDS]                                until JOB has ended, or 600 seconds
       jobs/slurm-in-a-box.sh status
       jobs/slurm-in-a-box.sh link NODE up|down                                 plug or pull its cable
       jobs/slurm-in-a-box.sh crash NODE                                        the node dies
       jobs/slurm-in-a-box.sh down                                              ends it; nothing is left

A SLURM of its own, for trying job scripts on the nodes of a cluster in a box (jobs/cluster-in-a-box.sh --help says what
those are, and what the options mean). Nothing of it is seen outside. `srun --mpi=pmix` and, inside a job, `mpirun` work.
Each node has C processors, 2 or more unless --cores says otherwise, and 1 GB of memory to ask for.

`wait` prints the state in which the job ended (COMPLETED, FAILED, TIMEOUT, ...); its exit status is 0 for COMPLETED, 1 for
another end, and 124 where the job has not ended in time. A job array has ended with its last job.

Needs root, and SLURM (jobs/setup.sh --box); exit status 77 without.

examples:
  jobs/slurm-in-a-box.sh up 2
  job=$(jobs/slurm-in-a-box.sh run -- sbatch --parsable -N 2 --wrap 'srun --mpi=pmix build/bin/duet run matmul --model mpi')
  jobs/slurm-in-a-box.sh wait "$job" && cat "slurm-$job.out"
  jobs/slurm-in-a-box.sh down
TEXT
}

die() {
  echo "slurm-in-a-box.sh: $*" >&2
  exit 1
}

cannot() {
  echo "slurm-in-a-box.sh: $*" >&2
  exit 77
}

up() {
  local tool argument hosts='' cores='' available
  for tool in slurmctld slurmd srun sbatch; do
    type -P "$tool" > /dev/null || cannot "there is no $tool here; jobs/setup.sh --box installs what is missing"
  done
  ((EUID == 0)) || cannot "needs root: SLURM's daemons drop their groups, which user namespaces do not allow"
  for argument in "$@"; do
    [[ ! $argument =~ ^[2-8]$ || -n $hosts ]] || hosts=$argument
    [[ $argument != --cores* ]] || cores=given
  done
  # A node of one processor shows nothing of how a job script splits ranks and threads.
  if [[ -z $cores && -n $hosts ]]; then
    available=$(nproc)
    set -- "$@" --cores "$((available / hosts > 2 ? available / hosts : 2))"
  fi
  exec "$cluster" up "$@" --complete "$self"
}

# On the head, as the last step of making the box: `complete HOSTS CORES`.
complete() {
  local hosts=$1 cores=$2 state=$DUET_BOX_STATE i idle
  mkdir "$state/slurm"
  {
    cat << TEXT
ClusterName=box
SlurmctldHost=head(10.77.0.250)
SlurmUser=root
SlurmdUser=root
# Only the box can reach it: there is nobody to authenticate.
AuthType=auth/none
CredType=cred/none
# A requeued job waits until its credential has expired; less than 5 seconds is not taken.
AuthInfo=cred_expire=5
# What a node writes is in its own /dev/shm, and goes with it.
SlurmdSpoolDir=/dev/shm/slurmd
TmpFS=/dev/shm
SlurmdPidFile=/dev/shm/slurmd.pid
SlurmdLogFile=$state/slurm/slurmd.%n.log
StateSaveLocation=$state/slurm
SlurmctldPidFile=$state/slurm/slurmctld.pid
SlurmctldLogFile=$state/slurm/slurmctld.log
JobCompType=jobcomp/filetxt
JobCompLoc=$state/slurm/jobs
# No cgroups: processes are found by their parents.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
MpiDefault=pmix
# As many processors as are asked for, whatever the machine has.
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
JobRequeue=1
ReturnToService=2
KillWait=2
MinJobAge=3600
SlurmctldTimeout=30
SlurmdTimeout=10
PropagateResourceLimits=NONE
MailProg=/bin/true
TEXT
    for ((i = 1; i <= hosts; ++i)); do
      echo "NodeName=n$i NodeAddr=10.77.0.$i CPUs=$cores CoresPerSocket=$cores RealMemory=1000 State=UNKNOWN"
    done
    echo "PartitionName=box Nodes=ALL Default=YES MaxTime=INFINITE State=UP"
  } > "$state/slurm.conf"
  export SLURM_CONF=$state/slurm.conf

  slurmctld -c > "$state/slurm/output" 2>&1 || complain
  for ((i = 1; i <= hosts; ++i)); do
    "$state/rsh" "n$i" "mkdir -p /dev/shm/slurmd && SLURM_CONF=$SLURM_CONF slurmd -N n$i -c" >> "$state/slurm/output" 2>&1 ||
      complain
  done
  for ((i = 0; i < 400; ++i)); do
    idle=$(sinfo --noheader --states=idle --format=%D 2> /dev/null) || idle=0
    [[ $idle != "$hosts" ]] || return 0
    sleep 0.05
  done
  complain
}

# What the daemons said, where they do not come up.
complain() {
  tail -n 5 "$DUET_BOX_STATE/slurm/output" "$DUET_BOX_STATE"/slurm/*.log >&2 || true
  die "SLURM did not come up"
}

# In the box: `await JOB SECONDS`.
await() {
  local job=$1 seconds=$2 text state states
  SECONDS=0
  while :; do
    text=$(scontrol --oneliner show job "$job" 2>&1) || die "job '$job': ${text%%$'\n'*}"
    mapfile -t states < <(grep -o 'JobState=[A-Z_]*' <<< "$text" | sort -u)
    state=
    for text in "${states[@]#JobState=}"; do
      case $text in
        PENDING | RUNNING | SUSPENDED | COMPLETING | CONFIGURING | REQUEUED | REQUEUE_HOLD | REQUEUE_FED | RESIZING | SIGNALING | \
          STAGE_OUT | STOPPED) state= && break ;;
        COMPLETED) state=${state:-COMPLETED} ;;
        *) state=$text ;;
      esac
    done
    if [[ -n $state ]]; then
      echo "$state"
      [[ $state == COMPLETED ]]
      exit
    fi
    if ((SECONDS >= seconds)); then
      echo "slurm-in-a-box.sh: job $job has not ended after $seconds seconds: ${states[*]#JobState=}" >&2
      exit 124
    fi
    sleep 0.1
  done
}

case ${1:-} in
  -h | --help) usage ;;
  up) up "${@:2}" ;;
  run | status | link | crash | down) exec "$cluster" "$@" ;;
  wait)
    [[ $# -ge 2 && $# -le 3 && ${3:-600} =~ ^[0-9]+$ ]] || die "wait JOB [SECONDS] is expected"
    exec "$cluster" run -- "$self" --await "$2" "${3:-600}"
    ;;
  --complete) complete "${@:2}" ;;
  --await) await "${@:2}" ;;
  '')
    usage >&2
    exit 1
    ;;
  *) die "unknown word '$1'; there are up, run, wait, status, link, crash, down and --help" ;;
esac
