#!/usr/bin/env bash
# Takes one thing at a time out of the crate - a wake, a re-check, an ordering - and prints which models notice.
#
#   tests/loom/mutants.sh            all mutations, after a run of the models on the crate as it is
#   tests/loom/mutants.sh wakes      only those whose name contains "wakes"
#
# Works on a copy of the working tree in a temporary directory. A mutation that no longer fits the source, or does not
# build, ends the script: it has to be brought up to date. One that no model notices is printed as SURVIVED; why that is
# as it should be stands in MUTANTS.md.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
only=${1:-}
# A mutated model may run for ever; none takes a quarter of this unmutated.
seconds=40
# Nor are the remains of one that crashes of use.
ulimit -c 0

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
clean=$scratch/clean copy=$scratch/copy
mkdir "$clean" "$copy"
git -C "$root" ls-files -z --cached --others --exclude-standard -- Cargo.toml src tests |
  (cd "$root" && xargs -0 cp --parents -t "$clean")
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target/mutants}
export RUSTFLAGS="--cfg hchan_loom" RUST_BACKTRACE=0

die() { printf 'mutants: %s\n' "$*" >&2; exit 1; }

# Builds the copy and prints "binary test" for each of its models.
models() {
  local log=$scratch/build.log binary
  (cd "$copy" && cargo test --release --lib --test loom --no-run) >"$log" 2>&1 || { cat "$log" >&2; return 1; }
  sed -n 's/^ *Executable .*(\(.*\))$/\1/p' "$log" | while read -r binary; do
    case $binary in /*) ;; *) binary=$copy/$binary ;; esac
    # In the library, models stand among plain tests.
    "$binary" --list 2>/dev/null | sed -n 's/: test$//p' |
      case $binary in */hchan-*) grep '::model::' ;; *) cat ;; esac | sed "s|^|$binary |"
  done
}

# Prints the models of the copy that fail, each run in a process of its own: some mutations crash.
failures() {
  models >"$scratch/models" || return 1
  [ -s "$scratch/models" ] || die "there are no models"
  SECONDS_EACH=$seconds xargs -P "$(nproc)" -L 1 bash -c \
    'timeout -k 1 "$SECONDS_EACH" "$0" --exact "$1" >/dev/null 2>&1 || echo "$1"' \
    <"$scratch/models" 2>/dev/null | sort
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
  failed=$(failures) || die "$name: does not build"
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
unmutated=$(failures)
[ -z "$unmutated" ] || die "fails without any mutation: $unmutated"
printf '| taken out or changed | noticed by |\n|---|---|\n'

# Wakes.

mutant "a send wakes nobody"
replace operation.rs "            wake(waker);
            Some(Ok(()))" "            drop(waker);
            Some(Ok(()))"

mutant "\`try_send\` and \`force_send\` wake nobody"
replace shared.rs "        (SendStep::Sent(waker), _) => {
            wake(waker);" "        (SendStep::Sent(waker), _) => {
            drop(waker);"

mutant "a receive wakes nobody"
replace shared.rs "panics.catch(|| wake(taken.waker));" "drop(taken.waker);"

mutant "a promotion wakes nobody"
replace core.rs "        self.ring.push(message);
        Some(waker)" "        self.ring.push(message);
        drop(waker);
        None"

mutant "a rendezvous wakes nobody"
replace core.rs "                    waker: Some(waker)," "                    waker: { drop(waker); None },"

mutant "a message given back wakes nobody"
replace shared.rs "wake(self.locked(|core| core.give_back(seq, message)));" \
  "drop(self.locked(|core| core.give_back(seq, message)));"

mutant "a message given back goes past the parked receivers"
replace core.rs "match self.recvq.pop_front() {
            // SAFETY" "match None {
            // SAFETY"

mutant "\`close\` completes nobody"
replace shared.rs "            let mut panics = Panics::default();
            self.complete_closing(&mut panics);
            panics.resume();" ""

mutant "the last receiver completes nobody"
replace shared.rs "            if closed {
                self.complete_closing(&mut panics);
            }
" "            let _ = closed;
"

mutant "a close completes but does not wake"
replace wake.rs "panics.catch(|| waker.wake());" "panics.catch(|| drop(waker));"

mutant "a close completes one batch only"
replace shared.rs "            wakes.wake_all(panics);" "            return wakes.wake_all(panics);"

mutant "a close leaves the parked senders"
replace core.rs "        self.closing.append(&mut self.sendq);
" ""

mutant "a close leaves the parked receivers"
replace core.rs "        self.closing.append(&mut self.recvq);
" ""

mutant "the last sender does not close"
replace shared.rs "        if self.senders.remove() {
            self.close();
        }" "        let _ = self.senders.remove();"

