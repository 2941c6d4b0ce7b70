//! Large values, each in a file of its own beside the database.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::StoreError;
use crate::record::Key;

/// The folder of large values.
pub(crate) struct Large(PathBuf);

impl Large {
    pub(crate) fn beside(database: &Path) -> Large {
        let mut name = database.file_name().unwrap_or_default().to_owned();
        name.push(".values");
        Large(database.with_file_name(name))
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.0.join(blake3::Hash::from_bytes(*key).to_hex().as_str())
    }

    /// Nobody sees a part of it: it gets its name when it is whole.
    pub(crate) fn write(&self, key: &Key, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.path(key);
        let half = path.with_extension("half");
        let written = fs::create_dir_all(&self.0).and_then(|()| {
            let mut file = File::create(&half)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&half, &path)
        });
        written.map_err(|error| {
            let _ = fs::remove_file(&half);
            StoreError::io(&path, error)
        })
    }

    /// Sees to it that the names of what was written are on the disk as well. Where a folder can't be opened as a file
    /// is, or its file system knows of no such thing, they are the system's to care for.
    pub(crate) fn settle(&self) {
        for folder in [Some(&*self.0), self.0.parent()].into_iter().flatten() {
            let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            let _ = File::open(here).and_then(|folder| folder.sync_all());
        }
    }

    pub(crate) fn read(&self, key: &Key) -> Option<Vec<u8>> {
        fs::read(self.path(key)).ok()
    }

    pub(crate) fn remove(&self, key: &Key) {
        let _ = fs::remove_file(self.path(key));
    }

    /// Removes what no note leads to: a program was killed before it could write that.
    pub(crate) fn sweep(&self, is_known: impl Fn(&Key) -> bool) {
        let Ok(entries) = fs::read_dir(&self.0) else { return };
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let key = blake3::Hash::from_hex(name).map(|hash| *hash.as_bytes());
            if !key.is_ok_and(|key| is_known(&key)) {
                let _ = fs::remove_file(&path);
            }
        }
    }

    /// Whether there are any.
    pub(crate) fn is_there(&self) -> bool {
        self.0.is_dir()
    }
}
