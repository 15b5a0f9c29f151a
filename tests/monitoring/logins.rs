//! Who may see the pages.

use base64::Engine as _;
use kit::DEADLINE;
use rustix::process::Signal;

use crate::browser::{ask, get};
use crate::setup;

fn basic(text: &str) -> String {
    format!("Authorization: Basic {}\r\n", base64::engine::general_purpose::STANDARD.encode(text))
}

#[test]
fn pages_can_be_kept_from_strangers() {
    let config = "dunlin { monitoring { user: ann, password: \"pw\", token: \"t0k\" } }\n";
    let server = setup(1).config(config).start();
    let address = server.page_address();
    for path in ["/", "/varz", "/healthz", "/metrics", "/nothing", "//varz"] {
        let reply = ask(address, path, "");
        assert_eq!(
            (reply.status, reply.header("WWW-Authenticate")),
            (401, Some("Basic realm=\"monitoring\"")),
            "{path}"
        );
        assert!(!reply.body.contains("server_id"), "{path}");
        assert_eq!(ask(address, path, &basic("ann:no")).status, 401, "{path}");
    }
    for header in [basic("ann:pw"), "Authorization: Bearer t0k\r\n".to_owned()] {
        assert_eq!(ask(address, "/varz", &header).status, 200);
        assert_eq!(ask(address, "/nothing", &header).status, 404);
    }
    // What opens them is nowhere to be seen.
    for path in ["/varz", "/debug/vars"] {
        let body = ask(address, path, &basic("ann:pw")).body;
        assert!(!body.contains("t0k"), "{path}");
    }
}

#[test]
fn flags_say_it_too_and_a_reload_changes_what_the_file_says() {
    let server = setup(1).flag("--monitor_token").flag("by-flag").start();
    assert_eq!(ask(server.page_address(), "/varz", "Authorization: Bearer by-flag\r\n").status, 200);
    assert_eq!(get(&server, "/varz").status, 401);
    let server = setup(1).config("dunlin { monitoring { token: old } }\n").start();
    let address = server.page_address();
    let vars = ask(address, "/debug/vars", "Authorization: Bearer old\r\n").json();
    let path = vars["cmdline"][2].as_str().expect("the file");
    std::fs::write(path, "dunlin { monitoring { token: new } }\n").expect("the file is ours");
    server.signal(Signal::HUP);
    assert!(server.log().find(DEADLINE, |line| line.contains("Reloaded server configuration")).is_some());
    assert_eq!(ask(address, "/varz", "Authorization: Bearer old\r\n").status, 401);
    assert_eq!(ask(address, "/varz", "Authorization: Bearer new\r\n").status, 200);
}
