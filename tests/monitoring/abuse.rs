//! Requests that are wrong, too large, too slow or too many: 400 or a closed connection, and everyone else is served.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use kit::Server;

use crate::browser::{ask, connect, exchange, get, json, read_to_end, reply};
use crate::{setup, start};

#[test]
fn bad_parameters_are_refused_in_the_peers_words() {
    let server = start(2);
    for (path, text) in [
        ("/connz?sort=nope", "invalid sorting option: nope"),
        ("/connz?state=nope", "Error decoding state for nope"),
        ("/connz?state=0", "Error decoding state for 0"),
        ("/connz?cid=-1", "Error decoding uint64 for 'cid': strconv.ParseUint: parsing \"-1\": invalid syntax"),
        (
            "/connz?cid=99999999999999999999999",
            "Error decoding uint64 for 'cid': strconv.ParseUint: parsing \"99999999999999999999999\": value out of range",
        ),
        ("/connz?limit=abc", "Error decoding int for 'limit': strconv.Atoi: parsing \"abc\": invalid syntax"),
        ("/connz?subs=abc", "Error decoding boolean for 'subs': strconv.ParseBool: parsing \"abc\": invalid syntax"),
        (
            "/subsz?subs=detail",
            "Error decoding boolean for 'subs': strconv.ParseBool: parsing \"detail\": invalid syntax",
        ),
        ("/subsz?test=foo.*", "invalid test subject, must be valid publish subject: foo.*"),
        ("/accountz?acc=nope", "Account nope does not exist"),
        ("/accstatz?unused=x", "Error decoding boolean for 'unused': strconv.ParseBool: parsing \"x\": invalid syntax"),
        ("/jsz?leader-only=1", "filtered response: not leader"),
    ] {
        let reply = get(&server, path);
        assert_eq!((reply.status, reply.body.as_str()), (400, text), "{path}");
        assert_eq!(reply.header("Content-Type"), Some("text/plain; charset=utf-8"), "{path}");
    }
}

#[test]
fn ghsa_q59r_26_28_numbers_beyond_all_bounds_saturate() {
    let server = start(2);
    let _client = server.client();
    for path in [
        "/connz?limit=-5&offset=-5",
        "/connz?limit=9223372036854775807&offset=9223372036854775807",
        "/connz?offset=9223372036854775807&state=any&sort=rtt&subs=detail",
        "/subsz?subs=1&limit=9223372036854775807&offset=9223372036854775807",
        "/subsz?subs=1&limit=-9223372036854775808",
        "/jsz?limit=-1&offset=9223372036854775807",
        "/subjectz?depth=9223372036854775807&limit=9223372036854775807",
        "/slowz?limit=9223372036854775807",
        "/queuez?limit=-3",
        "/connz?%zz=1&;=&&&=&limit=1;offset=x",
    ] {
        assert!(json(&server, path).is_object(), "{path}");
    }
    let far = json(&server, "/connz?limit=9223372036854775807&offset=9223372036854775807");
    assert_eq!((&far["num_connections"], &far["total"]), (&0.into(), &1.into()));
}

#[test]
fn what_is_no_request_is_answered_once_and_ends() {
    let server = start(1);
    let address = server.page_address();
    for (bytes, status) in [
        (&b"GARBAGE\r\n\r\n"[..], 400),
        (b"\x00\x01\x02\r\n\r\n", 400),
        (b"GET /varz?x=\xff\xfe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200),
        (b"GET /connz?sort=\xff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 400),
        (b"GET /\xff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404),
        (b"GET /%ff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404),
        (b"GET /varz HTTP/1.1\r\n\r\n", 400),
        (b"GET /varz HTTP/3.0\r\nHost: x\r\n\r\n", 505),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"GET //varz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 307),
        (b"CONNECT {}\r\n", 400),
    ] {
        let came = exchange(address, bytes);
        let text = String::from_utf8_lossy(bytes);
        // A target that is not text is refused or not found: what matters is that it is answered and the server lives.
        let answered = reply(&came).status;
        assert!(answered == status || answered == 400, "{text:?}: {answered}");
    }
    assert_eq!(get(&server, "/healthz").status, 200);
}

#[test]
fn requests_follow_each_other_on_one_connection() {
    let server = start(1);
    let address = server.page_address();
    let body = "POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
    let head = "HEAD /varz HTTP/1.1\r\nHost: x\r\n\r\n";
    let last = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let came = exchange(address, format!("{body}{head}{last}").as_bytes());
    let text = String::from_utf8_lossy(&came);
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 3, "{text}");
    assert_eq!(text.matches("{\"status\":\"ok\"}").count(), 2, "{text}");
    assert!(!text.contains("server_id"), "HEAD has no body: {text}");
    let old = exchange(address, b"GET /healthz HTTP/1.0\r\n\r\nGET /varz HTTP/1.0\r\n\r\n");
    assert_eq!(String::from_utf8_lossy(&old).matches("HTTP/1.0 200").count(), 1);
}

#[test]
fn ten_megabytes_of_headers_are_refused() {
    let server = start(1);
    let line = format!("X: {}\r\n", "y".repeat(1000));
    let flood = format!("GET /varz HTTP/1.1\r\nHost: x\r\n{}\r\n", line.repeat(10_000));
    let came = exchange(server.page_address(), flood.as_bytes());
    // It may be cut off while it still sends; if it can read anything, it reads why.
    assert!(came.is_empty() || reply(&came).status == 431, "{}", String::from_utf8_lossy(&came));
    let endless = exchange(server.page_address(), &vec![b'a'; 10 << 20]);
    assert!(endless.is_empty() || reply(&endless).status >= 400);
    assert_eq!(get(&server, "/healthz").status, 200);
}

fn impatient(cores: usize) -> Server {
    setup(cores).flag("--monitor_timeout_ms").flag("150").start()
}

#[test]
fn a_request_that_never_ends_is_cut_off_and_others_are_served() {
    let server = impatient(1);
    let address = server.page_address();
    let mut slow: Vec<_> = (0..20).map(|_| connect(address)).collect();
    for stream in &mut slow {
        stream.write_all(b"GET /varz HTTP/1.1\r\nHost: x\r\nX-Slow: ").expect("it is open");
    }
    assert_eq!(get(&server, "/healthz").status, 200);
    for stream in &mut slow {
        assert!(read_to_end(stream).is_empty(), "an unfinished request has no answer");
    }
    // One that drips does not gain time by it.
    let mut dripping = connect(address);
    dripping.write_all(b"GET /varz HTTP/1.1\r\n").expect("it is open");
    let mut reader = dripping.try_clone().expect("one more handle");
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            read_to_end(&mut reader);
            ended.store(true, Ordering::Release);
        });
        while !ended.load(Ordering::Acquire) && dripping.write_all(b"X").is_ok() {
            std::thread::park_timeout(std::time::Duration::from_millis(5));
        }
    });
}

