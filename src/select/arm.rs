//! What a select sees of its arms, whatever their message types.

use core::{
    pin::Pin,
    task::{Context, Poll, Waker},
};

use pin_project_lite::pin_project;

use crate::{
    chan::Done,
    op::OpRef,
    quiet_drop::QuietDrop,
    waiter::State,
    wake::{Panics, run_and_drop},
};

/// A future of this crate that can be an arm of a [`Select`](crate::Select): [`RecvFuture`](crate::RecvFuture),
/// [`SendFuture`](crate::SendFuture), [`SendFromFuture`](crate::SendFromFuture), [`ReserveFuture`](crate::ReserveFuture), and the
/// owned [`IntoRecv`](crate::IntoRecv), [`IntoSend`](crate::IntoSend).
///
/// Each of them has a `take_output`, for what it has come to if it has happened. Nothing else can implement this trait.
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
/// assert_arm(&tx.reserve());
/// assert_arm(&rx.into_recv());
/// assert_arm(&tx.into_send(1));
/// ```
#[allow(
    private_bounds,
    reason = "sealed: only this crate knows what a select does with its arms"
)]
pub trait Arm: Future + AsOperation {}

impl<F: Future + AsOperation> Arm for F {}

/// A future around an operation.
///
/// It is `pub(crate)`, not `pub` in a private module: users could call the methods of a `pub` trait through a bound on [`Arm`].
pub(crate) trait AsOperation {
    /// The operation; `None` if it can never happen.
    fn operation(self: Pin<&mut Self>) -> Option<OpRef<'_>>;

    /// Makes the operation of a future that has not been polled one that a select may try and park.
    fn load(self: Pin<&mut Self>) {}

    /// As `load`, of a future that may have been polled, and so parked by itself.
    fn begin(mut self: Pin<&mut Self>) {
        self.as_mut().load();
        if let Some(operation) = self.operation() {
            operation.unpark();
        }
    }
}

impl Done {
    /// Tells the peers of the arm that has happened, and drops the select's own waker. Any of that may panic.
    #[inline(always)]
    pub(super) fn tell(self, arms: Pin<&mut dyn Arms>, number: usize, own: Option<Waker>) {
        if self.has_drained {
            return self.tell_all(arms, number, own);
        }
        run_and_drop(self.wake, own);
    }

    #[cold]
    #[inline(never)]
    fn tell_all(self, arms: Pin<&mut dyn Arms>, number: usize, own: Option<Waker>) {
        let mut panics = Panics::default();
        if let ArmRef::Operation(operation) = arms.arm(number) {
            panics.catch(|| operation.chan().complete_closing());
        }
        // There is nobody else to wake: no sender is parked in a closed channel.
        panics.catch(|| run_and_drop(self.wake, own));
        panics.resume();
    }
}

/// Any other future, as a select uses it.
pub(crate) trait PlainFuture {
    /// Polls it; says whether it is done. Its output is kept.
    fn is_done(self: Pin<&mut Self>, cx: &mut Context<'_>) -> bool;
}

pin_project! {
    /// A future beside channel operations in [`select!`](crate::select).
    #[allow(missing_debug_implementations, reason = "for the macros alone")]
    pub struct FutureArm<F: Future> {
        #[pin]
        future: F,
        output: Option<QuietDrop<F::Output>>,
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
        self.project().output.take().map(QuietDrop::into_inner)
    }
}

impl<F: Future> PlainFuture for FutureArm<F> {
    fn is_done(self: Pin<&mut Self>, cx: &mut Context<'_>) -> bool {
        let this = self.project();
        match this.future.poll(cx) {
            Poll::Ready(output) => {
                *this.output = Some(QuietDrop::new(output));
                true
            }
            Poll::Pending => false,
        }
    }
}

/// An arm, for a moment.
pub(crate) enum ArmRef<'p> {
    /// Switched off.
    Disabled,
    Operation(OpRef<'p>),
    Future(Pin<&'p mut (dyn PlainFuture + 'p)>),
}

