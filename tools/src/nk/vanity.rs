//! A public key with a wished beginning: keys are made with all cores until one fits.
//!
//! Owns the search. Keys are numbered in the order in which their bytes are drawn, and the first that fits is taken: so
//! one file of entropy gives one key, whatever the number of cores.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::Failure;
use super::entropy::{Entropy, Raw};
use super::key::{Kind, Pair};

/// After so many keys the terminal is told.
const KEYS_A_SIGN_OF_LIFE: u64 = 8192;

/// What the workers share.
struct Search {
    entropy: Entropy,
    /// Keys drawn so far.
    drawn: u64,
    /// The first that fits, so far.
    found: Option<(u64, Pair)>,
    failure: Option<Failure>,
}

/// Makes keys until one of them is `wish` after its first letter.
pub(super) fn search(kind: Kind, wish: &str, attempts_max: u64, entropy: Entropy) -> Result<Pair, Failure> {
    let wish = checked(wish).map_err(Failure::Usage)?;
    let shared = Mutex::new(Search { entropy, drawn: 0, found: None, failure: None });
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let shows = std::io::stderr().is_terminal();
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| work(kind, &wish, attempts_max, &shared, shows));
        }
    });
    if shows {
        eprint!("\r\x1b[K");
    }
    let search = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
    match (search.found, search.failure) {
        (Some((_, pair)), _) => Ok(pair),
        (None, Some(failure)) => Err(failure),
        (None, None) => Err(Failure::Failed(format!(
            "no key with this prefix among {attempts_max}; -maxpre N tries more, and each letter takes 32 times as many"
        ))),
    }
}

fn work(kind: Kind, wish: &str, attempts_max: u64, shared: &Mutex<Search>, shows: bool) {
    while let Some((number, raw)) = draw(attempts_max, shared) {
        if shows && number.is_multiple_of(KEYS_A_SIGN_OF_LIFE) {
            eprint!("\rcomputing: {number} keys ");
        }
        let pair = Pair::new(kind, &raw);
        let fits =
            pair.as_ref().is_ok_and(|pair| pair.public_key().get(1..).is_some_and(|rest| rest.starts_with(wish)));
        let mut search = shared.lock().unwrap_or_else(PoisonError::into_inner);
        match pair {
            Err(failure) => search.failure = Some(failure),
            Ok(pair) if fits && search.found.as_ref().is_none_or(|(earlier, _)| number < *earlier) => {
                search.found = Some((number, pair));
            }
            Ok(_) => {}
        }
    }
}

/// The next number and its bytes; `None` once a key is found (earlier ones are being looked at by those that drew them).
fn draw(attempts_max: u64, shared: &Mutex<Search>) -> Option<(u64, Raw)> {
    let mut search = shared.lock().unwrap_or_else(PoisonError::into_inner);
    if search.found.is_some() || search.failure.is_some() || search.drawn >= attempts_max {
        return None;
    }
    match search.entropy.take() {
        Ok(raw) => {
            search.drawn += 1;
            Some((search.drawn, raw))
        }
        Err(failure) => {
            search.failure = Some(failure);
            None
        }
    }
}

/// The wish in capitals; an error where no key can begin so.
fn checked(wish: &str) -> Result<String, String> {
    let wish = wish.to_ascii_uppercase();
    if wish.is_empty() || !wish.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7')) {
        return Err(format!("-pre {wish}: keys are written with the letters A to Z and the digits 2 to 7"));
    }
    // The first letter takes five of the eight bits of the kind; the rest of them, zeroes, begin the second one.
    if !matches!(wish.as_bytes(), [b'A'..=b'D', ..]) {
        return Err(format!("-pre {wish}: what follows the first letter of a public key is A, B, C or D"));
    }
    Ok(wish)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_with_the_wished_beginning_is_found() {
        for kind in [Kind::User, Kind::Curve] {
            let pair = search(kind, "ab", 1_000_000, Entropy::System).unwrap_or_else(|error| panic!("{error:?}"));
            assert_eq!(pair.public_key().get(1..3), Some("AB"));
            let seed = pair.seed().expect("a seed");
            assert_eq!(Pair::from_seed(&seed).map(|again| again.public_key()), Some(pair.public_key()));
        }
    }

    #[test]
    fn the_search_ends_at_its_bound() {
        let result = search(Kind::User, "AAAAAAAAAAAA", 100, Entropy::System);
        assert!(matches!(result, Err(Failure::Failed(text)) if text.contains("among 100")));
        assert!(search(Kind::User, "A", 0, Entropy::System).is_err());
    }

    #[test]
    fn beginnings_that_no_key_has_are_refused_at_once() {
        for (wish, expected) in [("", "A to Z"), ("b0b", "A to Z"), ("bö", "A to Z"), ("xavier", "A, B, C or D")] {
            assert!(checked(wish).unwrap_err().contains(expected), "{wish}");
        }
        assert_eq!(checked("derek"), Ok("DEREK".into()));
    }

    #[test]
    fn the_second_letter_of_every_kind_is_one_of_four() {
        for name in ["user", "account", "server", "cluster", "operator", "curve"] {
            let kind = Kind::named(name).expect("a kind");
            for first in [0, 0x3f, 0x40, 0x80, 0xc0, 0xff] {
                let pair = Pair::new(kind, &Raw::new([first; 32])).unwrap_or_else(|error| panic!("{error:?}"));
                assert!(checked(pair.public_key().get(1..2).expect("ASCII")).is_ok(), "{name}");
            }
        }
    }
}
