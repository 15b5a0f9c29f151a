//! Bytes in: read, look at the mail, act.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Instant;

use super::Reactor;
use super::connections::Client;
use super::settings::Settings;
use crate::buffer::Buffer;
use crate::connection::close::CloseReason;
use crate::connection::inbound::{Inbound, Input};
use crate::connection::outbound::ChunkPool;
use crate::connection::{Action, Gate, Step};
use crate::fabric::Rule;
use crate::limits::READ_BUFFER_BYTES;
use crate::os::poll::{Event, Os};
use crate::protocol::error::ProtocolError;
use crate::protocol::op::Publish;

/// Connections that are served for the first time in one turn.
const NEWCOMERS_PER_TURN: usize = 32;

/// What the kernel said, how much it could have given, and what there is to act on now.
type Read = (io::Result<usize>, usize, Option<Input>);

/// What comes after an operation.
enum Next {
    /// The one that begins there.
    At(usize),
    /// What begins there waits.
    Aside(usize),
    /// The operation, of so many bytes (0: not known yet), is not whole.
    Cut { op_bytes: usize },
    /// Nothing more is taken from this client.
    Nothing,
}

impl<O: Os> Reactor<O> {
    /// The kernel says that something became ready.
    pub(super) fn handle_event(&mut self, event: Event) {
        let id = super::connections::of_key(self.this, event.key);
        let Some(client) = self.clients.find(id) else { return };
        client.ended |= event.ended;
        client.readable |= event.readable;
        client.gone |= event.gone;
        if client.gone && client.verifying.is_some() {
            // It is not read now, so nothing else would tell; and it need not be waited for.
            return self.close(id.slot, CloseReason::ReadError);
        }
        if event.writable && client.blocked {
            client.blocked = false;
            if !client.dirty {
                client.dirty = true;
                self.dirty.push(id.slot);
            }
        }
        self.enqueue(id.slot);
    }

    /// Puts a connection on the list of those to be served, if it may be.
    pub(super) fn enqueue(&mut self, slot: u32) {
        if let Some(client) = self.clients.at(slot)
            && !client.queued
            && client.may_be_served()
        {
            client.queued = true;
            let list = if client.fresh { &mut self.newcomers } else { &mut self.to_serve };
            list.push_back(slot);
        }
    }

    /// Serves some of those who have just come. What they say first costs more than a message, so that many of them at once must
    /// not stand between the others and their turn.
    pub(super) fn serve_newcomers(&mut self) {
        for _ in 0..NEWCOMERS_PER_TURN {
            let Some(slot) = self.newcomers.pop_front() else { return };
            if let Some(client) = self.clients.at(slot) {
                (client.queued, client.fresh) = (false, false);
                if client.may_be_served() {
                    self.turn.served += 1;
                    self.serve(slot);
                    self.enqueue(slot);
                }
            }
            if self.owed > 0 || self.write_soon {
                return;
            }
        }
    }

    /// Serves those on the list, each at most once, while the turn's budget lasts.
    pub(super) fn serve_all(&mut self) {
        if self.owed > 0 || self.write_soon {
            return; // for the newcomers
        }
        for _ in 0..self.to_serve.len() {
            if self.turn.served >= self.settings.turn_events_max || self.turn.bytes >= self.settings.turn_bytes_max {
                return;
            }
            let Some(slot) = self.to_serve.pop_front() else { return };
            if let Some(client) = self.clients.at(slot) {
                client.queued = false;
                if client.may_be_served() {
                    self.turn.served += 1;
                    self.serve(slot);
                    self.enqueue(slot);
                }
            }
            if self.owed > 0 || self.write_soon {
                return; // what was read waits for batches, or receivers want to be written to
            }
        }
    }

    fn serve(&mut self, slot: u32) {
        if !self.is_through(slot) {
            return;
        }
        if self.os.breaks(Rule::LookAfterRead) {
            self.look();
        }
        let Some(input) = self.take_input(slot) else { return };
        self.os.preempt();
        self.turn.bytes += input.part.len();
        let looked = if self.os.breaks(Rule::LookBeforeActing) || self.os.breaks(Rule::LookAfterRead) {
            true
        } else if self.os.breaks(Rule::BatchesBeforeActing) {
            self.look_at_interest_only();
            true
        } else {
            self.fabric.cores() == 1 || self.look()
        };
        if looked {
            self.act(slot, input);
        } else {
            self.set_aside(slot, &input, input.part.start);
            self.blocks.large.keep(input.block);
        }
    }

    /// What waits already, or what the socket has.
    fn take_input(&mut self, slot: u32) -> Option<Input> {
        let client = self.clients.at(slot)?;
        let inbound = std::mem::take(&mut client.connection.inbound);
        if client.unacted {
            client.unacted = false;
            return self.take_unacted(inbound);
        }
        self.read(slot, inbound)
    }

