//! `/subsz`: subscriptions of all accounts, what the match caches did, and which subscriptions a subject would reach.

use std::sync::Arc;

use serde::Serialize;

use super::super::http::{Request, Response};
use super::super::json::Time;
use super::super::query::Query;
use super::super::site::{PageError, Site};
use super::connz::SubDetail;
use crate::reactor::snapshot::{AccountFigures, Part, Question, SubscriptionFilter, SubscriptionInfo};
use crate::routing::TableCounts;
use crate::subject;

const LIMIT_DEFAULT: usize = 1024;

/// What a table did.
#[derive(Debug, Default, Serialize)]
pub(super) struct SublistStats {
    num_subscriptions: u64,
    num_cache: u64,
    num_inserts: u64,
    num_removes: u64,
    num_matches: u64,
    cache_hit_rate: f64,
    max_fanout: u64,
    avg_fanout: f64,
}

impl SublistStats {
    /// Of an account's figures on all cores together.
    pub(super) fn of(figures: &AccountFigures) -> Self {
        let table: &TableCounts = &figures.table;
        let asked = table.cache_hits + table.cache_misses;
        let part = |of: u64, whole: u64| if whole == 0 { 0.0 } else { of as f64 / whole as f64 };
        Self {
            num_subscriptions: table.subscriptions as u64,
            num_cache: table.cache_length as u64,
            num_inserts: table.inserts,
            num_removes: table.removes,
            num_matches: table.matches,
            cache_hit_rate: part(table.cache_hits, asked),
            max_fanout: table.fanout_max as u64,
            avg_fanout: part(figures.counts.out_msgs, figures.counts.in_msgs),
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Subsz {
    server_id: String,
    now: Time,
    #[serde(flatten)]
    stats: SublistStats,
    total: u64,
    offset: usize,
    limit: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    subscriptions_list: Option<Vec<SubDetail>>,
}

pub(super) fn page(site: &mut Site, query: &Query, _: &Request) -> Result<Response, PageError> {
    let subs = query.boolean("subs")?;
    let (offset, limit) = (query.count("offset", 0)?, query.count("limit", LIMIT_DEFAULT)?);
    let test = query.text("test");
    if !test.is_empty() && !subject::is_valid_publish_subject(test.as_bytes()) {
        return Err(PageError::Bad(format!("invalid test subject, must be valid publish subject: {test}")));
    }
    let account = query.text("acc");
    let number = site.view.account(account);
    let mut all = AccountFigures::default();
    for (at, figures) in site.accounts()?.iter().enumerate() {
        if account.is_empty() || number.is_some_and(|number| number.0 as usize == at) {
            add(&mut all, figures);
        }
    }
    let (mut total, mut list) = (0, None);
    if subs && (account.is_empty() || number.is_some()) {
        let keep_max = offset.saturating_add(limit);
        let subject = (!test.is_empty()).then(|| Arc::from(test.as_bytes()));
        let filter = SubscriptionFilter { account: number, subject, keep_max };
        let mut found: Vec<SubscriptionInfo> = Vec::new();
        site.ask(&Question::Subscriptions(filter), |part| {
            if let Part::Subscriptions(some, counted) = part {
                total += some.len() as u64 + counted;
                found.extend(some);
            }
        })?;
        // The same order at each request, whichever core answers first.
        found.sort_by(|a, b| (a.account.0, a.cid, &a.sid).cmp(&(b.account.0, b.cid, &b.sid)));
        let page = found.into_iter().skip(offset).take(limit).map(|info| {
            let name = site.view.account_name(info.account);
            SubDetail::from(info).of_account(name)
        });
        list = Some(page.collect::<Vec<_>>()).filter(|list| !list.is_empty());
    }
    let (server_id, now) = (site.view.server_id.clone(), Time::now());
    Site::page(&Subsz { server_id, now, stats: SublistStats::of(&all), total, offset, limit, subscriptions_list: list })
}

/// The page without a list, of all accounts.
pub(super) fn summary(site: &Site, accounts: &[AccountFigures]) -> Subsz {
    let mut all = AccountFigures::default();
    accounts.iter().for_each(|figures| add(&mut all, figures));
    Subsz {
        server_id: site.view.server_id.clone(),
        now: Time::now(),
        stats: SublistStats::of(&all),
        total: 0,
        offset: 0,
        limit: LIMIT_DEFAULT,
        subscriptions_list: None,
    }
}

/// Adds up figures.
pub(super) fn add(sum: &mut AccountFigures, other: &AccountFigures) {
    sum.connections += other.connections;
    sum.pending_bytes += other.pending_bytes;
    sum.slow_consumers += other.slow_consumers;
    for (sum, other) in [(&mut sum.counts, &other.counts), (&mut sum.open, &other.open)] {
        sum.in_msgs += other.in_msgs;
        sum.in_bytes += other.in_bytes;
        sum.out_msgs += other.out_msgs;
        sum.out_bytes += other.out_bytes;
    }
    sum.table.add(&other.table);
}

impl Site {
    /// What each account has on all cores, by number.
    pub(super) fn accounts(&self) -> Result<Vec<AccountFigures>, PageError> {
        let mut sums: Vec<AccountFigures> = Vec::new();
        self.ask(&Question::Accounts, |part| {
            if let Part::Accounts(some) = part {
                sums.resize_with(sums.len().max(some.len()), AccountFigures::default);
                for (sum, figures) in sums.iter_mut().zip(&some) {
                    add(sum, figures);
                }
            }
        })?;
        Ok(sums)
    }
}
