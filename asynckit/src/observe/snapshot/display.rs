//! A snapshot in words: at most a page, with what is most telling first.

use std::fmt;
use std::time::Duration;

use super::{
    FunctionCounts, LimitUse, PoolPhase, Root, RunTime, Running, RunningCallback, Snapshot,
    Suspended, Waiting, Way, WayEnd,
};

/// So many lines a part has at most, and besides these two: seven parts are a page.
const MOST: usize = 6;

/// Each of some texts once, in order, with how often it is there.
fn grouped(texts: impl Iterator<Item = String>) -> Vec<(usize, String)> {
    let mut groups: Vec<(usize, String)> = Vec::new();
    for text in texts {
        match groups.iter_mut().find(|(_, other)| *other == text) {
            Some((count, _)) => *count += 1,
            None => groups.push((1, text)),
        }
    }
    groups
}

/// Of several that are alike one stands for all.
struct Times<'a>(&'a (usize, String));

impl fmt::Display for Times<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            (1, text) => f.write_str(text),
            (count, text) => write!(f, "{count} × {text}"),
        }
    }
}

/// Writes the first of a list, a line each, and how many there are besides.
fn list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, title: &str, all: &[T]) -> fmt::Result {
    if all.is_empty() {
        return Ok(());
    }
    write!(f, "\n{title}:")?;
    let groups = grouped(all.iter().map(T::to_string));
    for group in groups.iter().take(MOST) {
        write!(f, "\n  {}", Times(group))?;
    }
    match groups.iter().skip(MOST).map(|(count, _)| count).sum() {
        0usize => Ok(()),
        more => write!(f, "\n  and {more} more"),
    }
}

fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = match self.phase {
            PoolPhase::Open => "",
            PoolPhase::Stopping => " (is being stopped)",
            PoolPhase::Stopped => " (has stopped)",
        };
        write!(f, "pool `{}`{phase}: {}", self.name, self.sentence())?;
        let inside = self.running.iter().filter(|one| one.waits).count();
        write!(f, "\n{} of {}", count(self.threads, "thread"), count(self.workers, "worker"))?;
        write!(f, ": {} asleep, {} in work that waits", self.asleep, inside)?;
        if self.blocking > 0 {
            write!(f, ", {} in `blocking`", self.blocking)?;
        }
        write!(f, "; {} queued", self.queued.total())?;
        if let Some((taken, most)) = self.queued.capacity {
            write!(f, " ({taken} of at most {most} from outside)")?;
        }
        list(f, "waits", &self.waits)?;
        list(f, "runs", &self.running)?;
        list(f, "callbacks", &self.callbacks)?;
        list(f, "limits", &self.limits)?;
        list(f, "waited for, and no work of this pool", &self.roots)?;
        list(f, "pending, without a thread", &self.suspended)?;
        list(f, "by function", &self.functions)
    }
}

impl Snapshot {
    /// What it comes to.
    fn sentence(&self) -> String {
        let tasks = self.running.iter().filter(|one| !one.waits).count();
        let callbacks = self.callbacks.iter().filter(|one| !one.waits).count();
        let runs = tasks + callbacks;
        let queued = self.queued.total() + self.queued.lists;
        let waiting = self.waits.iter().filter(|one| !one.timed).count()
            + self.roots.len()
            + self.suspended.len();
        match (runs, queued) {
            (0, 0) if waiting == 0 && self.blocking == 0 => "it has nothing to do".to_owned(),
            (0, 0) => format!("nothing runs and nothing is queued{}", self.cause()),
            (0, _) if self.workers == 0 && self.threads == 0 => {
                format!("{queued} queued, and it has no workers: nobody waits for its work")
            }
            (0, _) => format!("nothing runs, though {queued} are queued{}", self.cause()),
            (_, 0) => format!("{} and nothing is queued", run(tasks, callbacks)),
            _ => format!("{}, {queued} queued", run(tasks, callbacks)),
        }
    }

    /// What all of it seems to wait for, where that is known.
    fn cause(&self) -> String {
        let by_hand = self.roots.iter().find(|root| root.by_hand).map(|root| &root.call);
        let awaited = self.suspended.iter().filter_map(|one| one.on.as_ref());
        let mut ways = self.waits.iter().flat_map(|wait| &wait.on).chain(awaited);
        let way = || ways.find(|way| way.end == WayEnd::ByHand).and_then(|way| way.calls.last());
        if let Some(call) = by_hand.or_else(way) {
            return format!(": {call} is set by the program alone");
        }
        if let Some(root) = self.roots.first() {
            return format!(": {} is another pool's", root.call);
        }
        if let Some(limit) = self.limits.iter().find(|limit| limit.in_line > 0) {
            let at = limit.made_at;
            let why = if limit.every.is_some() {
                "the turns of a rate are not due"
            } else {
                "a limit has none free"
            };
            return format!(": {why} ({}:{})", at.file(), at.line());
        }
        let asleep = self.suspended.first();
        asleep.map_or_else(String::new, |one| format!(": {} is to be woken", one.call))
    }
}

/// `2 tasks and 1 callback run`
fn run(tasks: usize, callbacks: usize) -> String {
    let both = [(tasks, "task"), (callbacks, "callback")].into_iter();
    let there: Vec<_> = both.filter(|(n, _)| *n > 0).map(|(n, what)| count(n, what)).collect();
    let verb = if tasks + callbacks == 1 { "runs" } else { "run" };
    format!("{} {verb}", there.join(" and "))
}

