//! CPU time and memory of processes, from /proc.

use std::time::Duration;

/// The kernel's clock ticks a second, as /proc counts them.
const TICKS: u64 = 100;

/// The fields of /proc/PID/stat from the process state on (proc(5): field 3).
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(") ")?;
    Some(rest.split(' ').map(str::to_owned).collect())
}

fn ticks(stat: &[String], fields: std::ops::RangeInclusive<usize>) -> u64 {
    // The first field here is the third of proc(5).
    fields.filter_map(|field| stat.get(field - 3)?.parse::<u64>().ok()).sum()
}

/// The CPU time of a process so far, user and system.
pub fn of_process(pid: u32) -> Duration {
    let ticks = stat(pid).map_or(0, |stat| ticks(&stat, 14..=15));
    Duration::from_millis(ticks * 1_000 / TICKS)
}

/// The CPU time of a process and of all its children so far, those that have ended among them.
pub fn of_family(pid: u32) -> Duration {
    let mut total = stat(pid).map_or(0, |stat| ticks(&stat, 14..=17));
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(child) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let Some(stat) = stat(child) else { continue };
        if stat.get(1).is_some_and(|parent| *parent == pid.to_string()) {
            total += ticks(&stat, 14..=15);
        }
    }
    Duration::from_millis(total * 1_000 / TICKS)
}

/// Resident memory of a process in MiB: now, and at its peak.
pub fn memory(pid: u32) -> (f64, f64) {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let find = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        kib.unwrap_or_default() / 1_024.0
    };
    (find("VmRSS:"), find("VmHWM:"))
}
