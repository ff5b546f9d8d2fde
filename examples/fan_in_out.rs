//! Fan-out and fan-in (sharding by key, partitioning, merge): payments are spread over several
//! tasks, and the balances that come out of these are merged.
//!
//! All payments of one account go to the same task, so they stay in order and need no lock. Look
//! at the assertions: every account has one shard, and its balances come out in order.
//!
//! ```text
//! cargo run --example fan_in_out
//! ```

use std::{collections::HashMap, iter::repeat_with};

use hchan::{Receiver, Sender};
use tokio::task::JoinSet;

const SHARDS: usize = 4;
const ACCOUNTS: usize = 10;

/// An account and an amount to add or take off, or an account and its balance.
type Entry = (usize, i64);

fn payments() -> impl Iterator<Item = Entry> {
    let mut random = fastrand::Rng::with_seed(1);
    repeat_with(move || (random.usize(..ACCOUNTS), random.i64(-100..=100))).take(2000)
}

/// Applies a payment if the balance covers it, and returns the balance. So the order matters.
fn apply(balances: &mut HashMap<usize, i64>, (account, amount): Entry) -> Entry {
    let balance = balances.entry(account).or_default();
    *balance += if *balance + amount < 0 { 0 } else { amount };
    (account, *balance)
}

/// Owns the accounts of one shard.
async fn shard(payments: Receiver<Entry>, output: Sender<Entry>) {
    let mut balances = HashMap::new();
    while let Ok(payment) = payments.recv().await {
        let sent = output.send(apply(&mut balances, payment)).await;
        sent.expect("the outputs are received to the end");
    }
}

/// Fan-out: sends each payment to the shard of its account.
async fn route(shards: Vec<Sender<Entry>>) {
    for payment in payments() {
        let sent = shards[payment.0 % SHARDS].send(payment).await;
        sent.expect("shards receive to the end");
    }
}

#[tokio::main]
async fn main() {
    let (mut inputs, mut outputs, mut tasks) = (Vec::new(), Vec::new(), JoinSet::new());
    for _ in 0..SHARDS {
        let ((input, payments), (output, balances)) = (hchan::bounded(8), hchan::bounded(8));
        tasks.spawn(shard(payments, output));
        inputs.push(input);
        outputs.push(balances);
    }
    tasks.spawn(route(inputs));
    // Fan-in: receives from whichever shard has something. A channel that has ended is taken out.
    let (mut merged, mut ids) = (vec![Vec::new(); ACCOUNTS], Vec::from_iter(0..SHARDS));
    while !outputs.is_empty() {
        let (place, received) = hchan::recv_any(&outputs).await;
        if let Ok((account, balance)) = received {
            assert_eq!(account % SHARDS, ids[place], "every account has one shard");
            merged[account].push(balance);
        } else {
            outputs.swap_remove(place);
            println!("shard {} has ended", ids.swap_remove(place));
        }
    }
    tasks.join_all().await; // Panics if a task did.

    let (mut expected, mut balances) = (vec![Vec::new(); ACCOUNTS], HashMap::new());
    for (account, balance) in payments().map(|payment| apply(&mut balances, payment)) {
        expected[account].push(balance);
    }
    assert_eq!(merged, expected, "every account's balances, in order");
}
