//! Keys, sizes and views, on a screen.

use std::process::Command;

use crate::fake_monitor::{FakeMonitor, varz_page};
use crate::tmux::{Tmux, top};

/// A server with every page.
pub(crate) fn fake() -> FakeMonitor {
    let fake = FakeMonitor::start();
    fake.set_changing("/varz", |looks| (200, varz_page("FAKE", 0, 1000, looks)));
    fake.set("/connz", 200, include_str!("pages/connz_1.json"));
    fake.set("/corez", 200, include_str!("pages/corez_1.json"));
    fake.set("/slowz", 200, include_str!("pages/slowz.json"));
    fake.set("/subjectz", 200, include_str!("pages/subjectz.json"));
    fake.set("/queuez", 200, include_str!("pages/queuez.json"));
    fake
}

#[test]
fn keys_of_nats_top_work() {
    let fake = fake();
    let Some(tmux) = Tmux::start(150, 24, &top(fake.address(), "-d 0.2")) else { return };
    tmux.wait_for_text("NATS server version 2.15.1");
    tmux.wait_for_text("Connections Polled: 2");
    tmux.wait_for_text("Msgs/Sec: 1000.0");
    tmux.keys(&["o"]);
    tmux.wait_for_text("sort by [cid]:");
    tmux.type_text("subs");
    tmux.wait_for_text("sort by [cid]: subs");
    tmux.keys(&["Enter"]);
    tmux.wait_for("the question is gone", |screen| !screen.contains("sort by"));
    assert!(kit::until(kit::DEADLINE, || fake.was_asked("/connz?limit=1024&sort=subs")));
    tmux.type_text("ocolour");
    tmux.keys(&["Enter"]);
    tmux.wait_for_text("invalid order: colour");
    tmux.type_text("n5");
    tmux.wait_for_text("limit   [1024]: 5");
    tmux.keys(&["BSpace", "7", "Enter"]);
    assert!(kit::until(kit::DEADLINE, || fake.was_asked("/connz?limit=7&sort=subs")));
    tmux.keys(&["s"]);
    assert!(kit::until(kit::DEADLINE, || fake.was_asked("/connz?limit=7&sort=subs&subs=1")));
    tmux.keys(&["Right", "Right", "Right"]);
    tmux.wait_for_text("orders.*, stock.>");
    tmux.keys(&["Home", "Space"]);
    tmux.wait_for_text("MSGS_FROM/S");
    tmux.keys(&["b"]);
    tmux.wait_for("all digits", |screen| !screen.contains("M  Bytes: ") && screen.contains("Bytes/Sec: 10000"));
    tmux.keys(&["?"]);
    tmux.wait_for_text("Press any key to continue...");
    tmux.keys(&["x"]);
    tmux.wait_for_text("Connections Polled: 2");
    tmux.keys(&["q"]);
    assert_eq!(tmux.wait_for_exit(), "0");
}

#[test]
fn tab_shows_the_views_of_dunlin() {
    let fake = fake();
    let Some(tmux) = Tmux::start(200, 24, &top(fake.address(), "-d 0.2 -depth 2")) else { return };
    for texts in [
        ["Connections Polled: 2", "orders-worker"],
        ["Cores: 2", "TURN_P50"],
        ["Busiest Subjects: 2", "orders.new"],
        ["Slow Consumers: 1", "Slow Consumer (Pending Bytes)"],
        ["Queue Groups: 1", "workers"],
        ["Connections Polled: 2", "orders-worker"],
    ] {
        for text in texts {
            tmux.wait_for_text(text);
        }
        tmux.keys(&["Tab"]);
    }
    assert!(fake.was_asked("/subjectz?depth=2"));
    tmux.wait_for_text("Cores: 2");
    tmux.keys(&["BTab"]);
    tmux.wait_for_text("orders-worker");
    tmux.keys(&["C-c"]);
    assert_eq!(tmux.wait_for_exit(), "0");
}