#[test]
fn a_reader_that_takes_nothing_is_cut_off() {
    let server = impatient(2);
    let mut client = server.client();
    let subject = "s".repeat(200);
    for at in 0..20 {
        let many: String = (0..1000).map(|sid| format!("SUB {subject}.{at}.{sid} {at}{sid:04}\r\n")).collect();
        client.send(many);
        client.ping();
    }
    let mut lazy = connect(server.page_address());
    let request = "GET /connz?subs=detail HTTP/1.1\r\nHost: x\r\n\r\n";
    // More than the kernel's buffers take.
    lazy.write_all(request.repeat(8).as_bytes()).expect("it is open");
    let whole = get(&server, "/connz?subs=detail").body.len();
    assert!(whole > 5_000_000, "the page is large: {whole}");
    // It is served until its buffers are full, and then time runs out: what comes is less than what was asked for. While it is
    // not read, others are answered.
    for _ in 0..20 {
        assert_eq!(get(&server, "/healthz").status, 200);
    }
    let ended = kit::until(kit::DEADLINE, || {
        let threads = get(&server, "/corez");
        assert_eq!(threads.status, 200);
        // The server has closed it when a write of ours fails, since it reads no more.
        lazy.write_all(b"X").is_err()
    });
    assert!(ended, "a reader that takes nothing is still connected");
}

#[test]
fn random_bytes_harm_nobody() {
    let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(1, |d| d.as_nanos() as u64);
    println!("seed {seed}");
    let mut state = seed;
    let mut next = move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 16
    };
    let pages =
        ["/varz", "/connz", "/subsz", "/accountz", "/accstatz", "/healthz", "/subjectz", "/slowz", "/queuez", "/jsz"];
    let names = ["sort", "limit", "offset", "cid", "state", "subs", "auth", "acc", "user", "test", "depth", "unused"];
    let values =
        ["1", "-1", "x", "", "%", "%00", "%ff", "detail", "any", "closed", "stop", "99999999999999999999", "a.>"];
    let server = impatient(2);
    for _ in 0..200 {
        let mut query = String::new();
        for _ in 0..next() % 5 {
            let (name, value) = (names[next() as usize % names.len()], values[next() as usize % values.len()]);
            query.push_str(&format!("{name}={value}&"));
        }
        let status =
            ask(server.page_address(), &format!("{}?{query}", pages[next() as usize % pages.len()]), "").status;
        assert!([200, 400].contains(&status), "{query}: {status}, seed {seed}");
        let noise: Vec<u8> = (0..next() % 300).map(|_| next() as u8).collect();
        let mut stream = connect(server.page_address());
        drop(stream.write_all(&noise));
        drop(stream.shutdown(std::net::Shutdown::Write));
        read_to_end(&mut stream);
    }
    assert_eq!(get(&server, "/healthz").status, 200);
}

#[test]
fn two_hundred_scrapers_and_no_message_is_lost() {
    const MESSAGES: usize = 50_000;
    for cores in [1, 2] {
        let server = start(cores);
        let mut subscriber = server.client();
        subscriber.send("SUB flow 1\r\n");
        subscriber.ping();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut publisher = server.client();
                for _ in 0..MESSAGES / 100 {
                    publisher.send("PUB flow 5\r\nhello\r\n".repeat(100));
                }
                publisher.ping();
            });
            for number in 0..200 {
                let server = &server;
                scope.spawn(move || {
                    let pages = ["/varz", "/connz?subs=1", "/metrics", "/subjectz", "/corez", "/subsz?subs=1"];
                    let path = pages[number % pages.len()];
                    assert_eq!(get(server, path).status, 200, "{path}");
                });
            }
            let whole = MESSAGES * "MSG flow 1 5\r\nhello\r\n".len();
            let mut read = 0;
            while read < whole {
                let message = subscriber.message_now();
                assert_eq!(message.payload, b"hello");
                read += "MSG flow 1 5\r\nhello\r\n".len();
            }
        });
        let varz = json(&server, "/varz");
        assert_eq!((&varz["in_msgs"], &varz["out_msgs"]), (&MESSAGES.into(), &MESSAGES.into()), "{cores} cores");
    }
}

#[test]
fn a_connection_that_says_nothing_costs_nobody_anything() {
    let server = impatient(1);
    let mut silent = connect(server.page_address());
    let mut byte = [0];
    assert_eq!(silent.read(&mut byte).expect("it is closed, not reset"), 0);
}
