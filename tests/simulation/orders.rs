//! What comes from outside the cores while they run: other settings, answers of the thread that checks passwords, clients that say
//! who they are once more.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;

use dunlin::fabric::message::MAIN_BIT;
use dunlin::reactor::shared::{Applied, Order};

use crate::checks::{Failure, ensure};
use crate::terms::Who;
use crate::world::{STEPS_MAX, World};

impl World {
    /// A client says CONNECT again.
    pub fn log_in(&mut self, client: usize, who: Who) {
        let denied = self.terms.denied(who);
        self.clients[client].log_in(who, denied);
    }

    /// The main thread reloads: from now on `terms` hold. What each core says when it goes by them.
    pub fn begin_reload(&mut self) -> Receiver<Applied> {
        let (settings, accounts) = self.shape.settings(&self.terms, &self.accounts);
        self.accounts = accounts;
        let (done, applied) = std::sync::mpsc::channel();
        self.order(|| Order::Settings { settings: Arc::clone(&settings), done: done.clone() });
        applied
    }

    /// Runs until all cores go by what was ordered. How many connections were closed since there were too many.
    pub fn until_applied(&mut self, applied: &Receiver<Applied>) -> Result<u64, Failure> {
        let (mut closed, end) = (0, self.steps + STEPS_MAX);
        for core in 0..self.shape.cores {
            closed += loop {
                match applied.try_recv() {
                    Ok(applied) => break applied.closed,
                    Err(_) => self.step()?,
                }
                ensure(self.steps < end, || format!("{core} cores go by other settings, the others do not"))?;
            };
        }
        Ok(closed)
    }

    /// Takes what waits for the thread that checks passwords.
    pub fn collect_checks(&mut self) {
        while let Some(check) = self.shared.password_checks.poll_next() {
            self.checks.push_back(check);
        }
    }

    /// That thread has checked one, if one waits. Whether one did.
    pub fn check_a_password(&mut self) -> bool {
        if self.checks_wait {
            return false;
        }
        let Some(next) = self.checks.pop_front() else { return false };
        self.idle = 0;
        if next.wanted.load(Ordering::Relaxed) {
            let (conn, core) = (next.conn, next.conn.core);
            self.shared.order(core, Order::Checked { conn, grant: next.check.run() });
            self.mails[core.index()].post(MAIN_BIT);
            self.hub.wake(core.index());
        }
        true
    }
}
