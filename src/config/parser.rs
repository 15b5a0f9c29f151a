//! From tokens to a tree of values: keys, variables, includes, sizes.
//!
//! Owns the open blocks and lists while a file is read. Reads files and the environment only through [`Sources`].
//! Invariant: work is bounded by [`Budget`] over a file, everything it includes and every variable it uses; includes and
//! variables that lead back to themselves end in an error.

use super::lexer::{Lexer, Token, TokenKind};
use super::syntax::SyntaxError;
use super::value::{Map, Node, Place, Value};
use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

/// Files inside files, and variables inside variables.
const DEPTH_MAX: usize = 32;
/// Bytes read for one configuration, all its files and variables together.
const BYTES_MAX: usize = 64 << 20;
/// Values of one configuration, counted once for each use of a variable.
const VALUES_MAX: usize = 4 << 20;

/// Files of one configuration, counted once for each time that one is included.
const FILES_MAX: usize = 1 << 16;

/// The key under which the value of an environment variable is read; its length shows in the columns of errors.
const ENVIRONMENT_KEY: &[u8] = b"pk";

/// Where files and environment variables come from.
pub(super) trait Sources {
    /// The bytes of a file, at most `bytes_max`; the text of the failure as the peer words it.
    ///
    /// # Errors
    /// The file cannot be read, or is too large.
    fn read_file(&self, path: &Path, bytes_max: usize) -> Result<Vec<u8>, String>;
    /// The value of an environment variable.
    fn variable(&self, name: &[u8]) -> Option<Vec<u8>>;
}

/// Why a file gives no tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParseError {
    /// It cannot be read.
    Unreadable(String),
    /// It is not in the grammar.
    Syntax(SyntaxError),
    /// It ends in a key that has no value.
    KeyWithoutValue(Place),
    /// A whole number that does not fit.
    IntegerRange(String),
    /// A size suffix that is none.
    SizeSuffix(String),
    /// A date that is none.
    Date(String),
    /// A variable that nobody defined.
    VariableMissing {
        /// Its name.
        name: String,
        /// Where it is used.
        line: usize,
    },
    /// A variable of the environment whose value does not parse.
    VariableInvalid {
        /// Its name.
        name: String,
        /// Where it is used.
        line: usize,
        /// What is wrong with the value.
        cause: Box<ParseError>,
    },
    /// A variable of the environment that needs itself.
    VariableCycle(String),
    /// A file that includes itself, by itself or through others.
    IncludeCycle(String),
    /// Something is wrong in an included file.
    Include {
        /// The file as written.
        file: String,
        /// What is wrong there.
        cause: Box<ParseError>,
    },
    /// A bound was reached; which one.
    TooMuch(&'static str),
}

impl From<SyntaxError> for ParseError {
    fn from(error: SyntaxError) -> Self {
        Self::Syntax(error)
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(text) => f.write_str(text),
            Self::Syntax(error) => error.fmt(f),
            Self::KeyWithoutValue(place) => write!(f, "config is invalid ({place})"),
            Self::IntegerRange(digits) => write!(f, "integer '{digits}' is out of the range"),
            Self::SizeSuffix(number) => write!(f, "'{number}' is not a size"),
            Self::Date(text) => write!(f, "expected Zulu formatted DateTime, but got '{text}'"),
            Self::VariableMissing { name, line } => {
                write!(f, "variable reference for '{name}' on line {line} can not be found")
            }
            Self::VariableInvalid { name, line, cause } => {
                write!(f, "variable reference for '{name}' on line {line} could not be parsed: {cause}")
            }
            Self::VariableCycle(name) => write!(f, "variable reference cycle for '{name}'"),
            Self::IncludeCycle(file) => write!(f, "include cycle for '{file}'"),
            Self::Include { file, cause } => {
                write!(f, "error parsing include file '{file}', {cause}")
            }
            Self::TooMuch(what) => write!(f, "the configuration has too many {what}"),
        }
    }
}

