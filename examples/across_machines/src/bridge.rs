//! Joins channels of several processes through NATS JetStream.
//!
//! ```text
//!        one process                        the server                     another
//!  Sender<Outgoing<T>> ─▶ task ─── publish ──▶ stream ─── pull ──▶ task ─▶ Receiver<Delivery<T>>
//!                              ◀─ confirmed ──        ◀── ack, nak, term ── Delivery
//! ```
//!
//! A message is delivered at least once. It is safe when the server has confirmed its publish
//! ([`Outgoing::confirmed`]), and done when the server has confirmed its acknowledgement
//! ([`Delivery::ack`]).

use std::{collections::VecDeque, sync::Arc, time::Duration};

use async_nats::{
    Client, HeaderMap, StatusCode,
    connection::State,
    jetstream::{
        AckKind, Context,
        consumer::{PullConsumer, pull::BatchConfig},
        context::PublishErrorKind,
        message::{Message, PublishMessage},
        publish::PublishAck,
        stream::Stream,
    },
};
use bytes::Bytes;
use futures::StreamExt;
use hchan::{Permit, Receiver, Sender};
use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    task::{JoinHandle, JoinSet},
    time::{Instant, interval, sleep, timeout},
};

use crate::{
    config::{Config, Source},
    message::{Delivery, Held, Outgoing, Published, Unconfirmed, Unsettled},
};

/// How long a publish that failed waits before it is repeated.
const RETRY: Duration = Duration::from_millis(100);

pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// A connection to the server, which its clones share.
#[derive(Clone)]
pub struct Bridge {
    pub client: Client,
    pub jetstream: Context,
    config: Arc<Config>,
}

impl Bridge {
    pub async fn connect(config: Config) -> Result<Self, Error> {
        if config.duplicate_window <= config.outage + config.timeout {
            return Err("the duplicate window must exceed the outage and one timeout".into());
        }
        let client = config.connect_options().await?.connect(&config.url).await?;
        Ok(Self {
            jetstream: config.context(client.clone()),
            client,
            config: Arc::new(config),
        })
    }

    /// The stream of this name, which is made if there is none. It keeps each message until a consumer
    /// has acknowledged it.
    pub async fn stream(&self, name: &str, subject: &str) -> Result<Stream, Error> {
        let config = self.config.stream(name, subject);
        Ok(self.jetstream.get_or_create_stream(config).await?)
    }

    /// Publishes the messages of a channel until it is closed and empty.
    pub fn outgoing<T>(&self, from: Receiver<Outgoing<T>>) -> JoinHandle<Published>
    where
        T: Serialize + Send + 'static,
    {
        let bridge = self.clone();
        tokio::spawn(async move {
            // No more than the client lets be unconfirmed: with one, none can overtake a retry.
            let limit = bridge.config.max_ack_inflight;
            let publish = |outgoing: Outgoing<T>| outgoing.publish(&bridge);
            let mut results = from.into_stream().map(publish).buffer_unordered(limit);
            let mut published = Published::default();
            while let Some(result) = results.next().await {
                match result {
                    Ok(ack) if ack.duplicate => published.duplicates += 1,
                    Ok(_) => published.stored += 1,
                    Err(error) => {
                        published.failed += 1;
                        published.first_error.get_or_insert(error);
                    }
                }
            }
            published
        })
    }

    /// Publishes a message, again and again with the same id, until the server has confirmed it.
    pub(crate) async fn publish(
        &self,
        subject: &str,
        id: &str,
        headers: HeaderMap,
        payload: Bytes,
    ) -> Result<PublishAck, Unconfirmed> {
        let give_up = Instant::now() + self.config.outage;
        loop {
            let message = PublishMessage::build().payload(payload.clone());
            let message = message.headers(headers.clone()).message_id(id);
            let sent = self.jetstream.send_publish(subject.to_owned(), message);
            let error = match async { sent.await?.await }.await {
                Ok(confirmation) => return Ok(confirmation),
                Err(error) => error,
            };
            let is_final = error.kind() == PublishErrorKind::MaxPayloadExceeded;
            // Without a connection a retry would only wait in the client's buffer.
            loop {
                if is_final || Instant::now() >= give_up {
                    return Err(Unconfirmed(format!("{id}: {error}")));
                }
                sleep(RETRY).await;
                if self.is_connected() {
                    break;
                }
            }
        }
    }

    fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// Receives the messages of a consumer, never more than there is room for.
    pub async fn incoming<T>(
        &self,
        source: Source,
    ) -> Result<(Receiver<Delivery<T>>, Incoming), Error>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let stream = self.jetstream.get_stream_no_info(&source.stream).await?;
        let consumer = stream.create_consumer(source.consumer()).await?;
        let (to, deliveries) = hchan::bounded(source.capacity.max(1));
        let (stop, stopped) = hchan::bounded(0);
        let intake = Intake {
            bridge: self.clone(),
            stream,
            consumer,
            source,
            unsettled: Unsettled::default(),
            dead: JoinSet::new(),
        };
        let task = tokio::spawn(intake.run(to, stopped));
        Ok((deliveries, Incoming { stop, task }))
    }
}

/// The task of [`Bridge::incoming`]. Dropped, it stops as [`shutdown`](Incoming::shutdown) does.
pub struct Incoming {
    stop: Sender<()>,
    task: JoinHandle<Result<(), Error>>,
}

impl Incoming {
    /// Pulls no more, closes the channel, and waits until each delivery is settled or dropped and the
    /// server has been told.
    pub async fn shutdown(self) -> Result<(), Error> {
        drop(self.stop);
        self.task.await?
    }
}

struct Intake {
    bridge: Bridge,
    stream: Stream<()>,
    consumer: PullConsumer,
    source: Source,
    unsettled: Unsettled,
    dead: JoinSet<()>,
}

