//! Pages as no server writes them, in terminals of every size: whatever comes, something is drawn.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use serde_json::{Value, json};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Instant;

use super::app::{App, Key};
use super::draw::draw;
use super::look::{Look, Page};
use super::options::{Options, View};
use super::recorded;
use crate::monitoring::pages::Varz;

/// Small and good enough: splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % below as u64).unwrap_or_default()
    }
}

/// Replaces some values by others of any type.
fn spoil(value: &mut Value, random: &mut Random) {
    if random.next(12) == 0 {
        *value = match random.next(10) {
            0 => Value::Null,
            1 => json!(u64::MAX),
            2 => json!(i64::MIN),
            3 => json!(1e308),
            4 => json!(-0.5),
            5 => json!("x\u{1b}[2J\n\u{202e}日本🚀".repeat(random.next(60))),
            6 => json!([]),
            7 => json!({"in_msgs": []}),
            8 => json!("9999-12-31T23:59:59Z"),
            _ => json!(true),
        };
        return;
    }
    match value {
        Value::Array(members) => members.iter_mut().for_each(|member| spoil(member, random)),
        Value::Object(fields) => fields.values_mut().for_each(|field| spoil(field, random)),
        _ => {}
    }
}

#[test]
fn no_page_makes_the_screen_panic() {
    let seed = RandomState::new().build_hasher().finish();
    println!("seed {seed}");
    let mut random = Random(seed);
    let keys =
        [Key::Tab, Key::End, Key::Right, Key::PageDown, Key::Char(' '), Key::Char('b'), Key::Char('s'), Key::Home];
    for _ in 0..150 {
        let mut app = App::new(Options { shows_rates: random.next(2) == 0, ..Options::default() });
        for number in 0..6 {
            let view = View::ALL[random.next(View::ALL.len())];
            app.options.view = view;
            app.options.sort = ["cid", "bytes_to_rate"][random.next(2)].into();
            let (mut varz, mut page) = recorded::json(view, number % 2);
            spoil(&mut varz, &mut random);
            spoil(&mut page, &mut random);
            let look = Look { varz: Varz::read(&varz), page: Page::read(view, &page), seconds: number as f64 };
            app.handle_look(Ok(look), Instant::now());
            app.handle_key(keys[random.next(keys.len())]);
            let (width, height) = (random.next(300) as u16, random.next(60) as u16);
            let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
            terminal.draw(|frame| draw(frame, &mut app, Instant::now())).expect("drawn");
            let shown = terminal.backend().buffer().content.iter().map(|cell| cell.symbol()).collect::<String>();
            assert!(!shown.contains(['\u{1b}', '\n', '\u{202e}']), "seed {seed}: {shown:?}");
        }
    }
}
