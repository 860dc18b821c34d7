#!/usr/bin/env bash
# Boxes leave nothing behind, however they end.
# shellcheck disable=SC2317  # `expect` calls the functions that nobody seems to call
source "$(dirname "$0")/expect.sh"
source "$(dirname "$0")/box.sh"

interfaces() { ip -oneline link show | sed 's/:.*//'; }
before=$(interfaces)
folder() { echo /tmp/duet-"$DUET_BOX".*; }
unset XDG_RUNTIME_DIR

up_or_end "$cluster" up 2
expect "others cannot look into its state" test "$(stat --format %a "$(folder)")" = 700
expect "the machine's own network is as before" test "$(interfaces)" = "$before"
run "$cluster" down
expect "nothing is left after down" eventually nothing_left
run "$cluster" down
expect "down without a box is no error" exited_with 0

# `up` dies at different moments.
for signal in KILL INT TERM; do
  for delay in 0.03 0.1 0.2 0.3; do
    # A background job of a script ignores SIGINT, unless its parent sees to it.
    setsid env --default-signal=INT "$cluster" up 2 > "$workshop/up" 2>&1 < /dev/null &
    sleep "$delay"
    kill "-$signal" "$!"
    wait "$!" 2> /dev/null
    # Killed before it had anybody to clean up after it, an up leaves an empty folder, which down removes.
    [[ $signal != KILL ]] || run "$cluster" down
    grep -q "2 hosts" "$workshop/up" || expect "nothing is left of an up that $signal ended after $delay s" eventually nothing_left
    run "$cluster" down
  done
done

# A folder that a dead `up` left, before there was anything else.
abandoned=$(mktemp -d "/tmp/duet-$DUET_BOX.XXXXXXXX")
echo "999999999 1" > "$abandoned/up"
up_or_end "$cluster" up 2
expect "the next up removes what a dead one left" test ! -e "$abandoned"

# Commands die with the `run` that started them, on all hosts.
# shellcheck disable=SC2016  # the inner shell expands it
marker=86400.$$
"$cluster" run -- mpirun -n 2 sleep "$marker" > /dev/null 2>&1 < /dev/null &
command=$!
sleeping() { pgrep -f "^sleep $marker" > /dev/null; }
none_sleeping() { ! sleeping; }
expect "mpirun has started" eventually sleeping
kill -KILL "$command"
wait "$command" 2> /dev/null
expect "its ranks die with the run that started it" eventually none_sleeping
run "$cluster" run -- mpirun -n 2 true
expect "the box lives on" exited_with 0

# The box's first process is killed.
read -r keeper _ < "$(folder)/keeper"
kill -KILL "$keeper"
expect "nothing is left of a box that is killed" eventually nothing_left
up_or_end "$cluster" up 2

# The process that should have cleaned up is killed, and then the box.
read -r keeper _ < "$(folder)/keeper"
unshare=$(ps -o ppid= "$keeper" | tr -d ' ')
janitor=$(ps -o ppid= "$unshare" | tr -d ' ')
kill -KILL "$janitor"
run "$cluster" run -- mpirun -n 2 true
expect "the box does not need its janitor" exited_with 0
kill -KILL "$keeper"
sleep 0.2
expect "a state folder is left" test -d "$(folder)"
up_or_end "$cluster" up 2
expect "the next up removes it" test "$(folder | wc -w)" = 1
run "$cluster" down
expect "nothing is left" eventually nothing_left

# A folder that somebody else laid out in /tmp is not taken for a box.
mkdir --mode 777 "/tmp/duet-$DUET_BOX.malicious"
mv "/tmp/duet-$DUET_BOX.malicious" "/tmp/duet-$DUET_BOX.maliciou"
ln -s /etc "/tmp/duet-$DUET_BOX.linklink"
run "$cluster" run -- true
expect "a folder that is open to others is no box" says "no box called"
run "$cluster" down
expect "nor is it removed" test -d "/tmp/duet-$DUET_BOX.maliciou" -a -L "/tmp/duet-$DUET_BOX.linklink"
rmdir "/tmp/duet-$DUET_BOX.maliciou"
rm "/tmp/duet-$DUET_BOX.linklink"

expect "the machine's own network is as before" test "$(interfaces)" = "$before"
if ((EUID == 0)); then
  run setpriv --reuid=65534 --regid=65534 --clear-groups "$cluster" run -- true
  expect "a box is its owner's alone" exited_with 1
fi
finish
