//! What is borrowed, and what borrows it.

use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Wake, Waker};
use std::time::{Duration, Instant};

const THERE: u64 = 0x600D;

/// The seed's choices: splitmix.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// Takes one of them out.
    pub fn pick<T>(&mut self, from: &mut Vec<T>) -> Option<T> {
        let place = self.below(from.len().max(1) as u64) as usize;
        (!from.is_empty()).then(|| from.swap_remove(place))
    }
}

/// What becomes of one attack.
#[derive(Clone, Default)]
pub struct Watch(Arc<Counts>);

#[derive(Default)]
struct Counts {
    made: AtomicUsize,
    dropped: AtomicUsize,
    late: AtomicUsize,
    forgets: AtomicUsize,
}

impl Watch {
    pub fn alive(&self) -> usize {
        self.0.made.load(SeqCst) - self.0.dropped.load(SeqCst)
    }

    pub fn made(&self) -> usize {
        self.0.made.load(SeqCst)
    }

    pub fn one_more(&self) {
        self.0.made.fetch_add(1, SeqCst);
    }

    pub fn one_less(&self) {
        self.0.dropped.fetch_add(1, SeqCst);
    }

    /// Something was forgotten: it may be there for ever.
    pub fn forgets(&self) {
        self.0.forgets.store(1, SeqCst);
    }

    /// Nothing is there any more that was not forgotten.
    pub fn all_gone(&self) {
        let forgets = self.0.forgets.load(SeqCst) != 0;
        assert!(forgets || self.alive() == 0, "{} of {} are alive", self.alive(), self.made());
    }

    /// The attack is over, and so is what its stage had put off.
    pub fn end(&self) {
        let start = Instant::now();
        while self.0.forgets.load(SeqCst) == 0 && self.alive() > 0 && start.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.all_gone();
        assert_eq!(self.0.late.load(SeqCst), 0, "something was used after its ground was gone");
    }
}

const PATIENCE: Duration = Duration::from_secs(20);

/// What is borrowed. It is on the heap, so that memcheck sees who comes too late.
pub struct Ground {
    there: Box<AtomicU64>,
    /// For who comes too late without memcheck.
    is_there: Arc<AtomicU64>,
    pub watch: Watch,
}

impl Ground {
    pub fn new(watch: &Watch) -> Ground {
        let (there, is_there) = (Box::new(AtomicU64::new(THERE)), Arc::new(AtomicU64::new(THERE)));
        Ground { there, is_there, watch: watch.clone() }
    }

    /// Takes another look.
    pub fn look(&self) {
        if self.is_there.load(SeqCst) != THERE || self.there.load(SeqCst) != THERE {
            self.watch.0.late.fetch_add(1, SeqCst);
        }
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        self.is_there.store(0, SeqCst);
        self.there.store(0, SeqCst);
    }
}

/// What borrows: it looks at its ground when it is dropped.
pub struct Borrows<'a> {
    ground: &'a Ground,
    is_there: Arc<AtomicU64>,
    watch: Watch,
    panics: bool,
}

impl<'a> Borrows<'a> {
    pub fn new(ground: &'a Ground) -> Borrows<'a> {
        ground.watch.one_more();
        let (is_there, watch) = (ground.is_there.clone(), ground.watch.clone());
        Borrows { ground, is_there, watch, panics: false }
    }

    pub fn panicking(mut self) -> Borrows<'a> {
        self.panics = true;
        self
    }

    pub fn look(&self) {
        if self.is_there.load(SeqCst) != THERE {
            self.watch.0.late.fetch_add(1, SeqCst);
        } else {
            self.ground.look();
        }
    }
}

impl Clone for Borrows<'_> {
    fn clone(&self) -> Self {
        self.look();
        Borrows::new(self.ground)
    }
}

impl Drop for Borrows<'_> {
    fn drop(&mut self) {
        self.look();
        self.watch.one_less();
        if self.panics && !std::thread::panicking() {
            std::panic::resume_unwind(Box::new("on purpose"));
        }
    }
}

/// Wakers that outlive what they were for.
static KEPT: Mutex<Vec<Waker>> = Mutex::new(Vec::new());

pub fn keep(waker: &Waker) {
    KEPT.lock().unwrap().push(waker.clone());
}

/// Calls those that were kept, or lets go of them.
pub fn wake_kept(random: &mut Random) {
    let kept: Vec<Waker> = std::mem::take(&mut *KEPT.lock().unwrap());
    for waker in kept {
        match random.below(4) {
            0 => waker.wake(),
            1 => waker.wake_by_ref(),
            2 => drop(waker),
            _ => KEPT.lock().unwrap().push(waker),
        }
    }
}

/// A waker that wakes nobody and is counted.
pub fn idle_waker() -> Waker {
    struct Idle;
    impl Wake for Idle {
        fn wake(self: Arc<Self>) {}
    }
    Waker::from(Arc::new(Idle))
}

/// Keeps its waker, and is pending as often as it wakes itself.
pub async fn suspended(mut times: u64) {
    poll_fn(|context| {
        keep(context.waker());
        if times == 0 {
            return Poll::Ready(());
        }
        times -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
