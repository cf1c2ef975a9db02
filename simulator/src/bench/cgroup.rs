//! A control group that lets a process have a share of one processor, as Lambda does for a small function.
//!
//! Only where the machine lets us make one (cgroup v1 or v2, as root); [`Share::new`] says nothing where it does not.

use std::fs;
use std::path::{Path, PathBuf};

/// Lambda gives one processor at 1769 MB, in proportion below.
const WHOLE_PROCESSOR_MB: u64 = 1769;
const PERIOD_US: u64 = 20_000;

pub(super) struct Share {
    folder: PathBuf,
}

impl Share {
    pub(super) fn new(memory_mb: u64) -> Option<Self> {
        let name = format!("ringfence-bench-{}", std::process::id());
        let quota_us = PERIOD_US * memory_mb / WHOLE_PROCESSOR_MB;
        let first = Path::new("/sys/fs/cgroup/cpu").join(&name);
        if fs::create_dir(&first).is_ok() {
            let share = Self { folder: first };
            let set = share
                .write("cpu.cfs_period_us", PERIOD_US)
                .and_then(|()| share.write("cpu.cfs_quota_us", quota_us));
            return set.ok().map(|()| share);
        }
        let second = Path::new("/sys/fs/cgroup").join(&name);
        fs::create_dir(&second).ok()?;
        let share = Self { folder: second };
        fs::write(
            share.folder.join("cpu.max"),
            format!("{quota_us} {PERIOD_US}"),
        )
        .ok()?;
        Some(share)
    }

    fn write(&self, file: &str, value: u64) -> std::io::Result<()> {
        fs::write(self.folder.join(file), value.to_string())
    }

    pub(super) fn add(&self, pid: u32) -> std::io::Result<()> {
        self.write("cgroup.procs", u64::from(pid))
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        // Works once the process in it has ended; an empty group left over does no harm.
        let _ = fs::remove_dir(&self.folder);
    }
}
