# Sourced by the tests of boxes, after expect.sh: a box of the test's own, which is gone when the test ends.
# shellcheck shell=bash disable=SC2154  # expect.sh sets what this does not

export DUET_BOX=test-$$
cluster=$repository/jobs/cluster-in-a-box.sh
# Nothing may hang: what does is ended, and the test fails.
in_time() { timeout --kill-after 5 "$@"; }
trap '"$cluster" down; rm -rf "$workshop"' EXIT

# up WORD...: the box of SCRIPT is up, or the test ends here.
up_or_end() {
  run in_time 100 "$@"
  [[ $status != 77 ]] || skip "$output"
  expect "a box comes up: ${*:2}" exited_with 0
  ((status == 0)) || finish
}

# Whether anything of the box is left: state, processes.
left_over() {
  local found=(/tmp/duet-"$DUET_BOX".* "${XDG_RUNTIME_DIR:-/tmp}"/duet-"$DUET_BOX".*) path
  for path in "${found[@]}"; do
    [[ ! -e $path ]] || return 0
  done
  pgrep -f "duet-$DUET_BOX\." > /dev/null
}
nothing_left() { ! left_over; }

# eventually COMMAND...: within 20 seconds.
eventually() {
  local _
  for _ in {1..200}; do
    ! "$@" || return 0
    sleep 0.1
  done
  return 1
}
