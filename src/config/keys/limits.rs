//! Keys of limits, intervals and pages.

use super::key::Key;
use super::kinds::{DurationForm, IntBound, Kind};
use super::show::{bound, listener, page_port, time};
use super::{BROKER, CONFIGURATION, MONITORING, slot};

const BUFFERS: &str = "connections have their buffers and limits from when they came";
const PAGES: &str = "the listener of pages is open";
const INT32_MAX: i64 = i32::MAX as i64;

/// What clients may use.
pub(super) const LIMITS: &[Key] = &[
    Key::new("max_connections", Kind::Int(slot!(max_connections), IntBound::Any))
        .aliases(&["max_conn"])
        .default("65536")
        .since(BROKER)
        .help("Clients at a time; 0 and less lets nobody in")
        .shown(|c| bound(c.limits.connections_max)),
    Key::new("max_control_line", Kind::Int(slot!(max_control_line), IntBound::Int32))
        .default("4096")
        .range(4096, 1, INT32_MAX)
        .since(BROKER)
        .help("Bytes of one line of the protocol")
        .differs("negative numbers are refused")
        .shown(|c| c.limits.control_line_bytes_max.to_string()),
    Key::new("max_payload", Kind::Int(slot!(max_payload), IntBound::Int32))
        .default("1MiB")
        .range(1 << 20, 1, INT32_MAX)
        .since(BROKER)
        .help("Bytes of a message with its headers; -1 is as much as max_pending; over 8 MiB is warned of")
        .differs("-1 is bounded by max_pending; other negative numbers are refused")
        .shown(|c| c.limits.payload_bytes_max.to_string()),
    Key::new("max_pending", Kind::Int(slot!(max_pending), IntBound::Any))
        .default("64MiB")
        .fixed(BUFFERS)
        .since(BROKER)
        .help("Bytes that may wait for one client before it is closed as a slow consumer; at least max_payload")
        .shown_as("MaxPending", |c| c.limits.pending_bytes_max.to_string()),
    Key::new("max_subscriptions", Kind::Int(slot!(max_subscriptions), IntBound::Any))
        .aliases(&["max_subs"])
        .default("0")
        .fixed(BUFFERS)
        .since(BROKER)
        .help("Subscriptions of one client; 0 is any number")
        .shown_as("MaxSubs", |c| bound(c.limits.subscriptions_max)),
    Key::new("max_sub_tokens", Kind::Int(slot!(max_sub_tokens), IntBound::SubTokens))
        .aliases(&["max_subscription_tokens"])
        .range(0, 1, 255)
        .example("16")
        .fixed(BUFFERS)
        .since(BROKER)
        .help("Tokens of a subject that is subscribed to (default: any number)")
        .shown_as("MaxSubTokens", |c| bound(c.limits.sub_tokens_max.map(u64::from))),
    Key::new("max_closed_clients", Kind::Int(slot!(max_closed_clients), IntBound::Any))
        .default("10000")
        .range(10_000, 1, 1 << 24)
        .fixed("the memory for them is laid out at the start")
        .since(BROKER)
        .help("Ended connections that pages remember")
        .differs("negative numbers are refused")
        .shown_as("MaxClosedClients", |c| c.limits.closed_clients_max.to_string()),
];

/// How long things may take.
pub(super) const TIMING: &[Key] = &[
    Key::new("write_timeout", Kind::WriteTimeout)
        .default("default")
        .fixed(BUFFERS)
        .since(BROKER)
        .help("What a missed write_deadline does: close the client (default, close), or go on (retry)")
        .shown_as("WriteTimeout", |c| c.timing.write_timeout_retries.to_string()),
    Key::new("ping_interval", Kind::Duration(slot!(ping_interval), DurationForm::TextOrSeconds))
        .default("\"2m\"")
        .since(BROKER)
        .help("How long a client is silent before it is pinged")
        .differs("negative ones are refused")
        .shown(|c| time(c.timing.ping_interval)),
    Key::new("ping_max", Kind::Int(slot!(ping_max), IntBound::Any))
        .default("2")
        .range(2, 1, INT32_MAX)
        .since(BROKER)
        .help("Unanswered pings before a client is closed")
        .differs("negative numbers are refused")
        .shown(|c| c.timing.pings_out_max.to_string()),
    Key::new("write_deadline", Kind::Duration(slot!(write_deadline), DurationForm::TextOrSeconds))
        .default("\"10s\"")
        .since(BROKER)
        .help("How long a client may take nothing of what waits for it")
        .differs("negative ones are refused")
        .shown(|c| time(c.timing.write_deadline)),
    Key::new("no_fast_producer_stall", Kind::Bool(slot!(no_fast_producer_stall)))
        .default("false")
        .since(BROKER)
        .help("Do not hold back who publishes faster than its subscribers take")
        .shown(|c| (!c.fast_producer_stall).to_string()),
    Key::new("no_header_support", Kind::Bool(slot!(no_header_support)))
        .default("false")
        .fixed("clients were told at their start")
        .since(BROKER)
        .help("Refuse messages with headers")
        .shown_as("NoHeaderSupport", |c| (!c.headers).to_string()),
    Key::new("disable_sublist_cache", Kind::Bool(slot!(disable_sublist_cache)))
        .aliases(&["no_sublist_cache"])
        .default("false")
        .fixed("cores hold their caches from the start")
        .since(BROKER)
        .help("Look receivers up anew for each message")
        .shown_as("NoSublistCache", |c| (!c.match_cache).to_string()),
    Key::new("proxy_protocol", Kind::Bool(slot!(proxy_protocol)))
        .default("false")
        .fixed("connections have begun with or without a header")
        .since(CONFIGURATION)
        .help("Connections may begin with the PROXY protocol, version 1 or 2: only a proxy may be able to connect then")
        .differs("the log too names the client that a header does")
        .shown_as("ProxyProtocol", |c| c.proxy_protocol.to_string()),
];

/// Pages.
pub(super) const PAGES_KEYS: &[Key] = &[
    Key::new("http", Kind::MonitorListen(slot!(http_port)))
        .example("\"127.0.0.1:8222\"")
        .fixed(PAGES)
        .since(MONITORING)
        .help("Host and port for pages; a number alone is the port, -1 any free one")
        .shown_as("HTTPHost", |c| listener(c).map_or_else(String::new, |l| l.host.clone())),
    Key::new("http_port", Kind::Int(slot!(http_port), IntBound::Any))
        .aliases(&["monitor_port"])
        .default("0")
        .range(0, -1, 65_535)
        .fixed(PAGES)
        .since(MONITORING)
        .help("Port for pages, on the host of clients; 0 is none, -1 any free one")
        .shown_as("HTTPPort", |c| page_port(c, false)),
    Key::new("https", Kind::MonitorListen(slot!(https_port)))
        .example("\"127.0.0.1:8443\"")
        .fixed(PAGES)
        .since(MONITORING)
        .help("Host and port for pages over TLS; needs tls, and not beside http"),
    Key::new("https_port", Kind::Int(slot!(https_port), IntBound::Any))
        .default("0")
        .range(0, -1, 65_535)
        .fixed(PAGES)
        .since(MONITORING)
        .help("Port for pages over TLS, on the host of clients; needs tls")
        .shown_as("HTTPSPort", |c| page_port(c, true)),
    Key::new("http_base_path", Kind::Text(slot!(http_base_path)))
        .default("\"/\"")
        .fixed(PAGES)
        .since(MONITORING)
        .help("What goes before the path of every page")
        .shown_as("HTTPBasePath", |c| c.monitoring.base_path.clone()),
];
