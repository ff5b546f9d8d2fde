//! Quote service (ingest, aggregate, persist; stream processing, ETL, market data): feeds send
//! prices, a task makes bars of them, and a thread writes the bars to a file.
//!
//! Only the feeds are told to stop: each later stage ends when the one before it has ended. Look
//! at the last assertion: the file has every price that was sent, in the bar where it belongs.
//!
//! ```text
//! cargo run --example quote_service
//! ```

use std::{convert::Infallible, env, fs, io, io::Write, iter, process};

use futures::{StreamExt, TryStreamExt, stream::select_all};
use hchan::{Receiver, Sender, blocking};

const PRICES_A_BAR: usize = 8;

/// The prices of a symbol, without end.
fn prices(symbol: usize) -> impl Iterator<Item = u64> {
    let mut random = fastrand::Rng::with_seed(symbol as u64);
    iter::repeat_with(move || random.u64(100..1000))
}

fn bar(symbol: usize, prices: &[u64]) -> String {
    let (high, low) = (prices.iter().max(), prices.iter().min());
    format!("{symbol}: {} prices, {low:?} to {high:?}", prices.len())
}

/// Sends prices until the stop, and returns how many were sent.
async fn ingest(symbol: usize, quotes: Sender<u64>, stopped: Receiver<Infallible>) -> usize {
    let stopped = quotes.send_many(prices(symbol)).until(stopped.recv()).await;
    stopped.expect_err("prices have no end").into_inner().sent
}

/// Makes bars until all feeds have ended. The last bar of each may be short.
async fn aggregate(feeds: Vec<Receiver<u64>>, bars: Sender<String>) {
    let all = select_all(feeds.into_iter().enumerate().map(|(symbol, quotes)| {
        let chunks = quotes.into_stream().chunks(PRICES_A_BAR);
        chunks.map(move |prices| bar(symbol, &prices))
    }));
    // Fails if the file has: then `all` is dropped, which ends the feeds.
    let _ = all.map(Ok).try_for_each(|bar| bars.send(bar)).await;
}

/// Writes bars to a file until there are no more, and returns its text. The stop comes midway.
fn persist(bars: blocking::Receiver<String>, stop: Sender<Infallible>) -> io::Result<String> {
    let path = env::temp_dir().join(format!("hchan-quotes-{}", process::id()));
    let mut file = fs::File::create(&path)?;
    for (written, bar) in (1..).zip(bars) {
        writeln!(file, "{bar}")?;
        if written == 100 {
            stop.close();
        }
    }
    let text = fs::read_to_string(&path);
    fs::remove_file(path).and(text)
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let ((bars, made), (stop, stopped)) = (hchan::bounded(4), hchan::bounded(0));
    let (mut feeds, mut quoted) = (Vec::new(), Vec::new());
    for symbol in 0..3 {
        let (quotes, prices) = hchan::bounded(10);
        feeds.push(tokio::spawn(ingest(symbol, quotes, stopped.clone())));
        quoted.push(prices);
    }
    let aggregating = tokio::spawn(aggregate(quoted, bars));
    let persisting = tokio::task::spawn_blocking(|| persist(made.into_blocking(), stop));
    let (file, ()) = (persisting.await??, aggregating.await?);
    for (symbol, feed) in feeds.into_iter().enumerate() {
        let id = format!("{symbol}:");
        let sent: Vec<_> = prices(symbol).take(feed.await?).collect();
        println!("symbol {symbol}: {} prices sent", sent.len());
        let bars = sent.chunks(PRICES_A_BAR).map(|prices| bar(symbol, prices));
        let written = file.lines().filter(|line| line.starts_with(&id));
        assert!(written.eq(bars), "all that was sent, in order");
    }
    Ok(())
}
