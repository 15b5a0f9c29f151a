//! Secrets are in no log line, no file that the server writes and no page, whatever a client does with them; and no byte of a client makes
//! a line of its own.
//!
//! Every secret here has [`MARK`] in it, or is one of [`SHAPED`], which are known by their shape. A server is told them by flags and files,
//! clients send them rightly and wrongly, with all tracing on; at its end everything that it has written is searched.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;

use kit::{Client, Server, Setup};
use rustix::process::Signal;

use crate::{Folder, setup};

/// In every secret.
const MARK: &str = "Sekret";
/// A seed and a token, which people put where a name belongs.
const SEED: &str = "SUANHNTFKUZWRRECRHVT5WNWW3IHPEBMMEITOAVA3TVR6GBSALLCL3QH3E";
const JWT: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.eyJqdGkiOiJTZWtyZXQtand0In0.c2VjcmV0LXNpZ25hdHVyZQ";
const SHAPED: [&str; 2] = [SEED, JWT];

const CONFIG: &str = r#"authorization { users: [
    {user: ann, password: "Sekret-ann"}
    {user: may, password: "Sekret-may", permissions: {publish: ok, subscribe: ok}}
    {user: bob, password: "$2a$04$nI5wTbvPxF8qS08Zpf5.gO/Sekret7Tb7Pc6TmX6cVzXbDZRwzC9a"}
    {nkey: UB4SAU4SEDTSMEMSNKGV74ATQ62UVGMAOH3PGQOASGJPDMHXYVMCLRA6}
] }
"#;

/// What follows CONNECT.
const BODIES: &[&str] = &[
    r#"{"user":"ann","pass":"Sekret-ann","name":"right"}"#,
    r#"{"user":"ann","pass":"Sekret-wrong"}"#,
    r#"{"user":"bob","pass":"Sekret-bob"}"#,
    r#"{"user":"nobody","pass":"Sekret-nobody"}"#,
    r#"{"auth_token":"Sekret-token"}"#,
    r#"{"nkey":"UB4SAU4SEDTSMEMSNKGV74ATQ62UVGMAOH3PGQOASGJPDMHXYVMCLRA6","sig":"Sekret-sig","proxy_sig":"Sekret-proxy"}"#,
    // The same name twice, and in other spellings.
    r#"{"pass":"Sekret-1","pass":"Sekret-2","user":"ann"}"#,
    r#"{"user":"ann","pa\u0073s":"Sekret-escaped"}"#,
    r#"{"user":"ann","\u0070\u0061\u0073\u0073":"Sekret-escaped"}"#,
    r#"{"user":"ann","PASS":"Sekret-upper","Auth_Token":"Sekret-mixed","JWT":"Sekret-jwt"}"#,
    r#"{"user":"ann","pa\ſs":"Sekret-escape"}"#,
    // Other values than texts.
    r#"{"pass":{"a":["Sekret-nested"]},"user":"ann"}"#,
    r#"{"pass":["Sekret-list","Sekret-list"],"user":"ann"}"#,
    r#"{"user":"ann","pass":"\u0053ekret\"Sekret-quote"}"#,
    r#"{"x":{"pass":"Sekret-inside"},"user":"ann"}"#,
    r#"[{"user":"ann","pass":"Sekret-array"}]"#,
    // No JSON.
    r#"{"user":"ann","pass":"Sekret-twice"}}"#,
    r#"{'user':'ann','pass':'Sekret-single'}"#,
    r#"{user:ann,pass:Sekret-bare}"#,
    r#"{"user":"ann","pass" "Sekret-no-colon"}"#,
    r#"{"user":"ann","pass";"Sekret-semicolon"}"#,
    r#"{"user":"ann","pass:"Sekret-quotes"}"#,
    r#"{"user":"ann","pass="Sekret-equals"}"#,
    r#"{"user":"ann","pass"::"Sekret-colons"}"#,
    r#"user=ann pass=Sekret-words"#,
    r#""Sekret-text""#,
    r#"Sekret-nothing-else"#,
    "{\"user\":\"ann\",\"pass\":\"Sekret-\rreturn\"}",
    "{\"user\":\"ann\",\"pass\":\"Sekret-\u{1}control\"}",
    "{\"user\":\"ann\",\"pass\":\"Sekret-\u{e9}\"}",
];

