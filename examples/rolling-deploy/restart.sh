#!/bin/sh
# restart.sh NAME PORT: ends the server of this name if it runs, and starts it anew. VERSION says what it answers.
set -e
if [ -f "$1.pid" ]; then kill "$(cat "$1.pid")" || true; fi
# Its output goes to a file: it outlives the command, and must not hold on to the command's output.
nohup node "$(dirname "$0")/server.mjs" "$1" "$2" >"$1.log" 2>&1 &
echo $! >"$1.pid"
