#!/usr/bin/env bash
# Takes one thing at a time out of the crate - a wake, a re-check, an ordering - and prints which
# models notice.
#
#   tests/loom/mutants.sh           tries all mutations, after a run of the models on the crate
#   tests/loom/mutants.sh wakes     tries only those whose name contains "wakes"
#   tests/loom/mutants.sh --quick   tries each mutation on the models that its row of MUTANTS.md
#                                   names, and on all of them only if none of those notices
#   tests/loom/mutants.sh --check   runs no model; says which mutations do not compile
#
# `MODELS` is a regular expression: only the models whose name matches it are run. `ROWS` is a file:
# every row is appended to it as soon as it is finished, and a mutation whose row it holds is not
# tried again, nor are the models run on the crate. So a run that was stopped goes on where it was.
# Its first line tells the source apart; with another source the script ends.
#
# The script works on a copy of the working tree in a temporary directory. First it finds the place
# of each mutation in the source. A mutation whose place occurs nowhere, or more than once, ends
# the script, as does one that does not build; both have to be brought up to date. Models are
# explored up to a few preemptions first, and in full if none of them notices; with `--quick` up to
# a few preemptions only. A mutation that no model notices is printed as SURVIVED; MUTANTS.md says
# why that is as it should be.
#
# Every model that a row names failed in the run that printed the row. "and n more" stands only in
# a row of a run of all models. A mutation that only Miri notices is left out with `--quick`.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
mode=all
case ${1:-} in
  --check | --quick) mode=${1#--} && shift ;;
esac
only=${1:-}
# A mutated model may run for ever. Unmutated, none takes a quarter of these times of a processor,
# up to so many preemptions and in full.
few=3 seconds_few=4 seconds_full=120
# A model that crashes need not leave a core file.
ulimit -c 0

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
clean=$scratch/clean copy=$scratch/copy before=$scratch/before
mkdir "$clean" "$before"
git -C "$root" ls-files -z --cached --others --exclude-standard -- Cargo.toml src tests examples |
  (cd "$root" && xargs -0 cp --parents -t "$clean")
cp -r "$clean" "$copy"
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target/mutants}
export RUSTFLAGS="--cfg hchan_loom" RUST_BACKTRACE=0
# The crate is built two hundred times, so a fast build counts for more than a fast run. Loom
# itself is optimized.
export CARGO_INCREMENTAL=1 CARGO_PROFILE_RELEASE_DEBUG=0
fast=(--config profile.release.package.hchan.opt-level=0)

die() { printf 'mutants: %s\n' "$*" >&2; exit 1; }

# Runs cargo on the copy; prints what it says if it fails.
cargo_on_copy() {
  (cd "$copy" && cargo "${fast[@]}" "$@" --release) >"$scratch/cargo.log" 2>&1 || { cat "$scratch/cargo.log" >&2; return 1; }
}

# Builds these test targets of the copy and notes "binary test" for each of their models.
build() {
  local binary
  cargo_on_copy test "$@" --no-run || return 1
  sed -n 's/^ *Executable .*(\(.*\))$/\1/p' "$scratch/cargo.log" | while read -r binary; do
    case $binary in /*) ;; *) binary=$copy/$binary ;; esac
    # In the library, models stand among plain tests.
    "$binary" --list 2>/dev/null | sed -n 's/: test$//p' |
      case $binary in */hchan-*) grep '::model::' ;; *) cat ;; esac | { grep -E -- "${MODELS:-}" || true; } | sed "s|^|$binary |"
  done >"$scratch/models"
  [ -s "$scratch/models" ] || die "there are no models"
}

# Prints those of the copy's models that fail, or take more than so many seconds of a processor.
# Each runs in a process of its own, as some crash. One that sleeps is ended after an hour: on a busy
# machine that is not much of a processor.
failures() {
  SECONDS_EACH=$1 xargs -P "$(nproc)" -L 1 bash -c \
    'ulimit -t "$SECONDS_EACH"; timeout -k 1 3600 "$0" --exact "$1" >/dev/null 2>&1 || echo "$1"' \
    <"$scratch/models" 2>/dev/null | sort
}

# Prints what MUTANTS.md says of the mutation at hand.
noticed_by() {
  NAME=$name perl -ne 'print $1 if /^\| \Q$ENV{NAME}\E(?: †)? \| (.*) \|$/' "$root/tests/loom/MUTANTS.md"
}

# What is done with each mutation once it stands in the copy.
step=
fail=0 tried=0 survived=0
# The mutation at hand, the files that it changed, and why it does not fit, if it does not.
name='' changed=() misfit=''

complain() {
  printf 'mutants: %s: %s\n' "$name" "$*" >&2
  fail=$((fail + 1))
}

# Starts a mutation, after ending the one before.
mutant() {
  end_mutant
  name=$1
}

# Replaces a piece of a file of the copy, which must occur just once.
replace() {
  local file=src/$1 old=$2 new=$3 count
  case " ${changed[*]} " in *" $file "*) ;; *) (cd "$copy" && cp --parents "$file" "$before") && changed+=("$file") ;; esac
  count=$(OLD=$old NEW=$new perl -0777 -i -pe '$count = s/\Q$ENV{OLD}\E/$ENV{NEW}/g; END { print STDOUT $count || 0 }' "$copy/$file")
  [ "$count" = 1 ] || misfit="occurs $count times in $file: $old"
}

end_mutant() {
  local keep=false file
  [ -n "$name" ] || return 0
  case $name in *"$only"*) "$step" ;; esac
  for file in "${changed[@]}"; do
    "$keep" || cp "$before/$file" "$copy/$file"
  done
  name='' changed=() misfit=''
}

# The steps.

find_place() {
  [ -z "$misfit" ] || complain "$misfit"
  tried=$((tried + 1))
  checked[$name]=false
}

# Leaves the mutation in the copy, unless it is in the way of one that is there.
gather() {
  [ "${checked[$name]}" = false ] && [ -z "$misfit" ] || return 0
  keep=true
  checked[$name]=now
  gathered=$((gathered + 1))
}

