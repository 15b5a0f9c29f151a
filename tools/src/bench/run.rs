//! Executes workloads side by side: threads, the moment they start, the look at the server, the end.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use super::across;
use super::board::{Board, GroupBoard};
use super::clock::{nanos, now_ns, pause};
use super::outcome::{Moment, RunOutcome, settle};
use super::process::{Counters, listener_pid};
use super::progress::Progress;
use super::subscriber::Gauge;
use super::target::Target;
use super::trouble::{Outcome, Trouble};
use super::worker::{self, Member, ThreadResult};
use super::workload::Workload;

/// Until every thread spins and waits for the same moment.
const START_DELAY_NS: u64 = 5_000_000;
/// Until servers that are connected know what each other's clients want: they do not say when.
const SPREAD_TIME: Duration = Duration::from_millis(500);
/// Between two looks at the counters.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How many looks are kept: of longer runs every second one goes.
const MOMENTS_MAX: usize = 2_000;
/// Until the threads of a server that has answered everything have left their CPUs, where their time is booked.
const SETTLE_TIME: Duration = Duration::from_millis(15);
/// Descriptors that are not connections.
const OTHER_FILES: u64 = 64;

/// How runs are done.
#[derive(Clone, Debug)]
pub(crate) struct Conditions {
    pub(crate) target: Target,
    /// Threads for senders, and as many for the others; `None`: half of the CPUs each.
    pub(crate) threads: Option<usize>,
    /// Without an arrival for so long, what is missing is lost.
    pub(crate) quiet: Duration,
    pub(crate) server_pid: Option<u32>,
    /// Do not look for the process of the server.
    pub(crate) is_blind: bool,
    pub(crate) progress: Progress,
    pub(crate) interrupt: Arc<std::sync::atomic::AtomicBool>,
    /// Asked for the moment to start when every connection is there.
    pub(crate) gate: Option<Gate>,
    /// Asked now and then for what senders elsewhere have sent, where the workloads wait for them.
    pub(crate) news: Option<News>,
    /// So many agents do the work, told over subjects that begin with `control`.
    pub(crate) agents: usize,
    pub(crate) control: String,
    /// Who sends and who receives are on different agents.
    pub(crate) is_across: bool,
    /// Monitoring URL of the server.
    pub(crate) monitor: Option<String>,
}

/// Who decides when a run starts, where it is one of several: waits, and gives a moment of [`now_ns`].
#[derive(Clone)]
pub(crate) struct Gate(pub(crate) Arc<dyn Fn() -> Outcome<u64> + Send + Sync>);

/// What the senders of each workload have sent in all, when they are done.
#[derive(Clone)]
pub(crate) struct News(pub(crate) Arc<dyn Fn() -> Outcome<Option<Vec<u64>>> + Send + Sync>);

impl std::fmt::Debug for News {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("News")
    }
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gate")
    }
}

impl Conditions {
    /// The process whose cost is measured.
    pub(crate) fn server_pid(&self) -> Option<u32> {
        if self.is_blind {
            return None;
        }
        let own = std::process::id();
        self.server_pid.or_else(|| listener_pid(self.target.endpoint(0).address).filter(|pid| *pid != own))
    }

    pub(crate) fn is_interrupted(&self) -> bool {
        self.interrupt.load(Relaxed)
    }
}

/// Raises the limit of open files to what so many connections need.
pub(crate) fn allow_files(connections: u64) -> Outcome<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let needed = connections + OTHER_FILES;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    if limit.maximum.is_some_and(|maximum| maximum < needed) {
        let maximum = limit.maximum.unwrap_or(0);
        return Err(Trouble::Usage(format!(
            "{connections} connections need {needed} open files and only {maximum} are allowed: raise it with 'ulimit -Hn {needed}' or use fewer"
        )));
    }
    setrlimit(
        Resource::Nofile,
        Rlimit { current: Some(needed.max(limit.current.unwrap_or(0))), maximum: limit.maximum },
    )
    .map_err(|error| Trouble::Io { what: "raising the limit of open files", source: error.into() })
}

