//! Hides secrets of the command line from everyone else on the machine: `/proc/PID/cmdline`, and so `ps`, is for all to read.
//!
//! Owns the overwriting of this process's own arguments. What is secret among them the caller says; what it needs of them it has
//! copied before. Every byte becomes an `x`: how long a secret was can still be seen, and so can the secret itself in the moment
//! between the start of the program and this.
//!
//! The kernel shows the memory between `arg_start` and `arg_end`, and says in `/proc/self/stat` where that is. So what is overwritten
//! is what others see, whatever the C library is, without a static that keeps what it gave us; and it is not touched unless it holds
//! exactly the arguments that we know. Afterwards it is read again the way others read it.

#![expect(unsafe_code, reason = "the arguments are memory that the kernel has filled, which nothing safe may write to")]

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::io;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt as _;

/// What stands for each byte of a secret.
const COVER: u8 = b'x';

/// Why others may still see the secrets.
#[derive(Debug)]
pub enum HideError {
    /// The kernel does not say what it shows, or where that is.
    Kernel(io::Error),
    /// The kernel shows something else than our arguments.
    Differs,
}

impl fmt::Display for HideError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kernel(error) => write!(f, "/proc/self cannot be read: {error}"),
            Self::Differs => f.write_str("the kernel shows other arguments than those that were given"),
        }
    }
}

impl std::error::Error for HideError {}

/// Overwrites places of this process's arguments: which argument (the program's name is number 0), which of its bytes.
/// To be called before there are other threads. Nothing is touched where there is nothing to hide.
///
/// # Errors
/// Where that cannot be done: others see the secrets.
pub fn hide(arguments: &[OsString], secrets: &[(usize, Range<usize>)]) -> Result<(), HideError> {
    if secrets.is_empty() {
        return Ok(());
    }
    let shown = fs::read("/proc/self/cmdline").map_err(HideError::Kernel)?;
    let known: Vec<u8> = arguments.iter().flat_map(|argument| [argument.as_bytes(), b"\0"].concat()).collect();
    let place = place(&fs::read("/proc/self/stat").map_err(HideError::Kernel)?).ok_or(HideError::Differs)?;
    if shown != known || place.len() != known.len() {
        return Err(HideError::Differs);
    }
    let mut covered = known;
    for offset in offsets(arguments, secrets) {
        // `place` has the length of `covered`, so an offset that is inside one is inside the other.
        let Some(byte) = covered.get_mut(offset) else { return Err(HideError::Differs) };
        *byte = COVER;
        let shown = std::ptr::with_exposed_provenance_mut::<u8>(place.start + offset);
        // SAFETY: the kernel says that our arguments are the bytes of `place`, and `offset` is below its length. It has put them above
        // the stack of the first thread, in memory of this process that may be written for as long as it lives (C says so of the strings
        // of `argv`), and which no object of Rust's is in. What it shows of that memory are our arguments, so it has not been put to
        // another use. There is no other thread yet, and what std and the C library keep of `argv` are pointers, which they read only when
        // asked; the byte stays one that is not 0.
        unsafe { shown.write_volatile(COVER) };
    }
    let shown = fs::read("/proc/self/cmdline").map_err(HideError::Kernel)?;
    if shown == covered { Ok(()) } else { Err(HideError::Differs) }
}

/// The offsets of secret bytes, where all arguments stand one after the other with a 0 behind each.
fn offsets(arguments: &[OsString], secrets: &[(usize, Range<usize>)]) -> impl Iterator<Item = usize> {
    let starts = arguments.iter().scan(0, |next, argument| {
        let start = *next;
        *next += argument.len() + 1;
        Some((start, argument.as_os_str()))
    });
    let starts: Vec<(usize, &OsStr)> = starts.collect();
    let ranges = secrets.iter().filter_map(move |(number, bytes)| {
        let (start, argument) = starts.get(*number)?;
        Some(start + bytes.start..start + bytes.end.min(argument.len()))
    });
    ranges.flatten()
}

/// Where the kernel says that the arguments are: fields 48 and 49 of a process's `stat`, of which the second is a name in
/// parentheses that may hold anything.
fn place(stat: &[u8]) -> Option<Range<usize>> {
    let end_of_name = stat.iter().rposition(|&byte| byte == b')')?;
    let rest = std::str::from_utf8(stat.get(end_of_name + 1..)?).ok()?;
    let mut fields = rest.split_ascii_whitespace().skip(48 - 3);
    let start: usize = fields.next()?.parse().ok()?;
    let end = fields.next()?.parse().ok()?;
    (start != 0 && start <= end).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(texts: &[&str]) -> Vec<OsString> {
        texts.iter().map(OsString::from).collect()
    }

    #[test]
    fn the_place_is_read_behind_any_name() {
        let numbers: Vec<String> = (4..=52).map(|field| (field * 10).to_string()).collect();
        for name in ["dunlin", "a b", ") S 1 2 ("] {
            let stat = format!("77 ({name}) S {}\n", numbers.join(" "));
            assert_eq!(place(stat.as_bytes()), Some(480..490), "{name}");
        }
        for stat in ["", "77 (dunlin) S 1 2 3", "77 dunlin", "77 (dunlin) \u{e9}"] {
            assert_eq!(place(stat.as_bytes()), None, "{stat}");
        }
        // What is shown to those who may not know.
        let zeros = format!("77 (x) S {}", "0 ".repeat(49));
        assert_eq!(place(zeros.as_bytes()), None);
    }

    #[test]
    fn this_process_has_its_arguments_where_the_kernel_says() {
        let place = place(&fs::read("/proc/self/stat").expect("the kernel tells")).expect("a place");
        let length: usize = std::env::args_os().map(|argument| argument.len() + 1).sum();
        assert_eq!(place.len(), length);
    }

    #[test]
    fn offsets_count_the_zeros_between_arguments() {
        let given = arguments(&["prog", "--pass", "ab", "", "--auth=cd"]);
        let secrets = [(2, 0..2), (3, 0..0), (4, 7..9)];
        let known: Vec<u8> = given.iter().flat_map(|argument| [argument.as_bytes(), b"\0"].concat()).collect();
        let hidden: Vec<u8> = offsets(&given, &secrets).map(|offset| known[offset]).collect();
        assert_eq!(hidden, b"abcd");
        assert_eq!(offsets(&given, &[(5, 0..1), (2, 1..9)]).count(), 1, "what is outside is left out");
    }

    #[test]
    fn other_arguments_than_those_of_the_process_are_not_touched() {
        let before = fs::read("/proc/self/cmdline").expect("the kernel shows it");
        let refused = hide(&arguments(&["another", "--pass", "secret"]), &[(2, 0..6)]);
        assert!(matches!(refused, Err(HideError::Differs)), "{refused:?}");
        assert_eq!(fs::read("/proc/self/cmdline").expect("the kernel shows it"), before);
        assert!(hide(&[], &[]).is_ok());
    }
}
