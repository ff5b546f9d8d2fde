//! Row 17, KN: `Sync` was promised without `T: Send`. What the types promise is fixed here, for the compiler to check.

use std::{
    cell::Cell,
    fmt::Debug,
    future::Pending,
    iter::FusedIterator,
    marker::{PhantomData, PhantomPinned},
    panic::{RefUnwindSafe, UnwindSafe},
    rc::Rc,
    sync::MutexGuard,
};

use futures::{future::FusedFuture, stream::FusedStream};
#[cfg(feature = "std")]
use hchan::IterBlocking;
use hchan::{
    ClosedFuture, Drain, IntoRecv, IntoSend, IntoStream, LocalSelect, OwnedPermit, Permit,
    Receiver, RecvAny, RecvError, RecvFuture, RecvManyFuture, RecvStream, RecvTimeoutError,
    ReserveFuture, Select, SendError, SendFromFuture, SendFuture, SendManyError, SendManyFuture,
    SendTimeoutError, Sender, TryIter, TryRecvError, TrySendError, Unsent, Until, WeakReceiver,
    WeakSender, select,
};
use static_assertions::{assert_impl_all, assert_not_impl_any};

/// May be sent but not shared; a channel only sends.
type Sent = Cell<u8>;
/// May be neither sent nor shared.
type Local = Rc<u8>;
/// May be shared but not sent; that is no use to a channel.
type Shared = MutexGuard<'static, u8>;
/// Has no trait at all that is not automatic.
struct Plain;

/// Messages on their way from an iterator into a channel.
type Messages<T> = std::vec::IntoIter<T>;

type StoppedBy<T> = Until<RecvAny<'static, u8>, Pending<T>>;

