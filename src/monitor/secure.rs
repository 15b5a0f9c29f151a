//! Pages over TLS: the settings of their listener, and bytes of one connection through a session.
//!
//! The certificate is that of the `tls` block; whatever it asks of clients' certificates is not asked of who reads pages, as on the
//! peer. Files are read again when the server's configuration was.

use std::io::{self, ErrorKind, IoSlice};
use std::sync::{Arc, PoisonError};

use mio::net::TcpStream;

use super::View;
use crate::config::security::Tls;
use crate::log::Logger;
use crate::reactor::settings::Settings;
use crate::tls::session::{Failure, Progress, Scratch};
use crate::tls::{Session, TlsSettings};

/// What somebody is told who speaks plain HTTP here; the peer's words.
pub(super) const PLAIN_HTTP: &[u8] =
    b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";

/// Steps of reading in a row that bring nothing, before a client is given up.
const EMPTY_STEPS_MAX: usize = 1000;

/// What the listener's handshakes go by.
#[derive(Debug)]
pub(super) struct Keys {
    /// Read when the cores' settings were these.
    of: Arc<Settings>,
    settings: Arc<TlsSettings>,
}

impl Keys {
    /// Where the listener speaks TLS: what it goes by.
    pub(super) fn load(view: &View) -> Option<Self> {
        let config = view.config.lock().unwrap_or_else(PoisonError::into_inner);
        config.monitoring.listener.as_ref().filter(|listener| listener.tls)?;
        let tls = config.tls.as_ref().map(without_clients)?;
        drop(config);
        let settings = Arc::new(TlsSettings::load(&tls).ok()?);
        Some(Self { of: view.settings().0, settings })
    }

    /// What a new connection goes by.
    pub(super) fn current(&mut self, view: &View, log: &Logger) -> &TlsSettings {
        let now = view.settings().0;
        if !Arc::ptr_eq(&now, &self.of) {
            match Self::load(view) {
                Some(loaded) => self.settings = loaded.settings,
                None => log.error(format_args!("Monitoring: the new certificate cannot be used; the old one is")),
            }
            self.of = now;
        }
        &self.settings
    }
}

/// The same without what it asks of clients.
fn without_clients(tls: &Tls) -> Tls {
    Tls { ca_file: None, verify: false, verify_and_map: false, pinned_certs: Vec::new(), ..tls.clone() }
}

/// The TLS of one connection.
#[derive(Debug)]
pub(super) struct Channel {
    session: Box<Session>,
    open: bool,
}

impl Channel {
    /// Before its handshake; `None` where the settings are of no use.
    pub(super) fn new(settings: &TlsSettings) -> Option<Self> {
        Session::new(settings, b"").ok().map(|session| Self { session: Box::new(session), open: false })
    }

    /// Reads bytes of HTTP; the handshake goes on first.
    ///
    /// # Errors
    /// `WouldBlock` where the socket has nothing more, `Unsupported` where the client does not speak TLS, else what went wrong.
    pub(super) fn read(&mut self, socket: &mut TcpStream, into: &mut [u8], scratch: &mut Scratch) -> io::Result<usize> {
        for _ in 0..EMPTY_STEPS_MAX {
            let step = if self.open { self.session.read(socket, into, scratch) } else { self.shake(socket, scratch) };
            match self.session.flush(socket) {
                Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
                _ => {}
            }
            match step {
                Err(error) if error.kind() == ErrorKind::WouldBlock && self.session.has_more() => {}
                other => return other,
            }
        }
        Err(ErrorKind::InvalidData.into())
    }

    fn shake(&mut self, socket: &mut TcpStream, scratch: &mut Scratch) -> io::Result<usize> {
        match self.session.shake(socket, scratch) {
            Progress::Done => {
                self.open = true;
                Err(ErrorKind::WouldBlock.into())
            }
            Progress::Waits => Err(ErrorKind::WouldBlock.into()),
            Progress::Failed(Failure::NotTls) => Err(ErrorKind::Unsupported.into()),
            Progress::Failed(_) => Err(ErrorKind::InvalidData.into()),
        }
    }

    /// Writes the front of `bytes`; how many of them are done with.
    ///
    /// # Errors
    /// `WouldBlock` where the kernel takes no more now, else what it says.
    pub(super) fn write(&mut self, socket: &mut TcpStream, bytes: &[u8], scratch: &mut Scratch) -> io::Result<usize> {
        let done = self.session.flush(socket)?;
        if done > 0 {
            return Ok(done);
        }
        self.session.send(socket, &[IoSlice::new(bytes)], scratch)
    }

    /// Nothing more will be said.
    pub(super) fn say_goodbye(&mut self, socket: &mut TcpStream) {
        self.session.say_goodbye(socket);
    }
}