/// Runs named workloads at the same time, once.
pub(crate) fn execute(conditions: &Conditions, workloads: &[(String, Workload)], run: u16) -> Outcome<RunOutcome> {
    let mut members: Vec<Member> = Vec::new();
    for (group, (_, workload)) in workloads.iter().enumerate() {
        members.extend(workload.members(group, run));
    }
    allow_files(members.len() as u64)?;
    let board = board_for(conditions, workloads, &members);
    let threads = share_out(members, conditions.threads);
    let barrier = Barrier::new(threads.len() + 1);
    let planned: Option<u64> = workloads.iter().map(|(_, workload)| workload.planned()).sum();
    let pid = conditions.server_pid();
    let mut outcome = RunOutcome::default();
    let (mut before, mut start) = (None, 0);
    let results = std::thread::scope(|scope| {
        let running: Vec<_> = threads
            .into_iter()
            .map(|members| scope.spawn(|| worker::run(&conditions.target, &board, members, &barrier)))
            .collect();
        barrier.wait();
        before = pid.and_then(|pid| Some((pid, Counters::read(pid)?)));
        start = agree(conditions, &board).unwrap_or_else(|trouble| {
            board.abort();
            outcome.trouble = Some(trouble);
            now_ns()
        });
        board.start_ns.store(start, Relaxed);
        barrier.wait();
        let is_running = || running.iter().any(|thread| !thread.is_finished());
        let mut news = conditions.news.as_ref().filter(|_| workloads.iter().any(|(_, load)| load.waits_for_news()));
        let mut bad_news = None;
        outcome.moments = watch(conditions, &board, start, planned, is_running, || {
            match news.map(|news| (news.0)()) {
                None | Some(Ok(None)) => return,
                Some(Ok(Some(sent))) => tell_receivers(&board, workloads, &sent),
                Some(Err(trouble)) => {
                    board.abort();
                    bad_news = Some(trouble);
                }
            }
            news = None;
        });
        outcome.trouble = outcome.trouble.take().or(bad_news);
        running.into_iter().map(|thread| thread.join().map_err(|_| Trouble::Thread)).collect::<Outcome<Vec<_>>>()
    })?;
    outcome.seconds = now_ns().saturating_sub(start) as f64 / 1e9;
    if let Some((pid, before)) = before {
        pause(SETTLE_TIME);
        outcome.server = Counters::read(pid).map(|after| after.since(&before, pid));
    }
    outcome.is_interrupted = conditions.is_interrupted();
    collect(&mut outcome, workloads, results);
    if conditions.target.endpoints.len() > 1 {
        // A cluster prefers members that are near.
        if outcome.server.is_some() {
            outcome.notes.push("several servers: process, CPU and memory are those of the first".into());
        }
        outcome.groups.iter_mut().flat_map(|group| &mut group.fairness).for_each(|fairness| fairness.is_judged = false);
    }
    // Without a single message there is nothing to show but the reason.
    let has_moved = outcome.groups.iter().any(|group| group.sent + group.received + group.served > 0);
    match outcome.trouble.take_if(|_| !has_moved) {
        Some(trouble) => Err(trouble),
        None => Ok(outcome),
    }
}

/// The moment of the start, when all connections are there.
fn agree(conditions: &Conditions, board: &Board) -> Outcome<u64> {
    if conditions.target.endpoints.len() > 1 {
        // What somebody wants on one server has to become known on the others.
        pause(SPREAD_TIME);
    }
    match conditions.gate.as_ref().filter(|_| !board.is_stopped()) {
        Some(gate) => (gate.0)(),
        None => Ok(now_ns() + START_DELAY_NS),
    }
}

/// Looks at the counters while the threads run; passes Ctrl-C on to them.
fn watch(
    conditions: &Conditions,
    board: &Board,
    start: u64,
    planned: Option<u64>,
    is_running: impl Fn() -> bool,
    mut on_look: impl FnMut(),
) -> Vec<Moment> {
    let mut bar = conditions.progress.begin(planned);
    let mut moments = Vec::new();
    let (mut step, mut looks) = (1, 0_usize);
    while is_running() {
        pause(LOOK_EVERY);
        let (sent, received) = board.totals();
        looks += 1;
        if looks.is_multiple_of(step) {
            let seconds = now_ns().saturating_sub(start) as f64 / 1e9;
            moments.push(Moment { seconds, sent, received });
        }
        if moments.len() > MOMENTS_MAX {
            let mut at = 0;
            moments.retain(|_| {
                at += 1;
                at % 2 == 0
            });
            step *= 2;
        }
        bar.look(sent, received);
        on_look();
        if conditions.is_interrupted() {
            board.stop();
        }
    }
    bar.end();
    moments
}

