//! Counts words by several processes, through a NATS server with JetStream.
//!
//! ```text
//! across_machines worker             works until Ctrl-C
//! across_machines count PATH...      has the files counted by the workers, and checks the result
//! across_machines throughput [N]     measures the bridge alone
//! ```
//!
//! Environment: NATS_URL, NATS_CREDENTIALS (a `.creds` file), NATS_USER and NATS_PASSWORD, NATS_CA (a file
//! with certificates), WORKER_PROCESSES (the most there will be; the same for all), ACK_WAIT_SECONDS.
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used)]

use std::{
    env,
    path::PathBuf,
    process,
    time::{Duration, Instant, SystemTime},
};

use across_machines::{
    bridge::{Bridge, Error},
    config::{Config, Credentials, Source},
    message::Outgoing,
    word_count,
};
use futures::future::join_all;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let mut arguments = env::args().skip(1);
    let command = arguments.next();
    let arguments: Vec<_> = arguments.collect();
    match (command.as_deref(), &arguments[..]) {
        (Some("worker"), []) => worker().await,
        (Some("count"), [_, ..]) => count(arguments.into_iter().map(PathBuf::from).collect()).await,
        (Some("throughput"), []) => throughput(100_000).await,
        (Some("throughput"), [n]) => throughput(n.parse()?).await,
        _ => Err("usage: across_machines worker | count PATH... | throughput [N]".into()),
    }
}

fn config() -> Config {
    let mut config = Config::default();
    if let Ok(url) = env::var("NATS_URL") {
        config.url = url;
    }
    if let (Ok(user), Ok(password)) = (env::var("NATS_USER"), env::var("NATS_PASSWORD")) {
        config.credentials = Credentials::Password { user, password };
    }
    if let Some(file) = env::var_os("NATS_CREDENTIALS") {
        config.credentials = Credentials::File(file.into());
    }
    if let Some(file) = env::var_os("NATS_CA") {
        config.root_certificates = Some(file.into());
        config.require_tls = true;
    }
    config
}

async fn worker() -> Result<(), Error> {
    let mut jobs = word_count::jobs();
    if let Ok(processes) = env::var("WORKER_PROCESSES") {
        jobs.processes = processes.parse()?;
    }
    if let Ok(seconds) = env::var("ACK_WAIT_SECONDS") {
        jobs.ack_wait = Duration::from_secs(seconds.parse()?);
    }
    let bridge = Bridge::connect(config()).await?;
    word_count::work(&bridge, jobs, tokio::signal::ctrl_c()).await
}

async fn count(paths: Vec<PathBuf>) -> Result<(), Error> {
    let bridge = Bridge::connect(config()).await?;
    let since = SystemTime::UNIX_EPOCH.elapsed()?.as_millis();
    let run = format!("{since}-{}", process::id());
    let start = Instant::now();
    let total = word_count::count_together(&bridge, &run, paths.clone()).await?;
    let seconds = start.elapsed().as_secs_f64();
    let (words, different) = (total.counts.words, total.counts.of_word.len());
    println!(
        "{words} words, {different} different ones, in {} jobs: {seconds:.3} s",
        total.jobs
    );
    println!(
        "{} jobs were reported more than once, and counted once",
        total.repeated
    );
    if word_count::count_alone(&paths) != total.counts {
        return Err(
            "MISMATCH: one process counts otherwise (has a file changed meanwhile?)".into(),
        );
    }
    println!("checked: one process counts the same");
    Ok(())
}

/// Two connections of one process, 64 senders that wait for each confirmation, 64 receivers that confirm
/// each acknowledgement.
async fn throughput(messages: u64) -> Result<(), Error> {
    const TASKS: u64 = 64;
    let (out, back) = (
        Bridge::connect(config()).await?,
        Bridge::connect(config()).await?,
    );
    let name = format!("throughput-{}", process::id());
    out.stream(&name, &name).await?;
    let (to, from) = hchan::bounded(256);
    let published = out.outgoing(from);

    let start = Instant::now();
    let senders = (0..TASKS).map(|task| {
        let (to, name) = (to.clone(), name.clone());
        tokio::spawn(async move {
            for n in (task..messages).step_by(TASKS as usize) {
                let message = Outgoing::new(&name, n.to_string(), (n, "x".repeat(100)));
                message.confirmed(&to).await?;
            }
            Ok::<_, Error>(())
        })
    });
    for sent in join_all(senders).await {
        sent??;
    }
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "published and confirmed: {:.0} messages/s",
        messages as f64 / seconds
    );
    drop(to);
    published.await?;

    let start = Instant::now();
    let source = Source {
        capacity: 256,
        workers: TASKS as usize,
        ..Source::new(&name, "all", &name)
    };
    let (deliveries, incoming) = back.incoming::<(u64, String)>(source).await?;
    let (done, count) = hchan::bounded(256);
    let receivers = (0..TASKS).map(|_| {
        let (deliveries, done) = (deliveries.clone(), done.clone());
        tokio::spawn(async move {
            while let Ok(mut delivery) = deliveries.recv().await {
                delivery.ack().await?;
                // Fails when all have come.
                let _ = done.send(()).await;
            }
            Ok::<_, Error>(())
        })
    });
    let receivers: Vec<_> = receivers.collect();
    for _ in 0..messages {
        count.recv().await?;
    }
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "received and acknowledged: {:.0} messages/s",
        messages as f64 / seconds
    );
    drop(count);
    incoming.shutdown().await?;
    for received in join_all(receivers).await {
        received??;
    }
    back.jetstream.delete_stream(&name).await?;
    Ok(())
}
