//! The command line of `top`: nats-top's flags, spelt as Go programs spell them (`-sort subs`, `--sort=subs`, `-m=8222`).
//!
//! Reads words; opens nothing.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::options::{LIMIT, Options, View, is_sort, sorts};
use crate::monitoring::Place;

/// What a flag needs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    Value,
}

/// Every flag: its names, and whether a value follows.
const FLAGS: &[(&[&str], Takes)] = &[
    (&["s"], Takes::Value),
    (&["m"], Takes::Value),
    (&["ms"], Takes::Value),
    (&["n"], Takes::Value),
    (&["d"], Takes::Value),
    (&["r"], Takes::Value),
    (&["o"], Takes::Value),
    (&["l"], Takes::Value),
    (&["sort"], Takes::Value),
    (&["cert"], Takes::Value),
    (&["key"], Takes::Value),
    (&["cacert"], Takes::Value),
    (&["view"], Takes::Value),
    (&["depth"], Takes::Value),
    (&["timeout"], Takes::Value),
    (&["k"], Takes::Nothing),
    (&["b"], Takes::Nothing),
    (&["lookup"], Takes::Nothing),
    (&["rates"], Takes::Nothing),
    (&["u", "display-subscriptions-column"], Takes::Nothing),
    (&["v", "V", "version"], Takes::Nothing),
    (&["h", "help"], Takes::Nothing),
];

/// The shortest time between two looks.
pub(crate) const DELAY_MIN: Duration = Duration::from_millis(100);
const DELAY_MAX: Duration = Duration::from_secs(86_400);
/// The largest table that is asked for.
pub(crate) const LIMIT_MAX: u64 = 1_000_000;

/// A whole command line.
#[derive(Debug)]
pub(crate) struct Flags {
    pub(crate) place: Place,
    pub(crate) options: Options,
    /// Zero: `-o` looks only once.
    pub(crate) delay: Duration,
    /// How long a request may take.
    pub(crate) timeout: Duration,
    /// Looks until the end.
    pub(crate) looks_max: Option<u64>,
    /// `-` is standard output.
    pub(crate) output: Option<PathBuf>,
    pub(crate) delimiter: Option<String>,
    pub(crate) cert: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
    pub(crate) authority: Option<PathBuf>,
    pub(crate) believes_anyone: bool,
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Wanted {
    Help,
    Version,
    Look(Box<Flags>),
}

/// What the words have said, before it is checked together.
#[derive(Default)]
struct Words {
    server: Option<String>,
    http: Option<u16>,
    https: Option<u16>,
}

/// Reads the words that follow `top`. `environment` is what `NATS_MONITOR` says, in the place of `-s`.
pub(crate) fn parse(arguments: Vec<OsString>, environment: Option<String>) -> Result<Wanted, String> {
    let mut words = Words::default();
    let mut flags = Flags {
        place: Place::parse("-s", "127.0.0.1")?,
        options: Options::default(),
        delay: Duration::from_secs(1),
        timeout: Duration::from_secs(5),
        looks_max: None,
        output: None,
        delimiter: None,
        cert: None,
        key: None,
        authority: None,
        believes_anyone: false,
    };
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let argument = argument.into_string().map_err(|word| format!("'{}' is no text", word.to_string_lossy()))?;
        let (name, value) = split(&argument)?;
        let takes = FLAGS.iter().find(|(names, _)| names.contains(&name)).map(|(_, takes)| *takes);
        match takes.ok_or_else(|| format!("there is no flag '{argument}'"))? {
            Takes::Nothing => match name {
                "v" | "V" | "version" => return Ok(Wanted::Version),
                "h" | "help" => return Ok(Wanted::Help),
                _ => set_switch(&mut flags, name, value)?,
            },
            Takes::Value => {
                let next = || arguments.next().and_then(|word| word.into_string().ok());
                let value = value.map(str::to_owned).or_else(next);
                let value = value.ok_or_else(|| format!("-{name} needs a value"))?;
                set_value(&mut flags, &mut words, name, value)?;
            }
        }
    }
    flags.place = place(&words, environment)?;
    let is_live = flags.output.is_none();
    if is_live && flags.delay < DELAY_MIN {
        return Err(format!("-d: at least {} s between two looks", DELAY_MIN.as_secs_f64()));
    }
    if is_live && flags.delimiter.is_some() {
        return Err("-l needs -o: write '-o -' for standard output".into());
    }
    Ok(Wanted::Look(Box::new(flags)))
}

