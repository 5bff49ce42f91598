//! Which processor cores a measurement may use.

use std::{collections::HashMap, fs};

use anyhow::Context;
use rustix::{
    process::Pid,
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
};
use testkit::Gate;

/// The gate on a core of its own, and all else that this process has started, with itself, on another. As before once dropped.
pub(crate) struct Apart {
    before: CpuSet,
}

impl Apart {
    pub(crate) fn new(gate: &Gate) -> anyhow::Result<Self> {
        let before = sched_getaffinity(None)?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| before.is_set(*core));
        let (one, other) = cores.next().zip(cores.next()).context("this takes two cores")?;
        let apart = Self { before };
        bind(std::process::id(), &only(one))?;
        bind(u32::try_from(gate.pid().context("the gate does not run")?)?, &only(other))?;
        Ok(apart)
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        if let Err(error) = bind(std::process::id(), &self.before) {
            eprintln!("what is measured next has fewer cores: {error:#}");
        }
    }
}

fn only(core: usize) -> CpuSet {
    let mut cores = CpuSet::new();
    cores.set(core);
    cores
}

/// Binds a process and all below it, thread by thread; those that they start later inherit it.
fn bind(process: u32, cores: &CpuSet) -> anyhow::Result<()> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for process in numbers("/proc")? {
        if let Some(parent) = parent(process) {
            children.entry(parent).or_default().push(process);
        }
    }
    let mut left = vec![process];
    while let Some(process) = left.pop() {
        // What has ended meanwhile needs no core.
        for thread in numbers(&format!("/proc/{process}/task")).unwrap_or_default() {
            match sched_setaffinity(Pid::from_raw(thread.cast_signed()), cores) {
                Ok(()) | Err(rustix::io::Errno::SRCH) => {}
                Err(error) => return Err(error.into()),
            }
        }
        left.extend(children.remove(&process).unwrap_or_default());
    }
    Ok(())
}

/// The names in a folder that are numbers.
fn numbers(folder: &str) -> anyhow::Result<Vec<u32>> {
    let names = fs::read_dir(folder)?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    Ok(names.filter_map(|name| name.parse().ok()).collect())
}

fn parent(process: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split_whitespace().nth(1)?.parse().ok()
}
