//! Go's channel for async Rust: a queue through which tasks and threads hand each other messages, in order, losing none.
//!
//! Senders and receivers are cloned and moved to wherever they are needed: into tasks of any executor, into threads, or
//! both on one channel. A message goes to exactly one receiver.
//!
//! ```
//! use std::thread;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let (tx, rx) = hchan::bounded(16);
//!
//! // A thread waits for room...
//! let tx2 = tx.clone();
//! thread::spawn(move || tx2.send_blocking("from a thread"));
//!
//! // ...as a task does.
//! tokio::spawn(async move { tx.send("from a task").await });
//!
//! // When the last sender is gone and all has been received, the channel has ended.
//! let mut received = Vec::new();
//! while let Ok(message) = rx.recv().await {
//!     received.push(message);
//! }
//! received.sort();
//! assert_eq!(received, ["from a task", "from a thread"]);
//! # }
//! ```
//!
//! Coming from [Go](guide::from_go), [`std::sync::mpsc`](guide::from_std), [tokio's mpsc](guide::from_tokio),
//! [async-channel](guide::from_async_channel), [flume](guide::from_flume), [crossbeam-channel](guide::from_crossbeam) or
//! [kanal](guide::from_kanal)? Each page of the [`guide`] has the old calls, the new calls, and what differs. Other pages are on
//! [capacity](guide::capacity), [overflow](guide::overflow), [shutdown](guide::shutdown), [testing](guide::testing),
//! [pitfalls](guide::pitfalls), [patterns](guide::patterns), and channels [across machines](guide::across_machines).
//!
//! # Three kinds of channel
//!
//! - [`bounded(n)`](bounded) buffers up to `n` messages; a send waits while the buffer is full.
//! - [`bounded(0)`](bounded) is a rendezvous: a send waits until a receiver has taken its message, or until the message has been
//!   handed to a parked receive.
//! - [`unbounded()`](unbounded) buffers any number; a send never waits.
//!
//! # Two ways to wait
//!
//! | | a task: [`bounded`] | a thread: [`blocking::bounded`] |
//! |---|---|---|
//! | send | `tx.send(msg).await` | `tx.send(msg)` |
//! | receive | `rx.recv().await` | `rx.recv()` |
//! | until closed | `rx.stream()`, `rx.into_stream()` | `for msg in &rx`, `for msg in rx` |
//! | give up | `rx.recv().until(stop).await` | `rx.recv_timeout(time)` |
//! | at once or not at all | `tx.try_send(msg)`, `rx.try_recv()` | the same |
//! | the other kind | `tx.into_blocking()`, `tx.as_blocking()` | `tx.into_async()`, `tx.as_async()` |
//!
//! [`send`](Sender::send) and [`recv`](Receiver::recv) return futures, which a task awaits. A program of threads uses the handles of
//! [`blocking`], whose calls wait in place. One channel can have both kinds of handle: their operations park in the same queues, each in
//! its turn. A thread that has an async handle calls [`wait`](RecvFuture::wait), [`wait_timeout`](RecvFuture::wait_timeout) or
//! [`wait_deadline`](RecvFuture::wait_deadline) on the future, or the shorthands [`send_blocking`](Sender::send_blocking) and
//! [`recv_blocking`](Receiver::recv_blocking). A call that blocks in a task stalls the runtime's worker thread.
//!
//! [`try_send`](Sender::try_send), [`try_recv`](Receiver::try_recv) and [`force_send`](Sender::force_send) never wait for a peer. To receive
//! one message after another there are [`stream`](Receiver::stream), [`iter_blocking`](Receiver::iter_blocking) and
//! [`try_iter`](Receiver::try_iter). [`into_send`](Sender::into_send) and [`into_recv`](Receiver::into_recv) own their handle
//! instead of borrowing it, and give it back.
//!
//! [`send_many`](Sender::send_many), [`recv_many`](Receiver::recv_many) and [`drain`](Receiver::drain) move as many messages
//! as can go, in one step or a few. [`reserve`](Sender::reserve) waits for room first and gives a [`Permit`] for one message,
//! which a [sink](#features) builds on. [`closed`](Sender::closed) and [`drained`](Sender::drained) wait for the end.
//!
//! # Stopping
//!
//! Each of these futures has an [`until`](RecvFuture::until), which gives up when another future completes: a timer of any
//! runtime, a cancellation token, a receive on a channel that says stop. A send's message comes back in the error. An `until`
//! looks at the other future before it does anything, so a loop sees a stop that is complete even if the channel is always
//! ready.
//!
//! An `until` does not make the other future complete: on a one-thread executor a timer fires, and another task runs, only when
//! the loop [yields](#yielding). A stop that another thread completes is always seen.
//!
//! ```
//! use hchan::{Receiver, SendTimeoutError, Sender};
//!
//! /// Sends 0, 1, 2.. until it is told to stop, and returns how many were sent.
//! async fn count(numbers: Sender<u64>, stopped: Receiver<()>) -> u64 {
//!     let mut next = 0;
//!     loop {
//!         match numbers.send(next).until(stopped.recv()).await {
//!             Ok(()) => next += 1,
//!             Err(SendTimeoutError::Timeout(unsent) | SendTimeoutError::Closed(unsent)) => return unsent,
//!         }
//!     }
//! }
//! # futures::executor::block_on(async {
//! # let (tx, rx) = hchan::bounded(2);
//! # let (stop, stopped) = hchan::bounded(0);
//! # let mut counting = Box::pin(count(tx, stopped));
//! # assert!(futures::poll!(&mut counting).is_pending());
//! # stop.close();
//! # assert_eq!((counting.await, rx.len()), (2, 2));
//! # });
//! ```
//!
//! # Yielding
//!
//! By default no future of this crate returns `Pending` while it can go on. So a loop over a channel that is always ready never
//! yields to its executor. On an executor of one thread (tokio's `current_thread`), or one all of whose threads are in such
//! loops, no timer fires and no other task runs meanwhile. A loop that waits to be stopped by one of these runs for ever, be it
//! by [`until`](RecvFuture::until) or by a `future(timer)` arm of [`select!`].
//!
//! **With the feature `tokio`** (`cargo add hchan --features tokio`) such loops yield in tokio tasks. Every operation that a task
//! awaits then takes part in tokio's [cooperative budget](https://docs.rs/tokio/latest/tokio/task/coop/), as tokio's own channels do:
//!
//! - A send, a receive, a request for permits, an item of a stream, a permit of a sink, a wait for the close and a select take
//!   one unit each when they are ready; a batch takes one for each step in which it moves messages. What parks takes none.
//! - Once the budget of a task is spent, these return `Pending` before anything is done, and tokio polls the task again after the
//!   others have had their turn. A future that was refused so is not parked: it has no place in the line, and to drop it does
//!   nothing. Where these pages say that a future is parked from its first `Pending` on, that is from the first `Pending` with
//!   which it did park.
//! - An operation that was completed by a peer returns its result whatever the budget.
//! - A select leaves the last unit to its `future(..)` arms: it polls these then and tries no other arm. Once the budget is spent it polls
//!   nothing, and nor does an `until`.
//! - The `try_` calls, a select's `default` and [`try_now`](Select::try_now) never wait and so take no part. Nor do blocking calls
//!   (`wait` and its siblings, [`blocking`], [`select_blocking!`]). Outside tokio tasks, under other executors for instance,
//!   nothing changes.
//!
//! So in tokio tasks, `rx.recv().until(sleep)` in a loop ends on every runtime, however full the channel, and so does a loop
//! over a select with a timer as an arm, at the bottom of a `biased` one, too. A task that polls futures by an executor of its own
//! (`futures::executor::block_on`) can hang in it, as with tokio's channels: tokio wakes a refused operation only after the task has
//! yielded.
//!
//! **Without the feature**, tokio's `cooperative` around an operation does the same for that operation:
//!
//! ```
//! use std::{pin::pin, time::Duration};
//!
//! use tokio::task::coop::cooperative;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let (tx, rx) = hchan::bounded(64);
//! tx.try_send(0_u64).unwrap();
//! let mut stop = pin!(tokio::time::sleep(Duration::from_millis(1)));
//! while let Ok(n) = cooperative(rx.recv().until(&mut stop)).await {
//!     tx.try_send(n + 1).unwrap();
//! }
//! # }
//! ```
//!
//! Under any executor, a loop that may always be ready can yield by itself, by the executor's `yield_now().await` once in a
//! hundred messages or so. (`cooperative` puts back the unit of an operation that is pending, and with it what futures inside
//! have spent meanwhile. It refuses an operation that a peer has completed, too, which then waits in its future.)
//!
//! # What a send and a receive do
//!
//! Each is decided in one short critical section, after Go's `runtime/chan.go`. A **send**, in this order:
//!
//! 1. The channel is closed: an error, with the message.
//! 2. A receiver is parked: the message is written straight into the slot of the one parked longest, which is woken.
//! 3. The buffer has room: the message is appended.
//! 4. Otherwise it parks, the message with it, behind the sends parked before.
//!
//! A **receive**, in this order:
//!
//! 1. A cancelled receive has given a message back: that one, the oldest first.
//! 2. The buffer holds messages: the oldest; the message of the send parked longest moves into its place, and that send is
//!    complete.
//! 3. A send is parked (capacity 0, or permits hold the buffer's places): its message, and that send is complete.
//! 4. The channel is closed: an error.
//! 5. Otherwise it parks, behind the receives parked before.
//!
//! The same as decision trees:
//!
//! <div style="display:flex;flex-wrap:wrap;align-items:start;column-gap:2em">
// For rustdoc alone: an editor would show its text, and the doc tests after it would be numbered by other lines.
#![cfg_attr(all(doc, not(doctest)), doc = include_str!("guide/pictures/send.svg"))]
#![cfg_attr(all(doc, not(doctest)), doc = include_str!("guide/pictures/recv.svg"))]
//! </div>
//!
//! So messages leave in the order in which their sends entered, the operation that has waited longest is served first, and a
//! newcomer never overtakes. The exceptions:
//!
//! - [`force_send`](Sender::force_send) enters ahead of parked sends.
//! - The message of a [`Permit`] enters ahead of sends that parked after the permit was given out.
//! - A waiting [`select!`] that is polled although none of its operations has happened, for instance because one of its
//!   `future(..)` arms woke it, cannot be served during that poll. A peer that comes meanwhile passes it by, and the select parks
//!   again at the end of the line. The same holds for a [`Select`] and a [`recv_any`].
//! - A message that a cancelled receive gives back comes before all messages that have not left the channel. A receiver that
//!   has got a later message already sees the earlier one after it.
//!
//! ## The three paths of a message
//!
//! **Through the buffer**, if it has room. Neither the send nor the receive waits:
//!
#![cfg_attr(all(doc, not(doctest)), doc = include_str!("guide/pictures/path_buffer.svg"))]
//!
//! **Handed over**, if a receive is parked. The message goes straight into that receive and does not enter the buffer:
//!
#![cfg_attr(all(doc, not(doctest)), doc = include_str!("guide/pictures/path_handed.svg"))]
//!
//! **Promoted**, if the buffer is full. The send parks, and the receive that makes room moves its message into the buffer:
//!
#![cfg_attr(all(doc, not(doctest)), doc = include_str!("guide/pictures/path_promoted.svg"))]
//!
//! At capacity 0 a receive takes the message from the parked send itself.
//!
//! ## What the counts count
//!
//! [`len`](Sender::len), [`is_full`](Sender::is_full) and the capacity are about the messages in the channel. A message that
//! was handed to a parked receive has left the channel, although the receive may not have been polled since: while one receive
//! is parked, `bounded(1)` takes two messages. The message of a parked send has not entered. A message given back is in `len`
//! but takes no place. A permit takes a place and is not in `len`.
//!
//! ## With permits
//!
//! While a permit is out it takes the place of one message, and one rule covers every capacity: there is room while the
//! capacity and the parked receivers together are more than the buffered messages and the permits out. Sends and requests for
//! permits go ahead only while there is room, in the order in which they came. So a send may have to wait though a receiver
//! is parked, if a permit counts on that one; and a receive that parks may let a request go ahead.
//!
//! A permit that counted on a receiver that has left is still good: its message is put into the channel beyond the capacity, at
//! capacity 0, too. While more permits are out than the capacity, a receive leaves parked sends alone, and
//! [`try_recv`](Receiver::try_recv) may be `Empty` beside them. [What a permit holds up](Permit#what-a-permit-holds-up) says
//! which operations are blocked by that.
//!
//! # Closing
//!
//! [`close`](Sender::close), from either end, or the drop of the last sender or of the last receiver closes a channel, for
//! good. Sends fail from then on, parked ones and those of permits that are out included, each with its own message. Receives go
//! on until nothing is left, then fail; but when the last receiver is dropped, what is left is dropped with it, at once.
//!
//! # Cancelling
//!
//! Dropping a future cancels its operation, at any time, as `select!` macros do with the arms that lose:
//!
//! | future | when dropped |
//! |---|---|
//! | [`recv`](Receiver::recv), parked | no message was taken; a `reserve` that counted on the receive may have been granted |
//! | [`recv`](Receiver::recv), handed a message already | the message is given back: to the receive parked longest, else to the next one, in its old place in the order |
//! | [`send`](Sender::send), parked | the message is dropped with it and will never be delivered |
//! | [`send`](Sender::send), its message taken already | it was sent |
//! | [`send_from`](Sender::send_from), parked | the message is back in the `Option` it came from |
//! | [`send_from`](Sender::send_from), its message taken already | it was sent, and the `Option` is empty |
//! | [`reserve`](Sender::reserve), parked | nothing happened |
//! | [`reserve`](Sender::reserve), granted already; a [`Permit`] | the room goes to the operation that has waited longest |
//! | [`send_many`](Sender::send_many) | what was sent stays sent; what was taken from the iterator and not sent is dropped: at most one message, or more if other senders took the room for which they were taken |
//! | [`recv_many`](Receiver::recv_many) | as `recv` |
//! | [`closed`](Sender::closed), [`drained`](Sender::drained) | nothing happened |
//! | a [stream](Receiver::stream), a [sink](#features) | as the `recv` or the `reserve` that it waits with |
//!
//! What happens to the message of a cancelled receive:
//!
#![cfg_attr(all(doc, not(doctest)), doc = include_str!("guide/pictures/cancelled.svg"))]
//!
//! The caller that drops a `send` cannot tell which of its two rows applies. Where that matters, as for the losing arm of a
//! `select!` or a timeout around it, use `send_from`, whose `Option` tells, or [`until`](SendFuture::until), whose result does.
//! Dropping an [`into_send`](Sender::into_send) or [`into_recv`](Receiver::into_recv) does what dropping a `send` or a `recv`
//! does, and drops its handle, too: if that was the last handle of its end, the channel closes.
//! A future that is forgotten (`mem::forget`) is not dropped: a message or a permit that it has stays with it.
//!
//! A future is parked from its first `Pending` on (with the feature `tokio`, from [the first that parked it](#yielding)), and that is
//! a commitment: a message handed to a future that nobody polls
//! again waits there until it is polled or dropped. Keep a parked receive only as long as you mean to receive with it. A
//! parked `reserve` is the same commitment of the other end: room that was granted to it is nobody else's until it is polled
//! or dropped.
//!
//! # What it costs
//!
//! Waiters live in the futures themselves, linked into the channel's queues, so a send or a receive allocates nothing, parked or
//! not. What does allocate:
//!
//! - the first blocking call of a thread that has to wait, once for the thread; and one that is made while another is
//!   polling in the same thread, once for each such call,
//! - the first sleep of a thread for a contended lock of a channel, once for the thread and once for the lock,
//! - a stream and a sink, once in their lives, if they have to wait,
//! - [`send_many`](Sender::send_many) and [`try_send_many`](Sender::try_send_many), at most once each;
//!   [`recv_many`](Receiver::recv_many) what its vector needs; [`drain`](Receiver::drain) a vector of its own,
//! - a select of more than eight arms,
//! - a message given back, and a message sent beyond the capacity (see [permits](#with-permits)),
//! - the buffer, where it is large or unbounded: it grows and shrinks with what is in it,
//! - a step that wakes more than 32 waiters, where permits are in use.
//!
//! Cancelling takes the same time whoever else is parked.
//!
//! No lock is held while code of yours runs: a waker or a message's `Drop` may use the channel it comes from, and may panic
//! without harm to it ([without `std`](#without-the-standard-library) with limits). There are two exceptions, which must not use
//! a channel at all: a global allocator, as a buffer grows under its lock, and a signal handler, which waits for ever if it meets
//! the lock of the thread that it interrupted. That holds for `try_send` and `try_recv`, too. Let a signal handler set a flag
//! or write to a pipe, as `tokio::signal` and `signal-hook` do, and send from a task or a thread.
//!
//! A thread that has to wait in a blocking call spins for a microsecond or two, yields for up to 100 µs (time in which a yield
//! lets others run is not counted), and then sleeps. A thread that spun or yielded without success does so less often from then
//! on, and it stops yielding to processes that keep the core. An operation that finds a lock held backs off for at most some tens of microseconds; then
//! its thread sleeps, also the thread of a task. A lock is held for tens of nanoseconds, unless its holder is preempted, allocates
//! or frees a block of the buffer, or moves a batch, which it may move under the lock whole, however long it is.
//!
//! A message moves by value, and each move may be a copy on the stack. In an optimized build one send or one receive, blocking,
//! awaited or in a select, needs stack for about two to four messages, the caller's own copy among them. In a debug build, where the
//! compiler leaves every move in, it is up to 14 for `try_send`, 16 for a blocking send, 21 for an awaited one, 22 for a select of a
//! send, and 8 to 16 for a receive. In both builds that is no more than the same operation needs with the channels of the standard
//! library and of tokio. Messages of many kilobytes belong in a `Box`, which moves as one pointer.
//! (`cargo test --test large_messages`, with and without `--release`, checks these counts, and compares them.)
//!
//! A parked receive costs no memory beyond its future. How large the futures are, in bytes on a 64-bit machine (on a 32-bit one
//! they are smaller), for messages of 8 bytes and of 256:
//!
//! | | `u64` | `[u64; 32]` |
//! |---|---:|---:|
//! | [`recv`](Receiver::recv) | 64 | 312 |
//! | [`into_recv`](Receiver::into_recv) | 80 | 328 |
//! | [`recv_many`](Receiver::recv_many) | 96 | 344 |
//! | a stream, a sink | 24 | 24 |
//! | [`send`](Sender::send) | 64 | 312 |
//! | [`send_from`](Sender::send_from) | 80 | 328 |
//! | [`into_send`](Sender::into_send) | 72 | 320 |
//! | [`send_many`](Sender::send_many), but for its iterator | 112 | 360 |
//! | [`reserve`](Sender::reserve) | 64 | 64 |
//! | [`reserve_many`](Sender::reserve_many) | 80 | 80 |
//! | [`closed`](Sender::closed), [`drained`](Sender::drained) | 56 | 56 |
//! | [`into_closed`](Sender::into_closed) | 64 | 64 |
//! | a receive [`until`](RecvFuture::until) something else, but for that | 72 | 320 |
//! | [`recv_any`] of up to eight | 584 | 2568 |
//! | [`Select`] of up to eight, but for the arms | 208 | 208 |
//! | a handle, weak or not; a [`Permit`], owned or not | 8 | 8 |
//!
//! With the feature `inspect`, an operation is 16 bytes larger, and a stream or a sink 8.
//!
//! Once a stream or a sink has waited, it keeps its receive or its request for a permit in an allocation of its own. A
//! [`select!`] is as large as its arms' futures and up to 256 bytes more.
//!
//! # Features
//!
//! | feature | |
//! |---|---|
//! | `std`, on by default | threads that wait: the handles of `blocking`, the `wait` methods, `send_blocking`, `recv_blocking`, `iter_blocking`, `select_blocking!`; locks on which a thread can sleep; see [without it](#without-the-standard-library) |
//! | `tokio` | in tokio tasks, operations take part in tokio's cooperative budget: see [yielding](#yielding); implies `std`, and needs tokio 1.47 or newer, with its feature `rt` |
//! | `inspect` | `hchan::inspect`: which operation waits on which channel, for how long and at which line; `snapshot` and `assert_idle` of every handle; implies `std`, and needs 64-bit atomics |
//! | `serde` | what `hchan::inspect` tells can be serialized; implies `inspect` |
//! | `sink` | `Sender::sink` and `Sender::into_sink`: a sender as a [`Sink`](https://docs.rs/futures-sink) |
//!
//! # Memory model
//!
//! As Go states it for its channels: a send happens before the receive of its message completes; closing happens before a
//! receive that fails because of it; on a channel of capacity `n`, the start of the `k`-th receive that is served happens
//! before the `k + n`-th send completes. (See <https://go.dev/ref/mem#chan>.) A receive counts as served even if it gives its
//! message back, and so does the eviction of a message by [`force_send`](Sender::force_send). The last rule does not hold for a
//! message that is sent with a permit whose receiver has left.
//!
//! # Selecting
//!
//! [`select!`] waits for several operations at once, receives and sends of different channels and types, and any other
//! futures beside them. Exactly one of them happens, and the others have had no effect on their channels, with one exception:
//! a receive that waited was a parked receiver, and may have let a waiting [`reserve`](Sender::reserve) go ahead.
//! [`select_blocking!`] is the same for threads, [`Select`] for a number of operations known only at run time, requests for permits
//! among them, [`LocalSelect`] for messages that are not `Send`, [`recv_any`] for receivers of one type.
//!
//! ```
//! # futures::executor::block_on(async {
//! let (jobs, queue) = hchan::bounded(8);
//! let (results, _printer) = hchan::bounded(8);
//! let (stop, stopped) = hchan::bounded::<std::convert::Infallible>(0);
//! jobs.try_send("a job").unwrap();
//!
//! let mut result = None;
//! loop {
//!     hchan::select! {
//!         // New work only when the last result is gone.
//!         recv(queue) -> job, if result.is_none() => {
//!             result = Some(job.unwrap().len());
//!             # jobs.close();
//!         }
//!         // Switched off while there is none; if the arm loses, the result is still there.
//!         send_from(results, &mut result) -> sent => {
//!             sent.unwrap();
//!             # drop(stop);
//!             # break;
//!         }
//!         // Nothing is ever sent here: to drop `stop` is the message, as with Go's `close(done)`.
//!         recv(stopped) -> _ => break,
//!     }
//! }
//! # });
//! ```
//!
//! ## How one arm is chosen
//!
//! A select that has to wait parks an arm in each of its channels. All its arms share one *claim*, which a peer changes in one
//! atomic step. The peer that gets the claim completes its arm. Every other peer passes by and serves the next in its queue:
//!
#![cfg_attr(all(doc, not(doctest)), doc = include_str!("guide/pictures/select_race.svg"))]
//!
//! While the select runs, no peer can claim it, and an arm that it finds ready happens at once. If it finds none, its claim goes
//! through these states:
//!
#![cfg_attr(all(doc, not(doctest)), doc = include_str!("guide/pictures/select_claim.svg"))]
//!
//! A permit that is given back can let a parked send of one select meet a parked receive of another. Two selects cannot be claimed
//! in one step, so one of them may be claimed without an arm that is completed. That select wakes and tries its arms anew.
//!
//! ## Which select
//!
//! The futures are [fused](futures_core::FusedFuture) and work in `futures::select!`, `tokio::select!` and their like, too.
//! What differs:
//!
//! | | [`hchan::select!`](select!) | `futures::select!`, `tokio::select!` |
//! |---|---|---|
//! | an arm that loses | has not happened | may have been completed by a peer while another arm was chosen |
//! | such a `recv` | – | gives its message back when dropped: nothing is lost, but the message goes a second way, and may come after a later one that another receiver has got |
//! | such a `send` | – | was sent; only [`send_from`](Sender::send_from) tells |
//! | two selects, a send here and a receive there | exactly one pair at a time | both arms of one may be completed by two others |
//! | the same channel's two ends in one select | never pair | may pair: the message is sent to oneself |
//! | the place in the line of one that waits | given up if a peer comes while the select is polled | kept |
//! | an arm that lost, in the next round | starts anew, at the end of the line | the same if it was made anew; a pinned future passed by `&mut` has kept its place |
//! | chosen among the ready | at random, or `biased;` | at random, or `select_biased!`, or `biased;` |
//!
//! So theirs are enough where there is only one channel operation beside timers, signals and other futures, or only receives
//! whose order across receivers does not matter; theirs are right where a pinned operation has to keep its place in the
//! line. Use this crate's where a send is an arm, where selects meet selects, or where an operation that loses must not have
//! happened at all.
//!
//! From `crossbeam_channel::select!`, whose grammar this is, it differs in that the message of a `send` arm is evaluated up
//! front, as in Go, and not only when the arm wins. `send_from`, `future` and `if` are additions.
//!
//! # Without the standard library
//!
//! With `default-features = false` the crate needs `core` and `alloc` alone. In tasks everything is as described, but:
//!
//! - Threads have no blocking calls: no `wait` and its siblings, no `select_blocking!`.
//! - A thread that finds a lock taken has nothing to sleep on and spins until it is free. While the holder is preempted that
//!   burns a core. An interrupt handler that meets the lock of what it has interrupted spins for ever: like a signal handler,
//!   it must not use a channel.
//! - No panic of a waker or a message's `Drop` can be caught. It goes on at once, and what was left to do, to wake the others
//!   or to give the message back, is done while it unwinds: a second panic then ends the program. (So does the first where
//!   panics do not unwind.)
//! - An allocation that fails while a lock of the channel is held ends the program, even if a failed allocation panics there.
//! - The random choices of all selects are one sequence: see [`seed_select`].
//!
//! On wasm the lock spins with the standard library, too, as the main thread of a page must not sleep.
//!
//! # Looking inside
//!
//! The names are those of Go's runtime where it has one: `chan` is its `hchan`, with the transitions above; `waiter` is its
//! `sudog`, with a table of which code owns it in each state, and `waiter/claim` its `selectDone`; `select` is its `selectgo`. As Go's `hchan` does,
//! `chan` knows of a message only how to move it from one `slot` to another, so all of it is compiled once for all message types.
//! `op` is a waiter in use, and `future` holds what users await. `probe` is what all of these note for `inspect`: nothing, without that
//! feature. Where Go has one lock there are two, one for each side
//! (one for both up to capacity 4), so that senders and receivers that need not wait need not meet either. Each file opens
//! with what it is for, `chan` with its invariants, which debug builds check.

