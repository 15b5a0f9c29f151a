//! Servers that a comparison starts itself: a command line, a free port, an end.
//!
//! Ends only what it has started, also when it is dropped early.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use mio::Poll;

use super::clock::{nanos, now_ns, pause};
use super::dial::{Wish, dial};
use super::target::{ConnectionFlags, Target};
use super::trouble::{Outcome, Trouble};

const START_TIME_MAX: Duration = Duration::from_secs(10);
/// Ports are free when they are looked for and may be taken when they are used.
const ATTEMPTS_MAX: usize = 3;

/// One of the servers that are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Candidate {
    /// Runs already.
    Url(String),
    /// Words of a command; `{port}` is replaced, or `-a 127.0.0.1 -p PORT` added.
    Command(Vec<String>),
}

impl Candidate {
    /// From a word of the command line.
    pub(crate) fn parse(text: &str) -> Outcome<Self> {
        if text.contains("://") {
            return Ok(Self::Url(text.to_owned()));
        }
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        if words.is_empty() {
            return Err(Trouble::Usage("an empty server: give a URL or a command line".into()));
        }
        Ok(Self::Command(words))
    }

    /// Its name in tables.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Url(url) => url.rsplit_once('@').map_or(url.clone(), |(_, place)| place.to_owned()),
            Self::Command(words) => {
                let program = words.first().map_or("", |word| word.rsplit('/').next().unwrap_or(word));
                std::iter::once(program).chain(words.iter().skip(1).map(String::as_str)).collect::<Vec<_>>().join(" ")
            }
        }
    }
}

/// The names of all in tables: two of the same name get a number.
pub(crate) fn names(candidates: &[Candidate]) -> Vec<String> {
    let plain: Vec<String> = candidates.iter().map(Candidate::name).collect();
    let number = |(place, name): (usize, &String)| {
        let is_alone = plain.iter().filter(|other| *other == name).count() == 1;
        if is_alone { name.clone() } else { format!("{name} #{}", place + 1) }
    };
    plain.iter().enumerate().map(number).collect()
}

/// A server that answers, until it is dropped.
#[derive(Debug)]
pub(crate) struct Launched {
    child: Option<Child>,
    pub(crate) target: Target,
}

impl Launched {
    /// The process, where we have started it.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Starts a candidate, or resolves where it is.
    pub(crate) fn start(candidate: &Candidate, connection: &ConnectionFlags) -> Outcome<Self> {
        let words = match candidate {
            Candidate::Url(url) => {
                let target = Target::resolve(&ConnectionFlags { server: Some(url.clone()), ..connection.clone() })?;
                return Ok(Self { child: None, target });
            }
            Candidate::Command(words) => words,
        };
        let mut last = Trouble::Closed;
        for _ in 0..ATTEMPTS_MAX {
            let address = free_address()?;
            let server = format!("nats://{address}");
            let target = Target::resolve(&ConnectionFlags { server: Some(server), ..connection.clone() })?;
            let child = command(words, address).spawn().map_err(|error| {
                Trouble::Usage(format!("'{}' does not start: {error}; give the path of the program", words[0]))
            })?;
            let mut launched = Self { child: Some(child), target };
            match launched.wait_until_it_answers(&words[0]) {
                Ok(()) => return Ok(launched),
                Err(trouble) => last = trouble,
            }
        }
        Err(last)
    }

    fn wait_until_it_answers(&mut self, program: &str) -> Outcome<()> {
        let end = now_ns() + nanos(START_TIME_MAX);
        loop {
            let mut poll = Poll::new().map_err(Trouble::io("making an epoll"))?;
            match dial(&mut poll, &self.target, vec![Wish::default()], 1, |_, _| Ok(())) {
                Ok(_) => return Ok(()),
                Err(Trouble::Unreachable { .. }) if now_ns() < end => {}
                Err(trouble) => return Err(trouble),
            }
            if self.child.as_mut().is_some_and(|child| !matches!(child.try_wait(), Ok(None))) {
                return Err(Trouble::Usage(format!("'{program}' ended at once: try its command line by hand")));
            }
            pause(Duration::from_millis(5));
        }
    }
}

impl Drop for Launched {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // An error means that it has ended already.
            let _ended_before = child.kill();
            let _status = child.wait();
        }
    }
}

fn command(words: &[String], address: SocketAddr) -> Command {
    let port = address.port().to_string();
    let mut command = Command::new(&words[0]);
    if words.iter().any(|word| word.contains("{port}")) {
        command.args(words[1..].iter().map(|word| word.replace("{port}", &port)));
    } else {
        command.args(&words[1..]).args(["-a", "127.0.0.1", "-p", &port]);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn free_address() -> Outcome<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(Trouble::io("looking for a free port"))?;
    listener.local_addr().map_err(Trouble::io("looking for a free port"))
}

/// A program where `variable` or the search path says.
pub(crate) fn find_program(name: &str, variable: &str) -> Option<String> {
    if let Some(path) = std::env::var_os(variable) {
        return Some(path.to_string_lossy().into_owned());
    }
    let beside = std::env::current_exe().ok().map(|path| path.with_file_name(name)).filter(|path| path.is_file());
    let on_path = || {
        let paths = std::env::var_os("PATH")?;
        std::env::split_paths(&paths).map(|folder| folder.join(name)).find(|path| path.is_file())
    };
    beside.or_else(on_path).map(|path| path.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::{Candidate, Launched, command, names};
    use crate::bench::target::ConnectionFlags;

    #[test]
    fn urls_and_commands_are_told_apart() {
        assert_eq!(Candidate::parse("nats://u:p@h:1").expect("a URL").name(), "h:1");
        let candidate = Candidate::parse("/usr/bin/dunlin --cores 2").expect("a command");
        assert_eq!(candidate.name(), "dunlin --cores 2");
        assert!(Candidate::parse("  ").is_err());
    }

    #[test]
    fn two_of_the_same_name_get_a_number() {
        let all = ["a/dunlin", "b/dunlin", "x"].map(|text| Candidate::parse(text).expect("a command"));
        assert_eq!(names(&all), ["dunlin #1", "dunlin #2", "x"]);
    }

    #[test]
    fn the_port_goes_where_it_is_wanted() {
        let address = "127.0.0.1:77".parse().expect("an address");
        let arguments = |text: &str| {
            let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
            let command = command(&words, address);
            command.get_args().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(arguments("x -D"), "-D -a 127.0.0.1 -p 77");
        assert_eq!(arguments("x --listen 127.0.0.1:{port}"), "--listen 127.0.0.1:77");
    }

    #[test]
    fn what_does_not_start_is_named() {
        let flags = ConnectionFlags { timeout: std::time::Duration::from_secs(1), ..ConnectionFlags::default() };
        for (words, part) in [("no-such-program", "no-such-program"), ("false", "ended at once")] {
            let candidate = Candidate::parse(words).expect("a command");
            let text = Launched::start(&candidate, &flags).expect_err(words).to_string();
            assert!(text.contains(part), "{text}");
        }
    }
}
