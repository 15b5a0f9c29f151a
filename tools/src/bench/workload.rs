//! What a run does: flows of messages and requests, as connections with roles.
//!
//! Pure: builds the members of a run, opens nothing.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::across::Elsewhere;
use super::clock::nanos;
use super::dial::Wish;
use super::publisher::{Publisher, PublisherPlan};
use super::requester::{Requester, RequesterPlan, Responder};
use super::schedule::Schedule;
use super::sequence::Share;
use super::subscriber::{Subscriber, SubscriberPlan};
use super::traffic::{Order, Payload, Subjects};
use super::worker::{Member, Role};

/// A receive buffer so small that a frozen reader is noticed early.
const FROZEN_RECEIVE_BYTES: usize = 16 * 1024;

/// When a workload ends and how fast it goes.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Extent {
    /// Over all senders.
    pub(crate) messages: Option<u64>,
    pub(crate) duration: Option<Duration>,
    /// Over all senders, a second.
    pub(crate) rate: Option<f64>,
}

impl Extent {
    /// The share of sender `place` of `senders`: the first ones get what is left over.
    fn messages_of(&self, place: u64, senders: u64) -> Option<u64> {
        self.messages.map(|all| all / senders + u64::from(place < all % senders))
    }

    /// The part of senders `first` to `first + own` of `senders`.
    pub(crate) fn part(&self, first: u64, own: u64, senders: u64) -> Self {
        let sum = |_| (first..first + own).filter_map(|place| self.messages_of(place, senders)).sum();
        let rate = self.rate.map(|rate| rate * own as f64 / senders.max(1) as f64);
        Self { messages: self.messages.map(sum), rate, duration: self.duration }
    }

    fn schedule(&self, place: u64, senders: u64) -> Option<Schedule> {
        self.rate.map(|rate| Schedule::new(rate, senders, place))
    }
}

/// Who subscribes to what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Layout {
    /// All publishers and all subscribers share the subject, or subjects.
    Shared,
    /// Publisher n has subject `base.n`, and so has subscriber n.
    Own,
    /// Subscribers use patterns: `base.*` and `base.>` in turn.
    Wildcard,
}

/// Publishers and subscribers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Flow {
    pub(crate) subject: String,
    pub(crate) subjects: u32,
    pub(crate) order: Order,
    pub(crate) layout: Layout,
    pub(crate) publishers: u64,
    pub(crate) subscribers: u64,
    pub(crate) queue: Option<String>,
    /// Subscribers that never read.
    pub(crate) frozen: u64,
    pub(crate) payload: Payload,
    pub(crate) extent: Extent,
    /// Messages that each subscriber waits for where nobody publishes here.
    pub(crate) awaited: Option<u64>,
    /// The other side is on other agents.
    #[serde(default)]
    pub(crate) elsewhere: Option<Elsewhere>,
}

/// Requesters and responders.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Requests {
    pub(crate) subject: String,
    pub(crate) requesters: u64,
    pub(crate) responders: u64,
    pub(crate) window: usize,
    pub(crate) queue: Option<String>,
    pub(crate) payload: Payload,
    /// `None`: responders send back what they got.
    pub(crate) reply: Option<Payload>,
    pub(crate) extent: Extent,
    pub(crate) inbox_prefix: String,
    pub(crate) timeout: Duration,
    /// The other side is on other agents.
    #[serde(default)]
    pub(crate) is_across: bool,
}

/// One workload of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Workload {
    Flow(Flow),
    Requests(Requests),
}

impl Workload {
    /// The connections of workload `group` in run number `run`.
    pub(crate) fn members(&self, group: usize, run: u16) -> Vec<Member> {
        match self {
            Self::Flow(flow) => flow.members(group, run),
            Self::Requests(requests) => requests.members(group, run),
        }
    }

    /// Messages that are awaited from publishers elsewhere.
    pub(crate) fn awaited(&self) -> u64 {
        match self {
            Self::Flow(flow) if flow.publishers == 0 && flow.elsewhere.is_none() => {
                flow.awaited.map_or(u64::MAX, |each| each * flow.subscribers)
            }
            _ => 0,
        }
    }

    /// Whoever sends is elsewhere, and this agent will be told when they are done.
    pub(crate) fn waits_for_news(&self) -> bool {
        match self {
            Self::Flow(flow) => flow.elsewhere.is_some() && flow.publishers == 0,
            Self::Requests(requests) => requests.is_across && requests.requesters == 0,
        }
    }

    /// How many messages are meant to be sent, where that is known.
    pub(crate) fn planned(&self) -> Option<u64> {
        match self {
            Self::Flow(flow) if flow.publishers == 0 => flow.awaited.map(|each| each * flow.subscribers),
            Self::Flow(Flow { extent, .. }) | Self::Requests(Requests { extent, .. }) => {
                let timed = extent.rate.zip(extent.duration).map(|(rate, time)| (rate * time.as_secs_f64()) as u64);
                extent.messages.or(timed)
            }
        }
    }

