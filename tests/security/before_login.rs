//! What a client may say before it is let in, and what it may say only once.

use kit::{Client, DEADLINE, Server};

use crate::setup;

const USERS: &str = r#"authorization { timeout: 0.3, users: [
    {user: ann, password: pa}
    {user: bob, password: pb, permissions: {publish: {deny: "x.>"}, subscribe: {deny: secret}}}
] }"#;
const ANN: &str = "CONNECT {\"user\":\"ann\",\"pass\":\"pa\",\"verbose\":false}\r\n";
const BOB: &str = "CONNECT {\"user\":\"bob\",\"pass\":\"pb\",\"verbose\":false}\r\n";
const WRONG: &str = "CONNECT {\"user\":\"ann\",\"pass\":\"pb\",\"verbose\":false}\r\n";
const VIOLATION: &str = "-ERR 'Authorization Violation'\r\n";

/// Sends this, whole and byte by byte; each time exactly `expected` comes, and then the end.
fn refused(server: &Server, said: &str, expected: &str) {
    for cut in [said.len(), 1] {
        let mut client = server.open();
        for part in said.as_bytes().chunks(cut) {
            if client.try_send(part).is_err() {
                break; // it has closed already
            }
        }
        let came = client.check(expected.as_bytes()).and_then(|()| client.check_closed());
        assert_eq!(came, Ok(()), "after {said:?} in pieces of {cut}");
    }
}

