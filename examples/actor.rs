//! Actor (a task that owns its state, message passing, request and response): a task owns an
//! account, and clients send it requests, each with a channel for the reply.
//!
//! Look at the assertions: requests are served one after another, so no lock is needed, and the
//! actor ends when its last handle is dropped.
//!
//! ```text
//! cargo run --example actor
//! ```

use hchan::{Receiver, RecvError, Sender};

enum Request {
    Deposit(u64),
    /// The reply is the new balance, or the unchanged one as an error if it is too small.
    Withdraw(u64, Sender<Result<u64, u64>>),
}

/// The actor. It ends when all its handles are dropped and all requests are served, and returns
/// the balance.
async fn serve(requests: Receiver<Request>) -> u64 {
    let mut balance = 0;
    while let Ok(request) = requests.recv().await {
        match request {
            Request::Deposit(amount) => balance += amount,
            Request::Withdraw(amount, reply) => {
                let result = balance.checked_sub(amount).ok_or(balance);
                balance = result.unwrap_or(balance);
                // Fails if the client has given up. It never has to wait, as the reply channel has
                // room for one.
                let _ = reply.try_send(result);
            }
        }
    }
    balance
}

/// A handle of the actor.
#[derive(Clone)]
struct Account(Sender<Request>);

impl Account {
    async fn deposit(&self, amount: u64) -> Result<(), RecvError> {
        let sent = self.0.send(Request::Deposit(amount)).await;
        sent.map_err(|_| RecvError)
    }

    async fn withdraw(&self, amount: u64) -> Result<Result<u64, u64>, RecvError> {
        let (reply, replied) = hchan::bounded(1);
        // If the actor is gone, the request comes back and is dropped. Then `reply` is dropped,
        // too, and the receive fails.
        let _ = self.0.send(Request::Withdraw(amount, reply)).await;
        replied.recv().await
    }
}

fn main() -> Result<(), RecvError> {
    smol::block_on(async {
        let (tx, rx) = hchan::bounded(16);
        let actor = smol::spawn(serve(rx));
        let account = Account(tx);

        let clients = (1..=10).map(|amount| {
            let account = account.clone();
            smol::spawn(async move { account.deposit(amount).await })
        });
        futures::future::try_join_all(clients).await?;

        let withdrawals = [account.withdraw(40).await?, account.withdraw(40).await?];
        println!("of 55, twice 40: {withdrawals:?}");
        assert_eq!(withdrawals, [Ok(15), Err(15)]);

        drop(account); // The last handle.
        assert_eq!(actor.await, 15);
        Ok(())
    })
}