/// What may still be used for one configuration.
#[derive(Debug)]
struct Budget {
    bytes: usize,
    values: usize,
    files: usize,
}

impl Budget {
    fn take_values(&mut self, count: usize) -> Result<(), ParseError> {
        self.values = self.values.checked_sub(count).ok_or(ParseError::TooMuch("values"))?;
        Ok(())
    }
}

/// Reads the file at `path` and all that it includes.
///
/// # Errors
/// The first thing that is wrong.
pub(super) fn parse_file(path: &Path, sources: &dyn Sources) -> Result<Map, ParseError> {
    let mut budget = Budget { bytes: BYTES_MAX, values: VALUES_MAX, files: FILES_MAX };
    read_and_parse(path, sources, &mut budget, &mut Vec::new())
}

/// `around`: the files that this one is included by.
fn read_and_parse(
    path: &Path,
    sources: &dyn Sources,
    budget: &mut Budget,
    around: &mut Vec<Arc<Path>>,
) -> Result<Map, ParseError> {
    budget.files = budget.files.checked_sub(1).ok_or(ParseError::TooMuch("files"))?;
    let input = sources.read_file(path, budget.bytes).map_err(ParseError::Unreadable)?;
    budget.bytes = budget.bytes.checked_sub(input.len()).ok_or(ParseError::TooMuch("bytes"))?;
    let file: Arc<Path> = path.into();
    let depth = around.len();
    around.push(Arc::clone(&file));
    let map = Parser { file, sources, budget, depth, around, pending: &mut Vec::new() }.run(&input);
    around.pop();
    map
}

/// One file, or one variable of the environment.
struct Parser<'a> {
    file: Arc<Path>,
    sources: &'a dyn Sources,
    budget: &'a mut Budget,
    /// How many files and variables it is in.
    depth: usize,
    /// The files that are being read, each included by the one before.
    around: &'a mut Vec<Arc<Path>>,
    /// Variables of the environment that are being read.
    pending: &'a mut Vec<Vec<u8>>,
}

/// A block or a list whose end has not been seen.
enum Open {
    Map(Map),
    List(Vec<Node>),
}

/// What is open.
struct Tree {
    open: Vec<Open>,
    root: Map,
    keys: Vec<(Vec<u8>, Place)>,
}