    /// What waits, in a block.
    fn take_unacted(&mut self, inbound: Inbound) -> Option<Input> {
        match inbound {
            Inbound::Empty => None,
            Inbound::Large { buffer, filled, .. } => {
                Some(Input { block: Arc::new(buffer), part: 0..filled, full: false })
            }
            Inbound::Rest(rest) => {
                let part = 0..rest.len();
                let mut own = (rest.len() > READ_BUFFER_BYTES).then(|| self.blocks.large.take(rest.len()));
                let block = own.as_mut().unwrap_or_else(|| self.blocks.writable()).bytes_mut();
                block[part.clone()].copy_from_slice(&rest);
                let block = own.map_or_else(|| Arc::clone(self.blocks.current()), Arc::new);
                Some(Input { block, part, full: false })
            }
        }
    }

    /// Reads once, behind what is there of an operation.
    fn read(&mut self, slot: u32, inbound: Inbound) -> Option<Input> {
        let (result, room, input) = match inbound {
            Inbound::Large { buffer, filled, op_bytes } => self.read_large(slot, buffer, filled, op_bytes)?,
            small => self.read_behind(slot, small)?,
        };
        let client = self.clients.at(slot)?;
        match result {
            Ok(0) => {
                self.close(slot, CloseReason::ClientClosed);
                None
            }
            Ok(count) => {
                // Fewer bytes than there was room for: the socket is empty, and the next bytes bring an edge.
                client.readable = client.has_more(count == room) || client.ended;
                client.connection.keepalive.handle_bytes(self.now);
                input
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                client.readable = client.has_more(false);
                None
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => None,
            Err(_) => {
                self.close(slot, CloseReason::ReadError);
                self.mark_secure(slot); // its last alert
                None
            }
        }
    }

    /// Goes on with an operation in the block that it ends in, up to its end.
    fn read_large(&mut self, slot: u32, mut buffer: Buffer, filled: usize, op_bytes: usize) -> Option<Read> {
        let client = self.clients.at(slot)?;
        let room = op_bytes - filled;
        let result = client.read(&mut buffer.bytes_mut()[filled..op_bytes], &mut self.scratch);
        let filled = filled + result.as_ref().copied().unwrap_or(0);
        if filled < op_bytes {
            client.connection.inbound = Inbound::Large { buffer, filled, op_bytes };
            Some((result, room, None))
        } else {
            Some((result, room, Some(Input { part: 0..filled, block: Arc::new(buffer), full: true })))
        }
    }

    /// Reads into a block of the core, behind the little that is there.
    fn read_behind(&mut self, slot: u32, small: Inbound) -> Option<Read> {
        let client = self.clients.at(slot)?;
        let rest = match &small {
            Inbound::Rest(rest) => rest.as_slice(),
            _ => &[],
        };
        // Who is not alone is read in small pieces, so that the others have their turns soon. A control line may be longer
        // than the usual block where it was configured so.
        let room = if self.to_serve.is_empty() { client.read_room } else { 0 };
        let end = room.max(2 * rest.len()).max(READ_BUFFER_BYTES);
        let mut own = (end > READ_BUFFER_BYTES).then(|| self.blocks.large.take(end));
        let block = own.as_mut().unwrap_or_else(|| self.blocks.writable()).bytes_mut();
        block[..rest.len()].copy_from_slice(rest);
        let room = end - rest.len();
        let result = client.read(&mut block[rest.len()..end], &mut self.scratch);
        match result {
            Ok(count) if count > 0 => {
                let part = 0..rest.len() + count;
                let block = own.map_or_else(|| Arc::clone(self.blocks.current()), Arc::new);
                Some((result, room, Some(Input { block, part, full: count == room })))
            }
            _ => {
                client.connection.inbound = small;
                if let Some(own) = own {
                    self.blocks.large.keep(Arc::new(own));
                }
                Some((result, room, None))
            }
        }
    }

    /// Takes one operation after the other and carries it out.
    fn act(&mut self, slot: u32, input: Input) {
        let (mut at, mut cut, before) = (input.part.start, None, self.stats.in_msgs);
        let mut seen_to = at;
        if self.trace {
            self.begin_trace(slot);
        }
        loop {
            let rest = &input.block.bytes()[at..input.part.end];
            if self.trace {
                self.trace_operation(slot, rest);
            }
            let Some(client) = self.clients.at(slot) else { break };
            if rest.is_empty() || client.connection.closing().is_some() {
                break;
            }
            if at >= seen_to {
                let account = client.account;
                seen_to = at + self.look_ahead(account, rest);
            }
            if let Some((next, go_on)) = self.publish_quickly(slot, &input, at) {
                at = next;
                if go_on {
                    continue;
                }
                self.set_aside(slot, &input, at);
                break;
            }
            match self.take_operation(slot, &input, at) {
                Next::At(next) => at = next,
                Next::Aside(next) => {
                    at = next;
                    self.set_aside(slot, &input, at);
                    break;
                }
                Next::Cut { op_bytes } => {
                    cut = Some(op_bytes);
                    break;
                }
                Next::Nothing => break,
            }
        }
        self.end_run(&input.block);
        if self.trace {
            self.trace_said(slot);
        }
        self.put_away(slot, input, at, cut, before);
        self.mark_dirty(slot);
    }

    /// Takes the operation at `at`, whatever it is, and carries it out.
    fn take_operation(&mut self, slot: u32, input: &Input, at: usize) -> Next {
        let go_on_at = |next: usize, go_on: bool| if go_on { Next::At(next) } else { Next::Aside(next) };
        if !self.run.is_empty() {
            return go_on_at(at, self.deliver_run(&input.block)); // and look whether its client is still there
        }
        let rest = input.block.bytes().get(at..input.part.end).unwrap_or_default();
        let Some(client) = self.clients.at(slot) else { return Next::Nothing };
        let rules = self.settings.rules_of(client.account);
        match client.connection.step(rules, rest, self.now, &mut self.pool) {
            Ok(Step::NeedMore { op_bytes }) => Next::Cut { op_bytes },
            Ok(Step::Act { consumed, action }) => {
                if self.trace {
                    self.trace_said(slot);
                }
                let go_on = match action {
                    Action::Publish(publish) => self.publish(slot, &publish, &input.block),
                    other => self.carry_out(slot, other),
                };
                self.os.preempt();
                go_on_at(at + consumed, go_on)
            }
            Err(ProtocolError::AuthorizationViolation) if self.begin_without_connect(slot) => Next::At(at),
            Err(error) => {
                self.refuse(slot, error, rest);
                Next::Nothing
            }
        }
    }

    /// What is left of an input that was acted on up to `at` is kept where it is the beginning of an operation, of `cut` bytes, and its
    /// block is there for the next read.
    fn put_away(&mut self, slot: u32, input: Input, at: usize, cut: Option<usize>, in_msgs_before: u64) {
        let Some(client) = self.clients.at(slot) else { return self.blocks.large.keep(input.block) };
        client.note_activity(self.now);
        let messages = self.stats.in_msgs - in_msgs_before;
        client.read_room = input.room_for_next(at - input.part.start, messages, cut.unwrap_or(0));
        match cut {
            Some(op_bytes) => client.connection.inbound = Inbound::keep(input, at, op_bytes, &mut self.blocks.large),
            None => self.blocks.large.keep(input.block),
        }
    }

    /// Publishes what is at `at`, where it is a PUB in its usual form, and what follows it in the same form. Where the next operation
    /// begins, and whether it may be taken.
    #[inline]
    fn publish_quickly(&mut self, slot: u32, input: &Input, at: usize) -> Option<(usize, bool)> {
        if self.trace {
            return None;
        }
        let client = self.clients.at(slot)?;
        let rest = input.block.bytes().get(at..input.part.end)?;
        let (publish, consumed) = quick_publish(client, &self.settings, rest, self.now, &mut self.pool)?;
        let go_on = self.publish(slot, &publish, &input.block);
        self.os.preempt();
        if go_on {
            return Some(self.go_on_with_run(slot, &input.block, at + consumed, input.part.end));
        }
        Some((at + consumed, false))
    }

    /// What was read and not acted on waits in its connection.
    fn set_aside(&mut self, slot: u32, input: &Input, from: usize) {
        let Some(client) = self.clients.at(slot) else { return };
        let rest = &input.block.bytes()[from..input.part.end];
        if client.connection.closing().is_none() && !rest.is_empty() {
            client.connection.inbound = Inbound::Rest(rest.to_vec());
            client.unacted = true;
        }
    }

    /// A connection that has something to write is on the list of those.
    pub(super) fn mark_dirty(&mut self, slot: u32) {
        if let Some(client) = self.clients.at(slot)
            && !client.dirty
            && client.connection.outbound.pending_bytes() > 0
        {
            client.dirty = true;
            self.dirty.push(slot);
        }
    }
}

/// A PUB in its usual form that its client may send, where there is one.
#[inline(always)]
fn quick_publish<'a, S>(
    client: &mut Client<S>,
    settings: &Settings,
    input: &'a [u8],
    now: Instant,
    pool: &mut ChunkPool,
) -> Option<(Publish<'a>, usize)> {
    match client.connection.traits().gate {
        Gate::Open => client.connection.step_publish(&settings.rules, input, pool),
        Gate::Checked => {
            let rules = settings.rules_of(client.account);
            client.connection.step_checked_publish(rules, input, now, pool)
        }
        Gate::Shut => None,
    }
}