/// What clients send, each on a connection of its own.
fn dialogues() -> Vec<Vec<u8>> {
    let mut all: Vec<String> = BODIES.iter().map(|body| format!("CONNECT {body}\r\n")).collect();
    for shaped in SHAPED {
        for field in ["user", "nkey", "jwt", "pass", "auth_token", "sig", "name", "lang", "version"] {
            all.push(format!("CONNECT {{\"{field}\":\"{shaped}\"}}\r\n"));
            all.push(format!(
                "CONNECT {{\"user\":\"ann\",\"pass\":\"Sekret-ann\",\"{field}\":\"{shaped}\"}}\r\nPING\r\n"
            ));
        }
    }
    // Nearly CONNECT, and CONNECT where something else belongs.
    let body = r#"{"user":"ann","pass":"Sekret-verb"}"#;
    for before in [
        "CONNEC ",
        "CONNECTX ",
        "connect\t",
        "CONNECT",
        "CONNECT\0",
        "PUB CONNECT ",
        "PUB a 5 CONNECT ",
        "SUB CONNECT ",
        "SUB a CONNECT ",
        "SUB ",
        "INFO ",
        "-ERR ",
        "+OK ",
        "",
        "UNSUB ",
    ] {
        all.push(format!("{before}{body}\r\n"));
        // The same of those who are in.
        all.push(format!(
            "CONNECT {{\"user\":\"may\",\"pass\":\"Sekret-may\"}}\r\n{before}{body}\r\n{before}{body} 1\r\n"
        ));
        all.push(format!("CONNECT {{\"user\":\"ann\",\"pass\":\"Sekret-ann\"}}\r\n{before}{body}\r\n"));
    }
    all.push(format!("CONNECT {{\"user\":\"ann\",\"pass\":\"Sekret-{}\"}}\r\n", "Sekret".repeat(1_000)));
    all.into_iter().map(String::into_bytes).collect()
}

/// Plays all dialogues, whole and cut, and what may become lines of their own.
fn abuse(server: &Server) {
    let mut watch = 0_usize;
    let mut say = |bytes: &[u8]| {
        let mut client = server.open();
        for part in bytes.chunks(1 + watch * 7 % 40) {
            if client.try_send(part).is_err() {
                break;
            }
        }
        watch += 1;
        drop(client.close());
    };
    for dialogue in dialogues() {
        say(&dialogue);
        for part in 1..8 {
            say(&dialogue[..dialogue.len() * part / 8]);
        }
    }
    for byte in [0, 1, 7, 8, 9, 0x1b, 0x7f, 0x80, 0xff] {
        say(&[b"CONNECT {\"user\":\"a".as_slice(), &[byte], b"[INF] forged\",\"name\":\"", &[byte], b"forged\"}\r\n"]
            .concat());
    }
    for escape in ["\\n", "\\r\\n", "\\u001b[31m", "\\u0000", "\\u2028", "\\u202e", "\\u009b"] {
        say(format!(
            "CONNECT {{\"user\":\"a{escape}[1] forged\",\"name\":\"{escape}forged\",\"lang\":\"{escape}forged\"}}\r\n"
        )
        .as_bytes());
        let login = r#""user":"ann","pass":"Sekret-ann","#;
        say(format!("CONNECT {{{login}\"name\":\"{escape}forged\",\"lang\":\"{escape}forged\",\"version\":\"{escape}forged\"}}\r\nPING\r\n").as_bytes());
    }
    let mut subjects: Client = server.open();
    subjects.hello(r#","user":"ann","pass":"Sekret-ann""#);
    subjects.send("SUB > 1\r\nPUB a\u{1b}[31m\rforged 2\r\nhi\r\nPUB \u{7}forged 11\r\n\n[1] forged\r\n");
    subjects.messages_until_pong().expect("these are subjects");
}

/// All that the server wrote: its log, standard error, and every file in `folders`.
fn search(what: &str, text: &[u8]) {
    let shown = String::from_utf8_lossy(text);
    for line in shown.lines() {
        let forbidden = SHAPED.iter().chain([&MARK]).find(|secret| line.contains(**secret));
        assert_eq!(forbidden, None, "{what}: {line}");
        assert!(!line.starts_with("[1] forged") && !line.starts_with("forged"), "{what}: {line}");
        let control = line.chars().find(|c| c.is_control() || ('\u{2028}'..='\u{202e}').contains(c));
        assert_eq!(control, None, "{what}: {line:?}");
    }
}

fn search_folder(folder: &Path, but_not: &[&str]) {
    for entry in std::fs::read_dir(folder).expect("a folder of ours").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !but_not.contains(&name.as_str()) && entry.path().is_file() {
            search(&name, &std::fs::read(entry.path()).expect("a file of the server"));
        }
    }
}

