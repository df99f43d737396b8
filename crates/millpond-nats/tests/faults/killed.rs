//! Consumers that are killed.

use std::collections::{HashMap, HashSet};
use std::os::unix::process::ExitStatusExt;

use crate::common::site::Site;
use crate::common::{Settings, unhung};
use crate::effects::{Effect, Effects};
use crate::random::Random;
use crate::worker::{End, IN_FLIGHT, Order, Worker, effects_in, work_if_told};

const JOBS: usize = 50_000;
const KILLS: u32 = 20;

/// The most jobs that a process begins before it is killed: all of them together leave some to the last one.
const MOST_JOBS: u64 = (JOBS / KILLS as usize) as u64;

#[test]
fn a_killed_consumer_loses_nothing_and_repeats_only_what_it_had_not_acked() {
    work_if_told();
    let name = "killed::a_killed_consumer_loses_nothing_and_repeats_only_what_it_had_not_acked";
    unhung(name, || {
        let site = Site::open(Settings::default());
        site.publish(JOBS);
        let path = effects_in(site.server.folder());
        let effects = Effects::open(&path);
        let mut random = Random::seeded(20);
        let order = |by, end| Order { url: site.server.url(), effects: path.clone(), by, end };
        for by in 0..KILLS {
            let at = 1 + random.below(MOST_JOBS);
            let end =
                if random.below(2) == 0 { End::KilledBeforeEffect(at) } else { End::KilledAfterEffect(at) };
            let (status, said) = Worker::start(name, &order(by, end)).wait_for_kill();
            assert_eq!(status.signal(), Some(9), "{end:?}: {status}: {said}");
        }
        assert!(site.left() > 0, "each was killed with work before it");
        let last = Worker::start(name, &order(KILLS, End::Stop));
        site.wait_until_empty();
        let (status, said) = last.wait();
        assert!(status.success(), "{status}: {said}");
        check(&effects.read());
    });
}

fn check(effects: &[Effect]) {
    let mut runs: HashMap<u32, Vec<u32>> = HashMap::new();
    effects.iter().for_each(|effect| runs.entry(effect.job).or_default().push(effect.by));
    let lost: Vec<u32> = (0..JOBS as u32).filter(|job| !runs.contains_key(job)).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
    // By the process that had done them, and been killed.
    let mut repeated = vec![0; KILLS as usize];
    for (job, by) in &runs {
        assert_eq!(
            by.iter().collect::<HashSet<_>>().len(),
            by.len(),
            "job {job} ran twice in one process: {by:?}"
        );
        // All but the last run were cut off between effect and ack. The last process, which nobody killed, is never among them.
        by[..by.len() - 1].iter().for_each(|by| repeated[*by as usize] += 1);
    }
    let (all, most) = (repeated.iter().sum::<usize>(), repeated.iter().max().copied().unwrap_or_default());
    println!(
        "{KILLS} kills, {JOBS} jobs: none lost, {all} done twice, at most {most} by one kill: {repeated:?}"
    );
    assert!(most <= IN_FLIGHT, "{repeated:?}");
    assert!(all > 0, "a job whose process dies after its effect is done again: the kills came too late");
}
