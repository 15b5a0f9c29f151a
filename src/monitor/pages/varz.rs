//! `/varz`: the server as a whole.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::time::Duration;

use serde::Serialize;

use super::super::http::{Request, Response};
use super::super::json::{Time, is_default, uptime};
use super::super::query::Query;
use super::super::site::{PageError, Site};
use crate::os::usage;
use crate::reactor::snapshot::CoreFigures;
use crate::tls::expiry;

/// How long a login or a handshake may take where nothing is configured, and a login after a handshake.
const TIMEOUT: Duration = Duration::from_secs(2);
const LOG_IN_AFTER_TLS: Duration = Duration::from_secs(1);

/// A block of a feature that is not here.
#[derive(Debug, Default, Serialize)]
struct Nothing {}

#[derive(Debug, Default, Serialize)]
pub(in crate::monitor) struct ByKind {
    pub(in crate::monitor) clients: u64,
    routes: u64,
    gateways: u64,
    leafs: u64,
}

#[derive(Debug, Default, Serialize)]
struct DiskWaits {
    waiters: u64,
    waits: u64,
    wait_time: u64,
    max_wait_time: u64,
}

/// The page. Exporters read it too.
#[derive(Debug, Serialize)]
pub(in crate::monitor) struct Varz {
    pub(in crate::monitor) server_id: String,
    pub(in crate::monitor) server_name: String,
    pub(in crate::monitor) version: String,
    proto: u8,
    #[serde(skip_serializing_if = "String::is_empty")]
    git_commit: String,
    go: String,
    host: String,
    port: u16,
    /// Dunlin's own, where there is one.
    #[serde(skip_serializing_if = "String::is_empty")]
    unix_socket: String,
    #[serde(skip_serializing_if = "is_default")]
    auth_required: bool,
    #[serde(skip_serializing_if = "is_default")]
    tls_required: bool,
    #[serde(skip_serializing_if = "is_default")]
    tls_verify: bool,
    pub(in crate::monitor) max_connections: u64,
    #[serde(skip_serializing_if = "is_default")]
    pub(in crate::monitor) max_subscriptions: u64,
    pub(in crate::monitor) ping_interval: u64,
    pub(in crate::monitor) ping_max: u32,
    http_host: String,
    http_port: u16,
    http_base_path: String,
    https_port: u16,
    pub(in crate::monitor) auth_timeout: f64,
    pub(in crate::monitor) max_control_line: u32,
    pub(in crate::monitor) max_payload: u32,
    pub(in crate::monitor) max_pending: u64,
    cluster: Nothing,
    gateway: Nothing,
    leaf: Nothing,
    mqtt: Nothing,
    websocket: Nothing,
    jetstream: Nothing,
    pub(in crate::monitor) tls_timeout: f64,
    pub(in crate::monitor) write_deadline: u64,
    #[serde(skip_serializing_if = "is_default")]
    write_timeout: &'static str,
    pub(in crate::monitor) start: Time,
    pub(in crate::monitor) now: Time,
    uptime: String,
    pub(in crate::monitor) mem: u64,
    pub(in crate::monitor) cores: usize,
    pub(in crate::monitor) gomaxprocs: usize,
    pub(in crate::monitor) cpu: f64,
    pub(in crate::monitor) connections: u64,
    pub(in crate::monitor) total_connections: u64,
    routes: u64,
    remotes: u64,
    leafnodes: u64,
    pub(in crate::monitor) in_msgs: u64,
    pub(in crate::monitor) in_bytes: u64,
    in_client_msgs: u64,
    in_client_bytes: u64,
    pub(in crate::monitor) out_msgs: u64,
    pub(in crate::monitor) out_bytes: u64,
    out_client_msgs: u64,
    out_client_bytes: u64,
    pub(in crate::monitor) slow_consumers: u64,
    pub(in crate::monitor) stale_connections: u64,
    pub(in crate::monitor) stalled_clients: u64,
    pub(in crate::monitor) subscriptions: u64,
    http_req_stats: BTreeMap<&'static str, u64>,
    pub(in crate::monitor) config_load_time: Time,
    config_digest: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system_account: Option<String>,
    slow_consumer_stats: ByKind,
    stale_connection_stats: ByKind,
    disk_io_wait_stats: DiskWaits,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_cert_not_after: Option<Time>,
}

pub(super) fn page(site: &mut Site, _: &Query, _: &Request) -> Result<Response, PageError> {
    let figures = site.figures()?;
    let varz = read(site, &figures);
    Site::page(&varz)
}

