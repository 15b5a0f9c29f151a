//! `/metrics`: its form, the names that dashboards know, and Prometheus' own tools where they are installed.

use std::collections::HashSet;
use std::io::Write;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use kit::{DEADLINE, Server, until};

use crate::browser::{ask, get, reply};
use crate::{setup, start};

/// Names of prometheus-nats-exporter that dashboards and alerts use.
const KNOWN: &[&str] = &[
    "gnatsd_varz_cpu",
    "gnatsd_varz_mem",
    "gnatsd_varz_connections",
    "gnatsd_varz_total_connections",
    "gnatsd_varz_in_msgs",
    "gnatsd_varz_out_msgs",
    "gnatsd_varz_in_bytes",
    "gnatsd_varz_out_bytes",
    "gnatsd_varz_slow_consumers",
    "gnatsd_varz_slow_consumer_stats_clients",
    "gnatsd_varz_subscriptions",
    "gnatsd_varz_max_connections",
    "gnatsd_varz_max_payload",
    "gnatsd_varz_max_pending",
    "gnatsd_varz_ping_max",
    "gnatsd_varz_leafnodes",
    "gnatsd_varz_routes",
    "gnatsd_varz_remotes",
    "gnatsd_varz_start",
    "gnatsd_varz_config_load_time",
    "gnatsd_varz_server_id",
    "gnatsd_varz_server_name",
    "gnatsd_varz_version",
    "gnatsd_varz_http_req_stats_metrics",
    "gnatsd_connz_num_connections",
    "gnatsd_connz_total",
    "gnatsd_connz_pending_bytes",
    "gnatsd_connz_subscriptions",
    "gnatsd_connz_in_msgs",
    "gnatsd_connz_out_msgs",
    "gnatsd_connz_in_bytes",
    "gnatsd_connz_out_bytes",
    "gnatsd_subsz_num_subscriptions",
    "gnatsd_subsz_num_cache",
    "gnatsd_subsz_cache_hit_rate",
    "gnatsd_subsz_max_fanout",
    "gnatsd_healthz_status",
    "gnatsd_accstatz_current_connections",
    "gnatsd_accstatz_sent_messages",
    "gnatsd_accountz_client_connections",
    "gnatsd_routez_num_routes",
    "gnatsd_leafz_conn_nodes_total",
    "jetstream_server_jetstream_disabled",
    "dunlin_core_turn_seconds_bucket",
    "dunlin_core_write_bytes_sum",
    "dunlin_core_busy_ratio",
    "dunlin_link_in_flight_bytes",
    "dunlin_build_info",
];

/// What the exporter calls a counter; all else of it is a gauge.
const COUNTERS: &[&str] =
    &["gnatsd_connz_in_msgs", "gnatsd_connz_out_msgs", "gnatsd_connz_in_bytes", "gnatsd_connz_out_bytes"];

fn populated() -> (Server, Vec<kit::Client>) {
    let server = start(2);
    let mut clients = (0..3).map(|_| server.client()).collect::<Vec<_>>();
    let mut publisher = server.client();
    publisher.send("SUB x 1\r\nPUB x 2\r\nhi\r\n");
    publisher.expect("MSG x 1 2\r\nhi\r\n");
    clients.push(publisher);
    (server, clients)
}

#[test]
fn names_types_and_lines_are_as_the_exporter_has_them() {
    let (server, _clients) = populated();
    let text = get(&server, "/metrics").body;
    let (mut types, mut names, mut series) = (HashSet::new(), HashSet::new(), HashSet::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a name and a type");
            assert!(types.insert(name.to_owned()), "{name} is there twice");
            let expected = if COUNTERS.contains(&name) { "counter" } else { "gauge" };
            assert!(!name.starts_with("gnatsd_") || kind == expected, "{name} is a {kind}");
        } else if !line.starts_with('#') {
            let (id, value) = line.rsplit_once(' ').expect("a value");
            assert!(value.parse::<f64>().is_ok_and(f64::is_finite), "{line}");
            assert!(series.insert(id.to_owned()), "{id} is there twice");
            names.insert(id.split('{').next().unwrap_or_default().to_owned());
        }
    }
    for name in KNOWN {
        assert!(names.contains(*name), "{name} is missing");
    }
    let value = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(&format!("{name}{{"))).unwrap_or_default();
        line.rsplit(' ').next().and_then(|value| value.parse::<f64>().ok())
    };
    assert_eq!([value("gnatsd_varz_connections"), value("gnatsd_connz_total")], [Some(4.0); 2]);
    assert_eq!([value("gnatsd_varz_in_msgs"), value("gnatsd_connz_in_bytes")], [Some(1.0), Some(2.0)]);
    assert_eq!([value("gnatsd_healthz_status"), value("jetstream_server_jetstream_disabled")], [Some(0.0), Some(1.0)]);
    // As many series for a thousand subjects and many connections.
    let mut client = server.client();
    let many: String = (0..1000).map(|at| format!("SUB s.{at} {at}\r\nPUB s.{at} 0\r\n\r\n")).collect();
    client.send(many);
    drop(client);
    let again = get(&server, "/metrics").body;
    assert_eq!(again.lines().count(), text.lines().count(), "the number of series depends on clients");
}

