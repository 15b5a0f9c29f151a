//! A server that goes away and comes back, with counters that begin anew.

use crate::fake_monitor::{FakeMonitor, varz_page};
use crate::tmux::{Tmux, top};

/// `connz` whose one connection gets so many messages between two looks a second apart.
fn connz_page(start_msgs: u64, msgs_a_second: u64, looks: u64) -> String {
    format!(
        r#"{{"now": "2026-01-01T02:{:02}:{:02}Z", "total": 1, "connections": [{{"cid": 1, "ip": "10.0.0.1", "port": 5, "name": "busy",
            "in_msgs": {}}}]}}"#,
        looks / 60,
        looks % 60,
        start_msgs + msgs_a_second * looks
    )
}

fn serve(fake: &FakeMonitor, id: &'static str, start_msgs: u64, rate: u64) {
    fake.set_changing("/varz", move |looks| (200, varz_page(id, start_msgs, rate, looks)));
    fake.set_changing("/connz", move |looks| (200, connz_page(start_msgs, rate, looks)));
}

/// What stands behind `Msgs/Sec:` of the messages that came in.
fn rate(screen: &str) -> &str {
    let line = screen.lines().find(|line| line.starts_with("  In:")).unwrap_or_default();
    line.split("Msgs/Sec: ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default()
}

#[test]
fn a_server_that_goes_is_told_and_its_rates_are_right_when_it_is_back() {
    let fake = FakeMonitor::start();
    serve(&fake, "FIRST", 1_000_000, 1000);
    let address = fake.address();
    let Some(tmux) = Tmux::start(150, 24, &top(address, "-d 0.2 -rates")) else { return };
    tmux.wait_for("a rate", |screen| rate(screen) == "1000.0" && screen.contains("1.0K"));
    drop(fake);
    let screen = tmux.wait_for_text("-- no answer for ");
    assert!(screen.contains("asking again: ") && screen.contains("busy") && screen.contains("FIRST"), "{screen}");
    assert_eq!(rate(&screen), "-", "what is away does nothing:\n{screen}");
    let fake = FakeMonitor::start_on(address, None);
    serve(&fake, "SECOND", 0, 500);
    let screen = tmux.wait_for("a rate of the new server", |screen| {
        let shown = rate(screen);
        assert!(["-", "", "500.0"].contains(&shown), "counters that fell made a rate of {shown}:\n{screen}");
        shown == "500.0"
    });
    assert!(screen.contains("SECOND") && !screen.contains("no answer") && !screen.contains("asking again"), "{screen}");
    tmux.keys(&["q"]);
    assert_eq!(tmux.wait_for_exit(), "0");
}

#[test]
fn a_restart_between_two_looks_is_seen_by_the_servers_name() {
    let fake = FakeMonitor::start();
    // The counters go on rising, as if ten thousand messages had come between two looks.
    fake.set_changing("/varz", |looks| {
        (200, if looks < 6 { varz_page("FIRST", 0, 1000, looks) } else { varz_page("SECOND", 10_000, 100, looks) })
    });
    fake.set("/connz", 200, "{}");
    let Some(tmux) = Tmux::start(150, 24, &top(fake.address(), "-d 0.2")) else { return };
    tmux.wait_for("the rate of the second", |screen| {
        let shown = rate(screen);
        assert!(["-", "", "1000.0", "100.0"].contains(&shown), "{shown}:\n{screen}");
        shown == "100.0"
    });
}
