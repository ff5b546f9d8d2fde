//! What the select macros say of what they do not accept.

use hchan::{Receiver, Sender, select, select_blocking};

async fn task(tx: Sender<u8>, rx: Receiver<u8>) {
    select! { recieve(rx) -> m => {} } //~ send(tx, message)` or `future(future)`, not `recieve(rx)`
    select! { send(tx) -> sent => {} } //~ not `send(tx)`
    select! { send_from(tx) -> sent, if true => {} } //~ not `send_from(tx)`
    select! { recv(rx) => {} } //~ `select!` expected `recv(rx) -> pattern => body,`
    select! { default(1) => {} } //~ `select!` has no `default(timeout)`: use a `future(..)` arm
    select! { default => {} default() => {} } //~ at most one `default` arm
}

fn thread(tx: Sender<u8>, rx: Receiver<u8>) {
    select_blocking! { recieve(rx) -> m => {} } //~ `send(tx, message)`, not `recieve(rx)`
    select_blocking! { future(tx) -> m => {} } //~ `select_blocking!` has no `future(..)` arms
    select_blocking! { future(tx) -> m, if true => {} } //~ `select_blocking!` has no `future(..)` arms
    select_blocking! { recv(rx) => {} } //~ or `default(timeout) => body,` at: recv(rx) => {}
    select_blocking! { default(1, 2) => {} } //~ or `default(timeout) => body,` at: default(1, 2) => {}
}
