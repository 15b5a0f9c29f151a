//! One server process for the scenarios: started, killed, started again on the same port.

use std::process::Stdio;
use std::time::Duration;

use async_nats::{ConnectError, ConnectOptions, Event};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::mpsc::UnboundedSender;

use crate::Failure;

/// For a connect, on a machine that does other things too.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The process and where it listens.
pub(crate) struct Server {
    program: String,
    flags: Vec<String>,
    port: Option<u16>,
    child: Option<Child>,
}

impl Server {
    pub(crate) fn new(program: String, flags: Vec<String>) -> Self {
        Self { program, flags, port: None, child: None }
    }

    /// Starts the program and waits until it says that it is ready.
    pub(crate) async fn start(&mut self) -> Result<(), Failure> {
        let port = self.port.map_or("-1".to_owned(), |port| port.to_string());
        let mut child = Command::new(&self.program)
            .args(["-a", "127.0.0.1", "-p", &port])
            .args(&self.flags)
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut lines = BufReader::new(child.stderr.take().ok_or("no standard error")?).lines();
        self.port = Some(wait_until_ready(&mut lines).await?);
        // Read on, so that the server never waits for us.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        self.child = Some(child);
        Ok(())
    }

    pub(crate) async fn kill(&mut self) -> Result<(), Failure> {
        if let Some(mut child) = self.child.take() {
            child.kill().await?;
        }
        Ok(())
    }

    /// A new client.
    pub(crate) async fn connect(&self) -> Result<async_nats::Client, Failure> {
        Ok(self.connect_with(ConnectOptions::new()).await?)
    }

    /// A new client with these options.
    pub(crate) async fn connect_with(&self, options: ConnectOptions) -> Result<async_nats::Client, ConnectError> {
        // Before the first start nobody listens on port 0.
        options.connection_timeout(TIMEOUT).connect(("127.0.0.1", self.port.unwrap_or(0)).to_url()).await
    }

    /// Options of a client that tells of its connection's state, and of what the server complains about.
    pub(crate) fn telling(options: ConnectOptions, events: UnboundedSender<Event>) -> ConnectOptions {
        options.reconnect_delay_callback(|_| Duration::from_millis(20)).event_callback(move |event| {
            let events = events.clone();
            async move {
                // The scenario may have ended already.
                let _ = events.send(event);
            }
        })
    }

    /// A new client that tells of its connection's state.
    pub(crate) async fn connect_with_events(
        &self,
        events: UnboundedSender<Event>,
    ) -> Result<async_nats::Client, Failure> {
        Ok(self.connect_with(Self::telling(ConnectOptions::new(), events)).await?)
    }
}

trait ToUrl {
    fn to_url(&self) -> String;
}

impl ToUrl for (&str, u16) {
    fn to_url(&self) -> String {
        format!("nats://{}:{}", self.0, self.1)
    }
}

async fn wait_until_ready(lines: &mut Lines<BufReader<ChildStderr>>) -> Result<u16, Failure> {
    let mut port = None;
    while let Some(line) = lines.next_line().await? {
        if let Some((_, text)) = line.split_once("Listening for client connections on 127.0.0.1:") {
            port = text.trim().parse().ok();
        }
        if line.contains("Server is ready") {
            return port.ok_or_else(|| "the log does not name the port".into());
        }
    }
    Err("the server ended before it was ready".into())
}
