//! Threads that wait for a future: how they are woken, and how long they stay awake before they sleep.

#![forbid(unsafe_code)]

#[cfg(feature = "std")]
mod parker;
#[cfg(feature = "std")]
mod pre_park_spin;
#[cfg(feature = "std")]
mod strategy;
mod wait;
#[cfg(feature = "std")]
mod yield_backoff;

pub(crate) use wait::Limit;
pub(crate) use wait::Wait;
#[cfg(feature = "std")]
pub(crate) use wait::{park, wait, wait_deadline, wait_timeout};
