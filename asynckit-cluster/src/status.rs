//! What a cluster is at.

/// What a cluster is at, at one moment. Its `Display` is what one prints when a program seems stuck.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Status {
    /// The workers, by name.
    pub workers: Vec<WorkerStatus>,
    /// Calls that wait for a worker, by function.
    pub queued: Vec<(String, usize)>,
    /// How many calls have no outcome yet.
    pub open: usize,
    /// How many deliveries were not the first of their call.
    pub redelivered: u64,
    /// How many messages could not be read.
    pub refused: u64,
}

/// What a worker is at.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WorkerStatus {
    /// Its name.
    pub name: String,
    /// Which program it is.
    pub build: String,
    /// The id of its process, where that is on this machine; else 0.
    pub process: u32,
    /// What it runs.
    pub running: Vec<RunningCall>,
}

/// A call that a worker has.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RunningCall {
    /// The function, as `module::function`.
    pub function: String,
    /// Which call it is.
    pub id: crate::wire::CallId,
    /// Since when the worker has it.
    pub since: std::time::Instant,
}