/// Those who wait for senders elsewhere learn how much there is to come.
fn tell_receivers(board: &Board, workloads: &[(String, Workload)], sent: &[u64]) {
    for (group, ((_, workload), sent)) in board.groups.iter().zip(workloads.iter().zip(sent)) {
        match workload {
            Workload::Flow(flow) if workload.waits_for_news() => group.sender_done(across::expected(flow, *sent)),
            // Nobody asks any more.
            Workload::Requests(_) if workload.waits_for_news() => board.stop(),
            _ => {}
        }
    }
}

fn board_for(conditions: &Conditions, workloads: &[(String, Workload)], members: &[Member]) -> Board {
    let mut board = Board::default();
    for (group, (_, workload)) in workloads.iter().enumerate() {
        let awaited = workload.awaited();
        let here = members.iter().filter(|member| member.group == group && member.is_sender()).count();
        let senders = here + usize::from(workload.waits_for_news());
        // Nobody knows when publishers elsewhere begin.
        let quiet_ns = if awaited > 0 { 0 } else { nanos(conditions.quiet) };
        let mut own = GroupBoard { quiet_ns, ..GroupBoard::default() };
        *own.expected.get_mut() = awaited;
        *own.senders_left.get_mut() = senders;
        board.groups.push(own);
    }
    *board.foreground_left.get_mut() = members.iter().filter(|member| member.is_foreground()).count();
    board
}

/// Senders on some threads, everybody else on others, so that a receiver is not held up by a batch.
fn share_out(members: Vec<Member>, threads: Option<usize>) -> Vec<Vec<Member>> {
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = threads.unwrap_or(cpus / 2).max(1);
    // A requester both sends and receives: it sits with the receivers, apart from who answers it.
    let (senders, others): (Vec<_>, Vec<_>) = members.into_iter().partition(Member::is_sender);
    let mut shared = Vec::new();
    for side in [senders, others] {
        let count = threads.min(side.len());
        let mut parts: Vec<Vec<Member>> = (0..count).map(|_| Vec::new()).collect();
        for (place, member) in side.into_iter().enumerate() {
            parts[place % count].push(member);
        }
        shared.extend(parts);
    }
    shared
}

fn collect(outcome: &mut RunOutcome, workloads: &[(String, Workload)], results: Vec<ThreadResult>) {
    let mut members: Vec<Vec<Member>> = workloads.iter().map(|_| Vec::new()).collect();
    let mut gauges: Vec<Vec<Gauge>> = workloads.iter().map(|_| Vec::new()).collect();
    for mut result in results {
        outcome.own_cpu_ns += result.cpu_ns;
        let share = if result.wall_ns > 0 { result.cpu_ns as f64 / result.wall_ns as f64 } else { 0.0 };
        outcome.busiest_thread = outcome.busiest_thread.max(share);
        let waited = if result.wall_ns > 0 { result.waited_ns as f64 / result.wall_ns as f64 } else { 1.0 };
        outcome.unwaiting = outcome.unwaiting.max(1.0 - waited);
        if outcome.info.version.is_empty() {
            outcome.info = std::mem::take(&mut result.info);
        }
        for (group, gauge) in result.gauges.drain(..).enumerate() {
            gauges[group].push(gauge);
        }
        for member in result.members {
            members[member.group].push(member);
        }
        // The first reason is the best: others only saw the end that followed.
        let is_better = outcome.trouble.as_ref().is_none_or(|had| matches!(had, Trouble::Closed));
        if is_better && let Some(trouble) = result.trouble {
            outcome.trouble = Some(trouble);
        }
    }
    let has_ended = outcome.trouble.is_none();
    for ((name, workload), (members, gauges)) in workloads.iter().zip(members.into_iter().zip(&gauges)) {
        let mut group = settle(name, members, gauges, has_ended);
        group.rate = workload.rate();
        outcome.groups.push(group);
    }
}
