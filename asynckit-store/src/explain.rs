//! Why something was computed again: what differs from the nearest value that is kept of the same function.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::disk::Row;
use crate::record::{Asked, Function, Short};

/// So many reasons are kept for who asks.
const MOST: usize = 1000;

/// Why one call was computed.
///
/// ```
/// use asynckit::{Pool, async_work};
/// use asynckit_store::Store;
///
/// #[async_work(keep)]
/// fn scaled(name: String, factor: u32) -> usize { name.len() * factor as usize }
///
/// let folder = tempfile::tempdir()?;
/// let pool = Pool::new(1);
/// let store = Store::builder().explain(true).open(folder.path().join("results.redb")).unwrap();
/// for factor in [2, 3] {
///     scaled("a".into(), factor).spawn_on(&store.on(&pool)).get()?;
/// }
/// let whys = store.explain();
/// assert!(whys[0].to_string().ends_with("scaled: nothing of it is kept"));
/// assert!(whys[1].to_string().ends_with("scaled: another `factor`"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    function: String,
    at: String,
    differs: Vec<String>,
}

impl Why {
    /// The function, as `module::function`.
    pub fn function(&self) -> &str {
        &self.function
    }

    /// Where it was called, as `file:line`.
    pub fn at(&self) -> &str {
        &self.at
    }

    /// What differs: its code, its version, arguments by their names. Or that nothing of the function is kept, that
    /// what was is too old, gone or unreadable, or why a value can't be looked for or kept.
    pub fn differs(&self) -> impl Iterator<Item = &str> {
        self.differs.iter().map(String::as_str)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.function, self.differs.join(", "))
    }
}

/// What is kept of each function, and the reasons so far.
pub(crate) struct Explain {
    state: Mutex<ExplainState>,
    prints: bool,
}

#[derive(Default)]
struct ExplainState {
    /// By the paths of functions.
    kept: HashMap<String, Vec<(Function, Vec<Short>)>>,
    whys: VecDeque<Why>,
}

impl Explain {
    pub(crate) fn new(rows: Vec<Row>, prints: bool) -> Explain {
        let mut state = ExplainState::default();
        for row in rows {
            let all = state.kept.entry(row.function.path.clone()).or_default();
            all.push((row.function, row.note.arguments));
        }
        Explain { state: Mutex::new(state), prints }
    }

    fn lock(&self) -> MutexGuard<'_, ExplainState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn whys(&self) -> Vec<Why> {
        self.lock().whys.iter().cloned().collect()
    }

    /// A value of this call is kept now, with these checks of its arguments.
    pub(crate) fn kept(&self, asked: &Asked, checks: &[Short]) {
        let mut state = self.lock();
        let all = state.kept.entry(asked.known.function.path.clone()).or_default();
        all.push((asked.known.function.clone(), checks.to_vec()));
    }

    /// A call is computed.
    pub(crate) fn miss(&self, asked: &Asked) {
        let (checks, mut state) = (asked.checks(), self.lock());
        let all = state.kept.get(&asked.known.function.path).map(Vec::as_slice).unwrap_or_default();
        let nearest = all
            .iter()
            .map(|(function, arguments)| differences(asked, &checks, function, arguments));
        let differs = match nearest.min_by_key(Vec::len) {
            None => vec!["nothing of it is kept".to_owned()],
            Some(differs) if differs.is_empty() => {
                vec!["what was kept is too old, gone, or can't be read any more".to_owned()]
            }
            Some(differs) => differs,
        };
        let why = Why { function: asked.known.function.path.clone(), at: asked.at(), differs };
        self.add(&mut state, why);
    }

    /// Something else about a call that is computed, or was.
    pub(crate) fn tell(&self, path: &str, at: String, what: String) {
        let why = Why { function: path.to_owned(), at, differs: vec![what] };
        self.add(&mut self.lock(), why);
    }

    fn add(&self, state: &mut ExplainState, why: Why) {
        if self.prints {
            eprintln!("asynckit-store: computed ({}) {why}", why.at);
        }
        if state.whys.len() == MOST {
            state.whys.pop_front();
        }
        state.whys.push_back(why);
    }
}

fn differences(
    asked: &Asked,
    checks: &[Short],
    function: &Function,
    arguments: &[Short],
) -> Vec<String> {
    let mut all = Vec::new();
    let own = &asked.known.function;
    let mut note = |differs: bool, what: &str| {
        if differs {
            all.push(what.to_owned());
        }
    };
    note(own.code != function.code, "other code");
    note(own.version != function.version, "another version");
    note(own.types != function.types, "other types");
    let names = own.parameters.iter().map(|name| format!("another `{name}`"));
    // What `key` says comes last, and has no name of its own.
    let names = names.chain(std::iter::repeat("another `key`".to_owned()));
    for (name, (one, other)) in names.zip(checks.iter().zip(arguments)) {
        note(one != other, &name);
    }
    note(checks.len() != arguments.len(), "other arguments");
    all
}
