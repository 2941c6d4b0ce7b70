//! The database: what is in it, and how it is read and written.
//!
//! Values that are large lie in a folder beside it, a file each (`large.rs`). No panic of the database's gets
//! further than this file, whatever a damaged one leads to.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use redb::{
    Database, Durability, ReadOnlyDatabase, ReadTransaction, ReadableDatabase, ReadableTable,
    TableDefinition, WriteTransaction,
};

use crate::error::StoreError;
use crate::large::Large;
use crate::record::{Function, Key, Known, Lies, Note, Used, check};

/// What is known of a value; behind it the value, where it is small.
const NOTES: TableDefinition<Key, &[u8]> = TableDefinition::new("notes");
/// The value, where it is neither small nor large.
const VALUES: TableDefinition<Key, &[u8]> = TableDefinition::new("values");
/// When it was last used, and how often.
const USES: TableDefinition<Key, (u64, u64)> = TableDefinition::new("uses");
const FUNCTIONS: TableDefinition<[u8; 16], &[u8]> = TableDefinition::new("functions");

/// A database that is open.
enum Open {
    Whole(Database),
    ReadOnly(ReadOnlyDatabase),
}

/// The database of a store, until that is closed.
pub(crate) struct Disk {
    path: PathBuf,
    pub(crate) large: Large,
    open: RwLock<Option<Open>>,
}

/// A value that is to be written.
pub(crate) struct Put {
    pub(crate) note: Note,
    pub(crate) known: Arc<Known>,
    pub(crate) bytes: Arc<Vec<u8>>,
}

/// What is to be written together.
#[derive(Default)]
pub(crate) struct Batch<'a> {
    pub(crate) puts: Vec<(Key, &'a Put)>,
    pub(crate) uses: Vec<(Key, Used)>,
    pub(crate) forget: Vec<Key>,
}

/// One of what is there.
pub(crate) struct Row {
    pub(crate) key: Key,
    pub(crate) note: Note,
    pub(crate) function: Function,
    pub(crate) used: Used,
}

impl Disk {
    /// Opens it, and makes it where it is not there. Where the file may not be written it is read only, and empty
    /// if there is none: the error says so.
    ///
    /// `checked`: all of it is read, so that damage shows now and not later.
    pub(crate) fn open(
        path: &Path,
        checked: bool,
    ) -> Result<(Disk, Option<StoreError>), StoreError> {
        let large = Large::beside(path);
        let disk = |open| Disk { path: path.to_owned(), large, open: RwLock::new(open) };
        match open_whole(path, checked) {
            Ok(database) => Ok((disk(Some(Open::Whole(database))), None)),
            Err(error) if error.is_forbidden() => {
                let there =
                    guarded(path, || ReadOnlyDatabase::open(path).map_err(redb::Error::from));
                Ok((disk(there.ok().map(Open::ReadOnly)), Some(error)))
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it can be written.
    pub(crate) fn is_writable(&self) -> bool {
        matches!(*self.read_lock(), Some(Open::Whole(_)))
    }

    pub(crate) fn close(&self) {
        let open = self.open.write().unwrap_or_else(PoisonError::into_inner).take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(open)));
    }

    /// After an error in writing the database takes no more: it is opened anew.
    pub(crate) fn open_anew(&self) -> Result<(), StoreError> {
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        if !matches!(*open, Some(Open::Whole(_))) {
            return Ok(());
        }
        let before = open.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(before)));
        *open = Some(Open::Whole(open_whole(&self.path, false)?));
        Ok(())
    }

    fn read_lock(&self) -> std::sync::RwLockReadGuard<'_, Option<Open>> {
        self.open.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<R>(
        &self,
        read: impl FnOnce(&ReadTransaction) -> Result<R, redb::Error>,
    ) -> Result<Option<R>, StoreError> {
        let open = self.read_lock();
        let Some(open) = &*open else { return Ok(None) };
        guarded(&self.path, || {
            let transaction = match open {
                Open::Whole(database) => database.begin_read()?,
                Open::ReadOnly(database) => database.begin_read()?,
            };
            read(&transaction).map(Some)
        })
    }

    /// A value and what is known of it, where it is `wanted`, there and whole.
    pub(crate) fn find(
        &self,
        key: &Key,
        wanted: impl FnOnce(&Note) -> bool,
    ) -> Result<Option<(Note, Vec<u8>)>, StoreError> {
        let found = self.read(|transaction| {
            let notes = transaction.open_table(NOTES)?;
            let Some(bytes) = notes.get(key)? else { return Ok(None) };
            let Some((note, behind)) = Note::from_bytes(bytes.value()) else { return Ok(None) };
            let value = match note.lies {
                _ if !wanted(&note) => None,
                Lies::There => Some(behind.to_vec()),
                Lies::Apart => {
                    let values = transaction.open_table(VALUES)?;
                    values.get(key)?.map(|value| value.value().to_vec())
                }
                Lies::Beside => self.large.read(key),
            };
            Ok(value.map(|value| (note, value)))
        })?;
        Ok(found.flatten().filter(|(note, value)| check(value) == note.check))
    }

    /// All that is there.
    pub(crate) fn rows(&self) -> Result<Vec<Row>, StoreError> {
        let rows = self.read(|transaction| {
            let (notes, uses) = (transaction.open_table(NOTES)?, transaction.open_table(USES)?);
            let functions = transaction.open_table(FUNCTIONS)?;
            let mut rows = Vec::new();
            for entry in notes.iter()? {
                let (key, note) = entry?;
                let Some((note, _)) = Note::from_bytes(note.value()) else { continue };
                let function = functions.get(note.function)?;
                let function =
                    function.and_then(|bytes| Some(Function::from_bytes(bytes.value())?.0));
                let Some(function) = function else { continue };
                let used = uses.get(key.value())?.map(|used| Used::from(used.value()));
                let used = used.unwrap_or(Used { last: note.made, hits: 0 });
                rows.push(Row { key: key.value(), note, function, used });
            }
            Ok(rows)
        })?;
        Ok(rows.unwrap_or_default())
    }

    /// Writes all of it, or nothing; it is on the disk when this returns.
    pub(crate) fn write(&self, batch: &Batch<'_>) -> Result<(), StoreError> {
        let open = self.read_lock();
        let Some(Open::Whole(database)) = &*open else {
            return Ok(());
        };
        // First, so that what the database says is there is.
        let beside = |(_, put): &&(Key, &Put)| put.note.lies == Lies::Beside;
        for (key, put) in batch.puts.iter().filter(beside) {
            self.large.write(key, &put.bytes)?;
        }
        if batch.puts.iter().any(|put| beside(&put)) {
            self.large.settle();
        }
        let gone = guarded(&self.path, || {
            let mut transaction = database.begin_write()?;
            transaction.set_durability(Durability::Immediate)?;
            let gone = fill(&transaction, batch)?;
            transaction.commit()?;
            Ok(gone)
        })?;
        for key in gone.iter().chain(&batch.forget) {
            self.large.remove(key);
        }
        Ok(())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.close();
    }
}