check() {
  [ "${checked[$name]}" = now ] || return 0
  cargo_on_copy check --lib || complain "does not compile"
}

note_checked() {
  [ "${checked[$name]}" != now ] || checked[$name]=true
}

# Prints the row of the mutation at hand.
row() {
  printf '| %s | %s |\n' "$name" "$1" | tee -a "${ROWS:-/dev/null}"
}

# Prints the models, each in backquotes, on one line.
quoted() {
  sed 's/.*/`&`/' <<<"$1" | paste -sd ' '
}

# Tries the mutation on all models.
try_all() {
  local failed count
  build --lib --test loom || die "$name: does not build"
  failed=$(LOOM_MAX_PREEMPTIONS=$few failures $seconds_few)
  [ -n "$failed" ] || [ "$mode" = quick ] || failed=$(failures $seconds_full)
  if [ -z "$failed" ]; then
    survived=$((survived + 1))
    row SURVIVED
  else
    count=$(wc -l <<<"$failed")
    row "$(quoted "$(head -n 3 <<<"$failed")")$([ "$count" -le 3 ] || echo " and $((count - 3)) more")"
  fi
}

# Tries the mutation on the models that its row names; prints its row if one of them fails.
try_named() {
  local named targets=() failed
  named=$(noticed_by | grep -o '`[a-z_0-9:]*::[a-z_0-9]*`' | tr -d '`') || return 1
  ! grep -q '::model::' <<<"$named" || targets+=(--lib)
  ! grep -qv '::model::' <<<"$named" || targets+=(--test loom)
  MODELS="^($(paste -sd '|' <<<"$named"))$" build "${targets[@]}" || die "$name: does not build"
  failed=$(LOOM_MAX_PREEMPTIONS=$few failures $seconds_few)
  [ -n "$failed" ] && row "$(quoted "$failed")"
}

try() {
  if [ -n "${ROWS:-}" ] && grep -qsF -- "| $name |" "$ROWS"; then
    return
  fi
  if [ "$mode" != quick ]; then
    try_all
  elif [[ $(noticed_by) = Miri* ]]; then
    printf 'mutants: left out, as only Miri notices: %s\n' "$name" >&2
    return
  else
    try_named || try_all
  fi
  tried=$((tried + 1))
}

# Takes that step with each mutation.
each() {
  step=$1
  mutations
  end_mutant
}

mutations() {

# Wakes.

mutant "a send wakes nobody"
replace chan/transition.rs "SendOutcome::Sent(Some(unsafe { self.hand_over(receiver, from) }))" \
  "drop(unsafe { self.hand_over(receiver, from) });
            SendOutcome::Sent(None)"

mutant "a send that meets a receiver as it parks wakes nobody"
replace op/mod.rs "wake::run_and_drop(done.wake, unused);" "drop((done.wake, unused));"

mutant "\`force_send\` wakes nobody"
replace chan/mod.rs "wake::run(wake);
                Ok(false)" "drop(wake);
                Ok(false)"

mutant "a receive wakes nobody"
replace chan/settle.rs "            wake.run();" "            drop(wake);"
replace chan/settle.rs "wake::run_and_drop(received.wake, unused);" "drop((received.wake, unused));"

mutant "a promotion wakes nobody"
replace chan/transition.rs "Some(self.admit(sender))" "drop(self.admit(sender));
        None"

mutant "a rendezvous wakes nobody"
replace chan/transition.rs "Some(wake) => Some(wake)," "Some(wake) => { drop(wake); None }"

mutant "a message given back wakes nobody"
replace chan/settle.rs "panics.catch(|| wake::run(wake));" "panics.catch(|| drop(wake));"

mutant "a message given back goes past the parked receivers"
replace chan/state.rs "match dequeue(&mut self.recvq) {" "match None::<crate::waiter::Claimed> {"

mutant "\`close\` completes nobody"
replace chan/mod.rs "if is_awaited {" "if false && is_awaited {"

mutant "the last receiver completes nobody"
replace chan/typed.rs "self.clear_all(is_awaited);" "self.clear_all(false && is_awaited);"

mutant "a close completes but does not wake"
replace chan/mod.rs "wakes.run();
            is_more" "drop(wakes);
            is_more"

mutant "a close completes one batch only"
replace chan/mod.rs "let is_more = !wakes.is_empty();" "let is_more = false;"

mutant "a close drops the waiters that it claims"
replace chan/state.rs "wakes.push(waiter.fail());" "drop(waiter);"

mutant "a close leaves the parked senders"
replace chan/transition.rs "closing.append(sendq);" "let _ = sendq;"

mutant "a close leaves the parked receivers"
replace chan/transition.rs "closing.append(recvq);" "let _ = recvq;"

mutant "the last sender does not close"
replace chan/mod.rs "if self.senders.remove() {" "if self.senders.remove() && false {"

mutant "a thread that sleeps is not unparked"
replace thread/parker.rs "== ASLEEP {
            self.thread.unpark();" "== ASLEEP {"

mutant "a wake does not look whether the thread sleeps"
replace thread/parker.rs "if self.state.swap(NOTIFIED, Ordering::Release) == ASLEEP {" \
  "if { let asleep = self.state.load(Ordering::Relaxed) == ASLEEP; self.state.store(NOTIFIED, Ordering::Release); asleep } {"

# Re-checks.

mutant "a receive parks without a second look"
replace chan/attempt.rs "let done = unsafe { note_recv(waiter, chan.recv(waiter.slot(chan.message()))) };" \
  "let done = None::<Done>;"

mutant "a send parks without a second look"
replace chan/attempt.rs "let done = unsafe { note_send(waiter, chan.send(waiter.slot(chan.message()))) };" \
  "let done = None::<Done>;"

mutant "unparking does not look again under the lock"
replace chan/attempt.rs "(waiter.state() == State::Parked).then(" "true.then("

mutant "leaving a select does not look again under the lock"
replace chan/attempt.rs "waiter.state() == State::Parked && waiter.select().is_some()" "waiter.select().is_some()"

mutant "renewing a waker does not look whether it is still parked"
replace chan/attempt.rs "waiter.state() != State::Parked || unsafe { waiter.will_wake(waker) }" \
  "unsafe { waiter.will_wake(waker) }"

mutant "renewing a waker does not look again after cloning it"
replace chan/attempt.rs "            if waiter.state() != State::Parked {
                return None;" "            if false {
                return None;"

mutant "the waker of a parked operation stays the first"
replace chan/attempt.rs "if is_current {" "if true || is_current {"

mutant "a waiter told of a close is looked for in its old queue"
replace chan/state.rs "_ if self.closed =>" "_ if false && self.closed =>"

mutant "a channel closes twice"
replace chan/transition.rs "let was_open = !*closed;" "let was_open = true;"

mutant "a send does not look whether the channel is closed"
replace chan/transition.rs "if self.recv.closed {
            SendOutcome::Closed
        } else if let Some(receiver) = self.dequeue_receiver()" "if let Some(receiver) = self.dequeue_receiver()"

mutant "a closed channel receives nothing more"
replace chan/transition.rs "self.recv.next(self.sides) else" \
  "self.recv.next(self.sides).filter(|_| !self.recv.closed) else"

mutant "a thread lies down over a wake that has come"
replace thread/parker.rs "            self.state
                .compare_exchange(EMPTY, ASLEEP, Ordering::Relaxed, Ordering::Relaxed);" \
  "            { self.state.store(ASLEEP, Ordering::Relaxed); Ok::<u8, u8>(EMPTY) };"

mutant "a thread that finds a wake does not keep it from lying down"
replace thread/parker.rs "while asleep.is_ok() && self" "let _ = asleep;
        while self"

mutant "a thread that is out of time does not look for a wake"
replace thread/parker.rs "return self.unparker.consume();" "return false;"

mutant "a thread keeps the wake that ended another wait of its"
replace thread/parker.rs "if has_napped {" "if false && has_napped {"

mutant "an operation whose time is up is given up unseen"
replace thread/wait.rs "self.output = self.future.as_mut().cancel();" "let _ = self.future.as_mut().cancel();"

mutant "an operation that is stopped is given up unseen"
replace future/until.rs "this.operation.as_mut().cancel()
                }" "{ let _ = this.operation.as_mut().cancel(); None }
                }"

