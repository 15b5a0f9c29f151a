//! `tools/deploy/configuration.md`, made of the tables.
//!
//! The test fails where the page is not what the tables say; with `DUNLIN_UPDATE` set it writes the page instead.

use dunlin::config::keys::{self, Key, Kind, Reload, Shape, Status};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

const PAGE: &str = "tools/deploy/configuration.md";

const HEAD: &str = "\
# Configuration

Every key of a configuration file. `cargo test` holds this page to the tables that the server reads by
(`src/config/keys/`, `src/config/security_keys/`, `src/config/own_flags.rs`); do not edit it by hand:
`DUNLIN_UPDATE=1 cargo test --test configuration` writes it anew.

- **Files** are those of nats-server, with its syntax, keys, aliases, messages and places. Keys may be in any case.
  Sizes have suffixes: `k`, `m`, `g` are powers of 1000, `kb`, `mb`, `gb` (or `KiB`, ...) of 1024. Durations are text: `\"1m30s\"`.
  `include other.conf` takes another file over, `$NAME` an earlier key or a variable of the environment.
- **Check** a file with `dunlin -t -c FILE` (the verdict and the words of nats-server) or `dunlinctl config check FILE`
  (all faults, with excerpts and suggestions). `dunlinctl config explain FILE` says what each key is and where that comes from.
- **Flags** win over the file, also after a reload. `dunlin --help` lists them.
- **Reload** (`dunlin -sl reload`, `SIGHUP`) reads the whole file first. One change that cannot be made refuses all of it, and
  the log says which and why. *yes*: a change is carried out while the server runs; *no*: it needs a restart; *no effect*: it
  makes no difference. With lame duck mode a restart costs nobody a message: see operations.md beside this page.
- **Since** is the feature with which a key came. A key of a feature that is *not yet* there is checked as nats-server checks
  it, and stops the start with its place; nothing that is written is passed over in silence.
- **Default** and **example** can be copied into a file as they stand.

";

const OWN: &str = "\
Settings that nats-server does not have stand in a block `dunlin`, under the names and with the checks of their flags:

```
dunlin {
  cores: \"0-3\"
  spin_us: 20
  monitor_user: \"ann\"
  monitor_password: $MONITOR_PASSWORD
}
```

nats-server refuses a file with that block: `dunlinctl config strip FILE` writes one without it. All flags of Dunlin's own may
stand here; what only makes sense for one start of the program (`-c`, `-t`, `-sl`, `-h`, `-v`) is a flag alone, as on nats-server.
";

/// Words before the keys of a block.
const NOTES: &[(&str, &str)] = &[
    (
        "authorization",
        "Who may log in, without accounts: one user, one token, or a list of users. They come into the account `$G`.",
    ),
    (
        "authorization.users",
        "An entry is a user with a password, or with an nkey. `accounts.*.users` has the same keys.",
    ),
    (
        "authorization.permissions",
        "What users may do. The same keys stand in `permissions` of a user and in `default_permissions` of an account.",
    ),
    (
        "authorization.permissions.publish",
        "The same keys stand in `subscribe`. A denied subject is denied, whatever is allowed.",
    ),
    ("accounts.*", "An account by its name; `$G` is the one of `authorization` and is not written here."),
    ("tls", "TLS for clients and for `https`. Files are read again at each reload."),
    ("dunlin", OWN),
    ("dunlin.monitoring", "The settings of pages once more, under shorter names."),
];

/// Text in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}

fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{}`", text.replace('|', "\\|")) }
}

fn default(key: &Key) -> String {
    match (key.default, key.range) {
        ("", Some(range)) if range.default != 0 || range.low <= 0 || range.or_zero && key.example.is_empty() => {
            code(&range.default.to_string())
        }
        ("", _) if key.example.is_empty() => String::new(),
        ("", _) => format!("e.g. {}", code(key.example)),
        (text, _) => code(text),
    }
}

fn type_and_range(key: &Key) -> String {
    let kind = cell(key.kind.type_name());
    match key.range {
        Some(range) => {
            let zero = if range.or_zero && !(range.low..=range.high).contains(&0) { "0, or " } else { "" };
            format!("{kind}, {zero}{} to {}", range.low, range.high)
        }
        None => match key.kind.bound() {
            "" => kind,
            bound => format!("{kind}, {bound}"),
        },
    }
}

fn reload(key: &Key) -> String {
    match (key.status, key.reload) {
        (Status::NotYet(_), _) => "—".into(),
        (_, Reload::Yes) => "yes".into(),
        (_, Reload::No(why)) => format!("no: {}", cell(why)),
        (_, Reload::NoEffect(why)) => format!("no effect: {}", cell(why)),
    }
}

fn row(key: &Key) -> String {
    let names: Vec<String> = std::iter::once(&key.name).chain(key.aliases).map(|name| code(name)).collect();
    let since = match key.status {
        Status::NotYet(feature) => format!("not yet: {feature}"),
        Status::Supported | Status::Ignored => key.since.to_owned(),
    };
    let differs =
        if key.differs.is_empty() { String::new() } else { format!(". *Unlike nats-server: {}*", key.differs) };
    format!(
        "| {} | {} | {} | {} | {since} | {}{} |\n",
        names.join(", "),
        type_and_range(key),
        default(key),
        reload(key),
        cell(key.help),
        cell(&differs)
    )
}

fn table<'a>(keys: impl IntoIterator<Item = &'a Key>) -> String {
    let head = "| key | type | default | reload | since | what it is |\n|---|---|---|---|---|---|\n";
    keys.into_iter().fold(head.to_owned(), |table, key| table + &row(key)) + "\n"
}

fn text() -> String {
    let blocks = keys::blocks();
    let mut text = String::from(HEAD);
    text.push_str("## Contents\n\n");
    let titles = keys::TOP_LEVEL.iter().map(|(title, _)| (*title).to_owned());
    for title in titles.chain(blocks.iter().map(|block| block_title(block.path))) {
        let anchor: String = title
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect();
        let _ = writeln!(text, "- [{}](#{anchor})", title.replace('*', "\\*"));
    }
    text.push('\n');
    for (title, keys) in keys::TOP_LEVEL {
        let _ = write!(text, "## {title}\n\n{}", table(*keys));
    }
    for block in &blocks {
        let _ = write!(text, "## {}\n\n", block_title(block.path).replace('*', "\\*"));
        if let Some((_, note)) = NOTES.iter().find(|(path, _)| *path == block.path) {
            let _ = write!(text, "{}\n\n", note.trim_end());
        }
        text.push_str(&table(block.keys.iter().copied()));
    }
    text.push_str(&own_reading());
    text.truncate(text.trim_end().len());
    text + "\n"
}

fn block_title(path: &str) -> String {
    format!("In {path}")
}

/// Blocks that are read without a table are named, so that nobody looks for them here in vain.
fn own_reading() -> String {
    let blocks = keys::blocks();
    let without = keys::top_level().filter(|key| {
        let is_block = match key.kind {
            Kind::Section(section) => !matches!(section.1, Shape::Other(_)),
            _ => false,
        };
        is_block && !blocks.iter().any(|block| block.path.split('.').next() == Some(key.name))
    });
    let names: Vec<String> = without.map(|key| code(key.name)).collect();
    if names.is_empty() {
        return String::new();
    }
    format!(
        "## Other blocks\n\nThe keys in {} are those of nats-server; they are checked and not described here.\n",
        names.join(", ")
    )
}

#[test]
fn the_reference_page_is_what_the_tables_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let (text, is_written) = (text(), fs::read_to_string(&path).unwrap_or_default());
    if std::env::var_os("DUNLIN_UPDATE").is_some() {
        fs::write(&path, text).expect("writable");
        return;
    }
    let differs = text.lines().zip(is_written.lines()).find(|(made, written)| made != written);
    assert!(
        text == is_written,
        "{PAGE} is not what the tables of keys say (first line that differs: {differs:?}).\n\
         `DUNLIN_UPDATE=1 cargo test --test configuration` writes it anew."
    );
}

#[test]
fn every_key_and_alias_is_on_the_page() {
    let text = text();
    for (path, key) in keys::all() {
        for name in std::iter::once(&key.name).chain(key.aliases) {
            assert!(text.contains(&format!("`{name}`")), "{path}: {name}");
        }
        assert!(text.contains(&cell(key.help)), "{path}");
    }
}
