#!/usr/bin/env bash
# jobs/laptop.sh, with stand-ins for the set-up, the build and the program.
source "$(dirname "$0")/expect.sh"

mkdir -p "$workshop/jobs" "$workshop/build/bin"
cp "$repository/jobs/laptop.sh" "$workshop/jobs"
stand_in() {
  printf '#!/bin/bash\n%s\n' "$2" > "$workshop/$1"
  chmod +x "$workshop/$1"
}
# shellcheck disable=SC2016
stand_in jobs/setup.sh 'echo "setup: $*"'
# shellcheck disable=SC2016
stand_in jobs/build.sh 'echo "build: $*"'
# shellcheck disable=SC2016
stand_in build/bin/duet 'echo "duet: $*"; exit 3'

run "$workshop/jobs/laptop.sh"
expect "it compares for three minutes and writes duet-report" says "duet: compare --budget 3m -o duet-report"
expect "it sets up first, without the tests" says "setup: "
expect "it builds the preset of the users" says "build: default"
expect "its exit status is that of the comparison" exited_with 3

run "$workshop/jobs/laptop.sh" --budget 10m matmul
expect "another budget takes the place of three minutes" says "duet: compare -o duet-report --budget 10m matmul"
run "$workshop/jobs/laptop.sh" -o elsewhere --workers 4
expect "another folder takes the place of duet-report" says "duet: compare --budget 3m -o elsewhere --workers 4"
run "$workshop/jobs/laptop.sh" --output=elsewhere --budget=1m
expect "both may be joined by =" says "duet: compare --output=elsewhere --budget=1m"

run "$workshop/jobs/laptop.sh" --help
expect "--help succeeds" exited_with 0
expect "--help shows the usage" says "usage: jobs/laptop.sh"
expect "and starts nothing" says_not "setup:"

stand_in jobs/setup.sh 'echo "setup.sh: no root" >&2; exit 1'
run "$workshop/jobs/laptop.sh"
expect "a failed set-up ends it" exited_with 1
expect "before anything is built" says_not "build:"
finish
