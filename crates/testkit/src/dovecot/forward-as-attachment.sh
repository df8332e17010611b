#!/bin/bash
# Sieve's `pipe` hands a message to this program, which sends it on, unchanged,
# as an attachment: forward-as-attachment ADDRESS. The mailbox owner is the
# sender, as in a mail program's "forward as attachment". $USER is the owner;
# the file forward-to beside the program's folder tells where to submit.
set -eu -o pipefail
export LC_ALL=C PATH=/usr/bin:/bin
to=$1 from=$USER
read -r host port <"$(dirname "$0")/../forward-to"

message=$(mktemp)
trap 'rm -f "$message"' EXIT
cat >"$message"
subject=$(sed -n -e 's/\r$//' -e '/^$/q' -e 's/^[Ss]ubject:[[:space:]]*//p' "$message" | head -n 1)
boundary="=_forward_$$_$RANDOM$RANDOM"

exec 3<>"/dev/tcp/$host/$port"

# Reads one reply, of any number of lines, and fails unless it starts with $1.
expect() {
  local line
  while IFS= read -r -t 60 line <&3; do
    case "$line" in
      "$1"??-*) ;;
      "$1"*) return 0 ;;
      *) echo "the server said: $line" >&2; exit 75 ;;
    esac
  done
  echo "the server closed the connection" >&2
  exit 75
}

say() { printf '%s\r\n' "$1" >&3; }

expect 2
say "EHLO localhost"
expect 2
say "MAIL FROM:<$from> BODY=8BITMIME"
expect 2
say "RCPT TO:<$to>"
expect 2
say "DATA"
expect 3
{
  printf '%s\r\n' "From: <$from>" "To: <$to>" "Subject: FW: $subject" \
    "Date: $(date -R)" "Message-ID: <forward.$$.$RANDOM.$(date +%s%N)@localhost>" \
    "MIME-Version: 1.0" "Content-Type: multipart/mixed; boundary=\"$boundary\"" "" \
    "--$boundary" "Content-Type: text/plain; charset=us-ascii" "" \
    "The message is attached." \
    "--$boundary" "Content-Type: message/rfc822" "Content-Transfer-Encoding: 8bit" \
    "Content-Disposition: attachment" ""
  sed -e 's/\r$//' -e 's/^\./../' -e 's/$/\r/' "$message"
  printf '\r\n--%s--\r\n.\r\n' "$boundary"
} >&3
expect 2
say "QUIT"
