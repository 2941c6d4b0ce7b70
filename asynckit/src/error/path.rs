//! The way that a failure took: from the work that failed through the work it made fail.

use std::fmt;
use std::panic::Location;

use crate::sync::Arc;

/// How many calls are kept at each end of a long path.
const ENDS: usize = 8;

/// A call site.
pub(crate) type At = &'static Location<'static>;

/// One call on the way: what was called, and where.
#[derive(Clone, Copy, Debug)]
pub struct Hop {
    /// `module::function`; a reference to the text, so that a task stores one word.
    pub(crate) name: &'static &'static str,
    pub(crate) at: At,
}

impl Hop {
    /// What is called so, at the place of the caller's call.
    #[track_caller]
    pub(crate) fn here(name: &'static &'static str) -> Hop {
        Hop { name, at: Location::caller() }
    }

    pub(crate) fn name(self) -> &'static str {
        self.name
    }

    fn short_name(self) -> &'static str {
        self.name.rsplit("::").next().unwrap_or(self.name)
    }
}

impl PartialEq for Hop {
    fn eq(&self, other: &Hop) -> bool {
        self.short_name() == other.short_name() && self.at == other.at
    }
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}:{})", self.short_name(), self.at.file(), self.at.line())
    }
}

/// The first and the last eight hops, and how many there are in all: a path of any length takes
/// bounded memory.
#[derive(Clone)]
pub(crate) struct Path {
    /// What was told of the way elsewhere, before these.
    before: Option<Arc<str>>,
    hops: Vec<Hop>,
    total: u64,
}

impl From<Hop> for Path {
    fn from(hop: Hop) -> Path {
        Path { before: None, hops: vec![hop], total: 1 }
    }
}

impl Path {
    /// One that was told elsewhere.
    pub(crate) fn told(before: String) -> Path {
        Path { before: Some(before.into()), hops: Vec::new(), total: 0 }
    }

    pub(crate) fn last(&self) -> Option<Hop> {
        self.hops.last().copied()
    }

    pub(crate) fn followed_by(&self, hop: Hop) -> Path {
        let mut hops = Vec::with_capacity(self.hops.len() + 1);
        hops.extend_from_slice(&self.hops);
        if hops.len() == 2 * ENDS {
            hops.remove(ENDS);
        }
        hops.push(hop);
        Path { before: self.before.clone(), hops, total: self.total + 1 }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut file = "";
        if let Some(before) = &self.before {
            f.write_str(before)?;
        }
        for (n, hop) in self.hops.iter().enumerate() {
            if n > 0 || self.before.is_some() {
                f.write_str(" -> ")?;
            }
            let left_out = self.total - self.hops.len() as u64;
            if n == ENDS && left_out > 0 {
                write!(f, "({left_out} more) -> ")?;
            }
            let same_file = std::mem::replace(&mut file, hop.at.file()) == hop.at.file();
            let shown = if same_file { "" } else { hop.at.file() };
            write!(f, "{} ({shown}:{})", hop.short_name(), hop.at.line())?;
        }
        Ok(())
    }
}
