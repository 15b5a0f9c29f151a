//! Every bound in the program that is not a setting, and the relations between them that must hold.

/// Cores in one server: a core's mail word has one bit a sender, and one bit is the main thread's.
pub const CORES_MAX: usize = 63;

/// Bytes that one read may bring, and the size of a core's read buffer.
pub const READ_BUFFER_BYTES: usize = 128 * 1024;

/// Room of a read from a connection that alone has something to say, and whose last read was full of large messages: fewer wakes of
/// its receivers. Less than what makes a receiver be written to before all of it is delivered (`pressure_bytes`).
pub const BULK_READ_BYTES: usize = 960 * 1024;

/// From so many bytes a message on they are large.
pub const BULK_MESSAGE_BYTES_MIN: usize = 2 * 1024;

/// Bytes of large blocks that a core keeps to read into; the oldest go first.
pub const LARGE_BLOCKS_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Payloads from this size on are shared by reference instead of copied to each of several receivers.
pub const SHARED_PAYLOAD_BYTES_MIN: usize = 4 * 1024;

/// The same where there is one receiver: the kernel takes one long piece faster than several short ones, and a copy that is still in
/// the cache costs less than that.
pub const SHARED_WITH_ONE_BYTES_MIN: usize = 16 * 1024;

/// Entries of the ring of batches between two cores. Each is up to 64 KiB or one large message; the link's budget of bytes is what is
/// used up first.
pub const BATCH_RING_ENTRIES: usize = 256;

/// Entries of the ring of interest and control between two cores: one a turn that changed something.
pub const INTEREST_RING_ENTRIES: usize = 256;

const _: () = assert!(BATCH_RING_ENTRIES.is_power_of_two() && INTEREST_RING_ENTRIES.is_power_of_two());

/// Receivers of one message that are served in one turn; the others follow in later turns, and its publisher waits.
pub const FANOUT_RECEIVERS_PER_TURN: usize = 8192;

/// Bytes of queues filled in one turn; then they are written before more is read, while the CPU's cache still holds what was copied.
pub const QUEUED_BYTES_PER_TURN: usize = 2 * 1024 * 1024;

/// But not while there are fewer for each connection with something to write: what one read brings goes out in one write.
pub const QUEUED_BYTES_PER_WRITE: usize = READ_BUFFER_BYTES;

/// Passwords that wait for a thread to check them; clients beyond that wait on their cores, until their time to log in is over.
pub const PASSWORD_CHECKS_MAX: usize = 1024;

const _: () =
    assert!(SHARED_PAYLOAD_BYTES_MIN < SHARED_WITH_ONE_BYTES_MIN && SHARED_WITH_ONE_BYTES_MIN < READ_BUFFER_BYTES);
const _: () = assert!(READ_BUFFER_BYTES < BULK_READ_BYTES && 4 * BULK_READ_BYTES < LARGE_BLOCKS_BYTES_MAX);

/// Subjects that a connection with permissions remembers whether it may publish to; others are looked up again.
pub const PUBLISH_CACHE_ENTRIES: usize = 32;

/// Bytes of a subject that is remembered; a longer one is looked up each time.
pub const PUBLISH_CACHE_SUBJECT_BYTES_MAX: usize = 78;

const _: () = assert!(PUBLISH_CACHE_ENTRIES.is_power_of_two());

/// Requests that a connection with `allow_responses` is owed room for, from the oldest that it has not answered on; then that one can
/// no longer be answered.
pub const RESPONSES_MAX: usize = 65_536;

/// Bytes that the reply subjects of these may take together; then the same.
pub const RESPONSES_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Addresses whose failed logins are counted; then the one that was counted first is forgotten.
pub const FAILED_LOGIN_ADDRESSES_MAX: usize = 4096;
