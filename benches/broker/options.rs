//! The command line of this program.

use std::path::PathBuf;

use crate::server::{Kind, Programs, find_peer};
use crate::tune::Tune;
use crate::workloads::{ROWS, Row};

pub(crate) const HELP: &str = "\
Starts real servers in turn and measures what a message costs them.

  cargo bench --bench broker -- [options]

  --servers LIST     of dunlin (one core), dunlin2 (two, and so on), peer, floor   [dunlin,dunlin2,peer,floor]
  --rows LIST        rows by name, see --list; grow_* are all that begin so        [all]
  --rounds N         rounds; the servers take turns in each                        [3]
  --scale X          multiplies the number of messages                             [1]
  --dunlin PATH      the server under test                                         [the one of this build]
  --dunlin-args ARGS more arguments for it, blanks between them
  --tune FLAG=V,V,…  only Dunlin, with this flag of its at each value in turn; off: without the flag, on: without a value
  --peer PATH        nats-server                                                   [$NATS_SERVER, else the search path]
  --json FILE        all figures of all rounds
  --strict           exit with 2 where a budget is over
  --list             the rows

Exit code 1: a count was wrong, or a server failed.
";

/// What to do.
#[derive(Debug)]
pub(crate) enum Command {
    Help,
    List,
    Floor { port: u16 },
    Run(Box<Options>),
}

/// A run, checked.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) servers: Vec<Kind>,
    pub(crate) rows: Vec<&'static Row>,
    pub(crate) rounds: usize,
    pub(crate) scale: f64,
    pub(crate) programs: Programs,
    pub(crate) tune: Option<Tune>,
    pub(crate) json: Option<PathBuf>,
    pub(crate) is_strict: bool,
}

impl Options {
    fn new(own_path: PathBuf) -> Self {
        Self {
            servers: vec![Kind::Dunlin { cores: 1 }, Kind::Dunlin { cores: 2 }, Kind::Peer, Kind::Floor],
            rows: ROWS.iter().collect(),
            rounds: 3,
            scale: 1.0,
            programs: Programs {
                dunlin: PathBuf::from(env!("CARGO_BIN_EXE_dunlin")),
                dunlin_args: Vec::new(),
                peer: find_peer(),
                floor: own_path,
            },
            tune: None,
            json: None,
            is_strict: false,
        }
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "--servers" => {
                let kind = |name| Kind::from_name(name).ok_or_else(|| format!("no server is called {name}"));
                self.servers = value.split(',').map(kind).collect::<Result<_, _>>()?;
            }
            "--rows" => {
                self.rows.clear();
                for name in value.split(',') {
                    self.rows.extend(rows_called(name)?);
                }
            }
            "--rounds" => {
                self.rounds = value.parse().ok().filter(|n| (1..=100).contains(n)).ok_or("--rounds takes 1 to 100")?
            }
            "--scale" => {
                let in_range = |scale: &f64| (0.001..=100.0).contains(scale);
                self.scale = value.parse().ok().filter(in_range).ok_or("--scale takes 0.001 to 100")?;
            }
            "--dunlin" => self.programs.dunlin = value.into(),
            "--dunlin-args" => self.programs.dunlin_args = value.split_whitespace().map(str::to_owned).collect(),
            "--peer" => self.programs.peer = Some(value.into()),
            "--tune" => self.tune = Some(Tune::parse(value).ok_or("--tune takes FLAG=V1,V2,…")?),
            "--json" => self.json = Some(value.into()),
            _ => return Err(format!("unknown option {name}")),
        }
        Ok(())
    }
}

/// One row, or all that begin with what stands before `*`.
fn rows_called(name: &str) -> Result<Vec<&'static Row>, String> {
    let is_meant = |row: &&Row| match name.strip_suffix('*') {
        Some(start) => row.name.starts_with(start),
        None => row.name == name,
    };
    let rows: Vec<&Row> = ROWS.iter().filter(is_meant).collect();
    if rows.is_empty() { Err(format!("no row is called {name}")) } else { Ok(rows) }
}

/// Reads the command line. Without any argument this is not `cargo bench` but a test run over all targets: help, no load.
pub(crate) fn parse(args: impl Iterator<Item = String>) -> Result<Command, String> {
    let own_path = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut options = Options::new(own_path);
    let mut args = args.peekable();
    if args.peek().is_none() {
        return Ok(Command::Help);
    }
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--bench" => {} // cargo's
            "--help" | "-h" => return Ok(Command::Help),
            "--list" => return Ok(Command::List),
            "--strict" => options.is_strict = true,
            "floor" => {
                let port = args.nth(1).and_then(|port| port.parse().ok()).ok_or("floor --port N")?;
                return Ok(Command::Floor { port });
            }
            _ => {
                let (name, value) = match arg.split_once('=') {
                    Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                    None => (arg.clone(), args.next()),
                };
                options.set(&name, &value.ok_or_else(|| format!("{name} needs a value"))?)?;
            }
        }
    }
    Ok(Command::Run(Box::new(options)))
}