mutant "a thread that sleeps is not unparked"
replace park.rs "            self.thread.unpark();" ""

mutant "a wake does not look whether the thread sleeps"
replace park.rs "if self.state.swap(NOTIFIED, Ordering::Release) == ASLEEP {" \
  "if { let asleep = self.state.load(Ordering::Relaxed) == ASLEEP; self.state.store(NOTIFIED, Ordering::Release); asleep } {"

# Re-checks.

mutant "a receive parks without a second look"
replace operation.rs "let step = core.recv();" "let step = RecvStep::Empty;"

mutant "a send parks without a second look"
replace operation.rs "            let step = send(core, this.waiter);
            if" "            let step = SendStep::Full;
            if"

mutant "unparking does not look again under the lock"
replace operation.rs "(waiter.state() == State::Parked).then(|| unsafe { core.unpark(side, waiter) })" \
  "Some(unsafe { core.unpark(side, waiter) })"

mutant "renewing a waker does not look whether it is still parked"
replace operation.rs "waiter.state() != State::Parked || unsafe { waiter.will_wake(waker) }" \
  "unsafe { waiter.will_wake(waker) }"

mutant "renewing a waker does not look again after cloning it"
replace operation.rs "            if waiter.state() == State::Parked {
                // SAFETY: as above." "            {
                // SAFETY: as above."

mutant "renewing a waker does not say that the operation is done"
replace operation.rs "        });
    }
    is_completed(waiter)
}

fn is_completed" "        });
    }
    false
}

fn is_completed"

mutant "the waker of a parked operation stays the first"
replace operation.rs "    if !is_renewed {" "    if false && !is_renewed {"

mutant "a waiter told of a close is looked for in its old queue"
replace core.rs "            _ if self.closed => &mut self.closing,
" ""

mutant "a channel closes twice"
replace core.rs "        if self.closed {
            return false;
        }
        self.closed = true;" "        self.closed = true;"

mutant "a send does not look whether the channel is closed"
replace core.rs "        if self.closed {
            SendStep::Closed
        } else if" "        if"

