//! Work around other work, by the clock: limits of time (`timeout.rs`), and tries with pauses in between
//! (`retry.rs`).

mod retry;
mod timeout;

pub use retry::Retry;
