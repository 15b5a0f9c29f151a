//! The same pages of both servers under the same traffic: keys, their order, types, and the numbers that must agree.
//!
//! `NATS_SERVER` names the peer. Where it is not set there is nothing to compare with, and the test says so.

use kit::{Client, Program, Server, Setup};
use serde_json::Value;

use crate::browser::{get, json_when};
use crate::setup;

/// Paths of fields that only one of the two has, and why.
const ONLY_PEER: &[&str] = &[
    // Flags of JetStream, which is not here.
    "/varz feature_flags",
    // Services of the system account, which are not here yet.
    "/accountz?acc=$G account_detail.imports",
    "/accountz?acc=$SYS account_detail.imports",
    "/accountz?acc=$SYS account_detail.exports",
    // Go's memory.
    "/debug/vars memstats",
];

/// Numbers that are the same under the same traffic.
const SAME: &[(&str, &[&str])] = &[
    (
        "/varz",
        &[
            "connections",
            "total_connections",
            "in_msgs",
            "in_bytes",
            "out_msgs",
            "out_bytes",
            "in_client_msgs",
            "out_client_bytes",
            "slow_consumers",
            "stale_connections",
            "max_connections",
            "max_payload",
            "max_pending",
            "ping_interval",
            "ping_max",
            "write_deadline",
            "max_control_line",
            "auth_timeout",
            "tls_timeout",
            "proto",
            "version",
        ],
    ),
    ("/connz", &["num_connections", "total", "offset", "limit"]),
    ("/connz?state=closed", &["num_connections", "total", "offset", "limit"]),
    ("/routez", &["num_routes"]),
    ("/leafz", &["leafnodes"]),
    ("/jsz", &["memory", "streams", "disabled", "total"]),
];

/// Fields of a connection that are the same.
const SAME_OF_CONNECTION: &[&str] = &[
    "cid",
    "kind",
    "type",
    "ip",
    "pending_bytes",
    "in_msgs",
    "out_msgs",
    "in_bytes",
    "out_bytes",
    "subscriptions",
    "name",
    "lang",
    "version",
    "reason",
    "authorized_user",
    "name_tag",
];

const PAGES: &[&str] = &[
    "/varz",
    "/connz",
    "/connz?subs=1&auth=1",
    "/connz?subs=detail&sort=msgs_to",
    "/connz?state=closed",
    "/connz?state=closed&subs=1&auth=1",
    "/connz?state=any&sort=bytes_from&limit=2&offset=1",
    "/connz?user=joe&auth=1",
    "/connz?acc=nobody",
    "/subsz",
    "/subsz?subs=1&test=foo.x",
    "/accountz",
    "/accountz?acc=$G",
    "/accountz?acc=$SYS",
    "/accstatz",
    "/accstatz?unused=1",
    "/routez",
    "/routez?subs=detail",
    "/leafz",
    "/gatewayz",
    "/jsz",
    "/healthz",
    "/healthz?details=1",
    "/ipqueuesz",
    "/debug/vars",
];

fn traffic(server: &Server) -> Vec<Client> {
    let mut clients = Vec::new();
    for (fields, sends) in [
        (r#""name":"a","lang":"test","version":"1""#, "SUB foo 1\r\nSUB foo.> q 2\r\nUNSUB 2 50\r\n"),
        (r#""name":"b","user":"joe","pass":"x""#, "SUB foo.* 1\r\nPUB foo 4\r\nabcd\r\n"),
        (r#""name":"c","auth_token":"t""#, "PUB foo.x 2\r\nab\r\nPUB nobody 1\r\nx\r\n"),
    ] {
        let mut client = server.open();
        client.hello(&format!(",{fields}"));
        client.send(sends);
        client.messages_until_pong().expect("it answers");
        clients.push(client);
    }
    let mut gone = server.open();
    gone.hello(",\"name\":\"gone\"");
    gone.send("SUB x 1\r\n");
    gone.ping();
    gone.close().expect("it closes");
    json_when(server, "/connz?state=closed", |page| page["total"] == 1);
    clients
}

/// Keys in their order, and the type of what stands behind them; of a list, those of all items.
fn shape(value: &Value, path: &str, out: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                // Whose keys are paths that were asked for.
                if key != "http_req_stats" {
                    shape(value, &path, out);
                }
            }
        }
        Value::Array(items) if items.is_empty() => out.push(format!("{path}: empty list")),
        Value::Array(items) => items.iter().for_each(|item| shape(item, &format!("{path}[]"), out)),
        Value::Null => out.push(format!("{path}: null")),
        Value::Bool(_) => out.push(format!("{path}: bool")),
        Value::Number(_) => out.push(format!("{path}: number")),
        Value::String(_) => out.push(format!("{path}: text")),
    }
}

/// The keys of a text of JSON in the order in which they stand there.
fn keys_in_order(text: &str) -> Vec<&str> {
    text.lines()
        .filter_map(|line| line.trim_start().strip_prefix('"')?.split_once("\": ").map(|(key, _)| key))
        .collect()
}

