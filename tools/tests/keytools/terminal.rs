//! A pseudo-terminal, and the binary whose standard input it is.
//!
//! Owns both ends of the terminal. Invariant: the user's side is read only to count what was shown.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::{Child, ExitStatus, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

use crate::invocation::{Ran, command};

/// The binary at a terminal.
pub(crate) struct Terminal {
    /// Where keys go in and what is shown comes out.
    user: File,
    /// The side of programs; held open so that what was shown is not lost.
    program: File,
    child: Child,
    status: Option<ExitStatus>,
    err: Vec<u8>,
}

impl Terminal {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let user = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&user).expect("ours");
        unlockpt(&user).expect("ours");
        let name = ptsname(&user, Vec::new()).expect("a name").into_string().expect("text");
        let program = OpenOptions::new().read(true).write(true).open(name).expect("ours");
        let mut command = command(arguments);
        let stdin = program.try_clone().expect("a descriptor");
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().expect("the binary runs");
        Self { user: user.into(), program, child, status: None, err: Vec::new() }
    }

    /// Reads standard error until this text has come; panics where it ends before.
    pub(crate) fn wait_for(&mut self, text: &str) {
        let pipe = self.child.stderr.as_mut().expect("a pipe");
        let mut byte = [0];
        while !self.err.ends_with(text.as_bytes()) {
            let count = pipe.read(&mut byte).expect("a pipe");
            assert_ne!(count, 0, "{text:?} does not come: {:?}", String::from_utf8_lossy(&self.err));
            self.err.extend_from_slice(&byte);
        }
    }

    /// Types.
    pub(crate) fn keys(&mut self, keys: &[u8]) {
        self.user.write_all(keys).expect("a terminal");
    }

    /// Whether the terminal shows what is typed.
    pub(crate) fn echoes(&self) -> bool {
        tcgetattr(&self.program).expect("a terminal").local_modes.contains(LocalModes::ECHO)
    }

    /// Waits for the end of the binary.
    pub(crate) fn wait(&mut self) {
        self.status = Some(self.child.wait().expect("it ends"));
    }

    /// Waits for the end; what was printed, and how many bytes the terminal has shown.
    pub(crate) fn end(mut self) -> (Ran, u64) {
        let mut out = String::new();
        self.child.stdout.take().expect("a pipe").read_to_string(&mut out).expect("text");
        self.child.stderr.take().expect("a pipe").read_to_end(&mut self.err).expect("a pipe");
        if self.status.is_none() {
            self.wait();
        }
        let shown = rustix::io::ioctl_fionread(&self.user).expect("a terminal");
        let code = self.status.and_then(|status| status.code()).unwrap_or(-1);
        (Ran { out, err: String::from_utf8_lossy(&self.err).into_owned(), code }, shown)
    }
}
