//! Checks that read the monitoring port.

use crate::fake_monitor::{FakeMonitor, certificate, varz_page};
use crate::invocation::{check, run};
use crate::real_monitor::servers;

fn fake() -> FakeMonitor {
    let fake = FakeMonitor::start();
    fake.set("/varz", 200, &varz_page("FAKE", 0, 0, 30));
    fake
}

fn place(fake: &FakeMonitor) -> String {
    format!("--monitor http://{}", fake.address())
}

#[test]
fn exit_codes_are_nagioss() {
    let fake = fake();
    // 12.5 % CPU, 16 MiB, 3 of 10 connections, 4 subscriptions, 2 slow consumers, up for an hour.
    for (words, code, starts) in [
        ("cpu", 0, "OK fake OK:CPU 12.50% | cpu="),
        ("cpu --cpu-warn 12", 1, "WARNING fake Warn:CPU"),
        ("cpu --cpu-warn 5 --cpu-critical 12.5", 2, "CRITICAL fake Crit:CPU"),
        (
            "mem --mem-warn 17MiB --mem-critical 1GiB",
            0,
            "OK fake OK:Memory 16.0 MiB | mem=16777216;17825792;1073741824",
        ),
        ("mem --critical 16MiB", 2, "CRITICAL fake Crit:Memory"),
        ("connections --conn-warn 4 --conn-critical 8", 0, "OK fake OK:Connections 3 | connections=3;4;8"),
        ("connections --warn 20% --critical 50%", 1, "WARNING fake Warn:Connections 3 | connections=3;2;5"),
        ("connections --warn 5 --critical 3", 2, "CRITICAL fake Crit:Connections 3"),
        ("slow-consumers", 1, "WARNING fake Warn:Slow consumers 2 since the start"),
        ("slow-consumers --over 1ms", 0, "OK fake OK:Slow consumers 0 in 1ms"),
        ("subs --subs-critical 4", 2, "CRITICAL fake Crit:Subscriptions 4"),
        (
            "uptime --uptime-warn 2h --uptime-critical 10m",
            1,
            "WARNING fake Warn:Up 30s | uptime=3630.0000s;7200.0000s;600",
        ),
        ("server --name fake --conn-critical 100", 0, "OK fake OK:Up 30s OK:CPU 12.50% OK:Memory"),
        ("server --name other", 2, "CRITICAL fake Crit:result from wrong server \"fake\""),
        ("cpu --warn 9 --critical 8", 3, "UNKNOWN fake Unknown:CPU: the critical limit 8 is below"),
    ] {
        let (out, found) = check(&format!("{words} {}", place(&fake)));
        let starts = starts.replace("7200.0000s", "7200.0000");
        assert!(out.starts_with(&starts) && out.lines().count() == 1, "{words}: {out}");
        assert_eq!(found, code, "{words}: {out}");
    }
}

#[test]
fn a_server_that_cannot_be_asked_is_critical_and_a_wrong_place_is_unknown() {
    let fake = fake();
    let place = place(&fake);
    fake.set("/varz", 500, "ill");
    let (out, code) = check(&format!("cpu {place}"));
    assert!(code == 2 && out.contains("/varz: status 500: ill"), "{out}");
    for (status, body) in [(404, ""), (401, ""), (200, "<html>"), (200, "{}"), (200, "[1, 2]")] {
        fake.set("/varz", status, body);
        let (out, code) = check(&format!("cpu {place}"));
        assert!(code == 3 && out.starts_with("UNKNOWN Server Unknown:http://"), "{status} {body}: {out}");
    }
    fake.be_silent();
    let (out, code) = check(&format!("cpu {place} --timeout 300ms"));
    assert!(code == 2 && out.contains("no answer in time"), "{out}");
    drop(fake);
    let (out, code) = check(&format!("cpu {place}"));
    assert!(code == 2 && out.contains("Connection refused"), "{out}");
}

