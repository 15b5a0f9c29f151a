//! `jetstream`, `store_dir` and `default_js_domain`.
//!
//! Owns their keys. In these blocks the first fault ends all, and the peer tells a wrong type at the block at the top.

use super::super::apply::Applied;
use super::super::complaints::string;
use super::super::keys::Key;
use super::super::value::{Node, Value};
use super::kinds::{Complaint, Ends, Kind, Table, entry};
use super::reader::{Reader, refuse};

const fn key(name: &'static str, aliases: &'static [&'static str], kind: Kind, help: &'static str) -> (Key, Kind) {
    entry(name, aliases, kind, "JetStream", help)
}

/// The block.
pub(in super::super) const JETSTREAM: Table = Table {
    otherwise: Complaint::Type("Expected map, bool or string to define JetStream, got "),
    ends: Ends::Around,
    keys: &[
        key("enabled", &["enable"], Kind::Bool, "JetStream is on"),
        key("strict", &[], Kind::Strict, "Requests with unknown fields are refused"),
        key("store_dir", &["store", "storedir"], Kind::StoreDir, "Folder of stored messages"),
        key("sync_interval", &["sync"], Kind::Sync, "Time between writes to the disk"),
        key(
            "max_memory_store",
            &["max_mem_store", "max_mem"],
            Kind::Size(Some("max_mem_store")),
            "Bytes of messages in memory",
        ),
        key("max_file_store", &["max_file"], Kind::Size(Some("max_file_store")), "Bytes of messages on disk"),
        key("domain", &[], Kind::Text, "Domain"),
        key("key", &["ek", "encryption_key"], Kind::Secret, "Key that stored messages are encrypted with"),
        key("prev_key", &["prev_ek", "prev_encryption_key"], Kind::Secret, "The key before that"),
        key("cipher", &[], Kind::Cipher, "Cipher of stored messages"),
        key("extension_hint", &[], Kind::Text, "Whether domains are joined"),
        key("limits", &[], Kind::Block(&LIMITS), "Bounds of streams and requests"),
        key("tpm", &[], Kind::Block(&TPM), "Keys in the machine's TPM"),
        key("unique_tag", &[], Kind::Text, "Replicas are on servers with different tags of this prefix"),
        key("max_outstanding_catchup", &[], Kind::Size(None), "Bytes on their way to replicas that catch up"),
        key("max_buffered_size", &[], Kind::Size(None), "Bytes that wait to be stored in a stream"),
        key("max_buffered_msgs", &[], Kind::Count, "Messages that wait to be stored in a stream"),
        key("request_queue_limit", &[], Kind::Count, "Requests that wait"),
        key("info_queue_limit", &[], Kind::Count, "Requests for information that wait"),
        key("meta_compact", &[], Kind::CountFromZero, "Entries of the common log before it is compacted"),
        key("meta_compact_size", &[], Kind::SizeFromZero, "Bytes of the common log before it is compacted"),
        key("meta_compact_sync", &[], Kind::Bool, "The common log is compacted at once"),
        key("max_concurrent_io", &[], Kind::CountWithin(4, 8192), "Accesses to the disk at one time"),
    ],
};

/// Bounds.
pub(in super::super) const LIMITS: Table = Table {
    otherwise: Complaint::LastType("Expected a map to define JetStreamLimits, got "),
    ends: Ends::Around,
    keys: &[
        key("max_ack_pending", &[], Kind::Int, "Messages of a consumer that wait for acknowledgement"),
        key("max_ha_assets", &[], Kind::Int, "Streams and consumers with replicas"),
        key("max_request_batch", &[], Kind::Int, "Messages of one request"),
        key("duplicate_window", &[], Kind::LimitDuration, "How long doubles are recognised"),
        key("batch", &[], Kind::Block(&BATCH), "Bounds of batches"),
    ],
};

/// Bounds of batches.
pub(in super::super) const BATCH: Table = Table {
    otherwise: Complaint::LastType("Expected a map to define batch limits, got "),
    ends: Ends::Around,
    keys: &[
        key("max_inflight_per_stream", &[], Kind::Int, "Open batches of a stream"),
        key("max_inflight_total", &[], Kind::Int, "Open batches"),
        key("max_msgs", &[], Kind::Int, "Messages of a batch"),
        key("timeout", &[], Kind::LimitDuration, "How long a batch may be open"),
    ],
};

/// Keys in the machine's TPM.
pub(in super::super) const TPM: Table = Table {
    otherwise: Complaint::LastType("Expected a map to define JetStreamLimits, got "),
    ends: Ends::Around,
    keys: &[
        key("keys_file", &[], Kind::Text, "File of the keys"),
        key("encryption_password", &[], Kind::Secret, "Password of the key"),
        key("srk_password", &[], Kind::Secret, "Password of the storage root key"),
        key("pcr", &[], Kind::Int, "Register that the key is bound to"),
        key("cipher", &[], Kind::Cipher, "Cipher of stored messages"),
    ],
};

/// Takes the block over; it may be a truth value or a word too.
pub(in super::super) fn jetstream(applied: &mut Applied, name: &[u8], node: &Node) {
    let is_on = match &node.value {
        Value::Bool(is_on) => *is_on,
        Value::Text(text) => match text.to_ascii_lowercase().as_slice() {
            b"enabled" | b"enable" => true,
            b"disabled" | b"disable" => false,
            _ => {
                let text = string(text);
                let text = format!("Expected 'enabled' or 'disabled' for string value, got '{text}'");
                return applied.errors.at(&node.place, text);
            }
        },
        _ => {
            let mut reader = Reader { applied, types_at: Some(node.place.clone()) };
            let Ok(settings) = reader.block(&JETSTREAM, node) else {
                return;
            };
            settings.bool("enabled").unwrap_or(true)
        }
    };
    if is_on {
        refuse(applied, name, node);
    }
}

/// `store_dir` at the top of a file.
pub(in super::super) fn store_dir(applied: &mut Applied, name: &[u8], node: &Node) {
    let mut reader = Reader { applied, types_at: None };
    if reader.store_dir(node).is_ok() && applied.has_store_dir {
        refuse(applied, name, node);
    }
}

/// `default_js_domain`: domains of accounts.
pub(in super::super) fn default_domain(applied: &mut Applied, name: &[u8], node: &Node) {
    let Value::Map(map) = &node.value else {
        let got = node.value.type_name();
        return applied.errors.at(&node.place, format!("error default_js_domain config: unsupported type {got}"));
    };
    let mut reader = Reader { applied, types_at: Some(node.place.clone()) };
    for (_, node) in map.iter() {
        if reader.text(node).is_err() {
            return;
        }
    }
    if !map.is_empty() {
        refuse(applied, name, node);
    }
}