mutant "an operation that is stopped is not cancelled"
replace future/until.rs "this.operation.as_mut().cancel()
                }" "None
                }"

# Who gets what.

mutant "a message is not promoted"
replace chan/transition.rs "true => self.promote()," "true => None,"

mutant "messages in the ring come before those given back"
replace chan/transition.rs "match chan.recv.returned.pop() {" \
  "match (chan.ring_len() == 0).then(|| chan.recv.returned.pop()).flatten() {"

mutant "all messages leave with the same number"
replace chan/state.rs "self.next_seq = self.next_seq.wrapping_add(1);" ""

mutant "a message given back gets a new number when it is handed on"
replace chan/state.rs "receiver.fill(message, from, seq)" \
  "receiver.fill(message, from, seq.wrapping_add(self.number()))"

mutant "a message given back is boxed under its neighbour's number"
replace chan/returned.rs "fn insert(&mut self, seq: u64, message: BoxedMessage) {" \
  "fn insert(&mut self, seq: u64, message: BoxedMessage) {
        let seq = seq ^ 1;"

mutant "a cancelled receive keeps its message"
replace op/mod.rs "chan.give_back(waiter.seq(), waiter.slot(chan.message()));" ""

mutant "a cancelled receive stays in the queue"
replace op/recv.rs "if this.waiter.is_waiting() {" \
  "if this.waiter.is_waiting() && this.waiter.state() != State::Parked {"

mutant "a cancelled send stays in the queue"
replace op/mod.rs "let waker = chan.unpark(waiter).map(QuietDrop::new);" \
  "let is_left = waiter.kind() == Kind::Send;
        let waker = if is_left { None } else { chan.unpark(waiter).map(QuietDrop::new) };"

mutant "a cancelled send does not drop its message"
replace op/mod.rs "if waiter.kind() == Kind::Send && waiter.state() == State::Idle {" \
  "if false && waiter.kind() == Kind::Send && waiter.state() == State::Idle {"

mutant "a cancelled send drops its message though it was taken"
replace op/mod.rs "(Kind::Send, State::Done | State::Finished) => State::Finished," ""

mutant "a send that is done drops its message, too"
replace op/send.rs "this.waiter.set_state(State::Finished);
                Polled::Done
            }
            Err(missed) => op.send_slow_or_park" "Polled::Done
            }
            Err(missed) => op.send_slow_or_park"

mutant "the numbers of the messages of a batch are given to others, too"
replace chan/state.rs "self.next_seq = self.next_seq.wrapping_add(count as u64);" ""

mutant "a released stream is not as new"
replace op/mod.rs "            _ => State::Idle," \
  "            (Kind::Recv, _) => state,
            _ => State::Idle,"

mutant "a stream that has had an item is not as new"
replace future/stream.rs "op.as_mut().reset();" ""

mutant "the last receiver leaves what is buffered"
replace chan/mod.rs "(is_awaited || chan.len() > 0, is_awaited)" "(is_awaited, is_awaited)"

mutant "the last receiver forgets what is buffered"
replace chan/mod.rs "unsafe { self.message().drop_in(place) };" ""

mutant "the last receiver drops what is buffered, then closes"
replace chan/typed.rs "self.clear_all(is_awaited);" \
  "if is_awaited {
                self.complete_closing();
            }"
replace chan/typed.rs "let (is_left, is_awaited)" \
  "while self.receivers.get() == 1 && self.try_recv().is_ok() {}
        let (is_left, is_awaited)"