/// `-name`, `--name`, with `=value` or without.
fn split(argument: &str) -> Result<(&str, Option<&str>), String> {
    let name = argument.strip_prefix("--").or_else(|| argument.strip_prefix('-')).filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| format!("'{argument}' is no flag: all values follow one, as in '-s {argument}'"))?;
    Ok(name.split_once('=').map_or((name, None), |(name, value)| (name, Some(value))))
}

fn set_switch(flags: &mut Flags, name: &str, value: Option<&str>) -> Result<(), String> {
    let on = match value {
        None | Some("true" | "1" | "t") => true,
        Some("false" | "0" | "f") => false,
        Some(other) => return Err(format!("-{name}={other}: write true or false")),
    };
    match name {
        "k" => flags.believes_anyone = on,
        "b" => flags.options.is_raw = on,
        "lookup" => flags.options.resolves_names = on,
        "rates" => flags.options.shows_rates = on,
        _ => flags.options.shows_subjects = on,
    }
    Ok(())
}

fn set_value(flags: &mut Flags, words: &mut Words, name: &str, value: String) -> Result<(), String> {
    let wrong = |what: &str| format!("-{name} '{value}': {what}");
    let port =
        |value: &str| value.parse::<u16>().ok().filter(|port| *port > 0).ok_or_else(|| wrong("no port: 1 to 65535"));
    let whole = |value: &str| value.parse::<u64>().map_err(|_| wrong("no whole number"));
    match name {
        "s" => words.server = Some(value),
        "m" => words.http = Some(port(&value)?),
        "ms" => words.https = Some(port(&value)?),
        "n" => flags.options.limit = limit(&value).map_err(|what| wrong(&what))?,
        "d" => flags.delay = seconds(&value).ok_or_else(|| wrong("no number of seconds"))?,
        "timeout" => {
            let timeout = seconds(&value).filter(|timeout| *timeout >= DELAY_MIN);
            flags.timeout = timeout.ok_or_else(|| wrong("no number of seconds, 0.1 at least"))?;
        }
        // Negative and zero are nats-top's words for no end.
        "r" => {
            flags.looks_max =
                value.parse::<i64>().map_err(|_| wrong("no whole number"))?.try_into().ok().filter(|max| *max > 0)
        }
        "o" => flags.output = Some(value.into()),
        "l" if value.is_empty() => return Err("-l: the delimiter is empty".into()),
        "l" => flags.delimiter = Some(value.replace("\\t", "\t")),
        "sort" if is_sort(&value) => flags.options.sort = value,
        "sort" => return Err(wrong(&format!("one of {}", sorts().join(", ")))),
        "view" => {
            let view = View::named(&value);
            flags.options.view = view.ok_or_else(|| wrong("connections, cores, subjects, slow or queues"))?;
        }
        "depth" => flags.options.depth = whole(&value)?.min(super::options::DEPTH_MAX),
        "cert" => flags.cert = Some(value.into()),
        "key" => flags.key = Some(value.into()),
        _ => flags.authority = Some(value.into()),
    }
    Ok(())
}

/// A number of connections; zero is nats-top's word for the usual one.
pub(crate) fn limit(text: &str) -> Result<u64, String> {
    match text.parse::<u64>() {
        Ok(0) => Ok(LIMIT),
        Ok(limit) if limit <= LIMIT_MAX => Ok(limit),
        _ => Err(format!("a number up to {LIMIT_MAX}")),
    }
}

fn seconds(text: &str) -> Option<Duration> {
    let number: f64 = text.strip_suffix('s').unwrap_or(text).parse().ok()?;
    Duration::try_from_secs_f64(number).ok().filter(|duration| *duration <= DELAY_MAX)
}

/// `-s` says where, `-m` and `-ms` replace the port: HTTPS where `-ms` is given, as in nats-top.
fn place(words: &Words, environment: Option<String>) -> Result<Place, String> {
    let place = match (&words.server, environment) {
        (Some(server), _) => Place::parse("-s", server)?,
        (None, Some(server)) => Place::parse("NATS_MONITOR", &server)?,
        (None, None) => Place::parse("-s", "127.0.0.1")?,
    };
    Ok(match (words.https, words.http) {
        (Some(port), _) => place.with_port(port, true),
        (None, Some(port)) => {
            let is_tls = place.is_tls();
            place.with_port(port, is_tls)
        }
        (None, None) => place,
    })
}

#[cfg(test)]
mod tests {
    use super::{Flags, Wanted, parse};
    use crate::top::options::View;
    use std::time::Duration;

