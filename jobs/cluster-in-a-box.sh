#!/usr/bin/env bash
# A cluster in a box: 2 to 8 hosts on one machine, each in namespaces of its own, between which OpenMPI speaks TCP.
#
#   this machine
#   +-- the janitor: waits for the box to end and removes its state folder
#       +-- the head, in net, uts, pid, ipc and mount namespaces; its pid 1 (the keeper) holds all that follows
#           +-- host n1, in namespaces of its own inside, with its own pid 1
#           +-- host n2 ...
#           +-- the network: a bridge, or virtual_switch, which delays frames and limits their rate
#
# When the keeper ends, for whatever reason, the kernel ends everything inside.
set -euo pipefail

self=$(readlink -f "${BASH_SOURCE[0]}")
project=$(dirname "$(dirname "$self")")
box=${DUET_BOX:-box}
network=10.77.0 # nobody outside sees it
most_hosts=8

usage() {
  cat <<'TEXT'
usage: jobs/cluster-in-a-box.sh up N [--latency TIME] [--rate RATE] [--cores C]   N hosts, 2 to 8: n1, n2, ...
       jobs/cluster-in-a-box.sh run [--on HOST] -- COMMAND...                     on the head, or on HOST
       jobs/cluster-in-a-box.sh status                                           what is up, and what was measured
       jobs/cluster-in-a-box.sh link HOST up|down                                plug or pull its cable
       jobs/cluster-in-a-box.sh crash HOST                                       the host dies
       jobs/cluster-in-a-box.sh down                                             ends it; nothing is left

Hosts on this machine with names, addresses, processes and shared memory of their own. They share its files and
processors, and reach nothing but each other. `run` finds all set up for OpenMPI: mpirun puts ranks on the hosts in turn
(the list is in the file $DUET_HOSTS), over TCP between hosts and over shared memory inside one.

  --latency TIME   one way, beyond that of a plain bridge: 50us, 2ms. Calibrated, and what was reached is printed
  --rate RATE      of each host's link in each direction: 10gbit, 100mbit
  --cores C        each host has (slots in $DUET_HOSTS). The machine's cores are dealt out in turn, C to a host, and a
                   core twice only where there are too few. Default: all cores / N, at least 1

Without --latency and --rate the network is a plain bridge, which is the fastest. The environment variable DUET_BOX names
the box ("box"), for several at once. Needs root or unprivileged user namespaces; exit status 77 where there are neither.

examples:
  jobs/cluster-in-a-box.sh up 4 --latency 50us --rate 10gbit
  jobs/cluster-in-a-box.sh run -- mpirun -n 4 build/bin/duet run matmul --model mpi --size 2048
  jobs/cluster-in-a-box.sh run -- sh -c 'build/bin/duet compare matmul --hosts "$DUET_HOSTS"'
  jobs/cluster-in-a-box.sh down
TEXT
}

complain() { echo "cluster-in-a-box.sh: $*" >&2; }
die() { complain "$@" && exit 1; }
cannot() { complain "$@" && exit 77; }

[[ $box =~ ^[A-Za-z0-9_-]{1,32}$ ]] || die "DUET_BOX='$box' is no name: letters, digits, '-' and '_' are expected"

# ---- finding the box

# When process $1 was started, in clock ticks since boot: with its number, the process and no later one.
started() {
  local line words
  read -r line 2> /dev/null < "/proc/$1/stat" || return 1
  read -r -a words <<< "${line##*) }"
  echo "${words[19]}"
}

# lives FILE: the process that FILE names, "PID STARTED", is running.
lives() {
  local pid start
  read -r pid start 2> /dev/null < "$1" && [[ $(started "$pid") == "$start" ]]
}

# The folders in which state folders are: the user's own first.
places() {
  [[ -z ${XDG_RUNTIME_DIR:-} || ! -d $XDG_RUNTIME_DIR || ! -w $XDG_RUNTIME_DIR ]] || echo "$XDG_RUNTIME_DIR"
  echo /tmp
}

