#!/usr/bin/env bash
# Takes one thing at a time out of the crate - a wake, a re-check, an ordering - and prints which models notice.
#
#   tests/loom/mutants.sh            all mutations, after a run of the models on the crate as it is
#   tests/loom/mutants.sh wakes      only those whose name contains "wakes"
#
# Works on a copy of the working tree in a temporary directory. A mutation that no longer fits the source, or does not
# build, ends the script: it has to be brought up to date. Models are explored up to a few preemptions first, and in full
# if none of them notices. A mutation that none notices then is printed as SURVIVED; why that is as it should be stands in
# MUTANTS.md.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
only=${1:-}
# A mutated model may run for ever; unmutated, none takes a quarter of this, up to so many preemptions and in full.
few=3 seconds_few=10 seconds_full=120
# Nor are the remains of one that crashes of use.
ulimit -c 0

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
clean=$scratch/clean copy=$scratch/copy
mkdir "$clean" "$copy"
git -C "$root" ls-files -z --cached --others --exclude-standard -- Cargo.toml src tests examples |
  (cd "$root" && xargs -0 cp --parents -t "$clean")
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target/mutants}
export RUSTFLAGS="--cfg hchan_loom" RUST_BACKTRACE=0
# The crate is built a hundred times, so building fast counts for more than running fast. Loom itself is optimized.
export CARGO_INCREMENTAL=1 CARGO_PROFILE_RELEASE_DEBUG=0
fast=(--config profile.release.package.hchan.opt-level=0)

die() { printf 'mutants: %s\n' "$*" >&2; exit 1; }

# Builds the copy and prints "binary test" for each of its models.
models() {
  local log=$scratch/build.log binary
  (cd "$copy" && cargo "${fast[@]}" test --release --lib --test loom --no-run) >"$log" 2>&1 || { cat "$log" >&2; return 1; }
  sed -n 's/^ *Executable .*(\(.*\))$/\1/p' "$log" | while read -r binary; do
    case $binary in /*) ;; *) binary=$copy/$binary ;; esac
    # In the library, models stand among plain tests.
    "$binary" --list 2>/dev/null | sed -n 's/: test$//p' |
      case $binary in */hchan-*) grep '::model::' ;; *) cat ;; esac | sed "s|^|$binary |"
  done
}

# Prints those of the copy's models that fail within so many seconds, each run in a process of its own: some crash.
failures() {
  SECONDS_EACH=$1 xargs -P "$(nproc)" -L 1 bash -c \
    'timeout -k 1 "$SECONDS_EACH" "$0" --exact "$1" >/dev/null 2>&1 || echo "$1"' \
    <"$scratch/models" 2>/dev/null | sort
}

build() {
  models >"$scratch/models" || return 1
  [ -s "$scratch/models" ] || die "there are no models"
}

# Starts a mutation, after trying the one before.
mutant() {
  try_mutant
  name=$1
  rm -rf "$copy"
  cp -r "$clean" "$copy"
}

# Replaces a piece of a file of the copy, which must occur just once.
replace() {
  local file=$copy/src/$1 old=$2 new=$3 text rest
  text=$(cat "$file")
  rest=${text#*"$old"}
  [ "$rest" != "$text" ] || die "$name: no longer in $1: $old"
  [ "${rest#*"$old"}" = "$rest" ] || die "$name: more than once in $1: $old"
  printf '%s\n' "${text%%"$old"*}$new$rest" >"$file"
}

tried=0 survived=0 name=
try_mutant() {
  [ -n "$name" ] || return 0
  case $name in *"$only"*) ;; *) return 0 ;; esac
  local failed count
  build || die "$name: does not build"
  failed=$(LOOM_MAX_PREEMPTIONS=$few failures $seconds_few)
  [ -n "$failed" ] || failed=$(failures $seconds_full)
  tried=$((tried + 1))
  if [ -z "$failed" ]; then
    survived=$((survived + 1))
    printf '| %s | SURVIVED |\n' "$name"
  else
    count=$(wc -l <<<"$failed")
    printf '| %s | %s%s |\n' "$name" "$(head -n 3 <<<"$failed" | sed 's/.*/`&`/' | paste -sd ' ')" \
      "$([ "$count" -le 3 ] || echo " and $((count - 3)) more")"
  fi
}

