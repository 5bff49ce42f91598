//! What tests need and takes long to make: made once, into the user's cache folder.

use std::{
    env,
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use anyhow::Context;

/// How long what was made of other sources is kept after its last use.
const KEEP: Duration = Duration::from_secs(7 * 24 * 3600);

/// The folder of what is made of sources with this `digest`. If there is none, `make` fills it: beside the final place and renamed,
/// so that the folder is complete or not there.
///
/// # Errors
/// No cache folder, or that of `make`.
pub(crate) fn find_or_make(
    digest: &str,
    make: impl FnOnce(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<PathBuf> {
    let cache = folder()?;
    let folder = cache.join(digest);
    fs::create_dir_all(&cache).with_context(|| format!("could not create `{}`", cache.display()))?;
    // Held until it is there.
    let lock = File::create(cache.join("lock"))?;
    if !folder.is_dir() {
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                eprintln!("waiting for another process that makes what tests need");
                lock.lock()?;
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        if !folder.is_dir() {
            let temporary = tempfile::Builder::new().prefix("building-").tempdir_in(&cache)?;
            make(temporary.path())?;
            fs::rename(temporary.keep(), &folder)?;
            remove_unused(&cache, &folder);
        }
    }
    // The time of last use, by which old ones are removed; a read-only cache works as well.
    File::create(folder.join("used")).ok();
    Ok(folder)
}

/// `$XDG_CACHE_HOME` or `~/.cache`, and our place there.
fn folder() -> anyhow::Result<PathBuf> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = absolute("XDG_CACHE_HOME")
        .or_else(|| Some(absolute("HOME")?.join(".cache")))
        .context("neither XDG_CACHE_HOME nor HOME names a folder for what tests need")?;
    Ok(cache.join("portcullis").join("tests"))
}

/// Removes what was made of other sources and nobody has used for a while; a Kubernetes is 290 MB.
fn remove_unused(cache: &Path, current: &Path) {
    let Ok(entries) = fs::read_dir(cache) else { return };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        if path != current && path.is_dir() && unused(&path).unwrap_or(false) {
            fs::remove_dir_all(&path).ok();
        }
    }
}

fn unused(made: &Path) -> std::io::Result<bool> {
    let used = fs::metadata(made.join("used")).or_else(|_| fs::metadata(made))?.modified()?;
    Ok(SystemTime::now().duration_since(used).is_ok_and(|age| age > KEEP))
}