# State folders of boxes of this name and user. Names are not trusted in /tmp: a folder has to be this user's, closed to
# others, and no link.
state_folders() {
  local place folder
  while read -r place; do
    for folder in "$place/duet-$box".????????; do
      [[ -d $folder && ! -L $folder && -O $folder && $(stat --format %a "$folder") == 700 ]] && echo "$folder"
    done
  done < <(places)
  return 0
}

# Sets `state` to the folder of the box that is up; false where none is.
find_box() {
  while read -r state; do
    if [[ -e $state/ready ]] && lives "$state/keeper"; then return 0; fi
  done < <(state_folders)
  return 1
}
need_box() { find_box || die "no box called '$box' is up; jobs/cluster-in-a-box.sh up 4 makes one"; }

# remove FOLDER: ends the box of which it is, if that lives, and removes it.
remove() {
  local pid _
  if lives "$1/keeper"; then
    read -r pid _ < "$1/keeper"
    kill -KILL "$pid" 2> /dev/null || true
    for _ in {1..500}; do
      lives "$1/keeper" || break
      sleep 0.01
    done
  fi
  rm -rf -- "$1"
}

# ---- entering it

# The words that enter the namespaces of the head, from outside.
enter_head() {
  local pid _
  read -r pid _ < "$state/keeper"
  enter=(nsenter --target "$pid" --mount --net --uts --ipc --pid)
  [[ $(readlink "/proc/$pid/ns/user") == "$(readlink /proc/self/ns/user)" ]] ||
    enter+=(--user --preserve-credentials)
}

# inside WORD ARGUMENT...: this script's function WORD, on the head, in this folder. Its end is told to the command.
inside() {
  enter_head
  exec "${enter[@]}" setpriv --pdeathsig TERM bash "$self" --inside "$state" "$PWD" "$@"
}

# What every command on the head finds. Parameters that only tune are left to the caller, if he sets them.
set_environment() {
  local tuning parameters=(hwloc_base_binding_policy=none mpi_yield_when_idle=1 pml=ob1 "osc=sm,pt2pt"
    odls_base_sigkill_timeout=0)
  export DUET_HOSTS=$state/hosts DUET_BOX_STATE=$state
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  export OMPI_MCA_oob_tcp_if_include=eth0 OMPI_MCA_btl_tcp_if_include=eth0
  # /dev/shm is each host's own: what a killed mpirun leaves there goes with the box.
  export OMPI_MCA_orte_tmpdir_base=/dev/shm
  if [[ -e $state/slurm.conf ]]; then
    # Jobs learn from SLURM where their ranks go and how many there may be.
    export SLURM_CONF=$state/slurm.conf
  else
    # No sshd: hosts are entered from the head, and only from there.
    export OMPI_MCA_plm_rsh_agent=$state/rsh OMPI_MCA_plm_rsh_no_tree_spawn=1
    export OMPI_MCA_orte_default_hostfile=$state/hosts
    parameters+=(rmaps_base_mapping_policy=node rmaps_base_oversubscribe=1)
  fi
  for tuning in "${parameters[@]}"; do
    [[ -v OMPI_MCA_${tuning%%=*} ]] || export "OMPI_MCA_$tuning"
  done
}

# pid_of HOST: of its pid 1, as the head sees it; checked.
pid_of() {
  local hosts pid
  [[ $1 == head ]] && echo 1 && return
  read -r hosts < "$state/count"
  [[ $1 =~ ^n([1-8])$ && ${BASH_REMATCH[1]} -le $hosts ]] || die "there is no host '$1'; there are n1 to n$hosts"
  read -r pid _ < "$state/$1.pid"
  lives "$state/$1.pid" || die "host $1 is down"
  echo "$pid"
}