#[test]
fn cve_2026_33218_26_10_before_login_nothing_but_connect_is_heard() {
    for cores in [1, 2, 4] {
        let server = setup(cores).config(USERS).start();
        for verb in [
            "PING\r\n",
            "PONG\r\n",
            "+OK\r\n",
            "-ERR 'x'\r\n",
            "INFO {}\r\n",
            "SUB a 1\r\n",
            "UNSUB 1\r\n",
            "PUB a 1\r\nx\r\n",
            "HPUB a 12 12\r\nNATS/1.0\r\n\r\n\r\n",
            "MSG a 1 1\r\nx\r\n",
            "RS+ $G a\r\n",
            "RMSG $G a 1\r\nx\r\n",
            "LS+ a\r\n",
            "LMSG a 1\r\nx\r\n",
            "A+ x\r\n",
            "\r\n",
            "\0",
        ] {
            refused(&server, verb, VIOLATION);
        }
        refused(&server, "CONNEC {}\r\n", "-ERR 'Unknown Protocol Operation'\r\n");
        refused(&server, "CONNECTX {}\r\n", "");
        server.open().hello(r#","user":"ann","pass":"pa""#);
    }
}

/// A client that is in says again what a handshake is made of.
#[test]
fn ghsa_3g5q_26_19_verbs_of_the_handshake_said_twice_do_no_harm() {
    let server = setup(2).config(USERS).start();
    for said in ["INFO {}\r\nINFO {\"a\":1}\r\n", "+OK\r\n+OK\r\n"] {
        let mut client = server.open();
        client.send([ANN, said, "PING\r\n"].concat());
        client.expect("PONG\r\n");
        client.ping();
    }
    refused(&server, &[ANN, WRONG].concat(), VIOLATION);
    refused(&server, &[ANN, "RS+ $G a\r\n"].concat(), "-ERR 'Unknown Protocol Operation'\r\n");
    refused(&server, &[ANN, "-ERR 'x'\r\n"].concat(), "");
    // Another CONNECT is another login: with the other's rights, and without what it had before.
    let mut client = server.open();
    client.send([ANN, "SUB secret 1\r\nPING\r\n", BOB, "PING\r\n"].concat());
    client.expect("PONG\r\nPONG\r\n");
    client.send("PUB x.y 1\r\nx\r\nPUB secret 1\r\nx\r\nSUB secret 2\r\nPING\r\n");
    client.expect("-ERR 'Permissions Violation for Publish to \"x.y\"'\r\n");
    client.expect("-ERR 'Permissions Violation for Subscription to \"secret\"'\r\nPONG\r\n");
}

#[test]
fn cve_2022_24450_who_names_an_account_is_refused() {
    let accounts = "accounts { A { users: [{user: ann, password: pa}] }, SYS { users: [{user: sys, password: ps}] } }";
    let server = setup(2).config(&[accounts, "\nsystem_account: SYS\n"].concat()).start();
    for field in
        [r#""account":"SYS""#, r#""account":"$SYS""#, r#""account":"A""#, r#""new_account":true,"account":"B""#]
    {
        let connect = ANN.replace("{", &format!("{{{field},"));
        refused(&server, &connect, VIOLATION);
        refused(&server, &[ANN, &connect].concat(), VIOLATION);
    }
    // Fields that nobody knows change nothing.
    server.open().hello(r#","user":"ann","pass":"pa","acc":"SYS","issuer_account":"SYS","system":true"#);
}

#[test]
fn ghsa_38x3_26_16_and_ghsa_hmmp_26_24_the_way_without_connect_goes_through_the_same_gate() {
    let guest = |rights: &str| {
        format!(
            "authorization {{ users: [{{user: ann, password: pa}}, {{user: guest, password: pg, {rights}}}] }}\nno_auth_user: guest\n"
        )
    };
    let server = setup(2).config(&guest("allowed_connection_types: [WEBSOCKET]")).start();
    for said in ["PING\r\n", "SUB a 1\r\n", "PUB a 1\r\nx\r\n", "CONNECT {}\r\n"] {
        refused(&server, said, VIOLATION);
    }
    let server = setup(2).config(&guest("permissions: {publish: {deny: secret}}")).start();
    for begin in ["", "CONNECT {\"verbose\":true}\r\n"] {
        let mut client = server.open();
        client.send([begin, "PUB secret 1\r\nx\r\nPING\r\n"].concat());
        let mut expected = "-ERR 'Permissions Violation for Publish to \"secret\"'\r\n".to_owned();
        if !begin.is_empty() {
            expected.insert_str(0, "+OK\r\n");
        }
        client.expect(&expected);
        let rest = client.check_one_of(&["PONG\r\n", "+OK\r\nPONG\r\n"]);
        assert!(rest.is_ok(), "{rest:?}");
    }
}

#[test]
fn cve_2026_33219_26_11_and_ghsa_r72h_26_25_a_connect_without_end_has_a_budget_and_a_deadline() {
    let server = setup(2).config(USERS).start();
    let begin = "CONNECT {\"user\":\"ann\",\"pass\":\"";
    refused(&server, &[begin, &"x".repeat(10_000)].concat(), "-ERR 'maximum control line exceeded'\r\n");
    // Within the budget its time is up after 0.3 s, however it uses it.
    let ended = |said: &[u8]| {
        let mut client = server.open();
        client.send(said);
        let came = client.check(b"-ERR 'Authentication Timeout'\r\n").and_then(|()| client.check_closed());
        assert_eq!(came, Ok(()), "{} bytes", said.len());
    };
    ended(b"");
    ended(begin.as_bytes());
    ended([begin.as_bytes(), &[b'x'; 4_000]].concat().as_slice());
}

#[test]
fn cve_2019_13126_sizes_beyond_any_number_end_their_sender_alone() {
    for cores in [1, 2] {
        let mut server = setup(cores).start();
        let mut other = server.client();
        for size in [
            "18446744073709551616",
            "99999999999999999999",
            "9223372036854775808",
            "4294967296",
            "2147483648",
            "-1",
            "1e3",
        ] {
            for line in
                [format!("PUB a {size}\r\n"), format!("HPUB a 12 {size}\r\n"), format!("HPUB a {size} {size}\r\n")]
            {
                let mut client = server.client();
                client.send(&line);
                // With or without a word.
                assert!(client.read_to_end().is_ok(), "{line}");
                other.ping();
            }
        }
        assert!(server.is_running());
    }
}

/// What a publisher and a subscriber see, the publisher's bytes cut at this position.
fn cut_at(server: &Server, said: &str, cut: usize) -> (Result<(), String>, Vec<kit::Message>) {
    let mut subscriber = server.client();
    subscriber.send("SUB > 1\r\n");
    subscriber.ping();
    let mut publisher = server.client();
    let (first, second) = said.split_at(cut);
    publisher.send(first);
    if cut > 0 {
        // What came first has been read before the rest comes.
        server.client().ping();
    }
    let said_all = publisher.try_send(second).map_err(|error| error.to_string());
    let answer = said_all.and_then(|()| publisher.try_ping());
    (answer.map_err(|_| "it ended".to_owned()), subscriber.messages_until_pong().expect("the subscriber stays"))
}

#[test]
fn tob_nats_5_a_carriage_return_in_an_argument_means_the_same_however_it_is_cut() {
    for cores in [1, 2] {
        let server = setup(cores).start();
        for said in ["PUB a\rbc 3\r\nxyz\r\n", "PUB a b\r 3\r\nxyz\r\n", "PUB a 3\r\r\nxyz\r\n", "\rPUB a 3\r\nxyz\r\n"]
        {
            let whole = cut_at(&server, said, 0);
            for cut in 1..said.len() {
                assert_eq!(cut_at(&server, said, cut), whole, "{said:?} cut at {cut}, {cores} cores");
            }
        }
    }
}

/// Whatever bytes a subject is made of, a subscriber reads one MSG with it and nothing else.
#[test]
fn ghsa_qrcv_26_22_no_byte_of_a_subject_makes_another_line() {
    let server = setup(2).start();
    let mut subscriber: Client = server.client();
    subscriber.send("SUB > 1\r\n");
    subscriber.ping();
    for byte in 0..=255_u8 {
        let mut publisher = server.client();
        let line = [b"PUB a".as_slice(), &[byte], b"b 2\r\nhi\r\n"].concat();
        if publisher.try_send(&line).is_ok() {
            // Some of these end it.
            drop(publisher.messages_until_pong());
        }
        subscriber.send("PING\r\n");
        while let Some(message) = subscriber.next_message().expect("only messages and PONG come") {
            assert_eq!(message.payload, b"hi", "{byte}");
            assert!(!message.subject.contains('\n') && !message.reply.contains('\n'), "{byte}");
        }
    }
}

#[test]
fn who_must_come_through_a_proxy_is_told_no_more_than_others_and_the_log_knows_why() {
    let config = "proxies { trusted = [{key: UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4}] }\n\
                  authorization { users = [ {user: a, password: p, proxy_required: true} ] }";
    let server = setup(1).config(config).flag("-D").start();
    for (fields, why) in [
        (r#""user":"a","pass":"p""#, "Proxy Required"),
        (r#""user":"a","pass":"p","proxy_sig":"abcd""#, "Proxy Not Trusted"),
        (r#""user":"a","pass":"x""#, "Proxy Required"),
    ] {
        let mark = server.log().mark();
        let mut client = server.open();
        client.send(format!("CONNECT {{{fields}}}\r\n"));
        client.expect("-ERR 'Authorization Violation'\r\n");
        client.check_closed().expect("it is sent away");
        let closed = server.log().find_after(mark, DEADLINE, |line| line.contains("Client connection closed"));
        assert!(closed.as_deref().is_some_and(|line| line.ends_with(why)), "{fields}: {closed:?}");
    }
}

#[test]
fn an_address_that_guesses_is_not_heard_for_a_while_where_that_is_asked_for() {
    for (flags, heard) in [(&[][..], true), (&["--failed_logins_per_minute", "3"], false)] {
        let mut setup = setup(2).config("authorization { users: [{user: ann, password: pa}] }");
        for flag in flags {
            setup = setup.flag(flag);
        }
        let server = setup.start();
        let mut inside = server.open();
        inside.send(ANN);
        inside.ping();
        for _ in 0..3 {
            refused(&server, WRONG, VIOLATION);
        }
        let mut right = server.open();
        right.send(ANN);
        if heard {
            right.ping();
        } else {
            right.expect(VIOLATION);
            right.check_closed().expect("it is sent away unheard");
        }
        inside.ping(); // who is in stays in
    }
}

#[test]
fn who_logs_in_again_elsewhere_takes_no_subscription_along() {
    let config = "no_auth_user: guest\naccounts { A { users: [{user: ann, password: pa}, {user: guest, password: pg}] }, \
                  B { users: [{user: bob, password: pb}] } }";
    for cores in [1, 2] {
        let server = setup(cores).config(config).start();
        let mut stays = server.open();
        stays.send(ANN);
        stays.ping();
        // With a CONNECT before, and as the user of those who say nothing.
        for first in [ANN, ""] {
            let mut moves = server.open();
            moves.send(format!("{first}SUB x 1\r\nSUB y q 2\r\nPING\r\n"));
            if first.is_empty() {
                moves.expect("+OK\r\n+OK\r\n");
            }
            moves.expect("PONG\r\n");
            moves.send("CONNECT {\"user\":\"bob\",\"pass\":\"pb\",\"verbose\":false}\r\n");
            moves.ping();
            stays.send("PUB x 1\r\na\r\n");
            stays.ping();
            moves.send("UNSUB 1\r\nSUB x 3\r\nPUB x 1\r\nb\r\n");
            moves.expect("MSG x 3 1\r\nb\r\n");
            moves.ping();
            moves.close().expect("it goes");
        }
        stays.ping();
    }
}

#[test]
fn what_a_guest_subscribed_to_is_held_against_the_rights_of_who_it_becomes() {
    let config = "no_auth_user: guest\nauthorization { users: [{user: guest, password: pg}, {user: ann, password: pa}, \
                  {user: bob, password: pb, permissions: {subscribe: {deny: [secret, gone]}}}] }";
    for cores in [1, 2] {
        let server = setup(cores).config(config).start();
        let mut client = server.open();
        client.send("SUB > 1\r\nSUB gone 2\r\nPING\r\n");
        client.expect("+OK\r\n+OK\r\nPONG\r\n");
        client.send(BOB);
        client.expect("-ERR 'Permissions Violation for Subscription to \"gone\" (sid \"2\")'\r\n");
        client.ping();
        let mut other = server.open();
        other.send(ANN);
        other.send("PUB secret 1\r\ns\r\nPUB gone 1\r\ng\r\nPUB open 1\r\no\r\n");
        other.ping();
        client.expect("MSG open 1 1\r\no\r\n");
        client.ping();
    }
}
