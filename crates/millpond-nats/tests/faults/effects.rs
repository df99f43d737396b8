//! What jobs have done to the world: a record for each run, in a file that all processes append to.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

const RECORD_BYTES: usize = 8;

/// One run of a job.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effect {
    pub(crate) job: u32,
    /// The number of the process that ran it.
    pub(crate) by: u32,
}

#[derive(Debug)]
pub(crate) struct Effects {
    /// Each write goes to its end, as a whole or not at all: it is short, and no signal ends a write to a file half-way.
    file: File,
    path: PathBuf,
}

impl Effects {
    /// Of this file, which is made if it is not there.
    pub(crate) fn open(path: &Path) -> Effects {
        let file = File::options().create(true).append(true).open(path).expect("a folder of ours");
        Effects { file, path: path.to_owned() }
    }

    pub(crate) fn append(&self, Effect { job, by }: Effect) {
        let record = [job.to_le_bytes(), by.to_le_bytes()].concat();
        let written = (&self.file).write(&record).expect("there is room");
        assert_eq!(written, RECORD_BYTES);
    }

    /// All of them, in order.
    pub(crate) fn read(&self) -> Vec<Effect> {
        let bytes = fs::read(&self.path).expect("a file of ours");
        let (records, rest) = bytes.as_chunks::<RECORD_BYTES>();
        assert!(rest.is_empty(), "a record is whole");
        let word = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().expect("four bytes"));
        records.iter().map(|record| Effect { job: word(&record[..4]), by: word(&record[4..]) }).collect()
    }
}
