//! What this machine and container allow, and what to do about it.

use std::fmt;

mod checks;
mod facts;

/// Looks at what this machine, container and user allow a pool, and tells what to do about each limit.
///
/// Nothing is changed. `io_uring` is asked of the kernel by making a small ring and closing it again; everything else
/// is read. A [`BuildError`](crate::BuildError) uses the same words, for the one thing that was in its way.
///
/// The limits are those of the calling thread and of this moment: call it where the pool is to be built.
///
/// # Examples
///
/// ```
/// let report = millpond::doctor();
/// println!("{report}");
///
/// for check in &report.checks {
///     if let Some(advice) = &check.advice {
///         eprintln!("{}: {advice}", check.name);
///     }
/// }
/// ```
///
/// `cargo run --example doctor` prints it.
pub fn doctor() -> Report {
    Report { checks: checks::all(&facts::Facts::gather()) }
}

/// The doctor's findings, from [`doctor`]. Prints as a table, followed by what to do.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// One entry for each thing looked at, always all of them, from the kernel up to the pool.
    pub checks: Vec<Check>,
}

/// One thing that the doctor looked at.
///
/// ```
/// use millpond::Verdict;
///
/// for check in millpond::doctor().checks {
///     if check.verdict == Verdict::Refused {
///         println!("{}: {}; {}", check.name, check.found, check.advice.unwrap_or_default());
///     }
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Check {
    /// What was looked at: `"io_uring"`, `"open files"`.
    pub name: &'static str,
    /// How good the finding is for a pool.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What to do for more. Always there unless the verdict is [`Verdict::Fine`].
    pub advice: Option<String>,
}

/// How good a finding is for a pool.
/// See [`Check`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// Nothing in the way.
    Fine,
    /// A pool works, with less than the machine has, or with little room to grow.
    Limited,
    /// Does not work until it is changed. Without io_uring that is true of [`Driver::IoUring`](crate::Driver::IoUring)
    /// only: [`Driver::Auto`](crate::Driver::Auto) runs on epoll.
    Refused,
}

impl Report {
    /// Whether a pool with the default settings starts here, on io_uring: nothing is [`Verdict::Refused`].
    ///
    /// ```
    /// let report = millpond::doctor();
    /// if report.is_fine() {
    ///     assert!(report.io_uring());
    /// }
    /// ```
    pub fn is_fine(&self) -> bool {
        self.checks.iter().all(|check| check.verdict != Verdict::Refused)
    }

    /// Whether the kernel gives this process a ring. Where it does not, pools run on epoll.
    ///
    /// ```
    /// use millpond::Driver;
    ///
    /// let driver = if millpond::doctor().io_uring() { Driver::IoUring } else { Driver::Epoll };
    /// let pool = millpond::Pool::builder().worker_threads(1).driver(driver).build()?;
    /// # pool.shutdown_blocking();
    /// # Ok::<(), millpond::BuildError>(())
    /// ```
    pub fn io_uring(&self) -> bool {
        self.checks.iter().all(|check| check.name != checks::IO_URING || check.verdict != Verdict::Refused)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
        for Check { name, verdict, found, .. } in &self.checks {
            writeln!(f, "{name:width$}  {verdict:7}  {found}")?;
        }
        let advised = self.checks.iter().filter_map(|check| Some((check.name, check.advice.as_ref()?)));
        for (index, (name, advice)) in advised.enumerate() {
            if index == 0 {
                writeln!(f, "\nWhat to do:")?;
            }
            writeln!(f, "- {name}: {advice}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `pad` and not `write_str`: the table asks for a width.
        f.pad(match self {
            Verdict::Fine => "fine",
            Verdict::Limited => "limited",
            Verdict::Refused => "refused",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &'static str, verdict: Verdict, advice: Option<&str>) -> Check {
        Check { name, verdict, found: format!("found {name}"), advice: advice.map(str::to_owned) }
    }

    #[test]
    fn a_report_prints_as_a_table_and_then_what_to_do() {
        let io_uring = check("io_uring", Verdict::Refused, Some("allow it"));
        let report = Report { checks: vec![check("CPUs", Verdict::Fine, None), io_uring] };
        assert_eq!(
            report.to_string(),
            "CPUs      fine     found CPUs\n\
             io_uring  refused  found io_uring\n\
             \n\
             What to do:\n\
             - io_uring: allow it\n"
        );
        assert!(!report.is_fine() && !report.io_uring());
    }

    #[test]
    fn a_limit_is_no_refusal() {
        let report = Report { checks: vec![check("CPUs", Verdict::Limited, Some("use more"))] };
        assert!(report.is_fine() && report.io_uring());
        let report = Report { checks: vec![check("threads", Verdict::Refused, Some("allow more"))] };
        assert!(!report.is_fine() && report.io_uring());
    }

    #[test]
    fn the_doctor_looks_at_everything_and_advises_on_all_that_is_not_fine() {
        let report = doctor();
        let names: Vec<_> = report.checks.iter().map(|check| check.name).collect();
        assert_eq!(
            names,
            ["kernel", "io_uring", "locked memory", "open files", "CPUs", "CPU quota", "workers", "threads"]
        );
        for check in &report.checks {
            assert!(!check.found.is_empty());
            assert_eq!(check.advice.is_some(), check.verdict != Verdict::Fine, "{check:?}");
        }
    }
}