impl fmt::Display for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}{}", self.row.name(), self.call, self.time)?;
        if self.waits {
            f.write_str(", waits")?;
        }
        if self.is_settled {
            f.write_str(", though nobody wants its result any more")?;
        }
        Ok(())
    }
}

/// ` for 1.2s`; nothing where it is not known.
impl fmt::Display for RunTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunTime::Exactly(time) => write!(f, " for {time:.1?}"),
            RunTime::AtLeast(time) => write!(f, " for {time:.1?} or more"),
            RunTime::Unknown => Ok(()),
        }
    }
}

impl fmt::Display for RunningCallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, line) = (self.at.file(), self.at.line());
        write!(f, "{}: that of {file}:{line}{}", self.row.name(), self.time)?;
        if self.waits {
            f.write_str(", waits")?;
        }
        write!(f, ", with the result of {}", self.result)
    }
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.row.name())?;
        match self.call {
            Some(call) => write!(f, "{call} waits at {}:{}", self.at.file(), self.at.line())?,
            None => write!(f, "waits at {}:{}", self.at.file(), self.at.line())?,
        }
        if self.timed {
            f.write_str(" for a while")?;
        }
        if let Some(at) = self.line {
            return write!(f, " in the line of a limit ({}:{})", at.file(), at.line());
        }
        match (&*self.on, self.of) {
            ([], _) => f.write_str(" for what is lent to be given back"),
            ([one, ..], 1) => write!(f, " for {one}"),
            ([first, ..], all) => {
                let any = if self.any { "any of " } else { "" };
                write!(f, " for {any}{all} results, the first of them {first}")
            }
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, call) in self.calls.iter().enumerate() {
            if n > 0 {
                f.write_str(", which waits for ")?;
            }
            write!(f, "{call}")?;
        }
        f.write_str(match self.end {
            WayEnd::Set => ", which is there",
            WayEnd::Runs => ", which runs",
            WayEnd::Queued => ", which is queued",
            WayEnd::ByHand => ", which only the program sets",
            WayEnd::InLine => ", which stands in the line of a limit",
            WayEnd::InLineOfRate => ", which stands in the line of a rate",
            WayEnd::Asleep => ", which is pending until it is woken",
            WayEnd::Waits => ", which waits",
        })
    }
}

impl fmt::Display for LimitUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.made_at;
        let (file, line) = (at.file(), at.line());
        let in_line = FirstCalls(&self.line, self.in_line);
        match self.every {
            Some(every) => {
                return write!(f, "{} ({file}:{line}): in line {in_line}", PerTime(every));
            }
            None => write!(f, "at most {} ({file}:{line}): ", self.most)?,
        }
        // Some take more than one.
        if self.taken > self.holders.len() {
            write!(f, "{} taken, ", self.taken)?;
        }
        write!(f, "held by {}", FirstCalls(&self.holders, self.holders.len()))?;
        if self.in_line > 0 {
            write!(f, "; in line {in_line}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = if self.by_hand { "which only the program sets" } else { "another pool's" };
        write!(f, "{}, {whose}: for {}", self.call, FirstCalls(&self.dependents, self.waiting))
    }
}

impl fmt::Display for Suspended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.call)?;
        match &self.on {
            _ if self.by_rate => f.write_str(" stands in the line of a rate"),
            _ if self.in_line => f.write_str(" stands in the line of a limit"),
            Some(way) => write!(f, " awaits {way}"),
            None => f.write_str(" until it is woken"),
        }
    }
}

impl fmt::Display for FunctionCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.name)?;
        let parts = [
            (self.running, "run"),
            (self.ready, "ready"),
            (self.waiting, "wait"),
            (self.suspended, "pending"),
            (self.ended - self.failed.min(self.ended), "done"),
            (self.failed, "failed"),
            (self.more, "more that were too many to be followed"),
        ];
        let mut comma = "";
        for (count, what) in parts.into_iter().filter(|(count, _)| *count > 0) {
            write!(f, "{comma} {count} {what}")?;
            comma = ",";
        }
        for (n, (name, count)) in self.needs.iter().take(3).enumerate() {
            let words = if n == 0 { "; wait for" } else { "," };
            write!(f, "{words} {name} ({count})")?;
        }
        Ok(())
    }
}

/// How often, where it takes so long for one more: `20 per second`.
struct PerTime(Duration);

impl fmt::Display for PerTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(1, "second"), (60, "minute"), (3600, "hour"), (86_400, "day")];
        let counts = units.map(|(seconds, unit)| (f64::from(seconds) / self.0.as_secs_f64(), unit));
        match counts.into_iter().find(|(count, _)| *count > 0.999) {
            // A part that is no whole number of nanoseconds was cut.
            Some((count, unit)) if (count - count.round()).abs() < 1e-4 * count => {
                write!(f, "{} per {unit}", count.round())
            }
            _ => write!(f, "one each {:?}", self.0),
        }
    }
}

/// The first of some calls, of which there are so many.
struct FirstCalls<'a>(&'a [super::CallSite], usize);

impl fmt::Display for FirstCalls<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups = grouped(self.0.iter().map(ToString::to_string));
        let shown = &groups[..groups.len().min(3)];
        let texts: Vec<String> = shown.iter().map(|group| Times(group).to_string()).collect();
        let more = self.1.saturating_sub(shown.iter().map(|(count, _)| count).sum());
        match (texts.is_empty(), more) {
            (true, 0) => f.write_str("nobody"),
            (true, all) => write!(f, "{all}"),
            (false, 0) => f.write_str(&texts.join(", ")),
            (false, more) => write!(f, "{} and {more} more", texts.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests;