#[test]
fn a_view_that_the_server_has_no_page_for_says_so() {
    let fake = FakeMonitor::start();
    fake.set_changing("/varz", |looks| (200, varz_page("FAKE", 0, 1000, looks)));
    fake.set("/connz", 200, include_str!("pages/connz_1.json"));
    let Some(tmux) = Tmux::start(100, 24, &top(fake.address(), "-d 0.2")) else { return };
    tmux.wait_for_text("Connections Polled: 2");
    for (key, page) in [("2", "/corez"), ("3", "/subjectz"), ("4", "/slowz"), ("5", "/queuez")] {
        tmux.keys(&[key]);
        tmux.wait_for_text(&format!("This server has no {page}."));
    }
    tmux.keys(&["1"]);
    tmux.wait_for_text("Connections Polled: 2");
}

#[test]
fn a_terminal_of_any_size_is_drawn_anew() {
    let fake = fake();
    let Some(tmux) = Tmux::start(150, 24, &top(fake.address(), "-d 0.2")) else { return };
    tmux.wait_for_text("q: quit");
    for view in ["1", "2", "3", "4", "5"] {
        tmux.keys(&[view]);
        for (width, height) in [(40, 10), (10, 3), (1, 1), (3, 40), (300, 1), (2, 2)] {
            tmux.resize(width, height);
            tmux.keys(&["End", "Right", "Home"]);
        }
        tmux.resize(120, 30);
        tmux.wait_for("the line at the bottom of the new size", |screen| {
            screen.lines().nth(29).is_some_and(|line| line.contains("Tab: next"))
        });
    }
    tmux.resize(60, 12);
    tmux.wait_for("a narrow one", |screen| screen.lines().nth(11).is_some_and(|line| line.contains("5 queues")));
    tmux.keys(&["q"]);
    assert_eq!(tmux.wait_for_exit(), "0");
}

#[test]
fn the_terminal_is_given_back_as_it_was() {
    let fake = fake();
    let file = std::env::temp_dir().join(format!("dunlinctl-top-{}.pid", std::process::id()));
    for end in ["q", "C-c", "signal"] {
        let look = top(fake.address(), "-d 0.2");
        let script = format!("echo before; sh -c 'echo $$ >{}; exec {look}'; echo after $?; stty -a", file.display());
        let Some(tmux) = Tmux::start(150, 24, &script) else { return };
        tmux.wait_for_text("Connections Polled: 2");
        if end == "signal" {
            let pid = std::fs::read_to_string(&file).expect("written before it is shown");
            assert!(Command::new("kill").arg(pid.trim()).status().is_ok_and(|status| status.success()));
        } else {
            tmux.keys(&[end]);
        }
        let screen = tmux.wait_for(end, |screen| screen.contains(" icanon") || screen.contains("-icanon"));
        assert!(screen.starts_with("before") && screen.contains("after 0"), "{end}:\n{screen}");
        assert!(screen.contains(" icanon") && screen.contains(" echo "), "{end}: the terminal is raw:\n{screen}");
        assert!(!screen.contains("Connections Polled"), "{end}:\n{screen}");
    }
    std::fs::remove_file(file).expect("ours");
}

#[test]
fn it_ends_by_itself_after_so_many_looks() {
    let fake = fake();
    let Some(tmux) = Tmux::start(100, 24, &top(fake.address(), "-d 0.1 -r 3")) else { return };
    assert_eq!(tmux.wait_for_exit(), "0");
}

#[test]
fn a_name_that_would_drive_the_terminal_is_shown_and_does_nothing() {
    let fake = FakeMonitor::start();
    fake.set_changing("/varz", |looks| (200, varz_page("FAKE\\u001b[2J", 0, 1000, looks)));
    let evil =
        r#"{"connections": [{"cid": 1, "ip": "10.0.0.1", "port": 5, "name": "x\u001b[2J\u001b]0;owned\u0007y"}]}"#;
    fake.set("/connz", 200, evil);
    let Some(tmux) = Tmux::start(120, 24, &top(fake.address(), "-d 0.2")) else { return };
    let screen = tmux.wait_for_text("10.0.0.1:5");
    assert!(screen.contains("x\u{fffd}[2J\u{fffd}]0;owned\u{fffd}y"), "{screen}");
    assert!(screen.contains("FAKE\u{fffd}[2J"), "{screen}");
}
