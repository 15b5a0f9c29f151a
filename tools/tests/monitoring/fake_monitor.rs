//! A monitoring port that says what a test wants: pages by path, a login, TLS, silence. Ends with its value, and can come back on the
//! same port.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What a page is: status and body, by how often it was asked for before.
type Page = Box<dyn Fn(u64) -> (u16, String) + Send>;

#[derive(Default)]
struct Site {
    pages: HashMap<String, (Page, u64)>,
    /// The header that must come.
    login: Option<String>,
    /// Takes connections and says nothing.
    is_silent: bool,
    /// Every path that was asked for, with its query.
    asked: Vec<String>,
}

/// A running port.
pub(crate) struct FakeMonitor {
    address: SocketAddr,
    site: Arc<Mutex<Site>>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl FakeMonitor {
    /// On any free port.
    pub(crate) fn start() -> Self {
        Self::start_on(([127, 0, 0, 1], 0).into(), None)
    }

    /// With TLS.
    pub(crate) fn start_tls(config: ServerConfig) -> Self {
        Self::start_on(([127, 0, 0, 1], 0).into(), Some(Arc::new(config)))
    }

    /// On a port that it has had before.
    pub(crate) fn start_on(address: SocketAddr, tls: Option<Arc<ServerConfig>>) -> Self {
        let mut listener = TcpListener::bind(address);
        // The sockets of before may need a moment to go.
        kit::until(kit::DEADLINE, || {
            if listener.is_err() {
                listener = TcpListener::bind(address);
            }
            listener.is_ok()
        });
        let listener = listener.expect("the port is free");
        let address = listener.local_addr().expect("an address");
        let (site, is_over) = (Arc::<Mutex<Site>>::default(), Arc::<AtomicBool>::default());
        let (thread_site, thread_over) = (Arc::clone(&site), Arc::clone(&is_over));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if thread_over.load(SeqCst) {
                    return;
                }
                let (Ok(stream), site, tls) = (stream, Arc::clone(&thread_site), tls.clone()) else { continue };
                std::thread::spawn(move || serve(stream, &site, tls));
            }
        });
        Self { address, site, is_over, thread: Some(thread) }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The page at `path` from now on.
    pub(crate) fn set(&self, path: &str, status: u16, body: &str) {
        let body = body.to_owned();
        self.set_changing(path, move |_| (status, body.clone()));
    }

    /// The page at `path`, made anew by how often it was asked for before.
    pub(crate) fn set_changing(&self, path: &str, page: impl Fn(u64) -> (u16, String) + Send + 'static) {
        self.site.lock().expect("no panic").pages.insert(path.into(), (Box::new(page), 0));
    }

    /// Who asks must send this `Authorization`.
    pub(crate) fn set_login(&self, header: &str) {
        self.site.lock().expect("no panic").login = Some(header.into());
    }

    /// Nothing is answered any more.
    pub(crate) fn be_silent(&self) {
        self.site.lock().expect("no panic").is_silent = true;
    }

    /// Whether a page was asked for by exactly this path and query.
    pub(crate) fn was_asked(&self, path: &str) -> bool {
        self.site.lock().expect("no panic").asked.iter().any(|asked| asked == path)
    }
}

impl Drop for FakeMonitor {
    fn drop(&mut self) {
        self.is_over.store(true, SeqCst);
        // Wakes the thread; an error means that it has ended already.
        let _ended = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

fn serve(stream: TcpStream, site: &Mutex<Site>, tls: Option<Arc<ServerConfig>>) {
    // An error means that the client is gone.
    let _gone = match tls {
        None => answer(stream, site),
        Some(config) => {
            let connection = ServerConnection::new(config).expect("a sound configuration");
            answer(StreamOwned::new(connection, stream), site)
        }
    };
}

fn answer(mut stream: impl Read + Write, site: &Mutex<Site>) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            count => request.extend_from_slice(&buffer[..count]),
        }
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let target = request.split(' ').nth(1).unwrap_or_default().to_owned();
    let path = target.split('?').next().unwrap_or_default().to_owned();
    let (status, body) = {
        let mut site = site.lock().expect("no panic");
        site.asked.push(target);
        if site.is_silent {
            drop(site);
            // Until the client has enough.
            while stream.read(&mut buffer)? > 0 {}
            return Ok(());
        }
        let has_login = |login: &String| {
            request.lines().any(|line| line.to_ascii_lowercase().starts_with("authorization:") && line.ends_with(login))
        };
        match (site.login.as_ref().is_none_or(has_login), site.pages.get_mut(&path)) {
            (false, _) => (401, "who are you?".to_owned()),
            (true, Some((page, asked))) => {
                *asked += 1;
                page(*asked - 1)
            }
            (true, None) => (404, "404 page not found\n".to_owned()),
        }
    };
    let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    stream.flush()
}

/// `/varz` of a server that gets a number of messages each second and is looked at once a second by its own clock.
pub(crate) fn varz_page(server_id: &str, start_msgs: u64, msgs_a_second: u64, looks: u64) -> String {
    let seconds = looks % 60;
    let minutes = looks / 60;
    let msgs = start_msgs + msgs_a_second * looks;
    format!(
        r#"{{"server_id": "{server_id}", "server_name": "fake", "version": "2.15.1", "uptime": "{looks}s",
            "start": "2026-01-01T00:00:00Z", "now": "2026-01-01T01:{minutes:02}:{seconds:02}Z", "cpu": 12.5, "mem": 16777216,
            "connections": 3, "max_connections": 10, "subscriptions": 4, "slow_consumers": 2,
            "in_msgs": {msgs}, "in_bytes": {}, "out_msgs": {msgs}, "out_bytes": {}}}"#,
        msgs * 10,
        msgs * 10
    )
}

/// A certificate for the loopback address: its PEM text, and what a server needs.
pub(crate) fn certificate() -> (String, ServerConfig) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a pair");
    (made.cert.pem(), config)
}

/// A connection that stays silent for longer than any test is willing to wait.
pub(crate) const SHORT: Duration = Duration::from_millis(300);
