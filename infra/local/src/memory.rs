//! How many jobs fit into this machine's memory.

use std::fs;

/// What one job may need: a few pages of a source, and what they become.
const OF_ONE: u64 = 256 << 20;
/// Each holds a connection to the database, and requests need some too.
const MAX_JOBS: usize = 4;

/// As many as there is memory for, one at least.
pub(crate) fn jobs_at_once() -> usize {
    let machine = fs::read_to_string("/proc/meminfo");
    let machine = machine.ok().and_then(|it| available(&it));
    // A container's own limit, where there is one.
    let limit = fs::read_to_string("/sys/fs/cgroup/memory.max");
    let limit = limit.ok().and_then(|it| it.trim().parse().ok());
    fitting(machine.into_iter().chain(limit).min())
}

fn fitting(bytes: Option<u64>) -> usize {
    bytes.map_or(MAX_JOBS, |it| {
        usize::try_from(it / OF_ONE).map_or(MAX_JOBS, |it| it.clamp(1, MAX_JOBS))
    })
}

fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|it| it.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_machine_has_one_job_at_once_and_a_large_one_four() {
        for (mib, jobs) in [(0, 1), (300, 1), (600, 2), (900, 3), (64_000, 4)] {
            assert_eq!(fitting(Some(mib << 20)), jobs, "{mib} MiB");
        }
        assert_eq!(fitting(None), 4, "where nothing is known");
        let said = "MemTotal:       24683520 kB\nMemAvailable:    2048 kB\n";
        assert_eq!(available(said), Some(2 << 20));
        assert_eq!(available("nothing of the kind"), None);
    }
}
