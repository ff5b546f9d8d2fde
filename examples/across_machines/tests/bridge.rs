//! What the bridge promises while nothing fails, and where it holds back.

mod support;

use std::{
    collections::HashSet,
    fs,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use across_machines::{
    bridge::Bridge,
    config::{Config, Credentials, Source},
    message::{Delivery, Outgoing},
};
use async_nats::jetstream::consumer::PullConsumer;
use futures::future::join_all;
use hchan::Receiver;
use support::{PATIENCE, Server, config, until};
use tokio::time::{Instant, timeout};

const MINUTE: Duration = Duration::from_secs(60);

/// Publishes the numbers below `n`, and waits until all are confirmed.
async fn publish(bridge: &Bridge, numbers: std::ops::Range<u64>) {
    let (to, from) = hchan::bounded(64);
    let expected = numbers.end - numbers.start;
    let published = bridge.outgoing(from);
    for n in numbers {
        to.send(Outgoing::new("numbers", n.to_string(), n))
            .await
            .unwrap();
    }
    drop(to);
    let published = published.await.unwrap();
    assert!(
        published.first_error.is_none(),
        "{:?}",
        published.first_error
    );
    assert_eq!(published.stored, expected);
}

fn source() -> Source {
    Source {
        ack_wait: MINUTE,
        ..Source::new("numbers", "all", "numbers")
    }
}

async fn receive<T>(deliveries: &Receiver<Delivery<T>>) -> Delivery<T> {
    let received = timeout(PATIENCE, deliveries.recv()).await;
    received
        .expect("nothing comes")
        .expect("the bridge has stopped")
}

async fn consumer(bridge: &Bridge) -> PullConsumer {
    let consumer = bridge.jetstream.get_consumer_from_stream("all", "numbers");
    consumer.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_thousand_messages_come_once_each_and_in_bounded_memory() {
    const MESSAGES: u64 = 20_000;
    const WORKERS: usize = 4;
    let server = Server::new().await;
    let (out, back) = (server.connect().await, server.connect().await);
    out.stream("numbers", "numbers").await.unwrap();
    let source = Source {
        capacity: 32,
        workers: WORKERS,
        ..source()
    };
    let (deliveries, incoming) = back.incoming::<u64>(source).await.unwrap();

    // Queued or held: as many as there are at any time.
    let (held, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (done, numbers) = hchan::unbounded();
    for _ in 0..WORKERS {
        let (deliveries, done) = (deliveries.clone(), done.clone());
        let (held, most) = (held.clone(), most.clone());
        tokio::spawn(async move {
            while let Ok(mut delivery) = deliveries.recv().await {
                most.fetch_max(held.fetch_add(1, Relaxed) + 1 + deliveries.len(), Relaxed);
                delivery.ack().await.unwrap();
                held.fetch_sub(1, Relaxed);
                done.try_send((*delivery, delivery.delivered())).unwrap();
            }
        });
    }
    publish(&out, 0..MESSAGES).await;
    let mut seen = HashSet::new();
    while seen.len() < MESSAGES as usize {
        let (number, delivered) = timeout(PATIENCE, numbers.recv()).await.unwrap().unwrap();
        assert!(seen.insert(number), "{number} came twice");
        assert_eq!(delivered, 1);
    }
    let most = most.load(Relaxed);
    assert!(most <= 32 + WORKERS, "{most} at once");
    timeout(PATIENCE, incoming.shutdown())
        .await
        .unwrap()
        .unwrap();
    // All of them were acknowledged: the stream is empty.
    let mut stream = out.stream("numbers", "numbers").await.unwrap();
    assert_eq!(stream.info().await.unwrap().state.messages, 0);
}

#[tokio::test]
async fn a_consumer_that_takes_nothing_gets_as_many_as_there_is_room_for() {
    let server = Server::new().await;
    let bridge = server.connect().await;
    bridge.stream("numbers", "numbers").await.unwrap();
    let source = Source {
        capacity: 32,
        heartbeat: Duration::from_millis(200),
        ..source()
    };
    let (deliveries, _incoming) = bridge.incoming::<u64>(source).await.unwrap();
    publish(&bridge, 0..1_000).await;
    until("the channel is full", async || deliveries.len() == 32).await;
    // For longer than a pull lasts.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let info = consumer(&bridge).await.get_info().await.unwrap();
    assert_eq!(
        (info.num_ack_pending, info.num_pending, info.num_waiting),
        (32, 968, 0)
    );
    // Two are taken, so two more come.
    for n in 0..2 {
        assert_eq!(*receive(&deliveries).await, n);
    }
    until("two more have come", async || deliveries.len() == 32).await;
}

#[tokio::test]
async fn the_server_delivers_no_more_than_all_processes_together_can_hold() {
    let server = Server::new().await;
    let out = server.connect().await;
    out.stream("numbers", "numbers").await.unwrap();
    publish(&out, 0..100).await;
    let source = Source {
        capacity: 4,
        workers: 3,
        processes: 2,
        ..source()
    };
    let mut held = Vec::new();
    let mut bridges = Vec::new();
    // A third process was not counted on: it gets nothing while the others hold all they may.
    for _ in 0..3 {
        let bridge = server.connect().await;
        bridges.push(bridge.incoming::<u64>(source.clone()).await.unwrap());
    }
    while held.len() < 2 * (4 + 3) {
        let streams = bridges.iter().map(|(deliveries, _)| deliveries);
        let received = futures::future::select_all(streams.map(|d| Box::pin(d.recv())))
            .await
            .0;
        held.push(received.unwrap());
    }
    let info = consumer(&out).await.get_info().await.unwrap();
    assert_eq!(info.num_ack_pending, 14);
    assert!(bridges.iter().all(|(deliveries, _)| deliveries.is_empty()));
    held.pop().unwrap().ack().await.unwrap();
    until("one more has come", async || {
        bridges.iter().any(|(d, _)| d.len() == 1)
    })
    .await;
}

#[tokio::test]
async fn senders_are_held_back_while_the_server_is_down() {
    let mut server = Server::new().await;
    let config = Config {
        max_ack_inflight: 8,
        ..config(server.url())
    };
    let bridge = Bridge::connect(config).await.unwrap();
    let mut stream = bridge.stream("numbers", "numbers").await.unwrap();
    let (to, from) = hchan::bounded(5);
    let published = bridge.outgoing(from);
    server.stop().await;

    let mut accepted = 0;
    while let Ok(sent) = timeout(Duration::from_millis(300), async {
        to.send(Outgoing::new("numbers", accepted.to_string(), accepted))
            .await
    })
    .await
    {
        sent.unwrap();
        accepted += 1;
    }
    // In the channel, and on the way to the server.
    assert_eq!(accepted, 5 + 8);
    server.start().await;
    drop(to);
    let published = timeout(PATIENCE, published).await.unwrap().unwrap();
    assert_eq!(
        (published.stored + published.duplicates, published.failed),
        (13, 0)
    );
    assert_eq!(stream.info().await.unwrap().state.messages, 13);
}

#[tokio::test]
async fn a_dropped_delivery_comes_again_at_once() {
    let server = Server::new().await;
    let bridge = server.connect().await;
    bridge.stream("numbers", "numbers").await.unwrap();
    let (deliveries, _incoming) = bridge.incoming::<u64>(source()).await.unwrap();
    publish(&bridge, 7..8).await;
    let start = Instant::now();
    let first = receive(&deliveries).await;
    assert_eq!((*first, first.delivered(), first.sequence()), (7, 1, 1));
    drop(first);
    let mut second = receive(&deliveries).await;
    assert_eq!((*second, second.delivered(), second.sequence()), (7, 2, 1));
    assert!(start.elapsed() < MINUTE, "it was returned, and not missed");
    second.ack().await.unwrap();
}

#[tokio::test]
async fn nak_comes_again_after_the_delay_and_term_never() {
    let server = Server::new().await;
    let bridge = server.connect().await;
    let mut stream = bridge.stream("numbers", "numbers").await.unwrap();
    let (deliveries, _incoming) = bridge.incoming::<u64>(source()).await.unwrap();
    publish(&bridge, 0..1).await;
    let start = Instant::now();
    receive(&deliveries)
        .await
        .nak(Duration::from_secs(1))
        .await
        .unwrap();
    let mut again = receive(&deliveries).await;
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert!(start.elapsed() < MINUTE, "the pause was undone");
    again.term().await.unwrap();
    drop(again);
    until("the stream is empty", async || {
        stream.info().await.unwrap().state.messages == 0
    })
    .await;
    assert!(deliveries.is_empty());
}

#[tokio::test]
async fn shutdown_gives_back_what_nobody_has_taken() {
    let server = Server::new().await;
    let (first, second) = (server.connect().await, server.connect().await);
    first.stream("numbers", "numbers").await.unwrap();
    publish(&first, 0..20).await;
    let start = Instant::now();
    let source = Source {
        processes: 2,
        ..source()
    };
    let (deliveries, incoming) = first.incoming::<u64>(source.clone()).await.unwrap();
    until("some are queued", async || deliveries.len() == 16).await;
    let held = receive(&deliveries).await;
    drop(deliveries);
    // It waits for the one that is held.
    let mut shutdown = Box::pin(incoming.shutdown());
    assert!(
        timeout(Duration::from_millis(300), &mut shutdown)
            .await
            .is_err()
    );
    drop(held);
    timeout(PATIENCE, shutdown).await.unwrap().unwrap();

    let (deliveries, _incoming) = second.incoming::<u64>(source).await.unwrap();
    let mut seen = HashSet::new();
    while seen.len() < 20 {
        let mut delivery = receive(&deliveries).await;
        delivery.ack().await.unwrap();
        assert!(seen.insert(*delivery));
    }
    assert!(
        start.elapsed() < MINUTE,
        "they were returned, and not missed"
    );
}

#[tokio::test]
async fn a_worker_that_is_stuck_loses_its_job_at_the_greatest_age_and_not_before() {
    let server = Server::new().await;
    let (stuck, other) = (server.connect().await, server.connect().await);
    stuck.stream("numbers", "numbers").await.unwrap();
    let source = Source {
        ack_wait: Duration::from_secs(1),
        greatest_age: Duration::from_secs(4),
        processes: 2,
        ..source()
    };
    let (deliveries, _stuck) = stuck.incoming::<u64>(source.clone()).await.unwrap();
    publish(&stuck, 0..1).await;
    let held = receive(&deliveries).await;
    let start = Instant::now();
    drop(deliveries); // What comes to the stuck process now goes back.
    let (deliveries, _other) = other.incoming::<u64>(source).await.unwrap();
    let mut again = receive(&deliveries).await;
    // `ack_wait` passed four times before.
    assert!(
        start.elapsed() > Duration::from_secs(4),
        "after {:?}",
        start.elapsed()
    );
    assert!(again.delivered() >= 2);
    again.ack().await.unwrap();
    drop(held);
}

#[tokio::test]
async fn one_unconfirmed_publish_and_one_delivery_at_a_time_keep_the_order_through_an_outage() {
    let mut server = Server::new().await;
    let config = Config {
        max_ack_inflight: 1,
        ..config(server.url())
    };
    let bridge = Bridge::connect(config).await.unwrap();
    bridge.stream("numbers", "numbers").await.unwrap();
    let (to, from) = hchan::bounded(8);
    let published = bridge.outgoing(from);
    let sender = tokio::spawn(async move {
        for n in 0..400_u64 {
            to.send(Outgoing::new("numbers", n.to_string(), n))
                .await
                .unwrap();
        }
    });
    // `max_ack_pending` is 1.
    let source = Source {
        capacity: 1,
        workers: 0,
        heartbeat: Duration::from_millis(200),
        ack_wait: Duration::from_secs(2),
        ..source()
    };
    let (deliveries, _incoming) = bridge.incoming::<u64>(source).await.unwrap();
    let mut next = 0;
    while next < 400 {
        let mut delivery = receive(&deliveries).await;
        // One that was acknowledged may come again; none comes too early.
        assert!(*delivery <= next, "{} instead of {next}", *delivery);
        next = next.max(*delivery + 1);
        while delivery.ack().await.is_err() {}
        if next == 200 {
            server.stop().await;
            server.start().await;
        }
    }
    sender.await.unwrap();
    assert_eq!(published.await.unwrap().failed, 0);
}

#[tokio::test]
async fn too_large_a_message_fails_alone() {
    let server = Server::new().await;
    let bridge = server.connect().await;
    bridge.stream("numbers", "numbers").await.unwrap();
    let (to, from) = hchan::bounded(8);
    let published = bridge.outgoing(from);
    let large = "x".repeat(bridge.client.max_payload() + 1);
    let large = Outgoing::new("numbers", "large", large);
    let small = Outgoing::new("numbers", "small", String::from("x"));
    let sent = [large, small].map(|message| message.confirmed(&to));
    let results = join_all(sent).await;
    assert!(results[0].is_err());
    assert!(results[1].as_ref().is_ok_and(|ack| ack.sequence == 1));
    drop(to);
    let published = published.await.unwrap();
    assert_eq!((published.stored, published.failed), (1, 1));
}

#[tokio::test]
async fn a_window_that_is_shorter_than_the_outage_is_refused() {
    let config = Config {
        duplicate_window: MINUTE,
        outage: MINUTE,
        ..Config::default()
    };
    let refused = Bridge::connect(config).await.err().unwrap();
    assert!(
        refused.to_string().contains("duplicate window"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_password_is_asked_for() {
    let server = Server::with(&["--user", "hermes", "--pass", "caduceus"]).await;
    assert!(Bridge::connect(config(server.url())).await.is_err());
    let (user, password) = ("hermes".to_owned(), "caduceus".to_owned());
    let credentials = Credentials::Password { user, password };
    let config = Config {
        credentials,
        ..config(server.url())
    };
    let bridge = Bridge::connect(config).await.unwrap();
    bridge.stream("numbers", "numbers").await.unwrap();
    publish(&bridge, 0..1).await;
}

#[tokio::test]
async fn a_server_with_tls_needs_a_certificate_of_a_known_authority() {
    let files = tempfile::tempdir().unwrap();
    let (certificate, key) = (files.path().join("certificate"), files.path().join("key"));
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    fs::write(&certificate, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let [certificate_path, key_path] = [&certificate, &key].map(|path| path.to_str().unwrap());
    let server = Server::with(&["--tlscert", certificate_path, "--tlskey", key_path]).await;

    let unknown = Config {
        require_tls: true,
        ..config(server.url())
    };
    assert!(Bridge::connect(unknown.clone()).await.is_err());
    let known = Config {
        root_certificates: Some(certificate),
        ..unknown
    };
    let bridge = Bridge::connect(known).await.unwrap();
    bridge.stream("numbers", "numbers").await.unwrap();
    publish(&bridge, 0..1).await;

    // And a server without TLS is refused.
    let plain = Server::new().await;
    let config = Config {
        require_tls: true,
        ..config(plain.url())
    };
    assert!(Bridge::connect(config).await.is_err());
}

#[tokio::test]
async fn a_message_that_cannot_be_decoded_becomes_a_dead_letter() {
    let server = Server::new().await;
    let bridge = server.connect().await;
    let mut stream = bridge.stream("numbers", "numbers").await.unwrap();
    let dead = bridge.stream("dead", "dead.>").await.unwrap();
    for payload in ["1", "\"\r\nEvil: header\"", "2"] {
        let ack = bridge
            .jetstream
            .publish("numbers", payload.into())
            .await
            .unwrap();
        ack.await.unwrap();
    }
    let (deliveries, incoming) = bridge.incoming::<u64>(source()).await.unwrap();
    for n in [1, 2] {
        let mut delivery = receive(&deliveries).await;
        assert_eq!(*delivery, n);
        delivery.ack().await.unwrap();
    }
    until("all are settled", async || {
        stream.info().await.unwrap().state.messages == 0
    })
    .await;
    let letter = dead.get_raw_message(1).await.unwrap();
    assert_eq!(&letter.payload[..], b"\"\r\nEvil: header\"");
    assert_eq!(
        letter.headers.get("Nats-Msg-Id").unwrap().as_str(),
        "dead.numbers.2"
    );
    assert!(
        letter
            .headers
            .get("Reason")
            .unwrap()
            .as_str()
            .starts_with("undecodable")
    );
    assert!(letter.headers.get("Evil").is_none());
    incoming.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_poison_message_becomes_a_dead_letter_and_the_others_are_done() {
    const POISON: u64 = 3;
    let server = Server::new().await;
    let bridge = server.connect().await;
    let mut stream = bridge.stream("numbers", "numbers").await.unwrap();
    let mut dead = bridge.stream("dead", "dead.>").await.unwrap();
    let source = Source {
        ack_wait: Duration::from_millis(200),
        max_deliver: 3,
        ..source()
    };
    let (deliveries, _incoming) = bridge.incoming::<u64>(source.clone()).await.unwrap();
    let _burials = bridge.dead_letters(source).await.unwrap();
    publish(&bridge, 0..10).await;
    let (tried, deaths) = hchan::unbounded();
    // A worker that gets it panics; another takes its place.
    let workers = tokio::spawn(async move {
        loop {
            let (deliveries, tried) = (deliveries.clone(), tried.clone());
            let worker = tokio::spawn(async move {
                while let Ok(mut delivery) = deliveries.recv().await {
                    if *delivery == POISON {
                        tried.try_send(delivery.delivered()).unwrap();
                        std::panic::resume_unwind(Box::new("poison"));
                    }
                    delivery.ack().await.unwrap();
                }
            });
            if worker.await.is_ok() {
                return;
            }
        }
    });
    until("a letter has come", async || {
        dead.info().await.unwrap().state.messages == 1
    })
    .await;
    until("the rest is done", async || {
        stream.info().await.unwrap().state.messages == 0
    })
    .await;
    let letter = dead.get_raw_message(1).await.unwrap();
    assert_eq!(
        (&letter.subject[..], &letter.payload[..]),
        ("dead.numbers", &b"3"[..])
    );
    assert_eq!(
        letter.headers.get("Reason").unwrap().as_str(),
        "delivered 3 times"
    );
    workers.abort();
    assert!(deaths.try_iter().eq([1, 2, 3]));
}
