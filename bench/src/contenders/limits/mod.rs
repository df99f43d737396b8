//! Physical limits as contenders: what no pool or channel can do without, measured alone. They show in each table how far
//! the others are from it.

mod blocks;
mod line;
mod nop;
mod ring;

use crate::contender::Contender;
use crate::workloads::compute;

pub(crate) fn contenders() -> Vec<Contender> {
    vec![
        Contender::named("limit-line").workload("round-trip", line::exchange),
        Contender::named("limit-nop").workload("round-trip", |case| nop::rounds(case, 1)),
        Contender::named("limit-nop-32").workload("round-trip", |case| nop::rounds(case, 32)),
        Contender::named("limit-spsc")
            .workload("channel", ring::channel)
            .workload("compute", ring::compute)
            .except("compute", compute::DEEP),
        Contender::named("limit-malloc")
            .workload("spawn-join", blocks::spawn_join)
            .workload("compute", blocks::compute)
            .except("compute", compute::DEEP),
    ]
}
