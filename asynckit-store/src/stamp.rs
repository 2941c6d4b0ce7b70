//! What files contain: a hash, with size and time of the last change as a shortcut.

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// What a file or a folder contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Contents(pub(crate) [u8; 32]);

/// What a file or a folder looks like from outside: two files of one stamp are taken for the same, if that is old
/// enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    /// Its size, or a hash of the stamps of all that is in a folder.
    size: u64,
    /// The last change, in nanoseconds since 1970.
    changed: u64,
}

/// A file that is changed so shortly after a look at it may have the same time as before.
const GRAIN: Duration = Duration::from_secs(2);
/// The same of a clock that tells parts of a second.
const TICK: Duration = Duration::from_millis(20);

/// A file that belongs to a key, as it was when that was made.
pub(crate) struct Seen {
    path: PathBuf,
    stamp: Stamp,
    /// What was in it, where a change right after that would not show by its stamp.
    contents: Option<Contents>,
}

impl Seen {
    /// Whether it contains something else now.
    pub(crate) fn has_changed(&self) -> bool {
        let is_same = |now| now == self.stamp;
        !Stamp::of(&self.path).is_ok_and(is_same)
            || self.contents.is_some_and(|before| {
                !Contents::of(&self.path).is_ok_and(|contents| contents == before)
            })
    }
}

impl Stamp {
    pub(crate) fn of(path: &Path) -> io::Result<Stamp> {
        let data = fs::metadata(path)?;
        if !data.is_dir() {
            return Ok(Stamp { size: data.len(), changed: changed(&data) });
        }
        let (mut hash, mut newest) = (blake3::Hasher::new(), changed(&data));
        for (name, inside) in sorted(path)? {
            let stamp = Stamp::of(&inside)?;
            newest = newest.max(stamp.changed);
            for part in
                [name.as_encoded_bytes(), &stamp.size.to_le_bytes(), &stamp.changed.to_le_bytes()]
            {
                hash.update(&(part.len() as u64).to_le_bytes());
                hash.update(part);
            }
        }
        let hash = hash.finalize();
        let first = hash.as_bytes().first_chunk().unwrap_or(&[0; 8]);
        Ok(Stamp { size: u64::from_le_bytes(*first), changed: newest })
    }

    /// Whether a change from now on shows, whatever the clock of files is like.
    fn is_settled(&self) -> bool {
        self.is_older_than(GRAIN)
    }

    /// Whether a change from now on shows, by a clock of files that tells parts of a second if this does.
    fn shows_changes(&self) -> bool {
        let tells_parts = !self.changed.is_multiple_of(1_000_000_000);
        self.is_older_than(if tells_parts { TICK } else { GRAIN })
    }

    fn is_older_than(&self, age: Duration) -> bool {
        self.changed.saturating_add(age.as_nanos() as u64) < nanoseconds(SystemTime::now())
    }
}

fn nanoseconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}

fn changed(data: &Metadata) -> u64 {
    data.modified().map_or(0, nanoseconds)
}

/// What is in a folder, by name.
fn sorted(folder: &Path) -> io::Result<Vec<(std::ffi::OsString, PathBuf)>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        all.push((entry.file_name(), entry.path()));
    }
    all.sort();
    Ok(all)
}

impl Contents {
    /// Reads it all.
    pub(crate) fn of(path: &Path) -> io::Result<Contents> {
        let mut hash = blake3::Hasher::new();
        let data = fs::metadata(path)?;
        if data.is_dir() {
            hash.update(b"folder");
            for (name, inside) in sorted(path)? {
                hash.update(&(name.len() as u64).to_le_bytes());
                hash.update(name.as_encoded_bytes());
                hash.update(&Contents::of(&inside)?.0);
            }
        } else if !data.is_file() {
            // One would wait for a pipe to end.
            return Err(io::Error::other("neither a file nor a folder"));
        } else {
            hash.update(b"file");
            let (mut file, mut buffer) = (File::open(path)?, vec![0; 64 * 1024]);
            loop {
                match file.read(&mut buffer)? {
                    0 => break,
                    read => hash.update(&buffer[..read]),
                };
            }
        }
        Ok(Contents(*hash.finalize().as_bytes()))
    }
}

/// The contents of files that were read, as long as their stamps stay.
#[derive(Default)]
pub(crate) struct Stamps(Mutex<HashMap<PathBuf, (Stamp, Contents)>>);

impl Stamps {
    /// The contents, read where they may have changed since the last time.
    pub(crate) fn contents(&self, path: &Path) -> io::Result<(Seen, Contents)> {
        let stamp = Stamp::of(path)?;
        let shows = stamp.shows_changes();
        let seen = |contents| {
            let before = (!shows).then_some(contents);
            (Seen { path: path.to_owned(), stamp, contents: before }, contents)
        };
        let known = self.lock().get(path).copied();
        if let Some((before, contents)) = known
            && before == stamp
        {
            return Ok(seen(contents));
        }
        let contents = Contents::of(path)?;
        if stamp.is_settled() && Stamp::of(path)? == stamp {
            self.lock().insert(path.to_owned(), (stamp, contents));
        }
        Ok(seen(contents))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<PathBuf, (Stamp, Contents)>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
