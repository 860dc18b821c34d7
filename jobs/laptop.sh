#!/usr/bin/env bash
# From a fresh clone to the verdict: which model wins on this machine, by how much, from which size on, and why.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
  cat <<'TEXT'
usage: jobs/laptop.sh [--budget 3m] [OPTION OF duet compare...]

Installs what is missing, builds Duet into build/, compares all models on this machine for about three minutes, prints
the verdict and writes the report into duet-report/.

examples:
  jobs/laptop.sh
  jobs/laptop.sh --budget 10m matmul
  jobs/laptop.sh --workers 4 -o report-of-4

`build/bin/duet compare --help` lists the other options.
TEXT
}

options=(--budget 3m)
output=(-o duet-report)
for argument in "$@"; do
  case $argument in
    -h | --help) usage && exit 0 ;;
    --budget | --budget=*) options=() ;;
    -o | -o?* | --output | --output=*) output=() ;;
  esac
done

jobs/setup.sh
jobs/build.sh default
exec build/bin/duet compare "${options[@]}" "${output[@]}" "$@"
