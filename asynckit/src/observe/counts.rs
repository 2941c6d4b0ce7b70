//! Who looks on for snapshots: counts tasks by function, and which function waits for which. Its memory is bounded: by
//! the number of functions, and of tasks whose needs are kept.

use std::collections::HashMap;

use super::events::{
    Ending, LineJoined, TaskEnded, TaskKind, TaskReady, TaskResumed, TaskStarted, TaskSubmitted,
    TaskSuspended,
};
use super::ids::TaskId;
use super::observer::Observer;
use super::shelves::{SHELVES, Shelves};
use super::snapshot::FunctionCounts;
use crate::sync::{Mutex, lock};

/// So many functions are counted one by one, and the rest as one.
const FUNCTIONS: usize = 512;
/// Of so many tasks that are not over it is kept what they are at; of the rest it is only counted that they were.
const TASKS: usize = 1 << 16;

/// The counts, and what they are of.
pub(crate) struct Counts {
    /// Tasks that are not over, by their numbers.
    tasks: Shelves<Task>,
    functions: Mutex<Functions>,
}

#[derive(Default)]
struct Functions {
    by_name: HashMap<&'static str, usize>,
    all: Vec<CountedFunction>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum TaskState {
    Waits,
    Ready,
    Runs,
    Suspended,
}

/// Whether a task counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stands {
    /// It does, as a call.
    ForItself,
    /// It is around other work, of which nothing was told yet: so it may have to stand for that.
    ForNothing,
    /// It does so: the work stands in a line, or is done elsewhere.
    ForOther,
    /// The work has a task, which counts.
    NoMore,
}

struct Task {
    function: usize,
    state: TaskState,
    stands: Stands,
    /// The functions whose tasks it needs, as long as it waits for them.
    needs: Vec<usize>,
}

#[derive(Default)]
struct CountedFunction {
    name: &'static str,
    /// How many are in each state. Threads may come in another order than what they tell: then it is less than none.
    states: [isize; 4],
    ended: usize,
    failed: usize,
    more: usize,
    needs: HashMap<usize, usize>,
}

impl Functions {
    fn place_of(&mut self, name: &'static str) -> usize {
        if let Some(place) = self.by_name.get(name) {
            return *place;
        }
        let name = if self.all.len() < FUNCTIONS { name } else { "others" };
        let place = *self.by_name.entry(name).or_insert(self.all.len());
        if place == self.all.len() {
            self.all.push(CountedFunction { name, ..CountedFunction::default() });
        }
        place
    }
}

impl Counts {
    pub(crate) fn new() -> Counts {
        Counts { tasks: Shelves::empty(), functions: Mutex::new(Functions::default()) }
    }

    /// Looks at a task that is followed.
    fn with<R>(&self, task: TaskId, look: impl FnOnce(&mut Task) -> Option<R>) -> Option<R> {
        self.tasks.with(task.get(), |shelf| look(shelf.get_mut(&task.get())?))
    }

    /// A task has come to another state.
    fn change(&self, task: TaskId, state: TaskState) {
        let changed = self.with(task, |task| {
            let before = std::mem::replace(&mut task.state, state);
            let before = match task.stands {
                Stands::NoMore => return None,
                Stands::ForNothing => None,
                Stands::ForItself | Stands::ForOther => Some(before),
            };
            if before.is_none() {
                task.stands = Stands::ForOther;
            }
            Some((task.function, before, std::mem::take(&mut task.needs)))
        });
        let Some((function, before, needs)) = changed else { return };
        let mut functions = lock(&self.functions);
        let function = &mut functions.all[function];
        if let Some(before) = before {
            function.states[before as usize] -= 1;
        }
        function.states[state as usize] += 1;
        function.need_no_more(&needs);
    }

    /// What is around other work stands for it no more.
    fn stand_back(&self, around: TaskId) {
        let stood = self.with(around, |around| match around.stands {
            Stands::ForItself => None,
            _ => {
                let before = std::mem::replace(&mut around.stands, Stands::NoMore);
                (before == Stands::ForOther).then_some((around.function, around.state))
            }
        });
        if let Some((function, state)) = stood {
            lock(&self.functions).all[function].states[state as usize] -= 1;
        }
    }

