//! Making the loop's thread one that nothing else keeps waiting; where that
//! can't be had, saying so, and what would give it.

use std::hint::black_box;
use std::marker::PhantomData;

use nix::libc;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::mman::{MlockAllFlags, mlockall, munlockall};
use nix::sys::prctl::{get_timerslack, set_timerslack};
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};
use nix::unistd::{Pid, geteuid};
use serde::{Deserialize, Serialize};
use thread_priority::{
    NormalThreadSchedulePolicy, RealtimeThreadSchedulePolicy, ThreadPriority, ThreadPriorityValue,
    ThreadSchedulePolicy, set_thread_priority_and_policy, thread_native_id,
};

/// The loop's priority, of 1 to 99: above what the kernel does for interrupts
/// (50), below the guard, which has to get through when the loop hangs.
pub const PRIORITY: u8 = 80;

/// What the crate takes for a niceness of 0, of 0 to 99.
const USUAL: u8 = 48;

/// So much of the stack is there before it is needed.
const STACK: usize = 256 * 1024;

/// What a thread has of real time, until this is dropped on it.
#[derive(Debug)]
pub struct RealTime {
    report: RealTimeReport,
    scheduled: bool,
    locked: bool,
    slack: Option<libc::c_ulong>,
    cores: Option<CpuSet>,
    /// It belongs to the thread that entered.
    thread: PhantomData<*const ()>,
}

/// What a session had of real time, for its record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RealTimeReport {
    /// What it lacks, a sentence each with what would help; nothing where it
    /// has all.
    pub shortfalls: Vec<String>,
    /// For how many us of each period, by default a second, the kernel lets
    /// real-time threads run on a core before it stops them for the rest of it
    /// (`kernel.sched_rt_runtime_us`); nothing where it never does.
    pub throttled_after_us: Option<u64>,
}

impl RealTime {
    /// Makes this thread a real-time one: SCHED_FIFO, memory that stays where it
    /// is, timers without slack, and a core of its own where one is given. What
    /// can't be had is in [`RealTime::shortfalls`].
    pub fn enter(core: Option<usize>) -> RealTime {
        let mut shortfalls = Vec::new();
        let mut keep = |had: Result<(), String>| had.map_err(|why| shortfalls.push(why)).is_ok();
        let locked = keep(lock_memory());
        let slack = get_timerslack().ok().and_then(|slack| libc::c_ulong::try_from(slack).ok());
        let slack = slack.filter(|_| keep(set_timerslack(1).map_err(|error| slack_shortfall(&error))));
        let cores = core.and_then(|core| {
            let had = sched_getaffinity(Pid::from_raw(0)).ok()?;
            keep(pin(core, &had)).then_some(had)
        });
        // The last, since a real-time thread's timers have no slack to be set.
        let scheduled = keep(schedule());
        touch_stack();
        let report = RealTimeReport { shortfalls, throttled_after_us: throttled_after_us() };
        RealTime { report, scheduled, locked, slack, cores, thread: PhantomData }
    }

    /// What it lacks, a sentence each.
    pub fn shortfalls(&self) -> &[String] {
        &self.report.shortfalls
    }

    /// What it has and lacks, for the record.
    pub fn report(&self) -> &RealTimeReport {
        &self.report
    }
}

impl Drop for RealTime {
    fn drop(&mut self) {
        // What can't be undone does no harm: the thread has more than it needs.
        if self.scheduled {
            let normal = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Other);
            let _ = set_thread_priority_and_policy(thread_native_id(), crossplatform(USUAL), normal);
        }
        if let Some(cores) = &self.cores {
            let _ = sched_setaffinity(Pid::from_raw(0), cores);
        }
        if let Some(slack) = self.slack {
            let _ = set_timerslack(slack);
        }
        if self.locked {
            let _ = munlockall();
        }
    }
}

fn crossplatform(priority: u8) -> ThreadPriority {
    let priority = ThreadPriorityValue::try_from(priority).expect("it is below 100");
    ThreadPriority::Crossplatform(priority)
}

fn schedule() -> Result<(), String> {
    let fifo = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    set_thread_priority_and_policy(thread_native_id(), crossplatform(PRIORITY), fifo).map_err(|_| {
        "the loop has no real-time priority, so other programs may delay it by milliseconds: start the pilot by \
         systemd with LimitRTPRIO=95, or allow its user \"rtprio 95\" in /etc/security/limits.conf and log in again"
            .to_owned()
    })
}