cp -r "$clean/." "$copy"
build
unmutated=$(failures $seconds_full)
[ -z "$unmutated" ] || die "fails without any mutation: $unmutated"
printf '| taken out or changed | noticed by |\n|---|---|\n'

# Wakes.

mutant "a send wakes nobody"
replace operation/send.rs "wake_and_drop(waker, unused);" "drop((waker, unused));"

mutant "\`try_send\` and \`force_send\` wake nobody"
replace shared.rs "        (SendStep::Sent(waker), _) => {
            wake(waker);" "        (SendStep::Sent(waker), _) => {
            drop(waker);"

mutant "a receive wakes nobody"
replace shared/held.rs "        wake_and_drop(taken.waker, unused);
        held" "        drop((taken.waker, unused));
        held"

mutant "a promotion wakes nobody"
replace core.rs "        self.admit(sender);
        Some(waker)" "        self.admit(sender);
        drop(waker);
        None"

mutant "a rendezvous wakes nobody"
replace core.rs "(message, Some(waker))," "(message, { drop(waker); None }),"

mutant "a message given back wakes nobody"
replace shared/held.rs "let waker = self.recv_end_locked(|recv_end| recv_end.give_back(seq, message));" \
  "drop(self.recv_end_locked(|recv_end| recv_end.give_back(seq, message)));
        let waker = None;"

mutant "a message given back goes past the parked receivers"
replace end.rs "match dequeue(&mut self.recvq) {" "match None::<(NonNull<Waiter<T>>, Waker)> {"

mutant "\`close\` completes nobody"
replace shared.rs "        if is_awaited {
            self.complete_closing();
        }
" ""

mutant "the last receiver completes nobody"
replace shared.rs "self.clear(is_awaited);" "self.clear(false);"

mutant "a close completes but does not wake"
replace shared.rs "            wakes.wake();
            is_more" "            drop(wakes);
            is_more"

mutant "a close completes one batch only"
replace shared.rs "            wakes.wake();
            is_more" "            wakes.wake();
            is_more && false"

mutant "a close leaves the parked senders"
replace core.rs "            closing.append(sendq);
" ""

mutant "a close leaves the parked receivers"
replace core.rs "            closing.append(recvq);
" ""

mutant "the last sender does not close"
replace shared.rs "        if self.senders.remove() {
            self.close();
        }" "        let _ = self.senders.remove();"

