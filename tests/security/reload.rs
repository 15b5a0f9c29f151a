//! Who is no longer let in is sent away, and what is no longer allowed ends, while connections live.

use kit::{Client, DEADLINE, Server};
use rustix::process::Signal;

use crate::{Folder, setup};

fn client(server: &Server, user: &str) -> Client {
    let mut client = server.open();
    client.hello(&format!(r#","user":"{user}","pass":"p""#));
    client
}

/// CVE-2020-26892: a login that was over stayed good.
#[test]
fn cve_2020_26892_a_login_that_a_reload_takes_away_ends_at_once_and_for_good() {
    for cores in [1, 2, 4] {
        let folder = Folder::new();
        let users = |users: &str| folder.write("server.conf", &format!("authorization {{ users: [{users}] }}\n"));
        let file = users("{user: stays, password: p}, {user: goes, password: p}, {user: changes, password: p}");
        let server = setup(cores).flag("-c").flag(&file).start();
        let mut others: Vec<Client> = (0..cores).map(|_| client(&server, "stays")).collect();
        let mut gone: Vec<Client> =
            ["goes", "changes"].into_iter().cycle().take(2 * cores).map(|user| client(&server, user)).collect();
        users("{user: stays, password: p}, {user: changes, password: another}");
        server.signal(Signal::HUP);
        assert!(server.log().find(DEADLINE, |line| line.contains("Reloaded server configuration")).is_some());
        for client in &mut gone {
            let ended = client.check(b"-ERR 'Authorization Violation'\r\n").and_then(|()| client.check_closed());
            assert_eq!(ended, Ok(()));
        }
        for user in ["goes", "changes"] {
            assert!(server.open().try_hello(&format!(r#","user":"{user}","pass":"p""#)).is_err(), "{user}");
        }
        others.iter_mut().for_each(Client::ping);
    }
}
