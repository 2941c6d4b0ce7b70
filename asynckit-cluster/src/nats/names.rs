//! What streams and subjects are called, for one app on a server.
//!
//! ```text
//! asynckit.<app>.work.<build>.any.<function>    calls of functions without a limit      stream ASYNCKIT_<app>_WORK
//! asynckit.<app>.work.<build>.one.<function>    calls of one that has a limit           its consumer is the limit
//! asynckit.<app>.done.<run>                     outcomes, for one driver                stream ASYNCKIT_<app>_DONE
//! asynckit.<app>.argument.<run>.<hash>.<n>      chunks of large arguments               stream ASYNCKIT_<app>_ARGUMENTS
//! asynckit.<app>.value.<run>.<hash>.<n>         chunks of large values                  stream ASYNCKIT_<app>_VALUES
//! asynckit.<app>.dead                           what could not be read                  stream ASYNCKIT_<app>_DEAD
//! asynckit.<app>.news.<run>                     what workers tell one driver            not kept
//! asynckit.<app>.beat.<build>                   what workers are at, each second        not kept
//! asynckit.<app>.driver.<build>.<run>           what drivers are at, each second        not kept
//! ```

use crate::wire::{FunctionId, Hash};

/// What stands for all functions without a limit.
pub(super) const ANY: &str = "any";

/// The names of one app, for one build of the program.
#[derive(Clone, Debug)]
pub(super) struct Names {
    pub(super) app: String,
    pub(super) build: String,
}

/// The consumer that a call is taken from: one for all functions without a limit, and one for each that has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Lane {
    Any,
    One(FunctionId),
}

/// What is large, and goes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Large {
    Argument,
    Value,
}

impl Large {
    fn word(self) -> &'static str {
        match self {
            Large::Argument => "argument",
            Large::Value => "value",
        }
    }
}

/// Why this can't be the name of an app, which is part of subjects and of streams' names.
pub(super) fn complaint(app: &str) -> Option<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let is_good = !app.is_empty() && app.len() <= 64 && app.chars().all(fits);
    (!is_good).then(|| {
        format!("`{app}` can't be the name of an app: up to 64 letters, digits, `-` and `_` can")
    })
}

impl Names {
    pub(super) fn work_stream(&self) -> String {
        format!("ASYNCKIT_{}_WORK", self.app)
    }

    pub(super) fn done_stream(&self) -> String {
        format!("ASYNCKIT_{}_DONE", self.app)
    }

    pub(super) fn dead_stream(&self) -> String {
        format!("ASYNCKIT_{}_DEAD", self.app)
    }

    /// Where large bodies of a kind are.
    pub(super) fn large_stream(&self, kind: Large) -> String {
        format!("ASYNCKIT_{}_{}S", self.app, kind.word().to_uppercase())
    }

    /// All large bodies of a kind.
    pub(super) fn all_large(&self, kind: Large) -> String {
        format!("asynckit.{}.{}.>", self.app, kind.word())
    }

    /// All of one.
    pub(super) fn all_chunks(&self, kind: Large, run: u64, hash: &Hash) -> String {
        let hash = blake3::Hash::from_bytes(*hash).to_hex();
        format!("asynckit.{}.{}.{run:016x}.{hash}.*", self.app, kind.word())
    }

    /// A part of it.
    pub(super) fn chunk(&self, kind: Large, run: u64, hash: &Hash, n: usize) -> String {
        let hash = blake3::Hash::from_bytes(*hash).to_hex();
        format!("asynckit.{}.{}.{run:016x}.{hash}.{n}", self.app, kind.word())
    }

    /// All calls of this app.
    pub(super) fn all_work(&self) -> String {
        format!("asynckit.{}.work.>", self.app)
    }

    pub(super) fn all_done(&self) -> String {
        format!("asynckit.{}.done.>", self.app)
    }

    pub(super) fn work(&self, lane: Lane, function: FunctionId) -> String {
        let kind = match lane {
            Lane::Any => ANY,
            Lane::One(_) => "one",
        };
        format!("asynckit.{}.work.{}.{kind}.{function}", self.app, self.build)
    }

    /// All calls of this build.
    pub(super) fn all_of_build(&self) -> String {
        format!("asynckit.{}.work.{}.>", self.app, self.build)
    }

    /// All calls of a lane.
    pub(super) fn filter(&self, lane: Lane) -> String {
        match lane {
            Lane::Any => format!("asynckit.{}.work.{}.any.*", self.app, self.build),
            Lane::One(function) => self.work(lane, function),
        }
    }

    /// The consumer of a lane.
    pub(super) fn consumer(&self, lane: Lane) -> String {
        match lane {
            Lane::Any => format!("{}-any", self.build),
            Lane::One(function) => format!("{}-{function}", self.build),
        }
    }

    pub(super) fn done(&self, run: u64) -> String {
        format!("asynckit.{}.done.{run:016x}", self.app)
    }

    pub(super) fn dead(&self) -> String {
        format!("asynckit.{}.dead", self.app)
    }

    pub(super) fn news(&self, run: u64) -> String {
        format!("asynckit.{}.news.{run:016x}", self.app)
    }

    pub(super) fn beat(&self) -> String {
        format!("asynckit.{}.beat.{}", self.app, self.build)
    }

    /// Beats of workers of all builds.
    pub(super) fn all_beats(&self) -> String {
        format!("asynckit.{}.beat.*", self.app)
    }

    pub(super) fn driver(&self, run: u64) -> String {
        format!("asynckit.{}.driver.{}.{run:016x}", self.app, self.build)
    }

    /// What all drivers of this build say.
    pub(super) fn all_drivers(&self) -> String {
        format!("asynckit.{}.driver.{}.*", self.app, self.build)
    }
}

/// What a lane is called where the server answers requests for its calls.
pub(super) fn mark(lane: Lane) -> String {
    match lane {
        Lane::Any => ANY.to_owned(),
        Lane::One(function) => function.to_string(),
    }
}

/// What drivers of this build say, of whatever app.
pub(super) fn drivers_of_any_app(build: &str) -> String {
    format!("asynckit.*.driver.{build}.*")
}

/// The app in what a driver says.
pub(super) fn app_of(subject: &str) -> Option<&str> {
    subject.split('.').nth(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_is_named_by_what_a_subject_may_have() {
        assert_eq!(complaint("films-2_x"), None);
        for app in ["", "a.b", "a b", "*", ">", "ä", &"x".repeat(65)] {
            assert!(complaint(app).is_some(), "{app}");
        }
    }
}
