//! Network cards: which CPUs take their interrupts, compared with those of the cores.
//!
//! An interrupt takes its CPU away from the core that is pinned there, for as long as packets come. That is good where every core has its
//! share, and where cores and interrupts are apart; it is bad where one of several cores has all of them.

use dunlin::os::affinity::{parse_list, ranges};

use super::cpus::cores_flag;
use super::finding::{Finding, Theme, Verdict};
use super::look::{Known, Root};
use super::server::Server;
use super::thresholds::IDLE_IRQ_PART;

/// Commands that are shown; a card can have a hundred interrupts.
const COMMANDS_MAX: usize = 4;

/// A card with hardware of its own.
#[derive(Debug)]
struct Card {
    name: String,
    /// Those that carry its traffic.
    irqs: Vec<Irq>,
    queues: usize,
    /// The kernel spreads what a queue brings over CPUs.
    is_spread: bool,
    node: Option<u64>,
}

#[derive(Debug)]
struct Irq {
    number: u64,
    cpus: Vec<usize>,
    count: u64,
}

/// A line of `/proc/interrupts`.
struct Line<'a> {
    number: u64,
    count: u64,
    name: &'a str,
}

/// What the host says of its cards.
#[derive(Debug)]
pub(crate) struct Cards {
    cards: Known<Vec<Card>>,
    /// CPUs that may take interrupts.
    online: Vec<usize>,
    /// Nodes of CPUs, for the card's own.
    nodes: Vec<(u64, Vec<usize>)>,
}

impl Cards {
    pub(crate) fn read(root: &Root) -> Self {
        let online = parse_list(&root.text("sys/devices/system/cpu/online").unwrap_or_default());
        let cards = read_cards(root);
        let numbers = cards.iter().flatten().filter_map(|card| card.node);
        let cpus = |node: u64| {
            (node, parse_list(&root.text(&format!("sys/devices/system/node/node{node}/cpulist")).unwrap_or_default()))
        };
        let nodes = numbers.map(cpus).collect();
        Self { cards, online, nodes }
    }

    pub(crate) fn check(&self, server: &Server) -> Vec<Finding> {
        vec![self.interrupts(server), self.queues(server), self.node(server), self.spinning(server)]
    }

    /// The cards, or the finding that says why there are none.
    fn seen(&self, name: &'static str, why: &str) -> Result<&[Card], Finding> {
        let unknown = |value: &str| Finding::new(Theme::Cards, name, Verdict::Unknown, value, why);
        match &self.cards {
            Err(reason) => Err(unknown(&reason.to_string())),
            Ok(cards) if cards.is_empty() => {
                Err(unknown("no card with hardware is visible (a container?): its interrupts are the host's"))
            }
            Ok(cards) => Ok(cards),
        }
    }

    fn interrupts(&self, server: &Server) -> Finding {
        let why = "The core on a CPU that takes all interrupts of a card gets less done than the others, and its clients wait longer.";
        let finding = |verdict, value: &str| Finding::new(Theme::Cards, "nic_irqs", verdict, value, why);
        let cards = match self.seen("nic_irqs", why) {
            Ok(cards) => cards,
            Err(finding) => return finding,
        };
        let irqs: Vec<&Irq> = cards.iter().flat_map(|card| &card.irqs).collect();
        if irqs.is_empty() {
            return finding(Verdict::Unknown, "/proc/interrupts names none of the card's");
        }
        let shown = |card: &Card| format!("{}: {} on CPUs {}", card.name, card.irqs.len(), ranges(&taken(&card.irqs)));
        let value = cards.iter().filter(|card| !card.irqs.is_empty()).map(shown).collect::<Vec<_>>().join("; ");
        let taken = taken(irqs.iter().copied());
        let hit: Vec<usize> = server.pinned.iter().copied().filter(|cpu| taken.contains(cpu)).collect();
        if server.pinned.is_empty() {
            return finding(Verdict::Good, &format!("{value}; cores are not pinned"));
        }
        if hit.is_empty() {
            return finding(Verdict::Good, &format!("{value}; no core is there"));
        }
        // Every core has its share, or there is only one.
        if hit.len() == server.pinned.len() {
            return finding(Verdict::Good, &format!("{value}; each core has its share"));
        }
        let mut finding =
            finding(Verdict::WorthALook, &format!("{value}; cores there: {} of {}", hit.len(), server.pinned.len()));
        let spare: Vec<usize> = self.online.iter().copied().filter(|cpu| !server.pinned.contains(cpu)).collect();
        let places = if spare.is_empty() { &server.pinned } else { &spare };
        // A single one can only go from one core to another.
        if irqs.len() > 1 || !spare.is_empty() {
            finding = moved(finding, &irqs, places);
        }
        let rest: Vec<usize> = server.pinned.iter().copied().filter(|cpu| !hit.contains(cpu)).collect();
        if spare.is_empty() {
            finding.mend(format!("# or leave that CPU to the card: dunlin --cores {}", cores_flag(&rest)))
        } else {
            finding
        }
    }

