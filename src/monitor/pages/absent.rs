//! Pages of what is not here: routes, leaf nodes, gateways, JetStream, Raft groups, the peer's inner queues. Empty, and of the right form.

use serde::Serialize;

use super::super::http::{Request, Response};
use super::super::json::Time;
use super::super::query::{BadParameter, Query};
use super::super::site::{PageError, Site};

/// An object without fields.
#[derive(Debug, Serialize)]
struct Nothing {}

/// Whether subscriptions are asked for; the word is checked as on the peer.
fn check_subs(query: &Query) -> Result<(), BadParameter> {
    if !query.text("subs").eq_ignore_ascii_case("detail") {
        query.boolean("subs")?;
    }
    Ok(())
}

#[derive(Debug, Serialize)]
struct Routez {
    server_id: String,
    server_name: String,
    now: Time,
    num_routes: u64,
    routes: [u8; 0],
}

pub(super) fn routez(site: &mut Site, query: &Query, _: &Request) -> Result<Response, PageError> {
    check_subs(query)?;
    let server_name = site.view.settings().0.info.server_name.clone();
    let server_id = site.view.server_id.clone();
    Site::page(&Routez { server_id, server_name, now: Time::now(), num_routes: 0, routes: [] })
}

#[derive(Debug, Serialize)]
struct Leafz {
    server_id: String,
    now: Time,
    leafnodes: u64,
    leafs: [u8; 0],
}

pub(super) fn leafz(site: &mut Site, query: &Query, _: &Request) -> Result<Response, PageError> {
    query.boolean("subs")?;
    Site::page(&Leafz { server_id: site.view.server_id.clone(), now: Time::now(), leafnodes: 0, leafs: [] })
}

#[derive(Debug, Serialize)]
struct Gatewayz {
    server_id: String,
    now: Time,
    outbound_gateways: Nothing,
    inbound_gateways: Nothing,
}

pub(super) fn gatewayz(site: &mut Site, query: &Query, _: &Request) -> Result<Response, PageError> {
    query.boolean("accs")?;
    check_subs(query)?;
    let server_id = site.view.server_id.clone();
    let (outbound_gateways, inbound_gateways) = (Nothing {}, Nothing {});
    Site::page(&Gatewayz { server_id, now: Time::now(), outbound_gateways, inbound_gateways })
}

#[derive(Debug, Default, Serialize)]
struct Api {
    level: u64,
    total: u64,
    errors: u64,
}

#[derive(Debug, Default, Serialize)]
struct JetStreamConfig {
    max_memory: u64,
    max_storage: u64,
}

#[derive(Debug, Serialize)]
struct Jsz {
    memory: u64,
    storage: u64,
    reserved_memory: u64,
    reserved_storage: u64,
    accounts: u64,
    ha_assets: u64,
    api: Api,
    server_id: String,
    now: Time,
    disabled: bool,
    config: JetStreamConfig,
    streams: u64,
    consumers: u64,
    messages: u64,
    bytes: u64,
    total: u64,
}

pub(super) fn jsz(site: &mut Site, query: &Query, _: &Request) -> Result<Response, PageError> {
    for name in ["accounts", "streams", "consumers", "direct-consumers", "config"] {
        query.boolean(name)?;
    }
    query.integer("offset")?;
    query.integer("limit")?;
    let (leader_only, stream_leader_only) = (query.boolean("leader-only")?, query.boolean("stream-leader-only")?);
    query.boolean("raft")?;
    if leader_only && !stream_leader_only {
        return Err(PageError::Bad("filtered response: not leader".into()));
    }
    Site::page(&Jsz {
        memory: 0,
        storage: 0,
        reserved_memory: 0,
        reserved_storage: 0,
        accounts: 0,
        ha_assets: 0,
        api: Api::default(),
        server_id: site.view.server_id.clone(),
        now: Time::now(),
        disabled: true,
        config: JetStreamConfig::default(),
        streams: 0,
        consumers: 0,
        messages: 0,
        bytes: 0,
        total: 0,
    })
}

pub(super) fn raftz(_: &mut Site, _: &Query, _: &Request) -> Result<Response, PageError> {
    let mut response = Response::text(404, "No Raft nodes registered");
    response.headers.clear();
    Ok(response)
}

pub(super) fn ipqueuesz(_: &mut Site, query: &Query, _: &Request) -> Result<Response, PageError> {
    query.boolean("all")?;
    Site::page(&Nothing {})
}
