//! How busy each CPU of this host was, whoever kept it busy.

use std::fs;

/// The counters of the kernel at one moment: busy and all ticks of each CPU.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CpuTicks(Vec<(u64, u64)>);

impl CpuTicks {
    /// Reads `/proc/stat`; nothing where there is none.
    pub(crate) fn read() -> Self {
        Self::parse(&fs::read_to_string("/proc/stat").unwrap_or_default())
    }

    fn parse(text: &str) -> Self {
        let row = |line: &str| {
            let rest = line.strip_prefix("cpu").filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))?;
            let ticks: Vec<u64> = rest.split_whitespace().skip(1).filter_map(|ticks| ticks.parse().ok()).collect();
            // user nice system idle iowait irq softirq steal; guests are part of user.
            let all: u64 = ticks.iter().take(8).sum();
            let idle: u64 = ticks.iter().skip(3).take(2).sum();
            Some((all - idle, all))
        };
        Self(text.lines().filter_map(row).collect())
    }

    /// The busy share of each CPU since `before`.
    pub(crate) fn since(&self, before: &Self) -> Vec<f64> {
        let share = |(now, then): (&(u64, u64), &(u64, u64))| {
            let all = now.1.saturating_sub(then.1);
            if all == 0 { 0.0 } else { now.0.saturating_sub(then.0) as f64 / all as f64 }
        };
        self.0.iter().zip(&before.0).map(share).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::CpuTicks;

    #[test]
    fn shares_are_per_cpu() {
        let before = CpuTicks::parse("cpu  9 9 9 9\ncpu0 10 0 10 80 0 0 0 0 0 0\ncpu1 0 0 0 100 0 0 0 0 0 0\nintr 5\n");
        let after = CpuTicks::parse("cpu  9 9 9 9\ncpu0 40 0 30 110 20 0 0 0 0 0\ncpu1 0 0 0 200 0 0 0 0 0 0\n");
        assert_eq!(after.since(&before), [0.5, 0.0]);
        assert!(!CpuTicks::read().0.is_empty());
    }
}
