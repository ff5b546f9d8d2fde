//! Many receives parked on one channel.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::shape::Shape;

pub(super) const COUNT: usize = 100_000;

/// A receiver for each receive: tasks have one each.
pub(super) const SHAPE: Shape = Shape {
    senders: 1,
    receivers: COUNT,
    capacity: Some(64),
};

/// A future that can be dropped without freeing its memory, as a task's is when it is done with it.
pub(super) type Parked<F> = Pin<Box<Option<F>>>;

/// Polls the futures once, each with its waker, and says how many bytes were allocated for that.
pub(super) fn park<F: Future>(
    futures: impl Iterator<Item = F>,
    waker: impl Fn(usize) -> Waker,
) -> (Vec<Parked<F>>, u64) {
    let mut parked: Vec<_> = futures.map(|future| Box::pin(Some(future))).collect();
    let (counted, ()) = counting_alloc::count(|| {
        for (number, future) in parked.iter_mut().enumerate() {
            let polled = poll(future, &waker(number));
            assert!(polled.is_pending(), "an empty channel has no message");
        }
    });
    (parked, counted.bytes)
}

pub(super) fn poll<F: Future>(parked: &mut Parked<F>, waker: &Waker) -> Poll<F::Output> {
    let future = parked.as_mut().as_pin_mut().expect("not dropped yet");
    future.poll(&mut Context::from_waker(waker))
}
