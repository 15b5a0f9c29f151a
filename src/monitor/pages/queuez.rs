//! `/queuez`: queue groups, their members over the cores, and how evenly messages fell on them.
//!
//! Fairness is Jain's index of what each member has got, core by core: 1 where all got the same, 1/n where one of n got everything. Members
//! that came later have got less, so it means most where members stay.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::http::{Request, Response};
use super::super::json::Time;
use super::super::query::Query;
use super::super::site::{PageError, Site};
use crate::ids::{AccountId, CoreId};
use crate::reactor::snapshot::{Part, Question};
use crate::routing::GroupFigures;

const LIMIT_DEFAULT: usize = 1024;

#[derive(Debug, Serialize)]
struct Queuez {
    server_id: String,
    now: Time,
    total: usize,
    groups: Vec<Group>,
}

#[derive(Debug, Serialize)]
struct Group {
    account: String,
    subject: String,
    queue: String,
    members: u64,
    picks: u64,
    fairness: f64,
    members_by_core: Vec<u64>,
}

#[derive(Debug, Default)]
struct Sum {
    members: Vec<u64>,
    picks: u64,
    squares: u128,
}

pub(super) fn page(site: &mut Site, query: &Query, _: &Request) -> Result<Response, PageError> {
    let limit = query.count("limit", LIMIT_DEFAULT)?;
    let cores = site.view.cores.count();
    let mut sums: BTreeMap<(u32, String, String), Sum> = BTreeMap::new();
    site.ask_each(&Question::Groups, |core: CoreId, part| {
        let Part::Groups(some) = part else { return };
        for (AccountId(account), GroupFigures { subject, queue, members, picks, squares }) in some {
            let sum = sums.entry((account, subject, queue)).or_default();
            sum.members.resize(cores, 0);
            if let Some(of_core) = sum.members.get_mut(core.index()) {
                *of_core += members;
            }
            sum.picks += picks;
            sum.squares += squares;
        }
    })?;
    let total = sums.len();
    let mut groups: Vec<Group> = sums
        .into_iter()
        .map(|((account, subject, queue), sum)| {
            let members: u64 = sum.members.iter().sum();
            let fairness = fairness(members, sum.picks, sum.squares);
            let account = site.view.account_name(AccountId(account));
            Group { account, subject, queue, members, picks: sum.picks, fairness, members_by_core: sum.members }
        })
        .collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.picks));
    groups.truncate(limit);
    Site::page(&Queuez { server_id: site.view.server_id.clone(), now: Time::now(), total, groups })
}

fn fairness(members: u64, picks: u64, squares: u128) -> f64 {
    if squares == 0 || members == 0 {
        return 1.0;
    }
    let index = picks as f64 * picks as f64 / (members as f64 * squares as f64);
    (index * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use super::fairness;

    #[test]
    fn fairness_is_one_for_equals_and_little_for_one_that_gets_all() {
        assert_eq!(
            [fairness(4, 40, 400), fairness(4, 40, 1600), fairness(0, 0, 0), fairness(3, 0, 0)],
            [1.0, 0.25, 1.0, 1.0]
        );
    }
}
