//! A connection for control messages between a coordinator and its agents: JSON over NATS itself.
//!
//! Slow and simple: a few messages a run. What is no JSON, or of another kind, is passed over.

use std::io::ErrorKind;
use std::time::Duration;

use mio::{Events, Poll};
use serde::{Deserialize, Serialize};

use super::clock::{nanos, now_ns};
use super::dial::{Wish, dial};
use super::fairness::Fairness;
use super::link::{Incoming, Link, READ_BYTES, Reading};
use super::subscriber::Faults;
use super::target::Target;
use super::trouble::{Outcome, Trouble};
use super::workload::Workload;

/// Messages that wait to be taken; more are dropped.
const WAITING_MAX: usize = 1024;

/// What coordinator and agents say.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Note {
    /// Who is there? Answer to this subject.
    Hello {
        answer: String,
    },
    /// I am.
    Here {
        agent: String,
        /// Of the host since it was started: who has the same has the same clock. Empty where nobody knows.
        boot: String,
    },
    /// Do this, as number `place` of `agents`.
    Work {
        answer: String,
        place: usize,
        agents: usize,
        run: u16,
        is_across: bool,
        workloads: Vec<(String, Workload)>,
    },
    /// All connections are there.
    Ready {
        agent: String,
    },
    /// Begin at this moment of the wall clock.
    Start {
        unix_ns: u64,
    },
    /// All senders are done; this is what each workload has sent.
    Sent {
        sent: Vec<u64>,
    },
    /// It is called off.
    Cancel,
    /// What one workload of one agent gave.
    Result {
        agent: String,
        result: Box<AgentResult>,
    },
    /// The last result of this agent has been told.
    Done {
        agent: String,
        seconds: f64,
        cpu_ns: u64,
        busiest_thread: f64,
        unwaiting: f64,
    },
    Failed {
        agent: String,
        reason: String,
    },
}

/// One workload as an agent has seen it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct AgentResult {
    pub(crate) name: String,
    pub(crate) sent: u64,
    pub(crate) sent_bytes: u64,
    pub(crate) send_seconds: f64,
    pub(crate) received: u64,
    pub(crate) received_bytes: u64,
    pub(crate) receive_seconds: f64,
    pub(crate) served: u64,
    pub(crate) behind_ns: u64,
    pub(crate) faults: Faults,
    pub(crate) fairness: Option<Fairness>,
    /// What each member of a queue group got.
    pub(crate) shares: Vec<u64>,
    /// Value and count of each bucket that is not empty.
    pub(crate) corrected: Vec<(u64, u64)>,
    pub(crate) uncorrected: Vec<(u64, u64)>,
}

/// The connection.
#[derive(Debug)]
pub(crate) struct Control {
    target: Target,
    poll: Poll,
    link: Link,
    waiting: Vec<Note>,
    scratch: Vec<u8>,
}

impl Control {
    /// Connects and subscribes to `subjects`.
    pub(crate) fn open(target: &Target, subjects: &[String]) -> Outcome<Self> {
        let mut poll = Poll::new().map_err(Trouble::io("making an epoll"))?;
        let first: String =
            subjects.iter().enumerate().map(|(sid, subject)| format!("SUB {subject} {}\r\n", sid + 1)).collect();
        let wish = Wish { first: first.into_bytes(), ..Wish::default() };
        let link = dial(&mut poll, target, vec![wish], 1, |_, _| Ok(()))?.pop().ok_or(Trouble::Closed)?;
        Ok(Self { target: target.clone(), poll, link, waiting: Vec::new(), scratch: vec![0; READ_BYTES] })
    }

    /// What the server said of itself.
    pub(crate) fn info(&self) -> super::target::Info {
        self.link.info.clone()
    }

    /// Sends a note.
    pub(crate) fn tell(&mut self, subject: &str, note: &Note) -> Outcome<()> {
        let body = serde_json::to_vec(note).map_err(|error| Trouble::BadFrame(error.to_string()))?;
        let most = self.link.info.max_payload;
        if most > 0 && body.len() as u64 > most {
            return Err(Trouble::Usage(format!(
                "a note to an agent of {} bytes is larger than the server allows",
                body.len()
            )));
        }
        self.link.out.extend_from_slice(format!("PUB {subject} {}\r\n", body.len()).as_bytes());
        self.link.out.extend_from_slice(&body);
        self.link.out.extend_from_slice(b"\r\n");
        let begun = now_ns();
        while !self.link.flush()? {
            self.look(Duration::from_millis(10))?;
            if now_ns() - begun > nanos(self.target.timeout) {
                return Err(Trouble::Silent("a control message"));
            }
        }
        Ok(())
    }

    /// The next note, if one comes in time.
    pub(crate) fn next(&mut self, limit: Duration) -> Outcome<Option<Note>> {
        let end = now_ns() + nanos(limit);
        loop {
            if !self.waiting.is_empty() {
                return Ok(Some(self.waiting.remove(0)));
            }
            let left = end.saturating_sub(now_ns());
            if left == 0 {
                return Ok(None);
            }
            self.look(Duration::from_nanos(left).min(Duration::from_millis(50)))?;
        }
    }

    fn look(&mut self, limit: Duration) -> Outcome<()> {
        let mut events = Events::with_capacity(8);
        match self.poll.poll(&mut events, Some(limit)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => {
                return Err(Trouble::Io { what: "waiting for sockets", source: error });
            }
            _ => {}
        }
        let waiting = &mut self.waiting;
        while self.link.read(&self.target, &mut self.scratch, |_, incoming| {
            if let Incoming::Message(message) = incoming
                && waiting.len() < WAITING_MAX
                && let Ok(note) = serde_json::from_slice(message.payload)
            {
                waiting.push(note);
            }
            Ok(())
        })? == Reading::MayHaveMore
        {}
        self.link.flush().map(drop)
    }
}
