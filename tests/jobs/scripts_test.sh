#!/usr/bin/env bash
# No script gives shellcheck anything to say.
source "$(dirname "$0")/expect.sh"
command -v shellcheck > /dev/null || skip "shellcheck is not installed"

for script in "$repository"/jobs/*.sh "$repository"/jobs/*.sbatch "$repository"/tests/jobs/*.sh "$repository/.ci/run"; do
  run shellcheck --shell=bash --external-sources --source-path SCRIPTDIR "$script"
  expect "$script is clean" exited_with 0
  if [[ $script != */expect.sh && $script != */box.sh && $script != */submit.sh ]]; then
    expect "$script can be executed" test -x "$script"
  fi
done
finish
