//! The errors: what they say, what they carry, how they convert, and that they need nothing of the message.

use std::error::Error;

use futures::FutureExt;
use hchan::{
    RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError, bounded,
};

/// A message that can do nothing but be sent.
struct Plain;

#[test]
fn errors_say_what_happened() {
    let say = |error: &dyn Error| error.to_string();
    assert_eq!(say(&SendError(Plain)), "sending on a closed channel");
    assert_eq!(say(&TrySendError::Full(Plain)), "sending on a full channel");
    assert_eq!(
        say(&TrySendError::Closed(Plain)),
        "sending on a closed channel"
    );
    assert_eq!(
        say(&SendTimeoutError::Timeout(Plain)),
        "timed out or stopped while waiting to send"
    );
    assert_eq!(
        say(&SendTimeoutError::Closed(Plain)),
        "sending on a closed channel"
    );
    assert_eq!(say(&RecvError), "receiving on a closed and empty channel");
    assert_eq!(say(&TryRecvError::Empty), "receiving on an empty channel");
    assert_eq!(
        say(&TryRecvError::Closed),
        "receiving on a closed and empty channel"
    );
    assert_eq!(
        say(&RecvTimeoutError::Timeout),
        "timed out or stopped while waiting to receive"
    );
    assert_eq!(
        say(&RecvTimeoutError::Closed),
        "receiving on a closed and empty channel"
    );
}

#[test]
fn debug_hides_the_message_and_needs_nothing_of_it() {
    assert_eq!(format!("{:?}", SendError(Plain)), "SendError(..)");
    assert_eq!(format!("{:?}", TrySendError::Full(Plain)), "Full(..)");
    assert_eq!(format!("{:?}", TrySendError::Closed(Plain)), "Closed(..)");
    assert_eq!(
        format!("{:?}", SendTimeoutError::Timeout(Plain)),
        "Timeout(..)"
    );
    assert_eq!(
        format!("{:?}", SendTimeoutError::Closed(Plain)),
        "Closed(..)"
    );
    assert_eq!(format!("{RecvError:?}"), "RecvError");
    assert_eq!(format!("{:?}", TryRecvError::Empty), "Empty");
    assert_eq!(format!("{:?}", RecvTimeoutError::Timeout), "Timeout");
}

#[test]
fn results_unwrap_whatever_the_message() {
    let (tx, rx) = bounded(1);
    tx.try_send(Plain).unwrap();
    rx.try_recv().unwrap();
    tx.send(Plain).now_or_never().unwrap().unwrap();
    tx.close();
    let boxed: Box<dyn Error> = Box::new(tx.try_send(Plain).unwrap_err());
    assert_eq!(boxed.to_string(), "sending on a closed channel");
}

#[test]
fn errors_of_sends_give_the_message_back() {
    assert_eq!(SendError(7).into_inner(), 7);
    assert_eq!(TrySendError::Full(7).into_inner(), 7);
    assert_eq!(TrySendError::Closed(7).into_inner(), 7);
    assert_eq!(SendTimeoutError::Timeout(7).into_inner(), 7);
    assert_eq!(SendTimeoutError::Closed(7).into_inner(), 7);
}

#[test]
fn errors_tell_their_kinds_apart() {
    let (full, closed) = (TrySendError::Full(7), TrySendError::Closed(7));
    assert!(full.is_full() && !full.is_closed());
    assert!(closed.is_closed() && !closed.is_full());
    let (timeout, closed) = (SendTimeoutError::Timeout(7), SendTimeoutError::Closed(7));
    assert!(timeout.is_timeout() && !timeout.is_closed());
    assert!(closed.is_closed() && !closed.is_timeout());
    let (empty, closed) = (TryRecvError::Empty, TryRecvError::Closed);
    assert!(empty.is_empty() && !empty.is_closed());
    assert!(closed.is_closed() && !closed.is_empty());
    let (timeout, closed) = (RecvTimeoutError::Timeout, RecvTimeoutError::Closed);
    assert!(timeout.is_timeout() && !timeout.is_closed());
    assert!(closed.is_closed() && !closed.is_timeout());
}

#[test]
fn errors_convert_upward_and_keep_the_message() {
    assert_eq!(TrySendError::from(SendError(7)), TrySendError::Closed(7));
    assert_eq!(
        SendTimeoutError::from(SendError(7)),
        SendTimeoutError::Closed(7)
    );
    assert_eq!(TryRecvError::from(RecvError), TryRecvError::Closed);
    assert_eq!(RecvTimeoutError::from(RecvError), RecvTimeoutError::Closed);
}

#[test]
fn errors_are_equal_as_their_messages_are() {
    assert_eq!(SendError("a"), SendError("a"));
    assert_ne!(SendError("a"), SendError("b"));
    assert_ne!(TrySendError::Full("a"), TrySendError::Closed("a"));
    assert_ne!(TrySendError::Full("a"), TrySendError::Full("b"));
    assert_ne!(
        SendTimeoutError::Timeout("a"),
        SendTimeoutError::Closed("a")
    );
}

#[test]
fn errors_clone_with_their_message() {
    let text = String::from("a");
    assert_eq!(SendError(text.clone()).clone(), SendError(text.clone()));
    let full = TrySendError::Full(text.clone());
    assert_eq!(full.clone(), full);
    let timeout = SendTimeoutError::Timeout(text);
    assert_eq!(timeout.clone(), timeout);
}