impl<'p> ArmRef<'p> {
    /// Does the operation if that can be done at once, or polls the future; `None` if that did not complete it.
    #[inline(always)]
    pub(crate) fn attempt(self, cx: &mut Context<'_>) -> Option<Done> {
        match self {
            Self::Disabled => None,
            Self::Future(future) => future.is_done(cx).then_some(Done::QUIETLY),
            Self::Operation(operation) => match operation.state() {
                State::Idle => operation.attempt(),
                // By a peer, before it became an arm of this select.
                State::Done | State::Closed => Some(Done::QUIETLY),
                State::Parked | State::Finished => None,
            },
        }
    }

    /// The operation, if it is neither done nor parked.
    #[inline(always)]
    pub(crate) fn idle(self) -> Option<OpRef<'p>> {
        match self {
            Self::Operation(operation) if operation.state() == State::Idle => Some(operation),
            _ => None,
        }
    }

    #[inline(always)]
    pub(crate) fn of(operation: Option<OpRef<'p>>) -> Self {
        operation.map_or(Self::Disabled, Self::Operation)
    }
}

/// The arms of a select, by number. It keeps their types, and with them whether it is `Send`.
pub(crate) trait Arms {
    fn count(&self) -> usize;

    /// The arm of that number.
    fn arm(self: Pin<&mut Self>, number: usize) -> ArmRef<'_>;
}

/// A future of this crate as an arm, unless the arm is switched off.
#[allow(missing_debug_implementations, reason = "for the macros alone")]
pub struct OperationArm<'a, A>(Pin<&'a mut Option<A>>);

impl<'a, A: Arm> OperationArm<'a, A> {
    /// An arm that is ready to be tried: its future has just been made.
    #[inline(always)]
    pub fn new(mut future: Pin<&'a mut Option<A>>) -> Self {
        if let Some(future) = future.as_mut().as_pin_mut() {
            future.load();
        }
        Self(future)
    }
}

/// Any other future as an arm, unless the arm is switched off.
#[allow(missing_debug_implementations, reason = "for the macros alone")]
pub struct FutureArmRef<'a, F: Future>(Pin<&'a mut Option<FutureArm<F>>>);

impl<'a, F: Future> FutureArmRef<'a, F> {
    /// An arm that is ready to be polled.
    #[inline(always)]
    pub fn new(future: Pin<&'a mut Option<FutureArm<F>>>) -> Self {
        Self(future)
    }
}

/// One arm, and the arms after it: the list that [`select!`](crate::select) makes.
impl<First: ArmNode, Rest: Arms + Unpin> Arms for (First, Rest) {
    #[inline(always)]
    fn count(&self) -> usize {
        1 + self.1.count()
    }

    #[inline(always)]
    fn arm(self: Pin<&mut Self>, number: usize) -> ArmRef<'_> {
        let (first, rest) = self.get_mut();
        match number {
            0 => first.arm(),
            _ => Pin::new(rest).arm(number - 1),
        }
    }
}

/// The end of that list.
impl Arms for () {
    #[inline(always)]
    fn count(&self) -> usize {
        0
    }

    #[inline(always)]
    fn arm(self: Pin<&mut Self>, _: usize) -> ArmRef<'_> {
        ArmRef::Disabled
    }
}

/// An element of that list.
pub(crate) trait ArmNode: Unpin {
    fn arm(&mut self) -> ArmRef<'_>;
}

impl<A: AsOperation> ArmNode for OperationArm<'_, A> {
    #[inline(always)]
    fn arm(&mut self) -> ArmRef<'_> {
        ArmRef::of(self.0.as_mut().as_pin_mut().and_then(A::operation))
    }
}

impl<F: Future> ArmNode for FutureArmRef<'_, F> {
    #[inline(always)]
    fn arm(&mut self) -> ArmRef<'_> {
        match self.0.as_mut().as_pin_mut() {
            Some(future) => ArmRef::Future(future),
            None => ArmRef::Disabled,
        }
    }
}
