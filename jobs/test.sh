#!/usr/bin/env bash
# Installs what is missing, builds everything with warnings as errors and runs all tests.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
  cat <<'TEXT'
usage: jobs/test.sh [--preset dev|asan|tsan|coverage] [OPTION OF ctest...]

Without --preset: Release with warnings as errors, in build-dev/. asan checks addresses and undefined behaviour, tsan
data races; `cmake --list-presets` says more. Other options go to ctest.

examples:
  jobs/test.sh
  jobs/test.sh --preset asan
  jobs/test.sh -R Matmul --verbose
TEXT
}

preset=dev
options=()
while (($# > 0)); do
  case $1 in
    --preset)
      (($# > 1)) || { echo "test.sh: --preset needs a name: dev, asan, tsan or coverage" >&2 && exit 1; }
      preset=$2
      shift
      ;;
    --preset=*) preset=${1#*=} ;;
    -h | --help) usage && exit 0 ;;
    *) options+=("$1") ;;
  esac
  shift
done
case $preset in
  dev | asan | tsan | coverage) ;;
  *) echo "test.sh: unknown preset '$preset'; there are dev, asan, tsan and coverage" >&2 && exit 1 ;;
esac

jobs/setup.sh --tests --bench --box --simulate
jobs/build.sh "$preset"
# One more than there are cores: tests of clusters in a box, a minute and more each, mostly wait.
# The closing lines of ctest are the last that anybody reads here.
exec ctest --preset "$preset" --parallel "$(($(nproc) + 1))" --output-on-failure --no-label-summary --no-tests=error "${options[@]}"
