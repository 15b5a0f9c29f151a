//! What the peer's pages say of a server with known clients.

use kit::{Client, DEADLINE, Server};
use rustix::process::Signal;

use crate::browser::{each, get, json, json_when};
use crate::{setup, start};

/// Three clients: `first` has two subscriptions and has heard itself, `second` publishes, `third` does nothing.
fn populate(server: &Server) -> [Client; 3] {
    let mut clients = ["first", "second", "third"].map(|name| {
        let mut client = server.open();
        client.hello(&format!(",\"name\":\"{name}\",\"lang\":\"test\",\"version\":\"1.0\""));
        client.ping();
        client
    });
    clients[0].send("SUB foo 1\r\nSUB bar.> q 22\r\nUNSUB 22 9\r\n");
    clients[0].ping();
    clients[1].send("PUB foo 4\r\nabcd\r\nPUB bar.x 6\r\nabcdef\r\nPUB nobody 2\r\nab\r\n");
    clients[1].ping();
    clients[0].expect("MSG foo 1 4\r\nabcd\r\nMSG bar.x 22 6\r\nabcdef\r\n");
    clients
}

#[test]
fn every_page_is_there_with_its_type() {
    let server = start(2);
    let _clients = populate(&server);
    for (path, content_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/varz", "application/json"),
        ("/connz", "application/json"),
        ("/subsz", "application/json"),
        ("/subscriptionsz", "application/json"),
        ("/accountz", "application/json"),
        ("/accountz?acc=$G", "application/json"),
        ("/accstatz", "application/json"),
        ("/healthz", "application/json"),
        ("/routez", "application/json"),
        ("/leafz", "application/json"),
        ("/gatewayz", "application/json"),
        ("/jsz", "application/json"),
        ("/ipqueuesz", "application/json"),
        ("/debug/vars", "application/json; charset=utf-8"),
        ("/corez", "application/json"),
        ("/slowz", "application/json"),
        ("/subjectz", "application/json"),
        ("/queuez", "application/json"),
        ("/metrics", "text/plain; version=0.0.4; charset=utf-8"),
    ] {
        let reply = get(&server, path);
        assert_eq!((reply.status, reply.header("Content-Type")), (200, Some(content_type)), "{path}");
        assert_eq!(reply.header("Content-Length"), Some(reply.body.len().to_string().as_str()), "{path}");
        if content_type == "application/json" {
            assert_eq!(reply.header("Access-Control-Allow-Origin"), Some("*"), "{path}");
            assert!(reply.json().is_object(), "{path}");
        }
    }
    assert!(get(&server, "/stacksz").body.contains("core-1"));
    let missing = get(&server, "/nothing");
    assert_eq!((missing.status, missing.body.as_str()), (404, "404 page not found\n"));
    assert_eq!(missing.header("X-Content-Type-Options"), Some("nosniff"));
    assert_eq!(get(&server, "/raftz").status, 404);
    assert_eq!(get(&server, "/expvarz").status, 404);
}

#[test]
fn counts_are_those_of_the_clients() {
    for cores in [1, 2] {
        let server = start(cores);
        let _clients = populate(&server);
        let varz = json(&server, "/varz");
        for (field, value) in [
            ("connections", 3),
            ("total_connections", 3),
            ("in_msgs", 3),
            ("in_bytes", 12),
            ("out_msgs", 2),
            ("out_bytes", 10),
            ("subscriptions", 2),
            ("slow_consumers", 0),
            ("gomaxprocs", cores as u64),
        ] {
            assert_eq!(varz[field], value, "{field}, {cores} cores");
        }
        assert!(varz["mem"].as_u64() > Some(100_000) && varz["cores"].as_u64() >= Some(1));
        assert_eq!(varz["http_req_stats"]["/varz"], 1);
        let accounts = json(&server, "/accstatz");
        let global = &accounts["account_statz"][0];
        assert_eq!(
            (&global["acc"], &global["conns"], &global["num_subscriptions"]),
            (&"$G".into(), &3.into(), &2.into())
        );
        assert_eq!((&global["sent"]["msgs"], &global["received"]["bytes"]), (&2.into(), &12.into()));
        assert_eq!(json(&server, "/accstatz?unused=1")["account_statz"].as_array().map(Vec::len), Some(2));
        let detail = &json(&server, "/accountz?acc=$G")["account_detail"];
        assert_eq!((&detail["client_connections"], &detail["subscriptions"]), (&3.into(), &2.into()));
    }
}

