//! Channels of several processes, joined through NATS JetStream: see this package's README.
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used)]

pub mod bridge;
pub mod config;
mod dead_letters;
pub mod message;
pub mod word_count;
