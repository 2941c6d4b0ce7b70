//! Recording without a line of code more: where the environment says so.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};

use asynckit::PoolBuilder;
use asynckit::observe::Observer;

use crate::record::Recording;
use crate::run::Format;
use crate::sync::lock;

/// The environment variable that [`from_env`] asks.
pub const VARIABLE: &str = "ASYNCKIT_RECORD";

/// A recording, and the file that it goes to.
struct ToFile {
    recording: Recording,
    path: PathBuf,
    /// Held while the file is written, so that it is not by two at once.
    writing: Mutex<()>,
}

/// All recordings that go to a file when their pool has stopped.
static UNDER_WAY: Mutex<Vec<Weak<ToFile>>> = Mutex::new(Vec::new());
/// The files that are spoken for.
static TAKEN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Has the pool record itself, if the environment variable `ASYNCKIT_RECORD` names a file.
///
/// The file's ending says what is written: `run.html` (a page), `.json` (a trace for Perfetto), `.svg`, `.dot` or
/// `.mmd` (the graph), `.txt` (the summary). Without the variable the builder comes back as it was, and nothing costs
/// anything.
///
/// ```
/// use asynckit::Pool;
///
/// let pool = asynckit_view::from_env(Pool::builder().workers(4)).build()?;
/// assert_eq!(pool.spawn(|| 5).get()?, 5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// ```sh
/// ASYNCKIT_RECORD=run.html cargo run --release
/// ```
///
/// # When it is written
///
/// When the pool has stopped: by [`stop`](asynckit::Pool::stop) and its kin, or as it is dropped, also while a panic
/// unwinds the stack. What still runs then is marked so. The file appears complete or not at all: it is written under
/// another name first. If several pools of a program record themselves, the second one's file is `run-2.html`, and so
/// on, in the order in which they were built; each pool of a cloned builder has its own. Programs that this one starts
/// inherit the variable, and write the same file: the last one to end is what is there. Take it from their environment, or
/// give each a name of its own. What goes wrong is said on standard error, and harms nothing else.
///
/// A pool in a `static`, [`std::process::exit`], `abort`, and a signal that ends the process leave no file, as nothing
/// is dropped then. Call [`write_now`] before.
pub fn from_env(builder: PoolBuilder) -> PoolBuilder {
    let Some(path) = std::env::var_os(VARIABLE).filter(|path| !path.is_empty()) else {
        return builder;
    };
    match observer(Path::new(&path)) {
        Ok(observer) => builder.observer(observer),
        Err(error) => {
            complain(&error);
            builder
        }
    }
}

/// Has the pool record itself into a file, as [`from_env`] does where the environment says so: for a program's own
/// `--record`.
///
/// ```
/// use asynckit::Pool;
///
/// let path = std::env::temp_dir().join("squares.html");
/// let pool = asynckit_view::to_file(Pool::builder().workers(2), &path)?.build()?;
/// assert_eq!(pool.spawn(|| 5 * 5).get()?, 25);
/// drop(pool);
/// assert!(path.exists());
/// # std::fs::remove_file(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`InvalidInput`](io::ErrorKind::InvalidInput) where the file's ending says nothing about what to write. Whether the
/// file can be written shows when the pool has stopped.
pub fn to_file(builder: PoolBuilder, path: impl AsRef<Path>) -> io::Result<PoolBuilder> {
    Ok(builder.observer(observer(path.as_ref())?))
}

fn observer(path: &Path) -> io::Result<impl Observer + use<>> {
    Format::of(path)?;
    // Where the program stands now, wherever it goes until then.
    let path = std::path::absolute(path)?;
    Ok(EachToFile(path))
}

/// Has each pool record itself into a file of its own: a builder may be cloned, and build several, or none.
struct EachToFile(PathBuf);

impl Observer for EachToFile {
    fn for_pool(&self) -> Option<Arc<dyn Observer>> {
        Some(begin(&self.0))
    }
}

/// Begins to record a pool.
fn begin(path: &Path) -> Arc<dyn Observer> {
    let recording = Recording::new();
    let observer = recording.observer();
    let path = numbered(path.to_owned());
    let file = Arc::new(ToFile { recording, path, writing: Mutex::new(()) });
    let mut under_way = lock(&UNDER_WAY);
    under_way.retain(|file| file.strong_count() > 0);
    under_way.push(Arc::downgrade(&file));
    drop(under_way);
    let of_the_pool = Mutex::new(Some(file.clone()));
    file.recording.at_stop(move || {
        if let Some(file) = lock(&of_the_pool).take() {
            file.write();
        }
    });
    Arc::new(observer)
}

/// Writes the files of all recordings by [`from_env`] and [`to_file`] that are under way, as far as they are. They go
/// on, and are written again when their pools stop.
///
/// Call it before the program ends in a way that drops nothing, as [`std::process::exit`] does.
///
/// ```
/// asynckit_view::write_now();
/// ```
pub fn write_now() {
    let under_way: Vec<_> = lock(&UNDER_WAY).iter().filter_map(Weak::upgrade).collect();
    for file in under_way {
        file.write();
    }
}

impl ToFile {
    fn write(&self) {
        let _writing = lock(&self.writing);
        if let Err(error) = self.recording.so_far().save(&self.path) {
            complain(&io::Error::new(error.kind(), format!("{}: {error}", self.path.display())));
        }
    }
}

fn complain(error: &io::Error) {
    // Where nobody listens there is nobody to tell.
    let _ = writeln!(io::stderr(), "asynckit-view: the run is not recorded: {error}");
}

/// The file of the next recording: `run.html`, then `run-2.html`.
fn numbered(path: PathBuf) -> PathBuf {
    let mut taken = lock(&TAKEN);
    let mut free = path.clone();
    for n in 2.. {
        if !taken.contains(&free) {
            break;
        }
        let mut name = OsString::from(path.file_stem().unwrap_or_default());
        name.push(format!("-{n}."));
        name.push(path.extension().unwrap_or_default());
        free = path.with_file_name(name);
    }
    taken.insert(free.clone());
    free
}
