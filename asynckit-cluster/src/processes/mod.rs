//! Workers that are processes of this program, on this machine: no server, and nothing to install.
//!
//! A call goes to a process over a pipe, and its outcome comes back over another one. The *keeper*, a thread that lasts
//! as long as the cluster, starts processes when they are needed and looks at the clock; each process has a thread that
//! reads its outcomes, and sees its end at once: the pipe ends with it.
//!
//! # The files
//!
//! From below: `messages`, `pipe`, `lines`; `inside` is the process itself, `start` begins one; `queue` has the calls that
//! wait, `member` is one of the `crew`, which says who gets which; `backend` is the keeper, and what the driver sees of it all.

#[cfg(unix)]
mod backend;
#[cfg(unix)]
mod crew;
#[cfg(all(unix, test))]
mod garbled;
#[cfg(unix)]
pub(crate) mod inside;
pub(crate) mod lines;
#[cfg(unix)]
mod member;
#[cfg(unix)]
mod messages;
#[cfg(unix)]
mod pipe;
#[cfg(unix)]
mod queue;
#[cfg(unix)]
mod start;

#[cfg(unix)]
pub(crate) use backend::{Options, Processes};
#[cfg(all(unix, feature = "nats"))]
pub(crate) use start::program;
