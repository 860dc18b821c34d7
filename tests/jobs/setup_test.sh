#!/usr/bin/env bash
# jobs/setup.sh, with stand-ins for dpkg-query, apt-get and sudo that write down how they were called.
# shellcheck disable=SC2317  # `expect` calls the functions that nobody seems to call
source "$(dirname "$0")/expect.sh"

# A clone that any user may read, and a PATH with nothing but what is put there.
clone=$workshop/clone
tools=$workshop/tools
calls=$workshop/calls
mkdir -p "$clone" "$tools"
cp -r "$repository/jobs" "$clone"
chmod -R a+rX "$workshop"
: > "$calls"
chmod a+rw "$calls"
for tool in bash env dirname awk sed tail mktemp cat rm; do ln -s "$(command -v "$tool")" "$tools/$tool"; done

stand_in() {
  printf '#!/bin/bash\n%s\n' "$2" > "$tools/$1"
  chmod a+rx "$tools/$1"
}
installed() {
  # shellcheck disable=SC2016  # the stand-in expands them
  stand_in dpkg-query 'for p in "${@:3}"; do [[ " '"$1"' " == *" $p "* || "'"$1"'" == all ]] && echo "installed $p"; done; exit 0'
}
# shellcheck disable=SC2016
stand_in apt-get "echo \"apt-get \$* frontend=\$DEBIAN_FRONTEND\" >> $calls"
setup() { run env -i PATH="$tools" TMPDIR="$workshop" "$@" "$clone/jobs/setup.sh" "${options[@]}"; }
called() { grep -q -- "$1" "$calls"; }
nothing_called() { [[ ! -s $calls ]]; }

options=(--dry-run)
installed "cmake g++"
setup
expect "a dry run succeeds" exited_with 0
expect "a dry run lists what is missing" says "  libopenmpi-dev"
expect "a dry run lists nothing that is installed" says_not "  cmake"
expect "without --tests nothing of the tests is listed" says_not chromium
expect "without --bench no peer is listed" says_not libblis4-openmp
expect "a dry run installs nothing" nothing_called

options=(--dry-run --tests --bench)
setup
expect "--tests adds what the tests need" says "  chromium-driver"
expect "--bench adds the peers" says "  libblis4-openmp"

options=(--dry-run --box)
setup
expect "--box adds the cluster in a box" says "  slurmctld"

options=(--dry-run)
setup
expect "without --simulate there is no SimGrid" says_not simgrid
options=(--dry-run --simulate)
setup
expect "--simulate adds SimGrid" says "  libsimgrid-dev"

options=(--tests)
installed all
setup
expect "with everything installed it succeeds" exited_with 0
expect "and says so" says "packages are installed"
expect "and asks apt nothing" nothing_called

options=(--everything)
setup
expect "an unknown option is refused" exited_with 1
expect "by its name, and with those there are" says "unknown option '--everything'; there are --tests, --bench, --box"

options=(--help)
setup
expect "--help succeeds" exited_with 0
expect "--help shows the usage" says "usage: jobs/setup.sh"

options=()
mv "$tools/apt-get" "$workshop/apt-get"
setup
expect "another system is refused" exited_with 1
expect "with the list of what is needed" says "  libopenmpi-dev"
expect "in a clear line" says "no Debian or Ubuntu"
mv "$workshop/apt-get" "$tools/apt-get"

installed "$(sed -E '/^\[/d; s/#.*//; s/ +$//; /^$/d' "$clone/jobs/packages.txt" | grep -vxE 'cmake|libtbb-dev' | tr '\n' ' ')"
if ((EUID == 0)); then
  setup
  expect "root installs" exited_with 0
  expect "after reading the lists" called "apt-get update frontend=noninteractive"
  expect "only what is missing, and no more" called \
    "apt-get install --yes --no-install-recommends cmake libtbb-dev frontend=noninteractive"
  expect "it says what before" says "2 of"

  stand_in apt-get 'echo "E: no such mirror" >&2; exit 100'
  setup
  expect "a failing apt-get ends it" exited_with 1
  expect "with what apt-get said" says "E: no such mirror"
  expect "and where the rest is" says "its whole output is in $workshop"
  as_user=(/usr/bin/setpriv --reuid=65534 --regid=65534 --clear-groups)
else
  as_user=()
fi

# shellcheck disable=SC2016
stand_in apt-get "echo \"apt-get \$*\" >> $calls"
chmod a+rwx "$workshop"
: > "$calls"
setup "${as_user[@]}"
expect "a user without sudo is refused" exited_with 1
expect "and told why" says "installing needs root, and there is no sudo here"
expect "before anything is called" nothing_called

stand_in sudo 'exit 1'
setup "${as_user[@]}"
expect "a user whose sudo asks for a password is refused where nobody can type it" exited_with 1
expect "and told what to do" says "run jobs/setup.sh in a terminal"

# shellcheck disable=SC2016
stand_in sudo '[[ $1 == -n ]] && shift; exec "$@"'
ln -s "$(type -P true)" "$tools/true"
setup "${as_user[@]}"
expect "a user with sudo installs" exited_with 0
expect "through it" called "apt-get install --yes --no-install-recommends cmake libtbb-dev"
finish
