//! The account of every message: what became of its send, how often it was received, how often it was dropped.

use std::ops::AddAssign;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize};
use std::thread;

/// Counts whatever happens to a message, so that somebody else can see that something still happens.
pub(crate) static PROGRESS: AtomicU64 = AtomicU64::new(0);

/// The messages of one channel.
///
/// It lives for ever: a message that a crate doubles would otherwise free its account twice.
pub(crate) struct Ledger {
    entries: Vec<Entry>,
    made: AtomicUsize,
}

struct Entry {
    number: usize,
    /// Whether the message's drop panics.
    explosive: AtomicBool,
    fate: AtomicU8,
    received: AtomicU32,
    dropped: AtomicU32,
}

/// What a message's sender knows of it. Nothing yet is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The send said that it is done.
    Sent = 1,
    /// The send said that it failed.
    Refused,
    /// The send was cancelled before anybody had done anything for it.
    Cancelled,
    /// The send was cancelled, but may have been complete already.
    Unclear,
}

/// How a channel's story ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The receivers received until nothing was left, and all handles are gone.
    Drained,
    /// The receivers went first, and all handles are gone: what was left has dropped with them.
    Abandoned,
    /// It has not ended: what has not arrived may still be in the channel.
    Never,
}

/// A message: as small as most, as some crates treat large ones in another way.
pub(crate) struct Message(&'static Entry);

/// What remains in the sender's hands of a message that it has given away.
#[derive(Clone, Copy)]
pub(crate) struct Ticket(&'static Entry);

/// What became of all messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) sent: u64,
    pub(crate) received: u64,
    /// Sent and not received; or, sent or not, never dropped.
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
    /// Received though the send had failed, or had been cancelled while nothing was done for it.
    pub(crate) unwanted: u64,
    /// Operations that could have gone on and were not woken, and calls that did not return.
    pub(crate) hung: u64,
}

impl Ledger {
    /// An account of at most so many messages.
    pub(crate) fn of(messages: usize) -> &'static Ledger {
        let entry = |number| Entry {
            number,
            explosive: AtomicBool::new(false),
            fate: AtomicU8::new(0),
            received: AtomicU32::new(0),
            dropped: AtomicU32::new(0),
        };
        let entries = (0..messages).map(entry).collect();
        let made = AtomicUsize::new(0);
        Box::leak(Box::new(Ledger { entries, made }))
    }

    /// The next message.
    pub(crate) fn message(&'static self) -> Message {
        let number = self.made.fetch_add(1, SeqCst);
        Message(self.entries.get(number).expect("not too many messages"))
    }

    /// The next message, one whose drop panics.
    pub(crate) fn explosive(&'static self) -> Message {
        let message = self.message();
        message.0.explosive.store(true, SeqCst);
        message
    }

    /// How many messages were sent, and are neither received nor dropped.
    pub(crate) fn under_way(&self) -> usize {
        let under_way = |entry: &&Entry| {
            entry.fate.load(SeqCst) == Fate::Sent as u8 && entry.dropped.load(SeqCst) == 0
        };
        self.made().iter().filter(under_way).count()
    }

    pub(crate) fn settle(&self, end: End) -> Counts {
        let mut counts = Counts::default();
        for entry in self.made() {
            let fate = entry.fate.load(SeqCst);
            let received = entry.received.load(SeqCst);
            let dropped = entry.dropped.load(SeqCst);
            let sent = fate == Fate::Sent as u8;
            let failed = fate == Fate::Refused as u8 || fate == Fate::Cancelled as u8;
            let lost = match end {
                End::Drained => dropped == 0 || sent && received == 0,
                End::Abandoned => dropped == 0,
                End::Never => dropped > 0 && sent && received == 0,
            };
            counts.sent += u64::from(sent);
            counts.received += u64::from(received > 0);
            counts.lost += u64::from(lost);
            counts.doubled += u64::from(received > 1 || dropped > 1);
            counts.unwanted += u64::from(failed && received > 0);
        }
        counts
    }

    fn made(&self) -> &[Entry] {
        let made = self.made.load(SeqCst).min(self.entries.len());
        &self.entries[..made]
    }
}

