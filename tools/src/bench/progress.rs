//! Live progress on standard error, where that is a terminal; silence elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::values::show_rate;

/// Between two drawings of the rates.
const DRAW_EVERY: Duration = Duration::from_millis(250);

/// Whether progress is shown.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Progress {
    is_shown: bool,
}

impl Progress {
    /// Shown on a terminal, unless somebody does not want it.
    pub(crate) fn new(is_wanted: bool) -> Self {
        Self { is_shown: is_wanted && std::io::stderr().is_terminal() }
    }

    /// The bar of one run; `planned` is how much is to be sent.
    pub(crate) fn begin(self, planned: Option<u64>) -> Bar {
        if !self.is_shown {
            return Bar { bar: None, drawn: Instant::now(), sent: 0, received: 0 };
        }
        let bar = ProgressBar::with_draw_target(planned, ProgressDrawTarget::stderr_with_hz(8));
        let template =
            if planned.is_some() { "{bar:30} {percent:>3}% {elapsed} {msg}" } else { "{spinner} {elapsed} {msg}" };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Bar { bar: Some(bar), drawn: Instant::now(), sent: 0, received: 0 }
    }
}

/// The bar of one run.
#[derive(Debug)]
pub(crate) struct Bar {
    bar: Option<ProgressBar>,
    drawn: Instant,
    sent: u64,
    received: u64,
}

impl Bar {
    /// Draws the counters, not too often.
    pub(crate) fn look(&mut self, sent: u64, received: u64) {
        let Some(bar) = &self.bar else { return };
        let passed = self.drawn.elapsed();
        if passed < DRAW_EVERY {
            return;
        }
        let rate = |now: u64, before: u64| show_rate((now - before) as f64 / passed.as_secs_f64());
        bar.set_message(format!("sent {}  received {}", rate(sent, self.sent), rate(received, self.received)));
        bar.set_position(sent.max(received.min(bar.length().unwrap_or(u64::MAX))));
        (self.drawn, self.sent, self.received) = (Instant::now(), sent, received);
    }

    /// Leaves the line empty.
    pub(crate) fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