mutant "a receive is completed before its message is there"
replace waiter/mod.rs "message.relocate(from, slot_of(self.waiter, message));" \
  "change(self.waiter, State::Done);
            message.relocate(from, slot_of(self.waiter, message));"

mutant "a receive is completed before its number is there"
replace waiter/mod.rs ".with_mut(|contents| (*contents).seq = seq);" \
  ".with_mut(|contents| {
                    change(self.waiter, State::Done);
                    (*contents).seq = seq
                });"

mutant "a send is completed before its message is taken"
replace waiter/mod.rs "unsafe { message.relocate(slot_of(self.waiter, message), to) };" \
  "unsafe {
            change(self.waiter, State::Done);
            message.relocate(slot_of(self.waiter, message), to)
        };"

mutant "a send is completed before its message is handed to a receive"
replace waiter/mod.rs "let woken = unsafe {" \
  "unsafe { change(self.waiter, State::Done) };
        let woken = unsafe {"

# Without types.

mutant "a waiter is pointed to by its header alone"
replace waiter/mod.rs "NonNull::from(waiter.get_ref()).cast()" "NonNull::from(&waiter.get_ref().header)"

mutant "a list keeps pointers to headers alone"
replace waiter/list.rs "let waiter = waiter.pointer();" "let waiter = NonNull::from(&*waiter);"

mutant "cells are found by another stride without their type"
replace ring/cell.rs "        self.cell.size()" "        2 * self.cell.size()"

mutant "a waker cloned for parking is left in a waiter that has not parked"
replace op/mod.rs "unsafe { self.waiter.take_target() }.into_waker();" "None;"

mutant "a message is given back though its wake has not panicked"
replace chan/settle.rs "            wake.run();
            core::mem::forget(guard);" "            wake.run();"

mutant "a message is not given back though its wake has panicked"
replace chan/settle.rs "            wake.run();
            core::mem::forget(guard);" "            core::mem::forget(guard);
            wake.run();"

mutant "a message that leaves its box leaves the memory"
replace slot.rs "            if message.slot.size() > 0 {" "            if false && message.slot.size() > 0 {"

# Two sides, two locks.

mutant "a send does not look whether it has to go the long way"
replace chan/state.rs "self.is_plain = self.cell_tells_room & !slow;" "self.is_plain = self.cell_tells_room;"

mutant "a send does not look whether there is room"
replace chan/state.rs "            self.producer.next_in_ring(blocks)
        } else if self.slow {" "            Some(self.producer.next(blocks))
        } else if self.slow {"

mutant "nothing sends senders the long way"
replace chan/state.rs "pub(crate) fn set_slow(&mut self, slow: bool) {" \
  "pub(crate) fn set_slow(&mut self, slow: bool) {
        let slow = slow & false;"

mutant "a parked receive does not send senders the long way"
replace chan/transition.rs "self.send.set_slow(*closed | !recvq.is_empty());" "self.send.set_slow(*closed);"
replace chan/transition.rs "self.send.set_slow(true);" "self.send.set_slow(false);"
replace chan/transition.rs "self.send.set_slow(!is_alone);" "self.send.set_slow(false);"

mutant "a close does not send senders the long way"
replace chan/transition.rs "self.send.set_slow(*closed | !recvq.is_empty());" "self.send.set_slow(!recvq.is_empty());"

mutant "once a send has had to go the long way all do"
replace chan/state.rs "pub(crate) fn set_slow(&mut self, slow: bool) {" \
  "pub(crate) fn set_slow(&mut self, slow: bool) {
        let slow = slow | self.slow;"

mutant "a short receive does not look for parked senders"
replace chan/transition.rs "self.recv.slow = *has_side_queue | !sendq.is_empty();" \
  "self.recv.slow = *has_side_queue;"
replace chan/transition.rs "self.recv.slow = !is_alone;" "self.recv.slow = false;"
replace chan/transition.rs "self.recv.slow = true;" ""

mutant "nothing is beside the ring for long"
replace chan/transition.rs "self.recv.update_side_queue();" "self.recv.has_side_queue = false;"

mutant "a short receive does not look for messages given back"
replace chan/state.rs "                self.slow = true;" ""

mutant "a receive does not look for messages given back"
replace chan/state.rs "                self.has_side_queue = true;" ""

mutant "a short receive takes no number"
replace chan/attempt.rs "waiter.set_seq(recv.number());" "waiter.set_seq(recv.next_seq);"

mutant "the long way does not lock the senders' side"
replace chan/mod.rs "(!self.is_single_lock()).then(|| self.sides.send.lock.lock())" \
  "false.then(|| self.sides.send.lock.lock())"

mutant "the long way unlocks the senders' side too early"
replace chan/mod.rs "            send: self.lock_send()," "            send: { drop(self.lock_send()); None },"

mutant "a receive that needs both sides does not lock the senders'"
replace chan/mod.rs "None => self.sides.recv.lock.lock(),
        };
        self.lock_send_beside(recv)" "None => self.sides.recv.lock.lock(),
        };
        Both { send: None, recv, sides: &self.sides }"

mutant "a receive that parks does not lock the senders' side"
replace chan/attempt.rs "let mut both = self.lock_both();" \
  "let recv = self.sides.recv.lock.lock();
        let mut both = super::Both { send: None, recv, sides: &self.sides };"

mutant "a send into a channel with a single lock takes the senders'"
replace chan/state.rs "self.0.load(Ordering::Relaxed) == 0" "!self.would_block()"

mutant "a send that needs both sides waits for the receivers' with its own locked"
replace chan/mod.rs "self.sides.recv.lock.try_lock()) {" "Some(self.sides.recv.lock.lock())) {"

mutant "a send that does not get the receivers' side keeps its own"
replace chan/mod.rs "                drop(send);
                (self.sides.recv.lock.lock(), self.lock_send())" "                (self.sides.recv.lock.lock(), send.or_else(|| self.lock_send()))"

