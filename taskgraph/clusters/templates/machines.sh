#!/bin/bash
# Started once for each element, whose number is the argument.
number=$1
trap 'echo $? >@place@/ended."$number"' EXIT
exec >>@log@."$number" 2>&1 </dev/null
set -a; . @environment@; set +a
cd @folder@ || exit 2
@command@ &
worker=$!
trap 'kill -TERM $worker; wait $worker' TERM INT HUP
since=$(sed 's/.*) //' /proc/$worker/stat | cut -d' ' -f20)
echo "$(hostname) $worker $since" >@place@/process."$number"
wait $worker
