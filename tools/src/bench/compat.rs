//! The flags of the old `nats-bench`, translated.

use clap::Parser;

use super::flags::{CompatFlags, Flags, RunFlags};
use super::trouble::{Outcome, Trouble};

/// Its flags with a value, and what they are called here.
const WITH_VALUE: &[(&str, &str)] = &[
    ("np", "--pub"),
    ("ns", "--sub"),
    ("n", "--msgs"),
    ("ms", "--size"),
    ("csv", "--csv"),
    ("s", "--server"),
    ("creds", "--creds"),
    ("nkey", "--nkey"),
];

/// The command line that does the same.
pub(crate) fn flags(run: &RunFlags, old: &CompatFlags) -> Outcome<Flags> {
    let mut flags = Flags::try_parse_from(translate(&old.words)?).map_err(|error| Trouble::Usage(error.to_string()))?;
    // What stands before `compat` holds as well.
    let csv = flags.run.csv.take().or_else(|| run.csv.clone());
    flags.run = RunFlags { csv, ..run.clone() };
    Ok(flags)
}

fn translate(old: &[String]) -> Outcome<Vec<String>> {
    let (mut publishers, mut subscribers) = ("1".to_owned(), "0".to_owned());
    let mut words = Vec::new();
    let mut subject = None;
    let mut rest = old.iter();
    while let Some(word) = rest.next() {
        let Some(flag) = word.strip_prefix('-').map(|flag| flag.trim_start_matches('-')) else {
            subject = Some(word.clone());
            continue;
        };
        let (name, inline) = flag.split_once('=').map_or((flag, None), |(name, value)| (name, Some(value.to_owned())));
        if name == "tls" {
            words.push("--tls".to_owned());
            continue;
        }
        let known = WITH_VALUE.iter().find(|(old, _)| *old == name);
        let Some((_, new)) = known else {
            return Err(Trouble::Usage(format!("-{name}: not known here; see 'dunlinctl bench pubsub --help'")));
        };
        let value = inline.or_else(|| rest.next().cloned());
        let value = value.ok_or_else(|| Trouble::Usage(format!("-{name} needs a value")))?;
        match name {
            "np" => publishers = value,
            "ns" => subscribers = value,
            _ => words.extend([(*new).to_owned(), value]),
        }
    }
    let subject = subject.ok_or_else(|| Trouble::Usage("compat: a subject is missing at the end".into()))?;
    let mut line: Vec<String> =
        ["dunlinctl bench", "pubsub", &subject, "--pub", &publishers, "--sub", &subscribers].map(String::from).into();
    line.append(&mut words);
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::translate;

    fn translated(line: &str) -> String {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        translate(&words).map_or_else(|trouble| trouble.to_string(), |words| words.join(" "))
    }

    #[test]
    fn old_flags_have_new_names() {
        assert_eq!(
            translated("-np 2 -ns 3 -n 1000 -ms 16 -csv out.csv -s nats://h:1 foo"),
            "dunlinctl bench pubsub foo --pub 2 --sub 3 --msgs 1000 --size 16 --csv out.csv --server nats://h:1"
        );
        assert_eq!(
            translated("-tls -creds me.creds foo"),
            "dunlinctl bench pubsub foo --pub 1 --sub 0 --tls --creds me.creds"
        );
        assert_eq!(translated("--np=4 foo"), "dunlinctl bench pubsub foo --pub 4 --sub 0");
    }

    #[test]
    fn what_is_missing_is_said() {
        assert!(translated("-np 2").contains("subject"));
        assert!(translated("-n").contains("-n needs a value"));
        assert!(translated("-what foo").contains("-what"));
    }
}
