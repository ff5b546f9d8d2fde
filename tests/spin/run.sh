#!/usr/bin/env bash
# Runs SPIN over the models: each as it is, which has to pass, and without one part of the protocol, which has to fail.
#
#   tests/spin/run.sh            runs all of them and prints a table
#   tests/spin/run.sh cancel     runs only those whose line contains "cancel"
#
# It needs `spin` and a C compiler. A run that would take more than MEMORY MiB or SECONDS fails.
set -uo pipefail
models=$(cd "$(dirname "$0")" && pwd)
only=${1:-}
MEMORY=${MEMORY:-900} SECONDS_EACH=${SECONDS_EACH:-120}

# Model, capacity, locks, what is taken out, further macros.
runs='
handoff 0 1
handoff 1 1
handoff 1 2
handoff 2 1
handoff 2 2
handoff 0 1 HANDOFF_WAKE
handoff 0 1 PROMOTION_WAKE
handoff 1 1 PROMOTION
handoff 1 1 SECOND_LOOK_OF_SEND
handoff 1 1 SECOND_LOOK_OF_RECV
handoff 1 2 SEND_SLOW
handoff 1 2 RECV_SLOW
handoff 1 2 TRY_LOCK
cancel 0 1
cancel 1 1
cancel 1 2
cancel 2 2
cancel 0 1 GIVE_BACK
cancel 0 1 GIVE_BACK_TO_PARKED
cancel 0 1 GIVE_BACK_WAKE
cancel 0 1 GIVE_BACK_BY_NUMBER
cancel 1 2 GIVE_BACK_SLOW
cancel 0 1 SECOND_LOOK_OF_UNPARK
close 0 1
close 1 1
close 1 2
close 2 2
close 0 1 CLOSE_OF_SENDQ
close 0 1 CLOSE_OF_RECVQ
close 0 1 CLOSE_WAKE
close 0 1 CLOSE_BY_LAST
close 1 1 BUFFER_AFTER_CLOSE
close 1 1 CLEAR
close 1 2 CLOSE_SLOW
select 0 1
select 1 2
select 1 1 NOTHING -DSEND_ARM=1
select 0 1 CLAIM
select 0 1 MARK
select 0 1 LOOK_AT_MARK
select 0 1 SECOND_TRY
select 0 1 UNLINK_OF_LOSERS
select 0 1 WAIT_FOR_PEER
'

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
failed=no
row='%-8s %8s %5s  %-22s %-7s %-31s %9s %5s\n'
printf "$row" model capacity locks without verdict found states MiB
while read -r model capacity locks without more; do
  [ -n "$model" ] || continue
  line="$model $capacity $locks ${without:=NOTHING} $more"
  [[ $line == *"$only"* ]] || continue
  # A run that ends at once is not worth optimizing.
  optimize=-O0
  [ "$without" != NOTHING ] || optimize=-O1
  # shellcheck disable=SC2086 # `more` is a list.
  if ! spin -a -DCAPACITY="$capacity" -DSINGLE_LOCK=$((2 - locks)) -DWITHOUT="$without" $more "$models/$model.pml" >log 2>&1 ||
    ! cc -w $optimize -DSAFETY -DNOFAIR -DMEMLIM="$MEMORY" -o pan pan.c >>log 2>&1; then
    cat log
    exit 1
  fi
  timeout "$SECONDS_EACH" ./pan -m10000 >log 2>&1
  case $(cat log) in
    *"pan:1: invalid end state"*) found=deadlock ;;
    *"assertion violated (q_len(order"*) found="not first in, first out" ;;
    *"assertion violated"*) found="assertion" ;;
    *"max search depth"* | *"reached -DMEMLIM"*) found="too large" ;;
    *"errors: 0"*) found=nothing ;;
    *) found="no end" ;;
  esac
  case $without:$found in
    NOTHING:nothing) verdict=passed ;;
    NOTHING:* | *:nothing | *:"no end" | *:"too large") verdict=FAILED failed=yes ;;
    *) verdict=noticed ;;
  esac
  states=$(sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' log)
  memory=$(sed -n 's/^ *\([0-9]*\)\.[0-9]*.*total actual memory usage.*/\1/p' log)
  [ "$without" != NOTHING ] || without=-
  # shellcheck disable=SC2059
  printf "$row" "$model" "$capacity" "$locks" "$without${more:+ $more}" "$verdict" "$found" "$states" "$memory"
  rm -f pan*
done <<<"$runs"
[ $failed = no ]