    fn queues(&self, server: &Server) -> Finding {
        let why = "One queue is one CPU that takes every packet in; RPS has the kernel hand them on to the others.";
        let finding = |verdict, value: &str| Finding::new(Theme::Cards, "nic_queues", verdict, value, why);
        let cards = match self.seen("nic_queues", why) {
            Ok(cards) => cards,
            Err(finding) => return finding,
        };
        let shown = |card: &Card| {
            format!("{}: {} for receiving, RPS {}", card.name, card.queues, if card.is_spread { "on" } else { "off" })
        };
        let value = cards.iter().map(shown).collect::<Vec<_>>().join("; ");
        let Some(narrow) = cards.iter().find(|card| card.queues == 1 && !card.is_spread && server.cores > 1) else {
            return finding(Verdict::Good, &value);
        };
        let cpus = if server.pinned.is_empty() { &self.online } else { &server.pinned };
        finding(Verdict::WorthALook, &value)
            .mend(format!("ethtool -L {} combined {}", narrow.name, server.cores))
            .mend("# or, where the card has no more queues:")
            .mend(format!("echo {} > /sys/class/net/{}/queues/rx-0/rps_cpus", mask(cpus), narrow.name))
    }

    fn node(&self, server: &Server) -> Finding {
        let why = "What a card on another NUMA node brings goes over the link between the nodes.";
        let finding = |verdict, value: &str| Finding::new(Theme::Cards, "nic_numa", verdict, value, why);
        let cards = match self.seen("nic_numa", why) {
            Ok(cards) => cards,
            Err(finding) => return finding,
        };
        let on_nodes: Vec<(&Card, u64)> = cards.iter().filter_map(|card| Some((card, card.node?))).collect();
        if on_nodes.is_empty() {
            return finding(Verdict::Good, "the host has one node, or does not say");
        }
        let value: Vec<String> = on_nodes.iter().map(|(card, node)| format!("{}: node {node}", card.name)).collect();
        let value = value.join("; ");
        let cpus = |node: u64| self.nodes.iter().find(|(number, _)| *number == node).map(|(_, cpus)| cpus);
        let far = on_nodes.iter().find_map(|&(card, node)| {
            let near = cpus(node).filter(|near| !near.is_empty())?;
            let is_far = !server.pinned.is_empty() && !server.pinned.iter().any(|cpu| near.contains(cpu));
            is_far.then_some((card, near))
        });
        match far {
            Some((card, near)) => {
                finding(Verdict::WorthALook, &format!("{value}; no core on the node of {}", card.name))
                    .mend(format!("dunlin --cores {}", cores_flag(near)))
            }
            None => finding(Verdict::Good, &value),
        }
    }

