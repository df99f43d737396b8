//! How each contender reads files: one file each, and what several of them share.

mod blocking;
mod compio;
mod fed;
mod millpond;
mod monoio;
mod rayon;
mod tokio;

pub(super) use blocking::{StdFlume, contenders};
pub(super) use compio::Compio;
pub(super) use millpond::Millpond;
pub(super) use monoio::FlumeMonoio;
pub(super) use rayon::Rayon;
pub(super) use tokio::{Blocking as TokioBlocking, Fs as TokioFs};