impl Parser<'_> {
    fn run(mut self, input: &[u8]) -> Result<Map, ParseError> {
        let mut lexer = Lexer::new(input);
        let mut tree = Tree { open: Vec::new(), root: Map::default(), keys: Vec::new() };
        let mut key_is_last = false;
        loop {
            let token = lexer.next_token()?;
            let place = Place { file: Arc::clone(&self.file), line: token.line, column: token.column };
            if token.kind == TokenKind::End {
                // A brace alone is read as a key; at the very end it is let pass, as files in JSON may have one.
                return if key_is_last { Err(ParseError::KeyWithoutValue(place)) } else { Ok(tree.root) };
            }
            key_is_last = matches!(&token.kind, TokenKind::Key(key) if key != b"}");
            self.budget.take_values(1)?;
            self.take(token, place, &mut tree)?;
        }
    }

    fn take(&mut self, token: Token, place: Place, tree: &mut Tree) -> Result<(), ParseError> {
        let value = match token.kind {
            TokenKind::Key(key) => {
                tree.keys.push((key, place));
                return Ok(());
            }
            TokenKind::ListStart => {
                tree.open.push(Open::List(Vec::new()));
                return Ok(());
            }
            TokenKind::MapStart => {
                tree.open.push(Open::Map(Map::default()));
                return Ok(());
            }
            TokenKind::ListEnd | TokenKind::MapEnd => match tree.open.pop() {
                // In a list, a block or a list has the place behind its end.
                Some(Open::Map(map)) => return tree.set(Value::Map(Rc::new(map)), behind(place)),
                Some(Open::List(items)) => return tree.set(Value::List(Rc::new(items)), behind(place)),
                None => return Ok(()),
            },
            TokenKind::Include(file) => return self.include(&file, tree),
            TokenKind::Variable(name) => self.variable(&name, token.line, tree)?,
            TokenKind::Text(text) => Value::Text(text.into()),
            TokenKind::Bool(value) => Value::Bool(value),
            TokenKind::Number(text) => Value::Int(sized_integer(&text)?),
            TokenKind::Float(text) => Value::Float(String::from_utf8_lossy(&text).parse().unwrap_or(f64::INFINITY)),
            TokenKind::Date(text) if is_date(&text) => Value::Date(text.into()),
            TokenKind::Date(text) => {
                return Err(ParseError::Date(String::from_utf8_lossy(&text).into_owned()));
            }
            TokenKind::End => return Ok(()),
        };
        tree.set(value, place)
    }

    /// The value of `$name`: of a key already read in this block or one around it, or of the environment.
    fn variable(&mut self, name: &[u8], line: usize, tree: &mut Tree) -> Result<Value, ParseError> {
        if let Some(value) = tree.find_variable(name) {
            self.budget.take_values(weight(&value, self.budget.values)?)?;
            return Ok(value);
        }
        let shown_name = || String::from_utf8_lossy(name).into_owned();
        let Some(text) = self.sources.variable(name) else {
            return Err(ParseError::VariableMissing { name: shown_name(), line });
        };
        match self.environment_value(name, &text) {
            Ok(Some(value)) => Ok(value),
            Ok(None) => Err(ParseError::VariableMissing { name: shown_name(), line }),
            Err(cause) => Err(ParseError::VariableInvalid { name: shown_name(), line, cause: Box::new(cause) }),
        }
    }

    /// The text of an environment variable is read like a value in a file.
    fn environment_value(&mut self, name: &[u8], text: &[u8]) -> Result<Option<Value>, ParseError> {
        if self.pending.iter().any(|pending| pending == name) {
            return Err(ParseError::VariableCycle(String::from_utf8_lossy(name).into_owned()));
        }
        if self.depth >= DEPTH_MAX {
            return Err(ParseError::TooMuch("variables inside variables"));
        }
        self.budget.bytes = self.budget.bytes.checked_sub(text.len()).ok_or(ParseError::TooMuch("bytes"))?;
        self.pending.push(name.to_vec());
        let input = [ENVIRONMENT_KEY, b"=", text].concat();
        let inner = Parser {
            file: Path::new("").into(),
            sources: self.sources,
            budget: self.budget,
            depth: self.depth + 1,
            around: self.around,
            pending: self.pending,
        };
        let map = inner.run(&input);
        self.pending.pop();
        Ok(map?.find(ENVIRONMENT_KEY).map(|node| node.value.clone()))
    }

    /// The keys of another file, as if they stood here; its variables are its own.
    fn include(&mut self, file: &[u8], tree: &mut Tree) -> Result<(), ParseError> {
        let name = String::from_utf8_lossy(file).into_owned();
        let path = beside(&self.file, &name);
        let included = if self.depth >= DEPTH_MAX {
            Err(ParseError::TooMuch("files inside files"))
        } else if self
            .around
            .iter()
            .any(|file| beside(file, "x") == beside(&path, "x") && file.file_name() == path.file_name())
        {
            Err(ParseError::IncludeCycle(name.clone()))
        } else {
            read_and_parse(&path, self.sources, self.budget, self.around)
        };
        let included = included.map_err(|cause| ParseError::Include { file: name, cause: Box::new(cause) })?;
        for (key, node) in included.iter() {
            if let Some(map) = tree.innermost_map() {
                map.insert(key, node.clone());
            }
        }
        Ok(())
    }
}

impl Tree {
    fn innermost_map(&mut self) -> Option<&mut Map> {
        match self.open.last_mut() {
            None => Some(&mut self.root),
            Some(Open::Map(map)) => Some(map),
            Some(Open::List(_)) => None,
        }
    }

