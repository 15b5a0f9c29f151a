//! The log thread: takes lines from the queue in order and writes them in batches.
//!
//! Owns the output. Says how many lines were dropped once those that had room are written. Ends when every logger is
//! gone, or when the logger is closed and the queue is empty; either way everything taken was written.

use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::SystemTime;

use super::sink::Output;
use super::{Counters, Level, Message, Order, lock};

/// Lines between two looks at what is not in the queue: dropped lines, orders that found no room, bytes not yet written.
const BATCH_LINES_MAX: u32 = 256;

/// Writes until the queue's senders are gone or the logger is closed.
pub(super) fn run(queue: &Receiver<Message>, counters: &Counters, mut output: Output) {
    let mut lines = 0;
    loop {
        // Looked at before the queue: what was logged before the close is then in the queue, or already taken.
        let closing = counters.closing.load(Acquire);
        let message = match queue.try_recv() {
            Ok(message) if lines < BATCH_LINES_MAX => message,
            Ok(message) => {
                settle(counters, &mut output);
                lines = 0;
                message
            }
            Err(TryRecvError::Empty) => {
                settle(counters, &mut output);
                lines = 0;
                if closing {
                    return;
                }
                match queue.recv() {
                    Ok(message) => message,
                    Err(_) => return,
                }
            }
            Err(TryRecvError::Disconnected) => return settle(counters, &mut output),
        };
        lines += 1;
        match message {
            Message::Line { level, at, text } => {
                counters.bytes_queued.fetch_sub(text.len(), Relaxed);
                output.push(level, at, &text);
            }
            Message::Order(order) => obey(order, &mut output),
            Message::Wake => {}
        }
    }
}

fn settle(counters: &Counters, output: &mut Output) {
    let dropped = counters.lines_dropped.swap(0, Relaxed);
    if dropped > 0 {
        output.push(Level::Warn, SystemTime::now(), &format!("{dropped} log lines dropped"));
    }
    let orders = std::mem::take(&mut *lock(&counters.orders));
    for order in orders {
        obey(order, output);
    }
    output.flush();
}

fn obey(order: Order, output: &mut Output) {
    match order {
        Order::Reopen => output.reopen(SystemTime::now()),
        Order::Replace(new) => {
            output.flush();
            *output = *new;
        }
    }
}
