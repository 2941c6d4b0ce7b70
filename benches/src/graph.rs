//! The shapes of the work: which task needs the values of which, and what must come out.

use std::sync::Arc;

/// What a task makes of its inputs; their order matters, so that a mix-up shows.
pub fn fold(inputs: impl IntoIterator<Item = u64>) -> u64 {
    inputs.into_iter().fold(1, |value, input| value.wrapping_mul(31).wrapping_add(input))
}

/// A graph of tasks. Tasks are numbered, and need only tasks with smaller numbers. One without
/// inputs folds its own number. Values of tasks that nobody needs are folded to the answer.
#[derive(Debug)]
pub struct Graph {
    inputs: Lists,
    dependents: Lists,
    /// Whether a task's dependents follow from its number, so that a program knows them beforehand.
    is_regular: bool,
}

impl Graph {
    /// Each task needs the one before.
    pub fn chain(tasks: usize) -> Arc<Graph> {
        Graph::new((0..tasks).map(|task| (task > 0).then(|| task - 1).into_iter().collect()))
    }

    /// One task, `width` that need it, and one that needs all of these.
    pub fn fan(width: usize) -> Arc<Graph> {
        Graph::new((0..width + 2).map(|task| match task {
            0 => Vec::new(),
            _ if task <= width => vec![0],
            _ => (1..=width).collect(),
        }))
    }

    /// Rows of `width` tasks. Each needs the one above it and that one's two neighbours, around the
    /// edges.
    pub fn stencil(width: usize, depth: usize) -> Arc<Graph> {
        Graph::new((0..width * depth).map(|task| {
            if task < width {
                return Vec::new();
            }
            let (above, column) = (task / width * width - width, task % width);
            neighbours(column, width).map(|column| above + column).to_vec()
        }))
    }

    /// A binary tree from its leaves, a power of two, to its root.
    pub fn tree(leaves: usize) -> Arc<Graph> {
        Graph::new((0..2 * leaves - 1).map(|task| match task.checked_sub(leaves) {
            None => Vec::new(),
            Some(inner) => vec![2 * inner, 2 * inner + 1],
        }))
    }

    /// Each task needs one to three among the thousand before it.
    pub fn random(tasks: usize) -> Arc<Graph> {
        const SOURCES: usize = 16;
        let mut state = 0x9E37_79B9_7F4A_7C15u64;
        let mut below = move |limit: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % limit as u64) as usize
        };
        let inputs = (0..tasks).map(|task| {
            let count = if task < SOURCES { 0 } else { 1 + below(3) };
            (0..count).map(|_| task - 1 - below(task.min(1000))).collect()
        });
        Arc::new(Graph { is_regular: false, ..Graph::of(inputs) })
    }

    fn new(inputs: impl Iterator<Item = Vec<usize>>) -> Arc<Graph> {
        Arc::new(Graph::of(inputs))
    }

    fn of(inputs: impl Iterator<Item = Vec<usize>>) -> Graph {
        let inputs = Lists::new(&inputs.collect::<Vec<_>>());
        Graph { dependents: inputs.turned(), inputs, is_regular: true }
    }

    /// How many tasks there are.
    pub fn len(&self) -> usize {
        self.inputs.len()
    }

    /// The tasks that a task needs.
    pub fn inputs(&self, task: usize) -> &[usize] {
        self.inputs.get(task)
    }

    /// The tasks that need a task: once for each input that it is.
    pub fn dependents(&self, task: usize) -> &[usize] {
        self.dependents.get(task)
    }

    /// Whether a task's dependents follow from its number. Else who wants to know them has to find them.
    pub fn is_regular(&self) -> bool {
        self.is_regular
    }

    /// The dependents of all tasks, found from what each of them needs.
    pub fn found_dependents(&self) -> Lists {
        self.inputs.turned()
    }

    /// The tasks that need nothing.
    pub fn sources(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.len()).filter(|&task| self.inputs(task).is_empty())
    }

    /// The tasks that nobody needs.
    pub fn ends(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.len()).filter(|&task| self.dependents(task).is_empty())
    }

    /// What a task comes to, where `value` tells what its inputs came to.
    pub fn value(&self, task: usize, value: impl FnMut(usize) -> u64) -> u64 {
        match self.inputs(task) {
            [] => fold([task as u64]),
            inputs => fold(inputs.iter().copied().map(value)),
        }
    }

    /// The answer, worked out on this thread.
    pub fn answer(&self) -> u64 {
        let mut values: Vec<u64> = Vec::with_capacity(self.len());
        for task in 0..self.len() {
            values.push(self.value(task, |input| values[input]));
        }
        fold(self.ends().map(|task| values[task]))
    }
}

/// The columns that a column of a stencil needs of the row above.
pub fn neighbours(column: usize, width: usize) -> [usize; 3] {
    [(column + width - 1) % width, column, (column + 1) % width]
}

/// Many short lists, one after the other in memory.
#[derive(Debug)]
pub struct Lists {
    starts: Vec<usize>,
    items: Vec<usize>,
}

impl Lists {
    fn new(lists: &[Vec<usize>]) -> Lists {
        let mut starts = vec![0];
        starts.extend(lists.iter().scan(0, |end, list| {
            *end += list.len();
            Some(*end)
        }));
        Lists { starts, items: lists.concat() }
    }

    fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// The other way round: in which lists each item is, where items are the lists' numbers.
    fn turned(&self) -> Lists {
        let mut starts = vec![0; self.starts.len()];
        for &item in &self.items {
            starts[item] += 1;
        }
        let mut end = 0;
        for start in &mut starts {
            end += *start;
            *start = end;
        }
        // From the last to the first, so that each list begins where it is said to when it is full.
        let mut items = vec![0; self.items.len()];
        for list in (0..self.len()).rev() {
            for &item in self.get(list) {
                starts[item] -= 1;
                items[starts[item]] = list;
            }
        }
        Lists { starts, items }
    }

    pub fn get(&self, list: usize) -> &[usize] {
        &self.items[self.starts[list]..self.starts[list + 1]]
    }
}