    /// The rate that was asked for.
    pub(crate) fn rate(&self) -> Option<f64> {
        match self {
            Self::Flow(Flow { extent, .. }) | Self::Requests(Requests { extent, .. }) => extent.rate,
        }
    }

    /// The share of one agent of several: subjects of its own, so that what it sends it also receives, by one clock.
    pub(crate) fn for_agent(&self, place: usize, agents: usize) -> Self {
        let mut own = self.scaled_rate(1.0 / agents as f64);
        let (Self::Flow(Flow { subject, .. }) | Self::Requests(Requests { subject, .. })) = &mut own;
        *subject = format!("{subject}.agent{place}");
        if let Self::Requests(requests) = &mut own {
            // Processes of two hosts may have one number.
            requests.inbox_prefix = format!("{}.agent{place}", requests.inbox_prefix);
        }
        let (Self::Flow(Flow { extent, .. }) | Self::Requests(Requests { extent, .. })) = &mut own;
        extent.messages =
            extent.messages.map(|all| all / agents as u64 + u64::from((place as u64) < all % agents as u64));
        own
    }

    fn scaled_rate(&self, share: f64) -> Self {
        let mut scaled = self.clone();
        let (Self::Flow(Flow { extent, .. }) | Self::Requests(Requests { extent, .. })) = &mut scaled;
        extent.rate = extent.rate.map(|rate| rate * share);
        scaled
    }

    /// The same with a share of the messages or of the time: for warming up.
    pub(crate) fn scaled(&self, share: f64) -> Self {
        let mut scaled = self.clone();
        match &mut scaled {
            Self::Flow(Flow { extent, .. }) | Self::Requests(Requests { extent, .. }) => {
                extent.messages = extent.messages.map(|messages| ((messages as f64 * share) as u64).max(1));
                extent.duration = extent.duration.map(|duration| duration.mul_f64(share));
            }
        }
        scaled
    }
}

impl Flow {
    fn members(&self, group: usize, run: u16) -> Vec<Member> {
        let mut members = Vec::new();
        let is_alone = self.publishers == 0 && self.elsewhere.is_none();
        let first = self.elsewhere.map_or(0, |elsewhere| elsewhere.first);
        for place in 0..self.subscribers + self.frozen {
            let is_frozen = place >= self.subscribers;
            let mut first = Vec::new();
            let queue = self.queue.as_ref().filter(|_| !is_frozen).map_or(String::new(), |queue| format!(" {queue}"));
            first.extend_from_slice(format!("SUB {}{queue} 1\r\n", self.pattern(place)).as_bytes());
            let role = if is_frozen {
                Role::Frozen { was_closed: false }
            } else {
                Role::Subscriber(Box::new(Subscriber::new(SubscriberPlan {
                    run,
                    subjects: self.subjects_of(place),
                    payload: self.payload.clone(),
                    share: match (&self.queue, is_alone) {
                        (Some(_), _) => Share::Some,
                        (None, true) => Share::Tail,
                        (None, false) => Share::All,
                    },
                    is_paced: self.extent.rate.is_some() || is_alone,
                    is_alone,
                })))
            };
            let receive_bytes = is_frozen.then_some(FROZEN_RECEIVE_BYTES);
            let number = members.len();
            members.push(Member::new(group, role, Wish { number, first, receive_bytes }));
        }
        for place in 0..self.publishers {
            let publisher = Publisher::new(PublisherPlan {
                number: u16::try_from(first + place).unwrap_or(u16::MAX),
                run,
                subjects: self.subjects_of(place),
                payload: self.payload.clone(),
                messages: self.extent.messages_of(place, self.publishers),
                duration_ns: self.extent.duration.map(nanos),
                schedule: self.extent.schedule(place, self.publishers),
                fan_out: self.fan_out(place),
                seed: first + place + 1,
            });
            let wish = Wish { number: members.len(), ..Wish::default() };
            members.push(Member::new(group, Role::Publisher(Box::new(publisher)), wish));
        }
        members
    }

    /// What the member with this number publishes, or is meant to get.
    fn subjects_of(&self, place: u64) -> Subjects {
        match self.layout {
            Layout::Own => Subjects::one(&format!("{}.{}", self.subject, place % self.publishers.max(1))),
            Layout::Shared | Layout::Wildcard => {
                Subjects { base: self.subject.clone(), count: self.subjects, order: self.order }
            }
        }
    }

    fn pattern(&self, place: u64) -> String {
        match self.layout {
            Layout::Own => self.subjects_of(place).base,
            Layout::Wildcard if place % 2 == 1 => format!("{}.>", self.subject),
            Layout::Shared if self.subjects == 0 => self.subject.clone(),
            Layout::Shared | Layout::Wildcard => format!("{}.*", self.subject),
        }
    }

    /// Deliveries of one message of publisher `place`; those to frozen subscribers are not awaited.
    fn fan_out(&self, place: u64) -> u64 {
        let reached = match self.layout {
            Layout::Own => {
                (0..self.subscribers).filter(|subscriber| subscriber % self.publishers.max(1) == place).count() as u64
            }
            Layout::Shared | Layout::Wildcard => self.subscribers,
        };
        if self.queue.is_some() { reached.min(1) } else { reached }
    }
}

