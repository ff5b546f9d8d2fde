//! Every constant that was chosen by measuring: what it trades, what was measured, and which benchmark shows it again.
//!
//! Each benchmark is a mode of the package in `benches`: "`idle`" is `cargo run --release -- idle` there, "`threads/1-1/64`" is
//! `cargo run --release -- --filter threads/1-1/64`. Change one constant at a time, and compare with
//! `--against samples.json`, a file that `--out` has written before. A model (`cfg(hchan_loom)`) takes the least that still
//! reaches every branch.
//!
//! Three kinds of constants are not here: those that a guarantee fixes (the largest handle count), those of an algorithm (a mixing
//! function's factor), and the numbers from which counters start.

#![forbid(unsafe_code)]

#[cfg(feature = "std")]
use core::time::Duration;

// A thread that waits for an operation: `thread`.

/// How often a thread looks at its operation before it yields, at most.
///
/// More looks meet a peer on another core that answers soon; a yield takes longer and may give the whole turn away.
/// Fewer looks let a peer on the same core go first (`latency`, `--pinned`).
#[cfg(feature = "std")]
pub(crate) const MOST_SPINS: u32 = if cfg!(hchan_loom) { 0 } else { 100 };

/// A thread that spun without success spins again only once in this many waits.
///
/// A smaller number finds a peer that has come back to another core sooner, and wastes more where it has not (`--pinned`).
#[cfg(feature = "std")]
pub(crate) const SPIN_RETRY_INTERVAL: u32 = 16;

/// How long a thread yields without success, at most, before it sleeps.
///
/// A thread that sleeps needs tens of microseconds to come back; a peer on another core often answers within one. It has to be
/// longer than waking a peer takes, or two threads send each other to sleep again and again: 64 yields were too short for that, and
/// the tail of a round trip was 100 µs (`latency`). Longer costs processor time while nothing comes (`idle`).
#[cfg(feature = "std")]
pub(crate) const LONGEST_YIELDING: Duration =
    Duration::from_micros(if cfg!(hchan_loom) { 0 } else { 100 });

/// By how much a wait that was short enough lets a thread yield longer. A long one halves it (`idle`).
#[cfg(feature = "std")]
pub(crate) const YIELDING_GAINED: Duration = Duration::from_micros(10);

/// A thread that would yield for less than this sleeps at once: after seven long waits in a row (`idle`).
#[cfg(feature = "std")]
pub(crate) const SHORTEST_YIELDING: Duration = Duration::from_micros(1);

/// A yield that takes longer than this was of use to another thread; only this much of it counts as yielded without success.
///
/// A yield to nobody takes about half of this. Without the limit one turn of a busy neighbour used up all the yielding
/// (`--beside-neighbour`).
#[cfg(feature = "std")]
pub(crate) const SHORT_YIELD: Duration = Duration::from_micros(1);

/// A yield that takes longer than this has given a whole turn of the core away.
///
/// The turns of Linux's scheduler last 1 to 4 ms; threads of one channel yield to each other within microseconds.
#[cfg(feature = "std")]
pub(crate) const WHOLE_TURN: Duration = Duration::from_millis(1);

/// A channel whose threads all sleep needs about so long for a message. If fewer messages passed during a turn, a thread of
/// another program took it, and sleeping is sooner over than yielding to that.
///
/// Beside a busy process four senders over 64 places took up to twenty times as long without this (`--beside-neighbour`).
#[cfg(feature = "std")]
pub(crate) const SLOW_MESSAGE: Duration = Duration::from_micros(20);

/// A thread does not yield for as long as the turn took that it lost, but at most for this long: the process may have been stopped
/// (`--beside-neighbour`).
#[cfg(feature = "std")]
pub(crate) const LONGEST_FIRST_YIELD_PAUSE: Duration = Duration::from_millis(10);

/// Each turn that is lost soon after the last doubles the time without yielding, up to this: less than a hundredth of the time is
/// lost then (`--beside-neighbour`).
#[cfg(feature = "std")]
pub(crate) const LONGEST_YIELD_PAUSE: Duration = Duration::from_secs(1);

/// "Soon" is within so many times the last pause: a turn that is lost now and then costs no more than a tenth of the time
/// (`--beside-neighbour`).
#[cfg(feature = "std")]
pub(crate) const SOON: u32 = 8;

// A thread that spins before it parks, while its peer fills or empties the buffer: `thread::pre_park_spin`, `chan::traffic`.

/// After a spin without success, the next is tried in the wait of this number, and about twice as late after each further one.
///
/// Odd, so that a thread which waits for two channels in turn does not always try it with the same one. Trying in one wait of
/// sixteen, for ever, added 1.8 µs to one round trip in sixteen (`latency`).
#[cfg(feature = "std")]
pub(crate) const FIRST_PRE_PARK_INTERVAL: u32 = 15;

/// It is tried at least once in so many waits (`latency`).
#[cfg(feature = "std")]
pub(crate) const LONGEST_PRE_PARK_INTERVAL: u32 = 1023;