# on HOST COMMAND...: becomes COMMAND on HOST, with the host's cores.
on() {
  local host=$1 pid
  shift
  pid=$(pid_of "$host")
  # shellcheck disable=SC2016  # the inner bash expands it
  exec taskset --cpu-list "$(< "$state/$host.cores")" nsenter --target "$pid" --mount --net --uts --ipc --pid \
    setpriv --pdeathsig TERM bash -c 'cd -- "$1" 2> /dev/null || cd /; shift; exec "$@"' bash "$PWD" "$@"
}

# ---- what runs inside

# A host's pid 1.
be_host() {
  local name=$1 pid
  # /proc is still the head's: this is the number that the head knows.
  read -r pid _ < /proc/self/stat
  pid="$pid $(started "$pid")"
  hostname "$name"
  mount -t proc proc /proc
  mount -t tmpfs -o mode=1777 tmpfs /dev/shm
  echo "$name" > "$state/$name.hostname"
  mount --bind "$state/$name.hostname" /etc/hostname
  ip link set lo up
  echo "$pid" > "$state/$name.pid.new"
  mv "$state/$name.pid.new" "$state/$name.pid"
  stay
}

# Bash takes in the orphans that come to pid 1.
stay() {
  trap '' TERM INT HUP
  while :; do
    sleep infinity &
    wait "$!" || true
  done
}

address_of() { if [[ $1 == head ]]; then echo "$network.250"; else echo "$network.${1#n}"; fi; }

# in_network HOST COMMAND...: COMMAND of the head, with the network of HOST.
in_network() {
  local pid
  pid=$(pid_of "$1")
  nsenter --target "$pid" --net "${@:2}"
}

# give_address HOST: to its eth0, which is then up.
give_address() {
  in_network "$1" ip address add "$(address_of "$1")/24" dev eth0
  in_network "$1" ip link set eth0 up
}

# A bridge between all hosts; on the head it is eth0 itself.
make_bridge() {
  local name pid
  # An address of its own: a bridge otherwise borrows a port's, and gets another when that host crashes.
  ip link add eth0 address 02:00:00:00:00:fa type bridge
  give_address head
  for name in "$@"; do
    pid=$(pid_of "$name")
    ip link add "to-$name" type veth peer name eth0 netns "$pid"
    ip link set "to-$name" master eth0 up
    give_address "$name"
  done
}

# virtual_switch between all hosts, in place of the bridge. Sets `reached` to what it measured, "LATENCY_US RATE_MBIT".
make_switch() {
  local latency_us=$1 rate_mbit=$2 switch=$3 unshaped_us=$4 name ends=() answers
  shift 4
  for name in "$@"; do ip link delete "to-$name"; done
  ip link delete eth0
  for name in "$@" head; do
    in_network "$name" ip tuntap add dev eth0 mode tap vnet_hdr
    give_address "$name"
    ends+=("$(pid_of "$name"):$(address_of "$name")")
  done
  exec {answers}< <(exec "$switch" serve --latency-us "$latency_us" --rate-mbit "$rate_mbit" \
    --unshaped-us "$unshaped_us" "${ends[@]}" 2> "$state/switch.log")
  read -r -t 100 _ reached <&"$answers" || die "$(sed 's/^virtual_switch: //' "$state/switch.log")"
}

# The cores that this process may use: of each the first logical processor.
usable_cores() {
  lscpu --parse=CPU,CORE,SOCKET | awk -F , -v "allowed=$(sed -n 's/^Cpus_allowed_list:\t//p' /proc/self/status)" '
    BEGIN {
      count = split(allowed, ranges, ",")
      for (i = 1; i <= count; ++i) {
        ends = split(ranges[i], range, "-")
        for (cpu = range[1]; cpu <= range[ends]; ++cpu) usable[cpu + 0]
      }
    }
    !/^#/ && $1 in usable && !seen[$2, $3]++ { print $1 }'
}

