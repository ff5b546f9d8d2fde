//! What a tracked channel notes.

use alloc::{borrow::Cow, boxed::Box, sync::Arc, vec::Vec};
use core::{
    cmp::Reverse,
    fmt, mem,
    panic::Location,
    ptr::NonNull,
    sync::atomic::{AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering},
    task::Waker,
};
use std::{
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    thread::{self, Thread},
    time::Instant,
};

use super::{
    registry,
    times::{KINDS, Row, Times},
    words::{self, Phase, word},
};
use crate::{
    sync::is_blocking,
    waiter::{Kind, State},
};

pub(crate) const IS_ON: bool = true;

/// A channel keeps the waits of so many call sites apart; the others are one row an operation.
pub(super) const MOST_ROWS: usize = 16;

/// So many waiters are read at one time.
const STEP: usize = 1000;

/// No code but this crate's runs under any of these locks, and it neither allocates nor panics there.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Nanoseconds since the first call. Where there is no clock time stands still.
fn now() -> u64 {
    if cfg!(all(target_family = "wasm", target_os = "unknown")) {
        return 0;
    }
    static START: OnceLock<Instant> = OnceLock::new();
    let passed = START.get_or_init(Instant::now).elapsed();
    passed.as_nanos().try_into().unwrap_or(u64::MAX)
}

/// A place in the user's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Site(pub(crate) &'static Location<'static>);

impl Site {
    /// Where the function was called that calls this.
    #[track_caller]
    #[inline(always)]
    pub(crate) fn here() -> Self {
        Self(Location::caller())
    }
}

/// What a waiter knows of itself.
///
/// The number belongs to the owner of the waiter; a peer that has the waiter claimed reads it, under the lock.
pub(crate) struct Tag {
    site: Site,
    /// The number of the record's word; 0 while there is no record.
    // Relaxed throughout: it is handed from the owner to a peer and back by the lock and the waiter's state.
    record: AtomicU32,
}

impl Tag {
    #[inline(always)]
    pub(crate) fn new(site: Site) -> Self {
        Self {
            site,
            record: AtomicU32::new(words::NONE),
        }
    }

    #[inline(always)]
    fn has_record(&self) -> bool {
        self.record.load(Ordering::Relaxed) != words::NONE
    }

    fn word(&self) -> Option<&'static words::Word> {
        word(self.record.load(Ordering::Relaxed))
    }

    /// The owner sets a state, under the lock if it parks.
    #[inline(always)]
    pub(crate) fn note(&self, state: State) {
        if state == State::Parked && self.has_record() {
            self.note_parked();
        }
    }

    #[inline(never)]
    fn note_parked(&self) {
        self.word().inspect(|word| word.note_parked());
    }

    /// A peer that has the waiter is about to set its state and so to let go of it. Returns what it is to tell after the lock.
    #[inline(always)]
    pub(crate) fn complete(&self, state: State) -> WakeTag {
        match self.has_record() {
            true => self.complete_record(state),
            false => WakeTag::NONE,
        }
    }

    #[inline(never)]
    fn complete_record(&self, state: State) -> WakeTag {
        let Some(word) = self.word() else {
            return WakeTag::NONE;
        };
        match state {
            State::Done | State::Closed => WakeTag {
                record: self.record.load(Ordering::Relaxed),
                generation: word.note_completed(),
            },
            State::Idle | State::Parked | State::Finished => {
                word.note_away();
                WakeTag::NONE
            }
        }
    }
}

/// What a peer tells of a waiter that it has completed, when it holds no lock.
pub(crate) struct WakeTag {
    record: u32,
    generation: u64,
}

impl WakeTag {
    const NONE: Self = Self {
        record: words::NONE,
        generation: 0,
    };

    #[inline(always)]
    pub(crate) fn note_woken(&self) {
        if self.record != words::NONE {
            self.stamp();
        }
    }

    #[inline(never)]
    fn stamp(&self) {
        word(self.record).inspect(|word| word.stamp(self.generation, now()));
    }
}

/// Whose waker that is, as far as the address of its data tells.
#[derive(Clone, Copy)]
pub(crate) struct Task(usize);

impl Task {
    #[inline(always)]
    pub(crate) fn of(waker: &Waker) -> Self {
        Self(waker.data().addr())
    }
}