#[test]
fn handles_and_futures_go_between_threads_exactly_if_the_messages_may() {
    assert_impl_all!(Sender<Sent>: Send, Sync);
    assert_impl_all!(Receiver<Sent>: Send, Sync);
    assert_impl_all!(WeakSender<Sent>: Send, Sync);
    assert_impl_all!(WeakReceiver<Sent>: Send, Sync);
    assert_impl_all!(SendFuture<'static, Sent>: Send, Sync);
    assert_impl_all!(RecvFuture<'static, Sent>: Send, Sync);
    assert_impl_all!(IntoSend<Sent>: Send, Sync);
    assert_impl_all!(IntoRecv<Sent>: Send, Sync);
    assert_impl_all!(RecvAny<'static, Sent>: Send, Sync);
    assert_impl_all!(Until<RecvAny<'static, Sent>, Pending<()>>: Send, Sync);
    assert_impl_all!(Until<SendFuture<'static, Sent>, Pending<()>>: Send, Sync);
    assert_impl_all!(Until<RecvFuture<'static, Sent>, Pending<()>>: Send, Sync);
    assert_impl_all!(Until<IntoSend<Sent>, Pending<()>>: Send, Sync);
    assert_impl_all!(Until<IntoRecv<Sent>, Pending<()>>: Send, Sync);
    assert_impl_all!(RecvStream<'static, Sent>: Send, Sync);
    assert_impl_all!(IntoStream<Sent>: Send, Sync);
    #[cfg(feature = "std")]
    assert_impl_all!(IterBlocking<'static, Sent>: Send, Sync);
    assert_impl_all!(TryIter<'static, Sent>: Send, Sync);

    assert_not_impl_any!(Sender<Local>: Send, Sync);
    assert_not_impl_any!(Receiver<Local>: Send, Sync);
    assert_not_impl_any!(WeakSender<Local>: Send, Sync);
    assert_not_impl_any!(WeakReceiver<Local>: Send, Sync);
    assert_not_impl_any!(SendFuture<'static, Local>: Send, Sync);
    assert_not_impl_any!(RecvFuture<'static, Local>: Send, Sync);
    assert_not_impl_any!(IntoSend<Local>: Send, Sync);
    assert_not_impl_any!(IntoRecv<Local>: Send, Sync);
    assert_not_impl_any!(RecvAny<'static, Local>: Send, Sync);
    assert_not_impl_any!(Until<RecvAny<'static, Local>, Pending<()>>: Send, Sync);
    assert_not_impl_any!(Until<SendFuture<'static, Local>, Pending<()>>: Send, Sync);
    assert_not_impl_any!(Until<RecvFuture<'static, Local>, Pending<()>>: Send, Sync);
    assert_not_impl_any!(Until<IntoSend<Local>, Pending<()>>: Send, Sync);
    assert_not_impl_any!(Until<IntoRecv<Local>, Pending<()>>: Send, Sync);
    assert_not_impl_any!(RecvStream<'static, Local>: Send, Sync);
    assert_not_impl_any!(IntoStream<Local>: Send, Sync);
    #[cfg(feature = "std")]
    assert_not_impl_any!(IterBlocking<'static, Local>: Send, Sync);
    assert_not_impl_any!(TryIter<'static, Local>: Send, Sync);

    assert_not_impl_any!(Sender<Shared>: Send, Sync);
    assert_not_impl_any!(Receiver<Shared>: Send, Sync);
    assert_not_impl_any!(WeakSender<Shared>: Send, Sync);
    assert_not_impl_any!(WeakReceiver<Shared>: Send, Sync);
    assert_not_impl_any!(SendFuture<'static, Shared>: Send, Sync);
    assert_not_impl_any!(RecvFuture<'static, Shared>: Send, Sync);
    assert_not_impl_any!(IntoSend<Shared>: Send, Sync);
    assert_not_impl_any!(IntoRecv<Shared>: Send, Sync);
    assert_not_impl_any!(RecvAny<'static, Shared>: Send, Sync);
    assert_not_impl_any!(Until<RecvAny<'static, Shared>, Pending<()>>: Send, Sync);
    assert_not_impl_any!(Until<SendFuture<'static, Shared>, Pending<()>>: Send, Sync);
    assert_not_impl_any!(Until<RecvFuture<'static, Shared>, Pending<()>>: Send, Sync);
    assert_not_impl_any!(Until<IntoSend<Shared>, Pending<()>>: Send, Sync);
    assert_not_impl_any!(Until<IntoRecv<Shared>, Pending<()>>: Send, Sync);
    assert_not_impl_any!(RecvStream<'static, Shared>: Send, Sync);
    assert_not_impl_any!(IntoStream<Shared>: Send, Sync);
    #[cfg(feature = "std")]
    assert_not_impl_any!(IterBlocking<'static, Shared>: Send, Sync);
    assert_not_impl_any!(TryIter<'static, Shared>: Send, Sync);
}

/// It borrows an `Option` of the message, so sharing it would share that.
#[test]
fn send_from_goes_between_threads_as_the_option_that_it_borrows() {
    assert_impl_all!(SendFromFuture<'static, u8>: Send, Sync);
    assert_impl_all!(SendFromFuture<'static, Sent>: Send);
    assert_not_impl_any!(SendFromFuture<'static, Sent>: Sync);
    assert_not_impl_any!(SendFromFuture<'static, Local>: Send, Sync);
    assert_not_impl_any!(SendFromFuture<'static, Shared>: Send);
    assert_impl_all!(Until<SendFromFuture<'static, Sent>, Pending<()>>: Send);
    assert_not_impl_any!(Until<SendFromFuture<'static, Sent>, Pending<()>>: Sync);
    assert_not_impl_any!(Until<SendFromFuture<'static, Local>, Pending<()>>: Send, Sync);
}

/// Its arms are `Send`, which is asked when they are added; what else they are is forgotten then.
#[test]
fn select_of_any_arms_goes_between_threads_and_is_not_shared() {
    assert_impl_all!(Select<'static>: Send);
    assert_not_impl_any!(Select<'static>: Sync);
    assert_not_impl_any!(LocalSelect<'static>: Send, Sync);
    assert_impl_all!(Until<Select<'static>, Pending<()>>: Send);
    assert_not_impl_any!(Until<Select<'static>, Pending<()>>: Sync);
}

#[test]
fn until_goes_between_threads_if_both_its_futures_may() {
    struct Stop<T>(PhantomData<T>);
    assert_impl_all!(Until<RecvAny<'static, u8>, Stop<Sent>>: Send);
    assert_not_impl_any!(Until<RecvAny<'static, u8>, Stop<Sent>>: Sync);
    assert_not_impl_any!(Until<RecvAny<'static, u8>, Stop<Local>>: Send, Sync);
    assert_impl_all!(Until<Stop<u8>, Stop<u8>>: Unpin);
    assert_not_impl_any!(Until<RecvAny<'static, u8>, Stop<u8>>: Unpin);
    assert_not_impl_any!(Until<Stop<u8>, Stop<PhantomPinned>>: Unpin);
}

#[test]
fn owned_futures_borrow_nothing() {
    fn assert_static<F: 'static>(_: F) {}

    let (tx, rx) = hchan::bounded(1);
    assert_static(tx.into_send(Local::new(1)));
    assert_static(rx.into_recv());
}

#[test]
fn select_macro_goes_between_threads_if_all_its_arms_may() {
    fn assert_send<F: Send>(_: F) {}

    let (tx, rx) = hchan::bounded(1);
    assert_send(async {
        let mut slot = Some(Sent::new(1));
        select! {
            recv(rx) -> _ => (),
            send(tx, Sent::new(2)) -> _ => (),
            send_from(tx, &mut slot) -> _ => (),
            future(std::future::pending::<Sent>()) -> _ => (),
        }
    });
}

#[test]
fn errors_go_between_threads_as_their_messages_may() {
    assert_impl_all!(SendError<u8>: Sync, Unpin, UnwindSafe, RefUnwindSafe);
    assert_impl_all!(TrySendError<u8>: Sync, Unpin, UnwindSafe, RefUnwindSafe);
    assert_impl_all!(SendTimeoutError<u8>: Sync, Unpin, UnwindSafe, RefUnwindSafe);
    assert_impl_all!(SendError<Sent>: Send);
    assert_impl_all!(TrySendError<Sent>: Send);
    assert_impl_all!(SendTimeoutError<Sent>: Send);
    assert_not_impl_any!(SendError<Sent>: Sync);
    assert_not_impl_any!(SendError<PhantomPinned>: Unpin);
    assert_not_impl_any!(TrySendError<Local>: Send, Sync);
    assert_not_impl_any!(SendTimeoutError<Local>: Send, Sync);
    assert_impl_all!(RecvError: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
    assert_impl_all!(TryRecvError: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
    assert_impl_all!(RecvTimeoutError: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
}

#[test]
fn only_the_futures_are_pinned_whatever_the_message() {
    assert_impl_all!(Sender<PhantomPinned>: Unpin);
    assert_impl_all!(Receiver<PhantomPinned>: Unpin);
    assert_impl_all!(WeakSender<PhantomPinned>: Unpin);
    assert_impl_all!(WeakReceiver<PhantomPinned>: Unpin);
    assert_impl_all!(RecvStream<'static, PhantomPinned>: Unpin);
    assert_impl_all!(IntoStream<PhantomPinned>: Unpin);
    #[cfg(feature = "std")]
    assert_impl_all!(IterBlocking<'static, PhantomPinned>: Unpin);
    assert_impl_all!(TryIter<'static, PhantomPinned>: Unpin);
    assert_not_impl_any!(SendFuture<'static, u8>: Unpin);
    assert_not_impl_any!(RecvFuture<'static, u8>: Unpin);
    assert_not_impl_any!(SendFromFuture<'static, u8>: Unpin);
    assert_not_impl_any!(IntoSend<u8>: Unpin);
    assert_not_impl_any!(IntoRecv<u8>: Unpin);
    assert_not_impl_any!(Until<SendFuture<'static, u8>, Pending<()>>: Unpin);
    assert_not_impl_any!(Until<RecvFuture<'static, u8>, Pending<()>>: Unpin);
    assert_not_impl_any!(RecvAny<'static, u8>: Unpin);
    assert_not_impl_any!(Select<'static>: Unpin);
    assert_not_impl_any!(LocalSelect<'static>: Unpin);
}

#[test]
fn handles_are_unwind_safe_whatever_the_message() {
    assert_impl_all!(Sender<Sent>: UnwindSafe, RefUnwindSafe);
    assert_impl_all!(Receiver<Sent>: UnwindSafe, RefUnwindSafe);
    assert_impl_all!(WeakSender<Sent>: UnwindSafe, RefUnwindSafe);
    assert_impl_all!(WeakReceiver<Sent>: UnwindSafe, RefUnwindSafe);
    #[cfg(feature = "std")]
    assert_impl_all!(IterBlocking<'static, Sent>: UnwindSafe);
    assert_impl_all!(TryIter<'static, Sent>: UnwindSafe);
}

#[test]
fn everything_prints_and_clones_whatever_the_message() {
    assert_impl_all!(Sender<Plain>: Debug, Clone);
    assert_impl_all!(Receiver<Plain>: Debug, Clone);
    assert_impl_all!(WeakSender<Plain>: Debug, Clone);
    assert_impl_all!(WeakReceiver<Plain>: Debug, Clone);
    assert_impl_all!(SendFuture<'static, Plain>: Debug, FusedFuture);
    assert_impl_all!(RecvFuture<'static, Plain>: Debug, FusedFuture);
    assert_impl_all!(SendFromFuture<'static, Plain>: Debug, FusedFuture);
    assert_impl_all!(RecvAny<'static, Plain>: Debug, FusedFuture);
    assert_impl_all!(Select<'static>: Debug, Default, FusedFuture);
    assert_impl_all!(LocalSelect<'static>: Debug, Default, FusedFuture);
    assert_impl_all!(IntoSend<Plain>: Debug, FusedFuture);
    assert_impl_all!(IntoRecv<Plain>: Debug, FusedFuture);
    assert_impl_all!(StoppedBy<Plain>: Debug, FusedFuture);
    assert_impl_all!(Until<SendFuture<'static, Plain>, Pending<Plain>>: Debug, FusedFuture);
    assert_impl_all!(Until<SendFromFuture<'static, Plain>, Pending<Plain>>: Debug, FusedFuture);
    assert_impl_all!(Until<RecvFuture<'static, Plain>, Pending<Plain>>: Debug, FusedFuture);
    assert_impl_all!(Until<IntoSend<Plain>, Pending<Plain>>: Debug, FusedFuture);
    assert_impl_all!(Until<IntoRecv<Plain>, Pending<Plain>>: Debug, FusedFuture);
    assert_impl_all!(RecvStream<'static, Plain>: Clone, Debug, FusedStream);
    assert_impl_all!(IntoStream<Plain>: Clone, Debug, FusedStream);
    #[cfg(feature = "std")]
    assert_impl_all!(IterBlocking<'static, Plain>: FusedIterator);
    assert_impl_all!(TryIter<'static, Plain>: Iterator);
    assert_impl_all!(SendError<Plain>: Debug, std::error::Error);
    assert_impl_all!(TrySendError<Plain>: Debug, std::error::Error);
    assert_impl_all!(SendTimeoutError<Plain>: Debug, std::error::Error);
}

#[test]
fn receiver_is_no_iterator() {
    assert_not_impl_any!(Receiver<u8>: IntoIterator);
    assert_not_impl_any!(&'static Receiver<u8>: IntoIterator);
    assert_not_impl_any!(TryIter<'static, u8>: FusedIterator);
}

#[test]
fn permits_batches_and_waits_for_the_end_go_between_threads_exactly_if_the_messages_may() {
    assert_impl_all!(ReserveFuture<'static, Sent>: Send, Sync);
    assert_impl_all!(Permit<'static, Sent>: Send, Sync);
    assert_impl_all!(OwnedPermit<Sent>: Send, Sync);
    assert_impl_all!(ClosedFuture<'static, Sent>: Send, Sync);
    // These hold messages, or borrow a vector of them: to share them is to share those.
    assert_impl_all!(SendManyFuture<'static, Messages<Sent>>: Send);
    assert_not_impl_any!(SendManyFuture<'static, Messages<Sent>>: Sync);
    assert_impl_all!(RecvManyFuture<'static, Sent>: Send);
    assert_not_impl_any!(RecvManyFuture<'static, Sent>: Sync);
    assert_impl_all!(Drain<Sent>: Send);
    assert_impl_all!(Unsent<Messages<Sent>>: Send);
    assert_impl_all!(SendManyError<Messages<Sent>>: Send);

    assert_not_impl_any!(ReserveFuture<'static, Local>: Send, Sync);
    assert_not_impl_any!(Permit<'static, Local>: Send, Sync);
    assert_not_impl_any!(OwnedPermit<Local>: Send, Sync);
    assert_not_impl_any!(ClosedFuture<'static, Local>: Send, Sync);
    assert_not_impl_any!(SendManyFuture<'static, Messages<Local>>: Send, Sync);
    assert_not_impl_any!(RecvManyFuture<'static, Local>: Send, Sync);
    assert_not_impl_any!(Drain<Local>: Send, Sync);
    assert_not_impl_any!(Unsent<Messages<Local>>: Send, Sync);

    assert_not_impl_any!(ReserveFuture<'static, Shared>: Send, Sync);
    assert_not_impl_any!(Permit<'static, Shared>: Send, Sync);
    assert_not_impl_any!(OwnedPermit<Shared>: Send, Sync);
    assert_not_impl_any!(ClosedFuture<'static, Shared>: Send, Sync);
    assert_not_impl_any!(SendManyFuture<'static, Messages<Shared>>: Send);
    assert_not_impl_any!(RecvManyFuture<'static, Shared>: Send);
}

#[test]
fn permits_batches_and_waits_for_the_end_are_pinned_if_they_park_and_print() {
    assert_impl_all!(Permit<'static, PhantomPinned>: Unpin);
    assert_impl_all!(OwnedPermit<PhantomPinned>: Unpin);
    assert_impl_all!(Drain<PhantomPinned>: Unpin);
    assert_not_impl_any!(ReserveFuture<'static, u8>: Unpin);
    assert_not_impl_any!(ClosedFuture<'static, u8>: Unpin);
    assert_not_impl_any!(SendManyFuture<'static, Messages<u8>>: Unpin);
    assert_not_impl_any!(RecvManyFuture<'static, u8>: Unpin);

    assert_impl_all!(ReserveFuture<'static, Plain>: Debug, FusedFuture);
    assert_impl_all!(ClosedFuture<'static, Plain>: Debug, FusedFuture);
    assert_impl_all!(SendManyFuture<'static, Messages<Plain>>: Debug, FusedFuture);
    assert_impl_all!(RecvManyFuture<'static, Plain>: Debug, FusedFuture);
    assert_impl_all!(Until<ReserveFuture<'static, Plain>, Pending<Plain>>: Debug, FusedFuture);
    assert_impl_all!(Permit<'static, Plain>: Debug);
    assert_impl_all!(OwnedPermit<Plain>: Debug);
    assert_impl_all!(Drain<Plain>: Debug, FusedIterator, ExactSizeIterator);
    assert_impl_all!(Unsent<Messages<Plain>>: Debug, FusedIterator);
    assert_impl_all!(SendManyError<Messages<Plain>>: Debug, std::error::Error);
}

#[cfg(feature = "sink")]
#[test]
fn sinks_go_between_threads_exactly_if_the_messages_may_and_need_no_pinning() {
    use hchan::{IntoSink, SendSink};

    assert_impl_all!(SendSink<'static, Sent>: Send, Sync);
    assert_not_impl_any!(SendSink<'static, Local>: Send, Sync);
    assert_not_impl_any!(SendSink<'static, Shared>: Send, Sync);
    assert_impl_all!(SendSink<'static, PhantomPinned>: Unpin, Clone, Debug);
    assert_impl_all!(IntoSink<Sent>: Send, Sync);
    assert_not_impl_any!(IntoSink<Local>: Send, Sync);
    assert_not_impl_any!(IntoSink<Shared>: Send, Sync);
    assert_impl_all!(IntoSink<PhantomPinned>: Unpin, Clone, Debug);
}
