//! Placement as a table, and reading of what Linux shows.

use super::seen::{parse_list, quota};
use super::*;
use std::fs;
use std::path::PathBuf;

fn seen(mask: &str) -> Seen {
    Seen { mask: parse_list(mask), ..Seen::default() }
}

/// Eight CPUs, four physical cores: 0 and 4 share one, 1 and 5, and so on.
fn smt() -> Seen {
    let siblings = (0..4).map(|cpu| vec![cpu, cpu + 4]).collect();
    Seen { siblings, ..seen("0-7") }
}

/// What a plan looks like: `0,1` for two pinned cores, `-,-` for two that are not; then what the log says of it.
fn placed(choice: &CoreChoice, pin: bool, seen: &Seen) -> (String, String) {
    let plan = plan(choice, pin, seen).expect("possible");
    let shown = |cpu: &Option<usize>| cpu.map_or("-".to_string(), |cpu| cpu.to_string());
    let cpus: Vec<_> = plan.cpus.iter().map(shown).collect();
    (cpus.join(","), plan.reasons[0].replace("  Cores:    ", ""))
}

#[test]
fn by_default_every_cpu_of_the_mask_has_a_core_within_the_quota() {
    let quota = |quota| (Some(quota), "0-3");
    let each = "one for each CPU of the affinity mask";
    let quota_set = "not pinned (a CPU quota is set)";
    let rows = [
        (true, (None, "0-3"), "0,1,2,3", format!("4 ({each}), pinned, one each, to CPUs 0-3")),
        (true, (None, "2,5"), "2,5", format!("2 ({each}), pinned, one each, to CPUs 2,5")),
        (false, (None, "0-1"), "-,-", format!("2 ({each}), not pinned (pinning is off)")),
        (true, quota(1.5), "-,-", format!("2 (the cgroup's quota of 1.5 CPUs, rounded up), {quota_set}")),
        (true, quota(0.1), "-", format!("1 (the cgroup's quota of 0.1 CPUs, rounded up), {quota_set}")),
        (true, quota(9.0), "-,-,-,-", format!("4 ({each}), {quota_set}")),
        (true, (None, ""), "-", format!("1 ({each}), not pinned (more cores than CPUs)")),
    ];
    for (pin, (quota, mask), cpus, line) in rows {
        let machine = Seen { quota, ..seen(mask) };
        assert_eq!(placed(&CoreChoice::Automatic, pin, &machine), (cpus.to_string(), line));
    }
    assert_eq!(placed(&CoreChoice::Automatic, true, &smt()).0, "0,1,2,3,4,5,6,7");
}

#[test]
fn a_count_takes_physical_cores_first_and_may_exceed_the_cpus() {
    let pairs = |mask| Seen { siblings: vec![vec![0, 1], vec![2, 3]], ..seen(mask) };
    let quota = Seen { quota: Some(4.0), ..seen("0-3") };
    let rows = [
        (1, true, seen("3-5"), "3", "pinned, one each, to CPUs 3"),
        (4, true, smt(), "0,1,2,3", "pinned, one each, to CPUs 0-3"),
        (5, true, smt(), "0,1,2,3,4", "pinned, one each, to CPUs 0-4"),
        (2, true, pairs("0-3"), "0,2", "pinned, one each, to CPUs 0,2"),
        (2, true, pairs("1-3"), "1,2", "pinned, one each, to CPUs 1-2"),
        (2, true, quota, "-,-", "not pinned (a CPU quota is set)"),
        (4, true, seen("0-1"), "-,-,-,-", "not pinned (more cores than CPUs)"),
        (2, false, seen("0-3"), "-,-", "not pinned (pinning is off)"),
    ];
    for (count, pin, machine, cpus, line) in rows {
        let line = format!("{count} (as many as asked for), {line}");
        assert_eq!(placed(&CoreChoice::Count(count), pin, &machine), (cpus.to_string(), line));
    }
}

#[test]
fn a_list_is_taken_as_it_is() {
    let quota = Seen { quota: Some(1.0), ..seen("0-3") };
    let rows = [
        (vec![3, 1], true, seen("0-3"), "3,1", "2 (as listed), pinned, one each, to CPUs 3,1"),
        (vec![2], true, quota, "2", "1 (as listed), pinned, one each, to CPUs 2"),
        (vec![2], false, seen("0-3"), "-", "1 (as listed), not pinned (pinning is off)"),
    ];
    for (list, pin, machine, cpus, line) in rows {
        let expected = (cpus.to_string(), line.to_string());
        assert_eq!(placed(&CoreChoice::Cpus(list), pin, &machine), expected);
    }
}

#[test]
fn the_log_says_what_was_seen_and_what_may_not_be_meant() {
    let machine = Seen { quota: Some(2.5), isolated: vec![6, 7], ..smt() };
    let reasons = plan(&CoreChoice::Count(4), true, &machine).expect("possible").reasons;
    assert_eq!(
        reasons[1..],
        [
            "  CPUs:     affinity mask 0-7, quota 2.5 CPUs, SMT siblings 0,4 1,5 2,6 3,7, isolated 6-7",
            "  4 cores share a quota of 2.5 CPUs: they will be throttled",
            "  Isolated CPUs 6-7 are not used: if they are meant for this server, start it with `taskset -c 6-7`",
        ]
    );
    let reasons = plan(&CoreChoice::Count(3), true, &seen("0-1")).expect("possible").reasons;
    assert_eq!(
        reasons[1..],
        [
            "  CPUs:     affinity mask 0-1, quota none, SMT siblings none, isolated none",
            "  3 cores share 2 CPUs: fewer would do the same work with fewer switches",
        ]
    );
    let reasons = plan(&CoreChoice::Cpus(vec![0, 4, 5]), true, &smt()).expect("possible").reasons;
    assert_eq!(reasons[2..], ["  Cores share physical cores: SMT siblings 0,4"]);
}

