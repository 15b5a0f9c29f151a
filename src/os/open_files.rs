//! The bound on open files: each connection needs one, and the usual soft limit of 1024 is for programs that use `select`.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit to the hard one. Returns how many files this process may have open now; `None`: no bound.
pub fn raise_limit() -> io::Result<Option<u64>> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    }
    Ok(maximum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        let hard = getrlimit(Resource::Nofile).maximum;
        assert_eq!(raise_limit().expect("raising to the hard limit is allowed"), hard);
        assert_eq!(getrlimit(Resource::Nofile).current, hard);
        assert_eq!(raise_limit().expect("so is doing it again"), hard);
    }
}
