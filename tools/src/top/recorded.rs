//! Pages of real servers and of the agreed form, for the tests of this folder.

use std::collections::HashMap;

use serde_json::Value;

use super::look::{Look, Memory, Page};
use super::options::{Options, View};
use crate::monitoring::pages::Varz;

const VARZ: [&str; 2] = [
    include_str!("../../tests/monitoring/pages/varz_1.json"),
    include_str!("../../tests/monitoring/pages/varz_2.json"),
];

fn pages(view: View) -> [&'static str; 2] {
    match view {
        View::Connections => [
            include_str!("../../tests/monitoring/pages/connz_1.json"),
            include_str!("../../tests/monitoring/pages/connz_2.json"),
        ],
        View::Cores => [
            include_str!("../../tests/monitoring/pages/corez_1.json"),
            include_str!("../../tests/monitoring/pages/corez_2.json"),
        ],
        View::Subjects => [include_str!("../../tests/monitoring/pages/subjectz.json"); 2],
        View::Slow => [include_str!("../../tests/monitoring/pages/slowz.json"); 2],
        View::Queues => [include_str!("../../tests/monitoring/pages/queuez.json"); 2],
    }
}

/// `/varz` and the page of the view, as they came.
pub(crate) fn json(view: View, number: usize) -> (Value, Value) {
    let json = |text| serde_json::from_str(text).expect("recorded JSON");
    (json(VARZ[number]), json(pages(view)[number]))
}

/// One of two looks.
pub(crate) fn look(view: View, number: usize) -> Look {
    let (varz, page) = json(view, number);
    Look { varz: Varz::read(&varz), page: Page::read(view, &page), seconds: number as f64 }
}

/// After both looks.
pub(crate) fn memory(view: View) -> Memory {
    let mut memory = Memory::default();
    memory.look(look(view, 0));
    memory.look(look(view, 1));
    memory
}

/// Options with this view, and no names.
pub(crate) fn options(view: View) -> (Options, HashMap<String, String>) {
    (Options { view, ..Options::default() }, HashMap::new())
}