    fn parsed(line: &str) -> Result<Wanted, String> {
        parse(line.split_whitespace().map(Into::into).collect(), None)
    }

    fn flags(line: &str) -> Box<Flags> {
        match parsed(line) {
            Ok(Wanted::Look(flags)) => flags,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn nats_tops_flags_are_read_with_one_dash_or_two() {
        for line in [
            "-s 10.0.0.1 -m 8333 -n 7 -d 2 -sort subs -lookup -b -r 3 -o - -l ,",
            "--s=10.0.0.1 --m=8333 -n=7 -d=2s --sort=subs --lookup=true -b -r=3 --o=- -l=,",
        ] {
            let flags = flags(line);
            assert_eq!(flags.place.url("/"), "http://10.0.0.1:8333/", "{line}");
            assert_eq!((flags.options.limit, flags.options.sort.as_str()), (7, "subs"));
            assert!(flags.options.resolves_names && flags.options.is_raw && !flags.options.shows_subjects);
            assert_eq!((flags.delay, flags.looks_max), (Duration::from_secs(2), Some(3)));
            assert_eq!((flags.output.as_deref(), flags.delimiter.as_deref()), (Some("-".as_ref()), Some(",")));
        }
    }

    #[test]
    fn defaults_are_nats_tops() {
        let flags = flags("");
        assert_eq!(flags.place.url(""), "http://127.0.0.1:8222");
        assert_eq!(
            (flags.options.limit, flags.options.sort.as_str(), flags.delay),
            (1024, "cid", Duration::from_secs(1))
        );
        assert_eq!((flags.looks_max, flags.options.view), (None, View::Connections));
    }

    #[test]
    fn https_is_another_port_or_a_url() {
        let flags = flags("-ms 8443 -m 1 -k -cacert ca.pem -cert c.pem -key k.pem -u -view cores -depth 3 -r -1 -n 0");
        assert_eq!(flags.place.url(""), "https://127.0.0.1:8443");
        assert!(flags.believes_anyone && flags.options.shows_subjects && flags.cert.is_some() && flags.key.is_some());
        assert_eq!((flags.options.view, flags.options.depth, flags.looks_max), (View::Cores, 3, None));
        assert_eq!(flags.options.limit, 1024);
        assert_eq!(super::super::flags::tests::flags("-s https://h:5/x").place.url(""), "https://h:5/x");
    }

    #[test]
    fn the_environment_says_where_unless_a_flag_does() {
        let place = |line: &str, environment: &str| {
            let words = line.split_whitespace().map(Into::into).collect();
            match parse(words, Some(environment.into())) {
                Ok(Wanted::Look(flags)) => Ok(flags.place.url("")),
                Ok(other) => panic!("{other:?}"),
                Err(error) => Err(error),
            }
        };
        assert_eq!(place("", "https://me:secret@h:1"), Ok("https://h:1".into()));
        assert_eq!(place("-m 5", "h"), Ok("http://h:5".into()));
        assert_eq!(place("-s g", "h"), Ok("http://g:8222".into()));
        assert!(place("", "ftp://h").is_err_and(|error| error.contains("NATS_MONITOR")));
    }

    #[test]
    fn nonsense_names_the_flag_and_the_way_out() {
        for (line, words) in [
            ("-m x", "-m 'x': no port"),
            ("-m 0", "1 to 65535"),
            ("-sort colour", "one of cid, "),
            ("-no-such", "there is no flag '-no-such'"),
            ("host", "as in '-s host'"),
            ("-n", "-n needs a value"),
            ("-n many", "a number up to"),
            ("-d soon", "no number of seconds"),
            ("-d -1", "no number of seconds"),
            ("-d 0", "at least 0.1 s"),
            ("-l ,", "-l needs -o"),
            ("-view all", "connections, cores, subjects, slow or queues"),
            ("-b=maybe", "write true or false"),
            ("-r x", "no whole number"),
            ("-timeout 0", "0.1 at least"),
        ] {
            let error = parsed(line).expect_err(line);
            assert!(error.contains(words), "{line}: {error}");
        }
        assert!(matches!(parsed("-o - -d 0"), Ok(Wanted::Look(_))), "one look");
    }

    #[test]
    fn help_and_version_come_before_anything_else() {
        assert!(matches!(parsed("-m 5 -h -x"), Ok(Wanted::Help)));
        for line in ["-v", "-V", "--version"] {
            assert!(matches!(parsed(line), Ok(Wanted::Version)), "{line}");
        }
    }
}
