//! Whether a queue group shares its messages evenly: a chi-square test, and a verdict that may end a run with exit code 3.
//!
//! A check that cries wolf is turned off, so the bar is high: a fair random choice passes for unfair in fewer than one of
//! 100,000 runs, which a test below holds. With millions of messages the smallest skew is significant, so its size counts too;
//! with few messages per member the test says nothing, so there is no verdict.

use serde::{Deserialize, Serialize};

/// A fair choice is this uneven so rarely.
const UNLIKELY: f64 = 1e-6;
/// And a smaller skew than this is nobody's concern.
const SKEW_MIN: f64 = 0.1;
/// Messages a member that the distribution needs to be what the test takes it for.
const MEAN_MIN: f64 = 20.0;

/// How even some counts are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fairness {
    pub(crate) members: usize,
    /// All members sit on one server, which has no reason to prefer some.
    pub(crate) is_judged: bool,
    pub(crate) least: u64,
    pub(crate) most: u64,
    pub(crate) chi_square: f64,
    /// How likely a fair random choice is at least this uneven.
    pub(crate) probability: f64,
    /// The largest distance from the mean, as a share of the mean.
    pub(crate) skew: f64,
}

impl Fairness {
    /// `None` for fewer than two members or no messages.
    pub(crate) fn of(counts: &[u64]) -> Option<Self> {
        let total: u64 = counts.iter().sum();
        if counts.len() < 2 || total == 0 {
            return None;
        }
        let mean = total as f64 / counts.len() as f64;
        let distance = |count: &u64| (*count as f64 - mean).abs();
        let chi_square = counts.iter().map(|count| distance(count).powi(2) / mean).sum();
        Some(Self {
            members: counts.len(),
            is_judged: mean >= MEAN_MIN,
            least: counts.iter().copied().min().unwrap_or(0),
            most: counts.iter().copied().max().unwrap_or(0),
            chi_square,
            probability: upper_tail(chi_square, (counts.len() - 1) as f64),
            skew: counts.iter().map(distance).fold(0.0, f64::max) / mean,
        })
    }

    /// Skewed more than chance explains, and by more than a tenth.
    pub(crate) fn is_unfair(&self) -> bool {
        self.is_judged && self.probability < UNLIKELY && self.skew > SKEW_MIN
    }
}

/// P(chi-square with so many degrees of freedom >= x), after Wilson and Hilferty.
fn upper_tail(x: f64, freedom: f64) -> f64 {
    let spread = 2.0 / (9.0 * freedom);
    let z = ((x / freedom).cbrt() - (1.0 - spread)) / spread.sqrt();
    normal_upper_tail(z)
}

/// P(Z >= z), after Abramowitz and Stegun 26.2.17.
pub(crate) fn normal_upper_tail(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * z.abs());
    let poly =
        t * (0.319_381_530 + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    let tail = (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt() * poly;
    if z >= 0.0 { tail } else { 1.0 - tail }
}

#[cfg(test)]
mod tests {
    use super::{Fairness, upper_tail};
    use crate::bench::traffic::Random;

    #[test]
    fn known_quantiles_of_the_distribution() {
        for (x, freedom, probability) in
            [(14.07, 7.0, 0.05), (24.32, 7.0, 0.001), (3.84, 1.0, 0.05), (124.3, 100.0, 0.05)]
        {
            let found = upper_tail(x, freedom);
            assert!((found - probability).abs() < 0.004, "{x} {freedom}: {found}");
        }
    }

    #[test]
    fn even_counts_are_fair_and_a_favourite_is_not() {
        assert!(!Fairness::of(&[1000, 1010, 990, 1000]).expect("members").is_unfair());
        assert!(Fairness::of(&[4000, 1000, 1000, 1000]).expect("members").is_unfair());
        // Significant, and too small to care.
        let slight = Fairness::of(&[1_030_000, 1_000_000]).expect("members");
        assert!(slight.probability < 0.001 && !slight.is_unfair());
        assert_eq!(Fairness::of(&[5]), None);
        assert_eq!(Fairness::of(&[0, 0]), None);
        assert!(!Fairness::of(&[30, 0]).expect("members").is_unfair(), "too few to tell");
        assert!(Fairness::of(&[200, 0]).expect("members").is_unfair());
    }

    #[test]
    fn a_fair_choice_is_not_called_unfair() {
        const GROUPS: u32 = 40_000;
        const SEED: u64 = 20_261;
        println!("seed {SEED}");
        let mut random = Random(SEED);
        let (mut unfair, mut rare) = (0, 0);
        for group in 0..GROUPS {
            // The smallest means are the worst case: there the distribution is furthest from what the test takes it for.
            let members = [2, 3, 8, 16][group as usize % 4];
            let mut counts = vec![0; members];
            for _ in 0..members * [20, 50][group as usize / 4 % 2] {
                counts[random.below(members as u64) as usize] += 1;
            }
            let fairness = Fairness::of(&counts).expect("members");
            assert!(fairness.is_judged);
            unfair += u32::from(fairness.is_unfair());
            rare += u32::from(fairness.probability < 0.01);
        }
        assert_eq!(unfair, 0);
        let share = f64::from(rare) / f64::from(GROUPS);
        assert!((0.007..0.013).contains(&share), "the probability is what it says: {share}");
    }

    #[test]
    fn a_member_that_gets_half_as_much_again_is_found() {
        let mut random = Random(7);
        let mut counts = vec![0; 8];
        // Nine places, of which the first member has two.
        (0..10_000).for_each(|_| counts[random.below(9) as usize % 8] += 1);
        assert!(Fairness::of(&counts).expect("members").is_unfair(), "{counts:?}");
    }
}