    /// What there is by function: what is under way first.
    pub(crate) fn functions(&self) -> Vec<FunctionCounts> {
        let functions = lock(&self.functions);
        let name = |place: usize| functions.all[place].name;
        let mut all: Vec<FunctionCounts> = functions
            .all
            .iter()
            .map(|function| {
                let [waiting, ready, running, suspended] =
                    function.states.map(|count| count.max(0).unsigned_abs());
                let mut needs: Vec<_> =
                    function.needs.iter().map(|(place, count)| (name(*place), *count)).collect();
                needs.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
                let (ended, failed, more) = (function.ended, function.failed, function.more);
                let name = function.name;
                FunctionCounts {
                    name,
                    waiting,
                    ready,
                    running,
                    suspended,
                    ended,
                    failed,
                    more,
                    needs,
                }
            })
            .collect();
        drop(functions);
        let open = |one: &FunctionCounts| one.running + one.ready + one.waiting + one.suspended;
        all.sort_by_key(|one| std::cmp::Reverse((open(one), one.ended)));
        all
    }
}

impl CountedFunction {
    fn need_no_more(&mut self, needs: &[usize]) {
        for place in needs {
            if let Some(count) = self.needs.get_mut(place) {
                *count -= 1;
                if *count == 0 {
                    self.needs.remove(place);
                }
            }
        }
    }
}

impl Observer for Counts {
    fn submitted(&self, event: &TaskSubmitted<'_>) {
        // A call in a chain is known by the name that is written there, without a module.
        let name = event.name.rsplit("::").next().unwrap_or(event.name);
        if let Some(around) = event.part_of {
            self.stand_back(around);
        }
        // It is no call of its own; but it is what others need.
        let is_around = event.kind == TaskKind::Around;
        let mut needs: Vec<usize> = Vec::new();
        for task in event.needs.iter().filter_map(|need| need.task()) {
            let function = self.with(task, |task| Some(task.function));
            needs.extend(function.filter(|function| !needs.contains(function)));
        }
        let mut functions = lock(&self.functions);
        let function = functions.place_of(name);
        let its = &mut functions.all[function];
        self.tasks.with(event.task.get(), |shelf| {
            if shelf.len() >= TASKS / SHELVES {
                its.more += usize::from(!is_around);
                return;
            }
            if is_around {
                needs.clear();
            } else {
                its.states[TaskState::Waits as usize] += 1;
                for need in &needs {
                    *its.needs.entry(*need).or_default() += 1;
                }
            }
            let stands = if is_around { Stands::ForNothing } else { Stands::ForItself };
            shelf.insert(
                event.task.get(),
                Task { function, state: TaskState::Waits, stands, needs },
            );
        });
    }

    fn ready(&self, event: &TaskReady<'_>) {
        self.change(event.task, TaskState::Ready);
    }

    fn stands_in_line(&self, event: &LineJoined<'_>) {
        let Some(task) = event.task else { return };
        // What was submitted already is counted.
        let stands = self.with(task, |task| Some(task.stands));
        if stands == Some(Stands::ForNothing) {
            self.change(task, TaskState::Waits);
        }
    }

    fn started(&self, event: &TaskStarted<'_>) {
        self.change(event.task, TaskState::Runs);
    }

    fn resumed(&self, event: &TaskResumed<'_>) {
        self.change(event.task, TaskState::Runs);
    }

    fn suspended(&self, event: &TaskSuspended<'_>) {
        self.change(event.task, TaskState::Suspended);
    }

    fn ended(&self, event: &TaskEnded<'_>) {
        let task = self.tasks.take(event.task.get());
        let counts = |task: &Task| matches!(task.stands, Stands::ForItself | Stands::ForOther);
        let Some(task) = task.filter(counts) else { return };
        let mut functions = lock(&self.functions);
        let function = &mut functions.all[task.function];
        function.states[task.state as usize] -= 1;
        function.need_no_more(&task.needs);
        function.ended += 1;
        let failed = matches!(event.how, Ending::Failed(_) | Ending::Skipped(_) | Ending::Late);
        function.failed += usize::from(failed);
    }
}
