//! What the log says at the start, in the peer's words; and the address that clients are told.

use std::net::SocketAddr;
use std::path::Path;

use crate::config::{Advertised, Config};
use crate::identity::{self, Identity};
use crate::log::Logger;
use crate::os::affinity::Plan;
use crate::os::listener::host_port;

pub(super) fn say_who(log: &Logger, config: &Config, identity: &Identity) {
    let name = if config.server_name.is_empty() { identity.server_id() } else { &config.server_name };
    log.info(format_args!("Starting nats-server"));
    log.info(format_args!("  Version:  {}", identity::PEER_VERSION));
    log.info(format_args!("  Dunlin:   {}", identity::VERSION));
    log.info(format_args!("  Git:      [{}]", identity::git_commit_shown()));
    log.info(format_args!("  Name:     {name}"));
    log.info(format_args!("  ID:       {}", identity.server_id()));
    if let (Some(source), Some(digest)) = (&config.source, &config.digest) {
        log.info(format_args!("Using configuration file: {} ({digest})", source.display()));
    }
}

pub(super) fn say_cores(log: &Logger, plan: &Plan) {
    for reason in &plan.reasons {
        log.info(format_args!("{reason}"));
    }
}

pub(super) fn say_pages(log: &Logger, config: &Config, address: SocketAddr) {
    if let Some(listener) = &config.monitoring.listener {
        let scheme = if listener.tls { "https" } else { "http" };
        log.info(format_args!("Starting {scheme} monitor on {}", host_port(&listener.host, address.port())));
    }
}

pub(super) fn say_listening(log: &Logger, config: &Config, address: SocketAddr) {
    log.info(format_args!("Listening for client connections on {}", host_port(&config.host, address.port())));
    if config.proxy_protocol {
        log.info(format_args!("PROXY protocol enabled for client connections"));
    }
    if let Some(tls) = &config.tls {
        let how = if tls.allow_plain { "available" } else { "required" };
        log.info(format_args!("TLS {how} for client connections"));
    }
}

pub(super) fn say_listening_locally(log: &Logger, path: &Path) {
    log.info(format_args!("Listening for client connections on unix:{}", path.display()));
}

/// Host and port of INFO: what is advertised, or what was bound.
pub(super) fn advertised(config: &Config, address: SocketAddr) -> (String, u16) {
    match &config.client_advertise {
        None => (config.host.clone(), address.port()),
        Some(Advertised { host, port }) => (host.clone(), port.unwrap_or(address.port())),
    }
}