#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

#[cfg(all(hchan_loom, not(feature = "std")))]
compile_error!("the models of `hchan_loom` need the feature `std`");

#[cfg(feature = "std")]
pub mod blocking;
mod chan;
mod coop;
mod error;
mod future;
// Pages of documentation: a build has nothing of them.
#[cfg(all(any(doc, doctest), feature = "std"))]
pub mod guide;
#[cfg(feature = "inspect")]
pub mod inspect;
#[cfg(all(feature = "inspect", not(target_has_atomic = "64")))]
compile_error!("the feature `inspect` needs 64-bit atomics");
mod iter;
#[cfg(feature = "std")]
mod iter_blocking;
mod no_unwind;
mod numbers;
mod op;
mod probe;
mod quiet_drop;
mod receiver;
mod ring;
mod select;
mod sender;
mod slot;
mod sync;
mod thread;
mod tuning;
mod waiter;
mod wake;
mod weak;

use chan::SharedChan;
use probe::Site;

pub use error::{
    RecvError, RecvTimeoutError, SendError, SendManyError, SendTimeoutError, TryRecvError,
    TrySendError,
};
pub use future::{
    ClosedFuture, Drain, IntoClosed, IntoRecv, IntoSend, IntoStream, OwnedPermit, Permit, Permits,
    RecvFuture, RecvManyFuture, RecvStream, ReserveFuture, ReserveManyFuture, SendFromFuture,
    SendFuture, SendManyFuture, Unsent, Until,
};
#[cfg(feature = "sink")]
pub use future::{IntoSink, SendSink};
pub use iter::TryIter;
#[cfg(feature = "std")]
pub use iter_blocking::IterBlocking;
pub use receiver::Receiver;
pub use select::{Arm, LocalSelect, RecvAny, Select, recv_any, seed_select};
pub use sender::Sender;
pub use weak::{WeakReceiver, WeakSender};

