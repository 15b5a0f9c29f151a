//! What is denied does not arrive, over real sockets and on several cores: by a wildcard, by a queue group, by both.
//!
//! The rules themselves are held against an oracle in `src/auth`; here it is shown that every way of a message goes through them.

use kit::{Client, Server};

use crate::setup;

/// Everything, and five who may not have `secret` or a part of it.
const USERS: &str = r#"authorization { users: [
    {user: all, password: p}
    {user: subset, password: p, permissions: {subscribe: {deny: "top.secret"}}}
    {user: overlap, password: p, permissions: {subscribe: {deny: "*.secret"}}}
    {user: disjoint, password: p, permissions: {subscribe: {deny: "other.>"}}}
    {user: group, password: p, permissions: {subscribe: {deny: ["top.secret", "top.secret q1", "> q2"]}}}
    {user: onegroup, password: p, permissions: {subscribe: {deny: ["top.secret q1"]}}}
] }"#;

fn client(server: &Server, user: &str) -> Client {
    let mut client = server.open();
    client.hello(&format!(r#","user":"{user}","pass":"p""#));
    client
}

/// The subjects that a client got.
fn got(client: &mut Client) -> Vec<String> {
    client.messages_until_pong().expect("it stays").into_iter().map(|message| message.subject).collect()
}

/// On servers with 1, 2 and 4 cores, with a subscriber and a publisher on each pair of them: connections go round the cores.
fn everywhere(check: impl Fn(&Server)) {
    for cores in [1, 2, 4] {
        let server = setup(cores).config(USERS).start();
        let mut fillers = Vec::new();
        for _ in 0..cores {
            check(&server);
            fillers.push(client(&server, "all"));
        }
    }
}

/// A client of this user subscribes; somebody publishes both; what comes is `expected`.
fn delivered(server: &Server, user: &str, subscribe: &str, expected: &[&str]) {
    let mut subscriber = client(server, user);
    subscriber.send(format!("SUB {subscribe} 1\r\n"));
    subscriber.ping();
    let mut publisher = client(server, "all");
    publisher.send("PUB top.secret 1\r\nx\r\nPUB top.open 1\r\nx\r\n");
    publisher.ping();
    assert_eq!(got(&mut subscriber), expected, "{user}: SUB {subscribe}");
    subscriber.close().expect("it ends");
}

#[test]
fn cve_2022_29946_a_queue_group_on_a_wildcard_gets_nothing_that_is_denied() {
    everywhere(|server| {
        for subscribe in ["top.*", "top.* q", "> q", "*.secret q"] {
            let expected: &[&str] = if subscribe.starts_with("*.secret") { &[] } else { &["top.open"] };
            delivered(server, "subset", subscribe, expected);
        }
    });
}

#[test]
fn ghsa_wh7g_26_17_denies_that_overlap_include_or_miss_a_subscription() {
    everywhere(|server| {
        for (user, expected) in
            [("subset", &["top.open"][..]), ("overlap", &["top.open"]), ("disjoint", &["top.secret", "top.open"])]
        {
            for subscribe in ["top.*", "top.>", "*.*", "top.* q", ">"] {
                delivered(server, user, subscribe, expected);
            }
        }
    });
}

#[test]
fn ghsa_jx8g_26_18_a_deny_for_a_group_takes_nothing_from_a_deny_for_all() {
    everywhere(|server| {
        for (user, subscribe, expected) in [
            ("group", "top.* q1", &["top.open"][..]),
            ("group", "top.* q3", &["top.open"]),
            ("group", "top.*", &["top.open"]),
            ("onegroup", "top.* q1", &["top.open"]),
            ("onegroup", "top.* q3", &["top.secret", "top.open"]),
            ("onegroup", "top.*", &["top.secret", "top.open"]),
        ] {
            delivered(server, user, subscribe, expected);
        }
        let mut refused = client(server, "group");
        refused.send("SUB top.* q2 1\r\n");
        refused.expect("-ERR 'Permissions Violation for Subscription to \"top.*\" using queue \"q2\"'\r\n");
    });
}

/// No subjects are exempt because they belong to something else.
#[test]
fn cve_2026_33217_26_07_permissions_hold_for_every_subject() {
    const SUBJECTS: [&str; 8] = [
        "$MQTT.sub.a",
        "$MQTT.deliver.pubrel.a",
        "$JS.API.INFO",
        "$SYS.REQ.USER.INFO",
        "$SYS.REQ.SERVER.PING",
        "_INBOX.a",
        "$KV.a",
        "_R_.a",
    ];
    for cores in [1, 2] {
        let shut = "{user: shut, password: p, permissions: {publish: {deny: \">\"}, subscribe: {deny: \">\"}}}";
        let server =
            setup(cores).config(&format!("authorization {{ users: [{{user: all, password: p}}, {shut}] }}")).start();
        let mut refused = client(&server, "shut");
        for subject in SUBJECTS {
            refused.send(format!("PUB {subject} 1\r\nx\r\nSUB {subject} 1\r\nSUB {subject} q 2\r\n"));
            refused.expect(format!("-ERR 'Permissions Violation for Publish to \"{subject}\"'\r\n"));
            refused.expect(format!("-ERR 'Permissions Violation for Subscription to \"{subject}\"'\r\n"));
            refused.expect(format!(
                "-ERR 'Permissions Violation for Subscription to \"{subject}\" using queue \"q\"'\r\n"
            ));
        }
        refused.ping();
    }
}

/// A group has members who may not have a message and one who may: that one gets every one of them, whichever core it is on.
#[test]
fn cve_2022_29946_a_member_that_may_not_have_a_message_costs_the_group_nothing() {
    const MESSAGES: usize = 200;
    for cores in [1, 2, 4] {
        let server = setup(cores).config(USERS).start();
        let mut denied: Vec<Client> = (0..5).map(|_| client(&server, "overlap")).collect();
        let mut allowed = client(&server, "all");
        for member in denied.iter_mut().chain([&mut allowed]) {
            member.send("SUB top.* w 1\r\n");
            member.ping();
        }
        let mut publisher = client(&server, "all");
        let served = {
            for number in 0..MESSAGES {
                publisher.send(format!("PUB top.secret 4\r\n{number:04}\r\n"));
            }
            publisher.ping();
            let mut got = Vec::new();
            while got.len() < MESSAGES {
                got.extend(allowed.messages_until_pong().expect("it stays"));
            }
            got
        };
        for (number, message) in served.iter().enumerate() {
            assert_eq!(message.subject, "top.secret");
            if cores == 1 {
                assert_eq!(message.payload, format!("{number:04}").as_bytes());
            }
        }
        for member in &mut denied {
            assert_eq!(got(member), [""; 0]);
        }
    }
}