mutant "a receive that needs both sides is given up"
replace chan/state.rs "fn is_empty(&self) -> bool {
        !self.slow" "fn is_empty(&self) -> bool {
        true"

mutant "a send that needs both sides is given up"
replace chan/state.rs "fn is_full(&self) -> bool {
        !self.slow" "fn is_full(&self) -> bool {
        true"

mutant "\`try_send\` says what one side sees"
replace chan/typed.rs "let sent = self.send_slow(missed, slot.erased());" \
  "let sent = match missed.must_wait() {
                true => Err(TrySendError::Full(())),
                false => self.send_slow(missed, slot.erased()),
            };"

mutant "\`try_recv\` says what one side sees"
replace chan/typed.rs "self.recv_slow(missed, slot.erased())?;" \
  "if missed.must_wait() {
                return Err(TryRecvError::Empty);
            }
            self.recv_slow(missed, slot.erased())?;"

mutant "a receive off the fast path looks in the ring alone"
replace chan/mod.rs "if both.recv.has_side_queue {" "if false && both.recv.has_side_queue {"

mutant "a fast path lets go of its lock before its end is judged"
replace chan/typed.rs "return slow(Missed(Some(recv)));" \
  "drop(recv);
            return slow(Missed(Some(self.sides.recv.lock.lock())));"

mutant "a send queues up though nobody stands before it"
replace chan/attempt.rs "if recv.must_send_wait() {" "if true || recv.must_send_wait() {"

mutant "a send never queues up with one lock"
replace chan/attempt.rs "if recv.must_send_wait() {" "if false && recv.must_send_wait() {"

mutant "a send queues up beside a select with both ends"
replace chan/state.rs "!self.sendq.is_empty() && self.recvq.is_empty()" "!self.sendq.is_empty()"

mutant "the hint to wait is the opposite"
replace chan/state.rs "self.0.load(Ordering::Relaxed) & WOULD_BLOCK != 0" \
  "self.0.load(Ordering::Relaxed) & WOULD_BLOCK == 0"

# The buffer.

mutant "the producer takes one message too many"
replace ring/mod.rs "|seen| limit.saturating_sub(" "|seen| limit.saturating_add(1).saturating_sub("

mutant "the producer does not look whether the cell is empty"
replace ring/mod.rs "(!cell.is_full()).then_some(cell)" "Some(cell)"

mutant "the producer does not look where the consumer is"
replace ring/mod.rs "self.seen = head.of_other();" "let _ = head;"

mutant "the producer believes in a ring what it saw of the consumer"
replace ring/mod.rs "blocks.ring.is_some() || room(self.seen) < most" "room(self.seen) < most"

mutant "the holder of both sides does not note where the consumer is"
replace chan/state.rs "self.producer.note_head(head);" "let _ = head;"

mutant "the consumer does not look whether the cell is full"
replace ring/mod.rs "        cell.is_full().then_some(cell)" "        Some(cell)"

mutant "a receive of many does not look how many there are"
replace ring/mod.rs "let most = most.min(len_seen(head, tail, blocks));" "let _ = tail;"

mutant "a cell is full before the message is in it"
replace ring/cell.rs "        self.flag().store(true, Ordering::Release);
" ""
replace ring/cell.rs "        let result = put(unsafe {" \
  "        self.flag().store(true, Ordering::Release);
        let result = put(unsafe {"

mutant "a cell is empty before the message has left it"
replace ring/cell.rs "let _emptying = Emptying(self);" "drop(Emptying(self));"

mutant "a message has left before its cell is empty"
replace ring/mod.rs "let _leaving = Leaving { head };" "drop(Leaving { head });"

mutant "the producer stays in its block"
replace ring/mod.rs "let next = blocks.supply();" \
  "let next = if self.cursor.block.is_null() { blocks.supply() } else { self.cursor.block };"

mutant "the consumer stays in its block"
replace ring/mod.rs "let next = link.load(Ordering::Acquire);" \
  "let next = if drained.is_null() { link.load(Ordering::Acquire) } else { drained };"

mutant "the producer does not say which block is the first"
replace ring/mod.rs "        link.store(next, Ordering::Release);" "        if !self.cursor.block.is_null() {
            link.store(next, Ordering::Release);
        }"

mutant "the producer does not link the next block"
replace ring/mod.rs "        link.store(next, Ordering::Release);" "        if self.cursor.block.is_null() {
            link.store(next, Ordering::Release);
        }"

mutant "the producer links the next block when it leaves that one"
replace ring/mod.rs "        link.store(next, Ordering::Release);" \
  "        if self.cursor.block.is_null() {
            link.store(next, Ordering::Release);
        } else {
            let last = core::mem::replace(&mut self.cursor.unlinked, self.cursor.block);
            if !last.is_null() {
                unsafe { (*last).next.store(self.cursor.block, Ordering::Release) };
            }
        }"
replace ring/mod.rs "    block: *mut Block,
}" "    block: *mut Block,
    unlinked: *mut Block,
}"
replace ring/mod.rs "            block: null_mut()," "            block: null_mut(),
            unlinked: null_mut(),"

mutant "a drained block keeps its link"
replace ring/blocks.rs "unsafe { (*block).next.store(null_mut(), Ordering::Relaxed) };" ""

mutant "the consumer recycles the block that it enters"
replace ring/mod.rs "unsafe { blocks.recycle(drained) };" "unsafe { blocks.recycle(next) };"

mutant "a spare block is given out twice"
replace ring/blocks.rs "spare.swap(null_mut(), Ordering::Acquire)" "spare.load(Ordering::Acquire)"

mutant "a block freed stays a spare"
replace ring/blocks.rs "if !kept {" "if true || !kept {"

mutant "a block that is no spare is not freed"
replace ring/blocks.rs "if !kept {" "if false && !kept {"

# Select.

mutant "a select is claimed while its owner runs"
replace waiter/claim.rs "if before != OPEN {" "if before == CLAIMED {"

