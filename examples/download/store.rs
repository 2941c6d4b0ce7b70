//! Where pages are kept: each file appears in the directory whole, or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock};

use tempfile::NamedTempFile;

use crate::names::Names;

/// A directory of downloaded pages.
pub struct Store {
    dir: PathBuf,
    names: Mutex<Names>,
    /// Saving holds it shared, closing alone: no temporary file is left once the store is closed.
    open: RwLock<bool>,
}

impl Store {
    /// Opens the directory, and makes it where it is missing.
    pub fn open(dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        Ok(Self {
            dir: dir.to_owned(),
            names: Mutex::new(Names::new(dir)),
            open: RwLock::new(true),
        })
    }

    /// A file name for the page at this URL, which no other page gets.
    pub fn claim(&self, url: &str) -> String {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).claim(url)
    }

    /// Writes a page under a name that was claimed for it: to a temporary file, which is then renamed.
    pub fn save(&self, name: &str, page: &[u8]) -> io::Result<()> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        if !*open {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let mut file = temporary_file(&self.dir)?;
        file.write_all(page)?;
        file.as_file().sync_all()?;
        file.persist_noclobber(self.dir.join(name))?;
        Ok(())
    }

    /// Waits for the files being written, and takes no more.
    pub fn close(&self) {
        *self.open.write().unwrap_or_else(PoisonError::into_inner) = false;
    }
}

/// A file that removes itself unless it is renamed; once it is, others may read it as any other file.
fn temporary_file(dir: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".download-").suffix(".part");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(dir)
}
