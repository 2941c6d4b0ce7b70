//! Frames on pipes: the lengths of head and body, the head, and the body as it is.

use std::collections::VecDeque;
use std::io::{self, BufRead, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use crate::sync::lock;
use crate::wire::{MOST_BODY, MOST_HEAD, STEP};

/// How much a pipe should hold, where the system allows it.
const PIPE: usize = 1 << 20;

/// A frame up to this size is written by whoever sends it.
const SMALL: usize = 16 << 10;

/// What is held is written after this time.
const MOMENT: Duration = Duration::from_micros(200);

/// A pipe: the reading and the writing end. Neither goes on to other processes.
pub(super) fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (read, write) = io::pipe()?;
    #[cfg(target_os = "linux")]
    let _ = rustix::pipe::fcntl_setpipe_size(&write, PIPE);
    Ok((read.into(), write.into()))
}

/// A head and its body.
pub(super) struct Frame {
    /// Lengths and head.
    head: Vec<u8>,
    body: Vec<Bytes>,
}

impl Frame {
    pub(super) fn new(head: &impl serde::Serialize, body: Vec<Bytes>) -> Frame {
        let mut bytes = vec![0; 12];
        bytes = postcard::to_extend(head, bytes).unwrap_or_default();
        let size: u64 = body.iter().map(|part| part.len() as u64).sum();
        let head = (bytes.len() - 12) as u32;
        bytes[..4].copy_from_slice(&head.to_le_bytes());
        bytes[4..12].copy_from_slice(&size.to_le_bytes());
        Frame { head: bytes, body }
    }

    /// For tests: all of it.
    #[cfg(test)]
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        [&self.head[..], &self.body.concat()].concat()
    }

    fn size(&self) -> usize {
        self.head.len() + self.body.iter().map(Bytes::len).sum::<usize>()
    }
}

