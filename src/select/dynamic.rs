//! `Select` and `LocalSelect`: arms known at run time.

#![forbid(unsafe_code)]

use alloc::vec::Vec;
use core::{
    fmt,
    pin::{Pin, pin},
    task::{Context, Poll},
};
#[cfg(feature = "std")]
use {
    crate::thread::{wait, wait_deadline, wait_timeout},
    core::time::Duration,
    std::time::Instant,
};

use futures_core::FusedFuture;
use pin_project_lite::pin_project;

use super::{
    arm::{Arm, ArmRef, Arms, AsOperation},
    order::FEW,
    state::SelectState,
};
use crate::{
    future::Until,
    thread::{Limit, Wait},
};

pin_project! {
    /// A select over any number of sends, receives and requests for permits, of any message types: exactly one of them happens.
    ///
    /// Its arms are the crate's futures, pinned by the caller. Awaited (or waited for, or tried) it returns the number of
    /// the arm that happened. That future is complete then: awaiting it returns its result at once, and in a thread
    /// [`take_output`](crate::RecvFuture::take_output) does, without an executor. The others are as new, with their messages.
    ///
    /// Where the arms are known when the program is written, [`select!`](crate::select) is shorter. Messages have to be
    /// `Send`; a [`LocalSelect`] takes others.
    ///
    /// The result of the arm that happened is what its future returns: an error if its channel is closed, which counts as
    /// ready. By then the operation has been performed: the select does not merely report that it could be tried. It allocates nothing with up to
    /// eight arms.
    ///
    /// A [`reserve`](crate::Sender::reserve) as an arm holds no room unless it is the arm that happens.
    ///
    /// # Panics
    ///
    /// When polled again after it has returned `Ready`. A poll also panics if a waker does, of this task (cloned or dropped)
    /// or of a peer (woken): nothing is lost or left hanging then, and an arm may have happened.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it has completed, it has had no effect on any channel; or an arm has happened, which its future can
    /// tell: a receive gives its message when polled, or gives it back when dropped; a send has been sent; a `reserve` has its
    /// permit, and gives the place on when dropped. As in [`select!`](crate::select#one-arm-happens), a receive that waited may
    /// have let a `reserve` elsewhere go ahead.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::pin::pin;
    ///
    /// # futures::executor::block_on(async {
    /// let (words, word) = hchan::bounded(1);
    /// let (numbers, _number) = hchan::bounded(0);
    /// words.try_send("hello").unwrap();
    ///
    /// let mut receive = pin!(word.recv());
    /// let mut send = pin!(numbers.send(1));
    /// let mut select = hchan::Select::new();
    /// let receiving = select.arm(receive.as_mut());
    /// let sending = select.arm(send.as_mut());
    ///
    /// let happened = select.await;
    /// assert_eq!(happened, receiving, "nobody receives numbers");
    /// assert_ne!(happened, sending);
    /// assert_eq!(receive.await, Ok("hello"));
    /// # });
    /// ```
    ///
    /// A thread, over as many receivers as there are:
    ///
    /// ```
    /// let (senders, receivers): (Vec<_>, Vec<_>) = (0..3).map(|_| hchan::bounded(1)).unzip();
    /// senders[1].try_send("hello").unwrap();
    ///
    /// let mut receives: Vec<_> = receivers.iter().map(|rx| Box::pin(rx.recv())).collect();
    /// let mut select = hchan::Select::new();
    /// for receive in &mut receives {
    ///     select.arm(receive.as_mut());
    /// }
    /// let happened = select.wait();
    /// assert_eq!(happened, 1);
    /// assert_eq!(receives[happened].as_mut().take_output(), Some(Ok("hello")));
    /// ```
    ///
    /// What is costly to make is made when there is room for it somewhere:
    ///
    /// ```
    /// use std::pin::pin;
    ///
    /// # futures::executor::block_on(async {
    /// let ((first, _busy), (second, idle)) = (hchan::bounded(0), hchan::bounded(1));
    /// let (mut at_first, mut at_second) = (pin!(first.reserve()), pin!(second.reserve()));
    /// let mut select = hchan::Select::new();
    /// select.arm(at_first.as_mut());
    /// select.arm(at_second.as_mut());
    /// let permit = match select.await {
    ///     0 => at_first.await?,
    ///     _ => at_second.await?,
    /// };
    /// permit.send("costly").unwrap();
    /// assert_eq!(idle.try_recv(), Ok("costly"));
    /// # Ok::<(), hchan::SendError<()>>(())
    /// # }).unwrap();
    /// ```
    #[doc(alias = "Selector")]
    #[must_use = "a future does nothing unless it is awaited: `.await` it in a task, call `.wait()` in a thread, or use `hchan::blocking`"]
    pub struct Select<'a> {
        #[pin]
        state: SelectState<List<'a, dyn AsOperation + Send + 'a>>,
    }
}

