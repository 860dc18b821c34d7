#!/usr/bin/env bash
# Installs the Debian packages of jobs/packages.txt that are missing. Says which before it does; a second run takes
# no time.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
  cat <<'TEXT'
usage: jobs/setup.sh [--tests] [--bench] [--box] [--simulate] [--dry-run] [--yes]

Installs what Duet needs and this machine lacks, from Debian's packages (jobs/packages.txt). Needs root or sudo.

  --tests     also what the tests need
  --bench     also the libraries that duet_bench compares with
  --box       also what jobs/cluster-in-a-box.sh and jobs/slurm-in-a-box.sh need
  --simulate  also SimGrid, for jobs/simulate.sh
  --dry-run   only say what would be installed
  --yes       do not ask (nothing is asked either where standard input is no terminal)
TEXT
}

die() {
  echo "setup.sh: $*" >&2
  exit 1
}

sections=(run)
dry_run=false
ask=true
[[ -t 0 ]] || ask=false
while (($# > 0)); do
  case $1 in
    --tests) sections+=(tests) ;;
    --bench) sections+=(bench) ;;
    --box) sections+=(box) ;;
    --simulate) sections+=(simulate) ;;
    --dry-run) dry_run=true ;;
    --yes) ask=false ;;
    -h | --help) usage && exit 0 ;;
    *) die "unknown option '$1'; there are --tests, --bench, --box, --simulate, --dry-run, --yes and --help" ;;
  esac
  shift
done

# The packages of the chosen sections, a name each.
mapfile -t wanted < <(awk -v sections=" ${sections[*]} " '
  /^\[/ { section = substr($1, 2, length($1) - 2); next }
  { sub(/#.*/, "") }
  NF > 0 && index(sections, " " section " ") { print $1 }' jobs/packages.txt)
((${#wanted[@]} > 0)) || die "jobs/packages.txt names no package for: ${sections[*]}"

if ! command -v apt-get > /dev/null || ! command -v dpkg-query > /dev/null; then
  echo "setup.sh: this is no Debian or Ubuntu (no apt-get here). Install by hand what these packages hold:" >&2
  printf '  %s\n' "${wanted[@]}" >&2
  exit 1
fi

declare -A installed=()
while read -r package; do installed[$package]=yes; done < <(
  dpkg-query --show --showformat '${db:Status-Status} ${Package}\n' "${wanted[@]}" 2> /dev/null |
    sed -n 's/^installed //p')
missing=()
for package in "${wanted[@]}"; do
  [[ -v "installed[$package]" ]] || missing+=("$package")
done

if ((${#missing[@]} == 0)); then
  echo "setup: all ${#wanted[@]} packages are installed"
  exit 0
fi
echo "setup: ${#missing[@]} of ${#wanted[@]} packages are missing:"
printf '  %s\n' "${missing[@]}"
$dry_run && exit 0

as_root=()
if ((EUID != 0)); then
  command -v sudo > /dev/null || die "installing needs root, and there is no sudo here: run as root, or ask for these packages"
  as_root=(sudo)
  # Without a terminal nobody can type the password.
  if [[ ! -t 0 ]]; then
    sudo -n true 2> /dev/null || die "installing needs root, and sudo asks for a password: run jobs/setup.sh in a terminal first"
    as_root=(sudo -n)
  fi
fi
if $ask; then
  read -r -p "Install them with ${as_root[*]} apt-get? [Y/n] " answer
  [[ $answer =~ ^([yY].*)?$ ]] || die "nothing installed"
fi

log=$(mktemp -t duet-setup.XXXXXX.log)
apt_get() {
  if ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get "$@" < /dev/null >> "$log" 2>&1; then
    tail -n 20 "$log" >&2
    die "apt-get $1 failed; its whole output is in $log"
  fi
}
echo "setup: reading the package lists"
apt_get update
echo "setup: installing"
apt_get install --yes --no-install-recommends "${missing[@]}"
rm -f "$log"
echo "setup: done, ${#missing[@]} packages installed"
