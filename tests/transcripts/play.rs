//! Plays rows against a started server: whole, byte by byte, cut at every position, and all at once.
//!
//! Owns the connections of the row it plays. A cut is made real by a round trip of another connection between the two
//! writes; what a server answers may not depend on it. After each playing all connections are closed and the server's
//! end is awaited, so that no subscription outlives its row.

use std::collections::BTreeMap;

use kit::{Client, DEADLINE, Program, Server, Setup};

use crate::case::{Act, Case, Step, Why};

/// Rows with more sent bytes than this are cut at so many places, evenly spread, instead of at all.
const CUTS_MAX: usize = 400;

/// How the bytes of a row reach the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cutting {
    Whole,
    ByteByByte,
    /// One cut before the byte with this number.
    At(usize),
}

/// Plays all rows on a server with so many cores; panics with what differed.
pub(crate) fn play_all(program: &Program, cores: usize, tables: &[&[Case]]) {
    let mut table = Table { program, cores, plain: None, failures: Vec::new(), played: 0 };
    for case in tables.iter().copied().flatten() {
        table.play(case);
    }
    println!("{} rows, {} playings, {cores} cores", tables.iter().map(|rows| rows.len()).sum::<usize>(), table.played);
    let shown = table.failures.len().min(40);
    assert!(table.failures.is_empty(), "{} rows differ:\n{}", table.failures.len(), table.failures[..shown].join("\n"));
}

struct Table<'a> {
    program: &'a Program,
    cores: usize,
    plain: Option<Stage>,
    failures: Vec<String>,
    played: usize,
}

impl Table<'_> {
    fn play(&mut self, case: &Case) {
        let mut stage = match self.plain.take() {
            Some(stage) if case.config.is_empty() => stage,
            other => {
                self.plain = other;
                Stage::new(self.program, self.cores, case.config)
            }
        };
        let outcome = self.play_every_way(case, &mut stage);
        let died = !stage.server.is_running();
        if let Err(difference) = outcome {
            let end = if died { format!("\nthe server ended:\n{}", stage.server.log().tail()) } else { String::new() };
            self.failures.push(format!("{}: {difference}{end}", case.name));
        }
        if case.config.is_empty() && !died {
            self.plain = Some(stage);
        }
    }

    fn play_every_way(&mut self, case: &Case, stage: &mut Stage) -> Result<(), String> {
        let mut scripts = vec![("", case.steps.iter().copied().map(Line::from).collect::<Vec<_>>())];
        scripts.extend(all_at_once(case).map(|lines| ("all at once, ", lines)));
        for (manner, lines) in scripts {
            let sent = lines.iter().map(Line::sent).sum::<usize>();
            let mut cuttings = vec![Cutting::Whole];
            if self.program.is_dunlin() || case.peer_when_cut.is_empty() {
                cuttings.extend((sent <= CUTS_MAX).then_some(Cutting::ByteByByte));
                cuttings.extend((1..sent).step_by(sent.div_ceil(CUTS_MAX).max(1)).map(Cutting::At));
            }
            for cutting in cuttings {
                self.played += 1;
                stage.play(&lines, cutting).map_err(|error| format!("{manner}{cutting:?}: {error}"))?;
            }
        }
        Ok(())
    }
}

/// A step with bytes of its own, since steps can be joined.
struct Line {
    client: char,
    act: Act,
    bytes: Vec<u8>,
}

impl Line {
    fn from(step: Step) -> Self {
        let bytes = match step.act {
            Act::Send(text) => text.as_bytes().to_vec(),
            _ => Vec::new(),
        };
        Self { client: step.client, act: step.act, bytes }
    }

    fn sent(&self) -> usize {
        self.bytes.len()
    }
}

/// All that the only client sends, first; then all that it gets. `None` for rows of several clients.
fn all_at_once(case: &Case) -> Option<Vec<Line>> {
    if case.steps.iter().any(|step| step.client != 'A') {
        return None;
    }
    let (hello, rest): (Vec<Step>, Vec<Step>) =
        case.steps.iter().copied().partition(|step| matches!(step.act, Act::Hello(_)));
    let (sends, sees): (Vec<Step>, Vec<Step>) = rest.into_iter().partition(|step| matches!(step.act, Act::Send(_)));
    let joined = sends.into_iter().flat_map(|step| Line::from(step).bytes).collect();
    let mut lines: Vec<Line> = hello.into_iter().map(Line::from).collect();
    lines.push(Line { client: 'A', act: Act::Send(""), bytes: joined });
    lines.extend(sees.into_iter().map(Line::from));
    Some(lines)
}

