//! Load shedding (admission control, overload, "503 busy"): a server that answers "busy" at once
//! when it has no room for one more connection.
//!
//! Look at the assertions: clients that come too late get their answer while all workers are held
//! up, and those that were let in are served.
//!
//! ```text
//! cargo run --example shed_load
//! ```

use std::io;

use hchan::{Receiver, Sender};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Lets connections in until the queue closes, and returns how many found it full.
async fn accept(listener: TcpListener, queue: Sender<TcpStream>) -> io::Result<usize> {
    let mut turned_away = 0;
    loop {
        let (stream, _) = hchan::select! {
            future(listener.accept()) -> accepted => accepted?,
            future(queue.closed()) -> () => return Ok(turned_away),
        };
        if let Err(refused) = queue.try_send(stream) {
            turned_away += 1;
            // A few bytes fit into the socket's buffer, so this does not wait for the client.
            let _ = refused.into_inner().write_all(b"busy\n").await;
        }
    }
}

/// Serves one connection after another.
async fn work(queue: Receiver<TcpStream>) {
    while let Ok(stream) = queue.recv().await {
        let _ = serve(BufReader::new(stream)).await; // It may fail. The next one may not.
    }
}

async fn serve(mut client: BufReader<TcpStream>) -> io::Result<()> {
    client.write_all(b"ready\n").await?;
    let request = read_line(&mut client).await?;
    client.write_all(request.to_uppercase().as_bytes()).await
}

async fn read_line(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    stream.read_line(&mut line).await.map(|_| line)
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (queue, connections) = hchan::bounded(2);
    let accepting = tokio::spawn(accept(listener, queue));
    let workers = [(); 2].map(|()| tokio::spawn(work(connections.clone())));

    // Two clients hold up the workers, as they send no request yet; two fill the queue.
    let mut clients = Vec::new();
    for greeting in ["ready\n", "ready\n", "", "", "busy\n", "busy\n", "busy\n"] {
        let mut client = BufReader::new(TcpStream::connect(address).await?);
        if !greeting.is_empty() {
            assert_eq!(read_line(&mut client).await?, greeting);
        }
        clients.push((client, greeting));
    }
    println!("two are being served, two are in the queue, three were turned away");
    for (client, greeting) in &mut clients[..4] {
        if greeting.is_empty() {
            assert_eq!(read_line(client).await?, "ready\n");
        }
        client.write_all(b"hello\n").await?;
        assert_eq!(read_line(client).await?, "HELLO\n");
    }
    connections.close();
    assert_eq!(accepting.await??, 3);
    futures::future::try_join_all(workers).await?;
    Ok(())
}
