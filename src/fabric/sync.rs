//! The one switch between the atomics of the standard library and those of loom.
//!
//! Owns nothing. Whatever cores share in `fabric` takes its atomics, cells and `Arc` from here, so that the code that runs
//! is the code that loom explores (`--cfg loom`). Must not hold logic of its own.

#[cfg(loom)]
pub(crate) use loom::{
    cell::UnsafeCell,
    sync::Arc,
    sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
};

#[cfg(not(loom))]
pub(crate) use std::{
    sync::Arc,
    sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence},
};

/// The standard cell with loom's way in: a closure gets the pointer, so that loom can see how long it is used.
#[cfg(not(loom))]
pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

#[cfg(not(loom))]
impl<T> UnsafeCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(std::cell::UnsafeCell::new(value))
    }

    #[inline(always)]
    pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.0.get())
    }
}

/// A value that shares its cache line with nothing: 128 bytes, since x86 fetches lines in pairs and some ARM cores have lines of 128.
#[repr(align(128))]
pub(crate) struct OwnLine<T>(pub(crate) T);

/// Loom orders fences as they come, but does not switch threads at one, nor does it know that two of them depend on each other. An access to
/// one common atomic before each makes it try their orders. It is relaxed and adds no order that the fence would not give.
/// A model calls this first in its main thread, before it starts others: the first use initialises, which is a synchronisation.
#[cfg(loom)]
pub(crate) fn fence(order: Ordering) {
    loom::lazy_static! {
        static ref FENCES: AtomicUsize = AtomicUsize::new(0);
    }
    FENCES.fetch_add(1, Ordering::Relaxed);
    loom::sync::atomic::fence(order);
}