/// Also says which values were files of their own, and are no more.
fn fill(transaction: &WriteTransaction, batch: &Batch<'_>) -> Result<Vec<Key>, redb::Error> {
    let mut gone = Vec::new();
    let (mut notes, mut values) = (transaction.open_table(NOTES)?, transaction.open_table(VALUES)?);
    let mut uses = transaction.open_table(USES)?;
    let mut functions = transaction.open_table(FUNCTIONS)?;
    let mut last = None;
    for (key, put) in &batch.puts {
        let id = put.note.function;
        if last != Some(id) && functions.get(id)?.is_none() {
            functions.insert(id, put.known.function.to_bytes().as_slice())?;
        }
        last = Some(id);
        let mut note = put.note.to_bytes();
        match put.note.lies {
            Lies::There => note.extend_from_slice(&put.bytes),
            Lies::Apart => drop(values.insert(key, put.bytes.as_slice())?),
            Lies::Beside => {}
        }
        let before = notes.insert(key, note.as_slice())?;
        let before = before.and_then(|note| Some(Note::from_bytes(note.value())?.0.lies));
        match before.filter(|lies| *lies != put.note.lies) {
            Some(Lies::Apart) => drop(values.remove(key)?),
            Some(Lies::Beside) => gone.push(*key),
            Some(Lies::There) | None => {}
        }
    }
    for (key, used) in &batch.uses {
        if notes.get(key)?.is_none() {
            continue;
        }
        let hits = uses.get(key)?.map_or(0, |before| before.value().1);
        uses.insert(key, (used.last, hits + used.hits))?;
    }
    for key in &batch.forget {
        notes.remove(key)?;
        values.remove(key)?;
        uses.remove(key)?;
    }
    Ok(gone)
}

/// Opens a database, and sees to it that its tables are there.
fn open_whole(path: &Path, checked: bool) -> Result<Database, StoreError> {
    guarded(path, || {
        let mut builder = Database::builder();
        let database = builder.set_check_integrity_on_open(checked).create(path)?;
        let is_new = {
            let transaction = database.begin_read()?;
            transaction.open_table(FUNCTIONS).is_err()
        };
        if is_new {
            let transaction = database.begin_write()?;
            fill(&transaction, &Batch::default())?;
            transaction.commit()?;
        }
        Ok(database)
    })
}

/// A panic of the database's is an error like any other: it means that the file is damaged.
fn guarded<R>(path: &Path, f: impl FnOnce() -> Result<R, redb::Error>) -> Result<R, StoreError> {
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(result) => result.map_err(|error| StoreError::of(path, error)),
        Err(_) => Err(StoreError::damaged(path, "the database can't make sense of it")),
    }
}
