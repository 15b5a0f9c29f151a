//! Dunlin's own pages: cores, slow connections, subjects, queue groups.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kit::{Client, Server};
use serde_json::Value;

use crate::browser::{each, json, json_when};
use crate::{setup, start};

/// Publishes so many messages of four bytes to a subject, and waits until the server has taken them.
fn publish(client: &mut Client, subject: &str, count: usize) {
    client.send(format!("PUB {subject} 4\r\nabcd\r\n").repeat(count));
    client.messages_until_pong().expect("it answers");
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("no number: {value}"))
}

fn sum(page: &Value, list: &str, field: &str) -> f64 {
    page[list].as_array().expect("a list").iter().map(|item| number(&item[field])).sum()
}

#[test]
fn cores_add_up_to_the_server() {
    for cores in [1, 3] {
        let server = start(cores);
        let mut clients: Vec<Client> = (0..6).map(|_| server.client()).collect();
        for client in &mut clients {
            client.send("SUB x 1\r\n");
            client.ping();
        }
        publish(&mut clients[0], "x", 100);
        json_when(&server, "/varz", |varz| varz["out_msgs"] == 600);
        let page = json(&server, "/corez");
        assert_eq!(page["cores"].as_array().map(Vec::len), Some(cores));
        for (field, expected) in [
            ("connections", 6.0),
            ("subscriptions", 6.0),
            ("in_msgs", 100.0),
            ("out_msgs", 600.0),
            ("out_bytes", 2400.0),
        ] {
            assert_eq!(sum(&page, "cores", field), expected, "{field}, {cores} cores");
        }
        for core in page["cores"].as_array().expect("a list") {
            let turns = &core["turn_us"];
            assert!(number(&turns["p50"]) <= number(&turns["p99"]) && number(&turns["p99"]) <= number(&turns["max"]));
            assert!(number(&core["turns"]) > 0.0 && number(&core["busy_percent"]) <= 100.0);
            assert!(number(&core["memory"]["read_buffers"]) > 0.0);
            assert_eq!(core["links"].as_array().map(Vec::len), Some(cores - 1));
        }
        if cores > 1 {
            assert!(sum(&page, "cores", "wakes") > 0.0, "nobody was woken: {page:#}");
            let links = page["cores"].as_array().expect("a list").iter().flat_map(|core| core["links"].as_array());
            let high: f64 = links.flatten().map(|link| number(&link["high_water_bytes"])).sum();
            assert!(high > 0.0, "nothing went over a link: {page:#}");
        }
    }
}

/// Every message is looked at, so that the figures are exact.
fn with_exact_subjects(cores: usize) -> Server {
    setup(cores).flag("--subject_sample").flag("1").start()
}

#[test]
fn busy_subjects_are_counted_and_summed_up() {
    let server = with_exact_subjects(2);
    let mut subscribers: Vec<Client> = (0..4).map(|_| server.client()).collect();
    for client in &mut subscribers {
        client.send("SUB orders.> 1\r\n");
        client.ping();
    }
    let mut publisher = server.client();
    publish(&mut publisher, "orders.eu.new", 300);
    publish(&mut publisher, "orders.us.new", 100);
    publish(&mut publisher, "nobody", 50);
    let page = json_when(&server, "/subjectz", |page| page["subjects"][0]["out_msgs"] == 1200);
    assert_eq!((&page["sample_every"], &page["error_bound_msgs"]), (&1.into(), &0.into()));
    assert_eq!(each(&page, "subjects", "subject"), ["orders.eu.new", "orders.us.new", "nobody"]);
    let first = &page["subjects"][0];
    assert_eq!((&first["in_msgs"], &first["in_bytes"]), (&300.into(), &1200.into()));
    assert_eq!(
        (&first["out_bytes"], &first["subscribers"], &first["account"]),
        (&4800.into(), &4.into(), &"$G".into())
    );
    assert_eq!(each(&page, "subjects", "subscribers"), ["4", "4", "0"]);
    let depth = json(&server, "/subjectz?depth=1");
    assert_eq!(each(&depth, "subjects", "subject"), ["orders.>", "nobody"]);
    assert_eq!(each(&depth, "subjects", "in_msgs"), ["400", "50"]);
    assert_eq!(json(&server, "/subjectz?limit=1")["subjects"].as_array().map(Vec::len), Some(1));
    // Rates are over the time since the last look, if that is long enough ago.
    publish(&mut publisher, "orders.us.new", 5000);
    let busy = json_when(&server, "/subjectz", |page| page["subjects"][0]["subject"] == "orders.us.new");
    assert!(number(&busy["subjects"][0]["in_msgs_rate"]) > 0.0, "{busy:#}");
}