/// Up to this capacity a thread spins before it parks: two threads that stream over fewer places wait again and again
/// (`sweep`, `threads/1-1/64`).
///
/// In a model only the smallest buffer counts: what is asked after the spin would make the longest model eight times as long, and
/// decides on the next spin only.
#[cfg(feature = "std")]
pub(crate) const LONGEST_SHORT_BUFFER: usize = if cfg!(hchan_loom) { 1 } else { 256 };

/// The longest such spin, in spin hints (`threads/1-1/64/4096B`).
#[cfg(feature = "std")]
pub(crate) const LONGEST_REFILL_SPINS: usize = 256;

/// A peer needs about one spin hint for a message of up to so many bytes, and four for a larger one (`threads/1-1/64`,
/// `threads/1-1/64/256B`).
#[cfg(feature = "std")]
pub(crate) const SMALL_MESSAGE: usize = 64;

/// How many spin hints the first of some small messages needs from one core to another (`threads/1-1/64`).
#[cfg(feature = "std")]
pub(crate) const CORE_TO_CORE_SPINS: usize = 8;

// A lock that is taken: `sync`.

/// The first pause before a look at a taken lock, in spin hints; the pauses double from here.
///
/// Each look takes the lock's cache line away from its holder. A longer pause lets the holder do several operations in a row, which
/// in tasks is worth more than one's own time (`tokio2/4-4/64`); it costs latency where the holder does one (`latency`).
pub(crate) const FIRST_LOCK_PAUSE: u32 = 128;

/// As [`FIRST_LOCK_PAUSE`], in a blocking call: there the holder often waits for just this thread next (`threads/1-1/64`).
#[cfg(feature = "std")]
pub(crate) const FIRST_LOCK_PAUSE_BLOCKING: u32 = 32;

/// The longest such pause, in spin hints (`tokio2/4-4/64`).
pub(crate) const LONGEST_LOCK_PAUSE: u32 = 256;

/// So many longest pauses are made before the thread sleeps. More of them burn a core while the holder is preempted
/// (`--beside-neighbour`).
pub(crate) const LONGEST_LOCK_PAUSES: u32 = 8;

/// The first sleep of a thread that waits for a lock. An unlock is a plain store, which may miss a thread that is just falling
/// asleep; so a sleep ends by itself, and the next is twice as long (`--beside-neighbour`).
#[cfg(all(feature = "std", not(any(target_family = "wasm", hchan_loom))))]
pub(crate) const FIRST_LOCK_SLEEP: Duration = Duration::from_micros(50);

/// The longest such sleep: so late a thread notices, at worst, that it was missed.
#[cfg(all(feature = "std", not(any(target_family = "wasm", hchan_loom))))]
pub(crate) const LONGEST_LOCK_SLEEP: Duration = Duration::from_millis(10);

// A channel: `chan`, `ring`.

/// Up to this capacity a channel has one lock, above it two.
///
/// With a small buffer nearly every operation needs both sides, and two locks are one lock too many. With a larger one, two locks keep a
/// sender and a receiver off each other's cache lines (`threads/1-1`, `tokio2/1-1`). In a model two messages fill a buffer that has
/// two locks.
pub(crate) const LARGEST_SINGLE_LOCK: usize = if cfg!(hchan_loom) { 1 } else { 4 };

/// A buffer of known capacity is allocated with its channel if its messages take up to so many bytes; a larger one grows in blocks.
///
/// At once is one allocation for ever; blocks take only the memory that is used (`memory`, `oneshot`).
pub(crate) const SMALL_BUFFER: usize = if cfg!(hchan_loom) { 0 } else { 256 * 1024 };

/// So many bytes of messages go into a block of a buffer that grows.
///
/// Larger blocks need fewer allocations in a burst; smaller ones keep an idle unbounded channel small (`memory`,
/// `threads/1-1/unbounded`).
pub(crate) const BLOCK: usize = if cfg!(hchan_loom) { 0 } else { 2 * 1024 };

/// A block holds at least so many messages, however large they are (`threads/1-1/64/4096B`). In a model just so many: three messages
/// leave a block.
pub(crate) const LEAST_MESSAGES: usize = if cfg!(hchan_loom) { 2 } else { 8 };

// Several messages, wakes or arms at a time: `future::batch`, `wake`, `select`.

/// How many bytes of messages a batch takes from its iterator at a time, at most: under one lock they cost a copy each (`batch`). More
/// would keep the lock longer.
pub(crate) const PULLED_BYTES: usize = 64 * 1024;

/// How many wakers are collected under a lock before they are run without it (`close`).
///
/// More take more stack; fewer take the lock more often. Fewer under Miri, which spends its time on each empty place.
pub(crate) const WAKE_BATCH: usize = if cfg!(miri) { 4 } else { 32 };

/// How many arms a dynamic select has in place; more take an allocation (`select`). Each place is two words of every
/// [`Select`](crate::Select).
pub(crate) const ARMS_IN_PLACE: usize = 8;