impl Intake {
    async fn run<T>(mut self, to: Sender<Delivery<T>>, stopped: Receiver<()>) -> Result<(), Error>
    where
        T: DeserializeOwned,
    {
        let (capacity, heartbeat) = (self.source.capacity.max(1), self.source.heartbeat);
        let client = self.bridge.client.clone();
        let (returned, returns) = hchan::unbounded();
        let mut renewal = interval(self.source.ack_wait / 3);
        let mut check = interval(heartbeat);
        let mut inbox = client.new_inbox();
        let mut subscriber = client.subscribe(inbox.clone()).await?;
        // One permit for each message that the server has been asked for and has not delivered.
        let mut permits = VecDeque::new();
        let (mut heard, mut is_broken) = (Instant::now(), false);
        loop {
            // The next pull begins while the last one is still being served.
            let is_low = permits.is_empty() || permits.len() + to.len() <= capacity / 2;
            hchan::select! {
                biased;
                recv(stopped) -> _ => break,
                future(to.closed()) -> _ => break,
                recv(returns) -> back => self.give_back(back?).await?,
                future(renewal.tick()) -> _ => self.renew().await?,
                future(to.reserve_many(capacity - permits.len())) -> more, if is_low => {
                    let Ok(more) = more else { break };
                    self.pull(more.len(), &inbox).await?;
                    if permits.is_empty() {
                        heard = Instant::now(); // Without a pull the server is silent.
                    }
                    permits.extend(more);
                }
                future(subscriber.next()) -> message => {
                    let message = message.ok_or("the connection is closed")?;
                    match message.status {
                        None | Some(StatusCode::OK) => {
                            self.deliver(message, permits.pop_front(), &returned);
                        }
                        Some(StatusCode::IDLE_HEARTBEAT) => {}
                        // A pull has ended. What it did not bring is asked for again.
                        Some(_) => match undelivered(&message) {
                            Some(n) => self.pull(n, &inbox).await?,
                            None => is_broken = true,
                        },
                    }
                    if !is_broken {
                        heard = Instant::now();
                    }
                }
                future(check.tick()) -> _ => {
                    let is_late = !permits.is_empty() && heard.elapsed() > heartbeat * 2;
                    if is_late && self.bridge.is_connected() {
                        // The server has forgotten the pulls: it has started anew, for one.
                        let consumer = self.stream.create_consumer(self.source.consumer()).await;
                        if let Ok(consumer) = consumer {
                            self.consumer = consumer;
                            inbox = client.new_inbox();
                            subscriber = client.subscribe(inbox.clone()).await?;
                            self.pull(permits.len(), &inbox).await?;
                            (heard, is_broken) = (Instant::now(), false);
                        }
                    }
                }
            }
        }
        // A message that has arrived goes back; one that is still on the way comes again after `ack_wait`.
        subscriber.unsubscribe().await?;
        while let Some(message) = subscriber.next().await {
            self.deliver(message, None::<Permit<'_, Delivery<T>>>, &returned);
        }
        drop(permits);
        drop((to, returned));
        // Until the last delivery is settled or dropped.
        loop {
            hchan::select! {
                recv(returns) -> back => match back {
                    Ok(back) => self.give_back(back).await?,
                    Err(_) => break,
                },
                future(renewal.tick()) -> _ => self.renew().await?,
            }
        }
        while self.dead.join_next().await.is_some() {}
        Ok(timeout(self.bridge.config.timeout, client.flush()).await??)
    }

    async fn pull(&self, batch: usize, inbox: &str) -> Result<(), Error> {
        if batch == 0 {
            return Ok(()); // The server would take it for one.
        }
        let heartbeat = self.source.heartbeat;
        let batch = BatchConfig {
            batch,
            expires: Some(heartbeat * 5),
            idle_heartbeat: heartbeat,
            ..BatchConfig::default()
        };
        Ok(self.consumer.request_batch(batch, inbox.into()).await?)
    }

    fn deliver<T: DeserializeOwned>(
        &mut self,
        message: async_nats::Message,
        permit: Option<Permit<'_, Delivery<T>>>,
        returned: &Sender<Arc<Held>>,
    ) {
        let context = self.bridge.jetstream.clone();
        let message = Message { message, context };
        let (Ok(info), Some(reply)) = (message.info(), message.reply.clone()) else {
            return; // It is not from a stream.
        };
        let (sequence, delivered) = (info.stream_sequence, info.delivered);
        let held = Arc::new(Held {
            reply,
            sequence,
            delivered,
            since: Instant::now(),
            is_settled: false.into(),
        });
        match serde_json::from_slice(&message.payload) {
            Ok(message) => {
                self.unsettled.push(&held);
                let client = self.bridge.client.clone();
                let delivery = Delivery::new(message, client, held, returned.clone());
                // Without a permit or receiver it is dropped, and so goes back to the server.
                let _ = permit.map(|permit| permit.send(delivery));
            }
            Err(error) => {
                let (bridge, source) = (self.bridge.clone(), self.source.clone());
                let payload = message.message.payload;
                while self.dead.try_join_next().is_some() {}
                self.dead.spawn(async move {
                    bridge.undecodable(&source, &held, payload, &error).await;
                });
            }
        }
    }

    /// Shows progress on all that is queued or held and not too old.
    async fn renew(&mut self) -> Result<(), Error> {
        for held in self.unsettled.younger_than(self.source.greatest_age) {
            if self.bridge.is_connected() {
                held.renew(&self.bridge.client).await?;
            }
        }
        Ok(())
    }

    /// A delivery has been dropped. The first time its message comes again at once, later after a pause.
    async fn give_back(&self, held: Arc<Held>) -> Result<(), Error> {
        let n = held.delivered as u32;
        let delay = (n > 1).then(|| self.source.backoff(n - 1));
        Ok(held.tell(&self.bridge.client, AckKind::Nak(delay)).await?)
    }
}

/// The number of messages that an ended pull did not bring.
fn undelivered(message: &async_nats::Message) -> Option<usize> {
    let headers = message.headers.as_ref()?;
    headers.get("Nats-Pending-Messages")?.as_str().parse().ok()
}
