//! What the screen shows and what keys do to it. No terminal, no socket, no clock: keys and looks go in, `Reaction`s come out.
//!
//! Owns the choices, the memory of looks, the prompt and the place that is scrolled to.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::flags;
use super::look::{Look, Memory};
use super::options::{DEPTH_MAX, Options, View, is_sort, sorts};
use crate::monitoring::PageError;

/// Characters of an answer.
const ANSWER_CHARS_MAX: usize = 40;
/// Names of addresses that are kept.
const NAMES_MAX: usize = 100_000;

/// A key, without what terminals call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Char(char),
    Enter,
    Escape,
    Backspace,
    Tab,
    BackTab,
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Home,
    End,
    /// Ctrl-C, or a signal that asks to end.
    Interrupt,
}

/// What is to be done about a key, beyond drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reaction {
    Nothing,
    /// The choices have changed what is asked of the server.
    Ask,
    Quit,
}

/// What is asked in the line above the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    Sort,
    Limit,
    Depth,
}

/// A question and the answer so far.
#[derive(Debug)]
pub(crate) struct Prompt {
    pub(crate) question: Question,
    pub(crate) answer: String,
}

/// Since when the server does not answer.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) error: PageError,
    pub(crate) since: Instant,
    pub(crate) tries: u64,
}

/// The whole state.
#[derive(Debug, Default)]
pub(crate) struct App {
    pub(crate) options: Options,
    pub(crate) memory: Memory,
    pub(crate) names: HashMap<String, String>,
    pub(crate) trouble: Option<Trouble>,
    pub(crate) prompt: Option<Prompt>,
    /// An answer that made no sense; gone with the next key.
    pub(crate) notice: String,
    pub(crate) shows_help: bool,
    /// Rows above the first that is shown.
    pub(crate) scroll: usize,
    /// Characters left of the first that is shown.
    pub(crate) shift: usize,
    /// Looks that came, for `-r`.
    pub(crate) looks: u64,
    /// Rows and characters that the table has and that fit, as the last drawing found them.
    pub(crate) extent: Extent,
}

/// How much there is, and how much of it fits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) rows: usize,
    pub(crate) rows_shown: usize,
    pub(crate) chars: usize,
    pub(crate) chars_shown: usize,
}

impl App {
    pub(crate) fn new(options: Options) -> Self {
        Self { options, ..Self::default() }
    }

    /// A look came, or did not.
    pub(crate) fn handle_look(&mut self, look: Result<Look, PageError>, now: Instant) {
        match look {
            Ok(look) => {
                self.trouble = None;
                self.looks += 1;
                self.memory.look(look);
            }
            Err(error) => {
                self.memory.lose();
                let (since, tries) = self.trouble.as_ref().map_or((now, 0), |before| (before.since, before.tries));
                self.trouble = Some(Trouble { error, since, tries: tries + 1 });
            }
        }
    }

    /// An address has a name; empty where it has none.
    pub(crate) fn handle_name(&mut self, address: String, name: String) {
        if self.names.len() >= NAMES_MAX {
            self.names.clear();
        }
        self.names.insert(address, name);
    }

    /// How long the server has been away.
    pub(crate) fn away(&self, now: Instant) -> Option<Duration> {
        self.trouble.as_ref().map(|trouble| now.saturating_duration_since(trouble.since))
    }

    /// A key was pressed.
    pub(crate) fn handle_key(&mut self, key: Key) -> Reaction {
        if key == Key::Interrupt {
            return Reaction::Quit;
        }
        self.notice.clear();
        if let Some(prompt) = self.prompt.take() {
            return self.answer(prompt, key);
        }
        if std::mem::take(&mut self.shows_help) && key != Key::Char('q') {
            return Reaction::Nothing;
        }
        match key {
            Key::Char(letter) => self.handle_letter(letter),
            Key::Tab => self.show(self.options.view.step(1)),
            Key::BackTab => self.show(self.options.view.step(View::ALL.len() - 1)),
            _ => {
                self.move_by(key);
                Reaction::Nothing
            }
        }
    }

    fn handle_letter(&mut self, letter: char) -> Reaction {
        let options = &mut self.options;
        match letter {
            'q' => return Reaction::Quit,
            'o' => self.ask(Question::Sort),
            'n' => self.ask(Question::Limit),
            't' => self.ask(Question::Depth),
            '?' | 'h' => self.shows_help = true,
            's' => {
                options.shows_subjects = !options.shows_subjects;
                return Reaction::Ask;
            }
            'd' => options.resolves_names = !options.resolves_names,
            'b' => options.is_raw = !options.is_raw,
            ' ' => options.shows_rates = !options.shows_rates,
            'j' => self.move_by(Key::Down),
            'k' => self.move_by(Key::Up),
            '1'..='5' => {
                let place = letter.to_digit(10).unwrap_or(1) as usize - 1;
                return self.show(View::ALL[place]);
            }
            _ => {}
        }
        Reaction::Nothing
    }

    fn show(&mut self, view: View) -> Reaction {
        (self.scroll, self.shift) = (0, 0);
        if self.options.view == view {
            return Reaction::Nothing;
        }
        self.options.view = view;
        Reaction::Ask
    }

