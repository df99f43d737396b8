//! The names of the files.

use std::{
    error::Error,
    fs, io,
    path::{Path, PathBuf},
};

use millpond_nats::{Client, Publisher};

use crate::{FILES_SUBJECT, File};

/// Publishes the name of each file below the paths. One that was published a moment ago is not published again.
pub(crate) async fn run(client: Client, paths: &[String]) -> Result<(), Box<dyn Error>> {
    let publisher = Publisher::builder(&client).build()?;
    for path in paths {
        let path = fs::canonicalize(path).map_err(|error| format!("{path}: {error}"))?;
        for path in files(path) {
            let path =
                path?.into_os_string().into_string().map_err(|path| format!("{path:?} is no UTF-8"))?;
            // Waits while too many are on their way; the answers are counted at the end.
            drop(publisher.publish_with_id(FILES_SUBJECT, &path.clone(), &File { path }).await?);
        }
    }
    let receipt = publisher.flush().await;
    println!("{} files, and {} that were there already", receipt.published, receipt.duplicates);
    if receipt.failed > 0 { Err(format!("{} names were not stored", receipt.failed).into()) } else { Ok(()) }
}

/// The files at and below a path, in the order of their names. Links are not followed.
fn files(path: PathBuf) -> Box<dyn Iterator<Item = io::Result<PathBuf>>> {
    let entries = match fs::symlink_metadata(&path) {
        Ok(metadata) if metadata.is_file() => return Box::new([Ok(path)].into_iter()),
        Ok(metadata) if metadata.is_dir() => sorted(&path),
        Ok(_) => return Box::new([].into_iter()),
        Err(error) => Err(error),
    };
    match entries {
        Ok(entries) => Box::new(entries.into_iter().flat_map(files)),
        Err(error) => Box::new([Err(error)].into_iter()),
    }
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let mut entries = entries.collect::<io::Result<Vec<PathBuf>>>()?;
    entries.sort_unstable();
    Ok(entries)
}
