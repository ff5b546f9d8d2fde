//! rtrb as a channel between two threads that spin while they wait.

use std::fmt::Debug;

use rtrb::{Consumer, PopError, Producer, PushError};

use super::spin_until;
use crate::message::Payload;
use crate::peer::{BlockingRx, BlockingTx};

impl<T: Payload> BlockingTx<T> for Producer<T> {
    fn send(&mut self, message: T) -> Result<(), impl Debug> {
        let mut message = Some(message);
        spin_until(|| match self.push(message.take()?) {
            Ok(()) => Some(Ok(())),
            Err(full) if self.is_abandoned() => Some(Err(full)),
            Err(PushError::Full(back)) => {
                message = Some(back);
                None
            }
        })
        .map_err(|_| "nobody receives any more")
    }
}

impl<T: Payload> BlockingRx<T> for Consumer<T> {
    fn recv(&mut self) -> Result<T, impl Debug> {
        spin_until(|| {
            // Looked at first: what is sent before the end is there when the end is seen.
            let has_ended = self.is_abandoned();
            match self.pop() {
                Ok(message) => Some(Ok(message)),
                Err(PopError::Empty) => has_ended.then_some(Err(PopError::Empty)),
            }
        })
    }
}
