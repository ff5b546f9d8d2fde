//! A server for one test, and a proxy that loses what it is told to lose.
#![allow(dead_code, reason = "each test file uses a part")]

use std::{
    env,
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use across_machines::{bridge::Bridge, config::Config};
use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep},
};

/// Longer than anything takes: a test that waits so long has failed.
pub const PATIENCE: Duration = Duration::from_secs(120);

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// A process that is killed when it is dropped.
pub struct Process(pub Child);

impl Process {
    pub fn signal(&self, signal: &str) {
        let id = self.0.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(sent.success(), "kill {signal}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server of its own, on a free port of the loopback, with a directory of its own.
pub struct Server {
    pub port: u16,
    directory: TempDir,
    options: Vec<String>,
    process: Option<Process>,
}

impl Server {
    pub async fn new() -> Self {
        Self::with(&[]).await
    }

    pub async fn with(options: &[&str]) -> Self {
        let mut server = Self {
            port: free_port(),
            directory: TempDir::new().unwrap(),
            options: options.iter().map(|&option| option.to_owned()).collect(),
            process: None,
        };
        server.start().await;
        server
    }

    pub async fn start(&mut self) {
        let program = env::var("NATS_SERVER").unwrap_or_else(|_| "nats-server".to_owned());
        let child = Command::new(&program)
            .args([
                "--addr",
                "127.0.0.1",
                "--port",
                &self.port.to_string(),
                "--jetstream",
                "--store_dir",
            ])
            .arg(self.directory.path())
            .args(&self.options)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.process = Some(Process(child.unwrap_or_else(|error| {
            panic!("{program}: {error}. Install nats-server, or name it in $NATS_SERVER")
        })));
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
            assert!(Instant::now() < deadline, "the server does not start");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Asks the server to end, and waits until it has.
    pub async fn stop(&mut self) {
        let mut process = self.process.take().expect("it runs");
        process.signal("-TERM");
        process.0.wait().unwrap();
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub async fn connect(&self) -> Bridge {
        Bridge::connect(config(self.url())).await.unwrap()
    }
}

/// As by default, with less patience.
pub fn config(url: String) -> Config {
    Config {
        url,
        timeout: Duration::from_secs(3),
        ..Config::default()
    }
}

/// Waits until it holds.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(
            Instant::now() < deadline,
            "not so after {PATIENCE:?}: {what}"
        );
        sleep(Duration::from_millis(10)).await;
    }
}

/// Stands between a client and the server. On command it cuts the connection instead of forwarding the
/// next bytes that contain a pattern. The client may connect again.
pub struct Proxy {
    port: u16,
    to_server: Lose,
    to_client: Lose,
}

type Lose = Arc<Mutex<Option<&'static str>>>;

impl Proxy {
    pub async fn new(server: &Server) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            to_server: Lose::default(),
            to_client: Lose::default(),
        };
        let (to_server, to_client) = (proxy.to_server.clone(), proxy.to_client.clone());
        let port = server.port;
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let (to_server, to_client) = (to_server.clone(), to_client.clone());
                tokio::spawn(async move {
                    let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else {
                        return;
                    };
                    let (from_client, into_client) = client.into_split();
                    let (from_server, into_server) = server.into_split();
                    tokio::select! {
                        () = forward(from_client, into_server, to_server) => {}
                        () = forward(from_server, into_client, to_client) => {}
                    }
                });
            }
        });
        proxy
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub fn lose_to_server(&self, pattern: &'static str) {
        *self.to_server.lock().unwrap() = Some(pattern);
    }

    pub fn lose_to_client(&self, pattern: &'static str) {
        *self.to_client.lock().unwrap() = Some(pattern);
    }

    /// Whether it has lost what it was told to lose.
    pub fn has_lost(&self) -> bool {
        self.to_server.lock().unwrap().is_none() && self.to_client.lock().unwrap().is_none()
    }
}

async fn forward(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, lose: Lose) {
    // The end of what was forwarded last: a pattern may come in two parts.
    let (mut seen, mut buffer) = (Vec::new(), vec![0; 1 << 16]);
    while let Ok(n @ 1..) = from.read(&mut buffer).await {
        seen.drain(..seen.len().saturating_sub(64));
        seen.extend_from_slice(&buffer[..n]);
        {
            let mut lose = lose.lock().unwrap();
            let found =
                |pattern: &&str| seen.windows(pattern.len()).any(|w| w == pattern.as_bytes());
            if lose.as_ref().is_some_and(found) {
                *lose = None;
                return;
            }
        }
        if to.write_all(&buffer[..n]).await.is_err() {
            return;
        }
    }
}
