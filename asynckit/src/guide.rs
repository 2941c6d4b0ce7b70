//! How to go about a task, from its beginning to its end.
//!
//! Why a program is slower than it need be, and how to see that, is told beside the crate that shows runs:
//! [`asynckit_view::why_slow`](https://docs.rs/asynckit-view/latest/asynckit_view/why_slow/).

#[cfg(all(feature = "rate", feature = "signal"))]
#[doc = include_str!("../docs/crawl_politely.md")]
pub mod crawl_politely {}

#[cfg(feature = "jobserver")]
#[doc = include_str!("../docs/share_makes_slots.md")]
pub mod share_makes_slots {}

#[doc = include_str!("../docs/streams.md")]
pub mod streams {}