    fn spinning(&self, server: &Server) -> Finding {
        let why = "A core that spins (--spin_us) takes its CPU from the interrupts, the sibling or the core that it shares it with.";
        let finding = |verdict, value: &str| Finding::new(Theme::Cards, "spinning", verdict, value, why);
        let spin = server.config.cores.spin;
        if spin.is_zero() {
            return finding(Verdict::Good, "off");
        }
        let value = format!("{} us", spin.as_micros());
        if server.pinned.is_empty() {
            return finding(Verdict::WillBite, &format!("{value}, and cores are not pinned"))
                .mend("# without --spin_us, or with whole CPUs of its own");
        }
        let taken = taken(self.cards.iter().flatten().flat_map(|card| &card.irqs));
        let hit: Vec<usize> = server.pinned.iter().copied().filter(|cpu| taken.contains(cpu)).collect();
        if hit.is_empty() {
            return finding(Verdict::Good, &value);
        }
        let rest: Vec<usize> = server.pinned.iter().copied().filter(|cpu| !hit.contains(cpu)).collect();
        let finding = finding(Verdict::WillBite, &format!("{value}, CPUs {} take interrupts of a card", ranges(&hit)));
        if rest.is_empty() {
            finding.mend("# without --spin_us")
        } else {
            finding.mend(format!("dunlin --cores {}", cores_flag(&rest))).mend("# or without --spin_us")
        }
    }
}

/// With the commands that spread interrupts over these CPUs.
fn moved(mut finding: Finding, irqs: &[&Irq], places: &[usize]) -> Finding {
    for (irq, cpu) in irqs.iter().zip(places.iter().cycle()).take(COMMANDS_MAX) {
        finding = finding.mend(format!("echo {cpu} > /proc/irq/{}/smp_affinity_list", irq.number));
    }
    if irqs.len() > COMMANDS_MAX {
        finding = finding.mend(format!("# and {} more, over CPUs {}", irqs.len() - COMMANDS_MAX, ranges(places)));
    }
    finding.mend("# irqbalance moves them again: stop it, or ban these CPUs in its settings")
}

/// CPUs that take these, ascending.
fn taken<'a>(irqs: impl IntoIterator<Item = &'a Irq>) -> Vec<usize> {
    let mut cpus: Vec<usize> = irqs.into_iter().flat_map(|irq| irq.cpus.iter().copied()).collect();
    cpus.sort_unstable();
    cpus.dedup();
    cpus
}

/// CPUs as `rps_cpus` takes them: hexadecimal, 32 in a word.
fn mask(cpus: &[usize]) -> String {
    let words = cpus.iter().max().map_or(1, |most| most / 32 + 1);
    let word = |at: usize| cpus.iter().filter(|cpu| **cpu / 32 == at).fold(0u32, |word, cpu| word | 1 << (cpu % 32));
    let parts: Vec<String> = (0..words)
        .rev()
        .map(|at| if at + 1 == words { format!("{:x}", word(at)) } else { format!("{:08x}", word(at)) })
        .collect();
    parts.join(",")
}

fn read_cards(root: &Root) -> Known<Vec<Card>> {
    let names = root.names("sys/class/net")?;
    let interrupts = root.text("proc/interrupts");
    let lines = interrupts.as_deref().map(lines).unwrap_or_default();
    let with_hardware = names.into_iter().filter(|name| root.has(&format!("sys/class/net/{name}/device")));
    let cards: Vec<Card> = with_hardware.map(|name| read_card(root, name, &lines)).collect();
    match interrupts {
        Err(reason) if !cards.is_empty() => Err(reason),
        _ => Ok(cards),
    }
}

