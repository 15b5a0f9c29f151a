//! `/accountz` and `/accstatz`: accounts, one in detail, and what each has done.

use serde::Serialize;

use super::super::http::{Request, Response};
use super::super::json::{Time, is_default};
use super::super::query::Query;
use super::super::site::{PageError, Site};
use super::subsz::SublistStats;

#[derive(Debug, Serialize)]
struct Accountz {
    server_id: String,
    now: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    system_account: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    accounts: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_detail: Option<Detail>,
}

#[derive(Debug, Serialize)]
struct Detail {
    account_name: String,
    update_time: Time,
    #[serde(skip_serializing_if = "is_default")]
    is_system: bool,
    expired: bool,
    complete: bool,
    jetstream_enabled: bool,
    leafnode_connections: u64,
    client_connections: u64,
    subscriptions: u64,
    name_tag: String,
    sublist_stats: SublistStats,
}

pub(super) fn accountz(site: &mut Site, query: &Query, _: &Request) -> Result<Response, PageError> {
    let (settings, loaded) = site.view.settings();
    let name = query.text("acc");
    let system_account = site.view.system_account();
    let (server_id, now) = (site.view.server_id.clone(), Time::now());
    if name.is_empty() {
        let configured = settings.accounts.iter().filter(|account| account.is_configured);
        let accounts = configured.map(|account| account.name.to_string()).collect();
        return Site::page(&Accountz { server_id, now, system_account, accounts, account_detail: None });
    }
    let Some(number) = site.view.account(name) else {
        return Err(PageError::Bad(format!("Account {name} does not exist")));
    };
    let figures = site.accounts()?.into_iter().nth(number.0 as usize).unwrap_or_default();
    let detail = Detail {
        account_name: name.to_owned(),
        update_time: Time(loaded),
        is_system: system_account.as_deref() == Some(name),
        expired: false,
        complete: true,
        jetstream_enabled: false,
        leafnode_connections: 0,
        client_connections: figures.connections,
        subscriptions: figures.table.subscriptions as u64,
        name_tag: name.to_owned(),
        sublist_stats: SublistStats::of(&figures),
    };
    Site::page(&Accountz { server_id, now, system_account, accounts: Vec::new(), account_detail: Some(detail) })
}

#[derive(Debug, Serialize)]
struct Accstatz {
    server_id: String,
    now: Time,
    account_statz: Vec<Stat>,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Flow {
    msgs: u64,
    bytes: u64,
}

#[derive(Debug, Default, Serialize)]
struct Flows {
    msgs: u64,
    bytes: u64,
    gateways: Flow,
    routes: Flow,
    leafs: Flow,
}

#[derive(Debug, Serialize)]
struct Stat {
    acc: String,
    name: String,
    conns: u64,
    leafnodes: u64,
    total_conns: u64,
    num_subscriptions: u64,
    sent: Flows,
    received: Flows,
    slow_consumers: u64,
}

pub(super) fn accstatz(site: &mut Site, query: &Query, _: &Request) -> Result<Response, PageError> {
    let unused = query.boolean("unused")?;
    let mut account_statz = Vec::new();
    for (number, figures) in site.accounts()?.into_iter().enumerate() {
        if !unused && figures.connections == 0 {
            continue;
        }
        let name = site.view.account_name(crate::ids::AccountId(number as u32));
        let counts = figures.counts;
        account_statz.push(Stat {
            acc: name.clone(),
            name,
            conns: figures.connections,
            leafnodes: 0,
            total_conns: figures.connections,
            num_subscriptions: figures.table.subscriptions as u64,
            sent: Flows { msgs: counts.out_msgs, bytes: counts.out_bytes, ..Flows::default() },
            received: Flows { msgs: counts.in_msgs, bytes: counts.in_bytes, ..Flows::default() },
            slow_consumers: figures.slow_consumers,
        });
    }
    Site::page(&Accstatz { server_id: site.view.server_id.clone(), now: Time::now(), account_statz })
}