#[test]
fn connections_are_sorted_filtered_and_paged() {
    let server = start(2);
    let _clients = populate(&server);
    let names = |path: &str| each(&json(&server, path), "connections", "name");
    for (sort, expected) in [
        ("cid", ["first", "second", "third"]),
        ("start", ["first", "second", "third"]),
        ("subs", ["first", "second", "third"]),
        ("msgs_to", ["first", "second", "third"]),
        ("bytes_to", ["first", "second", "third"]),
        ("msgs_from", ["second", "first", "third"]),
        ("bytes_from", ["second", "first", "third"]),
        ("uptime", ["third", "second", "first"]),
    ] {
        assert_eq!(names(&format!("/connz?sort={sort}")), expected, "{sort}");
    }
    for sort in ["pending", "last", "idle", "rtt"] {
        assert_eq!(names(&format!("/connz?sort={sort}")).len(), 3, "{sort}");
    }
    assert_eq!(names("/connz?limit=1&offset=1"), ["second"]);
    assert_eq!(names("/connz?limit=2&offset=2"), ["third"]);
    let beyond = json(&server, "/connz?offset=7");
    assert_eq!((&beyond["num_connections"], &beyond["total"], &beyond["offset"]), (&0.into(), &3.into(), &7.into()));
    let cid = json(&server, "/connz")["connections"][1]["cid"].to_string();
    assert_eq!(names(&format!("/connz?cid={cid}")), ["second"]);
    assert_eq!(names("/connz?acc=$G&user="), ["first", "second", "third"]);
    assert_eq!(json(&server, "/connz?acc=nobody")["connections"], serde_json::Value::Null);
    assert_eq!(json(&server, "/connz?user=nobody")["connections"], serde_json::json!([]));
    let mut named = server.open();
    named.hello(",\"user\":\"joe\",\"pass\":\"secret\"");
    named.ping();
    let page = json(&server, "/connz?user=joe&auth=1");
    assert_eq!(page["connections"][0]["authorized_user"], "joe");
    assert_eq!(page["connections"][0]["name_tag"], "$G");
    assert!(!page.to_string().contains("secret"));
}

#[test]
fn a_connection_has_the_peers_fields_in_the_peers_order() {
    let server = start(2);
    let _clients = populate(&server);
    let text = get(&server, "/connz?subs=detail&auth=1").body;
    let order = [
        "cid",
        "kind",
        "type",
        "ip",
        "port",
        "start",
        "last_activity",
        "rtt",
        "uptime",
        "idle",
        "pending_bytes",
        "in_msgs",
        "out_msgs",
        "in_bytes",
        "out_bytes",
        "subscriptions",
        "name",
        "lang",
        "version",
        "subscriptions_list_detail",
        "name_tag",
    ];
    let places: Vec<usize> = order.iter().map(|key| text.find(&format!("\"{key}\": ")).expect(key)).collect();
    assert!(places.is_sorted(), "{text}");
    assert!(text.contains("\"subject\": \"bar.\\u003e\""), "{text}");
    let page = json(&server, "/connz?subs=detail");
    let details = page["connections"][0]["subscriptions_list_detail"].as_array().expect("a list");
    let queue = details.iter().find(|detail| detail["sid"] == "22").expect("it is there");
    assert_eq!(*queue, serde_json::json!({"subject":"bar.>","qgroup":"q","sid":"22","msgs":1,"max":9,"cid":1}));
    let mut subjects = json(&server, "/connz?subs=1")["connections"][0]["subscriptions_list"].as_array().cloned();
    subjects.as_mut().expect("a list").sort_by_key(ToString::to_string);
    assert_eq!(subjects, Some(vec!["bar.>".into(), "foo".into()]));
}

#[test]
fn ended_connections_are_kept_with_their_reasons() {
    for cores in [1, 2] {
        let server = setup(cores).config("max_closed_clients: 3\n").start();
        let [first, mut second, _third] = populate(&server);
        first.close().expect("it closes");
        json_when(&server, "/connz?state=closed", |page| page["total"] == 1);
        second.send("FOO\r\n");
        second.expect("-ERR 'Unknown Protocol Operation'\r\n");
        let closed = json_when(&server, "/connz?state=closed&sort=reason&subs=1", |page| page["total"] == 2);
        assert_eq!(each(&closed, "connections", "reason"), ["Client Closed", "Protocol Violation"]);
        assert_eq!(closed["connections"][0]["subscriptions_list"].as_array().map(Vec::len), Some(2));
        assert!(closed["connections"][0]["stop"].is_string());
        let stop = json(&server, "/connz?state=closed&sort=stop");
        assert_eq!(each(&stop, "connections", "name"), ["second", "first"]);
        assert_eq!(each(&json(&server, "/connz?state=any"), "connections", "name"), ["first", "second", "third"]);
        for path in ["/connz?sort=stop", "/connz?state=any&sort=reason"] {
            assert_eq!(get(&server, path).status, 400, "{path}");
        }
        // Totals of the account outlive its connections, and only the last ones are remembered, over all cores.
        for _ in 0..10 {
            server.client().close().expect("it closes");
        }
        json_when(&server, "/varz", |varz| varz["connections"] == 1);
        let kept = json(&server, "/connz?state=closed&sort=stop");
        assert_eq!((&kept["total"], &kept["num_connections"]), (&3.into(), &3.into()), "{cores} cores");
        assert_eq!(json(&server, "/accstatz")["account_statz"][0]["received"]["msgs"], 3);
    }
}

