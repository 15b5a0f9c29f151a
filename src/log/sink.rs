//! Where lines go: standard error, a writer of the embedding program, a file, or syslog.
//!
//! Owns the bytes that are not yet written, and the count of lines that could not be written: when writing works again,
//! a line says how many are missing and why. Never gives up on a sink: a full disk passes.
//! Invariant: after a write that failed in the middle of a line, the next line starts on a line of its own.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, SystemTime};

use jiff::tz::TimeZone;

use super::file::LogFile;
use super::line::{Level, LineForm, civil};
use super::syslog::Syslog;
use super::{LogError, Logging};

/// Bytes kept together before they are written at the latest.
const BUFFER_BYTES: usize = 32 * 1024;

/// How often a write to a pipe that is full and does not block is tried again, a few milliseconds apart.
const FULL_PIPE_TRIES_MAX: u32 = 200;

/// A place for lines, and their form there.
pub(super) struct Output {
    sink: Sink,
    form: LineForm,
    buffer: Vec<u8>,
    lost_lines: u64,
    lost_why: String,
    torn: bool,
}

enum Sink {
    Stderr(io::Stderr),
    Writer(Box<dyn Write + Send>),
    File(LogFile),
    Syslog(Syslog),
}

impl Output {
    /// Opens what `settings` names. A file comes before a remote syslog, that before the local one, as on the peer.
    pub(super) fn open(settings: &Logging) -> Result<Self, LogError> {
        let sink = if let Some(path) = &settings.file {
            let opened = LogFile::open(path, settings.file_bytes_max, settings.files_max);
            Sink::File(opened.map_err(|source| LogError::File { path: path.clone(), source })?)
        } else if !settings.remote_syslog.is_empty() {
            Sink::Syslog(Syslog::remote(&settings.remote_syslog).map_err(LogError::Syslog)?)
        } else if settings.syslog {
            Sink::Syslog(Syslog::local().map_err(LogError::Syslog)?)
        } else {
            Sink::Stderr(io::stderr())
        };
        let colours = matches!(&sink, Sink::Stderr(stderr) if stderr.is_terminal());
        Ok(Self::new(sink, colours, settings))
    }

    /// Lines go to `writer`, without colours.
    pub(super) fn to_writer(writer: Box<dyn Write + Send>, settings: &Logging) -> Self {
        Self::new(Sink::Writer(writer), false, settings)
    }

    fn new(sink: Sink, colours: bool, settings: &Logging) -> Self {
        let zone = settings.time.then(|| if settings.time_utc { TimeZone::UTC } else { TimeZone::system() });
        let form = LineForm { pid: std::process::id(), zone, colours };
        Self { sink, form, buffer: Vec::new(), lost_lines: 0, lost_why: String::new(), torn: false }
    }

    /// Takes a line; it is written at the next [`Self::flush`] at the latest.
    pub(super) fn push(&mut self, level: Level, at: SystemTime, text: &str) {
        match &mut self.sink {
            Sink::Syslog(syslog) => match syslog.send(level, at, text) {
                Ok(()) if self.lost_lines > 0 => {
                    let missing = self.missing();
                    self.lost_lines = 0;
                    self.push(Level::Error, at, &missing);
                }
                Ok(()) => {}
                Err(error) => self.lose(1, &error),
            },
            Sink::File(file) => {
                self.form.push_line(&mut self.buffer, level, at, text);
                if file.is_past_limit(self.buffer.len()) {
                    self.flush();
                    self.rotate(at);
                } else if self.buffer.len() > BUFFER_BYTES {
                    self.flush();
                }
            }
            Sink::Stderr(_) | Sink::Writer(_) => {
                self.form.push_line(&mut self.buffer, level, at, text);
                if self.buffer.len() > BUFFER_BYTES {
                    self.flush();
                }
            }
        }
    }