#[test]
fn health_is_what_the_server_says() {
    let fake = fake();
    for (status, body, code) in
        [(200, r#"{"status":"ok"}"#, 0), (200, r#"{"status":"error"}"#, 2), (503, r#"{"status":"unavailable"}"#, 2)]
    {
        fake.set("/healthz", status, body);
        let (out, found) = check(&format!("health {}", place(&fake)));
        assert_eq!(found, code, "{out}");
    }
}

#[test]
fn every_format_is_written_also_to_a_file() {
    let fake = fake();
    let place = place(&fake);
    let (out, code) = check(&format!("slow-consumers --format json {place}"));
    let page: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((&page["status"], &page["check_suite"], code), (&"WARNING".into(), &"slow_consumers".into(), 1));
    let (out, code) = check(&format!("slow-consumers --format prometheus --namespace nats {place}"));
    assert!(code == 0 && out.contains("nats_slow_consumers_slow_consumers{item=\"fake\"} 2\n"), "{out}");
    assert!(out.contains("nats_slow_consumers_status_code{item=\"fake\",status=\"WARNING\"} 1\n"), "{out}");
    let (out, code) = check(&format!("slow-consumers --format text {place}"));
    assert!(code == 1 && out.starts_with("fake: WARNING\n"), "{out}");
    let file = std::env::temp_dir().join(format!("dunlinctl-check-{}.prom", std::process::id()));
    let (out, code) = check(&format!("cpu --outfile {} {place}", file.display()));
    assert_eq!((out.as_str(), code), ("", 0));
    assert!(std::fs::read_to_string(&file).expect("written").starts_with("OK fake"));
    std::fs::remove_file(file).expect("ours");
    let (_, err, code) = run(&format!("server check cpu --outfile /no/such/folder/x {place}"));
    assert!(code == 3 && err.contains("--outfile /no/such/folder/x"), "{err}");
}

#[test]
fn logins_and_https_of_the_monitoring_port() {
    let (pem, config) = certificate();
    let fake = FakeMonitor::start_tls(config);
    fake.set("/varz", 200, &varz_page("FAKE", 0, 0, 30));
    fake.set_login("Bearer t0ken");
    let file = std::env::temp_dir().join(format!("dunlinctl-check-{}.pem", std::process::id()));
    std::fs::write(&file, pem).expect("written");
    let look = |login: &str, words: &str| check(&format!("cpu --monitor https://{login}{} {words}", fake.address()));
    let ours = format!("--tlsca {}", file.display());
    assert_eq!(look("t0ken@", &ours).1, 0);
    let (out, code) = look("wr0ng@", &ours);
    assert!(code == 3 && !out.contains("wr0ng"), "{out}");
    assert_eq!(look("t0ken@", "").1, 2, "a server that nobody vouches for");
    std::fs::remove_file(file).expect("ours");
}

#[test]
fn usage_errors_say_nothing_about_the_server() {
    for (words, text) in [
        ("server check nothing", "nothing"),
        ("server check cpu --warn x", "write 80 or 80%"),
        ("server check cpu --monitor ftp://h", "write http://host:port"),
        ("server check message --subject a.*", "no wildcards"),
        ("server", "check"),
    ] {
        let (out, err, code) = run(words);
        assert!(code == 3 && format!("{out}{err}").contains(text), "{words}: {code}: {out}{err}");
    }
    assert_eq!(run("server check --help").2, 0);
}

#[test]
fn real_servers_are_read() {
    for server in servers() {
        let client = server.server.client();
        let place = format!("--monitor http://{}", server.monitor);
        for (words, code) in [
            ("server", 0),
            ("connections --conn-warn 2", 0),
            ("connections --conn-warn 1", 1),
            ("connections --conn-critical 100%", 0),
            ("cpu --cpu-critical 10000", 0),
            ("mem --mem-critical 1KiB", 2),
            ("slow-consumers", 0),
            ("subs", 0),
            ("uptime --uptime-critical 1h", 2),
            ("health", 0),
        ] {
            let (out, found) = check(&format!("{words} {place}"));
            assert_eq!(found, code, "{}: {words}: {out}", server.name);
        }
        drop(client);
    }
}
