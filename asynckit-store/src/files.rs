//! Files as arguments and values.

use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::context;
use crate::stamp::{Contents, Stamp, Stamps};

/// A file, or a folder, whose contents count: as an argument it is another one when they have changed.
///
/// Its size and the time of its last change are the shortcut: where these stay, it is not read again. A file that
/// is changed while the work reads it is noticed by them, and the result is not kept. The path counts as it is
/// written, as the work may go by it. To a worker of a cluster it goes as its path.
///
/// ```
/// use asynckit::{Pool, async_work};
/// use asynckit_store::{InputFile, Store};
///
/// #[async_work(keep)]
/// fn words(text: InputFile) -> std::io::Result<usize> {
///     Ok(std::fs::read_to_string(&text)?.split_whitespace().count())
/// }
///
/// let folder = tempfile::tempdir()?;
/// let (pool, store) = (Pool::new(1), Store::open(folder.path().join("results.redb")).unwrap());
/// let text = folder.path().join("text");
/// std::fs::write(&text, "one two")?;
/// assert_eq!(words(text.clone().into()).spawn_on(&store.on(&pool)).get()?, 2);
/// assert_eq!(words(text.clone().into()).spawn_on(&store.on(&pool)).get()?, 2); // was kept
/// std::fs::write(&text, "one two three")?;
/// assert_eq!(words(text.into()).spawn_on(&store.on(&pool)).get()?, 3);
/// assert_eq!(store.stats().hits, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InputFile(PathBuf);

/// A file, or a folder, that work has written: a value that counts only while that is there, unchanged.
///
/// As an argument of other work it counts by its contents, as an [`InputFile`]. To and from a worker of a cluster it goes as
/// its path.
///
/// ```
/// use std::path::PathBuf;
/// use asynckit::{Pool, async_work};
/// use asynckit_store::{OutputFile, Store};
///
/// #[async_work(keep)]
/// fn write(path: PathBuf) -> std::io::Result<OutputFile> {
///     std::fs::write(&path, "a report")?;
///     Ok(path.into())
/// }
///
/// let folder = tempfile::tempdir()?;
/// let (pool, store) = (Pool::new(1), Store::open(folder.path().join("results.redb")).unwrap());
/// let path = folder.path().join("report");
/// write(path.clone()).spawn_on(&store.on(&pool)).get()?;
/// std::fs::remove_file(&path)?;
/// let again = write(path.clone()).spawn_on(&store.on(&pool)).get()?;
/// assert!(again.exists()); // it was written again
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OutputFile(PathBuf);

macro_rules! paths {
    ($($file:ident)*) => { $(
        impl $file {
            /// The file at a path.
            pub fn new(path: impl Into<PathBuf>) -> $file {
                $file(path.into())
            }

            /// Its path.
            pub fn path(&self) -> &Path {
                &self.0
            }
        }

        impl<P: Into<PathBuf>> From<P> for $file {
            fn from(path: P) -> $file {
                $file(path.into())
            }
        }

        impl Deref for $file {
            type Target = Path;

            fn deref(&self) -> &Path {
                &self.0
            }
        }

        impl AsRef<Path> for $file {
            fn as_ref(&self) -> &Path {
                &self.0
            }
        }
    )* };
}
paths!(InputFile OutputFile);

/// The path and the contents, which belong to the key that is made.
fn seen<'p>(stamps: &Stamps, path: &'p Path) -> io::Result<(&'p Path, Contents)> {
    let (seen, contents) = stamps.contents(path)?;
    context::note(seen);
    Ok((path, contents))
}

fn cant_read(path: &Path, error: io::Error) -> String {
    let words = format!("can't read {}: {error}", path.display());
    context::note_trouble(&words);
    words
}

impl Serialize for InputFile {
    /// In a key its contents belong to it. Anywhere else, as on its way to another process, it is the path.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(stamps) = context::stamps() else { return self.0.serialize(serializer) };
        let failed = |error| S::Error::custom(cant_read(&self.0, error));
        seen(&stamps, &self.0).map_err(failed)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for InputFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<InputFile, D::Error> {
        PathBuf::deserialize(deserializer).map(InputFile)
    }
}

/// An output as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    path: PathBuf,
    stamp: Stamp,
    contents: Contents,
}

impl Serialize for OutputFile {
    /// In a store with what it contains now. Anywhere else, as on its way to another process, it is the path.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let failed = |error| S::Error::custom(cant_read(&self.0, error));
        if let Some(stamps) = context::stamps() {
            return seen(&stamps, &self.0).map_err(failed)?.serialize(serializer);
        }
        if !context::is_value() {
            return self.0.serialize(serializer);
        }
        let stamp = Stamp::of(&self.0).map_err(failed)?;
        let contents = Contents::of(&self.0).map_err(failed)?;
        Kept { path: self.0.clone(), stamp, contents }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for OutputFile {
    /// From a store: fails where the file is not there as it was.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<OutputFile, D::Error> {
        if !context::is_value() {
            return PathBuf::deserialize(deserializer).map(OutputFile);
        }
        let Kept { path, stamp, contents } = Kept::deserialize(deserializer)?;
        let is_there = match Stamp::of(&path) {
            Ok(now) => now == stamp || Contents::of(&path).is_ok_and(|now| now == contents),
            Err(_) => false,
        };
        if !is_there {
            return Err(D::Error::custom(format!("{} is not there as it was", path.display())));
        }
        Ok(OutputFile(path))
    }
}
