//! `--across`: who sends and who receives sit on different agents.
//!
//! Owns how a workload is split, and the loss of all of them together, which no single agent can see. Pure. Latencies of messages
//! stay meaningful where all agents share one clock; requests are timed by whoever asks, so they always are.

use serde::{Deserialize, Serialize};

use super::fairness::Fairness;
use super::outcome::GroupOutcome;
use super::trouble::{Outcome, Trouble};
use super::workload::{Flow, Layout, Requests, Workload};

/// What an agent must know of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Elsewhere {
    /// The number of its first publisher: no two of a run may have the same.
    pub(crate) first: u64,
    /// Publishers over all agents.
    pub(crate) publishers: u64,
    /// Nobody else receives: what is sent must all come here, even to a queue group.
    pub(crate) is_only_receiver: bool,
}

/// The first half of the agents sends.
fn senders(agents: usize) -> usize {
    agents.div_ceil(2)
}

/// Whether the agent in this place sends.
pub(crate) fn is_sender(place: usize, agents: usize) -> bool {
    place < senders(agents)
}

/// Says what cannot be split.
pub(crate) fn check(workloads: &[(String, Workload)], agents: usize) -> Outcome<()> {
    let wrong = |text: String| Err(Trouble::Usage(format!("--across: {text}")));
    if agents < 2 {
        return wrong("give at least --agents 2, one that sends and one that receives".into());
    }
    let (sending, receiving) = (senders(agents) as u64, (agents - senders(agents)) as u64);
    for (name, workload) in workloads {
        let (from, to, words) = match workload {
            Workload::Flow(flow) if flow.layout == Layout::Own => {
                return wrong(format!("{name}: --own-subjects stay on one agent; leave it out"));
            }
            Workload::Flow(flow) => (flow.publishers, flow.subscribers, "--pub and --sub"),
            Workload::Requests(requests) => (requests.requesters, requests.responders, "--clients and --responders"),
        };
        if from < sending || to < receiving {
            return wrong(format!("{name}: {words} must be at least {sending} and {receiving}, one for each agent"));
        }
    }
    Ok(())
}

/// The part of `all` that is number `place` of `parts`, and how many come before it.
fn part(all: u64, place: usize, parts: usize) -> (u64, u64) {
    let (place, parts) = (place as u64, parts as u64);
    let (each, more) = (all / parts, all % parts);
    (each + u64::from(place < more), each * place + place.min(more))
}

/// The share of one agent.
pub(crate) fn share(workload: &Workload, place: usize, agents: usize) -> Workload {
    let sending = senders(agents);
    let is_sender = is_sender(place, agents);
    let (place, parts) = if is_sender { (place, sending) } else { (place - sending, agents - sending) };
    match workload {
        Workload::Flow(flow) => {
            let (own, first) = part(if is_sender { flow.publishers } else { flow.subscribers }, place, parts);
            let mut share = flow.clone();
            let is_only_receiver = agents - sending == 1;
            share.elsewhere = Some(Elsewhere { first, publishers: flow.publishers, is_only_receiver });
            if is_sender {
                (share.publishers, share.subscribers, share.frozen) = (own, 0, 0);
                share.extent = flow.extent.part(first, own, flow.publishers);
            } else {
                (share.publishers, share.subscribers) = (0, own);
                share.frozen = part(flow.frozen, place, parts).0;
            }
            Workload::Flow(share)
        }
        Workload::Requests(requests) => {
            let all = if is_sender { requests.requesters } else { requests.responders };
            let (own, first) = part(all, place, parts);
            let mut share = Requests { is_across: true, ..requests.clone() };
            if is_sender {
                (share.requesters, share.responders) = (own, 0);
                share.extent = requests.extent.part(first, own, requests.requesters);
                share.inbox_prefix = format!("{}.agent{place}", requests.inbox_prefix);
            } else {
                (share.requesters, share.responders) = (0, own);
            }
            Workload::Requests(share)
        }
    }
}

/// Deliveries that `flow`, the share of one agent, must see when all publishers have sent so many.
pub(crate) fn expected(flow: &Flow, sent: u64) -> u64 {
    let is_alone = flow.elsewhere.is_some_and(|elsewhere| elsewhere.is_only_receiver);
    match &flow.queue {
        // How much of it comes here is the server's choice: the quiet time ends the wait.
        Some(_) if !is_alone => u64::MAX,
        Some(_) => sent,
        None => sent * flow.subscribers,
    }
}

