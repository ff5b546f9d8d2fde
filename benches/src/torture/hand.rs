//! Operations polled by hand, each with a bell of its own for a waker.

use std::mem;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use super::ends::{Op, Rx, Tx};
use super::ledger::{Fate, Ledger, Message, Ticket};

/// What a bell does when it is rung for the first time.
type Hook = Box<dyn FnOnce() + Send>;

/// A waker that remembers that it was woken.
#[derive(Default)]
pub(crate) struct Bell {
    rung: AtomicBool,
    hook: Mutex<Option<Hook>>,
}

/// An operation and its bell.
pub(crate) struct Hand<'a, T> {
    op: Option<Op<'a, T>>,
    bell: Arc<Bell>,
}

/// A send by hand, which keeps its message's account.
pub(crate) struct HandSend<'a> {
    hand: Hand<'a, bool>,
    ticket: Ticket,
}

impl Bell {
    pub(crate) fn hook(&self, hook: impl FnOnce() + Send + 'static) {
        *self.hook.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(hook));
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, SeqCst);
        let mut hook = self.hook.lock().unwrap_or_else(PoisonError::into_inner);
        let hook = mem::take(&mut *hook);
        if let Some(hook) = hook {
            hook();
        }
    }
}

impl<'a, T> Hand<'a, T> {
    pub(crate) fn new(op: Op<'a, T>) -> Self {
        let bell = Arc::new(Bell::default());
        Hand { op: Some(op), bell }
    }

    pub(crate) fn bell(&self) -> &Arc<Bell> {
        &self.bell
    }

    /// Polls, unless it has ended.
    pub(crate) fn poll(&mut self) -> Option<T> {
        self.bell.rung.store(false, SeqCst);
        let op = self.op.as_mut()?;
        let waker = Waker::from(Arc::clone(&self.bell));
        match op.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => {
                self.op = None;
                Some(output)
            }
            Poll::Pending => None,
        }
    }

    /// Polls if it was woken, as an executor does.
    pub(crate) fn run(&mut self) -> Option<T> {
        if self.woken() { self.poll() } else { None }
    }

    pub(crate) fn woken(&self) -> bool {
        self.bell.rung.load(SeqCst)
    }

    /// Whether it is neither complete nor cancelled.
    pub(crate) fn pending(&self) -> bool {
        self.op.is_some()
    }

    pub(crate) fn cancel(&mut self) {
        self.op = None;
    }
}

impl<'a> HandSend<'a> {
    pub(crate) fn new(tx: &'a mut Box<dyn Tx>, ledger: &'static Ledger) -> Self {
        let message = ledger.message();
        let ticket = message.ticket();
        let hand = Hand::new(tx.send(message));
        HandSend { hand, ticket }
    }

    pub(crate) fn bell(&self) -> &Arc<Bell> {
        self.hand.bell()
    }

    pub(crate) fn poll(&mut self) -> Option<bool> {
        let sent = self.hand.poll();
        if let Some(sent) = sent {
            self.ticket.ended(sent);
        }
        sent
    }

    pub(crate) fn run(&mut self) -> Option<bool> {
        if self.woken() { self.poll() } else { None }
    }

    pub(crate) fn woken(&self) -> bool {
        self.hand.woken()
    }

    pub(crate) fn pending(&self) -> bool {
        self.hand.pending()
    }

    /// Drops the send. One that nobody had woken was not complete.
    pub(crate) fn cancel(&mut self) {
        if self.pending() {
            let woken = self.woken();
            self.ticket.fate(if woken {
                Fate::Unclear
            } else {
                Fate::Cancelled
            });
            self.hand.cancel();
        }
    }
}

/// Sends at once, if that is possible.
pub(crate) fn try_send(tx: &mut Box<dyn Tx>, ledger: &'static Ledger) -> bool {
    let message = ledger.message();
    let ticket = message.ticket();
    let sent = tx.try_send(message);
    ticket.ended(sent);
    sent
}

/// Receives all that can be received at once, and returns how many messages that were.
pub(crate) fn drain(rx: &mut Box<dyn Rx>) -> usize {
    let mut drained = 0;
    while let Some(message) = rx.try_recv() {
        message.receive();
        drained += 1;
    }
    drained
}

/// The number of the message received, if one was.
pub(crate) fn number(received: Option<Option<Message>>) -> Option<usize> {
    Some(received??.receive())
}