mutant "a thread that sleeps is not unparked"
replace park.rs "== ASLEEP {
            self.thread.unpark();" "== ASLEEP {"

mutant "a wake does not look whether the thread sleeps"
replace park.rs "if self.state.swap(NOTIFIED, Ordering::Release) == ASLEEP {" \
  "if { let asleep = self.state.load(Ordering::Relaxed) == ASLEEP; self.state.store(NOTIFIED, Ordering::Release); asleep } {"

# Re-checks.

mutant "a receive parks without a second look"
replace operation/recv.rs "let step = core.recv();
            if let RecvStep::Empty = step {
                is_beside" "let step = RecvStep::Empty;
            if let RecvStep::Empty = step {
                is_beside"

mutant "a send parks without a second look"
replace operation/send.rs "|core| match core.send(|| unsafe { waiter.take_message() }) {" "|core| match SendStep::Full {"

mutant "unparking does not look again under the lock"
replace operation.rs "(waiter.state() == State::Parked).then(unpark)" "Some(unpark())"

mutant "renewing a waker does not look whether it is still parked"
replace operation.rs "waiter.state() != State::Parked || unsafe { waiter.will_wake(waker) }" \
  "unsafe { waiter.will_wake(waker) }"

mutant "renewing a waker does not look again after cloning it"
replace operation.rs "        if waiter.state() != State::Parked {
            return None;
        }
" ""

mutant "the waker of a parked operation stays the first"
replace operation.rs "    if is_renewed {" "    if true || is_renewed {"

mutant "a waiter told of a close is looked for in its old queue"
replace end.rs "            _ if self.closed => &mut self.closing,
" ""

mutant "a channel closes twice"
replace core.rs "let was_open = !*closed;" "let was_open = true;"

mutant "a send does not look whether the channel is closed"
replace core.rs "        if self.recv_end.closed {
            SendStep::Closed
        } else if let Some((receiver, waker)) = self.dequeue_receiver() {" \
  "        if let Some((receiver, waker)) = self.dequeue_receiver() {"

mutant "a closed channel receives nothing more"
replace core.rs "        if self.recv_end.irregular {
            return" "        if self.recv_end.closed {
            return RecvStep::Closed;
        }
        if self.recv_end.irregular {
            return"

mutant "a thread lies down over a wake that has come"
replace park.rs "            self.state
                .compare_exchange(EMPTY, ASLEEP, Ordering::Relaxed, Ordering::Relaxed);" \
  "            { self.state.store(ASLEEP, Ordering::Relaxed); Ok::<u8, u8>(EMPTY) };"

mutant "a thread that finds a wake does not keep it from lying down"
replace park.rs "while asleep.is_ok() && self" "let _ = asleep;
        while self"

mutant "a thread that is out of time does not look for a wake"
replace park.rs "return self.unparker.consume();" "return false;"

mutant "a thread keeps the wake that ended another wait of its"
replace park.rs "if has_napped {" "if false && has_napped {"

mutant "an operation whose time is up is given up unseen"
replace wait.rs "return future.withdraw();" "let _ = future.withdraw();
                return None;"

mutant "an operation that is stopped is given up unseen"
replace until.rs "this.operation.as_mut().withdraw()" "{ let _ = this.operation.as_mut().withdraw(); None }"

mutant "an operation that is stopped is not withdrawn"
replace until.rs "this.operation.as_mut().withdraw()" "None"

# Who gets what.

mutant "a message is not promoted"
replace core.rs "(message, self.promote())" "(message, None)"

mutant "messages in the ring come before those given back"
replace core.rs "match self.recv_end.given_back.pop() {" "match (self.ring_len() == 0).then(|| self.recv_end.given_back.pop()).flatten() {"

mutant "all messages leave with the same number"
replace end.rs "        self.next_seq += 1;
" ""

mutant "a message given back gets a new number when it is handed on"
replace end.rs "                unsafe { Waiter::fill(receiver, seq, message) };
                Some(waker)" "                let seq = seq + self.number();
                unsafe { Waiter::fill(receiver, seq, message) };
                Some(waker)"

mutant "a cancelled receive keeps its message"
replace operation/recv.rs "                this.release();" "                let _ = this.withdraw();"

mutant "a cancelled receive stays in the queue"
replace operation/recv.rs "if matches!(this.waiter.state(), State::Parked | State::Done | State::Closed) {" \
  "if matches!(this.waiter.state(), State::Done | State::Closed) {"

mutant "a cancelled send stays in the queue"
replace operation/send.rs "        let _handle = self.as_mut().detach();
" ""

mutant "a cancelled send does not drop its message"
replace operation/send.rs "        let _message = QuietDrop::new(self.take_message());
" ""

mutant "a released stream is not as new"
replace operation/recv.rs "        this.waiter.set_state(State::Idle);
        if let" "        if let"

mutant "a stream that has had an item is not as new"
replace stream.rs "            op.as_mut().renew();" ""

mutant "the last receiver leaves what is buffered"
replace shared.rs "if is_awaited || !is_empty {" "if is_awaited {"

mutant "the last receiver drops what is buffered, then closes"
replace shared.rs "            let step = self.recv();
" "            let step = RecvStep::<T>::Empty;
"
replace shared.rs "            let (is_awaited, is_empty)" \
  "            while let RecvStep::Received(_) = self.recv() {}
            let (is_awaited, is_empty)"

mutant "a receive is completed before its message is there"
replace waiter.rs "            this.as_ref().contents.with_mut(|contents| {
                (*contents).seq = seq;" "            Self::change(this, State::Done);
            this.as_ref().contents.with_mut(|contents| {
                (*contents).seq = seq;"

mutant "a send is completed before its message is taken"
replace waiter.rs "            let message = (!waiter.is_reserve).then(|| waiter.take_message());
            Self::change(this, State::Done);" "            Self::change(this, State::Done);
            let message = (!waiter.is_reserve).then(|| waiter.take_message());"

# Two ends, two locks.

mutant "a send does not look whether it has to go the long way"
replace end.rs "take: impl FnOnce() -> T) -> bool {
        let is_possible = !self.slow && " "take: impl FnOnce() -> T) -> bool {
        let is_possible = "

mutant "a send does not look whether there is room"
replace end.rs "self.has_room(ends);
        if is_possible {
            self.push" "true;
        if is_possible {
            self.push"

mutant "nothing sends senders the long way"
replace core.rs "        self.send_end.slow = is_send_slow;
" ""

mutant "a parked receive does not send senders the long way"
replace core.rs "let is_send_slow = *closed | !recvq.is_empty();" "let is_send_slow = *closed;"

mutant "a close does not send senders the long way"
replace core.rs "let is_send_slow = *closed | !recvq.is_empty();" "let is_send_slow = !recvq.is_empty();"

mutant "once a send has had to go the long way all do"
replace core.rs "self.send_end.slow = is_send_slow;" "self.send_end.slow |= is_send_slow;"

mutant "a short receive does not look for parked senders"
replace core.rs "let is_recv_slow = *irregular | !sendq.is_empty();" "let is_recv_slow = *irregular;"

mutant "nothing is irregular for long"
replace core.rs "            self.recv_end.note_irregularities();" "            self.recv_end.irregular = false;"

mutant "a short receive does not look for messages given back"
replace end.rs "                self.slow = true;
" ""

mutant "a short receive takes no number"
replace shared.rs "let seq = recv_end.number();" "let seq = recv_end.next_seq;"

mutant "the long way does not lock the senders' end"
replace shared.rs "(!self.is_coupled()).then(|| self.ends.send.lock.lock())" "false.then(|| self.ends.send.lock.lock())"

mutant "the long way unlocks the senders' end too early"
replace shared.rs "let _held = (!self" "let _ = (!self"

mutant "a receive that needs both ends does not lock the senders'"
replace shared.rs "        let mut send_end = self.ends.send.lock.lock();
        Core::new(&mut recv_end, &mut send_end," "        let send_end = unsafe { &mut *self.ends.send.lock.get() };
        Core::new(&mut recv_end, send_end,"

mutant "a send into a coupled channel locks the senders' end"
replace shared.rs "if self.is_coupled() || self.is_to_wait(Side::Send) {" "if self.is_to_wait(Side::Send) {"

mutant "a send that needs both ends waits for the receivers' with its own locked"
replace shared.rs "= self.ends.recv.lock.try_lock() {" "= Some(self.ends.recv.lock.lock()) {"

mutant "a send that does not get the receivers' end keeps its own"
replace shared.rs "        drop(send_end);
" "        let _kept = send_end;
"

mutant "a receive that needs both ends is given up"
replace end.rs "(!self.slow).then(step)" "Some(step())"

mutant "\`try_send\` says what one end sees"
replace shared.rs "            step = self.locked(|core| core.send(|| take(&mut slot)));
" ""

mutant "\`try_recv\` says what one end sees"
replace shared.rs "            step = self.locked(|core| core.recv());
" ""

mutant "a short receive looks for messages and for the close apart"
replace shared.rs "        if let Some(step) = recv_end.step_if_empty() {" "        drop(recv_end);
        let mut recv_end = self.ends.recv.lock.lock();
        if let Some(step) = recv_end.step_if_empty() {"

mutant "a send queues up though nobody stands before it"
replace operation/send.rs "recv_end.is_send_to_wait().then(|| park(recv_end))" "Some(park(recv_end))"

mutant "a send never queues up with one lock"
replace operation/send.rs "recv_end.is_send_to_wait().then(|| park(recv_end))" "{ let _ = recv_end; None }"

mutant "the outlook is the opposite"
replace core.rs "send.outlook.set(is_full & !is_send_slow);" "send.outlook.set(!is_full | is_send_slow);"
replace core.rs "recv.outlook.set((len == 0) & !is_recv_slow & !*closed);" "recv.outlook.set((len > 0) | is_recv_slow | *closed);"

# The buffer.

mutant "the producer takes one message too many"
replace ring.rs "|seen| limit.saturating_sub(" "|seen| limit.saturating_add(1).saturating_sub("

mutant "the producer does not look whether the slot is empty"
replace ring.rs "!unsafe { self.cursor.slot() }.is_full()" "true"

mutant "the producer does not look where the consumer is"
replace ring.rs "            self.seen = head.of_other();
" "            let _ = head;
"

mutant "the producer believes in a ring what it saw of the consumer"
replace ring.rs "blocks.ring.is_some() || room(self.seen) < most" "room(self.seen) < most"

mutant "the consumer does not look whether the slot is full"
replace ring.rs "unsafe { self.0.slot() }.is_full()" "true"

mutant "a slot is full before the message is in it"
replace ring/slot.rs "        self.message
            .with_mut(|message| unsafe { _ = (*message).write(take()) });
        self.is_full.store(true, Ordering::Release);" "        self.is_full.store(true, Ordering::Release);
        self.message
            .with_mut(|message| unsafe { _ = (*message).write(take()) });"

mutant "a slot is empty before the message has left it"
replace ring/slot.rs "let _emptying = Emptying(&self.is_full);" "drop(Emptying(&self.is_full));"

mutant "a message has left before its slot is empty"
replace ring.rs "let _leaving = Leaving { head };" "drop(Leaving { head });"

mutant "the producer stays in its block"
replace ring.rs "let next = blocks.supply();" \
  "let next = if self.cursor.block.is_null() { blocks.supply() } else { self.cursor.block };"

mutant "the consumer stays in its block"
replace ring.rs "let next = link.load(Ordering::Acquire);" \
  "let next = if drained.is_null() { link.load(Ordering::Acquire) } else { drained };"

mutant "the producer does not say which block is the first"
replace ring.rs "        link.store(next, Ordering::Release);" "        if !self.cursor.block.is_null() {
            link.store(next, Ordering::Release);
        }"

mutant "the producer does not link the next block"
replace ring.rs "        link.store(next, Ordering::Release);" "        if self.cursor.block.is_null() {
            link.store(next, Ordering::Release);
        }"

mutant "the producer links the next block when it leaves that one"
replace ring.rs "        link.store(next, Ordering::Release);" \
  "        if self.cursor.block.is_null() {
            link.store(next, Ordering::Release);
        } else {
            let last = core::mem::replace(&mut self.cursor.unlinked, self.cursor.block);
            if !last.is_null() {
                unsafe { (*last).next.store(self.cursor.block, Ordering::Release) };
            }
        }"
replace ring.rs "    block: *mut Block<T>,
}" "    block: *mut Block<T>,
    unlinked: *mut Block<T>,
}"
replace ring.rs "            block: null_mut()," "            block: null_mut(),
            unlinked: null_mut(),"

mutant "a drained block keeps its link"
replace ring/blocks.rs "unsafe { (*block).next.store(null_mut(), Ordering::Relaxed) };" ""

mutant "the consumer recycles the block that it enters"
replace ring.rs "unsafe { blocks.recycle(drained) };" "unsafe { blocks.recycle(next) };"

mutant "a spare block is given out twice"
replace ring/blocks.rs "spare.swap(null_mut(), Ordering::Acquire)" "spare.load(Ordering::Acquire)"

mutant "a block freed stays a spare"
replace ring/blocks.rs "if !kept {" "if true || !kept {"

mutant "a block that is no spare is not freed"
replace ring/blocks.rs "if !kept {" "if false && !kept {"

# Select.

mutant "a select is claimed while its owner runs"
replace claim.rs "if before != OPEN {" "if before == CLAIMED {"

mutant "\`Relaxed\`: the step that claims a select"
replace claim.rs "fetch_or(MARKED, Ordering::Acquire)" "fetch_or(MARKED, Ordering::Relaxed)"

mutant "\`Relaxed\`: the step that opens a select again"
replace claim.rs "(AWAKE, OPEN, Ordering::Release, Ordering::Relaxed)" "(AWAKE, OPEN, Ordering::Relaxed, Ordering::Relaxed)"

mutant "a peer that passes a select by does not mark it"
replace claim.rs "self.state.fetch_or(MARKED, Ordering::Acquire);" \
  "self.state.compare_exchange(OPEN, CLAIMED, Ordering::Acquire, Ordering::Acquire).unwrap_or_else(|state| state);"

mutant "a select opens again though it is marked"
replace claim.rs "        self.state
            .compare_exchange(AWAKE, OPEN, Ordering::Release, Ordering::Relaxed)
            .is_ok()" "        self.state.store(OPEN, Ordering::Release);
        true"

mutant "a select that is marked while it parks waits all the same"
replace select/race.rs "None if this.claim.reopen() => Poll::Pending," "None if { this.claim.reopen(); true } => Poll::Pending,"

mutant "a select that is marked while it polls its futures waits all the same"
replace select/race.rs "match self.claim.reopen() {" "match { self.claim.reopen(); true } {"

mutant "a select that has been claimed takes itself back"
replace claim.rs "recalled != Err(CLAIMED)" "{ let _ = recalled; true }"

mutant "a select does not look again with all its channels locked"
replace select/race.rs "if let Some((number, done)) = locked.attempt(order.iter()) {" \
  "let _ = locked.attempt(std::iter::empty()).is_none();
        if let Some((number, done)) = { order.iter().last(); None::<(usize, Done)> } {"

mutant "a select that has parked with all its channels locked is not opened"
replace select/race.rs "unsafe { this.claim.open() };" ""

mutant "the channels of a select are locked in any order"
replace select/locked.rs "        order.sort_by_key(|number| rank(arms.as_mut(), number));
" "        let _ = rank(arms.as_mut(), 0);
        order.sort_by_key(|number| number);
"

mutant "a channel in two arms of a select is locked twice"
replace select/locked.rs "if channel.rank() != last {" "if { let _ = last; true } {"

mutant "the default of a select happens after one channel was looked at after the other"
replace select/attempt.rs "Locked::new(arms).attempt(order.iter())" "Locked::new(arms).attempt(order.iter().take(0))"

mutant "a select that has chosen an arm leaves the others parked"
replace select/race.rs "                    operation.leave_select();
" "                    let _ = operation;
"

mutant "a select that has been claimed leaves its other arms parked"
replace select/race.rs "                    operation.as_mut().leave_select();
" ""

mutant "a select that is dropped leaves its arms parked"
replace select/race.rs "            let _ = this.withdraw();
" "            let _ = this;
"

mutant "a select that was claimed when its time was up is given up unseen"
replace select/race.rs "            self.finish_claimed()
" "            self.finish_claimed();
            None
"

mutant "the waker of a parked select stays the first"
replace select/race.rs "if !unsafe { self.claim.will_wake(cx.waker()) } {" "if false && !unsafe { self.claim.will_wake(cx.waker()) } {"

mutant "a select that does not wait wakes nobody"
replace select/expanded.rs "done.tell(Pin::new(arms), number, None);" "drop(done);"

mutant "a select that finds an arm ready as it parks wakes nobody"
replace select/race.rs "done.tell(self.project().arms, number, own);" "drop((done, own));"

# Permits.

mutant "a permit takes no place"
replace end.rs "ends.blocks.capacity().saturating_sub(permits)" "ends.blocks.capacity()"

mutant "a permit that is dropped keeps its room"
replace core.rs "wakes: &mut WakeBatch) {
        self.set_permits(self.send_end.permits() - 1);" "wakes: &mut WakeBatch) {"

mutant "a permit that is dropped serves nobody"
replace core.rs "        self.serve(wakes);
" "        let _ = wakes;
"

mutant "a permit that is dropped wakes nobody"
replace shared.rs "core.release_permit(&mut wakes));
        wakes.wake();" "core.release_permit(&mut wakes));
        drop(wakes);"

mutant "a permit that is used keeps its room"
replace end.rs "            self.set_permits(ends, self.permits - 1);
" ""

mutant "a permit's short send does not look whether it has to go the long way"
replace end.rs "!self.slow && (self.producer).has_room(tail, head, blocks, blocks.capacity())" \
  "(self.producer).has_room(tail, head, blocks, blocks.capacity())"

mutant "a permit's short send does not look whether the ring has room"
replace end.rs "!self.slow && (self.producer).has_room(tail, head, blocks, blocks.capacity())" \
  "{ let _ = (head, tail, blocks); !self.slow }"

mutant "a request for a permit does not look whether the channel is closed"
replace end.rs "ends: &Ends<T>) -> bool {
        let is_possible = !self.slow && self.has_room(ends);
        if is_possible {
            self.set_permits" "ends: &Ends<T>) -> bool {
        let is_possible = self.has_room(ends);
        if is_possible {
            self.set_permits"

mutant "a request for a permit does not look whether there is room"
replace end.rs "self.has_room(ends);
        if is_possible {
            self.set_permits" "true;
        if is_possible {
            self.set_permits"

mutant "a request for a permit parks without a second look"
replace operation/reserve.rs "|core| match core.reserve() {" "|core| match ReserveStep::Full {"

mutant "a request for a permit that is dropped keeps its permit"
replace operation/reserve.rs "            this.shared.release_permit();
" ""

mutant "a receive that parks serves no request for a permit"
replace operation/recv.rs "                        core.serve(&mut wakes);
" "                        let _ = &mut wakes;
"

mutant "a send takes a receiver that a permit counts on"
replace core.rs "            0 => dequeue(&mut self.recv_end.recvq)," "            _ if true => dequeue(&mut self.recv_end.recvq),"

mutant "a short receive does not look for messages of permits beyond the ring"
replace end.rs " || !self.beyond.is_empty();" ";"

mutant "a select parks before it can be claimed where it makes room beside permits"
replace operation/recv.rs "Some(select) => unsafe { select.as_ref().mark() },
                    None => {" "Some(select) if false => unsafe { select.as_ref().mark() },
                    _ => {"

mutant "a select that parks serves nobody beside permits"
replace select/race.rs "        locked.serve(&mut wakes);
" ""

mutant "a select with both ends does not see the place of a permit"
replace core/serve.rs "if !has_place && is_alone" "if is_alone"

mutant "a select woken for a permit without a partner stays claimed"
replace select/race.rs "            unsafe { this.claim.renew() };
" ""

# Batches.

mutant "a batch sent wakes nobody"
replace shared/many.rs "            wakes.wake();
            if !matches" "            drop(wakes);
            if !matches"

mutant "a batch received wakes nobody"
replace shared/many.rs "            wakes.wake();
            if taken" "            drop(wakes);
            if taken"

mutant "a batch does not look whether it has to go the long way"
replace end.rs "        if self.slow {
            return;
        }
        let Passage { head, tail, blocks } = ends.passage();
        let room" "        let Passage { head, tail, blocks } = ends.passage();
        let room"

mutant "a receive of many does not look whether it has to go the long way"
replace end.rs "        if self.slow {
            return;
        }
        let places" "        let places"

mutant "a receive of many says what one end sees"
replace shared/many.rs "self.locked(|core| begin(core.recv_end()).ok_or(core.recv_end().why_empty()))" \
  "self.recv_end_locked(|recv_end| begin(recv_end).ok_or(recv_end.why_empty()))"

mutant "a receive of many looks for messages and for the close apart"
replace shared/many.rs "self.locked(|core| begin(core.recv_end()).ok_or(core.recv_end().why_empty()))" \
  "self.locked(|core| begin(core.recv_end()))
            .ok_or_else(|| self.recv_end_locked(|recv_end| recv_end.why_empty()))"

mutant "a receive of many counts no parked senders"
replace end.rs "self.beyond.len() + self.sendq.len();" "self.beyond.len();"

# Waits for the end.

mutant "a close leaves those who wait for it"
replace core.rs "            closing.append(closeq);
" ""

mutant "a close of an empty channel leaves those who wait for its last message"
replace core.rs "            self.recv_end.irregular = true;
            self.note_drained();" "            self.recv_end.irregular = true;"

mutant "the last receive does not look whether anybody waits for it"
replace end.rs "has_more || self.closed && !self.drainq.is_empty();" "has_more;"

mutant "the last receive tells nobody"
replace shared/held.rs "panics.catch(|| self.complete_closing());" ""

mutant "the last receive of many tells nobody"
replace shared/many.rs "            if taken.has_drained {
                self.complete_closing();
            }
" ""

mutant "any receive from a closed channel tells"
replace core.rs "!self.recv_end.drainq.is_empty() && self.len() == 0" "!self.recv_end.drainq.is_empty()"

mutant "a wait for the end parks without a second look"
replace operation/watch.rs "            let is_over = core.is_over(*this.side);" "            let is_over = false;"

mutant "a wait for the end that is dropped stays in its line"
replace operation/watch.rs "            let _ = this.withdraw();" "            let _ = this;"

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

# Orderings, all to \`Relaxed\`.

mutant "\`Relaxed\`: the load of a waiter's state"
replace waiter.rs "self.state.load(Ordering::Acquire)" "self.state.load(Ordering::Relaxed)"

mutant "\`Relaxed\`: the store that completes a waiter"
replace waiter.rs "store(state as u8, Ordering::Release)" "store(state as u8, Ordering::Relaxed)"

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
replace park.rs "&& self.state.swap(EMPTY, Ordering::Acquire) == NOTIFIED" \
  "&& self.state.swap(EMPTY, Ordering::Relaxed) == NOTIFIED"

mutant "\`Relaxed\`: the swap that finds a wake after sleeping"
replace park.rs "        }
        self.state.swap(EMPTY, Ordering::Acquire) == NOTIFIED" "        }
        self.state.swap(EMPTY, Ordering::Relaxed) == NOTIFIED"

mutant "\`Relaxed\`: the swap that wakes a thread"
replace park.rs "self.state.swap(NOTIFIED, Ordering::Release)" "self.state.swap(NOTIFIED, Ordering::Relaxed)"

mutant "\`Relaxed\`: the look at a slot"
replace ring/slot.rs "self.is_full.load(Ordering::Acquire)" "self.is_full.load(Ordering::Relaxed)"

mutant "\`Relaxed\`: the store that makes a slot full"
replace ring/slot.rs "self.is_full.store(true, Ordering::Release)" "self.is_full.store(true, Ordering::Relaxed)"

mutant "\`Relaxed\`: the store that makes a slot empty"
replace ring/slot.rs "self.0.store(false, Ordering::Release)" "self.0.store(false, Ordering::Relaxed)"

mutant "\`Relaxed\`: the producer's look at the consumer's position"
replace ring.rs "self.seen = head.of_other();" "self.seen = head.own();"

mutant "\`Relaxed\`: the store of a position"
replace ring.rs "self.0.store(self.own().wrapping_add(by), Ordering::Release);" \
  "self.0.store(self.own().wrapping_add(by), Ordering::Relaxed);"

mutant "\`Relaxed\`: the store of the link to a block"
replace ring.rs "link.store(next, Ordering::Release);" "link.store(next, Ordering::Relaxed);"

mutant "\`Relaxed\`: the consumer's look at the link to a block"
replace ring.rs "link.load(Ordering::Acquire)" "link.load(Ordering::Relaxed)"

mutant "\`Relaxed\`: the swap that takes a spare block"
replace ring/blocks.rs "spare.swap(null_mut(), Ordering::Acquire)" "spare.swap(null_mut(), Ordering::Relaxed)"

mutant "\`Relaxed\`: the compare-exchange that keeps a spare block"
replace ring/blocks.rs "(null_mut(), block, Ordering::Release, Ordering::Relaxed)" \
  "(null_mut(), block, Ordering::Relaxed, Ordering::Relaxed)"

try_mutant
printf '\n%s of %s survived; %s models.\n' "$survived" "$tried" "$(wc -l <"$scratch/models")"