#[test]
fn memory_for_subjects_is_bounded_and_its_error_is_told() {
    let server = with_exact_subjects(1);
    let mut publisher = server.client();
    for round in 0..20 {
        let many: String = (0..500).map(|at| format!("PUB light.{round}.{at} 0\r\n\r\n")).collect();
        publisher.send(many);
        publish(&mut publisher, "heavy", 500);
    }
    let page = json(&server, "/subjectz?limit=10000");
    let bound = page["error_bound_msgs"].as_u64().expect("a number");
    assert!(bound > 0 && bound <= 20_000 / 512, "{bound}");
    assert!(page["subjects"].as_array().expect("a list").len() <= 1000);
    let heavy = &page["subjects"][0];
    assert_eq!(heavy["subject"], "heavy");
    assert!((10_000 - bound..=10_000).contains(&heavy["in_msgs"].as_u64().expect("a number")), "{heavy:#}");
    let off = setup(1).flag("--subject_sample").flag("0").start();
    publish(&mut off.client(), "x", 100);
    let page = json(&off, "/subjectz");
    assert_eq!((&page["sample_every"], &page["subjects"]), (&0.into(), &serde_json::json!([])));
}

#[test]
fn queue_groups_show_their_members_and_how_even_they_are() {
    let server = start(2);
    let mut members: Vec<Client> = (0..4).map(|_| server.client()).collect();
    for client in &mut members {
        client.send("SUB work.* pool 1\r\n");
        client.ping();
    }
    publish(&mut server.client(), "work.1", 4000);
    let page = json_when(&server, "/queuez", |page| page["groups"][0]["picks"] == 4000);
    let group = &page["groups"][0];
    assert_eq!(
        (&group["subject"], &group["queue"], &group["account"]),
        (&"work.*".into(), &"pool".into(), &"$G".into())
    );
    assert_eq!((&group["members"], &group["members_by_core"]), (&4.into(), &serde_json::json!([2, 2])));
    assert!(number(&group["fairness"]) > 0.98, "{group:#}");
    assert_eq!(json(&start(1), "/queuez")["groups"], serde_json::json!([]));
}

#[test]
fn who_is_behind_is_shown_with_its_core() {
    let server = start(2);
    let mut lazy = Client::open_with_receive_buffer(server.address(), 4096).expect("it accepts");
    lazy.hello(",\"name\":\"lazy\"");
    lazy.send("SUB big 1\r\n");
    lazy.ping();
    let message = [b"PUB big 500000\r\n".as_slice(), &[b'x'; 500_000], b"\r\n"].concat();
    let mut publisher = server.client();
    for _ in 0..40 {
        publisher.send(&message);
    }
    publisher.ping();
    let page = json_when(&server, "/slowz", |page| page["num_slow"] == 1);
    let slow = &page["connections"][0];
    assert_eq!(slow["name"], "lazy");
    assert!(number(&slow["pending_bytes"]) > 1e6 && slow["core"].as_u64() < Some(2), "{slow:#}");
    assert_eq!(json(&server, "/connz?sort=pending")["connections"][0]["name"], "lazy");
}

/// Says that it is over when it goes, however that comes.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Reads a little at a time, so that it is behind and not frozen; connects again where the server has closed it all the same.
fn read_slowly(server: &Server, over: &AtomicBool) {
    while !over.load(Ordering::Acquire) {
        let mut slow = Client::open_with_receive_buffer(server.address(), 64 * 1024).expect("it accepts");
        slow.hello(",\"name\":\"slow\"");
        slow.send("SUB big 1\r\n");
        while !over.load(Ordering::Acquire) && slow.next_message().is_ok_and(|message| message.is_some()) {
            std::thread::park_timeout(Duration::from_micros(500));
        }
    }
}

#[test]
fn a_publisher_that_is_held_back_is_shown_with_its_receiver() {
    for cores in [1, 2] {
        let server = setup(cores).flag("--sndbuf").flag("65536").config("max_pending: 16MB\n").start();
        let mut fast = server.open();
        fast.hello(",\"name\":\"fast\"");
        let fast_cid = fast.info()["client_id"].clone();
        let message = [b"PUB big 20000\r\n".as_slice(), &[b'x'; 20_000], b"\r\n"].concat();
        let over = AtomicBool::new(false);
        let (server, over) = (&server, &over);
        std::thread::scope(|scope| {
            let _over = Over(over);
            scope.spawn(move || read_slowly(server, over));
            scope.spawn(move || while !over.load(Ordering::Acquire) && fast.try_send(&message).is_ok() {});
            let page = json_when(server, "/slowz", |page| page["held_back"][0]["name"] == "fast");
            let by = page["held_back"][0]["by"].as_array().expect("a list");
            assert!(!by.is_empty() && by.iter().all(|cid| *cid != fast_cid), "{page:#}");
            assert!(page["held_back"][0]["stalls"].as_u64() > Some(0), "{page:#}");
            assert!(json(server, "/varz")["stalled_clients"].as_u64() > Some(0));
            let connz = json(server, &format!("/connz?cid={fast_cid}"));
            assert!(connz["connections"][0]["stalls"].as_u64() > Some(0), "{connz:#}");
        });
    }
}
