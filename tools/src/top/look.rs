//! One look at the server: `/varz` and the page of the view, and what becomes of it when it is set beside the one before.
//!
//! `Look` is what came; `Memory` makes rates of it. Asks for pages by `Monitor`, and knows nothing of the screen.

use jiff::Timestamp;
use serde_json::Value;

use super::options::{Options, View};
use super::rates::{Flow, Moment, Rates};
use crate::monitoring::pages::{Connz, Corez, Queuez, Slowz, Subjectz, Traffic, Varz};
use crate::monitoring::{Monitor, PageError};

/// The page of the view.
#[derive(Clone, Debug)]
pub(crate) enum Page {
    Connections(Connz),
    Cores(Corez),
    Subjects(Subjectz),
    Slow(Slowz),
    Queues(Queuez),
    /// The server is there, and this page is not.
    Missing(View, PageError),
}

/// What came.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(crate) varz: Varz,
    pub(crate) page: Page,
    /// Seconds by our own clock, for a server that does not tell its own.
    pub(crate) seconds: f64,
}

impl Look {
    /// Asks. An error is one of `/varz`: without it there is no server.
    pub(crate) fn take(monitor: &Monitor, options: &Options, seconds: f64) -> Result<Self, PageError> {
        let varz = Varz::read(&monitor.page("/varz")?);
        let page = match monitor.page(&options.path()) {
            Ok(page) => Page::read(options.view, &page),
            // It was there a moment ago: gone in between is gone.
            Err(error @ PageError::Unreachable(_)) => return Err(error),
            Err(error) => Page::Missing(options.view, error),
        };
        Ok(Self { varz, page, seconds })
    }
}

impl Page {
    pub(crate) fn read(view: View, page: &Value) -> Self {
        match view {
            View::Connections => Self::Connections(Connz::read(page)),
            View::Cores => Self::Cores(Corez::read(page)),
            View::Subjects => Self::Subjects(Subjectz::read(page)),
            View::Slow => Self::Slow(Slowz::read(page)),
            View::Queues => Self::Queues(Queuez::read(page)),
        }
    }
}

/// The last look, and rates from all of them.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) last: Option<Look>,
    server: Rates<()>,
    connections: Rates<u64>,
    cores: Rates<u64>,
    groups: Rates<[String; 3]>,
}

impl Memory {
    /// Takes a look in.
    pub(crate) fn look(&mut self, look: Look) {
        let server = format!("{} {:?}", look.varz.server_id, look.varz.start);
        let moment = |now: Option<Timestamp>| Moment {
            server: server.clone(),
            seconds: now.map_or(look.seconds, |now| now.as_nanosecond() as f64 / 1e9),
        };
        self.server.look(moment(look.varz.now), [((), look.varz.traffic)]);
        match &look.page {
            Page::Connections(page) => {
                let traffic = page.connections.iter().map(|connection| (connection.cid, connection.traffic));
                self.connections.look(moment(page.now), traffic);
            }
            Page::Cores(page) => {
                self.cores.look(moment(page.now), page.cores.iter().map(|core| (core.core, core.traffic)));
            }
            Page::Queues(page) => {
                let picks =
                    |group: &crate::monitoring::pages::Group| Traffic { in_msgs: group.picks, ..Traffic::default() };
                let groups = page.groups.iter();
                self.groups.look(moment(page.now), groups.map(|group| (group_key(group), picks(group))));
            }
            Page::Subjects(_) | Page::Slow(_) | Page::Missing(..) => {}
        }
        self.last = Some(look);
    }

    /// The server is gone: what follows is another story.
    pub(crate) fn lose(&mut self) {
        self.server.forget();
        self.connections.forget();
        self.cores.forget();
        self.groups.forget();
    }

    pub(crate) fn server(&self) -> Option<Flow> {
        self.server.of(&())
    }

    pub(crate) fn connection(&self, cid: u64) -> Option<Flow> {
        self.connections.of(&cid)
    }

    pub(crate) fn core(&self, core: u64) -> Option<Flow> {
        self.cores.of(&core)
    }

    /// Picks a second.
    pub(crate) fn group(&self, group: &crate::monitoring::pages::Group) -> Option<f64> {
        self.groups.of(&group_key(group)).map(|flow| flow.in_msgs)
    }
}

fn group_key(group: &crate::monitoring::pages::Group) -> [String; 3] {
    [group.account.clone(), group.subject.clone(), group.queue.clone()]
}

#[cfg(test)]
mod tests {
    use super::{Look, Memory, Page};
    use crate::monitoring::pages::Varz;
    use crate::top::options::View;
    use crate::top::recorded;

    #[test]
    fn rates_are_those_of_the_servers_own_clock() {
        let memory = recorded::memory(View::Connections);
        let server = memory.server().expect("two looks");
        assert!((3000.0..4500.0).contains(&server.in_msgs), "{server:?}: 200 messages each 50 ms were sent");
        let [receiver, sender] = [5, 6].map(|cid| memory.connection(cid).expect("two looks"));
        assert!(sender.in_msgs > 3000.0 && sender.out_msgs == 0.0, "{sender:?}");
        assert!(receiver.out_msgs > 3000.0 && receiver.in_msgs == 0.0, "{receiver:?}");
        assert_eq!(memory.connection(7), None);
    }

    #[test]
    fn cores_have_rates_of_their_own() {
        let memory = recorded::memory(View::Cores);
        let core = memory.core(0).expect("two looks");
        assert_eq!((core.in_msgs, core.out_bytes), (10_000.0, 1_048_576.0));
        assert_eq!(memory.core(1).map(|flow| flow.in_msgs), Some(0.0));
    }

    #[test]
    fn a_server_without_times_is_timed_by_us() {
        let mut memory = Memory::default();
        for (seconds, in_msgs) in [(5.0, 100_u64), (7.0, 300)] {
            let varz = Varz::read(&serde_json::json!({"server_id": "x", "in_msgs": in_msgs}));
            let page = Page::read(View::Slow, &serde_json::Value::Null);
            memory.look(Look { varz, page, seconds });
        }
        assert_eq!(memory.server().map(|flow| flow.in_msgs), Some(100.0));
        memory.lose();
        assert_eq!(memory.server(), None);
        assert!(memory.last.is_some(), "what was seen last stays to be shown");
    }
}
