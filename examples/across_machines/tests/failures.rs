//! Nothing is lost, and what comes twice is recognized: servers that stop, workers that are killed, answers
//! that get lost.

mod support;

use std::{
    collections::{HashMap, HashSet},
    fs,
    process::Command,
    time::Duration,
};

use across_machines::{
    bridge::Bridge,
    config::{Config, Source},
    message::{Delivery, Outgoing},
    word_count,
};
use hchan::Receiver;
use support::{PATIENCE, Process, Proxy, Server, config, until};
use tokio::time::{sleep, timeout};

const MINUTE: Duration = Duration::from_secs(60);

async fn receive<T>(deliveries: &Receiver<Delivery<T>>) -> Delivery<T> {
    let received = timeout(PATIENCE, deliveries.recv()).await;
    received
        .expect("nothing comes")
        .expect("the bridge has stopped")
}

fn number(n: u64) -> Outgoing<u64> {
    Outgoing::new("numbers", n.to_string(), n)
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_thousand_messages_survive_two_outages_of_the_server() {
    const MESSAGES: u64 = 20_000;
    let mut server = Server::new().await;
    let (out, back) = (server.connect().await, server.connect().await);
    let mut stream = out.stream("numbers", "numbers").await.unwrap();
    let (to, from) = hchan::bounded(64);
    let published = out.outgoing(from);
    let sender = tokio::spawn(async move {
        for n in 0..MESSAGES {
            to.send(number(n)).await.unwrap();
        }
    });
    let source = Source {
        capacity: 64,
        workers: 4,
        heartbeat: Duration::from_millis(500),
        ack_wait: Duration::from_secs(5),
        max_deliver: 1_000,
        ..Source::new("numbers", "all", "numbers")
    };
    let (deliveries, incoming) = back.incoming::<u64>(source).await.unwrap();
    let (done, numbers) = hchan::unbounded();
    for _ in 0..4 {
        let (deliveries, done) = (deliveries.clone(), done.clone());
        tokio::spawn(async move {
            while let Ok(mut delivery) = deliveries.recv().await {
                done.try_send(*delivery).unwrap();
                // It may have been acknowledged or not: dropped, it may come again.
                let _ = delivery.ack().await;
            }
        });
    }
    let mut times = HashMap::new();
    while times.len() < MESSAGES as usize {
        let received = timeout(PATIENCE, numbers.recv()).await;
        let number = received
            .unwrap_or_else(|_| panic!("{} came", times.len()))
            .unwrap();
        let n: &mut u64 = times.entry(number).or_default();
        *n += 1;
        if *n == 1 && [5_000, 12_000].contains(&times.len()) {
            server.stop().await;
            sleep(Duration::from_millis(500)).await;
            server.start().await;
        }
    }
    sender.await.unwrap();
    let published = timeout(PATIENCE, published).await.unwrap().unwrap();
    assert_eq!(published.failed, 0, "{published:?}");
    assert_eq!(published.stored + published.duplicates, MESSAGES);
    let repeated = times.values().filter(|n| **n > 1).count();
    // What was under way when the server stopped, twice.
    assert!(
        repeated <= 2 * (64 + 4 + 256),
        "{repeated} came more than once"
    );
    eprintln!(
        "{repeated} came more than once, {} publishes were repeated",
        published.duplicates
    );
    until("all is acknowledged", async || {
        stream.info().await.unwrap().state.messages == 0
    })
    .await;
    timeout(PATIENCE, incoming.shutdown())
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_publish_repeated_inside_the_window_is_stored_once_and_after_it_is_recognized_by_its_id()
{
    let server = Server::new().await;
    let config = Config {
        timeout: Duration::from_secs(1),
        outage: Duration::from_secs(1),
        duplicate_window: Duration::from_secs(4),
        ..config(server.url())
    };
    let bridge = Bridge::connect(config).await.unwrap();
    let mut stream = bridge.stream("numbers", "numbers").await.unwrap();
    let (to, from) = hchan::bounded(1);
    bridge.outgoing(from);
    let first = number(7).confirmed(&to).await.unwrap();
    let inside = number(7).confirmed(&to).await.unwrap();
    assert_eq!((first.sequence, first.duplicate), (1, false));
    assert_eq!((inside.sequence, inside.duplicate), (1, true));
    assert_eq!(stream.info().await.unwrap().state.messages, 1);

    let mut after = inside;
    while after.duplicate {
        sleep(Duration::from_secs(5)).await; // Longer than the window, which no repetition prolongs.
        after = number(7).confirmed(&to).await.unwrap();
    }
    assert_eq!(after.sequence, 2);
    let source = Source {
        ack_wait: MINUTE,
        ..Source::new("numbers", "all", "numbers")
    };
    let (deliveries, _incoming) = bridge.incoming::<u64>(source).await.unwrap();
    let mut done = HashSet::new();
    for is_new in [true, false] {
        let mut delivery = receive(&deliveries).await;
        assert_eq!(done.insert(*delivery), is_new);
        delivery.ack().await.unwrap();
    }
}

#[tokio::test]
async fn a_publish_whose_confirmation_was_lost_is_repeated_and_stored_once() {
    let server = Server::new().await;
    let proxy = Proxy::new(&server).await;
    let bridge = Bridge::connect(config(proxy.url())).await.unwrap();
    let mut stream = bridge.stream("numbers", "numbers").await.unwrap();
    let (to, from) = hchan::bounded(1);
    let published = bridge.outgoing(from);
    number(0).confirmed(&to).await.unwrap();
    proxy.lose_to_client(r#"{"stream":"numbers""#);
    let ack = timeout(PATIENCE, number(1).confirmed(&to))
        .await
        .unwrap()
        .unwrap();
    assert!(proxy.has_lost());
    assert_eq!((ack.sequence, ack.duplicate), (2, true));
    assert_eq!(stream.info().await.unwrap().state.messages, 2);
    drop(to);
    let published = published.await.unwrap();
    assert_eq!(
        (published.stored, published.duplicates, published.failed),
        (1, 1, 0)
    );
}

#[tokio::test]
async fn an_acknowledgement_that_got_lost_is_an_error_and_can_be_repeated() {
    let server = Server::new().await;
    let proxy = Proxy::new(&server).await;
    let bridge = Bridge::connect(config(proxy.url())).await.unwrap();
    let mut stream = bridge.stream("numbers", "numbers").await.unwrap();
    let source = Source {
        ack_wait: MINUTE,
        ..Source::new("numbers", "all", "numbers")
    };
    let (deliveries, _incoming) = bridge.incoming::<u64>(source).await.unwrap();
    let (to, from) = hchan::bounded(1);
    bridge.outgoing(from);
    number(0).confirmed(&to).await.unwrap();
    let mut delivery = receive(&deliveries).await;
    proxy.lose_to_server("+ACK");
    delivery.ack().await.unwrap_err();
    assert!(proxy.has_lost());
    assert_eq!(stream.info().await.unwrap().state.messages, 1);
    delivery.ack().await.unwrap();
    until("the stream is empty", async || {
        stream.info().await.unwrap().state.messages == 0
    })
    .await;
}

#[tokio::test]
async fn a_job_whose_acknowledgement_got_lost_is_done_again() {
    let server = Server::new().await;
    let proxy = Proxy::new(&server).await;
    let bridge = Bridge::connect(config(proxy.url())).await.unwrap();
    bridge.stream("numbers", "numbers").await.unwrap();
    let source = Source {
        ack_wait: MINUTE,
        ..Source::new("numbers", "all", "numbers")
    };
    let (deliveries, _incoming) = bridge.incoming::<u64>(source).await.unwrap();
    let (to, from) = hchan::bounded(1);
    bridge.outgoing(from);
    number(5).confirmed(&to).await.unwrap();
    let mut delivery = receive(&deliveries).await;
    proxy.lose_to_server("+ACK");
    delivery.ack().await.unwrap_err();
    drop(delivery);
    let mut again = receive(&deliveries).await;
    assert_eq!((*again, again.delivered()), (5, 2));
    again.ack().await.unwrap();
}

fn worker(server: &Server) -> Process {
    let worker = Command::new(env!("CARGO_BIN_EXE_across_machines"))
        .arg("worker")
        .env("NATS_URL", server.url())
        .env("WORKER_PROCESSES", "3")
        .env("ACK_WAIT_SECONDS", "2")
        .spawn();
    Process(worker.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_count_is_right_although_a_worker_is_killed_midway() {
    let server = Server::new().await;
    let files = tempfile::tempdir().unwrap();
    for n in 0..400 {
        let text = format!("one {n} and one more, in file {n}: Straße\n").repeat(200);
        fs::write(files.path().join(n.to_string()), text).unwrap();
    }
    let paths = vec![files.path().to_owned()];
    let bridge = server.connect().await;
    let counting = tokio::spawn({
        let (bridge, paths) = (bridge.clone(), paths.clone());
        async move { word_count::count_together(&bridge, "run", paths).await }
    });

    // At first there is one worker, which is stopped while it holds jobs.
    let victim = worker(&server);
    let info = async || {
        let consumer = bridge
            .jetstream
            .get_consumer_from_stream("counters", "words-jobs");
        let consumer: async_nats::jetstream::consumer::PullConsumer = consumer.await.ok()?;
        consumer.get_info().await.ok()
    };
    until("the worker has done some", async || {
        info()
            .await
            .is_some_and(|info| info.ack_floor.stream_sequence >= 20)
    })
    .await;
    until("the worker is stopped with a job in hand", async || {
        victim.signal("-STOP");
        // What it had sent before has come to the server when this has been answered twice.
        sleep(Duration::from_millis(100)).await;
        let holds = info().await.unwrap().num_ack_pending > 0;
        if !holds {
            victim.signal("-CONT");
        }
        holds
    })
    .await;
    assert!(!counting.is_finished());
    drop(victim); // SIGKILL
    let held = info().await.unwrap().num_ack_pending;
    assert!(held > 0);

    let _workers = [worker(&server), worker(&server)];
    let total = timeout(PATIENCE, counting).await.unwrap().unwrap().unwrap();
    assert_eq!(total.counts, word_count::count_alone(&paths));
    assert_eq!(total.jobs, 400);
    eprintln!(
        "{held} jobs were held by the killed worker, {} reports came twice",
        total.repeated
    );
}
