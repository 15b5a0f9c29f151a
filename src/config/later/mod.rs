//! Blocks of features that are not there yet: clusters, gateways, leaf nodes, WebSocket, MQTT, JetStream, operator mode.
//!
//! Owns one table a block, and the walk that checks a block by its table, in the peer's words and at its places, so that `-t`
//! says what the peer's says. Makes nothing of what it reads: a block stops the start. The feature that comes keeps the table,
//! and fills its settings from what the walk read. Messages show no password, seed or key.
//!
//! - `kinds`: what a table says; `reader`: the walk; `settings`: what it read
//! - `scalars`, `lists`, `parts`: single values; `urls`, `jwt`: two forms of text
//! - `cluster`, `gateway`, `leafnodes`, `websocket`, `mqtt`, `logins`, `jetstream`, `operator`: the tables

pub(super) mod cluster;
pub(super) mod gateway;
pub(super) mod jetstream;
mod jwt;
mod kinds;
pub(super) mod leafnodes;
mod lists;
mod logins;
pub(super) mod mqtt;
pub(super) mod operator;
mod parts;
mod reader;
mod scalars;
mod settings;
mod urls;
pub(super) mod websocket;

#[cfg(test)]
mod tests;

use super::keys::{Block, Key};
use kinds::Kind;

/// The blocks with their keys.
pub(super) fn blocks() -> Vec<Block> {
    let block = |path, keys: &'static [(Key, Kind)]| Block { path, keys: keys.iter().map(|(key, _)| key).collect() };
    vec![
        block("cluster", cluster::CLUSTER.keys),
        block("gateway", gateway::GATEWAY.keys),
        block("gateway.gateways", gateway::GATEWAYS.entry.keys),
        block("leafnodes", leafnodes::LEAFNODES.keys),
        block("leafnodes.authorization", leafnodes::AUTHORIZATION.keys),
        block("leafnodes.authorization.users", leafnodes::USERS.entry.keys),
        block("leafnodes.remotes", leafnodes::REMOTES.entry.keys),
        block("leafnodes.remotes.proxy", leafnodes::PROXY.keys),
        block("websocket", websocket::WEBSOCKET.keys),
        block("websocket.authorization", logins::LOGIN.keys),
        block("mqtt", mqtt::MQTT.keys),
        block("mqtt.authorization", logins::LOGIN.keys),
        block("jetstream", jetstream::JETSTREAM.keys),
        block("jetstream.limits", jetstream::LIMITS.keys),
        block("jetstream.limits.batch", jetstream::BATCH.keys),
        block("jetstream.tpm", jetstream::TPM.keys),
        block("resolver", operator::RESOLVER),
    ]
}
