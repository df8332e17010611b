# Runs a server in a session of its own and ends it when told so on standard
# input, or when the other end of standard input is gone: the test has died.
#   $1  signal that stops the server in an orderly way
#   $2  directory to remove when the test has died
#   the rest is the server's command line
signal=$1 directory=$2
shift 2
exec 3<&0
setsid "$@" 3<&- </dev/null &
server=$!
(
  read -r order <&3 || order=orphaned
  # From here on it finishes what it was told.
  trap '' TERM
  if [ "$order" != kill ]; then
    kill -s "$signal" "$server"
    tries=0
    while [ "$tries" -lt 100 ] && kill -0 "$server"; do
      sleep 0.05
      tries=$((tries + 1))
    done
  fi
  kill -s KILL -- "-$server"
  if [ "$order" = orphaned ]; then rm -rf "$directory"; fi
) 2>/dev/null &
watcher=$!
wait "$server"
status=$?
# What the server leaves of its session may not outlive it.
kill -s KILL -- "-$server" 2>/dev/null
kill -s TERM "$watcher" 2>/dev/null
wait "$watcher"
exit "$status"
