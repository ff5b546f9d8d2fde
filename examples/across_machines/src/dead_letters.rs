//! Messages that no process could handle.

use std::time::Duration;

use async_nats::{
    HeaderMap,
    jetstream::{
        AckKind,
        stream::{RawMessageErrorKind, Stream},
    },
};
use bytes::Bytes;
use serde::Deserialize;

use crate::{
    bridge::{Bridge, Error, Incoming},
    config::Source,
    message::{Held, Unconfirmed},
};

/// What the server says once about a message that has been delivered `max_deliver` times without an
/// acknowledgement. The message stays in its stream, and the server never delivers it again.
#[derive(Deserialize)]
struct Exhausted {
    stream_seq: u64,
    deliveries: u64,
}

impl Bridge {
    /// Moves each message that was delivered too often to the dead letters, until it is shut down. One
    /// process does it, or several share it. What the server says in between is kept in a stream.
    pub async fn dead_letters(&self, source: Source) -> Result<Incoming, Error> {
        let stream = self.jetstream.get_stream(&source.stream).await?;
        let subject = format!(
            "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.{}.{}",
            source.stream, source.consumer,
        );
        let name = format!("{}-{}-exhausted", source.stream, source.consumer);
        self.stream(&name, &subject).await?;
        let own = Source {
            max_deliver: u32::MAX,
            ..Source::new(&name, "dead_letters", &subject)
        };
        let (exhausted, incoming) = self.incoming::<Exhausted>(own).await?;
        let bridge = self.clone();
        tokio::spawn(async move {
            while let Ok(mut delivery) = exhausted.recv().await {
                let _ = match bridge.bury(&source, &stream, &delivery).await {
                    Ok(()) => delivery.ack().await,
                    Err(_) => delivery.nak(Duration::from_secs(1)).await,
                };
            }
        });
        Ok(incoming)
    }

    /// Makes a dead letter of a message that cannot be decoded, and ends its deliveries. If either fails, the
    /// message comes again, and the server recognizes the dead letter by its id.
    pub(crate) async fn undecodable(
        &self,
        source: &Source,
        held: &Held,
        payload: Bytes,
        error: &serde_json::Error,
    ) {
        let reason = format!("undecodable: {error}");
        let dead = self.dead_letter(source, held.sequence, payload, &reason);
        if dead.await.is_ok() {
            let _ = held.ask(&self.client, AckKind::Term).await;
        }
    }

    async fn dead_letter(
        &self,
        source: &Source,
        sequence: u64,
        payload: Bytes,
        reason: &str,
    ) -> Result<(), Unconfirmed> {
        let mut headers = HeaderMap::new();
        // The reason may quote the message, which must not end the header's line.
        headers.insert("Reason", reason.escape_default().to_string());
        let id = format!("dead.{}.{sequence}", source.stream);
        self.publish(&source.dead_letters, &id, headers, payload)
            .await?;
        Ok(())
    }

    async fn bury(
        &self,
        source: &Source,
        stream: &Stream,
        exhausted: &Exhausted,
    ) -> Result<(), Error> {
        let sequence = exhausted.stream_seq;
        let message = match stream.get_raw_message(sequence).await {
            Ok(message) => message,
            // A late acknowledgement has come, or this was done before.
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let reason = format!("delivered {} times", exhausted.deliveries);
        self.dead_letter(source, sequence, message.payload, &reason)
            .await?;
        stream.delete_message(sequence).await?;
        Ok(())
    }
}
