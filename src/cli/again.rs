//! Values of flags that stand in a file or in the environment, read once more for a reload: a secret that was exchanged in its file
//! holds from then on, as one in the configuration file does.
//!
//! Owns which of the flags those are: the table says what may be named, the origin of a value whether it was.

use super::flags::{FLAGS, Takes};
use super::named;
use crate::config::own_flags::{Kind, OWN_FLAGS};
use crate::config::{Origin, RawConfig, Written};
use crate::secret::Secret;

/// The same flags, with what they name as it is now.
///
/// # Errors
/// The flag, and why what it names has nothing to give.
pub fn named_again(flags: &RawConfig) -> Result<RawConfig, String> {
    let mut flags = flags.clone();
    for flag in FLAGS {
        match flag.takes {
            Takes::Login(slot) => renew(slot(&mut flags), |text| text)?,
            Takes::Secret(slot) => renew(slot(&mut flags), Secret::new)?,
            _ => {}
        }
    }
    for own in OWN_FLAGS {
        if let Kind::Secret(slot) = own.kind {
            renew(slot(&mut flags), Secret::new)?;
        }
    }
    Ok(flags)
}

fn renew<T>(setting: &mut Option<Written<T>>, make: impl Fn(String) -> T) -> Result<(), String> {
    let Some(Written { value, origin: Origin::Named { flag, source } }) = setting else { return Ok(()) };
    *value = make(named::text(source).map_err(|why| format!("invalid value for flag {flag}: {why}"))?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::named_again;
    use crate::cli::{Command, parse};
    use std::fs;

    #[test]
    fn a_secret_that_was_exchanged_in_its_file_is_read_again_and_one_that_is_gone_is_an_error() {
        let path = std::env::temp_dir().join(format!("dunlin-again-{}", std::process::id()));
        fs::write(&path, "first\n").expect("writable");
        let place = format!("@{}", path.display());
        let arguments = ["--user", "ann", "--pass", &place, "--monitor_token", &place, "-p", "-1"];
        let Ok(Command::Start(start)) = parse(arguments) else { panic!("these flags are right") };
        fs::write(&path, "second\n").expect("writable");
        let again = named_again(&start.flags).expect("the file is there");
        let user = again.user.as_ref().map(|user| user.value.as_str());
        assert_eq!(user, Some("ann"), "what stood on the command line stays");
        for secret in [&again.password, &again.monitor_token] {
            assert_eq!(secret.as_ref().map(|secret| secret.value.expose()), Some("second"));
        }
        fs::remove_file(&path).expect("it is there");
        let error = named_again(&start.flags).expect_err("the file is gone");
        assert!(error.starts_with("invalid value for flag --pass: ") && !error.contains("second"), "{error}");
    }
}