/// What the page says.
pub(in crate::monitor) fn read(site: &mut Site, figures: &[CoreFigures]) -> Varz {
    let cpu = site.cpu_percent();
    let (settings, loaded) = site.view.settings();
    let config = site.view.config.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let info = &settings.info;
    let sum = |of: fn(&CoreFigures) -> u64| figures.iter().map(of).sum::<u64>();
    let (in_msgs, in_bytes) = (sum(|core| core.stats.in_msgs), sum(|core| core.stats.in_bytes));
    let (out_msgs, out_bytes) = (sum(|core| core.stats.out_msgs), sum(|core| core.stats.out_bytes));
    let (slow, stale) = (sum(|core| core.stats.slow_consumers), sum(|core| core.stats.stale_connections));
    let nanos = |time: std::time::Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let listener = config.monitoring.listener.as_ref();
    let tls_timeout = config.tls.as_ref().and_then(|tls| tls.timeout).unwrap_or(TIMEOUT);
    // Whoever speaks TLS first has a second longer than that.
    let log_in_within = if config.tls.is_some() { tls_timeout + LOG_IN_AFTER_TLS } else { TIMEOUT };
    let page_port = site.view.page_address.port();
    let tls = listener.is_some_and(|listener| listener.tls);
    Varz {
        server_id: info.server_id.clone(),
        server_name: info.server_name.clone(),
        version: info.version.clone(),
        proto: info.proto,
        git_commit: info.git_commit.clone(),
        go: info.go.clone(),
        host: config.host.clone(),
        port: site.view.client_address.port(),
        unix_socket: config.unix_socket.as_ref().map(|at| at.path.display().to_string()).unwrap_or_default(),
        auth_required: info.auth_required,
        tls_required: info.tls_required,
        tls_verify: info.tls_verify,
        max_connections: config.limits.connections_max.unwrap_or(0),
        max_subscriptions: config.limits.subscriptions_max.unwrap_or(0),
        ping_interval: nanos(config.timing.ping_interval),
        ping_max: config.timing.pings_out_max,
        http_host: listener.map(|listener| listener.host.clone()).unwrap_or_default(),
        http_port: if tls { 0 } else { page_port },
        http_base_path: config.monitoring.base_path.clone(),
        https_port: if tls { page_port } else { 0 },
        auth_timeout: config.security.timeout.unwrap_or(log_in_within).as_secs_f64(),
        max_control_line: config.limits.control_line_bytes_max,
        max_payload: config.limits.payload_bytes_max,
        max_pending: config.limits.pending_bytes_max,
        cluster: Nothing {},
        gateway: Nothing {},
        leaf: Nothing {},
        mqtt: Nothing {},
        websocket: Nothing {},
        jetstream: Nothing {},
        tls_timeout: tls_timeout.as_secs_f64(),
        write_deadline: nanos(config.timing.write_deadline),
        write_timeout: if config.timing.write_timeout_retries { "retry" } else { "" },
        start: Time(site.view.started.1),
        now: Time::now(),
        uptime: uptime(site.view.started.0.elapsed()),
        mem: usage::resident_bytes(),
        cores: usage::cpus(),
        gomaxprocs: site.view.cores.count(),
        cpu,
        connections: site.view.cores.connections(),
        total_connections: site.view.cores.connections_ever(),
        routes: 0,
        remotes: 0,
        leafnodes: 0,
        in_msgs,
        in_bytes,
        in_client_msgs: in_msgs,
        in_client_bytes: in_bytes,
        out_msgs,
        out_bytes,
        out_client_msgs: out_msgs,
        out_client_bytes: out_bytes,
        slow_consumers: slow,
        stale_connections: stale,
        stalled_clients: sum(|core| core.stats.stalls),
        subscriptions: sum(|core| core.tables.subscriptions as u64),
        http_req_stats: site.requests.clone(),
        config_load_time: Time(loaded),
        config_digest: config.digest.clone().unwrap_or_default(),
        tags: config.server_tags.clone(),
        metadata: config.server_metadata.iter().cloned().collect(),
        system_account: site.view.system_account(),
        slow_consumer_stats: ByKind { clients: slow, ..ByKind::default() },
        stale_connection_stats: ByKind { clients: stale, ..ByKind::default() },
        disk_io_wait_stats: DiskWaits::default(),
        tls_cert_not_after: config.tls.as_ref().and_then(expiry::not_after).map(Time),
    }
}