#[test]
fn what_is_not_possible_names_the_way_out() {
    let rows = [
        (
            CoreChoice::Cpus(vec![1, 5]),
            "CPU 5 is not in the affinity mask (0-3): leave it out of --cores, or start with `taskset -c 0-3,5`",
        ),
        (
            CoreChoice::Cpus(vec![1, 1]),
            "CPU 1 is twice in --cores: name it once, or give a count to have more cores than CPUs",
        ),
        (CoreChoice::Cpus(vec![]), "0 cores are not possible: --cores takes 1 to 63"),
        (CoreChoice::Count(0), "0 cores are not possible: --cores takes 1 to 63"),
        (CoreChoice::Count(64), "64 cores are not possible: --cores takes 1 to 63"),
    ];
    for (choice, expected) in rows {
        assert_eq!(plan(&choice, true, &seen("0-3")).expect_err(expected).to_string(), expected);
    }
}

#[test]
fn a_machine_with_more_cpus_than_a_server_can_have_cores() {
    let plan = plan(&CoreChoice::Automatic, true, &seen("0-127")).expect("possible");
    assert_eq!(plan.cpus.len(), CORES_MAX);
    assert_eq!(
        plan.reasons[0],
        "  Cores:    63 (the most a server can have; there are 128 CPUs), pinned, one each, to CPUs 0-62"
    );
}

#[test]
fn lists_of_cpus_are_read_and_written() {
    for (text, cpus) in [
        ("0-3,8\n", "0-3,8"),
        ("", ""),
        ("\n", ""),
        ("5", "5"),
        ("x,2-1,3", "3"),
        ("0-99999999999", ""),
        ("3,1,2,2", "1-3"),
    ] {
        assert_eq!(ranges(&parse_list(text)), cpus, "{text:?}");
    }
}

/// A folder that looks like `/`, with these files.
fn root(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let root = std::env::temp_dir().join(format!("dunlin-affinity-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&root);
    for (path, text) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("it has one")).expect("a temporary folder");
        fs::write(path, text).expect("writable");
    }
    root
}

#[test]
fn quotas_of_both_versions_and_of_groups_above_are_found() {
    // The process's groups; then files under /sys/fs/cgroup, as `path=text`; then the quota.
    let rows = [
        ("0::/a/b", "a/b/cpu.max=max 100000;a/cpu.max=150000 100000", Some(1.5)),
        ("0::/a/b", "a/b/cpu.max=200000 100000;a/cpu.max=900000 100000", Some(2.0)),
        ("0::/", "cpu.max=50000 100000", Some(0.5)),         // in a container
        ("0::/not/here", "cpu.max=50000 100000", Some(0.5)), // with the host's path
        ("0::/", "cpu.max=max 100000", None),
        ("0::/", "unified/cpu.max=50000 100000", Some(0.5)), // both versions mounted
        (
            "9:memory:/x\n3:cpu,cpuacct:/x",
            "cpu,cpuacct/x/cpu.cfs_quota_us=300000;cpu,cpuacct/x/cpu.cfs_period_us=100000",
            Some(3.0),
        ),
        ("1:cpu:/", "cpu/cpu.cfs_quota_us=-1;cpu/cpu.cfs_period_us=100000", None),
        ("x\n0:\n0::/", "cpu.max=1 0", None),
        ("", "", None),
    ];
    for (at, (groups, files, expected)) in rows.into_iter().enumerate() {
        let files = files.split(';').filter_map(|file| file.split_once('='));
        let files: Vec<_> = files
            .map(|(path, text)| (format!("sys/fs/cgroup/{path}"), format!("{text}\n")))
            .chain([("proc/self/cgroup".to_string(), format!("{groups}\n"))])
            .collect();
        let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let root = root(&format!("quota-{at}"), &files);
        assert_eq!(quota(&root, "self"), expected, "{groups:?}");
        fs::remove_dir_all(&root).expect("ours");
    }
}

#[test]
fn siblings_and_isolated_cpus_are_found() {
    let cpu = "sys/devices/system/cpu";
    let files: Vec<_> = (0..4)
        .map(|n| (format!("{cpu}/cpu{n}/topology/thread_siblings_list"), format!("{},{}\n", n % 2, n % 2 + 2)))
        .chain([(format!("{cpu}/isolated"), "1,3\n".to_string())])
        .collect();
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let root = root("siblings", &files);
    let found = Seen::look_under(&root, "self", vec![0, 1, 2, 3]);
    let siblings = vec![vec![0, 2], vec![1, 3]];
    assert_eq!(found, Seen { siblings, isolated: vec![1, 3], ..seen("0-3") });
    fs::remove_dir_all(&root).expect("ours");
}

#[test]
fn this_machine_can_be_looked_at_and_pinned_to() {
    let seen = Seen::look();
    let first = *seen.mask.first().expect("this runs somewhere");
    let plan = plan(&CoreChoice::Cpus(vec![first]), true, &seen).expect("possible");
    assert_eq!(plan.cpus, [Some(first)]);
    let pinned = std::thread::spawn(move || (pin_current_thread(first), Seen::look().mask));
    assert_eq!(pinned.join().expect("no panic"), (true, vec![first]));
}
