//! Drawings as SVG text: curves over two axes, and ratios with their intervals.
//!
//! Pure. Colours are the page's variables, so that they follow light and dark.

use std::fmt::Write as _;

use super::page::escape;

const WIDTH: f64 = 880.0;
const HEIGHT: f64 = 340.0;
const LEFT: f64 = 96.0;
const RIGHT: f64 = 46.0;
const TOP: f64 = 18.0;
const BOTTOM: f64 = 38.0;
const COLOURS: usize = 6;
const ROW: f64 = 28.0;
const LABELS: f64 = 270.0;
/// Longer labels are cut; whoever points at one sees it whole.
const LABEL_CHARS_MAX: usize = 38;

/// One line of a chart.
#[derive(Clone, Debug)]
pub(crate) struct Curve {
    pub(crate) name: String,
    /// Drawn with gaps: another view of the curve before it, or a bound.
    pub(crate) is_dashed: bool,
    pub(crate) points: Vec<(f64, f64)>,
}

/// How an axis is divided.
#[derive(Clone, Debug)]
pub(crate) enum Scale {
    /// From 0, with this way to show a value.
    Linear(fn(f64) -> String),
    /// By powers of ten.
    Log(fn(f64) -> String),
    /// At given places.
    Ticks(Vec<(f64, String)>),
}

impl Scale {
    /// The ends and the ticks, in the axis' own measure, for values up to `most`.
    fn axis(&self, least: f64, most: f64) -> (f64, f64, Vec<(f64, String)>) {
        match self {
            Self::Linear(show) => {
                let step = step(most.max(1e-9) / 5.0);
                let count = (most.max(1e-9) / step).ceil().max(1.0);
                let ticks = (0..=count as u32).map(|n| (f64::from(n) * step, show(f64::from(n) * step))).collect();
                (0.0, count * step, ticks)
            }
            Self::Log(show) => {
                let (low, high) = (least.max(1e-9).log10().floor(), most.max(1e-9).log10().ceil());
                let high = high.max(low + 1.0);
                let ticks =
                    (low as i32..=high as i32).map(|power| (f64::from(power), show(10_f64.powi(power)))).collect();
                (low, high, ticks)
            }
            Self::Ticks(ticks) => {
                let high = most.ceil().max(1.0);
                (0.0, high, ticks.iter().filter(|(at, _)| *at <= high).cloned().collect())
            }
        }
    }

    fn place(&self, value: f64) -> f64 {
        if matches!(self, Self::Log(_)) { value.max(1e-9).log10() } else { value }
    }
}

/// 1, 2 or 5 times a power of ten, at least `wanted`.
fn step(wanted: f64) -> f64 {
    let power = 10_f64.powf(wanted.log10().floor());
    [1.0, 2.0, 5.0, 10.0].iter().map(|factor| factor * power).find(|step| *step >= wanted).unwrap_or(power * 10.0)
}

