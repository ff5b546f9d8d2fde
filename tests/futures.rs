//! The futures by themselves: polling again, ending, and losing in other crates' select macros.

mod support;

use std::{
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    task::{
        Context,
        Poll::{Pending, Ready},
        Wake, Waker,
    },
    thread,
};

use futures::{
    FutureExt,
    future::{FusedFuture, pending, ready},
};
use hchan::{RecvError, SendError, TryRecvError, bounded, never, unbounded};
use support::{CountingWaker, Drops, panic_of, poll, poll_with};

#[test]
fn is_terminated_means_has_returned_ready() {
    let (tx, rx) = bounded(0);
    let mut send = pin!(tx.send(1));
    let mut recv = pin!(rx.recv());
    assert!(!send.is_terminated() && !recv.is_terminated(), "not polled");
    assert!(poll(&mut recv).is_pending());
    assert!(!recv.is_terminated(), "parked");
    assert!(poll(&mut send).is_ready());
    assert!(send.is_terminated());
    assert!(!recv.is_terminated(), "handed a message and not told yet");
    assert!(poll(&mut recv).is_ready());
    assert!(recv.is_terminated());

    let mut send = pin!(tx.send(2));
    assert!(poll(&mut send).is_pending());
    assert!(!send.is_terminated(), "parked");
    rx.try_recv().unwrap();
    assert!(!send.is_terminated(), "its message taken and not told yet");
    assert!(poll(&mut send).is_ready());
    assert!(send.is_terminated());
}

#[test]
fn is_terminated_never_speaks_about_the_channel() {
    let (tx, rx) = bounded(1);
    let mut send = pin!(tx.send(1));
    let mut recv = pin!(rx.recv());
    let mut parked = pin!(rx.recv());
    assert!(poll(&mut parked).is_pending());
    tx.close();
    assert!(!send.is_terminated() && !recv.is_terminated() && !parked.is_terminated());
    assert_eq!(poll(&mut send), Ready(Err(SendError(1))));
    assert_eq!(poll(&mut recv), Ready(Err(RecvError)));
    assert_eq!(poll(&mut parked), Ready(Err(RecvError)));
    assert!(send.is_terminated() && recv.is_terminated() && parked.is_terminated());

    let never = never::<u8>();
    let mut recv = pin!(never.recv());
    assert!(poll(&mut recv).is_pending());
    assert!(!recv.is_terminated());
}

#[test]
#[cfg_attr(not(panic = "unwind"), ignore = "catches a panic")]
fn polling_a_completed_send_panics_and_says_so() {
    let (tx, rx) = bounded(1);
    let mut sent = pin!(tx.send(1));
    assert!(poll(&mut sent).is_ready());
    let message = panic_of(|| poll(&mut sent));
    assert_eq!(message, "a send was polled again after it had completed");
    assert_eq!(rx.len(), 1, "nothing was sent twice");

    rx.close();
    let mut failed = pin!(tx.send(2));
    assert!(poll(&mut failed).is_ready());
    let message = panic_of(|| poll(&mut failed));
    assert_eq!(message, "a send was polled again after it had completed");
}

#[test]
#[cfg_attr(not(panic = "unwind"), ignore = "catches a panic")]
fn polling_a_completed_receive_panics_and_says_so() {
    let (tx, rx) = bounded(0);
    let mut recv = pin!(rx.recv());
    assert!(poll(&mut recv).is_pending());
    tx.try_send(1).unwrap();
    assert!(poll(&mut recv).is_ready());
    let message = panic_of(|| poll(&mut recv));
    assert_eq!(message, "a receive was polled again after it had completed");

    tx.close();
    let mut failed = pin!(rx.recv());
    assert!(poll(&mut failed).is_ready());
    let message = panic_of(|| poll(&mut failed));
    assert_eq!(message, "a receive was polled again after it had completed");
}

#[test]
fn debug_of_a_future_says_whether_it_is_terminated() {
    let (tx, rx) = bounded(1);
    let mut send = pin!(tx.send(1));
    assert_eq!(format!("{send:?}"), "SendFuture { terminated: false, .. }");
    let _ = poll(&mut send);
    assert_eq!(format!("{send:?}"), "SendFuture { terminated: true, .. }");
    let mut recv = pin!(rx.recv());
    assert_eq!(format!("{recv:?}"), "RecvFuture { terminated: false, .. }");
    let _ = poll(&mut recv);
    assert_eq!(format!("{recv:?}"), "RecvFuture { terminated: true, .. }");
}

