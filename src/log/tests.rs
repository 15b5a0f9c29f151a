//! The logger as a whole: what reaches the other end, in which order, and what happens when it is too much.

use super::*;
use std::path::PathBuf;
use std::sync::mpsc;

/// Settings as the default configuration has them, without time.
pub(super) fn settings() -> Logging {
    Logging {
        debug: false,
        trace: false,
        trace_verbose: false,
        trace_headers: false,
        time: false,
        time_utc: false,
        file: None,
        file_bytes_max: 0,
        files_max: 0,
        traced_payload_bytes_max: 0,
        syslog: false,
        remote_syslog: String::new(),
    }
}

/// Keeps what is written for the test.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    fn text(&self) -> String {
        let text = String::from_utf8(lock(&self.0).clone()).expect("lines are UTF-8");
        text.replace(&format!("[{}] ", std::process::id()), "")
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        lock(&self.0).extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A writer that says when it is reached, and goes on when it is told to.
struct Gate {
    reached: mpsc::Sender<()>,
    go_on: mpsc::Receiver<()>,
    kept: Kept,
}

impl Write for Gate {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.reached.send(());
        let _ = self.go_on.recv();
        self.kept.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn gated() -> (Logger, mpsc::Receiver<()>, mpsc::Sender<()>, Kept) {
    let (reached, is_reached) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel();
    let kept = Kept::default();
    let gate = Gate { reached, go_on: may_go_on, kept: kept.clone() };
    let logger = Logger::to_writer(gate, &settings()).expect("a thread");
    (logger, is_reached, go_on, kept)
}

fn log_path(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("dunlin-logger-{}-{name}.log", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

#[test]
fn levels_are_looked_at_when_a_line_is_made() {
    let kept = Kept::default();
    let logger = Logger::to_writer(kept.clone(), &settings()).expect("a thread");
    logger.debug(format_args!("not wanted"));
    logger.clone().info(format_args!("one {}", 1));
    logger.set_levels(true, false);
    logger.debug(format_args!("wanted"));
    logger.trace(format_args!("not wanted"));
    logger.set_levels(false, true);
    assert!(logger.trace_enabled() && !logger.debug_enabled());
    logger.trace(format_args!("wanted"));
    logger.warn(format_args!("w"));
    logger.error(format_args!("e"));
    logger.fatal(format_args!("f"));
    logger.close();
    logger.info(format_args!("after the end"));
    logger.close();
    assert_eq!(kept.text(), "[INF] one 1\n[DBG] wanted\n[TRC] wanted\n[WRN] w\n[ERR] e\n[FTL] f\n");
}

#[test]
fn the_last_clone_writes_what_is_left() {
    let kept = Kept::default();
    let logger = Logger::to_writer(kept.clone(), &settings()).expect("a thread");
    for number in 0..1000 {
        logger.info(format_args!("{number}"));
    }
    drop(logger);
    let expected: String = (0..1000).map(|number| format!("[INF] {number}\n")).collect();
    assert_eq!(kept.text(), expected);
}

#[test]
fn lines_without_room_are_dropped_counted_and_said_and_nobody_waits() {
    let (logger, is_reached, go_on, kept) = gated();
    logger.info(format_args!("first"));
    is_reached.recv().expect("the log thread writes");
    // The log thread is held in a write. Were these calls to wait, the test would not end.
    for number in 0..QUEUED_LINES_MAX + 5 {
        logger.info(format_args!("{number}"));
    }
    assert_eq!(logger.lines_dropped(), 5);
    drop(go_on);
    logger.close();
    let text = kept.text();
    assert_eq!(text.lines().count(), 1 + QUEUED_LINES_MAX + 1);
    assert_eq!(text.lines().filter(|line| *line == "[WRN] 5 log lines dropped").count(), 1);
    assert!(text.contains(&format!("[INF] {}\n", QUEUED_LINES_MAX - 1)));
}

#[test]
fn bytes_are_bounded_and_an_empty_queue_admits_a_line_of_any_size() {
    let (logger, is_reached, go_on, kept) = gated();
    let huge = "x".repeat(QUEUED_BYTES_MAX + 1);
    logger.info(format_args!("{huge}"));
    is_reached.recv().expect("the log thread writes");
    let half = "y".repeat(QUEUED_BYTES_MAX / 2);
    for _ in 0..3 {
        logger.info(format_args!("{half}"));
    }
    assert_eq!(logger.lines_dropped(), 1);
    drop(go_on);
    logger.close();
    assert_eq!(kept.text().lines().filter(|line| line.starts_with("[INF] y")).count(), 2);
    assert!(kept.text().contains("[WRN] 1 log lines dropped\n"));
}

#[test]
fn orders_are_not_lost_when_the_queue_is_full() {
    let (logger, is_reached, go_on, kept) = gated();
    logger.info(format_args!("first"));
    is_reached.recv().expect("the log thread writes");
    for number in 0..QUEUED_LINES_MAX {
        logger.info(format_args!("{number}"));
    }
    logger.reopen();
    drop(go_on);
    logger.close();
    assert_eq!(kept.text().matches("[INF] File log re-open ignored, not a file logger\n").count(), 1);
}

#[test]
fn a_sink_that_takes_nothing_does_not_hold_the_end_for_ever() {
    let (logger, is_reached, go_on, _kept) = gated();
    logger.info(format_args!("first"));
    is_reached.recv().expect("the log thread writes");
    logger.close(); // two seconds, then it gives up
    drop(go_on);
}

#[test]
fn a_file_is_reopened_after_it_was_renamed() {
    let path = log_path("reopen");
    let moved = path.with_extension("old");
    let settings = Logging { file: Some(path.clone()), ..settings() };
    let logger = Logger::start(&settings).expect("a temporary file");
    logger.info(format_args!("one"));
    std::fs::rename(&path, &moved).expect("it was created at the start");
    logger.reopen();
    logger.info(format_args!("two"));
    logger.close();
    let pid = std::process::id();
    let read = |path| std::fs::read_to_string(path).expect("readable");
    assert_eq!(read(&moved), format!("[{pid}] [INF] one\n"));
    assert_eq!(read(&path), format!("[{pid}] [INF] File log re-opened\n[{pid}] [INF] two\n"));
    std::fs::remove_file(&path).expect("ours");
    std::fs::remove_file(&moved).expect("ours");
}

#[test]
fn a_file_rotates_in_the_peers_words() {
    let path = log_path("rotate");
    let settings = Logging { file: Some(path.clone()), file_bytes_max: 600, files_max: 1, ..settings() };
    let logger = Logger::start(&settings).expect("a temporary file");
    let long = "x".repeat(610);
    logger.info(format_args!("{long}"));
    logger.info(format_args!("after"));
    logger.close();
    let text = std::fs::read_to_string(&path).expect("readable");
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[0].contains(&format!("[INF] Rotated log, backup saved as \"{}.2", path.display())));
    assert!(lines[1].contains("[INF] Purged log file \"dunlin-logger-"));
    assert!(lines[2].ends_with("[INF] after"));
    std::fs::remove_file(&path).expect("ours");
}

#[test]
fn changed_settings_are_taken_over_and_bad_ones_change_nothing() {
    let (one, two) = (log_path("reload-1"), log_path("reload-2"));
    let mut settings = Logging { file: Some(one.clone()), ..settings() };
    let logger = Logger::start(&settings).expect("a temporary file");
    logger.info(format_args!("one"));
    settings.file = Some("/nonexistent/x.log".into());
    settings.debug = true;
    let error = logger.reconfigure(&settings).expect_err("no such folder");
    assert_eq!(error.to_string(), "error opening file: open /nonexistent/x.log: no such file or directory");
    assert!(!logger.debug_enabled());
    settings.file = Some(two.clone());
    logger.reconfigure(&settings).expect("a temporary file");
    logger.debug(format_args!("two"));
    logger.close();
    assert!(std::fs::read_to_string(&one).expect("readable").ends_with("[INF] one\n"));
    assert!(std::fs::read_to_string(&two).expect("readable").ends_with("[DBG] two\n"));
    std::fs::remove_file(&one).expect("ours");
    std::fs::remove_file(&two).expect("ours");
}

#[test]
fn a_discarding_logger_has_no_thread_and_takes_everything() {
    let logger = Logger::discard();
    logger.info(format_args!("x"));
    logger.reopen();
    logger.reconfigure(&settings()).expect("nothing is opened");
    logger.close();
    assert_eq!(logger.lines_dropped(), 0);
}
