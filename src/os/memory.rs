//! Gives memory that nobody uses back to the system.
//!
//! glibc keeps what was freed in the middle of its heaps. After a storm of connections or subscriptions that is most of the
//! process, so the cores ask for it to be returned; a thread of its own does it, as it takes milliseconds.

#![expect(unsafe_code, reason = "the C library's allocator has no safe interface for this")]

/// Bytes at the end of a heap that the allocator may keep, and the size from which on a block gets pages of its own.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT_BYTES_MAX: libc::c_int = 1024 * 1024;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const OWN_PAGES_BYTES_MIN: libc::c_int = 4 * 1024 * 1024;

/// Bounds what the allocator keeps. Left alone, glibc raises its bounds with each large block that is freed, up to 64 MiB a
/// thread. For a process that is a server, not for one that embeds one.
pub fn bound_what_is_kept() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: the function takes two numbers and sets parameters of the allocator under its lock.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, OWN_PAGES_BYTES_MIN);
        libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT_BYTES_MAX);
    }
}

/// Returns unused pages to the system. Does nothing where the C library is not glibc.
pub fn return_unused() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: the function takes a number, touches only what the allocator has free, and locks each of its heaps.
    unsafe {
        libc::malloc_trim(0);
    }
}
