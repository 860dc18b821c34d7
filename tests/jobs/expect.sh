# Sourced by the tests of jobs/: runs a command, looks at its exit status and its output, and tells what was expected.
# shellcheck shell=bash
set -uo pipefail

# shellcheck disable=SC2034  # the tests use it
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck disable=SC2034  # the tests use it
workshop=$(mktemp -d)
trap 'rm -rf "$workshop"' EXIT
output=
status=0
failures=0
passes=0

skip() {
  echo "skipped: $*"
  exit 77
}

# Sets `output` and `status`. Standard input is no terminal.
run() {
  output=$("$@" 2>&1 < /dev/null)
  status=$?
}

# expect SENTENCE COMMAND...: the sentence holds where the command succeeds.
expect() {
  local sentence=$1
  shift
  if "$@"; then
    passes=$((passes + 1))
  else
    failures=$((failures + 1))
    printf 'FAILED: %s\n  exit status %s, output:\n%s\n' "$sentence" "$status" "$output"
  fi
}

exited_with() { [[ $status == "$1" ]]; }
says() { [[ $output == *"$1"* ]]; }
says_not() { [[ $output != *"$1"* ]]; }

finish() {
  echo "$passes passed, $failures failed"
  exit $((failures > 0))
}
