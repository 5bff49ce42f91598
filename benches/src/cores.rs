//! Which processor cores a measurement may use.

use std::{collections::HashMap, fs};

use anyhow::{Context, bail};
use rustix::{
    io::Errno,
    process::Pid,
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
};
use testkit::Gate;

/// How often threads are bound until there is none that is not.
const ROUNDS: usize = 20;

/// All that this process has started on one core, and itself with the gate on another: the cluster has a machine of its own.
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
        until_none_is_free(|| bind_threads(std::process::id(), &only(other)))?;
        Ok(apart)
    }

    /// As before.
    pub(crate) fn end(self) -> anyhow::Result<()> {
        bind(std::process::id(), &self.before)
    }
}

fn only(core: usize) -> CpuSet {
    let mut cores = CpuSet::new();
    cores.set(core);
    cores
}

/// Binds a process and all below it; those that they start later inherit it.
fn bind(process: u32, cores: &CpuSet) -> anyhow::Result<()> {
    until_none_is_free(|| bind_once(process, cores))
}

/// What a thread that was not bound yet has started meanwhile is found the next time round.
fn until_none_is_free(bind: impl Fn() -> anyhow::Result<usize>) -> anyhow::Result<()> {
    for _round in 0..ROUNDS {
        if bind()? == 0 {
            return Ok(());
        }
    }
    bail!("threads are started faster than they are bound")
}

/// How many threads were not bound so.
fn bind_once(process: u32, cores: &CpuSet) -> anyhow::Result<usize> {
    let mut bound = 0;
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for process in numbers("/proc")? {
        if let Some(parent) = parent(process) {
            children.entry(parent).or_default().push(process);
        }
    }
    let mut left = vec![process];
    while let Some(process) = left.pop() {
        bound += bind_threads(process, cores)?;
        left.extend(children.remove(&process).unwrap_or_default());
    }
    Ok(bound)
}

/// How many threads of this process alone were not bound so.
fn bind_threads(process: u32, cores: &CpuSet) -> anyhow::Result<usize> {
    let mut bound = 0;
    // What has ended meanwhile needs no core.
    for thread in numbers(&format!("/proc/{process}/task")).unwrap_or_default() {
        match bind_thread(Pid::from_raw(thread.cast_signed()), cores) {
            Ok(was_free) => bound += usize::from(was_free),
            Err(Errno::SRCH) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(bound)
}

/// Whether it was not bound so before.
fn bind_thread(thread: Option<Pid>, cores: &CpuSet) -> Result<bool, Errno> {
    let is_free = sched_getaffinity(thread)? != *cores;
    if is_free {
        sched_setaffinity(thread, cores)?;
    }
    Ok(is_free)
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
