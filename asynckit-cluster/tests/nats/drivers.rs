//! Drivers that are killed, and several at once.

/// Drives calls, where this process was started for that.
pub fn drive_if_asked() {}