mutant "\`Relaxed\`: the step that claims a select"
replace waiter/claim.rs "fetch_or(MARKED, Ordering::Acquire)" "fetch_or(MARKED, Ordering::Relaxed)"

mutant "\`Relaxed\`: the step that opens a select again"
replace waiter/claim.rs "(AWAKE, OPEN, Ordering::Release, Ordering::Relaxed)" "(AWAKE, OPEN, Ordering::Relaxed, Ordering::Relaxed)"

mutant "a peer that passes a select by does not mark it"
replace waiter/claim.rs "self.state.fetch_or(MARKED, Ordering::Acquire);" \
  "self.state.compare_exchange(OPEN, CLAIMED, Ordering::Acquire, Ordering::Acquire).unwrap_or_else(|state| state);"

mutant "a select opens again though it is marked"
replace waiter/claim.rs "        self.state
            .compare_exchange(AWAKE, OPEN, Ordering::Release, Ordering::Relaxed)
            .is_ok()" "        self.state.store(OPEN, Ordering::Release);
        true"

mutant "a receive that passes a request for a permit by does not mark its select"
replace waiter/claim.rs "(AWAKE, MARKED, Ordering::Relaxed, Ordering::Relaxed)" "(AWAKE, AWAKE, Ordering::Relaxed, Ordering::Relaxed)"

mutant "an arm that is passed by stays parked, in no queue"
replace waiter/mod.rs "                        change(waiter, State::Idle);
                        return None;" "                        return None;"

mutant "a select that is marked while it parks waits all the same"
replace select/state.rs "None if this.claim.reopen() => Poll::Pending," "None if { this.claim.reopen(); true } => Poll::Pending,"

mutant "a select that is marked while it polls its futures waits all the same"
replace select/state.rs "match self.progress.claim.reopen() {" \
  "match { self.progress.claim.reopen(); true } {"

mutant "a select that has been claimed takes itself back"
replace waiter/claim.rs "recalled != Err(CLAIMED)" "{ let _ = recalled; true }"

mutant "a select does not look again with all its channels locked"
replace select/state.rs "if let Some((number, done)) = locked.attempt(order.iter(), Some(pinned)) {" \
  "let _ = locked.attempt(core::iter::empty(), None).is_none();
        if let Some((number, done)) = { order.iter().last(); None::<(usize, Done)> } {"

mutant "a select that has parked with all its channels locked is not opened"
replace select/state.rs "unsafe { claim.open() };" ""

mutant "the channels of a select are locked in any order"
replace select/locked.rs "        order.sort_by_key(|number| rank(arms.as_mut(), number));
" "        let _ = rank(arms.as_mut(), 0);
        order.sort_by_key(|number| number);
"

mutant "a channel in two arms of a select is locked twice"
replace select/locked.rs "if chan.rank() != last {" "if { let _ = last; true } {"

mutant "what a select did with all its channels locked is seen by nobody"
replace chan/mod.rs "            self.by_hand().publish();" ""

mutant "the default of a select happens after one channel was looked at after the other"
replace select/try_arms.rs "Locked::new(arms).attempt(order.iter(), None)" "Locked::new(arms).attempt(order.iter().take(0), None)"

mutant "a select that has chosen an arm leaves the others parked"
replace select/state.rs "operation.leave_select();
            }" "let _ = || operation.leave_select();
            }"

mutant "a select that has been claimed leaves its other arms parked"
replace select/state.rs "operation.leave_select();
                if" "let _ = || operation.leave_select();
                if"

mutant "a select that is dropped leaves its arms parked"
replace select/state.rs "let _ = this.cancel();" "let _ = this;"

mutant "a select that was claimed when its time was up is given up unseen"
replace select/state.rs "            self.finish_claimed()
" "            self.finish_claimed();
            None
"

mutant "the waker of a parked select stays the first"
replace select/state.rs "if !unsafe { claim.will_wake(cx.waker()) } {" "if false && !unsafe { claim.will_wake(cx.waker()) } {"

mutant "a select that does not wait wakes nobody"
replace select/macro_support.rs "done.tell(Pin::<&mut P>::new(arms), number, None);" "drop(done);"

mutant "a select that finds an arm ready as it parks wakes nobody"
replace select/state.rs "done.tell(self.arms.as_mut(), number, own);" "drop((done, own));"

# Permits.

mutant "a permit takes no place"
replace chan/state.rs "sides.blocks.capacity().saturating_sub(permits)" "sides.blocks.capacity()"

mutant "the cell tells of room though permits are out"
replace chan/state.rs "self.cell_tells_room = (permits == 0) & self.is_ring;" "self.cell_tells_room = self.is_ring;"

mutant "a permit that is dropped keeps its room"
replace chan/transition.rs "self.set_permits(self.send.permits() - 1);
        self.promote_waiters" "self.promote_waiters"

mutant "a permit that is dropped promotes nobody"
replace chan/transition.rs "self.promote_waiters(wakes);" "let _ = wakes;"

mutant "a permit that is dropped wakes nobody"
replace chan/mod.rs "chan.release_permit(&mut wakes));
        wakes.run();" "chan.release_permit(&mut wakes));
        drop(wakes);"

mutant "a permit that is used keeps its room"
replace chan/state.rs "self.set_permits(sides, self.permits - 1);" ""

mutant "a permit's send wakes nobody"
replace chan/mod.rs "wake::run(wake);
                true" "drop(wake);
                true"

mutant "a permit's short send does not look whether it has to go the long way"
replace chan/state.rs "if self.slow {
            return false;
        }
        let RingView" "let RingView"

mutant "a permit's short send does not look whether the ring has room"
replace chan/state.rs "let Some(cell) = next else { return false };" \
  "let _ = next;
        let cell = self.producer.next(blocks);"

mutant "a request for a permit does not look whether the channel is closed"
replace chan/state.rs "let is_possible = self.next_unconcerned(sides).is_some();" \
  "let RingView { head, tail, blocks } = sides.ring();
        let is_possible = self.producer.room(tail, head, blocks, self.limit, 1) > 0;"

