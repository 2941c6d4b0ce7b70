//! How to go about a task, from its beginning to its end.

#[cfg(all(feature = "rate", feature = "signal"))]
#[doc = include_str!("../docs/crawl_politely.md")]
pub mod crawl_politely {}

#[cfg(feature = "jobserver")]
#[doc = include_str!("../docs/share_makes_slots.md")]
pub mod share_makes_slots {}

#[doc = include_str!("../docs/streams.md")]
pub mod streams {}
