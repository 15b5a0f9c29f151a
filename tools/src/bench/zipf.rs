//! Numbers of which few are drawn often and many rarely: subjects as they are in the field.
//!
//! Rejection-inversion after Hörmann and Derflinger (1996): no table, a handful of operations for any count of subjects.

use super::traffic::Random;

/// Draws 0 to `count - 1`; number k is drawn in proportion to 1 / (k + 1)^exponent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Zipf {
    count: f64,
    exponent: f64,
    low: f64,
    high: f64,
    accept: f64,
}

impl Zipf {
    /// `exponent` is above 0; 1 is what word frequencies and web pages are near.
    pub(crate) fn new(count: u32, exponent: f64) -> Self {
        let count = f64::from(count.max(1));
        let mut zipf = Self { count, exponent, low: 0.0, high: 0.0, accept: 0.0 };
        zipf.low = zipf.area(1.5) - 1.0;
        zipf.high = zipf.area(count + 0.5);
        zipf.accept = 2.0 - zipf.inverse(zipf.area(2.5) - zipf.height(2.0));
        zipf
    }

    pub(crate) fn draw(&self, random: &mut Random) -> u64 {
        loop {
            // 53 random bits are all that fits between 0 and 1.
            let share = (random.next() >> 11) as f64 / (1_u64 << 53) as f64;
            let under = self.high + share * (self.low - self.high);
            let place = self.inverse(under);
            let number = place.round().clamp(1.0, self.count);
            if number - place <= self.accept || under >= self.area(number + 0.5) - self.height(number) {
                return number as u64 - 1;
            }
        }
    }

    fn height(&self, x: f64) -> f64 {
        (-self.exponent * x.ln()).exp()
    }

    /// The integral of `height` from 1 to x.
    fn area(&self, x: f64) -> f64 {
        let log = x.ln();
        let t = (1.0 - self.exponent) * log;
        let factor = if t.abs() > 1e-8 { t.exp_m1() / t } else { 1.0 + t / 2.0 };
        factor * log
    }

    fn inverse(&self, area: f64) -> f64 {
        // Rounding may carry it a little below where the logarithm ends.
        let t = (area * (1.0 - self.exponent)).max(-1.0 + 1e-12);
        let factor = if t.abs() > 1e-8 { t.ln_1p() / t } else { 1.0 - t / 2.0 };
        (factor * area).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::Zipf;
    use crate::bench::traffic::Random;

    #[test]
    fn numbers_are_drawn_in_proportion() {
        const DRAWS: usize = 200_000;
        const SEED: u64 = 42;
        println!("seed {SEED}");
        for exponent in [0.5, 1.0, 1.5, 3.0] {
            let (zipf, mut random, mut counts) = (Zipf::new(20, exponent), Random(SEED), [0_usize; 20]);
            (0..DRAWS).for_each(|_| counts[zipf.draw(&mut random) as usize] += 1);
            let weight = |k: usize| (k as f64 + 1.0).powf(-exponent);
            let sum: f64 = (0..20).map(weight).sum();
            let chi: f64 = (0..20)
                .map(|k| (weight(k) / sum * DRAWS as f64, counts[k] as f64))
                .map(|(expected, found)| (found - expected).powi(2) / expected)
                .sum();
            // 19 degrees of freedom: beyond 50 once in ten thousand; the seed is fixed.
            assert!(chi < 50.0, "{exponent}: {chi} {counts:?}");
        }
    }

    #[test]
    fn every_count_has_its_ends() {
        let mut random = Random(1);
        assert!((0..1000).all(|_| Zipf::new(1, 1.0).draw(&mut random) == 0));
        let zipf = Zipf::new(u32::MAX, 0.1);
        assert!((0..10_000).all(|_| zipf.draw(&mut random) < u64::from(u32::MAX)));
    }
}