/// Who waits.
#[derive(Clone, Debug)]
pub(crate) enum TaskId {
    Thread(Thread),
    #[cfg(feature = "tokio")]
    Tokio(tokio::task::Id),
    Custom(u64),
    Waker(usize),
}

/// The ways of messages that no ring counts; guarded by both locks of a channel, `given_back` by the receivers' alone.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Paths {
    /// From a send straight into a parked receive.
    pub(crate) handed_over: u64,
    /// From a parked send into the ring.
    promoted_into_ring: u64,
    /// From a parked send to a receive that did not have to wait.
    promoted: u64,
    pub(crate) given_back: u64,
    /// Sent with a permit, and put behind the ring.
    went_beyond_ring: u64,
    /// Moved into the ring from there.
    came_into_ring: u64,
}

impl Paths {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    #[inline(always)]
    pub(crate) fn handed_over(&mut self) {
        self.handed_over += 1;
    }

    #[inline(always)]
    pub(crate) fn promoted_into_ring(&mut self) {
        self.promoted_into_ring += 1;
    }

    #[inline(always)]
    pub(crate) fn promoted(&mut self) {
        self.promoted += 1;
    }

    #[inline(always)]
    pub(crate) fn given_back(&mut self) {
        self.given_back += 1;
    }

    pub(crate) fn went_beyond_ring(&mut self) {
        self.went_beyond_ring += 1;
    }

    pub(crate) fn came_into_ring(&mut self) {
        self.came_into_ring += 1;
    }

    /// How many messages were sent, of a channel whose ring so many have entered.
    pub(crate) fn messages(&self, entered: u64) -> u64 {
        self.handed_over + self.buffered(entered) + self.all_promoted()
    }

    pub(crate) fn all_promoted(&self) -> u64 {
        self.promoted_into_ring + self.promoted
    }

    /// How many messages were buffered at once, of a channel whose ring so many have entered.
    pub(crate) fn buffered(&self, entered: u64) -> u64 {
        (entered + self.went_beyond_ring)
            .saturating_sub(self.promoted_into_ring + self.came_into_ring)
    }
}

/// A channel that is alive, without its type.
pub(crate) trait Live {
    /// Locks the channel.
    fn gauges(&self) -> Gauges;
}

/// The state of a channel at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Gauges {
    pub(crate) capacity: Option<usize>,
    pub(crate) len: usize,
    pub(crate) closed: bool,
    pub(crate) permits: usize,
    pub(crate) senders: usize,
    pub(crate) receivers: usize,
    pub(crate) waiting_senders: usize,
    pub(crate) waiting_receivers: usize,
    /// How many messages have entered the ring, on 32 bits modulo 2³².
    pub(crate) entered: u64,
    pub(crate) paths: Paths,
}

struct LivePointer(NonNull<dyn Live>);

// SAFETY: it points to a `Chan`, which threads share: what it tells of itself has nothing of its messages, whatever their type.
unsafe impl Send for LivePointer {}

/// What a channel has of `inspect`: nothing, if it is not tracked.
pub(crate) struct Channel(Option<Arc<Info>>);

/// What is known of a tracked channel.
pub(crate) struct Info {
    /// The channels are numbered from 1 on.
    pub(crate) id: u64,
    pub(crate) site: Site,
    pub(crate) message: &'static str,
    made_at: u64,
    task_id: Option<fn() -> Option<u64>>,
    name: Mutex<Option<Cow<'static, str>>>,
    waits: Mutex<Waits>,
    refused_as_full: AtomicU64,
    refused_as_closed: AtomicU64,
    evicted: AtomicU64,
    /// The channel, as long as it has a handle.
    live: Mutex<Option<LivePointer>>,
    /// How many of the two sides have lost their last handle.
    sides_gone: AtomicU8,
    /// Its place in the registry, for the holder of that lock.
    pub(super) place: AtomicUsize,
}