#[test]
fn accounts_are_told_apart() {
    let config =
        "accounts { A { users = [ {user: ann, password: p} ] }, B { users = [ {user: bob, password: p} ] } }\n";
    let server = setup(2).config(config).start();
    let log_in = |user: &str| {
        let mut client = server.open();
        client.hello(&format!(",\"user\":\"{user}\",\"pass\":\"p\",\"name\":\"{user}\""));
        client
    };
    let (mut ann, mut bob) = (log_in("ann"), log_in("bob"));
    ann.send("SUB x 1\r\nPUB x 3\r\nabc\r\n");
    ann.expect("MSG x 1 3\r\nabc\r\n");
    bob.send("PUB x 1\r\na\r\nPUB x 1\r\nb\r\n");
    bob.ping();
    let page = json(&server, "/connz?auth=1&sort=cid");
    assert_eq!(each(&page, "connections", "authorized_user"), ["ann", "bob"]);
    assert_eq!((each(&page, "connections", "account"), each(&page, "connections", "name_tag")).0, ["A", "B"]);
    assert_eq!(each(&json(&server, "/connz?acc=B"), "connections", "name"), ["bob"]);
    assert_eq!(each(&json(&server, "/connz?user=ann"), "connections", "name"), ["ann"]);
    let stats = json(&server, "/accstatz");
    let row = |name: &str| {
        let rows = stats["account_statz"].as_array().expect("a list");
        let row = rows.iter().find(|row| row["acc"] == name).unwrap_or_else(|| panic!("no {name}: {stats:#}"));
        [&row["conns"], &row["num_subscriptions"], &row["sent"]["msgs"], &row["received"]["msgs"]].map(|n| n.as_u64())
    };
    assert_eq!(row("A"), [1, 1, 1, 1].map(Some));
    assert_eq!(row("B"), [1, 0, 0, 2].map(Some));
    assert_eq!(stats["account_statz"].as_array().map(Vec::len), Some(2));
    assert_eq!(json(&server, "/accountz")["accounts"], serde_json::json!(["$G", "$SYS", "A", "B"]));
    assert_eq!(json(&server, "/accountz?acc=$SYS")["account_detail"]["is_system"], true);
    assert_eq!(json(&server, "/varz")["auth_required"], true);
    // What an account had stays when its clients have gone.
    bob.close().expect("it closes");
    let gone = json_when(&server, "/connz?state=closed&acc=B&auth=1", |page| page["total"] == 1);
    assert_eq!(gone["connections"][0]["authorized_user"], "bob");
    let unused = json(&server, "/accstatz?unused=1");
    let rows = unused["account_statz"].as_array().expect("a list");
    assert!(rows.iter().any(|row| row["acc"] == "B" && row["received"]["msgs"] == 2 && row["conns"] == 0));
}

#[test]
fn subscriptions_are_listed_and_tested() {
    let server = start(2);
    let _clients = populate(&server);
    let page = json(&server, "/subsz?subs=1");
    assert_eq!(each(&page, "subscriptions_list", "subject"), ["foo", "bar.>"]);
    assert_eq!((&page["num_subscriptions"], &page["total"], &page["num_inserts"]), (&2.into(), &2.into(), &2.into()));
    assert_eq!(each(&json(&server, "/subsz?subs=1&test=bar.x.y"), "subscriptions_list", "qgroup"), ["q"]);
    assert_eq!(json(&server, "/subsz?subs=1&limit=1&offset=1")["subscriptions_list"][0]["sid"], "22");
    for path in
        ["/subsz", "/subsz?test=foo", "/subsz?subs=1&test=other", "/subsz?subs=1&acc=nobody", "/subsz?subs=1&offset=5"]
    {
        assert!(json(&server, path).get("subscriptions_list").is_none(), "{path}");
    }
    assert_eq!(json(&server, "/subsz?acc=$SYS")["num_subscriptions"], 0);
}

