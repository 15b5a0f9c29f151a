//! Before login nothing grows: thousands of strangers who say nothing, say garbage or stop in the middle, and as many who try passwords.
//! Meanwhile those who are in are served, and afterwards memory is back.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use kit::{DEADLINE, Server, open_files_max, resident_bytes, until};
use socket2::SockRef;

use crate::{Folder, setup};

const MIB: u64 = 1024 * 1024;
/// What a stranger may cost while it is there: the most that it may say before it is let in, and the connection itself.
const STRANGER_BYTES_MAX: u64 = 8 * 1024;
/// A server is busy with a flood for longer than with one client.
const PATIENCE: Duration = DEADLINE.saturating_mul(6);
const REFUSED: &str = "authentication error";
const MORE_REFUSED: &str = " more clients were refused before they were let in";

/// `quick`, or `full` where the caller has asked for the long way.
fn size(quick: usize, full: usize) -> usize {
    if std::env::var("DUNLIN_STRESS").is_ok_and(|value| value == "full") { full } else { quick }
}

/// Two clients that are in, one of which sends the other messages all the time; each is checked.
struct Served {
    over: Arc<AtomicBool>,
    count: Arc<AtomicU64>,
    thread: JoinHandle<()>,
}

impl Served {
    fn start(server: &Server) -> Self {
        let [mut publisher, mut subscriber] = [(), ()].map(|()| {
            let mut client = server.open();
            client.hello(r#","user":"ann","pass":"pa""#);
            client
        });
        subscriber.send("SUB healthy 1\r\n");
        subscriber.ping();
        let (over, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (ends, counts) = (Arc::clone(&over), Arc::clone(&count));
        let work = move || {
            while !ends.load(Ordering::Relaxed) {
                let number = counts.load(Ordering::Relaxed);
                publisher.send(format!("PUB healthy 8\r\n{number:08}\r\n"));
                assert_eq!(subscriber.message_now().payload, format!("{number:08}").as_bytes());
                counts.store(number + 1, Ordering::Relaxed);
            }
            subscriber.ping();
        };
        Self { over, count, thread: std::thread::spawn(work) }
    }

    /// Waits for a hundred messages from now on.
    fn goes_on(&self, while_what: &str) {
        let wanted = self.count.load(Ordering::Relaxed) + 100;
        let has = || self.count.load(Ordering::Relaxed) >= wanted || self.thread.is_finished();
        assert!(until(DEADLINE, has) && !self.thread.is_finished(), "nobody is served while {while_what}");
    }

    fn end(self) {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().expect("every message came, in order");
    }
}

/// A stranger connects and says this; it does not wait for an answer.
fn stranger(server: &Server, says: &[u8]) -> TcpStream {
    let mut socket = TcpStream::connect(server.address()).expect("the backlog has room");
    // It may have been refused already.
    drop(socket.write_all(says));
    socket
}

/// Most go with a reset, so that the kernel keeps nothing of them; some say goodbye.
fn leave(strangers: Vec<TcpStream>) {
    for (number, socket) in strangers.into_iter().enumerate() {
        if number % 8 != 0 {
            SockRef::from(&socket).set_linger(Some(Duration::ZERO)).expect("the socket is ours");
        }
    }
}

/// Reads until the server closes.
fn ends(socket: &mut TcpStream) -> bool {
    socket.set_read_timeout(Some(PATIENCE)).expect("the socket is ours");
    let mut rest = Vec::new();
    match socket.read_to_end(&mut rest) {
        Ok(_) => true,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

/// How many refusals the log tells of, in lines of their own and in counts.
fn refusals(server: &Server) -> usize {
    let mut counted = 0;
    let mut from = 0;
    // Each line with a count, one after the other.
    while let Some((line, mark)) = server.log().look_after(from, |line| line.contains(MORE_REFUSED)) {
        let number = line.split(MORE_REFUSED).next().and_then(|text| text.rsplit(' ').next());
        counted += number.and_then(|text| text.parse::<usize>().ok()).expect("a number");
        from = mark;
    }
    counted + server.log().count(REFUSED)
}

/// A flood of strangers who all say this. `stay`: the server waits for what comes next; else it refuses them.
fn flood(server: &Server, what: &str, says: &[u8], stay: bool) {
    let room = usize::try_from(open_files_max()).unwrap_or(usize::MAX).saturating_sub(1_000);
    let count = size(300, 8_000).min(room);
    let served = Served::start(server);
    served.goes_on("nothing else happens");
    let (before, told, lines) = (resident_bytes(server.pid()), refusals(server), server.log().count(REFUSED));
    let mut strangers: Vec<TcpStream> = (0..count).map(|_| stranger(server, says)).collect();
    served.goes_on(what);
    if stay {
        // The last one has been accepted, so all have.
        let last = strangers.last_mut().expect("a stranger");
        last.set_read_timeout(Some(PATIENCE)).expect("the socket is ours");
        last.read_exact(&mut [0; 5]).expect("INFO comes");
        served.goes_on(what);
        let grown = resident_bytes(server.pid()).saturating_sub(before);
        let allowed = count as u64 * STRANGER_BYTES_MAX + 4 * MIB;
        println!("{what}: {count} strangers cost {} KiB", grown / 1024);
        assert!(grown <= allowed, "{what}: {count} strangers cost {grown} bytes, allowed {allowed}");
    } else {
        assert!(strangers.iter_mut().all(ends), "{what}: all are sent away");
        let all_told = || refusals(server) - told == count;
        assert!(until(PATIENCE, all_told), "{what}: {} of {count} are told", refusals(server) - told);
        println!("{what}: {count} refusals, of which {} in counts", count + lines - server.log().count(REFUSED));
    }
    leave(strangers);
    served.goes_on("they leave");
    served.end();
}

/// Memory is back at what it was, within 10 % and 4 MiB.
fn memory_is_back(server: &Server, start: u64) {
    let allowed = start + start / 10 + 4 * MIB;
    let is_back = until(PATIENCE, || resident_bytes(server.pid()) <= allowed);
    let now = resident_bytes(server.pid());
    println!("memory: {} KiB before, {} KiB after", start / 1024, now / 1024);
    assert!(is_back, "{start} bytes before, {now} after, allowed {allowed}");
}

#[test]
fn cve_2026_33219_26_11_a_flood_of_strangers_costs_little_and_nothing_in_the_end() {
    for cores in [1, 2] {
        let config = "authorization { timeout: 300, users: [{user: ann, password: pa}] }\n";
        let mut server = setup(cores).config(config).start();
        Served::start(&server).end();
        let start = resident_bytes(server.pid());
        let half = format!("CONNECT {{\"user\":\"ann\",\"pass\":\"{}", "x".repeat(3_500));
        flood(&server, "thousands say nothing", b"", true);
        flood(&server, "thousands stop in the middle of CONNECT", half.as_bytes(), true);
        flood(&server, "thousands say a verb and no more", b"CONNECT", true);
        flood(&server, "thousands say garbage", b"\x16\x03\x01\x02\x00 GET / HTTP/1.1\r\n\r\n", false);
        flood(&server, "thousands log in wrongly", b"CONNECT {\"user\":\"ann\",\"pass\":\"pb\"}\r\n", false);
        memory_is_back(&server, start);
        assert!(server.is_running());
        server.open().hello(r#","user":"ann","pass":"pa""#);
    }
}

/// A certificate and its key; the block that names them.
fn tls_block(folder: &Folder) -> String {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("randomness");
    let cert = folder.write("cert.pem", &made.cert.pem());
    let key = folder.write("key.pem", &made.signing_key.serialize_pem());
    format!("tls {{ cert_file: {cert:?}, key_file: {key:?}, timeout: 300 }}\n")
}

/// The first part of what begins a handshake: a record of 512 bytes is announced.
fn half_a_hello(bytes: usize) -> Vec<u8> {
    let begin = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3];
    begin.into_iter().chain(std::iter::repeat(0x5a)).take(bytes).collect()
}

#[test]
fn cve_2026_33219_26_11_a_flood_of_handshakes_that_stop_in_the_middle_costs_little_and_nothing_in_the_end() {
    for cores in [1, 2] {
        let folder = Folder::new();
        let users = "authorization { timeout: 300, users: [{user: ann, password: pa}] }\n";
        // Those who are in speak in the clear.
        let config = [users, &tls_block(&folder), "allow_non_tls: true\n"].concat();
        let mut server = setup(cores).config(&config).start();
        Served::start(&server).end();
        let start = resident_bytes(server.pid());
        flood(&server, "thousands begin a handshake with one byte", &half_a_hello(1), true);
        flood(&server, "thousands stop in the middle of a handshake", &half_a_hello(400), true);
        memory_is_back(&server, start);
        assert!(server.is_running());
        server.open().hello(r#","user":"ann","pass":"pa""#);
    }
}

/// CPU time of the threads that check passwords, in the kernel's ticks.
fn checking_ticks(server: &Server) -> u64 {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", server.pid())).expect("it runs").flatten();
    let stats = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("stat")).ok());
    let ticks = stats.filter(|stat| stat.contains("(verifier-")).filter_map(|stat| {
        let fields = stat.rsplit(')').next()?.split_whitespace().skip(11).take(2);
        Some(fields.filter_map(|field| field.parse::<u64>().ok()).sum::<u64>())
    });
    ticks.sum()
}

/// Passwords that take long to check, tried by many: they wait in a bounded queue, off the cores, and those who have gone cost nothing.
#[test]
fn a_flood_of_wrong_passwords_with_bcrypt_delays_nobody_who_is_in_and_is_not_worked_off_for_those_who_have_gone() {
    const ANSWERED: usize = 5;
    let hash = bcrypt::hash("right", 10).expect("a hash");
    let users = format!("{{user: ann, password: pa}}, {{user: bob, password: \"{hash}\"}}");
    let mut server = setup(2).config(&format!("authorization {{ timeout: 300, users: [{users}] }}\n")).start();
    let wrong = b"CONNECT {\"user\":\"bob\",\"pass\":\"wrong\"}\r\n";
    let served = Served::start(&server);
    let start = resident_bytes(server.pid());
    for _ in 0..ANSWERED {
        assert!(ends(&mut stranger(&server, wrong)), "it is refused");
    }
    let each = checking_ticks(&server) / ANSWERED as u64;

    let count = size(100, 2_000);
    let mut strangers: Vec<TcpStream> = (0..count).map(|_| stranger(&server, wrong)).collect();
    served.goes_on("passwords are checked");
    let before = checking_ticks(&server);
    leave(strangers.split_off(ANSWERED));
    served.goes_on("passwords are checked");
    assert!(strangers.iter_mut().all(ends), "those who wait are refused");
    // Whoever comes after all of them is answered: nothing is left of those who have gone.
    let mut late = server.open();
    late.set_read_timeout(PATIENCE);
    late.hello(r#","user":"bob","pass":"right""#);
    let worked_off = checking_ticks(&server) - before;
    println!("a check takes {each} ticks, {count} strangers took {worked_off}");
    assert!(worked_off <= each.max(1) * count as u64 / 2, "{worked_off} ticks for {count} strangers, {each} for one");
    served.end();
    memory_is_back(&server, start);
    assert!(server.is_running());
}
