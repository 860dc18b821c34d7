#!/usr/bin/env bash
# Configures and builds one preset of CMakePresets.json, quietly unless it fails.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
  cat <<'TEXT'
usage: jobs/build.sh [PRESET] [CMAKE OPTION...]

Configures and builds PRESET (`cmake --list-presets` names them; "default" where none is given) into its folder. The
whole output goes to build.log in there; what stands in the terminal is the progress, and the end of the log on failure.
TEXT
}

[[ ${1:-} != -h && ${1:-} != --help ]] || { usage && exit 0; }
preset=default
if [[ -n ${1:-} && $1 != -* ]]; then
  preset=$1
  shift
fi
folder=build
[[ $preset == default ]] || folder=build-$preset

# One compiler needs up to 2 GB here: fewer at a time where memory is short.
jobs=$(nproc)
memory_jobs=$(awk '/^MemAvailable/ { print int($2 / 2e6) }' /proc/meminfo)
((memory_jobs >= jobs)) || jobs=$((memory_jobs > 0 ? memory_jobs : 1))

mkdir -p "$folder"
log=$folder/build.log
fail() {
  [[ ! -t 1 ]] || echo
  # The first complaint says most; ninja has the others behind it.
  grep --line-number --max-count 1 --after-context 30 -E '^FAILED:|CMake Error|error:' "$log" >&2 || tail -n 30 "$log" >&2
  echo "build.sh: $1 failed; the whole output is in $log" >&2
  exit 1
}

# On a terminal the line that counts the steps stays and changes; in a log it stands every tenth step.
show_progress() {
  if [[ -t 1 ]]; then
    tee -a "$log" | sed --unbuffered -n 's/^\(\[[0-9]*\/[0-9]*\]\).*/\1/p' |
      while read -r step; do printf '\rbuild: %s ' "$step"; done
    echo
  else
    tee -a "$log" | sed --unbuffered -n 's/^\(\[[0-9]*0\/[0-9]*\]\).*/build: \1/p'
  fi
}

launcher=()
! command -v ccache > /dev/null || launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
echo "build: configuring $folder"
cmake --preset "$preset" "${launcher[@]}" "$@" > "$log" 2>&1 || fail configuring
echo "build: compiling with $jobs at a time"
cmake --build --preset "$preset" --parallel "$jobs" 2>&1 | show_progress || fail compiling
