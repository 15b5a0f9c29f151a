//! No memory image of this process leaves it, as its memory holds secrets.
//!
//! A process that may not be dumped is also not for its own user to look into: `/proc/PID/mem`, `environ`, `maps`, `fd` and the like
//! belong to root then, and a debugger needs `CAP_SYS_PTRACE`. What monitoring reads (`stat`, `status`, `cmdline`) stays open to all.

use std::io;

use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};

/// From now on this process writes no core dump, neither to a file (the limit) nor to a program that collects them, which the limit
/// does not hold for. Not for a process that embeds a server: it is the whole process that changes.
///
/// # Errors
/// Where the kernel refuses.
pub fn forbid() -> io::Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Core);
    // The hard limit stays: whoever may raise the soft one is in this process already.
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum })?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::dumpable_behavior;

    #[test]
    fn a_process_that_was_forbidden_to_dump_is_not_dumpable() {
        let (limit, behavior) = (getrlimit(Resource::Core), dumpable_behavior().expect("the kernel tells"));
        for _ in 0..2 {
            forbid().expect("less is always allowed");
            assert_eq!(getrlimit(Resource::Core), Rlimit { current: Some(0), maximum: limit.maximum });
            assert_eq!(dumpable_behavior().expect("the kernel tells"), DumpableBehavior::NotDumpable);
        }
        // Other tests share the process.
        setrlimit(Resource::Core, limit).expect("the hard limit has stayed");
        set_dumpable_behavior(behavior).expect("it is allowed again");
    }
}
