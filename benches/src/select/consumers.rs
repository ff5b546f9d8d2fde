//! Who receives so many messages, each by a select over all receivers, and returns their sum.
//!
//! The arms of a select cannot be made in a loop, hence the macro: the same consumers for two arms and for eight.
//!
//! Every consumer in a task yields to the runtime at times (after 128 messages; with tokio's channels, which count, too, after
//! 64): one that always finds a message would keep its worker for itself, and eight senders would share the other.

use futures::FutureExt;
use tokio::sync::mpsc;
use tokio::task::consume_budget;

macro_rules! consumers {
    ($name:ident, $arms:literal, $($rx:ident)*) => {
        pub(super) mod $name {
            use std::pin::pin;

            use super::*;

            pub(in crate::select) const ARMS: usize = $arms;

            pub(in crate::select) async fn hchan(rxs: [::hchan::Receiver<u64>; ARMS], messages: u64) -> u64 {
                let [$($rx),*] = &rxs;
                let mut sum = 0;
                for _ in 0..messages {
                    consume_budget().await;
                    sum += ::hchan::select! { $(recv($rx) -> message => message.expect("open"),)* };
                }
                sum
            }

            pub(in crate::select) fn hchan_blocking(rxs: [::hchan::Receiver<u64>; ARMS], messages: u64) -> u64 {
                let [$($rx),*] = &rxs;
                let mut sum = 0;
                for _ in 0..messages {
                    sum += ::hchan::select_blocking! { $(recv($rx) -> message => message.expect("open"),)* };
                }
                sum
            }

            pub(in crate::select) fn crossbeam_blocking(rxs: [crossbeam_channel::Receiver<u64>; ARMS], messages: u64) -> u64 {
                let [$($rx),*] = &rxs;
                let mut sum = 0;
                for _ in 0..messages {
                    sum += crossbeam_channel::select! { $(recv($rx) -> message => message.expect("open"),)* };
                }
                sum
            }

            pub(in crate::select) async fn tokio_over_hchan(rxs: [::hchan::Receiver<u64>; ARMS], messages: u64) -> u64 {
                let [$($rx),*] = &rxs;
                let mut sum = 0;
                for _ in 0..messages {
                    consume_budget().await;
                    sum += tokio::select! { $(message = $rx.recv() => message.expect("open"),)* };
                }
                sum
            }

            pub(in crate::select) async fn tokio_over_async_channel(rxs: [async_channel::Receiver<u64>; ARMS], messages: u64) -> u64 {
                let [$($rx),*] = &rxs;
                let mut sum = 0;
                for _ in 0..messages {
                    consume_budget().await;
                    sum += tokio::select! { $(message = $rx.recv() => message.expect("open"),)* };
                }
                sum
            }

            pub(in crate::select) async fn futures_over_async_channel(rxs: [async_channel::Receiver<u64>; ARMS], messages: u64) -> u64 {
                let [$($rx),*] = &rxs;
                let mut sum = 0;
                for _ in 0..messages {
                    consume_budget().await;
                    $(let mut $rx = pin!($rx.recv().fuse());)*
                    sum += futures::select! { $(message = $rx => message.expect("open"),)* };
                }
                sum
            }

            pub(in crate::select) async fn tokio_over_tokio(mut rxs: [mpsc::Receiver<u64>; ARMS], messages: u64) -> u64 {
                let [$($rx),*] = &mut rxs;
                let mut sum = 0;
                for _ in 0..messages {
                    consume_budget().await;
                    sum += tokio::select! { $(message = $rx.recv() => message.expect("open"),)* };
                }
                sum
            }

            pub(in crate::select) async fn futures_over_tokio(mut rxs: [mpsc::Receiver<u64>; ARMS], messages: u64) -> u64 {
                let [$($rx),*] = &mut rxs;
                let mut sum = 0;
                for _ in 0..messages {
                    consume_budget().await;
                    $(let mut $rx = pin!($rx.recv().fuse());)*
                    sum += futures::select! { $(message = $rx => message.expect("open"),)* };
                }
                sum
            }
        }
    };
}

consumers!(two, 2, a b);
consumers!(eight, 8, a b c d e f g h);
