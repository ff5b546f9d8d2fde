//! What a trial has found so far; kept where the watchdog can read it when the trial does not end.

use std::io::{Write, stdout};
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::ledger::{Counts, End, Ledger, PROGRESS};
use super::verdict::AT;

#[derive(Default)]
pub(crate) struct Book {
    pages: Mutex<Pages>,
}

#[derive(Default)]
struct Pages {
    /// Of the channels that are gone.
    settled: Counts,
    /// The channel in use.
    open: Option<&'static Ledger>,
    notes: Vec<String>,
}

impl Book {
    /// Says which story begins, so that it is known in which one the process dies.
    pub(crate) fn begin(&self, story: &str) {
        PROGRESS.fetch_add(1, SeqCst);
        say(&format!("{AT} {story}\n"));
    }

    /// Opens the account of a new channel, which may take so many messages.
    pub(crate) fn open(&self, messages: usize) -> &'static Ledger {
        let ledger = Ledger::of(messages);
        self.pages().open = Some(ledger);
        ledger
    }

    /// Closes the account of the channel in use.
    pub(crate) fn settle(&self, end: End) {
        let mut pages = self.pages();
        if let Some(ledger) = pages.open.take() {
            let counts = ledger.settle(end);
            pages.settled += counts;
        }
    }

    /// Notes that something stands still that could go on.
    pub(crate) fn hung(&self, what: &str) {
        self.pages().settled.hung += 1;
        self.note(what);
    }

    pub(crate) fn note(&self, what: &str) {
        let notes = &mut self.pages().notes;
        if !notes.iter().any(|note| note == what) {
            notes.push(what.to_owned());
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        let pages = self.pages();
        let mut counts = pages.settled;
        if let Some(ledger) = pages.open {
            counts += ledger.settle(End::Never);
        }
        counts
    }

    pub(crate) fn notes(&self) -> Vec<String> {
        self.pages().notes.clone()
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Prints this now: the process may die the next moment.
pub(crate) fn say(lines: &str) {
    let mut out = stdout().lock();
    // Nobody is there to be told that it failed.
    let _ = out.write_all(lines.as_bytes()).and_then(|()| out.flush());
}