impl fmt::Debug for Info {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Info")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The waiters of a channel, and what is known of waits that are over.
struct Waits {
    records: Vec<Record>,
    /// The first of the channel's free words, which are linked to each other.
    free: u32,
    rows: Vec<Row>,
    times: Option<Box<Times>>,
    parked: u64,
    given_up: u64,
}

/// A waiter that is parked, about to park, or completed and not polled since.
#[derive(Clone, Debug)]
struct Record {
    word: u32,
    row: usize,
    kind: Kind,
    arm: Option<usize>,
    site: Site,
    task: TaskId,
    since: u64,
}

/// A waiter, as a snapshot sees it.
#[derive(Debug)]
pub(crate) struct WaiterView {
    word: u32,
    pub(crate) kind: Kind,
    pub(crate) arm: Option<usize>,
    pub(crate) site: Site,
    pub(crate) task: TaskId,
    /// For how long, in nanoseconds.
    pub(crate) waiting: u64,
    /// For how long it has been completed; `None` while it is parked.
    pub(crate) completed: Option<u64>,
    /// When it was completed, or parked.
    pub(crate) since: u64,
}

/// The waiters of a channel, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct WaitersView {
    pub(crate) waiters: Vec<WaiterView>,
    pub(crate) is_read_in_steps: bool,
    pub(crate) parked: u64,
    pub(crate) given_up: u64,
    pub(crate) times: Option<Box<Times>>,
}

impl Channel {
    /// Decides whether a channel is tracked.
    #[inline(always)]
    pub(crate) fn new(site: Site, message: fn() -> &'static str) -> Self {
        match registry::is_enabled() {
            true => Self(registry::admit(site, message())),
            false => Self(None),
        }
    }

    pub(crate) fn info(&self) -> Option<&Arc<Info>> {
        self.0.as_ref()
    }

