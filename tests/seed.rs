//! The seed of the random choices: alone in its process, as without `std` all threads choose by one sequence.

use futures::FutureExt;
use hchan::{seed_select, select, unbounded};

#[test]
fn same_seed_makes_the_same_choices() {
    let (tx, rx) = unbounded();
    let mut runs = [1, 1, 2].map(|seed| {
        (0..64).for_each(|_| tx.try_send(()).unwrap());
        seed_select(seed);
        let choose = |_| {
            let selecting = async {
                select! { recv(rx) -> _ => 0, recv(rx) -> _ => 1, recv(rx) -> _ => 2 }
            };
            selecting.now_or_never().expect("all arms are ready")
        };
        (0..64).map(choose).collect::<Vec<_>>()
    });
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
    runs[0].sort_unstable();
    runs[0].dedup();
    assert_eq!(runs[0], [0, 1, 2], "all of them");
}