pin_project! {
    /// A [`Select`] whose messages need not be `Send`: it stays in its thread, as they do.
    ///
    /// # Panics
    ///
    /// As for [`Select`].
    ///
    /// # Cancel safety
    ///
    /// As for [`Select`].
    ///
    /// # Examples
    ///
    /// ```
    /// use std::{pin::pin, rc::Rc};
    ///
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded(1);
    /// let (_quiet, other) = hchan::bounded::<Rc<str>>(1);
    /// tx.try_send(Rc::new(7)).unwrap();
    ///
    /// let (mut number, mut word) = (pin!(rx.recv()), pin!(other.recv()));
    /// let mut select = hchan::LocalSelect::new();
    /// select.arm(number.as_mut());
    /// select.arm(word.as_mut());
    /// assert_eq!(select.await, 0);
    /// assert_eq!(number.await, Ok(Rc::new(7)));
    /// # });
    /// ```
    #[must_use = "a future does nothing unless it is awaited: `.await` it in a task, call `.wait()` in a thread, or use `hchan::blocking`"]
    pub struct LocalSelect<'a> {
        #[pin]
        state: SelectState<List<'a, dyn AsOperation + 'a>>,
    }
}

/// A few arms in place, more in a vector. `A` is a trait object, which says whether the arms are `Send`.
struct List<'a, A: ?Sized> {
    few: [Option<Pin<&'a mut A>>; FEW],
    more: Vec<Pin<&'a mut A>>,
    count: usize,
}

impl<'a, A: ?Sized> List<'a, A> {
    fn new() -> Self {
        Self {
            few: [const { None }; FEW],
            more: Vec::new(),
            count: 0,
        }
    }

    /// Returns its number.
    fn push(&mut self, arm: Pin<&'a mut A>) -> usize {
        let number = self.count;
        match self.few.get_mut(number) {
            Some(place) => *place = Some(arm),
            None => self.more.push(arm),
        }
        self.count += 1;
        number
    }
}

impl<A: ?Sized + AsOperation> Arms for List<'_, A> {
    fn count(&self) -> usize {
        self.count
    }

    fn arm(self: Pin<&mut Self>, number: usize) -> ArmRef<'_> {
        let List { few, more, .. } = self.get_mut();
        let arm = match few.get_mut(number) {
            Some(arm) => arm.as_mut(),
            None => more.get_mut(number - FEW),
        };
        ArmRef::of(arm.and_then(|arm| arm.as_mut().operation()))
    }
}