/// Makes a channel whose buffer holds up to `capacity` messages; with `capacity` 0 there is none, and sender and receiver
/// have to meet.
///
/// At capacity 0 a send completes only when a receiver has its message: taken by a receive, or handed to a receive that
/// was parked. A channel of capacity 0 holds a message only if a cancelled receive has given it back, or if it was sent with a
/// [`Permit`] whose receiver has left.
///
/// A message that is handed to a parked receive takes no place in the buffer: while one receive is parked, the channel takes
/// `capacity + 1` messages.
///
/// A small buffer (for up to 256 KiB of messages, or up to 8 of any size) is allocated now. A larger one is allocated in blocks as
/// it fills, and freed again as it empties: any capacity is harmless, `usize::MAX` too. A place in it takes as many bytes as a
/// `(bool, T)`: 16 for a message of 8.
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::bounded(2);
/// tx.try_send(1).unwrap();
/// tx.try_send(2).unwrap();
/// assert!(tx.try_send(3).unwrap_err().is_full());
/// assert_eq!(rx.try_recv(), Ok(1));
/// ```
#[doc(alias = "sync_channel")]
#[doc(alias = "channel")]
#[doc(alias = "bounded_async")]
#[cfg_attr(feature = "inspect", track_caller)]
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    new(Some(capacity), Site::here())
}

