//! `/healthz`: whether the server takes clients. Without JetStream there is nothing else to be checked.

use std::sync::atomic::Ordering;

use serde::Serialize;

use super::super::http::{Request, Response};
use super::super::json;
use super::super::query::Query;
use super::super::site::{PageError, Site};

#[derive(Debug, Serialize)]
struct Health {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Fault>,
}

#[derive(Debug, Serialize)]
struct Fault {
    #[serde(rename = "type")]
    type_: &'static str,
    error: String,
}

pub(super) fn page(site: &mut Site, query: &Query, _: &Request) -> Result<Response, PageError> {
    for name in ["js-enabled", "js-enabled-only", "js-server-only", "js-meta-only"] {
        query.boolean(name)?;
    }
    let details = query.boolean("details")?;
    let has = |name: &str| !query.text(name).is_empty();
    if has("consumer") && !has("stream") {
        return Ok(fault(400, "BAD_REQUEST", "\"stream\" must not be empty when checking consumer health", details));
    }
    if has("stream") && !has("account") {
        return Ok(fault(400, "BAD_REQUEST", "\"account\" must not be empty when checking stream health", details));
    }
    if is_going(site) {
        return Ok(fault(500, "CONNECTION", "failed to be ready for connections after 1ms: server", details));
    }
    Ok(Response::json(json::compact(&Health { status: "ok", error: None, errors: Vec::new() })))
}

/// Whether clients are being sent away.
pub(super) fn is_going(site: &Site) -> bool {
    site.view.lame_duck.load(Ordering::Acquire)
}

fn fault(status: u16, type_: &'static str, error: &str, details: bool) -> Response {
    let error = error.to_owned();
    let health = if details {
        Health { status: "error", error: None, errors: vec![Fault { type_, error }] }
    } else {
        Health { status: "error", error: Some(error), errors: Vec::new() }
    };
    Response::json_with(status, json::compact(&health))
}