    /// A finished value: of the last key, or the next element of a list.
    fn set(&mut self, value: Value, place: Place) -> Result<(), ParseError> {
        if let Some(Open::List(items)) = self.open.last_mut() {
            items.push(Node { value, place, is_variable: false });
            return Ok(());
        }
        // A key always came before; where a block closed without a value (`{a:}`), it is an outer one's.
        let Some((key, place)) = self.keys.pop() else {
            return Err(ParseError::KeyWithoutValue(place));
        };
        if let Some(map) = self.innermost_map() {
            map.insert(&key, Node { value, place, is_variable: false });
        }
        Ok(())
    }

    fn find_variable(&mut self, name: &[u8]) -> Option<Value> {
        for open in self.open.iter_mut().rev() {
            if let Open::Map(map) = open
                && let Some(value) = map.take_as_variable(name)
            {
                return Some(value);
            }
        }
        self.root.take_as_variable(name)
    }
}

fn behind(place: Place) -> Place {
    Place { column: place.column + 1, ..place }
}

/// How many values a value holds, itself included; an error beyond `limit`.
fn weight(value: &Value, limit: usize) -> Result<usize, ParseError> {
    let mut stack = vec![value.clone()];
    let mut count = 0;
    while let Some(value) = stack.pop() {
        count += 1;
        if count > limit {
            return Err(ParseError::TooMuch("values"));
        }
        match &value {
            Value::List(items) => stack.extend(items.iter().map(|node| node.value.clone())),
            Value::Map(map) => stack.extend(map.iter().map(|(_, node)| node.value.clone())),
            _ => {}
        }
    }
    Ok(count)
}

/// Digits and their suffix: `k` is 1000, `kb`, `ki` and `kib` are 1024.
fn sized_integer(text: &[u8]) -> Result<i64, ParseError> {
    let text = String::from_utf8_lossy(text).into_owned();
    let end = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (digits, suffix) = text.split_at(end);
    let suffix = suffix.to_ascii_lowercase();
    let power = |base: i64, letter: &str| {
        let at = "kmgtpe".find(letter)?;
        base.checked_pow(u32::try_from(at + 1).ok()?)
    };
    let unit = match suffix.split_at(suffix.len().min(1)) {
        ("", _) => Some(1),
        (letter, "") => power(1000, letter),
        (letter, "b" | "i" | "ib") => power(1024, letter),
        _ => return Err(ParseError::SizeSuffix(text)),
    };
    let number = digits.parse::<i64>().ok();
    let value = number.and_then(|number| number.checked_mul(unit?));
    value.ok_or(ParseError::IntegerRange(text))
}

/// Whether text in the form of a date is one.
fn is_date(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let field =
        |from: usize, to: usize| text.get(from..to).and_then(|part| part.parse::<u32>().ok()).unwrap_or(u32::MAX);
    let (year, month, day) = (field(0, 4), field(5, 7), field(8, 10));
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day) && field(11, 13) < 24 && field(14, 16) < 60 && field(17, 19) < 60
}

/// `name` in the folder of `file`, even where it begins with a slash; `.` and `..` resolved by name.
pub(super) fn beside(file: &Path, name: &str) -> PathBuf {
    let mut path = PathBuf::new();
    let folder = file.parent().unwrap_or_else(|| Path::new(""));
    for component in
        folder.components().chain(Path::new(name).components().filter(|part| !matches!(part, Component::RootDir)))
    {
        match component {
            Component::CurDir => {}
            Component::ParentDir => match path.components().next_back() {
                Some(Component::Normal(_)) => {
                    path.pop();
                }
                Some(Component::RootDir) => {}
                _ => path.push(component),
            },
            _ => path.push(component),
        }
    }
    if path.as_os_str().is_empty() { PathBuf::from(".") } else { path }
}
