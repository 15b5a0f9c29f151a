//! From the state to cells of a terminal, of any size.
//!
//! Draws and measures; decides nothing. Every line is clipped: a terminal may have no room at all.

use std::time::Instant;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;

use super::app::{App, Extent};
use super::options::View;
use super::{heading, help, views};

/// The line of the question stands here, as in nats-top: between the heading and the table.
const PROMPT_ROW: u16 = 6;
const TITLE_ROW: u16 = 7;
/// Smaller terminals have no line of views at the bottom.
const FOOTER_ROWS_MIN: u16 = 12;

/// Draws everything, and notes in `app` how much of the table fits.
pub(crate) fn draw(frame: &mut Frame<'_>, app: &mut App, now: Instant) {
    let area = frame.area();
    if app.shows_help {
        for (row, line) in help::KEYS.lines().enumerate() {
            put(frame, row, line, Style::new());
        }
        return;
    }
    let is_away = app.trouble.is_some();
    let head = heading::lines(&app.memory, &app.options, &state(app, now));
    for (row, line) in head.iter().enumerate() {
        let style = match row {
            0 if is_away => Style::new().add_modifier(Modifier::BOLD | Modifier::REVERSED),
            0 => Style::new().add_modifier(Modifier::BOLD),
            _ => faded(is_away),
        };
        put(frame, row, line, style);
    }
    draw_table(frame, app, is_away);
    let question = app.prompt_line();
    if !question.is_empty() {
        // Where the place of the question is below the edge, it covers the last line that there is.
        let row = PROMPT_ROW.min(area.height.saturating_sub(1));
        put(frame, usize::from(row), &format!("{question:<width$}", width = usize::from(area.width)), Style::new());
        if app.prompt.is_some() && row < area.height {
            let column = Line::raw(question).width().min(usize::from(area.width.saturating_sub(1)));
            frame.set_cursor_position((u16::try_from(column).unwrap_or(u16::MAX), row));
        }
    }
}

fn faded(is_away: bool) -> Style {
    if is_away { Style::new().add_modifier(Modifier::DIM) } else { Style::new() }
}

/// What is said at the end of the first line.
fn state(app: &App, now: Instant) -> String {
    match (&app.trouble, app.away(now)) {
        (Some(trouble), Some(away)) => {
            format!("-- no answer for {}s ({} tries)", away.as_secs(), trouble.tries)
        }
        _ => String::new(),
    }
}

fn draw_table(frame: &mut Frame<'_>, app: &mut App, is_away: bool) {
    let area = frame.area();
    let sheet = views::sheet(&app.memory, &app.options, &app.names);
    put(frame, usize::from(TITLE_ROW), &sheet.title, faded(is_away));
    let footer_rows = u16::from(area.height >= FOOTER_ROWS_MIN);
    let first_row = TITLE_ROW + 2;
    let rows_shown = usize::from(area.height.saturating_sub(first_row + footer_rows));
    let (titles, lines) = sheet.lines();
    let chars = lines.iter().chain([&titles]).map(|line| line.chars().count()).max().unwrap_or_default();
    app.extent = Extent { rows: lines.len(), rows_shown, chars, chars_shown: usize::from(area.width) };
    app.stay_inside();
    let shifted = |line: &str| line.chars().skip(app.shift).collect::<String>();
    if !sheet.columns.is_empty() {
        let line = format!("{:<width$}", shifted(&titles), width = usize::from(area.width));
        put_above(frame, first_row - 1, footer_rows, &line, faded(is_away).add_modifier(Modifier::REVERSED));
    }
    for (row, line) in (first_row..).zip(lines.iter().skip(app.scroll).take(rows_shown)) {
        put_above(frame, row, footer_rows, &shifted(line), faded(is_away));
    }
    for (row, line) in (first_row..).zip(&sheet.note) {
        put_above(frame, row, footer_rows, &format!("  {line}"), faded(is_away));
    }
    if footer_rows > 0 {
        put(frame, usize::from(area.height - 1), &footer(app), Style::new().add_modifier(Modifier::DIM));
    }
}

fn footer(app: &App) -> String {
    let tabs = View::ALL.map(|view| {
        let place = view.place() + 1;
        if view == app.options.view {
            format!("[{place} {}]", view.name())
        } else {
            format!(" {place} {} ", view.name())
        }
    });
    let Extent { rows, rows_shown, .. } = app.extent;
    let place = match rows > rows_shown {
        true => format!("   {}-{} of {rows}", app.scroll + 1, (app.scroll + rows_shown).min(rows)),
        false => String::new(),
    };
    format!("{}   Tab: next  o: sort  n: limit  ?: help  q: quit{place}", tabs.join(""))
}

fn put_above(frame: &mut Frame<'_>, row: u16, rows_below: u16, line: &str, style: Style) {
    if row + rows_below < frame.area().height {
        put(frame, usize::from(row), line, style);
    }
}