#[test]
fn open_metrics_are_given_to_who_asks() {
    let (server, _clients) = populated();
    let accept = "Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5\r\n";
    let reply = ask(server.page_address(), "/metrics", accept);
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(reply.header("Content-Type"), Some(kind));
    assert!(reply.body.ends_with("# EOF\n"));
    assert!(reply.body.contains("# TYPE gnatsd_connz_in_msgs unknown\n"));
    assert!(reply.body.contains("# TYPE dunlin_core_in_messages counter\ndunlin_core_in_messages_total{"));
}

fn is_installed(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        println!("{program} is not installed (Debian's package prometheus has it): not asked");
    }
    found
}

#[test]
fn promtool_takes_them() {
    if !is_installed("promtool") {
        return;
    }
    let (server, _clients) = populated();
    let mut tool = Command::new("promtool");
    let mut tool = tool
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it is installed");
    let body = get(&server, "/metrics").body;
    tool.stdin.take().expect("a pipe").write_all(body.as_bytes()).expect("it reads");
    let output = tool.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    // It dislikes names that the exporter has chosen; of ours there is nothing to be disliked.
    for line in said.lines() {
        assert!(line.starts_with("gnatsd_") && line.contains("suffix"), "{line}");
    }
    assert!([Some(0), Some(3)].contains(&output.status.code()), "{:?}", output.status);
}

/// A Prometheus that ends with its value.
struct Prometheus {
    child: Child,
    folder: std::path::PathBuf,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

#[test]
fn a_real_prometheus_scrapes_them() {
    if !is_installed("prometheus") {
        return;
    }
    let (server, _clients) = populated();
    let open = setup(1).flag("--monitor_token").flag("t0k").start();
    let folder = std::env::temp_dir().join(format!("dunlin-prometheus-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the temporary folder can be written");
    let config = format!(
        "global: {{ scrape_interval: 1s, scrape_timeout: 1s }}\nscrape_configs:\n\
         - job_name: open\n  static_configs: [ {{ targets: ['{}'] }} ]\n\
         - job_name: closed\n  authorization: {{ credentials: t0k }}\n  static_configs: [ {{ targets: ['{}'] }} ]\n",
        server.page_address(),
        open.page_address()
    );
    std::fs::write(folder.join("prometheus.yml"), config).expect("the folder is ours");
    // A port that was free a moment ago: it takes no other.
    let address = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port");
    let child = Command::new("prometheus")
        .arg(format!("--config.file={}", folder.join("prometheus.yml").display()))
        .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
        .arg(format!("--web.listen-address={address}"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it is installed");
    let _prometheus = Prometheus { child, folder };
    let query = |text: &str| {
        let Ok(mut stream) = std::net::TcpStream::connect(address) else { return String::new() };
        let request = format!("GET /api/v1/query?query={text} HTTP/1.0\r\nHost: x\r\n\r\n");
        drop(stream.write_all(request.as_bytes()));
        let came = crate::browser::read_to_end(&mut stream);
        if came.is_empty() { String::new() } else { reply(&came).body }
    };
    let mut last = String::new();
    let scraped = until(DEADLINE, || {
        last = query("gnatsd_varz_connections");
        last.contains("\"4\"") && query("up%7Bjob=%22closed%22%7D").contains("\"1\"]")
    });
    assert!(scraped, "Prometheus has no such value: {last}");
    let histogram = query("histogram_quantile(0.99,sum(dunlin_core_turn_seconds_bucket)by(le))");
    assert!(histogram.contains("\"value\":["), "{histogram}");
}

#[test]
fn refused_logins_are_counted() {
    let server = setup(1).config("authorization { user: a, password: b }").start();
    for count in 1..=3 {
        let mut stranger = server.open();
        stranger.send("CONNECT {\"user\":\"a\",\"pass\":\"c\"}\r\n");
        stranger.expect("-ERR 'Authorization Violation'\r\n");
        stranger.check_closed().expect("it is sent away");
        let text = get(&server, "/metrics").body;
        let line = text.lines().find(|line| line.starts_with("dunlin_core_failed_logins_total{"));
        let value = line.and_then(|line| line.rsplit(' ').next());
        assert_eq!(value, Some(count.to_string().as_str()), "{line:?}");
    }
}