/// Curves over two axes; empty where there is nothing to draw.
pub(crate) fn chart(title: &str, curves: &[Curve], x: &Scale, y: &Scale) -> String {
    let all = || curves.iter().flat_map(|curve| &curve.points);
    if all().next().is_none() {
        return String::new();
    }
    let (most_x, most_y) = all().fold((0.0_f64, 0.0_f64), |most, point| (most.0.max(point.0), most.1.max(point.1)));
    let least = |pick: fn(&(f64, f64)) -> f64| all().map(pick).fold(f64::INFINITY, f64::min);
    let (least_x, least_y) = (least(|point| point.0), least(|point| point.1));
    let (from_x, to_x, x_ticks) = x.axis(least_x, most_x);
    let (from_y, to_y, y_ticks) = y.axis(least_y, most_y);
    let at_x = |value: f64| LEFT + (value - from_x) / (to_x - from_x) * (WIDTH - LEFT - RIGHT);
    let at_y = |value: f64| HEIGHT - BOTTOM - (value - from_y) / (to_y - from_y) * (HEIGHT - TOP - BOTTOM);
    let mut text =
        format!("<figure><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">", escape(title));
    for (value, label) in &y_ticks {
        let y = at_y(*value);
        let _never_fails = write!(
            text,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            WIDTH - RIGHT,
            LEFT - 8.0,
            y + 4.0,
            escape(label)
        );
    }
    for (value, label) in &x_ticks {
        let x = at_x(*value);
        let _never_fails = write!(
            text,
            "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{:.1}\"/><text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            HEIGHT - BOTTOM,
            HEIGHT - BOTTOM + 24.0,
            escape(label)
        );
    }
    for (number, curve) in curves.iter().enumerate() {
        let mut points = String::new();
        for (value_x, value_y) in &curve.points {
            let _never_fails = write!(points, "{:.1},{:.1} ", at_x(x.place(*value_x)), at_y(y.place(*value_y)));
        }
        let colour = number % COLOURS;
        let class = if curve.is_dashed { "curve dashed" } else { "curve" };
        let _never_fails =
            write!(text, "<polyline class=\"{class}\" stroke=\"var(--c{colour})\" points=\"{points}\"/>");
    }
    text.push_str("</svg>\n<figcaption class=\"legend\">");
    for (number, curve) in curves.iter().enumerate() {
        let (colour, name) = (number % COLOURS, escape(&curve.name));
        let _never_fails = write!(text, "<span><i style=\"background:var(--c{colour})\"></i>{name}</span>");
    }
    text + "</figcaption></figure>\n"
}

/// Ratios with intervals on a log scale around 1: name, low, ratio, high.
pub(crate) fn intervals(title: &str, bars: &[(String, f64, f64, f64)]) -> String {
    if bars.is_empty() {
        return String::new();
    }
    let powers = || bars.iter().flat_map(|bar| [bar.1, bar.3]).map(|ratio| ratio.clamp(1e-3, 1e3).log2());
    let (low, high) = (powers().fold(-1.0, f64::min).floor(), powers().fold(1.0, f64::max).ceil());
    let at = |ratio: f64| LABELS + (ratio.clamp(1e-3, 1e3).log2() - low) / (high - low) * (WIDTH - LABELS - RIGHT);
    let height = TOP + ROW * bars.len() as f64 + BOTTOM;
    let mut text = format!(
        "<figure class=\"bars\"><svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\">",
        escape(title)
    );
    let foot = height - BOTTOM;
    for power in (low as i32)..=(high as i32) {
        let ratio = if power < 0 { format!("1/{}", 1_u32 << -power) } else { (1_u32 << power).to_string() };
        let (x, class) = (at(2_f64.powi(power)), if power == 0 { "one" } else { "grid" });
        let _never_fails = write!(
            text,
            "<line class=\"{class}\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{foot:.1}\"/><text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{ratio}</text>",
            foot + 20.0
        );
    }
    for (number, (name, low, ratio, high)) in bars.iter().enumerate() {
        let y = TOP + ROW * (number as f64 + 0.5);
        let _never_fails = write!(
            text,
            "<text x=\"8\" y=\"{:.1}\">{}<title>{}</title></text><line stroke=\"var(--c0)\" stroke-width=\"4\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/><circle fill=\"var(--c1)\" cx=\"{:.1}\" cy=\"{y:.1}\" r=\"5\"/>",
            y + 4.0,
            escape(&cut(name)),
            escape(name),
            at(*low),
            at(*high),
            at(*ratio)
        );
    }
    let title = escape(title);
    text + &format!(
        "</svg>\n<figcaption class=\"legend\"><span>{title}; the line is its 95 % interval</span></figcaption></figure>\n"
    )
}

fn cut(label: &str) -> String {
    if label.chars().count() <= LABEL_CHARS_MAX {
        return label.to_owned();
    }
    label.chars().take(LABEL_CHARS_MAX - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::{Curve, Scale, chart, intervals, step};
    use crate::bench::values::show_rate;

    #[test]
    fn steps_are_round() {
        assert_eq!([step(0.9), step(1.1), step(3.0), step(70.0)], [1.0, 2.0, 5.0, 100.0]);
    }

    #[test]
    fn nothing_to_draw_is_nothing() {
        let scale = || Scale::Linear(show_rate);
        assert_eq!(chart("t", &[], &scale(), &scale()), "");
        assert_eq!(intervals("t", &[]), "");
    }

    #[test]
    fn long_labels_are_cut_and_kept() {
        let name = "cost of dunlin --cores 2 --spin_us 50 --no_pin --accept reuseport";
        let text = intervals("t", &[(name.into(), 0.1, 0.2, 0.3)]);
        assert!(text.contains(">cost of dunlin --cores 2 --spin_us 50…<") && text.contains(name), "{text}");
    }

    #[test]
    fn curves_stay_inside() {
        for y in [Scale::Linear(show_rate), Scale::Log(show_rate)] {
            for points in [vec![(0.0, 0.0)], vec![(0.0, 1e9), (5.0, 1.0)], vec![(1.0, 1.0), (1.0, 1.0)]] {
                let text =
                    chart("t", &[Curve { name: "<".into(), is_dashed: true, points }], &Scale::Linear(show_rate), &y);
                let drawn = text.split("points=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("points");
                for pair in drawn.split_whitespace() {
                    let (x, y) = pair.split_once(',').expect("a pair");
                    let (x, y): (f64, f64) = (x.parse().expect("x"), y.parse().expect("y"));
                    assert!((0.0..=880.0).contains(&x) && (0.0..=340.0).contains(&y), "{pair}");
                }
            }
        }
        assert!(intervals("t", &[("a".into(), 0.1, 0.2, 9.0)]).contains("<circle"));
    }
}
