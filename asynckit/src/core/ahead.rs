//! A hint to the processor: what is about to be written.
//!
//! A cell goes from one core to another: who makes it, who sees its inputs come and who runs it are often different
//! threads. To have a line of the cache come from another core takes longer than most of what is done with it. A
//! step that looks at a word and then changes it would wait for that twice, once to read and once to write; who has
//! asked for the line to be written before waits once.

/// What is at this address is about to be written. It may be any address: nothing but time depends on it.
#[inline(always)]
pub(super) fn written<T>(at: *const T) {
    #[cfg(all(target_arch = "x86_64", not(any(miri, asynckit_loom))))]
    // SAFETY: a hint never faults, and changes nothing that a program could see.
    unsafe {
        std::arch::asm!(
            "prefetchw byte ptr [{}]",
            in(reg) at,
            options(nostack, preserves_flags, readonly)
        );
    }
    let _ = at;
}
