//! What may come in the place of a message: for tests of who reads it.

use std::process::Command;

/// Numbers by chance, the same in each run.
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        self.0 >> 33
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    pub(crate) fn bytes(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| self.next() as u8).collect()
    }
}

/// Each beginning of it: whatever was cut off.
pub(crate) fn beginnings(good: &[u8]) -> impl Iterator<Item = &[u8]> {
    (0..good.len()).map(|end| &good[..end])
}

/// It, with each of its bits turned over.
pub(crate) fn turned(good: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..8 * good.len()).map(|at| {
        let mut bytes = good.to_vec();
        bytes[at / 8] ^= 1 << (at % 8);
        bytes
    })
}

/// It, with some bytes of it replaced, and more behind it.
pub(crate) fn mixed(good: &[u8], draw: &mut Draw) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for _ in 0..=draw.below(4) {
        if !bytes.is_empty() {
            let at = draw.below(bytes.len());
            bytes[at] = draw.next() as u8;
        }
    }
    let more = draw.below(8);
    bytes.extend(draw.bytes(more));
    bytes
}

/// Runs this test in a process of its own, which may take so much memory more than it has taken by then: who reserves
/// what a message only says that there is ends it. (Such a limit is Linux's.)
pub(crate) fn with_little_memory(test: &str, bytes: u64, it: impl FnOnce()) {
    const ASKED: &str = "ASYNCKIT_TEST_LITTLE_MEMORY";
    if !cfg!(target_os = "linux") || std::env::var_os(ASKED).is_some() {
        #[cfg(target_os = "linux")]
        limit(bytes);
        return it();
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    // What was given back counts no more: glibc keeps it otherwise.
    command.env(ASKED, "1").env("MALLOC_MMAP_THRESHOLD_", "131072").env("RUST_BACKTRACE", "0");
    let output = command.args(["--exact", test, "--nocapture"]).output().unwrap();
    let said =
        [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
    assert!(output.status.success(), "{}: {}", output.status, said.concat());
    assert!(said[0].contains("1 passed"), "there is a test {test}: {}", said[0]);
}

#[cfg(target_os = "linux")]
fn limit(bytes: u64) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let data = status.lines().find_map(|line| line.strip_prefix("VmData:")).unwrap();
    let taken: u64 = data.trim().strip_suffix(" kB").unwrap().parse().unwrap();
    let Rlimit { maximum, .. } = getrlimit(Resource::Data);
    setrlimit(Resource::Data, Rlimit { current: Some((taken << 10) + bytes), maximum }).unwrap();
}