fn read_card(root: &Root, name: String, lines: &[Line<'_>]) -> Card {
    let folder = format!("sys/class/net/{name}");
    let queues = root.names(&format!("{folder}/queues")).unwrap_or_default();
    let queues: Vec<String> = queues.into_iter().filter(|queue| queue.starts_with("rx-")).collect();
    let spreads = |queue: &String| {
        let mask = root.text(&format!("{folder}/queues/{queue}/rps_cpus")).unwrap_or_default();
        mask.chars().any(|c| !matches!(c, '0' | ','))
    };
    let node = ["device/numa_node", "device/../numa_node"].iter().find_map(|path| {
        let at = root.target(&format!("{folder}/{path}")).ok()?;
        let text = std::fs::read_to_string(at).ok()?;
        text.trim().parse().ok() // -1: none
    });
    Card { irqs: irqs(root, &name, lines), is_spread: queues.iter().any(spreads), queues: queues.len(), node, name }
}

/// Interrupts of a card that carry its traffic.
fn irqs(root: &Root, name: &str, lines: &[Line<'_>]) -> Vec<Irq> {
    let folder = format!("sys/class/net/{name}/device");
    let target = root.target(&folder);
    let device = target.iter().find_map(|path| path.file_name()?.to_str()).unwrap_or_default();
    // The device's own; where it is part of another (virtio), those of that are named after it.
    let own: Vec<u64> = root
        .names(&format!("{folder}/msi_irqs"))
        .map(|names| names.iter().filter_map(|name| name.parse().ok()).collect())
        .unwrap_or_default();
    let is_ours = |line: &&Line<'_>| {
        own.contains(&line.number)
            || has_word(line.name, name)
            || (device.starts_with("virtio") && has_word(line.name, device))
    };
    let ours: Vec<&Line<'_>> = lines.iter().filter(is_ours).collect();
    let all: u64 = ours.iter().map(|line| line.count).sum();
    let carries = |line: &&&Line<'_>| all == 0 || line.count >= (all / IDLE_IRQ_PART).max(1);
    let place = |line: &&Line<'_>| {
        let folder = format!("proc/irq/{}", line.number);
        // Where it goes now; else where it may go.
        let effective = root.text(&format!("{folder}/effective_affinity_list")).ok().filter(|list| !list.is_empty());
        let cpus = effective.or_else(|| root.text(&format!("{folder}/smp_affinity_list")).ok())?;
        Some(Irq { number: line.number, cpus: parse_list(&cpus), count: line.count })
    };
    let mut irqs: Vec<Irq> = ours.iter().filter(carries).filter_map(place).collect();
    irqs.sort_by_key(|irq| (std::cmp::Reverse(irq.count), irq.number));
    irqs
}

/// Whether `name` is in `text` with no letter or digit on either side.
fn has_word(text: &str, name: &str) -> bool {
    !name.is_empty()
        && text.match_indices(name).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let after = text[at + name.len()..].chars().next();
            [before, after].iter().flatten().all(|c| !c.is_alphanumeric())
        })
}

/// The numbered lines of `/proc/interrupts`: a number, a count for each CPU, then what it is.
fn lines(text: &str) -> Vec<Line<'_>> {
    let Some((header, rest)) = text.split_once('\n') else { return Vec::new() };
    let columns = header.split_whitespace().count();
    rest.lines().filter_map(|line| self::line(line, columns)).collect()
}

fn line(text: &str, columns: usize) -> Option<Line<'_>> {
    let (number, mut rest) = text.split_once(':')?;
    let number = number.trim().parse().ok()?;
    let mut count = 0u64;
    for _ in 0..columns {
        rest = rest.trim_start();
        let (word, behind) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
        let Ok(part) = word.parse::<u64>() else { break };
        count = count.saturating_add(part);
        rest = behind;
    }
    Some(Line { number, count, name: rest.trim() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_are_words_of_32_cpus() {
        for (cpus, expected) in [
            (&[0usize, 1][..], "3"),
            (&[31], "80000000"),
            (&[32], "1,00000000"),
            (&[0, 33, 64], "1,00000002,00000001"),
            (&[], "0"),
        ] {
            assert_eq!(mask(cpus), expected, "{cpus:?}");
        }
    }

    #[test]
    fn a_card_is_found_by_its_whole_name() {
        for (text, expected) in [
            ("PCI-MSI 1-edge eth0-TxRx-0", true),
            ("PCI-MSI 1-edge eth0", true),
            ("eth01-TxRx-0", false),
            ("xeth0", false),
            ("mlx5_comp0@pci:0000:3b:00.0", false),
            ("", false),
        ] {
            assert_eq!(has_word(text, "eth0"), expected, "{text}");
        }
    }

    #[test]
    fn lines_of_interrupts_have_a_count_for_each_cpu() {
        let text = "           CPU0       CPU1\n 41:  11775  5  PCI-MSIX-0000:00:04.0   1-edge      virtio3-rx\nNMI: 0 0 Non\n 7: 1\n";
        let found: Vec<_> = lines(text).iter().map(|line| (line.number, line.count, line.name.to_owned())).collect();
        assert_eq!(
            found,
            [(41, 11780, "PCI-MSIX-0000:00:04.0   1-edge      virtio3-rx".to_owned()), (7, 1, String::new())]
        );
        assert!(lines("").is_empty());
    }
}
