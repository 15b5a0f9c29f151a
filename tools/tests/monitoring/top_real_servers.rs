//! Against servers with real traffic.

use std::process::Command;

use crate::real_monitor::{Monitored, servers};
use crate::tmux::{Tmux, top};

/// What stands behind `label` on the screen.
fn figure<'a>(screen: &'a str, label: &str) -> &'a str {
    screen.split(label).nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap_or_default()
}

#[test]
fn connections_and_their_traffic_are_shown() {
    for Monitored { name, server, monitor, is_dunlin } in servers() {
        let mut subscriber = server.open();
        subscriber.hello(r#","name":"reader","lang":"test","version":"1.2.3""#);
        subscriber.send("SUB orders.> 1\r\n");
        subscriber.ping();
        let mut publisher = server.open();
        publisher.hello(r#","name":"writer""#);
        let Some(tmux) = Tmux::start(180, 24, &top(monitor, "-d 0.3 -u")) else { return };
        let screen = tmux.wait_for(name, |screen| {
            publisher.send("PUB orders.new 5\r\nhello\r\n".repeat(50));
            publisher.ping();
            subscriber.messages_until_pong().expect("open");
            screen.contains("Connections Polled: 2")
                && figure(screen, "Msgs/Sec: ").parse::<f64>().is_ok_and(|rate| rate > 0.0)
        });
        for text in ["reader", "writer", "127.0.0.1:", "1.2.3"] {
            assert!(screen.contains(text), "{name}: {text}:\n{screen}");
        }
        tmux.keys(&["Right"]);
        tmux.wait_for_text("orders.>");
        tmux.keys(&["2"]);
        tmux.wait_for_text(if is_dunlin { "Cores: 2" } else { "This server has no /corez." });
        drop(server);
        tmux.wait_for_text("-- no answer for ");
    }
}

#[test]
fn every_order_is_one_that_the_server_knows() {
    for Monitored { name, monitor, server, .. } in servers() {
        let _client = server.client();
        for sort in [
            "cid",
            "start",
            "subs",
            "pending",
            "msgs_to",
            "msgs_from",
            "bytes_to",
            "bytes_from",
            "last",
            "idle",
            "uptime",
            "rtt",
            "bytes_to_rate",
        ] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_dunlinctl"));
            let port = monitor.port().to_string();
            let output =
                command.args(["top", "-m", &port, "-o", "-", "-d", "0", "-sort", sort]).output().expect("runs");
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success() && text.contains("Connections Polled: 1"), "{name}: {sort}: {output:?}");
        }
    }
}
