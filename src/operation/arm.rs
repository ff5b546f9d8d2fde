//! What a select does with a send or a receive that is one of its arms.

use core::{ops::Deref, pin::Pin, ptr::NonNull};

use super::{RecvOp, SendOp, leave_select, unpark};
use crate::{
    claim::Claim,
    end::Side,
    select::{Channel, Done, Operation},
    shared::Shared,
    step::{RecvStep, SendStep},
    waiter::{Handle, State, Waiter},
    wake::WakeBatch,
};

impl<C, T> Operation for SendOp<C, T>
where
    C: Deref<Target = Shared<T>>,
{
    fn channel(&self) -> &dyn Channel {
        &*self.shared
    }

    fn state(&self) -> State {
        self.waiter.state()
    }

    fn attempt(self: Pin<&mut Self>) -> Option<Done> {
        let this = self.into_ref().project_ref();
        // SAFETY: we own the idle waiter, which has its message.
        let step = this.shared.send(|| unsafe { this.waiter.take_message() });
        note_send(this.waiter, step)
    }

    unsafe fn attempt_locked(self: Pin<&mut Self>) -> Option<Done> {
        let this = self.into_ref().project_ref();
        // SAFETY: the channel is locked by hand, by the caller's promise. We own the idle waiter, which has its message.
        let step = unsafe {
            this.shared
                .locked_by_hand(|core| core.send(|| this.waiter.take_message()))
        };
        note_send(this.waiter, step)
    }

    unsafe fn attempt_or_park(self: Pin<&mut Self>, select: NonNull<Claim>) -> Option<Done> {
        let this = self.into_ref();
        // SAFETY: the select stays while we are parked, by the caller's promise.
        let step = unsafe { this.send_or_park(Handle::Select(select)) };
        note_send(this.project_ref().waiter, step)
    }

    unsafe fn park_locked(self: Pin<&mut Self>, select: NonNull<Claim>) {
        let this = self.into_ref().project_ref();
        // SAFETY: the channel is locked by hand, by the caller's promise, who has just found it full. We own the idle waiter,
        // it is pinned, and our drop unparks it; the select stays while it is parked, by the caller's promise.
        unsafe {
            this.waiter.put_handle(Handle::Select(select));
            this.shared
                .locked_by_hand(|core| core.recv_end().park(Side::Send, this.waiter));
        }
    }

    unsafe fn serve_locked(&self, _: &mut WakeBatch) {}

    fn unpark(self: Pin<&mut Self>) {
        let this = self.into_ref().project_ref();
        unpark(this.shared, this.waiter, Side::Send);
    }

    fn leave_select(self: Pin<&mut Self>) {
        let this = self.into_ref().project_ref();
        leave_select(this.shared, this.waiter, Side::Send);
    }
}

impl<C, T> Operation for RecvOp<C, T>
where
    C: Deref<Target = Shared<T>>,
{
    fn channel(&self) -> &dyn Channel {
        &*self.shared
    }

    fn state(&self) -> State {
        self.waiter.state()
    }

    fn attempt(self: Pin<&mut Self>) -> Option<Done> {
        let this = self.into_ref().project_ref();
        note_recv(this.waiter, this.shared.recv())
    }

    unsafe fn attempt_locked(self: Pin<&mut Self>) -> Option<Done> {
        let this = self.into_ref().project_ref();
        // SAFETY: the channel is locked by hand, by the caller's promise.
        let step = unsafe { this.shared.locked_by_hand(|core| core.recv()) };
        note_recv(this.waiter, step)
    }

    unsafe fn attempt_or_park(self: Pin<&mut Self>, select: NonNull<Claim>) -> Option<Done> {
        let this = self.into_ref();
        // SAFETY: the select stays while we are parked, by the caller's promise.
        let step = unsafe { this.recv_or_park(Handle::Select(select)) };
        note_recv(this.project_ref().waiter, step)
    }

    unsafe fn park_locked(self: Pin<&mut Self>, select: NonNull<Claim>) {
        let this = self.into_ref().project_ref();
        // SAFETY: the channel is locked by hand, by the caller's promise, who has just found it empty. We own the idle
        // waiter, it is pinned, and our drop unparks it; the select stays while it is parked, by the caller's promise.
        unsafe {
            this.waiter.put_handle(Handle::Select(select));
            this.shared
                .locked_by_hand(|core| core.recv_end().park(Side::Recv, this.waiter));
        }
    }

    unsafe fn serve_locked(&self, wakes: &mut WakeBatch) {
        // SAFETY: the channel is locked by hand, by the caller's promise.
        unsafe { self.shared.locked_by_hand(|core| core.serve(wakes)) };
    }

    fn unpark(self: Pin<&mut Self>) {
        let this = self.into_ref().project_ref();
        unpark(this.shared, this.waiter, Side::Recv);
    }

    fn leave_select(self: Pin<&mut Self>) {
        let this = self.into_ref().project_ref();
        leave_select(this.shared, this.waiter, Side::Recv);
    }
}

/// Leaves the outcome of a send in its waiter, as a peer would.
fn note_send<T>(waiter: Pin<&Waiter<T>>, step: SendStep) -> Option<Done> {
    let (state, waker) = match step {
        SendStep::Full => return None,
        SendStep::Closed => (State::Closed, None),
        SendStep::Sent(waker) => (State::Done, waker),
    };
    waiter.set_state(state);
    Some(Done {
        waker,
        has_drained: false,
    })
}

/// Leaves the outcome of a receive in its waiter, as a peer would.
fn note_recv<T>(waiter: Pin<&Waiter<T>>, step: RecvStep<T>) -> Option<Done> {
    let has_drained = matches!(step, RecvStep::ReceivedLast(_));
    match step {
        RecvStep::Empty => None,
        RecvStep::Closed => {
            waiter.set_state(State::Closed);
            Some(Done::QUIETLY)
        }
        RecvStep::Received(taken) | RecvStep::ReceivedLast(taken) => {
            // SAFETY: we own the waiter, which is a receive's and idle.
            unsafe { waiter.put_message(taken.seq, taken.message) };
            Some(Done {
                waker: taken.waker,
                has_drained,
            })
        }
    }
}