/// What both can do: written once, for what differs in their names and in whether the arms are `Send`.
macro_rules! surface {
    ($Select:ident, [$($send:tt)*]) => {
        impl<'a> $Select<'a> {
            /// A select without arms yet. With none at all, or with none that can happen, it waits for ever: awaited it stays pending, and
            /// [`wait`](Self::wait) blocks the thread for good. ([`try_now`](Self::try_now) is `None` then.)
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("assert_eq!(hchan::", stringify!($Select), "::new().try_now(), None);")]
            /// ```
            pub fn new() -> Self {
                Self {
                    state: SelectState::new(List::new(), false),
                }
            }

            /// Makes the order of the arms the order of preference, instead of a random one: of those that are ready when the
            /// select is polled, the first happens. What a peer commits while the select is parked stands.
            ///
            /// # Examples
            ///
            /// ```
            /// use std::pin::pin;
            ///
            /// let (tx, rx) = hchan::unbounded();
            /// tx.try_send(1).unwrap();
            /// let (mut first, mut second) = (pin!(rx.recv()), pin!(rx.recv()));
            #[doc = concat!("let mut select = hchan::", stringify!($Select), "::new().biased();")]
            /// let first = select.arm(first.as_mut());
            /// select.arm(second.as_mut());
            /// assert_eq!(select.wait(), first);
            /// ```
            #[doc(alias = "new_biased")]
            pub fn biased(mut self) -> Self {
                self.state.set_biased();
                self
            }

            /// Adds an arm and returns its number: 0, 1, 2 and so on.
            ///
            /// An arm whose future has returned `Ready`, or whose result `take_output` has taken, never happens. Nor does a receive from [`never`](crate::never) or a
            /// `send_from` of nothing. One that was parked by itself gives up its place in the line; if a peer has completed it
            /// already, it is ready. Up to eight arms are kept in place, more take an allocation.
            ///
            /// # Examples
            ///
            /// ```
            /// use std::pin::pin;
            ///
            /// let (tx, rx) = hchan::bounded(1);
            /// let mut send = pin!(tx.send(1));
            /// let mut receive = pin!(rx.recv());
            #[doc = concat!("let mut select = hchan::", stringify!($Select), "::new();")]
            /// assert_eq!(select.arm(send.as_mut()), 0);
            /// assert_eq!(select.arm(receive.as_mut()), 1);
            /// assert_eq!(select.wait(), 0);
            /// ```
            pub fn arm<A: Arm $($send)*>(&mut self, mut future: Pin<&'a mut A>) -> usize {
                future.as_mut().begin();
                self.state.arms.push(future)
            }

            /// Tries the arms once, and returns the number of the one that happened, whose `take_output` has the result, or `None` if none could happen.
            ///
            /// # Panics
            ///
            /// If the waker of a peer panics.
            ///
            /// # Examples
            ///
            /// ```
            /// use std::pin::pin;
            ///
            /// let (_tx, rx) = hchan::bounded::<u8>(1);
            /// let mut receive = pin!(rx.recv());
            #[doc = concat!("let mut select = hchan::", stringify!($Select), "::new();")]
            /// select.arm(receive.as_mut());
            /// assert_eq!(select.try_now(), None);
            /// ```
            #[doc(alias("try_select", "try_ready"))]
            pub fn try_now(self) -> Option<usize> {
                pin!(self).project().state.try_now()
            }

            /// Gives up when `stop`, any future, completes: `None` then, and nothing happened.
            ///
            /// A `stop` that is complete at the first poll wins before anything was done. Later, if an arm has happened, that
            /// counts, even if `stop` has completed, too.
            ///
            /// # Cancel safety
            ///
            /// As for the select itself.
            ///
            /// # Examples
            ///
            /// ```
            /// use std::{future, pin::pin};
            ///
            /// # futures::executor::block_on(async {
            /// let (tx, rx) = hchan::bounded(1);
            /// tx.try_send(1).unwrap();
            /// let mut receive = pin!(rx.recv());
            ///
            #[doc = concat!("let mut select = hchan::", stringify!($Select), "::new();")]
            /// select.arm(receive.as_mut());
            /// assert_eq!(select.until(future::ready(())).await, None);
            ///
            #[doc = concat!("let mut select = hchan::", stringify!($Select), "::new();")]
            /// select.arm(receive.as_mut());
            /// assert_eq!(select.until(future::pending::<()>()).await, Some(0));
            /// assert_eq!(receive.await, Ok(1));
            /// # });
            /// ```
            pub fn until<S: IntoFuture>(self, stop: S) -> Until<Self, S::IntoFuture> {
                Until::new(self, stop.into_future())
            }
        }

        #[cfg(feature = "std")]
        impl $Select<'_> {
            /// Blocks the thread until an arm has happened, and returns its number; for ever, if no arm can happen. The arm's `take_output`
            /// has its result.
            ///
            /// # Blocking
            ///
            /// Not for use in a task: it stalls the runtime's worker thread.
            ///
            /// # Panics
            ///
            /// If the waker of a peer panics.
            ///
            /// # Examples
            ///
            /// ```
            /// use std::pin::pin;
            ///
            /// let (tx, rx) = hchan::bounded(0);
            /// std::thread::spawn(move || tx.send_blocking("hello"));
            /// let mut receive = pin!(rx.recv());
            #[doc = concat!("let mut select = hchan::", stringify!($Select), "::new();")]
            /// select.arm(receive.as_mut());
            /// assert_eq!(select.wait(), 0);
            /// assert_eq!(receive.take_output(), Some(Ok("hello")));
            /// ```
            #[doc(alias("select", "ready"))]
            pub fn wait(self) -> usize {
                wait(pin!(self))
            }

            /// As [`wait`](Self::wait), for no longer than `timeout`. `None`: nothing happened. `Duration::MAX` means for ever.
            ///
            /// # Blocking
            ///
            /// Not for use in a task: it stalls the runtime's worker thread.
            ///
            /// # Panics
            ///
            /// If the waker of a peer panics.
            ///
            /// # Examples
            ///
            /// ```
            /// use std::time::Duration;
            ///
            #[doc = concat!("assert_eq!(hchan::", stringify!($Select), "::new().wait_timeout(Duration::from_millis(1)), None);")]
            /// ```
            #[doc(alias("select_timeout", "ready_timeout"))]
            pub fn wait_timeout(self, timeout: Duration) -> Option<usize> {
                wait_timeout(pin!(self), timeout)
            }

            /// As [`wait`](Self::wait), until `deadline` at the longest. `None`: nothing happened.
            ///
            /// # Blocking
            ///
            /// Not for use in a task: it stalls the runtime's worker thread.
            ///
            /// # Panics
            ///
            /// If the waker of a peer panics.
            ///
            /// # Examples
            ///
            /// ```
            /// use std::time::{Duration, Instant};
            ///
            /// let soon = Instant::now() + Duration::from_millis(1);
            #[doc = concat!("assert_eq!(hchan::", stringify!($Select), "::new().wait_deadline(soon), None);")]
            /// ```
            #[doc(alias("select_deadline", "ready_deadline"))]
            pub fn wait_deadline(self, deadline: Instant) -> Option<usize> {
                wait_deadline(pin!(self), deadline)
            }
        }

        impl Default for $Select<'_> {
            fn default() -> Self {
                Self::new()
            }
        }

        impl Future for $Select<'_> {
            type Output = usize;

            fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<usize> {
                self.project().state.poll(cx)
            }
        }

        impl FusedFuture for $Select<'_> {
            fn is_terminated(&self) -> bool {
                self.state.is_finished()
            }
        }

        impl Limit for $Select<'_> {
            type Limited = Option<usize>;
        }

        impl Wait for $Select<'_> {
            fn attempt(self: Pin<&mut Self>) -> Option<usize> {
                self.project().state.attempt()
            }

            fn cancel(self: Pin<&mut Self>) -> Option<usize> {
                self.project().state.cancel()
            }

            fn limited(self: Pin<&mut Self>, output: Option<usize>) -> Option<usize> {
                output
            }
        }

        impl fmt::Debug for $Select<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($Select))
                    .field("arms", &self.state.arms.count)
                    .field("biased", &self.state.is_biased())
                    .field("terminated", &self.state.is_finished())
                    .finish_non_exhaustive()
            }
        }
    };
}

surface!(Select, [+ Send]);
surface!(LocalSelect, []);