/// A server and the connection that paces the cuts.
struct Stage {
    server: Server,
    pacer: Client,
}

impl Stage {
    fn new(program: &Program, cores: usize, config: &str) -> Self {
        let setup = Setup::new(program, cores).flag("-D");
        let setup = if config.is_empty() { setup } else { setup.config(config) };
        let server = setup.start();
        let pacer = server.open();
        Self { server, pacer }
    }

    fn play(&mut self, lines: &[Line], cutting: Cutting) -> Result<(), String> {
        let mut clients: BTreeMap<char, Client> = BTreeMap::new();
        let mark = self.server.log().mark();
        let mut position = 0;
        for (number, line) in lines.iter().enumerate() {
            let client = clients.entry(line.client).or_insert_with(|| self.server.open());
            let done = match line.act {
                Act::Hello(fields) => client.try_hello(fields).map_err(|error| error.to_string()),
                Act::Send(_) => {
                    send(client, &line.bytes, cutting, position, &mut self.pacer);
                    Ok(())
                }
                Act::Receive(text) => client.check(text.as_bytes()),
                Act::ReceiveAll(texts) => client.check_any_order(texts),
                Act::ReceiveOne(texts) => client.check_one_of(texts).map(drop),
                Act::Info(part) => check_info(client, part),
                Act::Closed(why) => {
                    let client = clients.remove(&line.client).ok_or("no such client")?;
                    check_closed(client, why, &self.server, mark)
                }
            };
            done.map_err(|difference| format!("step {}, client {}: {difference}", number + 1, line.client))?;
            position += line.sent();
        }
        clients.into_iter().try_for_each(|(name, client)| finish(name, client))
    }
}

fn send(client: &mut Client, bytes: &[u8], cutting: Cutting, position: usize, pacer: &mut Client) {
    let pieces: Vec<&[u8]> = match cutting {
        Cutting::ByteByByte => bytes.chunks(1).collect(),
        Cutting::At(at) if position < at && at < position + bytes.len() => {
            let (first, second) = bytes.split_at(at - position);
            vec![first, second]
        }
        Cutting::Whole | Cutting::At(_) => vec![bytes],
    };
    for (number, piece) in pieces.into_iter().enumerate() {
        if number > 0 {
            // Unlike `ping` this answers a PING of the server on the way.
            pacer.messages_until_pong().expect("the pacer stays connected");
        }
        // A server may close before it has everything; what it said before that is looked at by the steps that follow.
        if client.try_send(piece).is_err() {
            return;
        }
    }
}

fn check_info(client: &mut Client, part: &str) -> Result<(), String> {
    let line = client.line().map_err(|error| error.to_string())?;
    if line.starts_with("INFO {") && line.contains(part) {
        Ok(())
    } else {
        Err(format!("expected INFO with {part}, got {line}"))
    }
}

fn check_closed(mut client: Client, why: Why, server: &Server, mark: usize) -> Result<(), String> {
    client.check_closed()?;
    let id = client.info().get("client_id").map(ToString::to_string).unwrap_or_default();
    let label = format!("cid:{id} - ");
    let is_close = |line: &str| line.contains(&label) && line.contains("Client connection closed: ");
    let line = server.log().find_after(mark, DEADLINE, is_close).ok_or("the log does not tell of the close")?;
    if line.contains(&format!("closed: {}", why.text())) {
        Ok(())
    } else {
        Err(format!("expected {why:?}, got {line}"))
    }
}

/// Nothing else was on its way to this client; then it goes.
fn finish(name: char, mut client: Client) -> Result<(), String> {
    client.try_ping().map_err(|difference| format!("client {name} at the end: {difference}"))?;
    client.close().map_err(|error| format!("client {name} does not close: {error}"))
}