#[test]
fn repolled_futures_keep_their_place_and_wake_only_the_newest_waker() {
    let (tx, rx) = bounded(0);
    let wakers: Vec<_> = (0..5).map(|_| CountingWaker::new()).collect();
    let wakes = || wakers.iter().map(|waker| waker.wakes()).collect::<Vec<_>>();

    let mut recv = pin!(rx.recv());
    for waker in &wakers {
        assert!(poll_with(&mut recv, &waker.waker()).is_pending());
        assert_eq!(rx.waiting_receivers(), 1);
    }
    tx.try_send(1).unwrap();
    assert_eq!(wakes(), [0, 0, 0, 0, 1]);
    assert_eq!(poll(&mut recv), Ready(Ok(1)));

    let mut send = pin!(tx.send(2));
    for waker in wakers.iter().rev() {
        assert!(poll_with(&mut send, &waker.waker()).is_pending());
        assert_eq!(rx.waiting_senders(), 1);
    }
    assert_eq!(rx.try_recv(), Ok(2));
    assert_eq!(wakes(), [1, 0, 0, 0, 1]);
    assert_eq!(poll(&mut send), Ready(Ok(())));
    assert!(wakers.iter().all(|waker| waker.wakers() == 0));
}

#[test]
fn waker_that_has_not_changed_is_not_cloned_again() {
    let (_tx, rx) = bounded::<u8>(0);
    let clones = Arc::new(AtomicU32::new(0));
    let waker = support::hooked_waker({
        let clones = Arc::clone(&clones);
        move |call| {
            clones.fetch_add(u32::from(call == support::Call::Clone), SeqCst);
        }
    });
    let mut recv = pin!(rx.recv());
    for _ in 0..10 {
        assert!(poll_with(&mut recv, &waker).is_pending());
    }
    assert_eq!(clones.load(SeqCst), 1);
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn future_parked_in_one_thread_completes_in_another() {
    let (tx, rx) = bounded(0);
    let mut recv = Box::pin(rx.recv());
    assert!(poll(&mut recv).is_pending());
    thread::scope(|threads| {
        let receiving = threads.spawn(|| futures::executor::block_on(recv));
        support::until(|| tx.waiting_receivers() == 1);
        tx.try_send(1).unwrap();
        assert_eq!(receiving.join().unwrap(), Ok(1));
    });
}

#[test]
fn wake_may_poll_the_future_it_wakes() {
    /// A task that runs inside its own wake, as some executors do.
    struct Inline(Mutex<Option<hchan::IntoStream<u8>>>, Mutex<Vec<u8>>);
    impl Wake for Inline {
        fn wake(self: Arc<Self>) {
            let waker = Waker::from(Arc::clone(&self));
            let mut stream = self.0.lock().unwrap().take().expect("not running");
            let mut cx = Context::from_waker(&waker);
            while let Ready(Some(message)) = stream.poll_next_unpin(&mut cx) {
                self.1.lock().unwrap().push(message);
            }
            *self.0.lock().unwrap() = Some(stream);
        }
    }
    use futures::StreamExt;

    let (tx, rx) = bounded(0);
    let task = Arc::new(Inline(Mutex::new(Some(rx.into_stream())), Mutex::default()));
    Arc::clone(&task).wake();
    for message in 1..=3 {
        tx.try_send(message).expect("it parked again in the wake");
    }
    assert_eq!(*task.1.lock().unwrap(), [1, 2, 3]);
    // The waker in the channel and the task own each other.
    task.0.lock().unwrap().take();
}

#[test]
fn futures_select_gives_back_what_its_losing_arm_was_handed() {
    let (tx, rx) = bounded(0);
    let select = async {
        futures::select! {
            message = rx.recv() => message.ok(),
            () = yield_once().fuse() => None,
        }
    };
    let mut select = pin!(select);
    assert!(poll(&mut select).is_pending());
    assert_eq!(rx.waiting_receivers(), 1);
    // The other arm is ready at the next poll, and this one is too: either may win.
    tx.try_send(1).unwrap();
    match poll(&mut select) {
        Ready(Some(message)) => assert_eq!(message, 1),
        Ready(None) => assert_eq!(rx.try_recv(), Ok(1)),
        Pending => panic!("both arms are ready"),
    }
    assert_eq!((rx.waiting_receivers(), rx.len()), (0, 0));
}

#[test]
fn futures_select_biased_gives_back_what_its_losing_arm_was_handed() {
    let (tx, rx) = bounded(0);
    let select = async {
        futures::select_biased! {
            () = yield_once().fuse() => None,
            message = rx.recv() => message.ok(),
        }
    };
    let mut select = pin!(select);
    assert!(poll(&mut select).is_pending());
    tx.try_send(1).unwrap();
    assert_eq!(poll(&mut select), Ready(None));
    assert_eq!(rx.try_recv(), Ok(1));
}

#[test]
fn futures_select_skips_completed_futures_and_says_when_all_are() {
    let (tx, rx) = bounded(1);
    let run = async {
        let (mut send, mut recv) = (pin!(tx.send(1)), pin!(rx.recv()));
        let mut ready = vec![];
        loop {
            futures::select! {
                sent = send => ready.push(sent.is_ok()),
                received = recv => ready.push(received == Ok(1)),
                complete => break ready,
            }
        }
    };
    assert_eq!(run.now_or_never(), Some(vec![true, true]));
}

#[test]
fn tokio_select_gives_back_what_its_losing_arm_was_handed() {
    let (tx, rx) = bounded(0);
    let select = async {
        tokio::select! {
            biased;
            () = yield_once() => None,
            message = rx.recv() => message.ok(),
        }
    };
    let mut select = pin!(select);
    assert!(poll(&mut select).is_pending());
    tx.try_send(1).unwrap();
    assert_eq!(poll(&mut select), Ready(None));
    assert_eq!(rx.try_recv(), Ok(1));
}

#[test]
fn tokio_select_drops_the_message_of_a_losing_send() {
    let drops = Drops::new();
    let (tx, rx) = bounded(0);
    let select = async {
        tokio::select! {
            _ = tx.send(drops.message(1)) => "sent",
            () = yield_once() => "gave up",
        }
    };
    let mut select = pin!(select);
    assert!(poll(&mut select).is_pending());
    assert_eq!(rx.waiting_senders(), 1);
    assert_eq!(poll(&mut select), Ready("gave up"));
    assert_eq!((drops.count(), rx.waiting_senders()), (1, 0));
    assert!(matches!(rx.try_recv(), Err(TryRecvError::Empty)));
}

#[test]
fn tokio_select_loses_nothing_over_many_rounds_of_losing() {
    const ROUNDS: usize = if cfg!(miri) { 10 } else { 100 };
    let (tx, rx) = unbounded();
    let mut received = vec![];
    for round in 0..ROUNDS {
        let select = async {
            tokio::select! {
                message = rx.recv() => message.ok(),
                () = yield_once() => None,
            }
        };
        let mut select = pin!(select);
        // Ready at once if the last round gave its message back.
        let first = poll(&mut select);
        tx.try_send(round).unwrap();
        match first {
            Ready(message) => received.extend(message),
            Pending => match poll(&mut select) {
                Ready(message) => received.extend(message),
                Pending => panic!("both arms are ready"),
            },
        }
    }
    received.extend(rx.try_iter());
    assert_eq!(received, (0..ROUNDS).collect::<Vec<_>>(), "in order, too");
}

#[test]
fn select_arm_of_never_is_switched_off() {
    let off = never::<u8>();
    let biased = async {
        futures::select_biased! {
            _ = off.recv() => "never",
            _ = ready(()) => "the other",
        }
    };
    assert_eq!(biased.now_or_never(), Some("the other"));
    let both = async {
        tokio::select! {
            _ = off.recv() => "never",
            () = pending() => "pending",
        }
    };
    assert_eq!(both.now_or_never(), None);
}

/// Pending once, then ready. No `async fn`: that would refer to itself, which Miri objects to where another crate's `select_biased!`
/// takes a shared reference to it.
fn yield_once() -> impl Future<Output = ()> {
    let mut yielded = false;
    futures::future::poll_fn(move |_| {
        if std::mem::replace(&mut yielded, true) {
            Ready(())
        } else {
            Pending
        }
    })
}
