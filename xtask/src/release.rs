//! `cargo xtask release`: what must be true before a version is published, beside `cargo xtask test`. Nothing is published.

use crate::step::Step;
use crate::{deny, docs_rs, minimal, publish, semver};

pub(crate) const STEPS: [Step; 7] = [
    publish::CONTENTS,
    publish::DRY_RUN,
    minimal::STEP,
    docs_rs::STEP,
    deny::STEP,
    deny::ADVISORIES,
    semver::STEP,
];