/// Locks what memory there is and will be. With a limit, memory that comes
/// later could not be had at all, which is worse than memory that isn't locked.
fn lock_memory() -> Result<(), String> {
    let shortfall = || {
        "the pilot's memory isn't locked, so the loop may wait for the disk where memory is short: start the \
         pilot by systemd with LimitMEMLOCK=infinity, or allow its user \"memlock unlimited\" in \
         /etc/security/limits.conf and log in again"
            .to_owned()
    };
    let unlimited = getrlimit(Resource::RLIMIT_MEMLOCK).is_ok_and(|(soft, _)| soft == RLIM_INFINITY);
    if !unlimited && !geteuid().is_root() {
        return Err(shortfall());
    }
    let on_fault = MlockAllFlags::from_bits_retain(libc::MCL_ONFAULT);
    mlockall(MlockAllFlags::MCL_CURRENT | MlockAllFlags::MCL_FUTURE | on_fault).map_err(|_| shortfall())
}

fn pin(core: usize, had: &CpuSet) -> Result<(), String> {
    // A core that the kernel keeps everything else off (`isolcpus`) is none of
    // those it had, and the best: only the kernel can say what it may have.
    let mut set = CpuSet::new();
    set.set(core).and_then(|()| sched_setaffinity(Pid::from_raw(0), &set)).map_err(|_| {
        let cores = (0..CpuSet::count()).filter(|one| had.is_set(*one).unwrap_or(false));
        let cores: Vec<String> = cores.map(|one| one.to_string()).collect();
        format!(
            "the loop is not bound to core {core}: this machine gives it the cores {}: write one of these as `core` \
             of the rig, or leave it out",
            cores.join(", ")
        )
    })
}

fn throttled_after_us() -> Option<u64> {
    let runtime = std::fs::read_to_string("/proc/sys/kernel/sched_rt_runtime_us").ok()?;
    // -1 is that it never does.
    runtime.trim().parse().ok()
}

fn slack_shortfall(error: &nix::errno::Errno) -> String {
    format!(
        "the loop's timers may be 50 us late: the kernel doesn't let it have them exact ({})",
        error.desc()
    )
}

/// Uses the stack once, so that the kernel has given it when it is needed.
#[inline(never)]
fn touch_stack() {
    let stack = [0_u8; STACK];
    black_box(&stack);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_that_the_machine_lacks_is_told_with_those_it_has() {
        let real_time = RealTime::enter(Some(100_000));
        let shortfalls = real_time.shortfalls();
        assert!(
            shortfalls
                .iter()
                .any(|one| one.starts_with("the loop is not bound to core 100000: this machine gives")),
            "{shortfalls:?}"
        );
    }

    #[test]
    fn a_core_that_the_thread_was_kept_off_can_be_given_to_it() {
        let all = sched_getaffinity(Pid::from_raw(0)).unwrap();
        let mut cores = (0..CpuSet::count()).filter(|core| all.is_set(*core).unwrap());
        let (Some(first), Some(second)) = (cores.next(), cores.next()) else { return };
        let mut kept = CpuSet::new();
        kept.set(first).unwrap();
        sched_setaffinity(Pid::from_raw(0), &kept).unwrap();

        let real_time = RealTime::enter(Some(second));
        let mut own = CpuSet::new();
        own.set(second).unwrap();
        assert_eq!(sched_getaffinity(Pid::from_raw(0)).unwrap(), own, "{:?}", real_time.shortfalls());
        drop(real_time);
        assert_eq!(sched_getaffinity(Pid::from_raw(0)).unwrap(), kept);
    }

    #[test]
    fn whatever_it_lacks_is_told_with_a_remedy_and_leaving_restores_the_thread() {
        let before = (get_timerslack().unwrap(), thread_priority::thread_schedule_policy().unwrap());
        let real_time = RealTime::enter(None);
        for shortfall in real_time.shortfalls() {
            assert!(shortfall.contains("limits.conf") || shortfall.contains("kernel"), "{shortfall}");
        }
        if real_time.shortfalls().is_empty() {
            assert!(get_timerslack().unwrap() <= 1);
            let fifo = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
            assert_eq!(thread_priority::thread_schedule_policy().unwrap(), fifo);
        }
        drop(real_time);
        let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        let (_, fields) = stat.rsplit_once(')').unwrap();
        assert_eq!(fields.split_whitespace().nth(16), Some("0"), "its niceness, in {stat}");
        assert_eq!((get_timerslack().unwrap(), thread_priority::thread_schedule_policy().unwrap()), before);
    }
}