#[test]
fn round_trips_slow_and_stale_connections_are_real() {
    let config = "ping_interval: \"200ms\"\nping_max: 1\nmax_pending: 1MB\nmax_payload: 512KB\n";
    let server = setup(2).config(config).start();
    let mut stale = server.open();
    stale.hello(",\"name\":\"mute\"");
    // It reads its PINGs and does not answer.
    stale.read_to_end().expect("the server closes it");
    let varz = json_when(&server, "/varz", |varz| varz["stale_connections"] == 1);
    assert_eq!(varz["stale_connection_stats"]["clients"], 1);
    let mut slow = Client::open_with_receive_buffer(server.address(), 4096).expect("it accepts");
    slow.hello(",\"name\":\"lazy\"");
    slow.send("SUB big 1\r\n");
    let mut publisher = server.client();
    let message = [b"PUB big 200000\r\n".as_slice(), &[b'x'; 200_000], b"\r\n"].concat();
    // Until it is closed; the kernel's buffers take some.
    for _ in 0..200 {
        if server.log().count("Slow Consumer Detected") > 0 {
            break;
        }
        publisher.send(&message);
        publisher.ping();
    }
    assert!(server.log().find(DEADLINE, |line| line.contains("Slow Consumer Detected")).is_some());
    let varz = json_when(&server, "/varz", |varz| varz["slow_consumers"] == 1);
    assert_eq!(varz["slow_consumer_stats"]["clients"], 1);
    let slowz = json_when(&server, "/slowz", |page| page["closed"][0]["name"] == "lazy");
    assert_eq!(slowz["closed"][0]["reason"], "Slow Consumer (Pending Bytes)");
    assert!(slowz["closed"][0]["pending_bytes"].as_u64() > Some(500_000), "{slowz:#}");
    assert!((1..=10).contains(&slowz["closed"][0]["lost_msgs"].as_u64().expect("a number")), "{slowz:#}");
    let reasons = json(&server, "/connz?state=closed");
    assert!(each(&reasons, "connections", "reason").contains(&"Stale Connection".to_owned()), "{reasons:#}");
    assert!(each(&reasons, "connections", "rtt").iter().all(|rtt| rtt != "0s"), "{reasons:#}");
}

#[test]
fn a_lame_duck_is_not_healthy_and_goes_on_telling() {
    let config = "lame_duck_duration: \"60s\"\nlame_duck_grace_period: \"30s\"\n";
    let server = setup(2).config(config).start();
    let _client = server.client();
    assert_eq!(get(&server, "/healthz").body, "{\"status\":\"ok\"}");
    server.signal(Signal::USR2);
    assert!(server.log().find(DEADLINE, |line| line.contains("lame duck mode")).is_some());
    let sick = get(&server, "/healthz");
    assert_eq!(sick.status, 500);
    assert_eq!(sick.body, "{\"status\":\"error\",\"error\":\"failed to be ready for connections after 1ms: server\"}");
    assert_eq!(json(&server, "/varz")["connections"], 1);
    let bad = get(&server, "/healthz?stream=S&details=1");
    assert_eq!(bad.status, 400);
    assert_eq!(bad.json()["errors"][0]["type"], "BAD_REQUEST");
}

#[test]
fn pages_stand_below_their_base_path() {
    let server = setup(1).config("http_base_path: \"a/../nats/\"\nserver_tags: [x]\nserver_metadata: {k: v}\n").start();
    let varz = json(&server, "/nats/varz");
    assert_eq!((&varz["tags"], &varz["metadata"]), (&serde_json::json!(["x"]), &serde_json::json!({"k":"v"})));
    assert_eq!(get(&server, "/nats").status, 200);
    assert_eq!(get(&server, "/varz").status, 404);
    assert_eq!(get(&server, "/natsvarz").status, 404);
}

#[test]
fn a_reload_does_not_move_the_pages() {
    let server = setup(1).config("debug: false\n").start();
    let path = json(&server, "/debug/vars")["cmdline"][2].as_str().expect("the file").to_owned();
    std::fs::write(&path, "http_base_path: moved\n").expect("the file is ours");
    server.signal(Signal::HUP);
    let refused = "config reload not supported for HTTPBasePath: old=, new=moved";
    assert!(server.log().find(DEADLINE, |line| line.contains(refused)).is_some(), "{}", server.log().tail());
    assert_eq!(get(&server, "/varz").status, 200);
}
