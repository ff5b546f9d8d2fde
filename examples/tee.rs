//! Tee (duplicate a stream): each message goes to two receivers, to whichever is ready first,
//! then to the other.
//!
//! In Go, a case that is done is switched off by setting its channel to nil. Look at how an empty
//! `Option` does that here: `send_from` of it never happens.
//!
//! ```text
//! cargo run --example tee
//! ```

use hchan::{Receiver, Sender};

async fn tee<T: Clone>(input: Receiver<T>, left: Sender<T>, right: Sender<T>) {
    let (mut is_left_open, mut is_right_open) = (true, true);
    while let Ok(message) = input.recv().await {
        // Each send empties its `Option`. A receiver that has gone gets no more messages.
        let mut for_left = is_left_open.then(|| message.clone());
        let mut for_right = is_right_open.then_some(message);
        while for_left.is_some() || for_right.is_some() {
            hchan::select! {
                send_from(left, &mut for_left) -> sent => if sent.is_err() {
                    is_left_open = false;
                    for_left = None;
                },
                send_from(right, &mut for_right) -> sent => if sent.is_err() {
                    is_right_open = false;
                    for_right = None;
                },
            }
        }
        if !is_left_open && !is_right_open {
            break;
        }
    }
}

/// Receives up to `limit` messages, then leaves.
async fn collect(input: Receiver<u32>, limit: usize) -> Vec<u32> {
    let mut all = Vec::new();
    while all.len() < limit {
        match input.recv().await {
            Ok(message) => all.push(message),
            Err(_) => break,
        }
    }
    all
}

fn main() {
    smol::block_on(async {
        let (source, input) = hchan::bounded(4);
        // The left side is a rendezvous, and the right side has some room.
        let ((left, to_left), (right, to_right)) = (hchan::bounded(0), hchan::bounded(8));
        let send = async move {
            let mut n = 0;
            while n < 100 && source.send(n).await.is_ok() {
                n += 1;
            }
        };
        let both = futures::future::join(collect(to_left, usize::MAX), collect(to_right, 10));
        let ((), (), (lefts, rights)) = futures::join!(send, tee(input, left, right), both);

        println!(
            "left: {} messages; right: {rights:?}, then it left",
            lefts.len()
        );
        assert!(lefts.iter().copied().eq(0..100), "all, in order");
        assert!(rights.iter().copied().eq(0..10));
    });
}
