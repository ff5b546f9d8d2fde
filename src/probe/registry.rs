//! All tracked channels, and what is known of those that are gone.

#![forbid(unsafe_code)]

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::{
    hash::Hash,
    mem,
    sync::atomic::{AtomicBool, Ordering},
};
use std::{collections::HashMap, sync::Mutex};

use super::{
    on::{Gauges, Info, Settings, Site, lock},
    times::{KINDS, Row, Times},
};
use crate::waiter::Kind;

static IS_ENABLED: AtomicBool = AtomicBool::new(false);
static REGISTRY: Mutex<Option<Registry>> = Mutex::new(None);

/// Its memory is allocated without its lock, by `enable`: nothing in it grows.
struct Registry {
    settings: Settings,
    channels: Vec<Arc<Info>>,
    last_id: u64,
    /// A channel is tracked whenever the shares of those that were made add up to one.
    credit: f64,
    untracked: u64,
    /// The channels that are gone, by where they were made.
    gone: HashMap<Site, Gone>,
    /// Those for which there was no place there.
    gone_elsewhere: Gone,
    rows: HashMap<(Site, Kind), Row>,
    rows_elsewhere: Vec<Row>,
}

/// What is left of the channels that one place in the code has made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gone {
    pub(crate) channels: u64,
    pub(crate) messages: u64,
    pub(crate) times: Option<Box<Times>>,
}

impl Gone {
    /// Returns what is to be dropped after the lock.
    fn merge(&mut self, mut other: Self) -> Option<Box<Times>> {
        self.channels += other.channels;
        self.messages += other.messages;
        match (&mut self.times, &other.times) {
            (Some(times), Some(more)) => times.merge(more),
            (None, _) => self.times = other.times.take(),
            (Some(_), None) => {}
        }
        other.times
    }
}

impl Registry {
    fn new(settings: Settings) -> Self {
        Self {
            settings,
            channels: Vec::new(),
            last_id: 0,
            credit: 0.0,
            untracked: 0,
            gone: HashMap::new(),
            gone_elsewhere: Gone::default(),
            rows: HashMap::new(),
            rows_elsewhere: Vec::with_capacity(KINDS),
        }
    }

    fn sizes(&self) -> [usize; 3] {
        [self.channels.len(), self.gone.len(), self.rows.len()]
    }

    fn reserve(&mut self, [channels, gone, rows]: [usize; 3]) {
        self.channels.reserve_exact(channels);
        self.gone.reserve(gone);
        self.rows.reserve(rows);
    }

    fn has_room_for(&self, [channels, gone, rows]: [usize; 3]) -> bool {
        self.channels.capacity() >= channels
            && self.gone.capacity() >= gone
            && self.rows.capacity() >= rows
    }

    /// Takes over all that another one knows; there is room for it.
    fn take_over(&mut self, other: &mut Self) {
        self.channels.append(&mut other.channels);
        self.last_id = other.last_id;
        self.untracked = other.untracked;
        for (site, gone) in other.gone.drain() {
            self.gone.insert(site, gone);
        }
        for (key, row) in other.rows.drain() {
            self.rows.insert(key, row);
        }
        mem::swap(&mut self.gone_elsewhere, &mut other.gone_elsewhere);
        mem::swap(&mut self.rows_elsewhere, &mut other.rows_elsewhere);
    }

    /// Whether the next channel is tracked.
    fn draws(&mut self) -> bool {
        self.credit += self.settings.channel_share;
        let is_drawn = self.credit >= 1.0;
        if is_drawn {
            self.credit -= 1.0;
        }
        is_drawn && self.channels.len() < self.settings.most_channels
    }

    fn add_row(&mut self, row: Row) {
        if row.count == 0 {
            return;
        }
        let most = self.settings.most_call_sites;
        let place = row.site.and_then(|site| {
            place_in(&mut self.rows, (site, row.kind), most, || {
                Row::new(Some(site), row.kind)
            })
        });
        match place {
            Some(place) => place.merge(&row),
            None => {
                let rows = &mut self.rows_elsewhere;
                match rows.iter_mut().find(|other| other.kind == row.kind) {
                    Some(other) => other.merge(&row),
                    None => rows.push(Row { site: None, ..row }),
                }
            }
        }
    }
}

/// The value of a key, which may be a new one as long as there is room.
fn place_in<K: Eq + Hash, V>(
    map: &mut HashMap<K, V>,
    key: K,
    most: usize,
    make: impl FnOnce() -> V,
) -> Option<&mut V> {
    let has_room = map.len() < most.min(map.capacity());
    if !has_room && !map.contains_key(&key) {
        return None;
    }
    Some(map.entry(key).or_insert_with(make))
}

#[inline(always)]
pub(super) fn is_enabled() -> bool {
    // Relaxed: a channel that is made at the same time may be tracked or not.
    IS_ENABLED.load(Ordering::Relaxed)
}

