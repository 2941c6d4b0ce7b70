//! What can go wrong with a store.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a store can't be opened, or can't keep something.
///
/// ```
/// use asynckit_store::{Store, StoreError};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("results.redb");
/// std::fs::write(&path, "no database")?;
/// let error = Store::open(&path).unwrap_err();
/// assert!(matches!(error, StoreError::Damaged { .. }));
/// assert!(error.to_string().contains("results.redb"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// Somebody has it open: another process, or another store of this one.
    InUse {
        /// Its file.
        path: PathBuf,
    },
    /// The file is no store, or what is left of one.
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The system would not.
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl StoreError {
    pub(crate) fn io(path: &Path, source: io::Error) -> StoreError {
        StoreError::Io { path: path.to_owned(), source }
    }

    pub(crate) fn damaged(path: &Path, why: impl fmt::Display) -> StoreError {
        StoreError::Damaged { path: path.to_owned(), why: why.to_string() }
    }

    /// What the database says.
    pub(crate) fn of(path: &Path, error: impl Into<redb::Error>) -> StoreError {
        match error.into() {
            redb::Error::Io(source) => match source.kind() {
                // So it says of a file that is none of its own.
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
                    StoreError::damaged(path, source)
                }
                _ => StoreError::io(path, source),
            },
            redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => {
                StoreError::InUse { path: path.to_owned() }
            }
            redb::Error::PreviousIo => {
                StoreError::io(path, io::Error::other("it could not be written before"))
            }
            other => StoreError::damaged(path, other),
        }
    }

    /// Whether the file may only be read.
    pub(crate) fn is_forbidden(&self) -> bool {
        let StoreError::Io { source, .. } = self else { return false };
        matches!(source.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::InUse { path } => {
                write!(
                    f,
                    "the store {} is open already, in this program or another",
                    path.display()
                )
            }
            StoreError::Damaged { path, why } => write!(
                f,
                "{} is no store, or a damaged one ({why}); `Store::open_or_reset` begins anew",
                path.display()
            ),
            StoreError::Io { path, source } => write!(f, "the store {}: {source}", path.display()),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            StoreError::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
