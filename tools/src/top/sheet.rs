//! A table of text: what a view shows, before anybody draws it.
//!
//! Owns order and widths. The same sheet becomes lines of the terminal, of a file, or fields between delimiters.

use std::cmp::Ordering;

use super::format::{harmless, shortened};

/// Between two columns.
const GAP: &str = "  ";
/// Longer texts are cut in a column of the screen; fields of a file stay whole.
const CELL_CHARS_MAX: usize = 48;

/// One column.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) title: &'static str,
    /// What `o` calls it.
    pub(crate) key: &'static str,
    /// Room that it always has, so that columns do not jump when figures grow.
    pub(crate) width_min: usize,
}

impl Column {
    pub(crate) const fn new(title: &'static str, key: &'static str, width_min: usize) -> Self {
        Self { title, key, width_min }
    }
}

/// One field: its text, and its number where it has one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    text: String,
    rank: Option<f64>,
}

impl Cell {
    /// Text of a stranger.
    pub(crate) fn text(text: &str) -> Self {
        Self { text: harmless(text), rank: None }
    }

    /// A number and how it is written.
    pub(crate) fn figure(rank: f64, text: String) -> Self {
        Self { text, rank: Some(rank) }
    }

    /// A number with all its digits.
    pub(crate) fn whole(number: u64) -> Self {
        Self::figure(number as f64, number.to_string())
    }

    /// A rate, which may not be known: then it ranks last.
    pub(crate) fn rate(rate: Option<f64>, show: impl Fn(f64) -> String) -> Self {
        Self::figure(rate.unwrap_or(-1.0), super::format::or_dash(rate, show))
    }
}

/// A table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sheet {
    /// Above the table.
    pub(crate) title: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Vec<Cell>>,
    /// In the place of rows, where there is something to say instead.
    pub(crate) note: Vec<String>,
}

impl Sheet {
    /// Numbers from the largest, texts from A. The order of the server stays among equals, and where there is no such column.
    pub(crate) fn sort_by(&mut self, key: &str) {
        let Some(place) = self.columns.iter().position(|column| column.key == key) else { return };
        let of = |row: &Vec<Cell>| row.get(place).cloned().unwrap_or_default();
        self.rows.sort_by(|left, right| match (of(left), of(right)) {
            (Cell { rank: Some(left), .. }, Cell { rank: Some(right), .. }) => right.total_cmp(&left),
            (Cell { rank: Some(_), .. }, _) => Ordering::Less,
            (_, Cell { rank: Some(_), .. }) => Ordering::Greater,
            (left, right) => left.text.cmp(&right.text),
        });
    }

    /// The titles of the columns, and each row, as aligned lines.
    pub(crate) fn lines(&self) -> (String, Vec<String>) {
        let widths: Vec<usize> =
            self.columns.iter().enumerate().map(|(place, column)| self.width(place, column)).collect();
        let head = line(self.columns.iter().map(|column| column.title.to_owned()), &widths);
        let last = widths.len().saturating_sub(1);
        let rows = self.rows.iter().map(|row| {
            // The last column may run on: subscriptions are listed there.
            let cut = |(place, cell): (usize, &Cell)| {
                if place == last { cell.text.clone() } else { shortened(&cell.text, CELL_CHARS_MAX) }
            };
            line(row.iter().enumerate().map(cut), &widths)
        });
        (head, rows.collect())
    }

    fn width(&self, place: usize, column: &Column) -> usize {
        let chars = |text: &str| unicode_width(&shortened(text, CELL_CHARS_MAX));
        let widest = self.rows.iter().filter_map(|row| row.get(place)).map(|cell| chars(&cell.text)).max();
        widest.unwrap_or(0).max(column.width_min).max(column.title.len())
    }

