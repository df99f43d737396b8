//! The limit of `skew`: plain threads that are given their shares beforehand, by one who knows how long each job takes.
//! A pool, which does not, comes near it by luck alone.

use crate::contender::Contender;
use crate::measure::Case;
use crate::workloads::skew;

pub(crate) fn contenders() -> Vec<Contender> {
    vec![Contender::named("limit-static").workload("skew", |case: Case| {
        skew::limit(case, |jobs| {
            let shares = skew::compute_shares(jobs, case.workers);
            (shares.lap, shares.sum)
        })
    })]
}