    fn ask(&mut self, question: Question) {
        self.prompt = Some(Prompt { question, answer: String::new() });
    }

    fn move_by(&mut self, key: Key) {
        let page = self.extent.rows_shown.max(1);
        let side = (self.extent.chars_shown / 2).max(1);
        match key {
            Key::Up => self.scroll = self.scroll.saturating_sub(1),
            Key::Down => self.scroll += 1,
            Key::PageUp => self.scroll = self.scroll.saturating_sub(page),
            Key::PageDown => self.scroll += page,
            Key::Home => (self.scroll, self.shift) = (0, 0),
            Key::End => self.scroll = usize::MAX,
            Key::Left => self.shift = self.shift.saturating_sub(side),
            Key::Right => self.shift += side,
            _ => {}
        }
        self.stay_inside();
    }

    /// What was scrolled to may not exist any more.
    pub(crate) fn stay_inside(&mut self) {
        self.scroll = self.scroll.min(self.extent.rows.saturating_sub(self.extent.rows_shown));
        self.shift = self.shift.min(self.extent.chars.saturating_sub(self.extent.chars_shown));
    }

    fn answer(&mut self, mut prompt: Prompt, key: Key) -> Reaction {
        match key {
            Key::Enter => return self.settle(prompt),
            Key::Escape => return Reaction::Nothing,
            Key::Backspace => drop(prompt.answer.pop()),
            Key::Char(letter) if prompt.answer.chars().count() < ANSWER_CHARS_MAX => prompt.answer.push(letter),
            _ => {}
        }
        self.prompt = Some(prompt);
        Reaction::Nothing
    }

    /// An empty answer changes nothing.
    fn settle(&mut self, prompt: Prompt) -> Reaction {
        let answer = prompt.answer.trim();
        if answer.is_empty() {
            return Reaction::Nothing;
        }
        match prompt.question {
            Question::Sort if self.options.view == View::Connections => {
                if !is_sort(answer) {
                    self.notice = format!("invalid order: {answer} (one of {})", sorts().join(" "));
                    return Reaction::Nothing;
                }
                self.options.sort = answer.to_owned();
            }
            Question::Sort => {
                let sheet = super::views::sheet(&self.memory, &self.options, &self.names);
                let keys: Vec<_> = sheet.columns.iter().map(|column| column.key).collect();
                if !keys.contains(&answer) {
                    self.notice = format!("invalid order: {answer} (one of {})", keys.join(" "));
                    return Reaction::Nothing;
                }
                self.options.sheet_sorts[self.options.view.place()] = answer.to_owned();
            }
            Question::Limit => match flags::limit(answer) {
                Ok(limit) => self.options.limit = limit,
                Err(wanted) => {
                    self.notice = format!("invalid limit: {answer} ({wanted})");
                    return Reaction::Nothing;
                }
            },
            Question::Depth => match answer.parse::<u64>() {
                Ok(depth) => self.options.depth = depth.min(DEPTH_MAX),
                Err(_) => {
                    self.notice = format!("invalid depth: {answer} (tokens of a subject, 0 for all)");
                    return Reaction::Nothing;
                }
            },
        }
        Reaction::Ask
    }