/// All pages, with all that they can tell of clients that are there and that were.
fn search_pages(server: &Server) {
    let mut seed = server.open();
    seed.hello(&format!(r#","user":"ann","pass":"Sekret-ann","name":"{SEED}","lang":"{JWT}""#));
    for path in [
        "/",
        "/varz",
        "/connz?auth=1&subs=detail&state=open&limit=10000",
        "/connz?auth=1&subs=detail&state=all&limit=10000",
        "/connz?auth=1&subs=detail&state=closed&limit=10000",
        "/subsz?subs=1",
        "/routez",
        "/gatewayz",
        "/leafz",
        "/accountz",
        "/accountz?acc=$G",
        "/accstatz?unused=1",
        "/jsz",
        "/healthz",
        "/ipqueuesz",
        "/stacksz",
        "/raftz",
        "/corez",
        "/slowz",
        "/queuez",
        "/subjectz",
        "/metrics",
        "/debug/vars",
    ] {
        let mut page = TcpStream::connect(server.page_address()).expect("pages are served");
        page.set_read_timeout(Some(kit::DEADLINE)).expect("the socket is ours");
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        page.write_all(request.as_bytes()).expect("it reads");
        let mut reply = Vec::new();
        page.read_to_end(&mut reply).expect("it answers and ends");
        assert!(reply.starts_with(b"HTTP/1.1 "), "{path}");
        let shown = String::from_utf8_lossy(&reply);
        let found = SHAPED.iter().chain([&MARK]).find(|secret| shown.contains(**secret));
        assert_eq!(found, None, "{path}: {shown}");
    }
}

fn reload(server: &Server, folder: &Folder, config: &str, log: &str, expected: &str) {
    folder.write("server.conf", config);
    let before = read(log).matches(expected).count();
    server.signal(Signal::HUP);
    let done = kit::until(kit::DEADLINE, || read(log).matches(expected).count() > before);
    assert!(done, "{expected}: {}", read(log));
}

fn read(file: &str) -> String {
    String::from_utf8_lossy(&std::fs::read(file).unwrap_or_default()).into_owned()
}

fn started(setup: &Setup, folder: &Folder) -> Server {
    let (pid, ports) = (folder.file("pid"), folder.file("more"));
    std::fs::create_dir_all(&ports).expect("the folder is ours");
    setup.clone().flag("-DV").flag("-P").flag(&pid).log_file(Path::new(&folder.file("log"))).start()
}

fn ended(mut server: Server, folder: &Folder) {
    server.signal(Signal::INT);
    assert!(server.wait_for_exit().is_some_and(|status| status.success()), "{}", read(&folder.file("log")));
    search("standard error", server.log().tail().as_bytes());
    search_folder(folder.path(), &["server.conf"]);
    let lines = read(&folder.file("log")).lines().count();
    assert!(lines > 1_000, "the log was on: {lines} lines");
}

#[test]
fn nat_01_001_nat_01_002_cve_2026_33216_secrets_of_users_are_written_nowhere_and_nobody_makes_lines() {
    for cores in [1, 2] {
        let folder = Folder::new();
        let file = folder.write("server.conf", CONFIG);
        let log = folder.file("log");
        let server = started(&setup(cores).flag("-m").flag("-1").flag("-c").flag(&file), &folder);
        abuse(&server);
        search_pages(&server);
        let changed = CONFIG.replace("Sekret-ann", "Sekret-anna");
        reload(&server, &folder, &changed, &log, "Reloaded server configuration");
        for wrong in [
            "authorization { user: x, password: [Sekret-list] }",
            "authorization { user: x, password: {a: Sekret-map} }",
            "authorization { user: x, pasword: Sekret-typo }",
            "authorization { user: x, password: Sekret-open",
            "authorization { user: x, password: \"Sekret-open }",
            "authorization { token: Sekret-token, users: [{user: a, password: Sekret-a}] }",
            "authorization { users: [{user: a, password: Sekret-a}, {user: a, password: Sekret-b}] }",
            "authorization { users: [{nkey: SUANHNTFKUZWRRECRHVT5WNWW3IHPEBMMEITOAVA3TVR6GBSALLCL3QH3E}] }",
        ] {
            reload(&server, &folder, wrong, &log, "Failed to reload server configuration");
        }
        reload(&server, &folder, CONFIG, &log, "Reloaded server configuration");
        ended(server, &folder);
    }
}

#[test]
fn nat_01_001_nat_01_002_cve_2026_33216_a_token_of_the_command_line_is_written_nowhere() {
    let folder = Folder::new();
    let server = started(&setup(2).flag("--auth").flag("Sekret-token"), &folder);
    let mut client = server.open();
    client.hello(r#","auth_token":"Sekret-token""#);
    let mut all = String::new();
    for number in 0..400 {
        write!(all, "SUB a{number} {number}\r\nPUB a{number} 2\r\nhi\r\n").expect("a text grows");
    }
    client.send(&all);
    assert_eq!(client.messages_until_pong().expect("it is in").len(), 400);
    for dialogue in dialogues() {
        let mut client = server.open();
        drop(client.try_send(&dialogue));
        drop(client.close());
    }
    ended(server, &folder);
}