mutant "a request for a permit does not look whether there is room"
replace chan/state.rs "let is_possible = self.next_unconcerned(sides).is_some();" "let is_possible = !self.slow;"

mutant "a request for a permit parks without a second look"
replace chan/attempt.rs "let done = chan.attempt(waiter, waiter.select());
            if done.is_none() {
                chan.recv_side()" "let done = match waiter.kind() {
                Kind::Reserve => None,
                _ => chan.attempt(waiter, waiter.select()),
            };
            if done.is_none() {
                chan.recv_side()"

mutant "a request for a permit that is dropped keeps its permit"
replace op/mod.rs "(Kind::Reserve, State::Done) => chan.release_permit()," ""

mutant "a receive that parks promotes no request for a permit"
replace chan/attempt.rs "chan.promote_waiters(&mut wakes);" ""

mutant "a send takes a receiver that a permit counts on"
replace chan/transition.rs "0 => dequeue(&mut self.recv.recvq)," "_ if true => dequeue(&mut self.recv.recvq),"

mutant "a short receive does not look for messages of permits beyond the ring"
replace chan/state.rs " || !self.overflow.is_empty();" ";"

mutant "a message of a permit beyond the ring is not noted"
replace chan/transition.rs "                self.recv.has_side_queue = true;" ""

mutant "a select parks before it can be claimed where it makes room beside permits"
replace chan/attempt.rs "Some(select) => select.as_ref().mark(),
                    None => {" "Some(select) if false => select.as_ref().mark(),
                    _ => {"

mutant "a select that parks promotes nobody beside permits"
replace select/state.rs "locked.serve(&mut wakes);" ""

mutant "a select with both ends does not see the place of a permit"
replace chan/promote.rs "!has_place && is_alone" "is_alone"

mutant "a select claimed for a permit without a partner is dropped"
replace chan/promote.rs "wakes.push(sender.unpark())" "drop(sender)"

mutant "a select woken for a permit without a partner stays claimed"
replace select/state.rs "            unsafe { this.claim.renew() };
" ""

# Batches.

mutant "a batch sent wakes nobody"
replace chan/many.rs "wakes.run();
            if !matches" "drop(wakes);
            if !matches"

mutant "a batch received wakes nobody"
replace chan/many.rs "wakes.run();
            if taken" "drop(wakes);
            if taken"

mutant "a batch does not look whether it has to go the long way"
replace chan/state.rs "if self.slow {
            return 0;
        }
        let RingView { head, tail, blocks } = sides.ring();
        let room" "let RingView { head, tail, blocks } = sides.ring();
        let room"

mutant "a receive of many does not look whether it has to go the long way"
replace chan/state.rs "if self.slow {
            return 0;
        }
        let RingView { head, tail, blocks } = sides.ring();
        // SAFETY" "let RingView { head, tail, blocks } = sides.ring();
        // SAFETY"

mutant "a message of a batch that finds no room is lost"
replace chan/typed.rs "        if self.is_loaded {
" "        if false && self.is_loaded {
"

mutant "a message of a batch is sent twice"
replace chan/typed.rs "self.is_loaded = false;" ""

mutant "a receive of many says what one side sees"
replace chan/many.rs "self.locked(|chan| {
            let recv = chan.recv_side();" "self.recv_side_locked(|recv| {"

mutant "a receive of many looks for messages and for the close apart"
replace chan/many.rs "recv.available(sides, limit).ok_or(recv.why_empty())
        })" "recv.available(sides, limit)
        })
        .ok_or_else(|| self.recv_side_locked(|recv| recv.why_empty()))"

mutant "a receive of many counts no parked senders"
replace chan/state.rs " + self.sendq.len();" ";"

# Waits for the end.

mutant "a close leaves those who wait for it"
replace chan/transition.rs "closing.append(closeq);" "let _ = closeq;"

mutant "a close of an empty channel leaves those who wait for its last message"
replace chan/transition.rs "self.note_drained();
        }
        was_open" "}
        was_open"

mutant "the last receive does not look whether anybody waits for it"
replace chan/state.rs "has_more || self.closed && !self.drainq.is_empty();" "has_more;"

mutant "a wait for the last message that parks is not noted"
replace chan/state.rs "self.has_side_queue |= matches!(waiter.kind(), Kind::Drained);" ""

mutant "the last receive tells nobody"
replace chan/settle.rs "panics.catch(|| self.complete_closing());" ""

mutant "the last receive of many tells nobody"
replace chan/many.rs "if taken.has_drained {" "if false && taken.has_drained {"

mutant "any receive from a closed channel tells"
replace chan/transition.rs "!self.recv.drainq.is_empty() && self.len() == 0" "!self.recv.drainq.is_empty()"

