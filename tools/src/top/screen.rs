//! The terminal: takes it over, draws what happens, and gives it back as it was, whatever ends the program.
//!
//! Owns raw mode and the alternate screen, and the threads that bring keys, signals, looks and names.

use std::collections::HashSet;
use std::io::{self, IsTerminal, Stdout};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Instant;

use crossterm::event::{self, KeyCode, KeyEventKind, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::app::{App, Key, Reaction};
use super::draw::draw;
use super::flags::Flags;
use super::look::{Look, Page};
use super::options::{Options, View};
use super::poller::{self, Event};
use crate::monitoring::Monitor;

/// Shows the server until the user has enough. `first` has been had already.
pub(crate) fn run(flags: &Flags, monitor: Monitor, first: Look) -> Result<(), String> {
    if !io::stdout().is_terminal() {
        return Err("standard output is no terminal: write one table with '-o -'".into());
    }
    let (events, incoming) = mpsc::channel();
    let (wishes, wished) = mpsc::channel();
    let (unknown, addresses) = mpsc::channel();
    let (poll_events, name_events) = (events.clone(), events.clone());
    let (options, delay) = (flags.options.clone(), flags.delay);
    watch_signals(events.clone())?;
    let mut terminal = Taken::new()?;
    std::thread::spawn(move || read_keys(&events));
    std::thread::spawn(move || poller::run(&monitor, options, delay, &wished, &poll_events));
    std::thread::spawn(move || poller::resolve(&addresses, &name_events));
    let mut app = App::new(flags.options.clone());
    app.handle_look(Ok(first), Instant::now());
    let outcome = show(&mut terminal, &mut app, flags.looks_max, &incoming, &Outgoing { wishes, unknown });
    drop(terminal);
    outcome.map_err(|error| format!("the terminal: {error}"))
}

/// To the threads.
struct Outgoing {
    wishes: Sender<Options>,
    unknown: Sender<String>,
}

fn show(
    terminal: &mut Taken,
    app: &mut App,
    looks_max: Option<u64>,
    incoming: &Receiver<Event>,
    outgoing: &Outgoing,
) -> io::Result<()> {
    let mut asked_names = HashSet::new();
    loop {
        terminal.draw(app)?;
        if looks_max.is_some_and(|max| app.looks >= max) {
            return Ok(());
        }
        // All that has happened meanwhile, then one drawing.
        let Ok(first) = incoming.recv() else { return Ok(()) };
        for event in std::iter::once(first).chain(incoming.try_iter()) {
            match event {
                Event::Key(key) => match app.handle_key(key) {
                    Reaction::Nothing => {}
                    // An error means that the thread has ended, and then the next look is missing, which is shown.
                    Reaction::Ask => drop(outgoing.wishes.send(app.options.clone())),
                    Reaction::Quit => return Ok(()),
                },
                Event::Look(look) => app.handle_look(*look, Instant::now()),
                Event::Name(address, name) => app.handle_name(address, name),
                Event::Resize => {}
                Event::NoTerminal => return Ok(()),
            }
        }
        ask_names(app, &mut asked_names, &outgoing.unknown);
    }
}

fn ask_names(app: &App, asked: &mut HashSet<String>, unknown: &Sender<String>) {
    if !app.options.resolves_names || app.options.view != View::Connections {
        return;
    }
    let Some(Page::Connections(page)) = app.memory.last.as_ref().map(|look| &look.page) else { return };
    for connection in &page.connections {
        if !app.names.contains_key(&connection.ip) && asked.insert(connection.ip.clone()) {
            // An error means that the thread has ended: then addresses stay addresses.
            let _thread_has_ended = unknown.send(connection.ip.clone());
        }
    }
}

fn read_keys(events: &Sender<Event>) {
    loop {
        let event = match event::read() {
            Ok(event::Event::Key(key)) if key.kind != KeyEventKind::Release => key_of(key).map(Event::Key),
            Ok(event::Event::Resize(..)) => Some(Event::Resize),
            Ok(_) => None,
            Err(_) => Some(Event::NoTerminal),
        };
        let is_last = matches!(event, Some(Event::NoTerminal));
        if event.is_some_and(|event| events.send(event).is_err()) || is_last {
            return;
        }
    }
}

fn key_of(key: event::KeyEvent) -> Option<Key> {
    let has_control = key.modifiers.contains(KeyModifiers::CONTROL);
    Some(match key.code {
        KeyCode::Char('c') if has_control => Key::Interrupt,
        KeyCode::Char('h') if has_control => Key::Backspace,
        KeyCode::Char(letter) if !has_control => Key::Char(letter),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Escape,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Tab => Key::Tab,
        KeyCode::BackTab => Key::BackTab,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        _ => return None,
    })
}

fn watch_signals(events: Sender<Event>) -> Result<(), String> {
    let mut signals = signal_hook::iterator::Signals::new([SIGTERM, SIGHUP, SIGINT])
        .map_err(|error| format!("signals cannot be watched: {error}"))?;
    std::thread::spawn(move || {
        for _signal in signals.forever() {
            if events.send(Event::Key(Key::Interrupt)).is_err() {
                return;
            }
        }
    });
    Ok(())
}

/// The terminal in our hands.
struct Taken {
    terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Taken {
    fn new() -> Result<Self, String> {
        let failed = |error: io::Error| format!("the terminal: {error}");
        crossterm::terminal::enable_raw_mode().map_err(failed)?;
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            give_back();
            hook(panic);
        }));
        let entered = crossterm::execute!(io::stdout(), crossterm::terminal::EnterAlternateScreen);
        entered
            .and_then(|()| Terminal::new(CrosstermBackend::new(io::stdout())))
            .map(|terminal| Self { terminal })
            .map_err(|error| {
                give_back();
                failed(error)
            })
    }

    fn draw(&mut self, app: &mut App) -> io::Result<()> {
        self.terminal.draw(|frame| draw(frame, app, Instant::now())).map(drop)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        give_back();
    }
}

/// An error means that there is no terminal any more to be given back.
fn give_back() {
    let mut output = io::stdout();
    let _no_terminal = crossterm::execute!(output, crossterm::terminal::LeaveAlternateScreen, crossterm::cursor::Show);
    let _no_terminal = crossterm::terminal::disable_raw_mode();
}
