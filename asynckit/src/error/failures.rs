//! What failed of many, for a person: how many, and what was alike.

use std::collections::HashMap;
use std::fmt;

use super::Error;

/// What failed of many: how many, grouped by where they came from and what they say.
///
/// Collected from outcomes, such as [`settle_all`](crate::Results::settle_all) gives, or from errors. `{}` shows the
/// ten largest groups, a line each, and says how much is left out; `{:#}` and `{:?}` show all.
///
/// ```
/// use asynckit::{Failures, Pool, Results, async_work};
///
/// #[async_work]
/// fn fetch(n: u32) -> Result<u32, String> {
///     match n % 4 {
///         0 => Err("503 Service Unavailable".to_owned()),
///         1 if n == 9 => Err("no such host".to_owned()),
///         _ => Ok(n),
///     }
/// }
///
/// let pool = Pool::new(2);
/// let settled = (0..20).map(|n| fetch(n).spawn_on(&pool)).settle_all().get()?;
/// let failures: Failures = settled.iter().collect();
/// println!("{failures}");
/// // 6 of 20 failed:
/// //   5 times: crawler::fetch failed: 503 Service Unavailable
/// //   once: crawler::fetch failed: no such host
/// assert!(failures.to_string().starts_with("6 of 20 failed:\n  5 times: "));
/// assert_eq!(failures.groups().next().unwrap().count(), 5);
/// # Ok::<(), asynckit::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Failures {
    /// How many values there were beside the failures.
    values: usize,
    failed: usize,
    /// In the order in which they were met.
    groups: Vec<FailedAlike>,
    /// The places of the groups, by what they say.
    known: HashMap<String, usize>,
}

/// Failures that say the same; see [`Failures::groups`].
///
/// ```
/// use asynckit::{Failures, try_work};
///
/// let failures: Failures = (0..3).map(|_| try_work(|| Err::<u8, _>("busy")).run()).collect();
/// let group = failures.groups().next().unwrap();
/// assert_eq!((group.count(), group.first().to_string().as_str()), (3, "closure failed: busy"));
/// ```
#[derive(Clone)]
pub struct FailedAlike {
    first: Error,
    count: usize,
}

impl FailedAlike {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The first of them.
    pub fn first(&self) -> &Error {
        &self.first
    }
}

/// So many groups are shown to who does not ask for all.
const SHOWN: usize = 10;

impl Failures {
    /// How many failed.
    ///
    /// ```
    /// let outcomes = [Ok::<_, asynckit::Error>(1), Ok(2)];
    /// assert_eq!(outcomes.iter().collect::<asynckit::Failures>().count(), 0);
    /// ```
    pub fn count(&self) -> usize {
        self.failed
    }

    /// How many there are in all: those that failed, and the values that were counted.
    ///
    /// ```
    /// let outcomes = [Ok::<_, asynckit::Error>(1), Ok(2)];
    /// assert_eq!(outcomes.iter().collect::<asynckit::Failures>().of(), 2);
    /// ```
    pub fn of(&self) -> usize {
        self.values + self.failed
    }

    /// Whether nothing failed.
    ///
    /// ```
    /// assert!(asynckit::Failures::default().is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.failed == 0
    }

    /// Those that are alike, the largest group first; of groups of one size the one that was met first.
    ///
    /// ```
    /// use asynckit::{Failures, try_work};
    ///
    /// let outcomes = ["busy", "gone", "busy"].map(|why| try_work(move || Err::<u8, _>(why)).run());
    /// let failures: Failures = outcomes.iter().collect();
    /// let groups = failures.groups().map(|group| (group.count(), group.first().to_string()));
    /// let expected = [(2, "closure failed: busy".to_owned()), (1, "closure failed: gone".to_owned())];
    /// assert!(groups.eq(expected));
    /// ```
    pub fn groups(&self) -> impl ExactSizeIterator<Item = &FailedAlike> {
        let mut groups: Vec<_> = self.groups.iter().collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.count));
        groups.into_iter()
    }

    fn add(&mut self, error: &Error) {
        error.observe();
        self.failed += 1;
        // Without its tries, which may differ.
        let text = error.0.original.to_string();
        match self.known.get(&text) {
            Some(&place) => self.groups[place].count += 1,
            None => {
                self.known.insert(text, self.groups.len());
                self.groups.push(FailedAlike { first: error.clone(), count: 1 });
            }
        }
    }
}

impl<'a> Extend<&'a Error> for Failures {
    fn extend<I: IntoIterator<Item = &'a Error>>(&mut self, errors: I) {
        errors.into_iter().for_each(|error| self.add(error));
    }
}

impl Extend<Error> for Failures {
    fn extend<I: IntoIterator<Item = Error>>(&mut self, errors: I) {
        errors.into_iter().for_each(|error| self.add(&error));
    }
}

impl<'a, T> Extend<&'a Result<T, Error>> for Failures {
    fn extend<I: IntoIterator<Item = &'a Result<T, Error>>>(&mut self, outcomes: I) {
        for outcome in outcomes {
            match outcome {
                Ok(_) => self.values += 1,
                Err(error) => self.add(error),
            }
        }
    }
}

impl<T> Extend<Result<T, Error>> for Failures {
    fn extend<I: IntoIterator<Item = Result<T, Error>>>(&mut self, outcomes: I) {
        outcomes.into_iter().for_each(|outcome| self.extend([&outcome]));
    }
}

impl<A> FromIterator<A> for Failures
where
    Failures: Extend<A>,
{
    fn from_iter<I: IntoIterator<Item = A>>(all: I) -> Failures {
        let mut failures = Failures::default();
        failures.extend(all);
        failures
    }
}

impl fmt::Display for FailedAlike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.count {
            1 => f.write_str("once: ")?,
            count => write!(f, "{count} times: ")?,
        }
        // Each stays a block of its own.
        let text = self.first.0.original.to_string();
        f.write_str(&text.trim_end().replace('\n', "\n    "))
    }
}

impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.failed, self.values) {
            (0, 0) => return f.write_str("nothing failed"),
            (0, values) => return write!(f, "none of {values} failed"),
            (failed, 0) => write!(f, "{failed} failed:")?,
            (failed, _) => write!(f, "{failed} of {} failed:", self.of())?,
        }
        let groups = self.groups();
        let shown = if f.alternate() { groups.len() } else { SHOWN };
        let (mut left, mut kinds) = (self.failed, groups.len());
        for group in groups.take(shown) {
            write!(f, "\n  {group}")?;
            left -= group.count;
            kinds -= 1;
        }
        match kinds {
            0 => Ok(()),
            1 => write!(f, "\n  and {left} more"),
            kinds => write!(f, "\n  and {left} more, of {kinds} kinds"),
        }
    }
}

impl fmt::Debug for FailedAlike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Debug for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:#}")
    }
}

impl std::error::Error for Failures {}
