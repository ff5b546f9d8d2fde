//! What a bridge has to be told.

use std::{path::PathBuf, time::Duration};

use async_nats::{
    Client, ConnectOptions,
    jetstream::{Context, consumer::pull, context::ContextBuilder, stream},
};

/// How to reach the server, and how to publish.
#[derive(Clone)]
pub struct Config {
    /// `nats://host:port` or `tls://host:port`; several servers are separated by commas.
    pub url: String,
    /// Whether to refuse a server without TLS.
    pub require_tls: bool,
    /// A file with certificates of authorities to trust, beside the system's.
    pub root_certificates: Option<PathBuf>,
    /// The files with the client's own certificate and its key.
    pub client_certificate: Option<(PathBuf, PathBuf)>,
    pub credentials: Credentials,
    /// How long the client waits for one answer of the server.
    pub timeout: Duration,
    /// How many publishes may be unconfirmed at once. Only with one does a retry keep the order.
    pub max_ack_inflight: usize,
    /// For how long a publish is retried: the longest outage of the server that it survives.
    pub outage: Duration,
    /// For how long the server recognizes an id: longer than `outage` and `timeout` together.
    pub duplicate_window: Duration,
    /// A stream with so many bytes refuses more. Publishes are retried until there is room.
    pub stream_bytes: i64,
}

#[derive(Clone)]
pub enum Credentials {
    None,
    Password {
        user: String,
        password: String,
    },
    Token(String),
    /// A `.creds` file, with a token and a key to sign with.
    File(PathBuf),
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: "nats://127.0.0.1:4222".to_owned(),
            require_tls: false,
            root_certificates: None,
            client_certificate: None,
            credentials: Credentials::None,
            timeout: Duration::from_secs(5),
            max_ack_inflight: 256,
            outage: Duration::from_secs(120),
            duplicate_window: Duration::from_secs(300),
            stream_bytes: 1 << 30,
        }
    }
}

impl Config {
    pub(crate) async fn connect_options(&self) -> std::io::Result<ConnectOptions> {
        let mut options = ConnectOptions::new()
            .require_tls(self.require_tls)
            .request_timeout(Some(self.timeout));
        if let Some(certificates) = &self.root_certificates {
            options = options.add_root_certificates(certificates.clone());
        }
        if let Some((certificate, key)) = &self.client_certificate {
            options = options.add_client_certificate(certificate.clone(), key.clone());
        }
        Ok(match &self.credentials {
            Credentials::None => options,
            Credentials::Password { user, password } => {
                options.user_and_password(user.clone(), password.clone())
            }
            Credentials::Token(token) => options.token(token.clone()),
            Credentials::File(path) => options.credentials_file(path).await?,
        })
    }

    pub(crate) fn context(&self, client: Client) -> Context {
        ContextBuilder::new()
            .timeout(self.timeout)
            .ack_timeout(self.timeout)
            .max_ack_inflight(self.max_ack_inflight)
            .build(client)
    }

    pub(crate) fn stream(&self, name: &str, subject: &str) -> stream::Config {
        stream::Config {
            name: name.to_owned(),
            subjects: vec![subject.to_owned()],
            retention: stream::RetentionPolicy::WorkQueue,
            // A full stream must not make room by dropping what no consumer has acknowledged.
            discard: stream::DiscardPolicy::New,
            max_bytes: self.stream_bytes,
            duplicate_window: self.duplicate_window,
            ..stream::Config::default()
        }
    }
}

/// Which messages to receive, and how many at once; the same in all processes of one consumer.
#[derive(Clone)]
pub struct Source {
    pub stream: String,
    /// The consumer's name. The processes that give the same name share its messages.
    pub consumer: String,
    pub subject: String,
    /// The subject of messages that no process could handle. A stream has to store it.
    pub dead_letters: String,
    /// How many messages wait in the channel of one process; at least 1.
    pub capacity: usize,
    /// How many messages are worked on at once in one process.
    pub workers: usize,
    pub processes: usize,
    /// The server delivers a message again after so long without an acknowledgement or a sign of
    /// progress. The bridge gives that sign, every third of this time, for all that is queued or held.
    pub ack_wait: Duration,
    /// The age of a delivery at which the bridge stops that: its worker is stuck, and loses the job.
    pub greatest_age: Duration,
    /// After so many deliveries without success the server gives up; the message is a dead letter.
    pub max_deliver: u32,
    /// How often the server shows that a pull still stands.
    pub heartbeat: Duration,
}

impl Source {
    pub fn new(stream: &str, consumer: &str, subject: &str) -> Self {
        Self {
            stream: stream.to_owned(),
            consumer: consumer.to_owned(),
            subject: subject.to_owned(),
            dead_letters: format!("dead.{stream}"),
            capacity: 16,
            workers: 1,
            processes: 1,
            ack_wait: Duration::from_secs(30),
            greatest_age: Duration::from_secs(600),
            max_deliver: 5,
            heartbeat: Duration::from_secs(2),
        }
    }

    pub(crate) fn consumer(&self) -> pull::Config {
        // For the server 0 means a default of its own.
        let unacknowledged = (self.processes * (self.capacity + self.workers)).max(1) as i64;
        pull::Config {
            durable_name: Some(self.consumer.clone()),
            filter_subject: self.subject.clone(),
            ack_wait: self.ack_wait,
            max_deliver: self.max_deliver.into(),
            // The server goes on with the last of them.
            backoff: (1..self.max_deliver.min(8))
                .map(|n| self.backoff(n))
                .collect(),
            max_ack_pending: unacknowledged,
            max_waiting: unacknowledged,
            ..pull::Config::default()
        }
    }

    /// How long the server waits for the acknowledgement of the nth delivery: each time twice as long.
    pub(crate) fn backoff(&self, n: u32) -> Duration {
        self.ack_wait * (1 << n.saturating_sub(1).min(6))
    }
}
