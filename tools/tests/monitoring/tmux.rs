//! A terminal in tmux: a program runs in it, keys go in, and what is on the screen comes out.
//!
//! Every terminal is a tmux server of its own, which ends with the value. Waiting is looking again until the text is there.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Between two looks at the screen.
const LOOK: Duration = Duration::from_millis(40);
/// Longer than `kit::DEADLINE`: the server under `top` may need its own while.
const DEADLINE: Duration = Duration::from_secs(60);

/// One terminal.
pub(crate) struct Tmux {
    socket: String,
    config: PathBuf,
}

impl Tmux {
    /// Runs `script` in a shell in a terminal of this size. `None`, with a word to the reader, where there is no tmux.
    pub(crate) fn start(width: u16, height: u16, script: &str) -> Option<Self> {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        if Command::new("tmux").arg("-V").output().is_err() {
            eprintln!("there is no tmux: 'apt-get install tmux' lets this test run");
            return None;
        }
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let socket = format!("dunlinctl-test-{}-{number}", std::process::id());
        let config = std::env::temp_dir().join(format!("{socket}.conf"));
        std::fs::write(&config, "set -g status off\nset -g default-shell /bin/sh\n").expect("written");
        let tmux = Self { socket, config };
        let size = [width.to_string(), height.to_string()];
        // The terminal goes on when the program has ended: what it leaves behind can be seen.
        let script = format!("{script}; echo its exit code: $?; exec cat");
        tmux.run(&["new-session", "-d", "-x", &size[0], "-y", &size[1], &script]);
        Some(tmux)
    }

    fn output(&self, words: &[&str]) -> Output {
        let mut command = Command::new("tmux");
        command.env_remove("TMUX").env("LC_ALL", "C.UTF-8").env("TERM", "xterm-256color");
        command.args(["-u", "-L", &self.socket, "-f"]).arg(&self.config).args(words);
        command.output().expect("tmux runs")
    }

    fn run(&self, words: &[&str]) -> String {
        let output = self.output(words);
        assert!(output.status.success(), "tmux {words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Presses keys, by tmux's names for them.
    pub(crate) fn keys(&self, keys: &[&str]) {
        let words: Vec<_> = ["send-keys"].into_iter().chain(keys.iter().copied()).collect();
        self.run(&words);
    }

    /// Types text as it is.
    pub(crate) fn type_text(&self, text: &str) {
        self.run(&["send-keys", "-l", text]);
    }

    pub(crate) fn resize(&self, width: u16, height: u16) {
        self.run(&["resize-window", "-x", &width.to_string(), "-y", &height.to_string()]);
    }

    /// What is on the screen.
    pub(crate) fn screen(&self) -> String {
        self.run(&["capture-pane", "-p"])
    }

    /// Waits until the screen is as wanted, and gives it.
    #[track_caller]
    pub(crate) fn wait_for(&self, what: &str, mut wanted: impl FnMut(&str) -> bool) -> String {
        let end = Instant::now() + DEADLINE;
        loop {
            let screen = self.screen();
            if wanted(&screen) {
                return screen;
            }
            assert!(Instant::now() < end, "waited for {what}; the screen is:\n{screen}");
            std::thread::park_timeout(LOOK);
        }
    }

    /// Waits until `text` is on the screen.
    #[track_caller]
    pub(crate) fn wait_for_text(&self, text: &str) -> String {
        self.wait_for(text, |screen| screen.contains(text))
    }

    /// Waits for the end of the program, and gives its exit code.
    #[track_caller]
    pub(crate) fn wait_for_exit(&self) -> String {
        let screen = self.wait_for_text("its exit code: ");
        screen.split("its exit code: ").nth(1).and_then(|rest| rest.lines().next()).unwrap_or_default().to_owned()
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ended = self.output(&["kill-server"]);
        let _removed = std::fs::remove_file(&self.config);
    }
}

/// The command line of `top` for a shell.
pub(crate) fn top(monitor: std::net::SocketAddr, words: &str) -> String {
    format!("{} top -s {} -m {} {words}", env!("CARGO_BIN_EXE_dunlinctl"), monitor.ip(), monitor.port())
}