/// Sets it up, for the first time or anew.
pub(crate) fn enable(settings: Settings) {
    let mut known = [0; 3];
    loop {
        let mut fresh = Registry::new(settings);
        let wanted = [
            settings.most_channels,
            settings.most_call_sites,
            settings.most_call_sites,
        ];
        fresh.reserve([0, 1, 2].map(|place| wanted[place].max(known[place])));
        let mut registry = lock(&REGISTRY);
        if let Some(old) = &mut *registry {
            known = old.sizes();
            if !fresh.has_room_for(known) {
                continue;
            }
            fresh.take_over(old);
        }
        // The old one drops after the lock.
        let _old = registry.replace(fresh);
        drop(registry);
        break;
    }
    IS_ENABLED.store(true, Ordering::Relaxed);
}

/// No channel that is made from now on is tracked.
pub(crate) fn disable() {
    IS_ENABLED.store(false, Ordering::Relaxed);
}

/// Decides whether a new channel is tracked; if not, it is counted.
#[cold]
pub(super) fn admit(site: Site, message: &'static str) -> Option<Arc<Info>> {
    let (id, settings) = {
        let mut registry = lock(&REGISTRY);
        let registry = registry.as_mut()?;
        if !registry.draws() {
            registry.untracked += 1;
            return None;
        }
        registry.last_id += 1;
        (registry.last_id, registry.settings)
    };
    let info = Arc::new(Info::new(id, site, message, &settings));
    let mut registry = lock(&REGISTRY);
    let registry = registry.as_mut()?;
    // Others may have come first.
    if registry.channels.len() == registry.channels.capacity() {
        registry.untracked += 1;
        return None;
    }
    // Relaxed: it is read and written under the lock.
    info.place.store(registry.channels.len(), Ordering::Relaxed);
    registry.channels.push(info.clone());
    Some(info)
}

/// A channel has lost its last handle: what is known of it goes to the place where it was made.
pub(super) fn remove(info: &Info, gauges: Gauges, rows: Vec<Row>, times: Option<Box<Times>>) {
    let gone = Gone {
        channels: 1,
        messages: gauges.paths.messages(gauges.entered),
        times,
    };
    // What these return drops after the lock.
    let _dropped = {
        let mut registry = lock(&REGISTRY);
        let Some(registry) = registry.as_mut() else {
            return;
        };
        for &row in &rows {
            registry.add_row(row);
        }
        let most = registry.settings.most_call_sites;
        let unused = match place_in(&mut registry.gone, info.site, most, Gone::default) {
            Some(place) => place.merge(gone),
            None => registry.gone_elsewhere.merge(gone),
        };
        let place = info.place.load(Ordering::Relaxed);
        let removed =
            (place < registry.channels.len()).then(|| registry.channels.swap_remove(place));
        if let Some(moved) = registry.channels.get(place) {
            moved.place.store(place, Ordering::Relaxed);
        }
        (unused, removed)
    };
}

/// The tracked channels that are alive, in the order in which they were made.
pub(crate) fn channels() -> Vec<Arc<Info>> {
    let mut channels = Vec::new();
    loop {
        let needed = {
            let registry = lock(&REGISTRY);
            let Some(registry) = registry.as_ref() else {
                return channels;
            };
            let needed = registry.channels.len();
            if channels.capacity() >= needed {
                channels.extend(registry.channels.iter().cloned());
                break;
            }
            needed
        };
        channels.reserve_exact(needed + needed / 8);
    }
    channels.sort_by_key(|info| info.id);
    channels
}

/// How many channels were made and not tracked, since it was enabled first.
pub(crate) fn untracked() -> u64 {
    lock(&REGISTRY)
        .as_ref()
        .map_or(0, |registry| registry.untracked)
}

/// What is left of the channels that are gone, by where they were made (`None`: elsewhere), and of their waits.
pub(crate) fn gone() -> (Vec<(Option<Site>, Gone)>, Vec<Row>) {
    let (mut gone, mut rows) = (Vec::new(), Vec::new());
    // For a copy without allocating under the lock: of times, as many as there are places.
    let mut spare: Vec<Box<Times>> = Vec::new();
    loop {
        let needed = {
            let registry = lock(&REGISTRY);
            let Some(registry) = registry.as_ref() else {
                return (gone, rows);
            };
            let needed = [registry.gone.len() + 1, registry.rows.len() + KINDS];
            if gone.capacity() >= needed[0]
                && rows.capacity() >= needed[1]
                && spare.len() >= needed[0]
            {
                let mut copy = |of: &Gone| Gone {
                    times: of.times.as_ref().and_then(|times| {
                        let mut copy = spare.pop()?;
                        *copy = **times;
                        Some(copy)
                    }),
                    ..*of
                };
                for (&site, of) in &registry.gone {
                    gone.push((Some(site), copy(of)));
                }
                if registry.gone_elsewhere.channels > 0 {
                    gone.push((None, copy(&registry.gone_elsewhere)));
                }
                rows.extend(registry.rows.values());
                rows.extend(&registry.rows_elsewhere);
                break;
            }
            needed
        };
        gone.reserve_exact(needed[0]);
        rows.reserve_exact(needed[1]);
        spare.resize_with(needed[0], Times::new);
    }
    (gone, rows)
}
