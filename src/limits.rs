//! Every bound in the program that is not a setting, and the relations between them that must hold.

/// Cores in one server: a core's mail word has one bit a sender, and one bit is the main thread's.
pub const CORES_MAX: usize = 63;

/// Bytes that one read may bring, and the size of a core's read buffer.
pub const READ_BUFFER_BYTES: usize = 128 * 1024;

/// Payloads from this size on are shared by reference instead of copied to each receiver.
pub const SHARED_PAYLOAD_BYTES_MIN: usize = 4 * 1024;

const _: () = assert!(SHARED_PAYLOAD_BYTES_MIN < READ_BUFFER_BYTES);