mutant "a wait for the end parks without a second look"
replace chan/attempt.rs "let done = chan.attempt(waiter, waiter.select());
            if done.is_none() {
                chan.recv_side()" "let done = match waiter.kind() {
                Kind::Reserve => chan.attempt(waiter, waiter.select()),
                _ => None,
            };
            if done.is_none() {
                chan.recv_side()"

mutant "a wait for the end, or for a permit, that is dropped stays in its queue"
replace op/bare.rs "if this.waiter.is_waiting() {" \
  "if this.waiter.is_waiting() && this.waiter.state() != State::Parked {"

# Counts.

mutant "a dropped handle acquires nothing"
replace sync/count.rs "self.0.fetch_sub(1, Ordering::AcqRel)" "self.0.fetch_sub(1, Ordering::Release)"

mutant "a dropped handle releases nothing"
replace sync/count.rs "self.0.fetch_sub(1, Ordering::AcqRel)" "self.0.fetch_sub(1, Ordering::Acquire)"

mutant "a weak handle is upgraded in two steps"
replace sync/count.rs "        let added =
            self.0
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| match count {
                    0 => None,
                    _ => Some(count + 1),
                });" "        let added = match self.get() {
            0 => Err(0),
            _ => Ok::<usize, usize>(self.0.fetch_add(1, Ordering::Relaxed)),
        };"

mutant "an upgraded handle is not counted"
replace sync/count.rs "_ => Some(count + 1)," "_ => Some(count),"

mutant "a cloned handle is not counted"
replace sync/count.rs "if self.0.fetch_add(1, Ordering::Relaxed) > MOST {" "if self.0.fetch_add(0, Ordering::Relaxed) > MOST {"

# Orderings, all to `Relaxed`.

mutant "\`Relaxed\`: the load of a waiter's state"
replace waiter/mod.rs "self.shared.load(Ordering::Acquire)" "self.shared.load(Ordering::Relaxed)"

mutant "\`Relaxed\`: the store that completes a waiter"
replace waiter/mod.rs "store(state as u8, Ordering::Release)" "store(state as u8, Ordering::Relaxed)"

mutant "\`Relaxed\`: the swap that takes the lock"
replace sync/lock.rs "self.held.swap(true, Ordering::Acquire)" "self.held.swap(true, Ordering::Relaxed)"

mutant "\`Relaxed\`: the store that frees the lock"
replace sync/lock.rs "store(false, Ordering::Release)" "store(false, Ordering::Relaxed)"

mutant "the lock is taken in two steps"
replace sync/lock.rs "!self.held.swap(true, Ordering::Acquire)" \
  "{ let held = self.held.load(Ordering::Acquire); self.held.store(true, Ordering::Relaxed); !held }"

mutant "a channel's memory goes before its last user"
replace sync/arc.rs "if self.count().remove() {" "if !self.count().remove() {"

mutant "\`Relaxed\`: the swap that finds a wake before sleeping"
replace thread/parker.rs "&& self.state.swap(EMPTY, Ordering::Acquire) == NOTIFIED" \
  "&& self.state.swap(EMPTY, Ordering::Relaxed) == NOTIFIED"

mutant "\`Relaxed\`: the swap that finds a wake after sleeping"
replace thread/parker.rs "        }
        self.state.swap(EMPTY, Ordering::Acquire) == NOTIFIED" "        }
        self.state.swap(EMPTY, Ordering::Relaxed) == NOTIFIED"

mutant "\`Relaxed\`: the swap that wakes a thread"
replace thread/parker.rs "self.state.swap(NOTIFIED, Ordering::Release)" "self.state.swap(NOTIFIED, Ordering::Relaxed)"

mutant "\`Relaxed\`: the look at a cell"
replace ring/cell.rs "self.flag().load(Ordering::Acquire)" "self.flag().load(Ordering::Relaxed)"

mutant "\`Relaxed\`: the store that makes a cell full"
replace ring/cell.rs "self.flag().store(true, Ordering::Release)" "self.flag().store(true, Ordering::Relaxed)"

mutant "\`Relaxed\`: the store that makes a cell empty"
replace ring/cell.rs "flag().store(false, Ordering::Release)" "flag().store(false, Ordering::Relaxed)"

mutant "\`Relaxed\`: the producer's look at the consumer's position"
replace ring/mod.rs "self.seen = head.of_other();" "self.seen = head.own();"

mutant "\`Relaxed\`: the store of a position"
replace ring/mod.rs "self.0.store(self.own().wrapping_add(by), Ordering::Release);" \
  "self.0.store(self.own().wrapping_add(by), Ordering::Relaxed);"

mutant "\`Relaxed\`: the store of the link to a block"
replace ring/mod.rs "link.store(next, Ordering::Release);" "link.store(next, Ordering::Relaxed);"

mutant "\`Relaxed\`: the consumer's look at the link to a block"
replace ring/mod.rs "link.load(Ordering::Acquire)" "link.load(Ordering::Relaxed)"

mutant "\`Relaxed\`: the swap that takes a spare block"
replace ring/blocks.rs "spare.swap(null_mut(), Ordering::Acquire)" "spare.swap(null_mut(), Ordering::Relaxed)"

mutant "\`Relaxed\`: the compare-exchange that keeps a spare block"
replace ring/blocks.rs "(null_mut(), block, Ordering::Release, Ordering::Relaxed)" \
  "(null_mut(), block, Ordering::Relaxed, Ordering::Relaxed)"

}

declare -A checked
each find_place
[ "$fail" = 0 ] || die "$fail places are not as they were"

if [ "$mode" = check ]; then
  # Many at a time; where those do not compile, one at a time.
  gathered=-1
  while [ "$gathered" != 0 ]; do
    gathered=0
    each gather
    cargo_on_copy check --lib 2>/dev/null && is_one_to_blame=false || is_one_to_blame=true
    rm -r "$copy"
    cp -r "$clean" "$copy"
    ! "$is_one_to_blame" || each check
    each note_checked
  done
  [ "$fail" = 0 ] || die "$fail of $tried do not compile"
  printf '%s mutations compile.\n' "$tried"
  exit
fi

# Of all but the mutations, which may be mended between two runs.
source=$(cd "$clean" && find . -type f ! -name mutants.sh ! -name MUTANTS.md | sort | xargs cat | sha256sum | cut -c 1-16)
passed="models pass on the source $source ($mode)"
if [ -s "${ROWS:-}" ]; then
  read -r models first <"$ROWS"
  [ "$first" = "$passed" ] || die "$ROWS is of another source, or of another kind of run"
else
  build --lib --test loom
  if [ "$mode" = quick ]; then
    unmutated=$(LOOM_MAX_PREEMPTIONS=$few failures $seconds_few)
  else
    unmutated=$(failures $seconds_full)
  fi
  [ -z "$unmutated" ] || die "fails without any mutation: $unmutated"
  models=$(wc -l <"$scratch/models")
  echo "$models $passed" >"${ROWS:-/dev/null}"
fi
printf '| taken out or changed | noticed by |\n|---|---|\n'
tried=0
each try
printf '\n%s of %s survived; %s models.\n' "$survived" "$tried" "$models"
