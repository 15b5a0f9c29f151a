//! The cgroups of a process, as folders that can be looked at: version 2, version 1, and hosts with both.
//!
//! In a container the path may be the host's, of which only the last part or nothing is there: so all of its ancestors are candidates.

use super::look::{Known, Root};

/// Folders that may hold a controller's files for this process, the nearest first.
pub(crate) fn folders(root: &Root, controller: &str) -> Known<Vec<String>> {
    let groups = root.text(&root.of_process("cgroup"))?;
    let mut found = Vec::new();
    for line in groups.lines() {
        // `0::/path` in version 2, `3:cpu,cpuacct:/path` in version 1.
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        let mounts: Vec<String> = if controllers.is_empty() {
            vec!["sys/fs/cgroup".into(), "sys/fs/cgroup/unified".into()]
        } else if controllers.split(',').any(|name| name == controller) {
            vec![format!("sys/fs/cgroup/{controller}"), format!("sys/fs/cgroup/{controllers}")]
        } else {
            continue;
        };
        let mut path = path.trim_matches('/');
        loop {
            for mount in &mounts {
                let folder = if path.is_empty() { mount.clone() } else { format!("{mount}/{path}") };
                if !path.split('/').any(|part| part == "..") && !found.contains(&folder) {
                    found.push(folder);
                }
            }
            if path.is_empty() {
                break;
            }
            path = path.rsplit_once('/').map_or("", |(above, _)| above);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fake::Fake;

    #[test]
    fn both_versions_and_all_ancestors_are_looked_at() {
        let fake = Fake::new();
        fake.write("proc/self/cgroup", "4:memory:/a/b\n2:cpu,cpuacct:/c\n0::/d\n");
        let root = Root::new(fake.path(), None);
        let at = |path: &str| format!("sys/fs/cgroup/{path}");
        let shared = [at("d"), at("unified/d"), "sys/fs/cgroup".into(), at("unified")];
        let memory = [at("memory/a/b"), at("memory/a"), at("memory")];
        assert_eq!(folders(&root, "memory").expect("readable"), [&memory[..], &shared].concat());
        let cpu = [at("cpu/c"), at("cpu,cpuacct/c"), at("cpu"), at("cpu,cpuacct")];
        assert_eq!(folders(&root, "cpu").expect("readable"), [&cpu[..], &shared].concat());
    }
}
