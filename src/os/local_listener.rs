//! A listening Unix socket, for clients of this host.
//!
//! Owns the file in which such a socket lives: who may open it, what becomes of one that an earlier server left behind, and that it
//! goes when we do. A file that is no socket, or that somebody listens at, is never touched.
//!
//! An accepted socket is handed on as a stream of TCP: reading, writing and ending are the same calls for both, so that the way of a
//! message does not ask which it is. Its address is taken here, as the kernel vouches for it.

use std::fmt;
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::PeerCredentials;
use socket2::{Domain, SockAddr, Socket, Type};

use super::errno;
use crate::ids::ClientAddress;

/// Who may open the file while nobody should yet.
const NOBODY: u32 = 0o600;

/// Listens, and removes its file in the end.
#[derive(Debug)]
pub struct LocalListener {
    /// Before the socket: while its file is there, somebody listens.
    file: SocketFile,
    listener: mio::net::UnixListener,
}

/// Why we cannot listen there.
#[derive(Debug)]
pub struct LocalListenError {
    path: PathBuf,
    why: Why,
}

#[derive(Debug)]
enum Why {
    Name(io::Error),
    NoSocket,
    InUse,
    Call { name: &'static str, source: io::Error },
}

impl fmt::Display for LocalListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unix_socket {}: ", self.path.display())?;
        match &self.why {
            Why::Name(source) => write!(f, "no name for a socket: {source}"),
            Why::NoSocket => f.write_str("a file that is no socket is there: remove it, or choose another path"),
            Why::InUse => f.write_str("another server listens there: stop it, or choose another path"),
            Why::Call { name, source } => write!(f, "{name}: {}", errno::text(source)),
        }
    }
}

impl std::error::Error for LocalListenError {}

/// The file of a socket that is ours.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    /// Device and number: another server may have put its own there since.
    identity: Option<(u64, u64)>,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.identity.is_some() && identity(&self.path) == self.identity {
            let _ = fs::remove_file(&self.path); // nobody is left to tell
        }
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::symlink_metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

impl LocalListener {
    /// Listens at `path`; `mode` says who may connect. A socket that nobody listens at makes room.
    ///
    /// # Errors
    /// Where something else is there, the name is too long, or the folder can't be written.
    pub fn bind(path: &Path, mode: u32, backlog: u32) -> Result<Self, LocalListenError> {
        let fail = |why| LocalListenError { path: path.to_path_buf(), why };
        let call = |name| move |source| fail(Why::Call { name, source });
        let address = SockAddr::unix(path).map_err(|source| fail(Why::Name(source)))?;
        make_room(path, &address).map_err(fail)?;
        let socket = Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None).map_err(call("socket"))?;
        // The file gets the mode of the socket: nobody may open it before it has the one that is wanted.
        rustix::fs::fchmod(&socket, rustix::fs::Mode::from_raw_mode(NOBODY))
            .map_err(|errno| call("chmod")(errno.into()))?;
        socket.bind(&address).map_err(call("bind"))?;
        let file = SocketFile { path: path.to_path_buf(), identity: identity(path) };
        socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX)).map_err(call("listen"))?;
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(call("chmod"))?;
        let listener = mio::net::UnixListener::from_std(UnixListener::from(OwnedFd::from(socket)));
        Ok(Self { file, listener })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.file.path
    }

    /// Readiness is reported under `token` from now on.
    pub(super) fn register(&mut self, registry: &mio::Registry, token: mio::Token) -> io::Result<()> {
        registry.register(&mut self.listener, token, mio::Interest::READABLE)
    }

    /// The next connection that waits.
    pub(super) fn accept(&self) -> io::Result<(mio::net::TcpStream, ClientAddress)> {
        let (stream, _) = self.listener.accept()?;
        let address = who(&stream);
        let socket = mio::net::TcpStream::from_std(std::net::TcpStream::from(OwnedFd::from(stream)));
        Ok((socket, address))
    }
}

/// The process that connected, as the kernel noted it then.
fn who(stream: &impl AsFd) -> ClientAddress {
    match getsockopt(stream, PeerCredentials) {
        // 0: a process that this one cannot name, in a container of its own.
        Ok(them) => ClientAddress::Local { pid: them.pid().unsigned_abs(), uid: them.uid() },
        Err(_) => ClientAddress::Local { pid: 0, uid: u32::MAX },
    }
}

/// Removes a socket that nobody listens at any more.
fn make_room(path: &Path, address: &SockAddr) -> Result<(), Why> {
    let lost = |name| move |source| Why::Call { name, source };
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(Why::Call { name: "stat", source }),
    };
    if !metadata.file_type().is_socket() {
        return Err(Why::NoSocket);
    }
    let socket = Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None).map_err(lost("socket"))?;
    match socket.connect(address) {
        Ok(()) => Err(Why::InUse),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path).map_err(lost("remove")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        // So many wait there that there is no room: somebody listens.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(Why::InUse),
        Err(source) => Err(Why::Call { name: "connect", source }),
    }
}
