//! A large file, hashed by all workers at once.
//!
//! BLAKE3 is a tree, so the pieces of a file can be hashed apart and merged. A piece is a power of two
//! bytes, hence a whole subtree; the last one is what remains. Every worker gets one job for the file and
//! takes the next piece whenever it is done with one, so none waits for a slower one.
//!
//! The file is hashed up to the length that it had when it was met: what is appended later is not read.
//! One that shrinks, or that another has replaced before a worker came to open it, has no checksum: that
//! is an error.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use blake3::hazmat::{self, ChainingValue, HasherExt, Mode};
use blake3::{Hash, Hasher};
use futures_lite::future::zip;
use millpond::JoinHandle;
use monoio::fs::{File, Metadata};

use crate::buffers::{self, Lease};
use crate::tally::Tally;

/// The smallest piece: 4 ms of hashing. Measured: 4 MiB are no better, and with 64 MiB one of two workers
/// idles through four files of that size.
const PIECE_BYTES: u64 = 16 * 1024 * 1024;

/// Beyond 64 GiB a file gets larger pieces rather than more of them, each of which takes 40 bytes.
const MAX_PIECES: u64 = 4096;

/// What the jobs of one file have in common; the last of them to end frees it.
#[derive(Debug)]
struct Large {
    path: PathBuf,
    /// Device and inode: which file the path meant when it was met.
    identity: (u64, u64),
    len: u64,
    piece_bytes: u64,
    /// The first piece that nobody has taken. Relaxed: it shares out numbers, and nothing hangs on when
    /// others see it; results travel with the jobs' ends.
    next: AtomicU64,
}

/// The number of a piece, and the value of its subtree.
type Piece = (u64, ChainingValue);

/// A file in pieces, and the jobs that hash them.
#[derive(Debug)]
pub(crate) struct Pieces {
    file: Arc<Large>,
    jobs: Vec<JoinHandle<io::Result<Vec<Piece>>>>,
}

impl Pieces {
    /// Hands a file to the pool. Its jobs open the path anew, so that a queue of large files holds no file
    /// open that is not being read.
    pub(crate) fn spawn(path: &Path, metadata: &Metadata, tally: &Arc<Tally>) -> Self {
        let file = Arc::new(Large {
            path: path.to_owned(),
            identity: (metadata.dev(), metadata.ino()),
            len: metadata.len(),
            piece_bytes: metadata.len().div_ceil(MAX_PIECES).next_power_of_two().max(PIECE_BYTES),
            next: AtomicU64::new(0),
        });
        let (large, tally) = (file.clone(), tally.clone());
        // Boxed, so that a job that waits takes the room of a pointer, and not that of the hashers.
        let job = move |_| Box::pin(hash_pieces(large.clone(), tally.clone()));
        let jobs = match file.pieces() {
            1 => vec![millpond::spawn(move || job(millpond::worker_id()))],
            _ => millpond::broadcast(job).into_handles(),
        };
        Self { file, jobs }
    }

    /// Waits for every piece and merges them.
    pub(crate) async fn join(self) -> io::Result<Hash> {
        let mut pieces = Vec::new();
        for job in self.jobs {
            // Ended by the job's end: a join handle always resolves. After an error the others end soon.
            pieces.extend(job.await.map_err(io::Error::other)??);
        }
        pieces.sort_unstable_by_key(|&(number, _)| number);
        let values: Vec<ChainingValue> = pieces.into_iter().map(|(_, value)| value).collect();
        Ok(self.file.merge(&values))
    }
}

/// One worker's part in a file: two pieces at a time, so that one is hashed while the other is read.
async fn hash_pieces(large: Arc<Large>, tally: Arc<Tally>) -> io::Result<Vec<Piece>> {
    if large.pieces() == 1 {
        return large.take_pieces(&tally).await;
    }
    let (mut pieces, more) = match zip(large.take_pieces(&tally), large.take_pieces(&tally)).await {
        (Ok(pieces), Ok(more)) => (pieces, more),
        (Err(error), _) | (_, Err(error)) => return Err(error),
    };
    pieces.extend(more);
    Ok(pieces)
}

impl Large {
    fn pieces(&self) -> u64 {
        self.len.div_ceil(self.piece_bytes)
    }

    fn take(&self) -> Option<u64> {
        Some(self.next.fetch_add(1, Relaxed)).filter(|&number| number < self.pieces())
    }

    async fn take_pieces(&self, tally: &Tally) -> io::Result<Vec<Piece>> {
        let mut buffer = buffers::large().await;
        let Some(first) = self.take() else { return Ok(Vec::new()) };
        let file = File::open(&self.path).await?;
        let pieces = self.hash_from(first, &file, &mut buffer, tally).await;
        file.close().await?;
        if pieces.is_err() {
            // Nobody needs the other pieces now.
            self.next.store(self.pieces(), Relaxed);
        }
        pieces
    }

    async fn hash_from(
        &self,
        first: u64,
        file: &File,
        buffer: &mut Lease,
        tally: &Tally,
    ) -> io::Result<Vec<Piece>> {
        let metadata = file.metadata().await?;
        if (metadata.dev(), metadata.ino()) != self.identity {
            return Err(io::Error::other("replaced by another file while it was read"));
        }
        let mut pieces = Vec::new();
        let mut next = Some(first);
        while let Some(number) = next {
            pieces.push((number, self.hash_piece(number, file, buffer, tally).await?));
            next = self.take();
        }
        Ok(pieces)
    }

    async fn hash_piece(
        &self,
        number: u64,
        file: &File,
        buffer: &mut Lease,
        tally: &Tally,
    ) -> io::Result<ChainingValue> {
        let mut offset = number * self.piece_bytes;
        let end = self.len.min(offset + self.piece_bytes);
        let mut hasher = Hasher::new();
        hasher.set_input_offset(offset);
        while offset < end {
            let bytes = buffer.read_at(file, offset).await?;
            if bytes.is_empty() {
                return Err(io::Error::other(format!("cut to {offset} bytes or fewer while it was read")));
            }
            let remaining = usize::try_from(end - offset).unwrap_or(usize::MAX);
            let bytes = &bytes[..bytes.len().min(remaining)];
            hasher.update(bytes);
            offset += bytes.len() as u64;
            tally.add_bytes(bytes.len() as u64);
        }
        // The only piece is the root of its tree, and finished as such.
        Ok(if self.pieces() == 1 { hasher.finalize().into() } else { hasher.finalize_non_root() })
    }

    fn merge(&self, values: &[ChainingValue]) -> Hash {
        if let [root] = values {
            return (*root).into();
        }
        let (left, right) = self.halves(values, self.len);
        hazmat::merge_subtrees_root(&left, &right, Mode::Hash)
    }

    /// The subtree over `len` bytes, `values` being those of its pieces.
    fn subtree(&self, values: &[ChainingValue], len: u64) -> ChainingValue {
        if let [value] = values {
            return *value;
        }
        let (left, right) = self.halves(values, len);
        hazmat::merge_subtrees_non_root(&left, &right, Mode::Hash)
    }

    fn halves(&self, values: &[ChainingValue], len: u64) -> (ChainingValue, ChainingValue) {
        let left_len = hazmat::left_subtree_len(len);
        let (left, right) = values.split_at((left_len / self.piece_bytes) as usize);
        (self.subtree(left, left_len), self.subtree(right, len - left_len))
    }
}