# The head's pid 1: makes the box, says "ready" and what it is to whoever reads, and stays.
be_keeper() {
  local hosts=$1 cores=$2 latency_us=$3 rate_mbit=$4 switch=$5 complete=$6
  local outside names=() name i c mine pool unshaped_us reached text
  # /proc is still the machine's: this is the number that is known outside.
  read -r outside _ < /proc/self/stat
  echo "$outside $(started "$outside")" > "$state/keeper"

  # What only matters inside is in memory, and goes with the box.
  mount -t tmpfs -o mode=700 tmpfs "$state"
  mount -t proc proc /proc
  mount -t tmpfs -o mode=1777 tmpfs /dev/shm
  hostname head
  ip link set lo up
  for ((i = 1; i <= hosts; ++i)); do names+=("n$i"); done
  echo "$hosts" > "$state/count"
  printf "%s slots=$cores\n" "${names[@]}" > "$state/hosts"
  {
    echo "127.0.0.1 localhost"
    for name in "${names[@]}" head; do echo "$(address_of "$name") $name"; done
  } > "$state/etc-hosts"
  mount --bind "$state/etc-hosts" /etc/hosts
  printf '#!/bin/bash\nexec bash %q --inside %q / ssh "$@"\n' "$self" "$state" > "$state/rsh"
  chmod +x "$state/rsh"

  mapfile -t pool < <(usable_cores)
  for ((i = 0; i < hosts; ++i)); do
    mine=()
    for ((c = 0; c < cores && c < ${#pool[@]}; ++c)); do mine+=("${pool[(i * cores + c) % ${#pool[@]}]}"); done
    (IFS=, && echo "${mine[*]}") > "$state/n$((i + 1)).cores"
  done

  for name in "${names[@]}"; do
    taskset --cpu-list "$(< "$state/$name.cores")" unshare --mount --net --uts --ipc --pid --fork --kill-child \
      bash "$self" --inside "$state" / be_host "$name" >> "$state/log" 2>&1 < /dev/null &
  done
  for name in "${names[@]}"; do
    for ((i = 0; i < 1000; ++i)); do
      [[ ! -e $state/$name.pid ]] || break
      sleep 0.01
    done
    [[ -e $state/$name.pid ]] || die "host $name did not start: $(< "$state/log")"
  done

  make_bridge "${names[@]}"
  text="$hosts hosts, n1 to n$hosts, $cores core$( ((cores == 1)) || echo s) each"
  if [[ -z $switch ]]; then
    text+=", on a plain bridge"
  else
    unshaped_us=$("$switch" measure "$(pid_of n1):$(address_of n1)" "$(pid_of n2):$(address_of n2)")
    make_switch "$latency_us" "$rate_mbit" "$switch" "$unshaped_us" "${names[@]}"
    text+="; measured: one way ${reached% *} us"
    ((latency_us == 0)) || text+=" (asked: $latency_us us)"
    text+=" beyond the $(printf %.1f "$unshaped_us") us of a plain bridge, ${reached#* } mbit/s"
    ((rate_mbit == 0)) || text+=" (asked: $rate_mbit mbit/s)"
  fi
  if [[ -n $complete ]]; then
    (set_environment && "$complete" --complete "$hosts" "$cores" < /dev/null) || exit 1
  fi
  echo "ready $text"
  exec > /dev/null 2>&1
  stay
}

# ---- the words of the command line

# The number and unit of $1 in the unit 1 of the pairs that follow: `in_unit 2ms us 1 ms 1000 s 1000000` says 2000.
in_unit() {
  local text=$1
  shift
  [[ $text =~ ^([0-9]+(\.[0-9]+)?)([a-z]+)$ ]] || return 1
  while (($# > 0)); do
    if [[ ${BASH_REMATCH[3]} == "$1" ]]; then
      awk -v number="${BASH_REMATCH[1]}" -v factor="$2" 'BEGIN { printf "%.10g\n", number * factor }'
      return
    fi
    shift 2
  done
  return 1
}

# The program that shapes the network: $DUET_SWITCH, or the latest that was built here.
find_switch() {
  local newest='' candidate
  for candidate in ${DUET_SWITCH:+"$DUET_SWITCH"} "$project"/build*/bin/virtual_switch; do
    [[ -x $candidate ]] || continue
    [[ -n $newest && ! $candidate -nt $newest ]] || newest=$candidate
    [[ $candidate != "${DUET_SWITCH:-}" ]] || break
  done
  echo "$newest"
}

# Sets `unshare_words` to what makes namespaces here.
find_rights() {
  local reason tool
  for tool in unshare nsenter setpriv ip lscpu taskset flock; do
    type -P "$tool" > /dev/null || cannot "there is no $tool here; jobs/setup.sh --box installs what is missing"
  done
  unshare_words=(unshare --mount --net --uts --ipc --pid --fork --kill-child)
  # shellcheck disable=SC2016  # the inner bash expands it
  local probe=(bash -c 'mount -t tmpfs tmpfs /dev/shm && mount -t proc proc /proc && hostname probe &&
    ip link add eth0 type bridge && ip link add v0 type veth peer name v1')
  if ((EUID != 0)) || ! "${unshare_words[@]}" "${probe[@]}" > /dev/null 2>&1; then
    unshare_words+=(--user --map-root-user)
    reason=$("${unshare_words[@]}" "${probe[@]}" 2>&1) ||
      cannot "needs root or unprivileged user namespaces, with network, mount and pid namespaces: ${reason%%$'\n'*}"
  fi
}

up() {
  local hosts='' cores='' latency='' rate='' latency_us=0 rate_mbit=0 switch='' complete=''
  local place line folder available lock
  while (($# > 0)); do
    case $1 in
      --latency | --rate | --cores | --complete)
        (($# > 1)) || die "$1 needs a value"
        printf -v "${1#--}" %s "$2"
        shift
        ;;
      --latency=* | --rate=* | --cores=*)
        line=${1#--}
        printf -v "${line%%=*}" %s "${line#*=}"
        ;;
      -*) die "unknown option '$1' of up; there are --latency, --rate and --cores" ;;
      *)
        [[ -z $hosts ]] || die "up takes one number of hosts, and '$1' is another"
        hosts=$1
        ;;
    esac
    shift
  done
  [[ $hosts =~ ^[2-8]$ ]] || die "'$hosts' is no number of hosts; 2 to $most_hosts are possible"
  available=$(usable_cores | wc -l)
  [[ -n $cores ]] || cores=$((available > hosts ? available / hosts : 1))
  [[ $cores =~ ^[1-9][0-9]{0,2}$ ]] || die "--cores '$cores': a number of cores for each host is expected"
  [[ -z $latency ]] || latency_us=$(in_unit "$latency" us 1 ms 1e3 s 1e6) ||
    die "--latency '$latency': a time like 50us or 2ms is expected"
  [[ -z $rate ]] || rate_mbit=$(in_unit "$rate" kbit 1e-3 mbit 1 gbit 1e3) ||
    die "--rate '$rate': a rate like 10gbit or 100mbit is expected"
  if [[ -n $latency$rate ]]; then
    switch=$(find_switch)
    [[ -n $switch ]] || die "--latency and --rate need the program virtual_switch, which is not built yet: run jobs/build.sh"
    [[ -r /dev/net/tun && -w /dev/net/tun ]] || cannot "--latency and --rate need /dev/net/tun, and the right to open it"
  fi
  find_rights

  # One at a time: two that began at once would not see each other.
  exec {lock}< "$self"
  flock --timeout 120 "$lock" || die "another box is being made for two minutes now"
  while read -r folder; do
    if lives "$folder/keeper" || lives "$folder/up"; then
      die "a box called '$box' is up: $(cat "$folder/ready" 2> /dev/null || echo "in the making"). 'down' ends it"
    fi
    remove "$folder"
  done < <(state_folders)

  read -r place < <(places)
  [[ $place != *[[:space:]]* ]] || place=/tmp
  # Until there is a janitor, this script removes what it made; where it is killed, the next up or down does.
  trap 'exit 130' INT TERM HUP
  trap '[[ -z ${state:-} ]] || rm -rf -- "$state"' EXIT
  state=$(mktemp -d "$place/duet-$box.XXXXXXXX")
  echo "$$ $(started $$)" > "$state/up"
  # The janitor ends the box unless it hears "keep" before this script ends, however that comes about.
  coproc janitor {
    exec {lock}<&- setsid bash "$self" --inside "$state" / be_janitor "$hosts" "$cores" "$latency_us" "$rate_mbit" \
      "$switch" "$complete" 2>&1
  }
  trap - INT TERM HUP EXIT
  # shellcheck disable=SC2154  # coproc sets it
  local janitor_process=$janitor_PID
  while read -r line <&"${janitor[0]}"; do
    if [[ $line == "ready "* ]]; then
      echo "${line#ready }" > "$state/ready"
      echo keep >&"${janitor[1]}"
      echo "$box: ${line#ready }"
      return
    fi
    echo "$line" >&2
  done
  eval "exec ${janitor[1]}>&-"
  wait "$janitor_process" || true
  die "no box was made"
}

# Outside, in a session of its own: outlives `up`, and the box by the time it takes to remove its folder.
be_janitor() {
  local word keeper unshare_words
  find_rights
  "${unshare_words[@]}" bash "$self" --inside "$state" / be_keeper "$@" < /dev/null &
  keeper=$!
  exec > /dev/null 2>&1
  trap 'kill -KILL "$keeper" 2> /dev/null || true' TERM HUP INT
  if ! read -r word || [[ $word != keep ]]; then kill -KILL "$keeper" 2> /dev/null || true; fi
  exec < /dev/null
  while kill -0 "$keeper" 2> /dev/null; do wait "$keeper" || true; done
  rm -rf -- "$state"
}

run() {
  local host=head
  while (($# > 0)) && [[ $1 != -- ]]; do
    case $1 in
      --on)
        host=${2:-}
        shift
        ;;
      --on=*) host=${1#*=} ;;
      *) die "run needs -- before the command, and '$1' comes first" ;;
    esac
    shift
  done
  (($# > 1)) || die "run -- COMMAND... needs a command"
  shift
  need_box
  inside execute "$host" "$@"
}

execute() {
  local host=$1
  shift
  set_environment
  if [[ $host != head ]]; then on "$host" "$@"; fi
  exec "$@"
}

# What mpirun starts on HOST: ssh's words, without ssh.
ssh() {
  local host=$1
  shift
  set_environment
  on "$host" sh -c "$*"
}

crash() { kill -KILL "$(pid_of "$1")"; }
link() { in_network "$1" ip link set eth0 "$2"; }

down() {
  while read -r state; do remove "$state"; done < <(state_folders)
}

case ${1:-} in
  -h | --help) usage ;;
  up) up "${@:2}" ;;
  run) run "${@:2}" ;;
  status)
    need_box
    echo "$box: $(< "$state/ready")"
    ;;
  crash)
    (($# == 2)) || die "crash HOST is expected"
    need_box
    inside crash "$2"
    ;;
  link)
    [[ $# == 3 && $3 =~ ^(up|down)$ ]] || die "link HOST up or link HOST down is expected"
    need_box
    inside link "$2" "$3"
    ;;
  down)
    (($# == 1)) || die "down takes nothing more"
    down
    ;;
  --inside)
    state=$2
    cd "$3" 2> /dev/null || cd /
    "${@:4}"
    ;;
  '')
    usage >&2
    exit 1
    ;;
  *) die "unknown word '$1'; there are up, run, status, link, crash, down and --help" ;;
esac
