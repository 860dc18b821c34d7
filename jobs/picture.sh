#!/usr/bin/env bash
# A picture of a report: its first screenful, as a browser shows it.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: jobs/picture.sh REPORT.html OUT.png [HEIGHT]

Takes the picture with chromium, 1100 points wide and HEIGHT (900) high, at twice the resolution. Nothing is fetched from
the network.

example:
  jobs/picture.sh duet-report/report.html report.png
TEXT
}

fail() {
  echo "picture.sh: $1" >&2
  exit 1
}

case ${1:-} in
  -h | --help) usage && exit 0 ;;
esac
if [[ $# -lt 2 || $# -gt 3 ]]; then
  usage >&2
  exit 2
fi
report=$1
picture=$2
height=${3:-900}

[[ -f $report ]] || fail "there is no file '$report'"
[[ $height =~ ^[1-9][0-9]{0,4}$ ]] || fail "the height '$height' is not a whole number from 1 to 99999"
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
  fail "chromium is not installed: apt-get install chromium"
[[ -d $(dirname "$picture") ]] || fail "there is no folder '$(dirname "$picture")'"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The window's frame takes from its height in some versions of the browser: the page is framed at the size that is asked.
printf '<!DOCTYPE html><body style="margin:0;overflow:hidden"><iframe src="file://%s" style="border:0;width:1100px;height:%spx">' \
  "$(realpath "$report" | sed 's/%/%25/g; s/ /%20/g; s/#/%23/g; s/?/%3F/g; s/"/%22/g')" "$height" >"$scratch/frame.html"
root=()
[[ $(id -u) -ne 0 ]] || root=(--no-sandbox)
timeout -k 5 60 "$browser" --headless "${root[@]}" --disable-gpu --disable-dev-shm-usage --no-first-run \
  --disable-background-networking --disable-component-update --disable-sync --hide-scrollbars \
  --user-data-dir="$scratch/profile" --force-device-scale-factor=2 --window-size="1100,$height" \
  --virtual-time-budget=4000 --screenshot="$scratch/picture.png" "file://$scratch/frame.html" \
  >"$scratch/log" 2>&1 || { cat "$scratch/log" >&2; fail "the browser failed"; }
[[ -s $scratch/picture.png ]] || { cat "$scratch/log" >&2; fail "the browser took no picture"; }
mv "$scratch/picture.png" "$picture"
