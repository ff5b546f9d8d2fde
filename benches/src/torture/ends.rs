//! The two ends of a channel, the same for every crate.
//!
//! Nothing is timed here, so all of it may go through pointers and boxes; what is inside of them is the crate's own future or
//! call.

use std::pin::Pin;

use super::ledger::Message;

/// An operation under way. On a crate's channel for threads the first poll blocks.
pub(crate) type Op<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A channel for [`Message`]s.
pub(crate) type Pair = (Box<dyn Tx>, Box<dyn Rx>);

/// A sending handle.
pub(crate) trait Tx: Send {
    fn another(&self) -> Box<dyn Tx>;

    /// Sends, and says whether it has.
    fn send(&mut self, message: Message) -> Op<'_, bool>;

    /// Sends if that is possible at once, and says whether it has.
    fn try_send(&mut self, message: Message) -> bool;

    /// Closes the channel. `None`: the crate leaves that to the last handle.
    fn close(&mut self) -> Option<()>;

    fn can_close(&self) -> bool;
}

/// A receiving handle.
pub(crate) trait Rx: Send {
    /// `None`: the crate's channels have a single receiver.
    fn another(&self) -> Option<Box<dyn Rx>>;

    /// Receives; `None` at the end.
    fn recv(&mut self) -> Op<'_, Option<Message>>;

    /// Receives if there is something now.
    fn try_recv(&mut self) -> Option<Message>;

    /// As [`Tx::close`].
    fn close(&mut self) -> Option<()>;
}

/// How a crate does it, with its own handle `H`.
pub(crate) struct Sending<H> {
    pub(crate) handle: H,
    pub(crate) another: fn(&H) -> H,
    pub(crate) send: for<'a> fn(&'a mut H, Message) -> Op<'a, bool>,
    pub(crate) try_send: fn(&mut H, Message) -> bool,
    pub(crate) close: Option<fn(&mut H)>,
}

/// How a crate does it, with its own handle `H`.
pub(crate) struct Receiving<H> {
    pub(crate) handle: H,
    pub(crate) another: Option<fn(&H) -> H>,
    pub(crate) recv: for<'a> fn(&'a mut H) -> Op<'a, Option<Message>>,
    pub(crate) try_recv: fn(&mut H) -> Option<Message>,
    pub(crate) close: Option<fn(&mut H)>,
}

pub(crate) fn pair<S, R>(tx: Sending<S>, rx: Receiving<R>) -> Pair
where
    S: Send + 'static,
    R: Send + 'static,
{
    (Box::new(tx), Box::new(rx))
}

impl<H: Send + 'static> Tx for Sending<H> {
    fn another(&self) -> Box<dyn Tx> {
        let handle = (self.another)(&self.handle);
        Box::new(Sending { handle, ..*self })
    }

    fn send(&mut self, message: Message) -> Op<'_, bool> {
        (self.send)(&mut self.handle, message)
    }

    fn try_send(&mut self, message: Message) -> bool {
        (self.try_send)(&mut self.handle, message)
    }

    fn close(&mut self) -> Option<()> {
        self.close.map(|close| close(&mut self.handle))
    }

    fn can_close(&self) -> bool {
        self.close.is_some()
    }
}

impl<H: Send + 'static> Rx for Receiving<H> {
    fn another(&self) -> Option<Box<dyn Rx>> {
        let handle = (self.another?)(&self.handle);
        Some(Box::new(Receiving { handle, ..*self }))
    }

    fn recv(&mut self) -> Op<'_, Option<Message>> {
        (self.recv)(&mut self.handle)
    }

    fn try_recv(&mut self) -> Option<Message> {
        (self.try_recv)(&mut self.handle)
    }

    fn close(&mut self) -> Option<()> {
        self.close.map(|close| close(&mut self.handle))
    }
}
