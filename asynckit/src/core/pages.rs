//! Chunks of memory from the system, which go back to it while their addresses stay ours.

use std::ptr::{NonNull, null_mut};

use crate::sync::{Mutex, lock};

/// A chunk's size and alignment, so that a block's address tells its chunk.
pub(super) const CHUNK: usize = 64 << 10;

/// Chunks that nobody uses.
struct FreeChunks {
    /// Used before, and given back to the system: the memory comes again when it is touched.
    idle: Vec<NonNull<u8>>,
    /// Never used: the rest of the last region.
    fresh: *mut u8,
    left: usize,
}

// SAFETY: the chunks in it belong to nobody else.
unsafe impl Send for FreeChunks {}

static CHUNKS: Mutex<FreeChunks> =
    Mutex::new(FreeChunks { idle: Vec::new(), fresh: null_mut(), left: 0 });

/// A chunk of zeros, or of what was there before. Its memory comes when it is touched.
pub(super) fn take() -> NonNull<u8> {
    lock(&CHUNKS).take()
}

/// Likewise, with all of its memory: to have that come page by page takes the system longer, and is a good part of what
/// a task costs.
pub(super) fn take_whole() -> NonNull<u8> {
    let chunk = take();
    // SAFETY: nobody else has it.
    unsafe { system::bring(chunk) };
    chunk
}

impl FreeChunks {
    fn take(&mut self) -> NonNull<u8> {
        if let Some(chunk) = self.idle.pop() {
            return chunk;
        }
        if self.left == 0 {
            (self.fresh, self.left) = system::region();
        }
        let chunk = self.fresh;
        self.left -= 1;
        // SAFETY: within the region, or right behind its end.
        self.fresh = unsafe { chunk.add(CHUNK) };
        // SAFETY: a region is no null pointer.
        unsafe { NonNull::new_unchecked(chunk) }
    }
}

/// Gives a chunk back.
///
/// # Safety
/// It comes from `take`, and nobody uses any of it.
pub(super) unsafe fn put(chunk: NonNull<u8>) {
    // SAFETY: the caller's promise.
    unsafe { system::give_back(chunk) };
    lock(&CHUNKS).idle.push(chunk);
}

#[cfg(all(unix, not(miri)))]
mod system {
    use std::ptr::{NonNull, null_mut};

    use super::CHUNK;

    /// So much address space is asked for at once. It takes memory only where it is touched.
    const REGION: usize = 16 << 20;

    pub(super) fn region() -> (*mut u8, usize) {
        let size = REGION + CHUNK;
        let (access, kind) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: fresh anonymous memory, wherever the system likes.
        let at = unsafe { libc::mmap(null_mut(), size, access, kind, -1, 0) };
        if at == libc::MAP_FAILED {
            super::out_of_memory(size);
        }
        let at = at.cast::<u8>();
        // SAFETY: within the region, which is a chunk larger than what is used of it.
        (unsafe { at.add(at.align_offset(CHUNK)) }, REGION / CHUNK)
    }

    /// Has all of a chunk's memory come.
    ///
    /// # Safety
    /// Nobody else has the chunk.
    pub(super) unsafe fn bring(chunk: NonNull<u8>) {
        // SAFETY: the caller's promise. Where the system can't, the memory comes when it is touched.
        #[cfg(any(target_os = "linux", target_os = "android"))]
        unsafe {
            libc::madvise(chunk.as_ptr().cast(), CHUNK, libc::MADV_POPULATE_WRITE)
        };
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let _ = chunk;
    }

    /// # Safety
    /// Nobody uses the chunk.
    pub(super) unsafe fn give_back(chunk: NonNull<u8>) {
        // SAFETY: the caller's promise; the addresses stay mapped. Where the system can't, the memory
        // just stays.
        unsafe { libc::madvise(chunk.as_ptr().cast(), CHUNK, libc::MADV_DONTNEED) };
    }
}

#[cfg(not(all(unix, not(miri))))]
mod system {
    use std::alloc::{Layout, alloc};
    use std::ptr::NonNull;

    use super::CHUNK;

    pub(super) fn region() -> (*mut u8, usize) {
        let Ok(layout) = Layout::from_size_align(CHUNK, CHUNK) else {
            unreachable!("a chunk's layout")
        };
        // SAFETY: the layout is not of size zero.
        let at = unsafe { alloc(layout) };
        if at.is_null() {
            super::out_of_memory(CHUNK);
        }
        (at, 1)
    }

    /// It is there.
    ///
    /// # Safety
    /// None.
    pub(super) unsafe fn bring(_chunk: NonNull<u8>) {}

    /// Here the memory stays with the program, for later tasks.
    ///
    /// # Safety
    /// None.
    pub(super) unsafe fn give_back(_chunk: NonNull<u8>) {}
}

/// Ends the program, as the allocator does.
fn out_of_memory(size: usize) -> ! {
    match std::alloc::Layout::from_size_align(size, CHUNK) {
        Ok(layout) => std::alloc::handle_alloc_error(layout),
        Err(_) => std::process::abort(),
    }
}
