//! Sinks, where there are any: they come with a feature.

#![forbid(unsafe_code)]

use std::task::{Context, Poll};

use hchan::{SendError, Sender};

/// A sink of a channel, whether there is such a type or not.
pub(crate) trait AnySink<T> {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError<Option<T>>>>;
    fn start_send(&mut self, message: T) -> Result<(), SendError<Option<T>>>;
    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError<Option<T>>>>;
    fn clone_box(&self) -> Box<dyn AnySink<T>>;
}

#[cfg(feature = "sink")]
impl<T: 'static> AnySink<T> for hchan::IntoSink<T> {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError<Option<T>>>> {
        futures::SinkExt::poll_ready_unpin(self, cx)
    }

    fn start_send(&mut self, message: T) -> Result<(), SendError<Option<T>>> {
        futures::SinkExt::start_send_unpin(self, message)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError<Option<T>>>> {
        futures::SinkExt::poll_close_unpin(self, cx)
    }

    fn clone_box(&self) -> Box<dyn AnySink<T>> {
        Box::new(self.clone())
    }
}

#[cfg(feature = "sink")]
pub(crate) fn sink<T: 'static>(tx: Sender<T>) -> Box<dyn AnySink<T>> {
    Box::new(tx.into_sink())
}

#[cfg(not(feature = "sink"))]
pub(crate) fn sink<T>(_: Sender<T>) -> Box<dyn AnySink<T>> {
    panic!("there are no sinks without the feature")
}
