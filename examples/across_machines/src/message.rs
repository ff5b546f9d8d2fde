//! What the joined channels carry.

use std::{
    fmt,
    ops::Deref,
    sync::{Arc, Weak},
    time::Duration,
};

use async_nats::{
    Client, HeaderMap, PublishError, RequestError, Subject,
    jetstream::{AckKind, publish::PublishAck},
};
use hchan::Sender;
use serde::Serialize;
use tokio::{sync::Mutex, time::Instant};

use crate::bridge::Bridge;

/// A message to publish. The server stores an id once within the duplicate window.
pub struct Outgoing<T> {
    subject: String,
    id: String,
    message: T,
    confirm: Option<Sender<Result<PublishAck, Unconfirmed>>>,
}

impl<T> Outgoing<T> {
    pub fn new(subject: impl Into<String>, id: impl Into<String>, message: T) -> Self {
        let (subject, id) = (subject.into(), id.into());
        Self {
            subject,
            id,
            message,
            confirm: None,
        }
    }

    /// Sends it and waits until the server has confirmed it; `Ok` of a plain send means only that it is
    /// in the channel. Dropping this future does not stop a publish that has begun.
    pub async fn confirmed(mut self, to: &Sender<Self>) -> Result<PublishAck, Unconfirmed> {
        let (confirm, confirmed) = hchan::bounded(1);
        self.confirm = Some(confirm);
        let closed = || Unconfirmed("the bridge has stopped".to_owned());
        to.send(self).await.map_err(|_| closed())?;
        confirmed.recv().await.unwrap_or_else(|_| Err(closed()))
    }
}

impl<T: Serialize> Outgoing<T> {
    /// Does not hold the message while it waits, but its bytes.
    pub(crate) fn publish(
        self,
        bridge: &Bridge,
    ) -> impl Future<Output = Result<PublishAck, Unconfirmed>> {
        let Self {
            subject,
            id,
            message,
            confirm,
        } = self;
        let payload = serde_json::to_vec(&message);
        async move {
            let headers = HeaderMap::new();
            let result = match payload {
                Ok(payload) => bridge.publish(&subject, &id, headers, payload.into()).await,
                Err(error) => Err(Unconfirmed(format!("{id}: {error}"))),
            };
            if let Some(confirm) = confirm {
                let _ = confirm.try_send(result.clone()); // The caller may have given up.
            }
            result
        }
    }
}

/// A publish that the server has not confirmed. The message may be stored all the same.
#[derive(Clone, Debug)]
pub struct Unconfirmed(pub String);

impl fmt::Display for Unconfirmed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not confirmed: {}", self.0)
    }
}

impl std::error::Error for Unconfirmed {}

/// What became of the messages of a channel.
#[derive(Debug, Default)]
pub struct Published {
    pub stored: u64,
    /// The server knew their ids already: after a lost confirmation, for one.
    pub duplicates: u64,
    pub failed: u64,
    pub first_error: Option<Unconfirmed>,
}

/// A received message. Dropped before it is settled, it goes back to the server.
pub struct Delivery<T> {
    message: T,
    sequence: u64,
    delivered: i64,
    client: Client,
    /// `None` once it is settled.
    held: Option<Arc<Held>>,
    returned: Sender<Arc<Held>>,
}

/// What the bridge's task knows of a delivery until it is settled or dropped.
pub(crate) struct Held {
    pub(crate) reply: Subject,
    pub(crate) sequence: u64,
    pub(crate) delivered: i64,
    pub(crate) since: Instant,
    /// Locked while the delivery is being settled.
    pub(crate) is_settled: Mutex<bool>,
}

impl Held {
    pub(crate) async fn tell(&self, client: &Client, kind: AckKind) -> Result<(), PublishError> {
        client.publish(self.reply.clone(), kind.into()).await
    }

    /// Unless it is settled or being settled.
    pub(crate) async fn renew(&self, client: &Client) -> Result<(), PublishError> {
        match self.is_settled.try_lock() {
            Ok(is_settled) if !*is_settled => self.tell(client, AckKind::Progress).await,
            _ => Ok(()),
        }
    }

    /// Waits until the server has answered.
    pub(crate) async fn ask(&self, client: &Client, kind: AckKind) -> Result<(), RequestError> {
        // Not the client's `double_ack`: that takes "no responders" for a confirmation.
        client.request(self.reply.clone(), kind.into()).await?;
        Ok(())
    }
}

/// All deliveries that are neither settled nor dropped; and some that are, until they are looked for.
#[derive(Default)]
pub(crate) struct Unsettled(Vec<Weak<Held>>);

impl Unsettled {
    pub(crate) fn push(&mut self, held: &Arc<Held>) {
        if self.0.len() == self.0.capacity() {
            self.0.retain(|held| held.strong_count() > 0);
            self.0.reserve(self.0.len() + 1);
        }
        self.0.push(Arc::downgrade(held));
    }

    /// Forgets the others.
    pub(crate) fn younger_than(&mut self, age: Duration) -> Vec<Arc<Held>> {
        let is_young = |held: &Arc<Held>| held.since.elapsed() < age;
        let young: Vec<_> = self
            .0
            .iter()
            .filter_map(Weak::upgrade)
            .filter(is_young)
            .collect();
        self.0 = young.iter().map(Arc::downgrade).collect();
        young
    }
}

impl<T> Delivery<T> {
    pub(crate) fn new(
        message: T,
        client: Client,
        held: Arc<Held>,
        returned: Sender<Arc<Held>>,
    ) -> Self {
        Self {
            message,
            sequence: held.sequence,
            delivered: held.delivered,
            client,
            held: Some(held),
            returned,
        }
    }

    /// Tells the server that the work is done, and waits until the server has confirmed that. After an
    /// error the server may or may not know it: call again, or drop the delivery and get the message
    /// again.
    pub async fn ack(&mut self) -> Result<(), RequestError> {
        self.settle(AckKind::Ack).await
    }

    /// Gives the message back, to be delivered again after a pause.
    pub async fn nak(&mut self, delay: Duration) -> Result<(), RequestError> {
        self.settle(AckKind::Nak(Some(delay))).await
    }

    /// Ends the message's deliveries, though it is not done.
    pub async fn term(&mut self) -> Result<(), RequestError> {
        self.settle(AckKind::Term).await
    }

    /// Starts `ack_wait` anew, at any age. The bridge does it by itself up to the greatest age.
    pub async fn progress(&self) -> Result<(), PublishError> {
        match &self.held {
            Some(held) => held.tell(&self.client, AckKind::Progress).await,
            None => Ok(()),
        }
    }

    /// How often the message has been delivered, this time included.
    pub fn delivered(&self) -> i64 {
        self.delivered
    }

    /// The message's number in the stream.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Does nothing if it is settled. Dropped halfway, it is not settled.
    async fn settle(&mut self, kind: AckKind) -> Result<(), RequestError> {
        if let Some(held) = self.held.clone() {
            // A sign of progress behind a nak would undo its pause.
            let mut is_settled = held.is_settled.lock().await;
            held.ask(&self.client, kind).await?;
            *is_settled = true;
            self.held = None;
        }
        Ok(())
    }
}

impl<T> Deref for Delivery<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.message
    }
}

impl<T> Drop for Delivery<T> {
    fn drop(&mut self) {
        if let Some(held) = self.held.take() {
            // If the bridge's task has ended, the server notices by `ack_wait`.
            let _ = self.returned.try_send(held);
        }
    }
}
