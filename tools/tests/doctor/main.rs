//! `dunlinctl doctor` as people run it: on this host, beside a server that runs here.
//!
//! What is said of hosts that are not this one is in the unit tests, over trees of files.

mod terminal;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::OnceLock;

use kit::{DEADLINE, Program, Setup, open_files_max};
use serde_json::Value;

fn doctor(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dunlinctl")).arg("doctor").args(arguments).output().expect("the program runs")
}

fn page(arguments: &[&str]) -> (Value, i32) {
    let output = doctor(&[&["--json"], arguments].concat());
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (serde_json::from_slice(&output.stdout).expect("JSON"), output.status.code().expect("it ends"))
}

fn finding<'a>(page: &'a Value, name: &str) -> &'a Value {
    let findings = page["findings"].as_array().expect("a list");
    findings.iter().find(|finding| finding["name"] == name).unwrap_or_else(|| panic!("{name} in {page:#}"))
}

fn text<'a>(page: &'a Value, name: &str) -> &'a str {
    finding(page, name)["value"].as_str().expect("text")
}

/// What a file of this host says; `None`: it has none.
fn host(path: &str) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.trim().to_owned())
}

/// `1,234` as a number.
fn number(text: &str) -> u64 {
    let digits: String = text.chars().take_while(|c| c.is_ascii_digit() || *c == ',').filter(|c| *c != ',').collect();
    digits.parse().unwrap_or_else(|_| panic!("a number begins {text:?}"))
}

/// The server beside this program; cargo has built it for the tests of the whole workspace, not for those of this package alone.
fn dunlin() -> Program {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    let path = PATH.get_or_init(|| {
        let tool = PathBuf::from(env!("CARGO_BIN_EXE_dunlinctl"));
        let path = tool.with_file_name("dunlin");
        if !path.exists() {
            let folder = tool.parent().and_then(|parent| parent.file_name()).expect("cargo's");
            let profile = if folder == "debug" { "dev".into() } else { folder.to_string_lossy() };
            let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
            let words = ["build", "--bin", "dunlin", "--profile", &profile, "--manifest-path", manifest];
            let status = Command::new(env!("CARGO")).args(words).status().expect("cargo runs");
            assert!(status.success(), "the server is built");
        }
        path
    });
    Program::Dunlin(path.clone())
}

#[test]
fn what_it_says_of_this_host_is_what_the_kernel_says() {
    let (page, _) = page(&["--connections", "100"]);
    for (name, path) in [
        ("somaxconn", "/proc/sys/net/core/somaxconn"),
        ("tcp_max_syn_backlog", "/proc/sys/net/ipv4/tcp_max_syn_backlog"),
        ("nr_open", "/proc/sys/fs/nr_open"),
    ] {
        match host(path) {
            Some(expected) => assert_eq!(number(text(&page, name)).to_string(), expected, "{name}"),
            None => assert_eq!(finding(&page, name)["verdict"], "unknown", "{name}"),
        }
    }
    for (name, path) in [
        ("kernel", "/proc/sys/kernel/osrelease"),
        ("clock_source", "/sys/devices/system/clocksource/clocksource0/current_clocksource"),
    ] {
        match host(path) {
            Some(expected) => assert_eq!(text(&page, name), expected, "{name}"),
            None => assert_eq!(finding(&page, name)["verdict"], "unknown", "{name}"),
        }
    }
    for name in ["tcp_rmem", "tcp_wmem"] {
        let Some(expected) = host(&format!("/proc/sys/net/ipv4/{name}")) else { continue };
        let shown: Vec<String> = text(&page, name).split(' ').map(|part| number(part).to_string()).collect();
        assert_eq!(shown.join(" "), expected.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    let huge_pages = host("/sys/kernel/mm/transparent_hugepage/enabled");
    if let Some(expected) = huge_pages {
        assert!(expected.contains(&format!("[{}]", text(&page, "huge_pages"))));
    }
    let status = host("/proc/self/status").expect("Linux");
    let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).expect("Linux").trim();
    assert!(text(&page, "cpus_allowed").starts_with(allowed), "{allowed}");
}

#[test]
fn the_cores_are_those_that_the_server_says() {
    let program = dunlin();
    for cores in ["1", "2", "3"] {
        let server = Setup::new(&program, cores.parse().expect("a number")).start();
        let (page, _) = page(&["--cores", cores]);
        let said = text(&page, "cores");
        let line = format!("Cores:    {said}");
        assert!(server.log().find(DEADLINE, |text| text.ends_with(&line)).is_some(), "{said}\n{}", server.log().tail());
    }
}

#[test]
fn a_running_server_is_seen_where_it_is() {
    let program = dunlin();
    let server = Setup::new(&program, 1).open_files_max(512).start();
    // A core that has answered has its name and its CPU.
    let _client = server.client();
    let pid = server.pid().to_string();
    let (page, code) = page(&["--pid", &pid, "--connections", "2000"]);
    assert_eq!(page["server"]["pid"].to_string(), pid);
    assert_eq!(page["server"]["cores"], 1);
    // The shell of this test has more.
    assert!(text(&page, "nofile").starts_with(&format!("512 soft, 512 hard (process {pid})")), "{page:#}");
    assert_eq!((finding(&page, "nofile")["verdict"].as_str(), code), (Some("will_bite"), 1));
    let running = text(&page, "cores_running");
    let pinned = page["server"]["cpus"].as_array().expect("a list").len();
    assert!(running.starts_with("1 core, ") && running.contains("not pinned") == (pinned == 0), "{running}");
}

#[test]
fn exit_codes_say_how_it_stands() {
    let most = open_files_max();
    // More clients than this process may have files.
    let too_many = most.min(1 << 40).saturating_add(1).to_string();
    let output = doctor(&["-q", "--connections", &too_many]);
    if most < 1 << 40 {
        assert_eq!(output.status.code(), Some(1));
        let out = String::from_utf8_lossy(&output.stdout);
        assert!(out.contains("Will bite: ") && out.contains("nofile") && !out.contains('\u{1b}'), "{out}");
    }
    for (arguments, reason) in [
        (&["--cores", "x"][..], "--cores x"),
        (&["--no-such"], "--no-such"),
        (&["--pid", "4294967295"], "no such process"),
        (&["-c", "/no/such/file"], "/no/such/file"),
    ] {
        let output = doctor(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(error.contains(reason) && error.contains("Try 'dunlinctl doctor --help'."), "{error}");
    }
    let output = doctor(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout.starts_with(b"Looks at this host"));
}

#[test]
fn an_empty_host_is_no_failure() {
    let folder = std::env::temp_dir().join(format!("dunlinctl-doctor-empty-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let (page, code) = page(&["--root", folder.to_str().expect("text"), "--connections", "1000000"]);
    fs::remove_dir_all(&folder).expect("ours");
    assert_eq!((code, &page["summary"]["will_bite"]), (0, &Value::from(0)));
    assert!(page["summary"]["unknown"].as_u64() > Some(25), "{page:#}");
}

#[test]
fn in_a_pipe_every_line_fits_80_columns() {
    let output = doctor(&[]);
    let out = String::from_utf8(output.stdout).expect("text");
    assert!(out.contains("CPUs\n") && out.contains("Network cards\n"), "{out}");
    for line in out.lines() {
        assert!(line.chars().count() <= 80 && !line.contains('\u{1b}'), "{line}");
    }
}
