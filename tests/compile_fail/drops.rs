//! What may drop messages does not outlive what they borrow. The core drops them through a pointer to a function, which says
//! nothing of that.

#![forbid(unsafe_code)]

use hchan::{Receiver, Sender, bounded};

/// A message that looks at what it borrows when it drops.
struct Looks<'l>(&'l String);

impl Drop for Looks<'_> {
    fn drop(&mut self) {
        println!("{}", self.0);
    }
}

fn sent<'l>(borrowed: &'l String) -> (Sender<Looks<'l>>, Receiver<Looks<'l>>) {
    let (tx, rx) = bounded(1);
    tx.try_send(Looks(borrowed)).ok();
    (tx, rx)
}

fn sender_outlives() { let longer; let it = String::new(); longer = sent(&it).0; } //~ E0597
fn receiver_outlives() { let longer; let it = String::new(); longer = sent(&it).1; } //~ E0597
fn into_send_outlives() { let longer; let it = String::new(); longer = sent(&it).0.into_send(Looks(&it)); } //~ E0597
fn into_recv_outlives() { let longer; let it = String::new(); longer = sent(&it).1.into_recv(); } //~ E0597
fn into_stream_outlives() { let longer; let it = String::new(); longer = sent(&it).1.into_stream(); } //~ E0597
fn into_sink_outlives() { let longer; let it = String::new(); longer = sent(&it).0.into_sink(); } //~ E0597
fn drain_outlives() { let longer; let it = String::new(); longer = sent(&it).1.drain(); } //~ E0597