impl Requests {
    fn members(&self, group: usize, run: u16) -> Vec<Member> {
        let mut members = Vec::new();
        let queue = self.queue.as_ref().map_or(String::new(), |queue| format!(" {queue}"));
        for _ in 0..self.responders {
            let first = format!("SUB {}{queue} 1\r\n", self.subject).into_bytes();
            let responder = Responder { reply: self.reply.clone(), answered: 0, bytes: 0 };
            let is_alone = self.requesters == 0;
            let limit = self.extent.messages.filter(|_| is_alone && !self.is_across);
            let number = members.len();
            let role = Role::Responder { responder, limit, is_alone };
            members.push(Member::new(group, role, Wish { number, first, receive_bytes: None }));
        }
        for place in 0..self.requesters {
            let plan = RequesterPlan {
                subject: self.subject.clone(),
                inbox: format!("{}.{:x}.{group}.{place}", self.inbox_prefix, unique(run)),
                payload: self.payload.clone(),
                window: self.window,
                messages: self.extent.messages_of(place, self.requesters),
                duration_ns: self.extent.duration.map(nanos),
                schedule: self.extent.schedule(place, self.requesters),
                timeout_ns: nanos(self.timeout),
                expects_echo: (self.responders > 0 || self.is_across) && self.reply.is_none(),
            };
            let first = format!("SUB {} 1\r\n", Requester::pattern(&plan)).into_bytes();
            let wish = Wish { number: members.len(), first, receive_bytes: None };
            members.push(Member::new(group, Role::Requester(Box::new(Requester::new(plan))), wish));
        }
        members
    }
}

/// Inboxes of two processes must differ, even when their run numbers do not.
fn unique(run: u16) -> u64 {
    u64::from(std::process::id()) << 16 | u64::from(run)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{Extent, Flow, Layout, Workload};
    use crate::bench::traffic::{Order, Payload};
    use crate::bench::worker::Role;

    pub(crate) fn flow() -> Flow {
        Flow {
            subject: "a".into(),
            subjects: 0,
            order: Order::InTurn,
            layout: Layout::Shared,
            publishers: 3,
            subscribers: 2,
            queue: None,
            frozen: 0,
            payload: Payload::of_size(40),
            extent: Extent { messages: Some(10), ..Extent::default() },
            awaited: None,
            elsewhere: None,
        }
    }

    fn firsts(flow: &Flow) -> Vec<String> {
        let members = Workload::Flow(flow.clone()).members(0, 1);
        let subscribed = members.iter().filter(|member| !matches!(member.role, Role::Publisher(_)));
        subscribed.map(|member| String::from_utf8_lossy(&member.wish.first).into_owned()).collect()
    }

    #[test]
    fn messages_are_shared_out_to_the_last() {
        let shares: Vec<_> = (0..3).filter_map(|place| flow().extent.messages_of(place, 3)).collect();
        assert_eq!(shares, [4, 3, 3]);
    }

    #[test]
    fn layouts_decide_patterns_and_fan_out() {
        assert_eq!(firsts(&flow()), ["SUB a 1\r\n", "SUB a 1\r\n"]);
        assert_eq!(flow().fan_out(0), 2);
        let queue = Flow { queue: Some("q".into()), ..flow() };
        assert_eq!((firsts(&queue)[0].as_str(), queue.fan_out(0)), ("SUB a q 1\r\n", 1));
        let own = Flow { layout: Layout::Own, subscribers: 4, ..flow() };
        assert_eq!(firsts(&own), ["SUB a.0 1\r\n", "SUB a.1 1\r\n", "SUB a.2 1\r\n", "SUB a.0 1\r\n"]);
        assert_eq!([own.fan_out(0), own.fan_out(1)], [2, 1]);
        let wild = Flow { layout: Layout::Wildcard, subjects: 10, ..flow() };
        assert_eq!(firsts(&wild), ["SUB a.* 1\r\n", "SUB a.> 1\r\n"]);
        let frozen = Flow { frozen: 1, ..flow() };
        assert_eq!((firsts(&frozen).len(), frozen.fan_out(0)), (3, 2));
    }

    #[test]
    fn agents_share_the_load_on_subjects_of_their_own() {
        let all = Workload::Flow(flow());
        let text = serde_json::to_string(&all).expect("serialises");
        let read: Workload = serde_json::from_str(&text).expect("reads");
        let shares: Vec<_> = (0..3).map(|place| read.for_agent(place, 3).planned()).collect();
        assert_eq!(shares, [Some(4), Some(3), Some(3)]);
        let Workload::Flow(own) = read.for_agent(2, 3) else { panic!("a flow") };
        assert_eq!(own.subject, "a.agent2");
        assert!(own.payload.is_whole(&flow().payload.body));
    }

    #[test]
    fn warming_up_is_a_share() {
        let extent = |workload: &Workload| workload.planned();
        assert_eq!(extent(&Workload::Flow(flow()).scaled(0.5)), Some(5));
        assert_eq!(extent(&Workload::Flow(flow()).scaled(0.001)), Some(1));
    }
}