fn shape_without(page: &str, value: &Value) -> Vec<String> {
    let mut out = Vec::new();
    shape(value, "", &mut out);
    let excused = |line: &String| {
        let only = ONLY_PEER.iter().filter_map(|row| row.strip_prefix(page)?.strip_prefix(' '));
        only.clone().any(|field| line.starts_with(field))
    };
    out.retain(|line| !excused(line));
    out.sort();
    out.dedup();
    out
}

#[test]
fn pages_have_the_peers_keys_and_types_and_its_numbers() {
    let Some(path) = std::env::var_os("NATS_SERVER") else {
        println!("NATS_SERVER is not set: the pages were not compared with the peer's");
        return;
    };
    let peer = Setup::new(&Program::Peer(path.into()), 1).flag("-m").flag("-1").start();
    let own = setup(2).start();
    let _clients = (traffic(&peer), traffic(&own));
    for page in PAGES {
        let (theirs, ours) = (get(&peer, page), get(&own, page));
        assert_eq!(theirs.status, ours.status, "{page}");
        assert_eq!(theirs.header("Content-Type"), ours.header("Content-Type"), "{page}");
        let (their_json, our_json) = (unchunked(&theirs.body, &theirs.head), ours.json());
        assert_eq!(shape_without(page, &their_json), shape_without(page, &our_json), "{page}");
        let numbers = SAME.iter().filter(|(known, _)| known == page).flat_map(|(_, fields)| *fields);
        for field in numbers {
            assert_eq!(their_json[field], our_json[field], "{page} {field}");
        }
        same_connections(page, &their_json, &our_json);
    }
    let by_number = |server: &Server| {
        let cid = get(server, "/connz")
            .body
            .split("\"cid\": ")
            .nth(1)
            .and_then(|rest| rest.split(',').next())
            .map(str::to_owned);
        let page = get(server, &format!("/connz?cid={}", cid.expect("a connection")));
        let page = page.json();
        (shape_without("/connz", &page), page["total"].clone(), page["limit"].clone())
    };
    assert_eq!(by_number(&peer), by_number(&own));
    // The order of keys, where both have the same ones.
    for page in ["/connz?subs=detail&auth=1&limit=1&offset=1", "/accstatz", "/jsz", "/subsz?subs=1&test=foo.x.y"] {
        let (theirs, ours) = (get(&peer, page), get(&own, page));
        let plain = serde_json::to_string_pretty(&ours.json()).expect("JSON");
        assert!(keys_in_order(&plain).len() == keys_in_order(&ours.body).len());
        let chunks = theirs.head.contains("chunked");
        let theirs = theirs.body.lines().filter(|line| !chunks || !line.chars().all(|c| c.is_ascii_hexdigit()));
        let theirs = theirs.collect::<Vec<_>>().join("\n");
        assert_eq!(keys_in_order(&theirs), keys_in_order(&ours.body), "{page}");
    }
    for bad in [
        "/connz?sort=x",
        "/connz?cid=x",
        "/subsz?test=a..b",
        "/healthz?consumer=C",
        "/jsz?leader-only=1",
        "/connz?auth=7",
    ] {
        let (theirs, ours) = (get(&peer, bad), get(&own, bad));
        assert_eq!((theirs.status, theirs.body), (ours.status, ours.body), "{bad}");
    }
}

fn same_connections(page: &str, theirs: &Value, ours: &Value) {
    let (Some(theirs), Some(ours)) = (theirs["connections"].as_array(), ours["connections"].as_array()) else { return };
    assert_eq!(theirs.len(), ours.len(), "{page}");
    // The peer's numbers of connections begin behind its own inner ones.
    let shift = |list: &[Value]| list.iter().filter_map(|c| c["cid"].as_i64()).min().unwrap_or(0);
    let (their_first, our_first) = (shift(theirs), shift(ours));
    for (their, our) in theirs.iter().zip(ours) {
        // What the peer had not written yet when a connection ended is chance.
        let by_chance = |field: &str| field == "pending_bytes" && their.get("stop").is_some();
        for field in SAME_OF_CONNECTION.iter().filter(|field| **field != "cid" && !by_chance(field)) {
            assert_eq!(their.get(field), our.get(field), "{page} {field}");
        }
        let cids = (their["cid"].as_i64().map(|cid| cid - their_first), our["cid"].as_i64().map(|cid| cid - our_first));
        assert_eq!(cids.0, cids.1, "{page}");
    }
}

/// The peer sends its larger pages in chunks.
fn unchunked(body: &str, head: &str) -> Value {
    if !head.contains("chunked") {
        return serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"));
    }
    let (mut rest, mut whole) = (body, String::new());
    while let Some((length, after)) = rest.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).unwrap_or(0);
        if length == 0 {
            break;
        }
        whole.push_str(&after[..length]);
        rest = after[length..].trim_start_matches("\r\n");
    }
    serde_json::from_str(&whole).unwrap_or_else(|error| panic!("{error}: {whole}"))
}