impl Message {
    pub(crate) fn ticket(&self) -> Ticket {
        Ticket(self.0)
    }

    /// Notes that this message has arrived, and returns its number.
    pub(crate) fn receive(self) -> usize {
        self.0.received.fetch_add(1, SeqCst);
        self.0.number
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, SeqCst);
        PROGRESS.fetch_add(1, SeqCst);
        if self.0.explosive.load(SeqCst) && !thread::panicking() {
            panic!("a message whose drop panics");
        }
    }
}

impl Ticket {
    /// Notes what became of the send.
    pub(crate) fn fate(self, fate: Fate) {
        self.0.fate.store(fate as u8, SeqCst);
        PROGRESS.fetch_add(1, SeqCst);
    }

    /// As `fate`, of a send that has ended.
    pub(crate) fn ended(self, sent: bool) {
        self.fate(if sent { Fate::Sent } else { Fate::Refused });
    }
}

impl Counts {
    /// Whether nothing went wrong.
    pub(crate) fn clean(&self) -> bool {
        (self.lost, self.doubled, self.unwanted, self.hung) == (0, 0, 0, 0)
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.sent += other.sent;
        self.received += other.received;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.unwanted += other.unwanted;
        self.hung += other.hung;
    }
}

#[cfg(test)]
mod tests {
    use std::mem;

    use super::*;

    fn send(ledger: &'static Ledger, fate: Fate) -> Message {
        let message = ledger.message();
        message.ticket().fate(fate);
        message
    }

    #[test]
    fn messages_that_arrive_once_are_clean() {
        let ledger = Ledger::of(3);
        for fate in [Fate::Sent, Fate::Unclear] {
            send(ledger, fate).receive();
        }
        ledger.message().receive();
        let counts = ledger.settle(End::Drained);
        assert_eq!((counts.sent, counts.received), (1, 3));
        assert!(counts.clean());
    }

    #[test]
    fn sent_message_that_drops_unreceived_is_lost_unless_the_receivers_went_first() {
        let ledger = Ledger::of(1);
        drop(send(ledger, Fate::Sent));
        assert_eq!(ledger.settle(End::Drained).lost, 1);
        assert_eq!(ledger.settle(End::Never).lost, 1);
        assert_eq!(ledger.settle(End::Abandoned).lost, 0);
    }

    #[test]
    fn message_that_never_drops_is_lost_unless_the_channel_still_has_it() {
        let ledger = Ledger::of(2);
        mem::forget(send(ledger, Fate::Sent));
        mem::forget(send(ledger, Fate::Cancelled));
        assert_eq!(ledger.settle(End::Drained).lost, 2);
        assert_eq!(ledger.settle(End::Abandoned).lost, 2);
        assert_eq!(ledger.settle(End::Never).lost, 0);
        assert_eq!(ledger.under_way(), 1);
    }

    #[test]
    fn message_that_arrives_twice_is_doubled() {
        let ledger = Ledger::of(1);
        let message = send(ledger, Fate::Sent);
        let copy = Message(message.0);
        message.receive();
        copy.receive();
        let counts = ledger.settle(End::Drained);
        assert_eq!((counts.received, counts.doubled), (1, 1));
    }

    #[test]
    fn message_that_arrives_though_its_send_did_not_happen_is_unwanted() {
        let ledger = Ledger::of(4);
        for fate in [Fate::Cancelled, Fate::Refused, Fate::Unclear] {
            send(ledger, fate).receive();
        }
        drop(send(ledger, Fate::Cancelled));
        assert_eq!(ledger.settle(End::Drained).unwanted, 2);
    }
}
