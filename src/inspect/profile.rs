//! Where the program waits: Go's block profile.

#![forbid(unsafe_code)]

use alloc::{string::String, vec::Vec};
use core::{
    cmp::Reverse,
    fmt::{self, Display, Formatter, Write as _},
    time::Duration,
};
use std::collections::HashMap;

use super::{
    display::time,
    snapshot::{CallSite, Operation},
    stuck::untracked,
};
use crate::{
    probe::{Row, Site, registry},
    waiter::Kind,
};

/// How long the operations of each call site waited, the longest first; returned by [`profile`](super::profile).
///
/// Printed, it is a table.
///
/// # Examples
///
/// ```
/// use hchan::inspect;
///
/// inspect::enable(inspect::Config::default());
/// let (tx, rx) = hchan::bounded(0);
/// let sending = std::thread::spawn(move || tx.send_blocking(1));
/// while rx.waiting_senders() == 0 {
///     std::thread::yield_now();
/// }
/// rx.recv_blocking().unwrap();
/// sending.join().unwrap().unwrap();
///
/// let profile = inspect::profile();
/// let send = profile.rows.iter().find(|row| row.operation == inspect::Operation::Send).unwrap();
/// assert_eq!(send.count, 1);
/// assert!(profile.folded().starts_with("send;"));
/// println!("{profile}");
/// ```
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Profile {
    /// A row an operation and call site.
    pub rows: Vec<ProfileRow>,
    /// How many channels were made that are not tracked: their waits are not here.
    pub untracked_channels: u64,
}

/// The waits of one operation at one call site.
///
/// # Examples
///
/// ```
/// for row in hchan::inspect::profile().rows {
///     println!("{} waits, {:?} in all", row.count, row.blocked);
/// }
/// ```
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ProfileRow {
    /// What was waited for.
    pub operation: Operation,
    /// Where; `None`: at all the call sites for which there was no place.
    pub call_site: Option<CallSite>,
    /// How many waits, those that are not over among them.
    pub count: u64,
    /// How long they took together, from when they parked until they were completed or given up.
    pub blocked: Duration,
    /// The longest of them.
    pub longest: Duration,
}

impl Profile {
    pub(super) fn take() -> Self {
        let mut rows: HashMap<(Option<Site>, Kind), Row> = HashMap::new();
        let mut add = |row: Row| match rows.get_mut(&(row.site, row.kind)) {
            Some(sum) => sum.merge(&row),
            None => _ = rows.insert((row.site, row.kind), row),
        };
        registry::gone().1.into_iter().for_each(&mut add);
        for info in registry::channels() {
            info.rows(&mut add);
        }
        let mut rows: Vec<_> = (rows.into_values().filter(|row| row.count > 0))
            .map(ProfileRow::of)
            .collect();
        rows.sort_by_key(|row| Reverse((row.blocked, row.count)));
        Self {
            rows,
            untracked_channels: registry::untracked(),
        }
    }

    /// The rows as folded stacks: a line `operation;call site microseconds` each, as tools for flame graphs read it.
    ///
    /// # Examples
    ///
    /// ```
    /// for line in hchan::inspect::profile().folded().lines() {
    ///     let (_stack, micros) = line.rsplit_once(' ').unwrap();
    ///     assert!(micros.parse::<u128>().is_ok());
    /// }
    /// ```
    pub fn folded(&self) -> String {
        let mut folded = String::new();
        for row in &self.rows {
            let micros = row.blocked.as_micros();
            // Writing to a string does not fail.
            let _ = match &row.call_site {
                // These two separate frames, and the stack from its time.
                Some(site) => {
                    let file = site.file.replace([';', ' '], "_");
                    writeln!(folded, "{};{file}:{} {micros}", row.operation, site.line)
                }
                None => writeln!(folded, "{};elsewhere {micros}", row.operation),
            };
        }
        folded
    }
}

impl ProfileRow {
    fn of(row: Row) -> Self {
        Self {
            operation: Operation::of(row.kind),
            call_site: row.site.map(CallSite::of),
            count: row.count,
            blocked: Duration::from_nanos(row.total),
            longest: Duration::from_nanos(row.longest),
        }
    }
}

impl Display for Profile {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "   waits   blocked   longest  operation  call site")?;
        for row in &self.rows {
            let [blocked, longest] =
                [row.blocked, row.longest].map(|span| alloc::format!("{}", time(span)));
            write!(
                f,
                "{:>8}  {blocked:>8}  {longest:>8}  {:<11}",
                row.count, row.operation
            )?;
            match &row.call_site {
                Some(site) => writeln!(f, "{site}")?,
                None => writeln!(f, "elsewhere")?,
            }
        }
        untracked(self.untracked_channels, f)
    }
}
