//! `-o`: for scripts; and what goes wrong before there is a screen.

use std::process::{Command, Output};

use crate::fake_monitor::{FakeMonitor, SHORT, certificate, varz_page};
use crate::top_screen::fake;

fn run(words: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dunlinctl"));
    command.env_remove("NATS_MONITOR").arg("top").args(words.split_whitespace()).output().expect("runs")
}

/// Standard output and standard error, and the exit code.
fn text(output: &Output) -> (String, String, i32) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.code().unwrap_or(-1))
}

fn place(fake: &FakeMonitor) -> String {
    format!("-s 127.0.0.1 -m {}", fake.address().port())
}

#[test]
fn one_table_is_printed_with_rates_of_two_looks() {
    let fake = fake();
    let (out, err, code) = text(&run(&format!("{} -o - -d 0.1", place(&fake))));
    let lines: Vec<_> = out.lines().collect();
    assert_eq!((code, lines.len()), (0, 11), "{out}{err}");
    assert_eq!(lines[0], "NATS server version 2.15.1 (uptime: 1s)");
    assert_eq!(lines[4], "  In:   Msgs: 1.0K  Bytes: 9.8K  Msgs/Sec: 1000.0  Bytes/Sec: 9.8K");
    let (out, _, code) = text(&run(&format!("{} -o - -d 0", place(&fake))));
    assert!(code == 0 && out.contains("Msgs/Sec: -"), "{out}");
}

#[test]
fn fields_are_between_delimiters() {
    let fake = fake();
    let (out, err, code) = text(&run(&format!("{} -o - -d 0 -l , -u -b", place(&fake))));
    assert_eq!(code, 0, "{err}");
    let lines: Vec<_> = out.lines().collect();
    assert!(
        lines[7].starts_with("HOST,CID,NAME,SUBS,PENDING,MSGS_TO,") && lines[7].ends_with(",SUBSCRIPTIONS"),
        "{out}"
    );
    assert!(lines[8].starts_with("127.0.0.1:") && lines[8].ends_with(",\"orders.*, stock.>\""), "{out}");
    let (out, _, _) = text(&run(&format!("{} -o - -d 0 -l \\t -view cores", place(&fake))));
    assert!(out.lines().nth(7).is_some_and(|line| line.starts_with("CORE\tCPU\tBUSY%\t")), "{out}");
}

#[test]
fn a_file_is_written() {
    let fake = fake();
    let file = std::env::temp_dir().join(format!("dunlinctl-top-{}.txt", std::process::id()));
    let (out, err, code) = text(&run(&format!("{} -d 0 -o {}", place(&fake), file.display())));
    assert_eq!((code, out.as_str()), (0, ""), "{err}");
    assert!(std::fs::read_to_string(&file).expect("written").contains("Connections Polled: 2"));
    std::fs::remove_file(file).expect("ours");
    let (_, err, code) = text(&run(&format!("{} -d 0 -o /no/such/folder/x", place(&fake))));
    assert!(code == 1 && err.contains("-o /no/such/folder/x"), "{err}");
}

#[test]
fn what_is_wrong_before_the_screen_is_said() {
    let fake = fake();
    let (_, err, code) = text(&run(&place(&fake)));
    assert!(code == 1 && err.contains("'-o -'"), "no terminal: {err}");
    let (out, err, code) = text(&run("-sort colour"));
    assert!(code == 2 && err.contains("-sort 'colour'") && out.is_empty(), "{err}");
    let (out, _, code) = text(&run("-h"));
    assert!(code == 0 && out.contains("Usage: dunlinctl top [-s server]"), "{out}");
    let address = fake.address();
    drop(fake);
    let (_, err, code) = text(&run(&format!("-m {}", address.port())));
    assert!(code == 1 && err.contains("say where with -s and -m"), "{err}");
}

#[test]
fn a_page_that_is_missing_fails_a_script() {
    let fake = FakeMonitor::start();
    fake.set("/varz", 200, &varz_page("FAKE", 0, 0, 0));
    let (out, err, code) = text(&run(&format!("{} -o - -d 0 -view cores", place(&fake))));
    assert!(code == 1 && err.contains("/corez: the server has no such page") && out.is_empty(), "{out}{err}");
    fake.set("/varz", 200, "<html>");
    let (_, err, code) = text(&run(&format!("{} -o - -d 0", place(&fake))));
    assert!(code == 1 && err.contains("no JSON"), "{err}");
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let fake = fake();
    fake.be_silent();
    let (_, err, code) = text(&run(&format!("{} -o - -timeout {}", place(&fake), SHORT.as_secs_f64())));
    assert!(code == 1 && err.contains("no answer in time"), "{err}");
}

#[test]
fn a_login_is_sent_and_not_shown() {
    let fake = fake();
    fake.set_login("Basic bWU6c2VjcmV0");
    let port = fake.address().port();
    let (_, err, code) = text(&run(&format!("{} -o - -d 0", place(&fake))));
    assert!(code == 1 && err.contains("user:password@"), "{err}");
    let (_, err, code) = text(&run(&format!("-s http://me:wrong@127.0.0.1:{port} -o - -d 0")));
    assert!(code == 1 && !err.contains("wrong"), "{err}");
    let (out, err, code) = text(&run(&format!("-s http://me:secret@127.0.0.1:{port} -o - -d 0")));
    assert!(code == 0 && out.contains("Connections Polled: 2"), "{err}");
}

#[test]
fn https_checks_the_server_unless_told_not_to() {
    let (pem, config) = certificate();
    let (other_pem, _) = certificate();
    let fake = FakeMonitor::start_tls(config);
    fake.set("/varz", 200, &varz_page("FAKE", 0, 0, 0));
    fake.set("/connz", 200, "{}");
    let folder = std::env::temp_dir().join(format!("dunlinctl-top-tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = |name: &str, text: &str| {
        std::fs::write(folder.join(name), text).expect("written");
        folder.join(name).display().to_string()
    };
    let (ours, others) = (file("ca.pem", &pem), file("other.pem", &other_pem));
    let look = |words: &str| text(&run(&format!("-ms {} -o - -d 0 {words}", fake.address().port())));
    let (out, err, code) = look(&format!("-cacert {ours}"));
    assert!(code == 0 && out.contains("Connections Polled: 0"), "{err}");
    for words in ["", &format!("-cacert {others}")] {
        let (_, err, code) = look(words);
        assert_eq!(code, 1, "{words}: {err}");
    }
    assert_eq!(look("-k").2, 0);
    let (_, err, code) = look("-cacert no-such.pem");
    assert!(code == 1 && err.contains("-cacert no-such.pem"), "{err}");
    std::fs::remove_dir_all(folder).expect("ours");
}