    /// The line of the question, as nats-top writes it; without one, what there is to say.
    pub(crate) fn prompt_line(&self) -> String {
        let Some(prompt) = &self.prompt else {
            return match &self.trouble {
                Some(trouble) if self.notice.is_empty() => format!("asking again: {}", trouble.error),
                _ => self.notice.clone(),
            };
        };
        let options = &self.options;
        match prompt.question {
            Question::Sort if options.view == View::Connections => {
                format!("sort by [{}]: {}", options.sort, prompt.answer)
            }
            Question::Sort => {
                format!("sort by [{}]: {}", options.sheet_sorts[options.view.place()], prompt.answer)
            }
            Question::Limit => format!("limit   [{}]: {}", options.limit, prompt.answer),
            Question::Depth => format!("depth   [{}]: {}", options.depth, prompt.answer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{App, Extent, Key, Reaction};
    use crate::monitoring::PageError;
    use crate::top::options::{Options, View};
    use crate::top::recorded;
    use std::time::{Duration, Instant};

    fn press(app: &mut App, keys: &str) -> Reaction {
        let mut last = Reaction::Nothing;
        for letter in keys.chars() {
            last = app.handle_key(match letter {
                '\n' => Key::Enter,
                '\t' => Key::Tab,
                '\x08' => Key::Backspace,
                '\x1b' => Key::Escape,
                letter => Key::Char(letter),
            });
        }
        last
    }

    #[test]
    fn keys_of_nats_top_do_what_they_do_there() {
        let mut app = App::default();
        assert_eq!(press(&mut app, "osubs\n"), Reaction::Ask);
        assert_eq!(app.options.sort, "subs");
        assert_eq!(press(&mut app, "n7\n"), Reaction::Ask);
        assert_eq!(app.options.limit, 7);
        assert_eq!(press(&mut app, "s"), Reaction::Ask);
        assert_eq!(press(&mut app, "db "), Reaction::Nothing);
        let Options { shows_subjects, resolves_names, is_raw, shows_rates, .. } = app.options;
        assert_eq!([shows_subjects, resolves_names, is_raw, shows_rates], [true; 4]);
        press(&mut app, "?");
        assert!(app.shows_help);
        assert_eq!((press(&mut app, "o"), app.shows_help, app.prompt.is_none()), (Reaction::Nothing, false, true));
        assert_eq!(press(&mut app, "q"), Reaction::Quit);
        press(&mut app, "h");
        assert_eq!(press(&mut app, "q"), Reaction::Quit, "from the help too");
        assert_eq!(app.handle_key(Key::Interrupt), Reaction::Quit);
    }

    #[test]
    fn letters_of_an_answer_are_no_commands() {
        let mut app = App::default();
        assert_eq!(press(&mut app, "oqsn"), Reaction::Nothing);
        assert_eq!(app.prompt_line(), "sort by [cid]: qsn");
        press(&mut app, "\x08\x08");
        assert_eq!(app.prompt_line(), "sort by [cid]: q");
        press(&mut app, "\n");
        assert!(app.prompt_line().starts_with("invalid order: q (one of cid "), "{}", app.prompt_line());
        assert_eq!(app.options.sort, "cid");
        press(&mut app, "n");
        assert_eq!(app.prompt_line(), "limit   [1024]: ", "the notice is gone with the next key");
        press(&mut app, "x\n");
        assert!(app.prompt_line().starts_with("invalid limit: x"));
        press(&mut app, "n5\x1b");
        assert_eq!((app.options.limit, app.prompt_line()), (1024, String::new()));
        press(&mut app, &format!("n{}", "9".repeat(500)));
        assert!(app.prompt_line().len() < 80, "bounded");
    }

    #[test]
    fn tab_and_digits_switch_the_view() {
        let mut app = App::default();
        let mut seen = Vec::new();
        for _ in 0..View::ALL.len() {
            assert_eq!(press(&mut app, "\t"), Reaction::Ask);
            seen.push(app.options.view);
        }
        assert_eq!(seen, [View::Cores, View::Subjects, View::Slow, View::Queues, View::Connections]);
        app.handle_key(Key::BackTab);
        assert_eq!(app.options.view, View::Queues);
        assert_eq!((press(&mut app, "2"), app.options.view), (Reaction::Ask, View::Cores));
        assert_eq!(press(&mut app, "2"), Reaction::Nothing, "it is shown already");
        assert_eq!(press(&mut app, "t3\n"), Reaction::Ask);
        assert_eq!(app.options.depth, 3);
        press(&mut app, "t99\n");
        assert_eq!(app.options.depth, 16);
    }

    #[test]
    fn other_views_are_sorted_by_their_columns() {
        let mut app = App { memory: recorded::memory(View::Cores), ..App::default() };
        press(&mut app, "2obusy\n");
        assert_eq!(app.options.sheet_sorts[View::Cores.place()], "busy");
        press(&mut app, "ocolour\n");
        assert!(app.prompt_line().contains("one of core cpu busy"), "{}", app.prompt_line());
    }

    #[test]
    fn scrolling_stays_inside() {
        let mut app =
            App { extent: Extent { rows: 100, rows_shown: 10, chars: 200, chars_shown: 80 }, ..App::default() };
        for (key, scroll) in [
            (Key::Up, 0),
            (Key::Down, 1),
            (Key::PageDown, 11),
            (Key::End, 90),
            (Key::PageDown, 90),
            (Key::PageUp, 80),
            (Key::Home, 0),
        ] {
            app.handle_key(key);
            assert_eq!(app.scroll, scroll, "{key:?}");
        }
        for (key, shift) in [(Key::Left, 0), (Key::Right, 40), (Key::Right, 80), (Key::Right, 120), (Key::Right, 120)] {
            app.handle_key(key);
            assert_eq!(app.shift, shift, "{key:?}");
        }
        app.extent = Extent::default();
        app.stay_inside();
        assert_eq!((app.scroll, app.shift), (0, 0));
    }

    #[test]
    fn a_server_that_goes_is_told_and_what_it_did_is_no_rate_any_more() {
        let mut app = App { memory: recorded::memory(View::Connections), ..App::default() };
        let start = Instant::now();
        assert!(app.memory.server().is_some());
        for second in 0..3 {
            app.handle_look(Err(PageError::Unreachable("refused".into())), start + Duration::from_secs(second));
        }
        let trouble = app.trouble.as_ref().expect("away");
        assert_eq!((trouble.tries, app.away(start + Duration::from_secs(5))), (3, Some(Duration::from_secs(5))));
        assert!(app.memory.server().is_none() && app.memory.last.is_some());
        app.handle_look(Ok(recorded::look(View::Connections, 0)), start);
        assert!(app.trouble.is_none() && app.memory.server().is_none());
        app.handle_look(Ok(recorded::look(View::Connections, 1)), start);
        assert!(app.memory.server().is_some());
    }
}
