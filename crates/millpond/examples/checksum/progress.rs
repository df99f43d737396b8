//! The progress bar: on standard error, and only where that is a terminal.

use std::convert::Infallible;
use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::args::Args;
use crate::list::List;
use crate::tally::Tally;

/// How often the bar moves: smooth to the eye, and nothing beside the work.
const REFRESH: Duration = Duration::from_millis(100);

const COUNTING: &str = "{spinner} {binary_bytes} {binary_bytes_per_sec}, counting what there is to read";
const COUNTED: &str = "{bar:30} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} ETA {eta}";

#[derive(Clone, Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let shown = std::io::stderr().is_terminal();
        let bar = if shown { ProgressBar::new(0).with_style(style(COUNTING)) } else { ProgressBar::hidden() };
        Self { bar }
    }

    pub(crate) fn is_shown(&self) -> bool {
        !self.bar.is_hidden()
    }

    /// Moves the bar as the workers go on, until it is dropped.
    pub(crate) async fn follow(self, tally: &Tally) -> Infallible {
        if !self.is_shown() {
            return std::future::pending().await;
        }
        loop {
            self.bar.set_position(tally.bytes());
            self.bar.tick();
            // Ended by the timer of the thread that prints.
            monoio::time::sleep(REFRESH).await;
        }
    }

    /// Writes something else to the terminal without the bar in between.
    pub(crate) fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// Adds up the sizes of all files, far ahead of the workers: without the sum there is no saying when
    /// they will be done. Blocks. What cannot be sized now is left out; the workers will meet it again.
    pub(crate) fn count(&self, args: &Args) {
        for path in &args.paths {
            if args.check { self.count_list(path) } else { self.count_tree(path) }
        }
        self.bar.set_style(style(COUNTED));
    }

    fn count_list(&self, path: &Path) {
        // A list that is no file can be read once only.
        if !path.is_file() {
            return;
        }
        let Ok(mut list) = List::open(path) else { return };
        while let (false, Ok(Some(line))) = (self.bar.is_finished(), list.next()) {
            if let Ok(entry) = line {
                self.count_file(&entry.path);
            }
        }
    }

    fn count_tree(&self, root: &Path) {
        let Ok(entries) = std::fs::read_dir(root) else { return self.count_file(root) };
        // One open directory a level, and no list of names, however many there are.
        let mut levels = vec![entries];
        while let (false, Some(level)) = (self.bar.is_finished(), levels.last_mut()) {
            match level.next() {
                Some(Ok(entry)) if entry.file_type().is_ok_and(|kind| kind.is_dir()) => {
                    levels.extend(std::fs::read_dir(entry.path()));
                }
                Some(Ok(entry)) => self.count_file(&entry.path()),
                Some(Err(_)) | None => drop(levels.pop()),
            }
        }
    }

    fn count_file(&self, path: &Path) {
        if let Ok(metadata) = std::fs::metadata(path) {
            if metadata.is_file() {
                self.bar.inc_length(metadata.len());
            }
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is a constant")
}