/// The next frame; `None` where the other side has closed the pipe.
pub(super) fn read(from: &mut impl BufRead) -> io::Result<Option<(Vec<u8>, Bytes)>> {
    loop {
        match from.fill_buf() {
            Ok([]) => return Ok(None),
            Ok(_) => break,
            // A signal has come between: to what runs here, or as the process was stopped and goes on.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let mut lengths = [0; 12];
    from.read_exact(&mut lengths)?;
    let [a, b, c, d, rest @ ..] = lengths;
    let (head, body) = (u32::from_le_bytes([a, b, c, d]), u64::from_le_bytes(rest));
    if head as usize > MOST_HEAD || body > MOST_BODY {
        let words = format!("a frame of {head} and {body} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, words));
    }
    let head = part(from, head.into())?;
    Ok(Some((head, part(from, body)?.into())))
}

fn part(from: &mut impl Read, size: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(size.min(STEP) as usize);
    if from.take(size).read_to_end(&mut bytes)? as u64 != size {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes)
}

/// Frames on their way into a pipe. Who sends a small one writes it, if the pipe has room; what is held is written
/// together with others, a moment later at the most. All else is written by a thread that does nothing else: so nobody
/// waits for a reader.
pub(super) struct Outbox {
    state: Mutex<State>,
    more: Condvar,
    pipe: OwnedFd,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Frame>,
    /// How much of it there is.
    size: usize,
    /// The thread is writing, or has been told to at once.
    is_writing: bool,
    /// It has been told to see to what is held.
    is_watching: bool,
    is_closed: bool,
}

impl Outbox {
    pub(super) fn new(pipe: OwnedFd) -> io::Result<Outbox> {
        rustix::io::ioctl_fionbio(&pipe, true)?;
        Ok(Outbox { state: Mutex::default(), more: Condvar::new(), pipe })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Sends a frame: at once, unless it is `held`, as its receiver has enough to do for a while. What can't be written
    /// any more is dropped: the reading side tells of that.
    pub(super) fn send(&self, frame: Frame, held: bool) {
        let mut state = self.state();
        if state.is_closed {
            return;
        }
        state.size += frame.size();
        state.waiting.push_back(frame);
        if held && state.size <= SMALL {
            if !std::mem::replace(&mut state.is_watching, true) {
                self.more.notify_one();
            }
        } else {
            self.write_now(state);
        }
    }

    /// Writes what is held.
    pub(super) fn flush(&self) {
        let state = self.state();
        if !state.waiting.is_empty() {
            self.write_now(state);
        }
    }

    /// Writes what waits, if that is little and the pipe has room; else the thread does.
    fn write_now(&self, mut state: MutexGuard<'_, State>) {
        if state.is_writing {
            return;
        }
        if state.size <= 2 * SMALL {
            let mut bytes = Vec::with_capacity(state.size);
            for frame in state.waiting.drain(..) {
                bytes.extend_from_slice(&frame.head);
                frame.body.iter().for_each(|part| bytes.extend_from_slice(part));
            }
            state.size = 0;
            let written = match rustix::io::write(&self.pipe, &bytes) {
                Ok(written) => written,
                Err(Errno::AGAIN | Errno::INTR) => 0,
                Err(_) => return,
            };
            if written == bytes.len() {
                return;
            }
            let rest = Bytes::from(bytes).slice(written..);
            state.waiting.push_back(Frame { head: Vec::new(), body: vec![rest] });
        }
        state.is_writing = true;
        self.more.notify_one();
    }

    /// No more comes: the thread goes when all is written.
    pub(super) fn close(&self) {
        self.state().is_closed = true;
        self.more.notify_one();
    }

    /// What the thread does.
    pub(super) fn write_all(&self) {
        let mut writer = io::BufWriter::with_capacity(1 << 16, Waiting(&self.pipe));
        loop {
            let mut state = self.state();
            while state.waiting.is_empty() || !(state.is_writing || state.is_closed) {
                if state.is_closed {
                    return;
                }
                if state.is_watching {
                    let waited = self.more.wait_timeout(state, MOMENT);
                    state = waited.unwrap_or_else(PoisonError::into_inner).0;
                    // (What was told to be written at once is seen to above.)
                    if !state.is_writing {
                        state.is_watching = false;
                        state.is_writing = !state.waiting.is_empty();
                    }
                } else {
                    state.is_writing = false;
                    state = self.more.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
            }
            state.is_writing = true;
            state.size = 0;
            let frames = std::mem::take(&mut state.waiting);
            drop(state);
            let written = frames.into_iter().try_for_each(|frame| {
                writer.write_all(&frame.head)?;
                frame.body.iter().try_for_each(|part| writer.write_all(part))
            });
            if written.and_then(|()| writer.flush()).is_err() {
                self.state().is_closed = true;
                return;
            }
            let mut state = self.state();
            // What has come meanwhile is next.
            state.is_writing = !state.waiting.is_empty();
        }
    }
}

/// Writes, and waits where there is no room.
struct Waiting<'a>(&'a OwnedFd);

impl Write for Waiting<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match rustix::io::write(self.0, bytes) {
                Err(Errno::AGAIN) => {
                    poll(&mut [PollFd::from_borrowed_fd(self.0.as_fd(), PollFlags::OUT)], None)?;
                }
                Err(Errno::INTR) => {}
                done => return Ok(done?),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_as_they_were_sent() {
        let (from, to) = pipe().unwrap();
        let outbox = Outbox::new(to).unwrap();
        let sizes = [0, 1, 20_000, 3 << 20, 5];
        std::thread::scope(|s| {
            s.spawn(|| outbox.write_all());
            s.spawn(|| {
                for (number, size) in sizes.into_iter().enumerate() {
                    let body =
                        vec![Bytes::from(vec![number as u8; size]), Bytes::from_static(b".")];
                    outbox.send(Frame::new(&number, body), number == 1);
                }
                outbox.close();
            });
            let mut from = io::BufReader::new(std::fs::File::from(from));
            for (number, size) in sizes.into_iter().enumerate() {
                let (head, body) = read(&mut from).unwrap().unwrap();
                assert_eq!(postcard::from_bytes::<usize>(&head).unwrap(), number);
                assert_eq!(body.len(), size + 1);
                assert!(body[..size].iter().all(|byte| *byte == number as u8));
            }
        });
    }

    #[test]
    fn lengths_that_nobody_has_are_refused_before_anything_is_allocated() {
        for lengths in [(u32::MAX, 0u64), (1, u64::MAX), (0, MOST_BODY + 1)] {
            let mut bytes = lengths.0.to_le_bytes().to_vec();
            bytes.extend(lengths.1.to_le_bytes());
            let error = read(&mut &bytes[..]).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        }
        // Less than was said.
        let mut bytes = 1u32.to_le_bytes().to_vec();
        bytes.extend((8u64 << 30).to_le_bytes());
        bytes.push(1);
        assert_eq!(read(&mut &bytes[..]).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert!(read(&mut &b""[..]).unwrap().is_none());
        assert!(read(&mut &b"abc"[..]).is_err());
    }
}