    /// Writes what was taken.
    pub(super) fn flush(&mut self) {
        if self.buffer.is_empty() {
            return;
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        let end_of_torn = usize::from(self.torn);
        if self.torn {
            buffer.insert(0, b'\n');
        }
        match self.write(&buffer) {
            Ok(()) => {
                self.torn = false;
                if self.lost_lines > 0 {
                    self.say_what_is_missing(&mut buffer);
                }
            }
            Err((written, error)) => {
                if let Some(&last) = buffer.get(..written).and_then(<[u8]>::last) {
                    self.torn = last != b'\n';
                }
                let unwritten = buffer.get(written.max(end_of_torn)..).unwrap_or_default();
                let lines = unwritten.iter().filter(|&&byte| byte == b'\n').count();
                self.lose(lines as u64, &error);
            }
        }
        buffer.clear();
        buffer.shrink_to(2 * BUFFER_BYTES);
        self.buffer = buffer;
    }

    /// Opens a log file anew and says so; other sinks only say that there is no file.
    pub(super) fn reopen(&mut self, at: SystemTime) {
        self.flush();
        let Sink::File(file) = &mut self.sink else {
            return self.push(Level::Info, at, "File log re-open ignored, not a file logger");
        };
        match file.reopen() {
            Ok(()) => {
                self.torn = false;
                self.push(Level::Info, at, "File log re-opened");
            }
            Err(error) => {
                let text = format!("Unable to re-open log file: {}", crate::os::errno::text(&error));
                self.push(Level::Error, at, &text);
            }
        }
    }

    fn rotate(&mut self, at: SystemTime) {
        // Nothing to rotate where the disk was full and nothing was written.
        let Sink::File(file) = &mut self.sink else {
            return;
        };
        if !file.is_past_limit(0) {
            return;
        }
        let rotation = file.rotate(civil(at, &TimeZone::system()));
        // Straight to the buffer: these lines must not start another rotation, however small the limit is.
        for (level, text) in rotation {
            self.form.push_line(&mut self.buffer, level, at, &text);
        }
        self.torn = false;
    }

    /// Writing works again. The count is kept until the line about it is out.
    fn say_what_is_missing(&mut self, buffer: &mut Vec<u8>) {
        buffer.clear();
        let missing = self.missing();
        self.form.push_line(buffer, Level::Error, SystemTime::now(), &missing);
        match self.write(buffer) {
            Ok(()) => self.lost_lines = 0,
            Err((written, _)) => self.torn = written > 0,
        }
    }

    fn missing(&self) -> String {
        format!("{} log lines lost: {}", self.lost_lines, self.lost_why)
    }

    fn lose(&mut self, lines: u64, error: &io::Error) {
        self.lost_lines = self.lost_lines.saturating_add(lines);
        self.lost_why = crate::os::errno::text(error);
    }

    /// Writes all of `bytes`, or says how many were written before the error.
    fn write(&mut self, bytes: &[u8]) -> Result<(), (usize, io::Error)> {
        match &mut self.sink {
            Sink::Stderr(stderr) => write_all(stderr, bytes),
            Sink::Writer(writer) => write_all(writer, bytes),
            Sink::File(file) => write_all(file, bytes),
            Sink::Syslog(_) => Ok(()), // Syslog takes lines one by one and leaves the buffer empty.
        }
    }
}

fn write_all(writer: &mut impl Write, bytes: &[u8]) -> Result<(), (usize, io::Error)> {
    let mut written = 0;
    let mut tries = 0;
    while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
        match writer.write(rest) {
            Ok(0) => return Err((written, io::ErrorKind::WriteZero.into())),
            Ok(count) => {
                written += count;
                tries = 0;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Somebody else who has the same pipe made it non-blocking. This thread may wait; a core never does.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && tries < FULL_PIPE_TRIES_MAX => {
                tries += 1;
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(error) => return Err((written, error)),
        }
    }
    writer.flush().map_err(|error| (written, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// A disk of which a test says how many bytes are free.
    #[derive(Clone, Default)]
    struct Disk(Arc<Mutex<(Vec<u8>, usize)>>);

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut disk = self.0.lock().expect("one thread");
            let count = bytes.len().min(disk.1);
            if count == 0 {
                return Err(io::Error::from_raw_os_error(28));
            }
            disk.0.extend_from_slice(&bytes[..count]);
            disk.1 -= count;
            Ok(count)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_costs_lines_that_are_counted_and_said() {
        let disk = Disk::default();
        let mut settings = super::super::tests::settings();
        settings.time = false;
        let mut output = Output::to_writer(Box::new(disk.clone()), &settings);
        output.form.pid = 1;
        let at = SystemTime::UNIX_EPOCH;
        disk.0.lock().expect("one thread").1 = 20;
        output.push(Level::Info, at, "one");
        output.push(Level::Info, at, "two");
        output.flush();
        output.push(Level::Info, at, "three");
        output.flush();
        disk.0.lock().expect("one thread").1 = 1000;
        output.push(Level::Info, at, "four");
        output.flush();
        output.push(Level::Info, at, "five");
        output.flush();
        let written = String::from_utf8(disk.0.lock().expect("one thread").0.clone()).expect("UTF-8");
        assert_eq!(
            written,
            "[1] [INF] one\n[1] [I\n[1] [INF] four\n[1] [ERR] 2 log lines lost: no space left on device\n[1] [INF] five\n"
        );
    }
}