    /// Titles and rows between delimiters, quoted where they must be.
    pub(crate) fn fields(&self, delimiter: &str) -> String {
        let titles = self.columns.iter().map(|column| column.title);
        let mut text = record(titles, delimiter);
        for row in &self.rows {
            text.push_str(&record(row.iter().map(|cell| cell.text.as_str()), delimiter));
        }
        text
    }
}

/// One record and its line end.
pub(crate) fn record<'a>(fields: impl Iterator<Item = &'a str>, delimiter: &str) -> String {
    let quoted = |field: &str| {
        if field.contains(delimiter) || field.contains(['"', '\n', '\r']) {
            format!("\"{}\"", field.replace('"', "\"\""))
        } else {
            field.to_owned()
        }
    };
    let mut text = fields.map(quoted).collect::<Vec<_>>().join(delimiter);
    text.push('\n');
    text
}

fn line(cells: impl Iterator<Item = String>, widths: &[usize]) -> String {
    let mut text = String::from(GAP);
    for (cell, width) in cells.zip(widths) {
        text.push_str(&cell);
        text.extend(std::iter::repeat_n(' ', width.saturating_sub(unicode_width(&cell))));
        text.push_str(GAP);
    }
    text.truncate(text.trim_end().len());
    text
}

/// Columns of the terminal that a text takes.
fn unicode_width(text: &str) -> usize {
    ratatui::text::Span::raw(text).width()
}

#[cfg(test)]
mod tests {
    use super::{Cell, Column, Sheet};

    fn sheet() -> Sheet {
        Sheet {
            columns: vec![Column::new("NAME", "name", 6), Column::new("MSGS", "msgs", 0)],
            rows: [("b", 5), ("a", 70), ("日本, \"x\"", 6)]
                .map(|(name, msgs)| vec![Cell::text(name), Cell::whole(msgs)])
                .to_vec(),
            ..Sheet::default()
        }
    }

    fn names(sheet: &Sheet) -> Vec<String> {
        sheet.rows.iter().map(|row| row[0].text.clone()).collect()
    }

    #[test]
    fn columns_are_aligned_by_what_a_terminal_shows() {
        let (head, rows) = sheet().lines();
        assert_eq!(head, "  NAME       MSGS");
        assert_eq!(rows, ["  b          5", "  a          70", "  日本, \"x\"  6"]);
    }

    #[test]
    fn fields_are_quoted_where_they_must_be() {
        assert_eq!(sheet().fields(","), "NAME,MSGS\nb,5\na,70\n\"日本, \"\"x\"\"\",6\n");
        assert_eq!(sheet().fields("; ").lines().nth(1), Some("b; 5"));
    }

    #[test]
    fn numbers_fall_texts_rise_and_equals_stay() {
        let mut sheet = sheet();
        sheet.sort_by("msgs");
        assert_eq!(names(&sheet), ["a", "日本, \"x\"", "b"]);
        sheet.sort_by("name");
        assert_eq!(names(&sheet), ["a", "b", "日本, \"x\""]);
        sheet.sort_by("no such column");
        assert_eq!(names(&sheet), ["a", "b", "日本, \"x\""]);
        sheet.rows[1][1] = Cell::rate(None, |rate| rate.to_string());
        sheet.sort_by("msgs");
        assert_eq!(names(&sheet).last().map(String::as_str), Some("b"), "an unknown rate is last");
    }

    #[test]
    fn a_row_with_too_few_cells_is_no_trouble() {
        let mut sheet = sheet();
        sheet.rows.push(Vec::new());
        sheet.sort_by("msgs");
        assert_eq!(sheet.lines().1.len(), 4);
    }

    #[test]
    fn long_texts_are_cut_on_the_screen_and_whole_in_a_file() {
        let mut sheet = sheet();
        sheet.rows[0][0] = Cell::text(&"n".repeat(500));
        assert!(sheet.lines().1.iter().all(|line| line.chars().count() < 80));
        assert!(sheet.fields(",").contains(&"n".repeat(500)));
    }
}
