//! What one core counts. Plain numbers: only its core writes them, and hands out copies.

/// Counts since the start.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stats {
    /// Messages from clients.
    pub in_msgs: u64,
    /// Their bytes, headers and payload.
    pub in_bytes: u64,
    /// Messages to clients.
    pub out_msgs: u64,
    /// Their bytes.
    pub out_bytes: u64,
    /// Connections taken in.
    pub accepted: u64,
    /// Connections ended.
    pub closed: u64,
    /// TLS handshakes that went well.
    pub handshakes: u64,
    /// Those that did not.
    pub handshakes_failed: u64,
    /// Steps of both.
    pub handshake_steps: u64,
    /// The most that ever waited for their turn.
    pub handshakes_waiting_max: u64,
    /// Writes to sockets.
    pub writes: u64,
    /// Turns of the loop.
    pub turns: u64,
    /// Times that this core went to sleep.
    pub parks: u64,
    /// Turns spent looking for mail instead of sleeping.
    pub spins: u64,
    /// Queue messages sent on, since their member had gone.
    pub forwarded: u64,
    /// Publishers held back for a slow receiver.
    pub stalls: u64,
    /// Connections closed since they did not take what was sent.
    pub slow_consumers: u64,
    /// Logins refused.
    pub failed_logins: u64,
    /// Connections closed since they did not answer.
    pub stale_connections: u64,
}
