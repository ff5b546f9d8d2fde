//! What a select sees of its arms, whatever their message types.

use core::{
    pin::Pin,
    ptr::NonNull,
    task::{Context, Poll, Waker},
};

use pin_project_lite::pin_project;

use crate::{claim::Claim, shared::Shared, waiter::State, wake::WakeBatch};

/// A future of this crate that can be an arm of a [`Select`](crate::Select): [`RecvFuture`](crate::RecvFuture),
/// [`SendFuture`](crate::SendFuture), [`SendFromFuture`](crate::SendFromFuture), and the owned
/// [`IntoRecv`](crate::IntoRecv), [`IntoSend`](crate::IntoSend).
///
/// Nothing else can implement it.
///
/// # Examples
///
/// ```
/// fn assert_arm<A: hchan::Arm>(_: &A) {}
///
/// let (tx, rx) = hchan::bounded(1);
/// assert_arm(&rx.recv());
/// assert_arm(&tx.send(1));
/// assert_arm(&tx.send_from(&mut Some(1)));
/// assert_arm(&rx.into_recv());
/// assert_arm(&tx.into_send(1));
/// ```
#[allow(
    private_bounds,
    reason = "sealed: what a select does with its arms is no one else's business"
)]
pub trait Arm: Future + Operates {}

impl<F: Future + Operates> Arm for F {}

/// A future around an operation.
pub(crate) trait Operates {
    /// The operation; `None` if it can never happen.
    fn operation(self: Pin<&mut Self>) -> Option<Pin<&mut (dyn Operation + '_)>>;

    /// Makes the operation one that a select may try and park: it may have been parked by itself before.
    fn begin(self: Pin<&mut Self>) {
        if let Some(operation) = self.operation() {
            operation.unpark();
        }
    }
}

/// A send or a receive, as a select uses it.
pub(crate) trait Operation {
    fn channel(&self) -> &dyn Channel;

    fn state(&self) -> State;

    /// Does the operation, which is `Idle`, if that can be done at once. Its result is left in it.
    fn attempt(self: Pin<&mut Self>) -> Option<Done>;

    /// As `attempt`.
    ///
    /// # Safety
    ///
    /// The caller has locked the channel by hand.
    unsafe fn attempt_locked(self: Pin<&mut Self>) -> Option<Done>;

    /// As `attempt`; parks the operation if that is `None`.
    ///
    /// # Safety
    ///
    /// The claim stays where it is until the operation has been unparked.
    unsafe fn attempt_or_park(self: Pin<&mut Self>, select: NonNull<Claim>) -> Option<Done>;

    /// Parks the operation, which is `Idle`.
    ///
    /// # Safety
    ///
    /// The caller has locked the channel by hand, and has found since that the operation cannot be done at once. The claim
    /// stays where it is until the operation has been unparked.
    unsafe fn park_locked(self: Pin<&mut Self>, select: NonNull<Claim>);

    /// Lets those go ahead to whom a parked receive gives room, and adds whom to wake when no lock is held.
    ///
    /// # Safety
    ///
    /// The caller has locked the channel by hand.
    unsafe fn serve_locked(&self, wakes: &mut WakeBatch);

    /// Unparks the operation, if it is parked. Where a peer is at it, waits for the lock that the peer holds.
    fn unpark(self: Pin<&mut Self>);
}

/// An operation has been done; when no lock is held, its peers are to be told.
pub(crate) struct Done {
    /// Whom to wake.
    pub(crate) waker: Option<Waker>,
    /// Whether those are to be told who waited for the last message of the closed channel.
    pub(crate) has_drained: bool,
}

impl Done {
    /// There is nobody to be told.
    pub(crate) const QUIETLY: Self = Self {
        waker: None,
        has_drained: false,
    };
}

/// A channel whatever its message type, to be locked by hand.
pub(crate) trait Channel {
    /// Channels are locked in the order of their ranks, which are above 0.
    fn rank(&self) -> usize;

    fn lock(&self);

    /// # Safety
    ///
    /// The caller has locked it.
    unsafe fn unlock(&self);

    /// Tells those who waited for its last message.
    fn tell_drained(&self);
}

impl<T> Channel for Shared<T> {
    fn rank(&self) -> usize {
        self.rank()
    }

    fn lock(&self) {
        self.lock_by_hand();
    }