/// One line, clipped.
fn put(frame: &mut Frame<'_>, row: usize, line: &str, style: Style) {
    let area = frame.area();
    let Some(y) = u16::try_from(row).ok().filter(|row| *row < area.height) else { return };
    frame.render_widget(Line::styled(line, style), Rect { x: 0, y, width: area.width, height: 1 });
}

#[cfg(test)]
mod tests {
    use super::draw;
    use crate::monitoring::PageError;
    use crate::top::app::{App, Key};
    use crate::top::options::View;
    use crate::top::recorded;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use std::time::Instant;

    fn app(view: View) -> App {
        let (options, _) = recorded::options(view);
        App { options, memory: recorded::memory(view), ..App::default() }
    }

    fn screen(app: &mut App, width: u16, height: u16) -> Vec<String> {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
        terminal.draw(|frame| draw(frame, app, Instant::now())).expect("drawn");
        let buffer = terminal.backend().buffer();
        let cell = |x, y| buffer.cell((x, y)).expect("inside").symbol().to_owned();
        (0..height).map(|y| (0..width).map(|x| cell(x, y)).collect::<String>().trim_end().to_owned()).collect()
    }

    #[test]
    fn the_screen_is_laid_out_as_nats_top() {
        let lines = screen(&mut app(View::Connections), 160, 14);
        assert!(lines[0].starts_with("NATS server version 2.15.1 (uptime: "));
        assert_eq!(lines[1], "Server: n1");
        assert!(lines[5].starts_with("  Out:  Msgs: "));
        assert_eq!((lines[6].as_str(), lines[7].as_str()), ("", "Connections Polled: 2"));
        assert!(lines[8].starts_with("  HOST             CID     NAME           SUBS    PENDING"), "{}", lines[8]);
        assert!(lines[9].contains("orders-worker") && lines[10].contains("shop") && lines[11].is_empty());
        assert!(lines[13].starts_with("[1 connections] 2 cores  3 subjects "), "{}", lines[13]);
    }

    #[test]
    fn the_question_stands_between_heading_and_table() {
        let mut app = app(View::Connections);
        for key in "osub".chars() {
            app.handle_key(Key::Char(key));
        }
        assert_eq!(screen(&mut app, 100, 30)[6], "sort by [cid]: sub");
        assert_eq!(screen(&mut app, 100, 4)[3], "sort by [cid]: sub", "where there is no such line, in the last");
    }

    #[test]
    fn a_server_that_is_away_is_said_and_its_last_figures_stay() {
        let mut app = app(View::Connections);
        app.handle_look(Err(PageError::Unreachable("Connection refused".into())), Instant::now());
        let lines = screen(&mut app, 200, 20);
        assert!(lines[0].contains("-- no answer for 0s (1 tries)"), "{}", lines[0]);
        assert_eq!(lines[6], "asking again: Connection refused");
        assert!(lines[4].contains("Msgs/Sec: -") && lines[9].contains("orders-worker"), "{}", lines[4]);
    }

    #[test]
    fn every_view_fits_into_every_terminal() {
        for view in View::ALL {
            for width in [0, 1, 2, 5, 20, 80, 300] {
                for height in [0, 1, 2, 5, 6, 7, 8, 9, 10, 11, 12, 13, 24, 90] {
                    let mut app = app(view);
                    for key in [Key::End, Key::Right, Key::Char('o'), Key::Char('x'), Key::Enter, Key::Char('?')] {
                        screen(&mut app, width, height);
                        app.handle_key(key);
                    }
                    screen(&mut app, width, height);
                }
            }
        }
    }

    #[test]
    fn help_lists_every_key() {
        let mut app = app(View::Connections);
        app.handle_key(Key::Char('?'));
        let text = screen(&mut app, 100, 40).join("\n");
        for key in ["o<option>", "n<limit>", "s  ", "d  ", "b  ", "space", "t<depth>", "Tab", "q, Ctrl-C"] {
            assert!(text.contains(key), "{key}: {text}");
        }
    }

    #[test]
    fn a_long_table_is_scrolled_and_says_where_it_is() {
        let mut app = app(View::Connections);
        screen(&mut app, 60, 12);
        app.extent.rows = 2;
        let lines = screen(&mut app, 60, 11);
        assert!(lines[9].contains("127.0.0.1"), "{lines:?}");
        app.handle_key(Key::Right);
        let lines = screen(&mut app, 60, 14);
        assert!(!lines[9].contains("127.0.0.1"), "shifted to the right: {lines:?}");
    }

    #[test]
    fn text_of_clients_is_harmless() {
        let mut app = app(View::Connections);
        if let Some(crate::top::look::Page::Connections(page)) = app.memory.last.as_mut().map(|look| &mut look.page) {
            page.connections[0].name = "evil\x1b[2J\u{202e}".into();
        }
        let text = screen(&mut app, 200, 20).join("\n");
        assert!(text.contains("evil") && !text.contains('\x1b') && !text.contains('\u{202e}'));
    }
}
