//! A password from standard input: typed twice at a terminal that does not show it, or the first line of a pipe.
//!
//! Owns the terminal's settings while it asks, and puts them back. Questions go to standard error, so that what is
//! printed can be piped. Reads byte by byte: nothing of what follows is taken, and no buffer keeps a copy.

use std::io::{self, Stdin};
use std::os::fd::AsFd;

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, isatty, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::typed::{Next, TYPED_BYTES_MAX, Typed};

/// Asks for a password.
///
/// # Errors
/// There is none, it is too long, or the two do not match.
pub(super) fn ask() -> Result<Zeroizing<Vec<u8>>, String> {
    let input = io::stdin();
    if !isatty(&input) {
        return from_pipe(&input);
    }
    let _quiet = Quiet::new(&input).map_err(|error| format!("the terminal cannot be silenced: {error}"))?;
    let first = typed(&input, "Enter Password: ")?;
    let second = typed(&input, "Reenter Password: ")?;
    if *first != *second {
        return Err("the passwords do not match".into());
    }
    Ok(first)
}

fn typed(input: &Stdin, question: &str) -> Result<Zeroizing<Vec<u8>>, String> {
    eprint!("{question}");
    let mut line = Typed::new();
    let next = loop {
        let next = match read_byte(input)? {
            Some(byte) => line.take(byte),
            None => Next::Cancelled,
        };
        if next != Next::More {
            break next;
        }
    };
    eprintln!();
    match next {
        Next::Done => Ok(line.into_bytes()),
        Next::TooLong => Err(too_long()),
        Next::Cancelled | Next::More => Err("cancelled".into()),
    }
}

fn from_pipe(input: &Stdin) -> Result<Zeroizing<Vec<u8>>, String> {
    let mut line = Zeroizing::new(Vec::with_capacity(TYPED_BYTES_MAX + 1));
    while let Some(byte) = read_byte(input)?.filter(|&byte| byte != b'\n') {
        if line.len() > TYPED_BYTES_MAX {
            return Err(too_long());
        }
        line.push(byte);
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(line)
}

fn too_long() -> String {
    format!("the line has more than {TYPED_BYTES_MAX} bytes")
}

/// `None`: the end.
fn read_byte(input: &Stdin) -> Result<Option<u8>, String> {
    let mut byte = Zeroizing::new([0]);
    loop {
        match rustix::io::read(input, &mut *byte) {
            Ok(0) => return Ok(None),
            Ok(_) => return Ok(Some(byte[0])),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(format!("standard input: {error}")),
        }
    }
}

/// A terminal that shows nothing and hands over every key, Ctrl-C too: until this value goes.
struct Quiet<'a> {
    terminal: &'a Stdin,
    before: Termios,
}

impl<'a> Quiet<'a> {
    fn new(terminal: &'a Stdin) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut quiet = before.clone();
        // Without the signals of the keyboard nothing ends us before the settings are back.
        quiet.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG);
        quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
        quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(terminal.as_fd(), OptionalActions::Now, &quiet)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        // Where it fails the terminal is gone.
        let _gone = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}