    /// Lets the channel be found, until both sides are detached. It stays where it is until then.
    #[inline(always)]
    pub(crate) fn attach<C: Live + 'static>(&self, channel: &C) {
        if let Some(info) = &self.0 {
            *lock(&info.live) = Some(LivePointer(NonNull::from(channel)));
        }
    }

    /// One of its sides has lost its last handle.
    #[inline(always)]
    pub(crate) fn detach_side(&self) {
        if let Some(info) = &self.0 {
            // `AcqRel`: what was done with the other side comes before what the last one does now.
            if info.sides_gone.fetch_add(1, Ordering::AcqRel) == 1 {
                info.retire();
            }
        }
    }

    /// Makes a record of an operation whose owner is about to park it, with no lock held. User code may run: a hook.
    #[inline(always)]
    pub(crate) fn begin(&self, tag: &Tag, kind: Kind, arm: Option<usize>, task: Task) {
        if let Some(info) = &self.0 {
            info.begin(tag, kind, arm, task);
        }
    }

    /// Ends the record of an operation that is not parked, for its owner, with no lock held.
    #[inline(always)]
    pub(crate) fn end(&self, tag: &Tag, state: impl FnOnce() -> State) {
        if tag.has_record() && state() != State::Parked {
            self.end_record(tag);
        }
    }

    #[inline(never)]
    fn end_record(&self, tag: &Tag) {
        let number = tag.record.swap(words::NONE, Ordering::Relaxed);
        if let Some(info) = &self.0 {
            info.end(number);
        }
    }

    /// Notes that a parked operation has a new waker.
    #[inline(always)]
    pub(crate) fn move_to(&self, tag: &Tag, waker: &Waker) {
        if let (Some(info), true) = (&self.0, tag.has_record()) {
            info.move_to(tag, Task::of(waker));
        }
    }

    // Relaxed: these are counts.

    #[inline(always)]
    pub(crate) fn refused_as_full(&self) {
        if let Some(info) = &self.0 {
            info.refused_as_full.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[inline(always)]
    pub(crate) fn refused_as_closed(&self) {
        if let Some(info) = &self.0 {
            info.refused_as_closed.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[inline(always)]
    pub(crate) fn evicted(&self) {
        if let Some(info) = &self.0 {
            info.evicted.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn set_name(&self, name: impl Into<Cow<'static, str>>) {
        if let Some(info) = &self.0 {
            let name = name.into();
            // The old one drops after the lock.
            let _old = lock(&info.name).replace(name);
        }
    }
}

impl Info {
    pub(crate) fn name(&self) -> Option<Cow<'static, str>> {
        let mut copy = alloc::string::String::new();
        loop {
            let name = lock(&self.name);
            match &*name {
                None => return None,
                Some(Cow::Borrowed(name)) => return Some(Cow::Borrowed(name)),
                Some(Cow::Owned(name)) if name.len() <= copy.capacity() => {
                    copy.push_str(name);
                    return Some(Cow::Owned(copy));
                }
                // Made without the lock, as it allocates.
                Some(Cow::Owned(longer)) => {
                    let len = longer.len();
                    drop(name);
                    copy = alloc::string::String::with_capacity(len);
                }
            }
        }
    }

    pub(crate) fn refusals_as_full(&self) -> u64 {
        self.refused_as_full.load(Ordering::Relaxed)
    }

    pub(crate) fn refusals_as_closed(&self) -> u64 {
        self.refused_as_closed.load(Ordering::Relaxed)
    }

    pub(crate) fn evictions(&self) -> u64 {
        self.evicted.load(Ordering::Relaxed)
    }

    /// For how long the channel has been there.
    pub(crate) fn age(&self) -> u64 {
        now().saturating_sub(self.made_at)
    }

    /// What the channel says of itself. `None`: it has no handle any more.
    pub(crate) fn gauges(&self) -> Option<Gauges> {
        let live = lock(&self.live);
        // SAFETY: a channel that is there stays where it is: its last handle is dropped after this was emptied, for which that waits
        // for the lock. It is shared, and only ever reached by shared references until it is freed.
        (live.as_ref()).map(|live| unsafe { live.0.as_ref() }.gauges())
    }

    /// The channel has lost its last handle.
    #[cold]
    fn retire(&self) {
        let gauges = self.gauges().unwrap_or_default();
        *lock(&self.live) = None;
        registry::remove(self, gauges, self.rows_over(), self.times());
    }

    pub(super) fn new(id: u64, site: Site, message: &'static str, settings: &Settings) -> Self {
        Self {
            id,
            site,
            message,
            made_at: now(),
            task_id: settings.task_id,
            name: Mutex::new(None),
            waits: Mutex::new(Waits::EMPTY),
            refused_as_full: AtomicU64::new(0),
            refused_as_closed: AtomicU64::new(0),
            evicted: AtomicU64::new(0),
            live: Mutex::new(None),
            sides_gone: AtomicU8::new(0),
            place: AtomicUsize::new(usize::MAX),
        }
    }

    fn task(&self, Task(waker): Task) -> TaskId {
        if is_blocking() {
            return TaskId::Thread(thread::current());
        }
        #[cfg(feature = "tokio")]
        if let Some(id) = tokio::task::try_id() {
            return TaskId::Tokio(id);
        }
        match self.task_id.and_then(|hook| hook()) {
            Some(number) => TaskId::Custom(number),
            None => TaskId::Waker(waker),
        }
    }

    #[inline(never)]
    fn begin(&self, tag: &Tag, kind: Kind, arm: Option<usize>, task: Task) {
        if let Some(word) = tag.word() {
            // An arm of a select that a peer has unlinked: it goes on waiting.
            return word.note_away();
        }
        let task = self.task(task);
        let mut record = Some(Record {
            word: words::NONE,
            row: 0,
            kind,
            arm,
            site: tag.site,
            task,
            since: now(),
        });
        let mut spare = Spare::default();
        let number = loop {
            let inserted = lock(&self.waits).insert(&mut record, &mut spare);
            match inserted {
                Ok(number) => break number,
                Err(need) if spare.provide(need) => {}
                // There is no word left: the waiter is not tracked.
                Err(_) => return,
            }
        };
        tag.record.store(number, Ordering::Relaxed);
    }

    fn end(&self, number: u32) {
        let now = now();
        // It drops after the lock.
        let _record = lock(&self.waits).remove(number, now);
    }

    #[inline(never)]
    fn move_to(&self, tag: &Tag, task: Task) {
        let task = self.task(task);
        let number = tag.record.load(Ordering::Relaxed);
        // The old one drops after the lock.
        let _old =
            (lock(&self.waits).find(number)).map(|record| mem::replace(&mut record.task, task));
    }

    /// The waiters, and the times of waits that are over.
    pub(crate) fn waiters(&self) -> WaitersView {
        let mut view = WaitersView {
            times: self.times(),
            ..WaitersView::default()
        };
        let mut records: Vec<Record> = Vec::new();
        // From the last one to the first: where one ends in the meantime, the last takes its place, and has been read.
        let mut left = usize::MAX;
        while left > 0 {
            let waits = lock(&self.waits);
            let end = left.min(waits.records.len());
            let step = &waits.records[end.saturating_sub(STEP)..end];
            let needed = step.len();
            if records.capacity() - records.len() < needed {
                drop(waits);
                records.reserve(needed + needed / 8);
                continue;
            }
            if left == usize::MAX {
                view.parked = waits.parked;
                view.given_up = waits.given_up;
                view.is_read_in_steps = end > STEP;
            }
            records.extend(step.iter().rev().cloned());
            left = end - needed;
        }
        let now = now();
        let waiters = records.into_iter().filter_map(|record| record.view(now));
        view.waiters = waiters.collect();
        (view.waiters).sort_by_key(|waiter| (Reverse(waiter.waiting), waiter.word));
        view.waiters.dedup_by_key(|waiter| waiter.word);
        view.parked += view.waiters.len() as u64;
        view
    }

    fn times(&self) -> Option<Box<Times>> {
        lock(&self.waits).times.as_ref()?;
        // Made without the lock, as it allocates.
        let mut copy = Times::new();
        *copy = **lock(&self.waits).times.as_ref()?;
        Some(copy)
    }

    /// The waits that are over.
    fn rows_over(&self) -> Vec<Row> {
        let mut rows = Vec::with_capacity(MOST_ROWS + KINDS);
        rows.extend_from_slice(&lock(&self.waits).rows);
        rows
    }

    /// Adds the rows of waits that are over, and of those that are not.
    pub(crate) fn rows(&self, mut add: impl FnMut(Row)) {
        self.rows_over().into_iter().for_each(&mut add);
        for waiter in self.waiters().waiters {
            // A select counts once an arm of it has happened.
            if waiter.arm.is_some() && waiter.completed.is_none() {
                continue;
            }
            let mut row = Row::new(Some(waiter.site), waiter.kind);
            row.add(waiter.waiting.saturating_sub(waiter.completed.unwrap_or(0)));
            add(row);
        }
    }
}

impl Drop for Info {
    fn drop(&mut self) {
        let waits = self.waits.get_mut().unwrap_or_else(PoisonError::into_inner);
        let next = |&number: &u32| Some(word(number)?.link.load(Ordering::Relaxed));
        let free = core::iter::successors(Some(waits.free), next);
        // Collected first: to give a word back links it elsewhere.
        let free: Vec<_> = free.take_while(|&number| number != words::NONE).collect();
        let forgotten = waits.records.iter().map(|record| record.word);
        forgotten
            .clone()
            .filter_map(word)
            .for_each(words::Word::retire);
        words::give_back(free.into_iter().chain(forgotten));
    }
}

impl Record {
    fn view(self, now: u64) -> Option<WaiterView> {
        let (phase, since) = word(self.word)?.read(now);
        let completed = match phase {
            Phase::Away => return None,
            Phase::Parked => None,
            // The peer is about to say since when.
            Phase::Completed => Some(since.unwrap_or(0)),
        };
        let waiting = now.saturating_sub(self.since);
        Some(WaiterView {
            word: self.word,
            kind: self.kind,
            arm: self.arm,
            site: self.site,
            task: self.task,
            waiting,
            completed,
            since: now.saturating_sub(completed.unwrap_or(waiting)),
        })
    }
}

/// What memory `Waits::insert` is short of.
#[derive(Clone, Copy)]
enum Need {
    Word,
    Records(usize),
    Rows(usize),
    Times,
}

/// Memory that was allocated without the lock.
#[derive(Default)]
struct Spare {
    word: Option<u32>,
    records: Vec<Record>,
    rows: Vec<Row>,
    times: Option<Box<Times>>,
}

impl Spare {
    /// Whether there is some.
    fn provide(&mut self, need: Need) -> bool {
        match need {
            Need::Word => self.word = words::take(),
            Need::Records(count) => self.records = Vec::with_capacity(count),
            Need::Rows(count) => self.rows = Vec::with_capacity(count),
            Need::Times => self.times = Some(Times::new()),
        }
        !matches!(need, Need::Word) || self.word.is_some()
    }
}

impl Drop for Spare {
    fn drop(&mut self) {
        words::give_back(self.word.take().into_iter());
    }
}

impl Waits {
    const EMPTY: Self = Self {
        records: Vec::new(),
        free: words::NONE,
        rows: Vec::new(),
        times: None,
        parked: 0,
        given_up: 0,
    };

    /// Adds a record and returns the number of its word, or says what it is short of.
    fn insert(&mut self, record: &mut Option<Record>, spare: &mut Spare) -> Result<u32, Need> {
        let (site, kind) = match record {
            Some(record) => (record.site, record.kind),
            None => unreachable!("it has not been inserted"),
        };
        if self.times.is_none() {
            self.times = Some(spare.times.take().ok_or(Need::Times)?);
        }
        if self.records.len() == self.records.capacity() {
            grow(&mut self.records, &mut spare.records).map_err(Need::Records)?;
        }
        let row = self.row(site, kind, &mut spare.rows)?;
        let number = match word(self.free) {
            Some(first) => mem::replace(&mut self.free, first.link.load(Ordering::Relaxed)),
            None => spare.word.take().ok_or(Need::Word)?,
        };
        if let (Some(word), Some(mut record)) = (word(number), record.take()) {
            word.link
                .store(self.records.len() as u32, Ordering::Relaxed);
            record.word = number;
            record.row = row;
            self.records.push(record);
        }
        Ok(number)
    }

    /// The number of the row for an operation, which may be a new one.
    fn row(&mut self, site: Site, kind: Kind, spare: &mut Vec<Row>) -> Result<usize, Need> {
        let find = |rows: &[Row], site| rows.iter().position(|row| row.is_of(site, kind));
        if let Some(row) = find(&self.rows, Some(site)) {
            return Ok(row);
        }
        let site = (self.rows.len() < MOST_ROWS).then_some(site);
        if let Some(row) = find(&self.rows, site) {
            return Ok(row);
        }
        if self.rows.len() == self.rows.capacity() {
            grow(&mut self.rows, spare).map_err(Need::Rows)?;
        }
        self.rows.push(Row::new(site, kind));
        Ok(self.rows.len() - 1)
    }

    fn find(&mut self, number: u32) -> Option<&mut Record> {
        let place = word(number)?.link.load(Ordering::Relaxed);
        self.records.get_mut(place as usize)
    }

    /// Removes a record, and adds what it says of the wait, if there was one, to the others.
    fn remove(&mut self, number: u32, now: u64) -> Option<Record> {
        let word = word(number)?;
        let place = word.link.load(Ordering::Relaxed);
        let record = self.records.swap_remove(place as usize);
        debug_assert_eq!(record.word, number);
        if let Some(moved) = self.records.get(place as usize) {
            words::word(moved.word)?
                .link
                .store(place, Ordering::Relaxed);
        }
        let (phase, since) = word.read(now);
        self.note_over(&record, phase, now.saturating_sub(since.unwrap_or(0)));
        word.retire();
        word.link.store(self.free, Ordering::Relaxed);
        self.free = number;
        Some(record)
    }

    fn note_over(&mut self, record: &Record, phase: Phase, end: u64) {
        if phase == Phase::Away {
            return;
        }
        self.parked += 1;
        if phase == Phase::Parked {
            self.given_up += 1;
            // Of a select, the arm that happened stands for the wait.
            if record.arm.is_some() {
                return;
            }
        }
        let nanos = end.saturating_sub(record.since);
        if let Some(row) = self.rows.get_mut(record.row) {
            row.add(nanos);
        }
        if let Some(times) = &mut self.times {
            times.add(record.kind, nanos);
        }
    }
}

/// Moves a vector that is full into one that was made without the lock, if that is large enough; else says how large it is to be.
fn grow<V>(full: &mut Vec<V>, spare: &mut Vec<V>) -> Result<(), usize> {
    if spare.capacity() <= full.len() {
        return Err((full.len() * 2).max(4));
    }
    spare.append(full);
    mem::swap(full, spare);
    Ok(())
}

/// How `inspect` is set up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) channel_share: f64,
    pub(crate) most_channels: usize,
    pub(crate) most_call_sites: usize,
    pub(crate) task_id: Option<fn() -> Option<u64>>,
}