/// Makes a channel whose buffer grows as needed: no send ever waits.
///
/// The buffer takes memory in blocks as it fills and frees them as it empties, for each message as many bytes as a `(bool, T)` has.
/// Nothing holds back senders that are faster
/// than the receivers: where that can be, prefer [`bounded`].
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::unbounded();
/// for n in 0..1_000 {
///     tx.try_send(n).unwrap();
/// }
/// assert_eq!((rx.len(), rx.capacity()), (1_000, None));
/// ```
#[doc(alias = "unbounded_channel")]
#[doc(alias = "unbounded_async")]
#[cfg_attr(feature = "inspect", track_caller)]
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    new(None, Site::here())
}

/// Makes a receiver on which nothing ever happens, as on Go's nil channel: for a select arm that is switched off.
///
/// It has no senders and never closes: receives wait for ever, `try_recv` is `Empty`, `close` does nothing and returns
/// `false`. It allocates nothing.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// let rx = hchan::never::<u8>();
/// assert!(rx.recv().wait_timeout(Duration::from_millis(1)).unwrap_err().is_timeout());
/// assert!(!rx.close());
/// assert_eq!((rx.len(), rx.capacity(), rx.sender_count()), (0, Some(0), 0));
/// ```
pub const fn never<T>() -> Receiver<T> {
    Receiver::new(None)
}

fn new<T>(capacity: Option<usize>, site: Site) -> (Sender<T>, Receiver<T>) {
    let chan = SharedChan::new(capacity, site);
    (Sender::new(chan.clone()), Receiver::new(Some(chan)))
}

/// What the macros expand to; nothing for anybody else.
#[doc(hidden)]
pub mod __private {
    pub use crate::select::{
        FutureArm, FutureArmRef, OperationArm, attempt, attempt_now, happened, outcome, select,
    };
    #[cfg(feature = "std")]
    pub use crate::select::{
        attempt_blocking, attempt_now_blocking, select_blocking, select_blocking_timeout,
    };
}

/// The README's example runs, too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