mutant "a closed channel receives nothing more"
replace core.rs "        if !self.given_back.is_empty() {
            return self.recv_given_back();" "        if self.closed {
            return RecvStep::Closed;
        }
        if !self.given_back.is_empty() {
            return self.recv_given_back();"

mutant "a thread lies down over a wake that has come"
replace park.rs "            self.state
                .compare_exchange(EMPTY, ASLEEP, Ordering::Relaxed, Ordering::Relaxed);" \
  "            { self.state.store(ASLEEP, Ordering::Relaxed); Ok::<u8, u8>(EMPTY) };"

mutant "a thread that finds a wake does not keep it from lying down"
replace park.rs "while asleep.is_ok() && self" "let _ = asleep;
        while self"

mutant "a thread that is out of time does not look for a wake"
replace park.rs "return self.unparker.consume();" "return false;"

mutant "an operation whose time is up is given up unseen"
replace wait.rs "return future.withdraw();" "let _ = future.withdraw();
                return None;"

# Who gets what.

mutant "a message is not promoted"
replace core.rs "                let waker = if self.sendq.is_empty() {" "                let waker = if true || self.sendq.is_empty() {"

mutant "messages in the ring come before those given back"
replace core.rs "        if !self.given_back.is_empty() {
            return" "        if self.ring.is_empty() && !self.given_back.is_empty() {
            return"

mutant "all messages leave with the same number"
replace core.rs "        self.next_seq += 1;
" ""

mutant "a message given back gets a new number when it is handed on"
replace core.rs "Some(unsafe { Waiter::fill(receiver, seq, message) })" \
  "Some({ let seq = seq + self.number(); unsafe { Waiter::fill(receiver, seq, message) } })"

mutant "a cancelled receive keeps its message"
replace operation.rs "                this.release();" "                let _ = this.withdraw();"

mutant "a cancelled receive stays in the queue"
replace operation.rs "if matches!(this.waiter.state(), State::Parked | State::Done | State::Closed) {" \
  "if matches!(this.waiter.state(), State::Done | State::Closed) {"

mutant "a cancelled send stays in the queue"
replace operation.rs "            if this.waiter.state() == State::Parked {
                let _ = this.as_mut().withdraw();
            }
" ""

mutant "a cancelled send does not drop its message"
replace operation.rs "            drop(this.take_message());
" ""

mutant "a released stream is not as new"
replace operation.rs "        let this = self.into_ref().project_ref();
        this.waiter.set_state(State::Idle);
        if let" "        let this = self.into_ref().project_ref();
        if let"

mutant "a stream that has had an item is not as new"
replace stream.rs "            op.as_mut().renew();" ""

mutant "the last receiver leaves what is buffered"
replace shared.rs "            backlog.for_each(|message| panics.catch(|| drop(message)));" \
  "            self.locked(|core| backlog.for_each(|message| drop(core.give_back(0, message))));"

mutant "the last receiver drops what is buffered, then closes"
replace shared.rs "let (closed, backlog) = self.locked(|core| (core.close(), core.take_backlog()));" \
  "let backlog = self.locked(Core::take_backlog);
            let closed = self.locked(Core::close);"

mutant "a waiter is touched after it has been completed"
replace waiter.rs "            let waker = this.as_ref().take_waker();
            // \`Release\` publishes the contents to the owner, who reads the state without the lock.
            this.as_ref().state.store(state as u8, Ordering::Release);
            waker" "            this.as_ref().state.store(state as u8, Ordering::Release);
            this.as_ref().take_waker()"

# Counts.

mutant "a dropped handle acquires nothing"
replace count.rs "self.0.fetch_sub(1, Ordering::AcqRel)" "self.0.fetch_sub(1, Ordering::Release)"

mutant "a dropped handle releases nothing"
replace count.rs "self.0.fetch_sub(1, Ordering::AcqRel)" "self.0.fetch_sub(1, Ordering::Acquire)"

mutant "a weak handle is upgraded in two steps"
replace count.rs "        let added =
            self.0
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| match count {
                    0 => None,
                    _ => Some(count + 1),
                });" "        let added = match self.get() {
            0 => Err(0),
            _ => Ok::<usize, usize>(self.0.fetch_add(1, Ordering::Relaxed)),
        };"

mutant "an upgraded handle is not counted"
replace count.rs "_ => Some(count + 1)," "_ => Some(count),"

mutant "a cloned handle is not counted"
replace count.rs "if self.0.fetch_add(1, Ordering::Relaxed) > MOST {" "if self.0.fetch_add(0, Ordering::Relaxed) > MOST {"

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

mutant "\`Relaxed\`: the swap that finds a wake before sleeping"
replace park.rs "&& self.state.swap(EMPTY, Ordering::Acquire) == NOTIFIED" \
  "&& self.state.swap(EMPTY, Ordering::Relaxed) == NOTIFIED"

mutant "\`Relaxed\`: the swap that finds a wake after sleeping"
replace park.rs "        }
        self.state.swap(EMPTY, Ordering::Acquire) == NOTIFIED" "        }
        self.state.swap(EMPTY, Ordering::Relaxed) == NOTIFIED"

mutant "\`Relaxed\`: the swap that wakes a thread"
replace park.rs "self.state.swap(NOTIFIED, Ordering::Release)" "self.state.swap(NOTIFIED, Ordering::Relaxed)"

try_mutant
printf '\n%s of %s survived; %s models.\n' "$survived" "$tried" "$(wc -l <"$scratch/models")"