    unsafe fn unlock(&self) {
        // SAFETY: the caller's promise.
        unsafe { self.unlock_by_hand() };
    }

    fn tell_drained(&self) {
        self.complete_closing();
    }
}

/// Any other future, as a select uses it.
pub(crate) trait Foreign {
    /// Polls it; says whether it is done. Its output is kept.
    fn is_done(self: Pin<&mut Self>, cx: &mut Context<'_>) -> bool;
}

pin_project! {
    /// A future beside channel operations in [`select!`](crate::select).
    #[allow(missing_debug_implementations, reason = "for the macros alone")]
    pub struct FutureArm<F: Future> {
        #[pin]
        future: F,
        output: Option<F::Output>,
    }
}

impl<F: Future> FutureArm<F> {
    /// An arm that has not been polled.
    pub fn new(future: F) -> Self {
        Self {
            future,
            output: None,
        }
    }

    /// What the future has returned.
    pub fn output(self: Pin<&mut Self>) -> Option<F::Output> {
        self.project().output.take()
    }
}

impl<F: Future> Foreign for FutureArm<F> {
    fn is_done(self: Pin<&mut Self>, cx: &mut Context<'_>) -> bool {
        let this = self.project();
        match this.future.poll(cx) {
            Poll::Ready(output) => {
                *this.output = Some(output);
                true
            }
            Poll::Pending => false,
        }
    }
}

/// An arm, for a moment.
pub(crate) enum Place<'p> {
    /// Switched off.
    Disabled,
    Operation(Pin<&'p mut (dyn Operation + 'p)>),
    Future(Pin<&'p mut (dyn Foreign + 'p)>),
}

impl<'p> Place<'p> {
    pub(crate) fn of(operation: Option<Pin<&'p mut (dyn Operation + 'p)>>) -> Self {
        operation.map_or(Self::Disabled, Self::Operation)
    }
}

/// The arms of a select, by number. It keeps their types, and with them whether it is `Send`.
pub(crate) trait Places {
    fn count(&self) -> usize;

    fn place(self: Pin<&mut Self>, number: usize) -> Place<'_>;
}

/// A future of this crate as an arm, unless the arm is switched off.
#[allow(missing_debug_implementations, reason = "for the macros alone")]
pub struct OperationArm<'a, A>(Option<Pin<&'a mut A>>);

impl<'a, A: Arm> OperationArm<'a, A> {
    /// An arm that is ready to be tried.
    pub fn new(mut future: Option<Pin<&'a mut A>>) -> Self {
        if let Some(future) = &mut future {
            future.as_mut().begin();
        }
        Self(future)
    }
}

/// Any other future as an arm, unless the arm is switched off.
#[allow(missing_debug_implementations, reason = "for the macros alone")]
pub struct ForeignArm<'a, F: Future>(Option<Pin<&'a mut FutureArm<F>>>);

impl<'a, F: Future> ForeignArm<'a, F> {
    /// An arm that is ready to be polled.
    pub fn new(future: Option<Pin<&'a mut FutureArm<F>>>) -> Self {
        Self(future)
    }
}

/// One arm, and the arms after it: the list that [`select!`](crate::select) makes.
impl<First: Single, Rest: Places + Unpin> Places for (First, Rest) {
    fn count(&self) -> usize {
        1 + self.1.count()
    }

    fn place(self: Pin<&mut Self>, number: usize) -> Place<'_> {
        let (first, rest) = self.get_mut();
        match number {
            0 => first.place(),
            _ => Pin::new(rest).place(number - 1),
        }
    }
}

/// The end of that list.
impl Places for () {
    fn count(&self) -> usize {
        0
    }

    fn place(self: Pin<&mut Self>, _: usize) -> Place<'_> {
        Place::Disabled
    }
}

/// An element of that list.
pub(crate) trait Single: Unpin {
    fn place(&mut self) -> Place<'_>;
}

impl<A: Operates> Single for OperationArm<'_, A> {
    fn place(&mut self) -> Place<'_> {
        let future = self.0.as_mut();
        Place::of(future.and_then(|future| future.as_mut().operation()))
    }
}

impl<F: Future> Single for ForeignArm<'_, F> {
    fn place(&mut self) -> Place<'_> {
        self.0
            .as_mut()
            .map_or(Place::Disabled, |arm| Place::Future(arm.as_mut()))
    }
}