/// What nobody got, and whether the members of a queue group got alike, over all agents.
pub(crate) fn settle(group: &mut GroupOutcome, workload: &Workload, shares: &[u64]) {
    let Workload::Flow(flow) = workload else { return };
    let deliveries = if flow.queue.is_some() { group.sent } else { group.sent * flow.subscribers };
    let unique = group.received.saturating_sub(group.faults.duplicates);
    if flow.queue.is_some() {
        // Two members on two agents: only the sum shows it.
        group.faults.duplicates += unique.saturating_sub(deliveries);
        group.fairness = Fairness::of(shares);
    }
    group.faults.lost += deliveries.saturating_sub(unique);
}

#[cfg(test)]
mod tests {
    use super::{check, expected, settle, share};
    use crate::bench::outcome::GroupOutcome;
    use crate::bench::workload::tests::flow;
    use crate::bench::workload::{Extent, Flow, Layout, Workload};

    fn shares(all: &Flow, agents: usize) -> Vec<Flow> {
        let of = |place| match share(&Workload::Flow(all.clone()), place, agents) {
            Workload::Flow(flow) => flow,
            Workload::Requests(_) => panic!("a flow"),
        };
        (0..agents).map(of).collect()
    }

    #[test]
    fn publishers_and_subscribers_are_on_different_agents() {
        let all = Flow {
            publishers: 5,
            subscribers: 3,
            extent: Extent { messages: Some(103), rate: Some(1000.0), duration: None },
            ..flow()
        };
        let parts = shares(&all, 5);
        let numbers: Vec<_> = parts.iter().map(|part| (part.publishers, part.subscribers)).collect();
        assert_eq!(numbers, [(2, 0), (2, 0), (1, 0), (0, 2), (0, 1)]);
        let firsts: Vec<_> = parts.iter().take(3).filter_map(|part| part.elsewhere).map(|e| e.first).collect();
        assert_eq!(firsts, [0, 2, 4], "no two publishers have one number");
        let messages: Vec<_> = parts.iter().take(3).filter_map(|part| part.extent.messages).collect();
        assert_eq!(messages, [42, 41, 20]);
        let rate: f64 = parts.iter().take(3).filter_map(|part| part.extent.rate).sum();
        assert!((rate - 1000.0).abs() < 1e-6, "{rate}");
        assert_eq!(parts.iter().skip(3).map(|part| expected(part, 103)).collect::<Vec<_>>(), [206, 103]);
    }

    #[test]
    fn a_queue_group_is_whole_only_over_all_agents() {
        let all = Flow { queue: Some("q".into()), ..flow() };
        let [.., only] = &shares(&all, 2)[..] else { panic!("two") };
        assert_eq!(expected(only, 10), 10);
        let [.., one] = &shares(&all, 4)[..] else { panic!("four") };
        assert_eq!(expected(one, 10), u64::MAX);
        let settled = |received| {
            let mut group = GroupOutcome { sent: 100, received, ..GroupOutcome::default() };
            settle(&mut group, &Workload::Flow(all.clone()), &[received / 2, received - received / 2]);
            (group.faults.lost, group.faults.duplicates, group.is_unfair())
        };
        assert_eq!([settled(100), settled(97), settled(103)], [(0, 0, false), (3, 0, false), (0, 3, false)]);
    }

    #[test]
    fn loss_is_told_over_all_agents() {
        let mut group = GroupOutcome { sent: 10, received: 19, ..GroupOutcome::default() };
        settle(&mut group, &Workload::Flow(flow()), &[]);
        assert_eq!(group.faults.lost, 1, "two subscribers");
    }

    #[test]
    fn what_cannot_be_split_is_said() {
        let named = |flow: Flow| [("flow".to_owned(), Workload::Flow(flow))];
        check(&named(flow()), 2).expect("three to two");
        for (all, agents, part) in [
            (flow(), 1, "--agents 2"),
            (Flow { layout: Layout::Own, ..flow() }, 2, "--own-subjects"),
            (Flow { subscribers: 0, ..flow() }, 2, "at least 1 and 1"),
            (flow(), 10, "at least 5 and 5"),
        ] {
            let text = check(&named(all), agents).expect_err(part).to_string();
            assert!(text.contains("--across") && text.contains(part), "{text}");
        }
    }
}
