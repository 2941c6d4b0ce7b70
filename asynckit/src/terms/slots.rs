//! Slots of GNU make's jobserver, as the permits of a limit.
//!
//! A process that make has started has one slot anyway, the implicit one. For each further it takes a token from the
//! jobserver, and gives it back. To take one blocks: one thread does that for all who stand in line, and only while
//! somebody does. A token goes from one who is done to the next in line, and back to make when nobody is left there.

use std::io;

use jobserver::{Acquired, Client};

use crate::sync::thread;

pub(crate) struct Slots {
    client: Client,
    most: usize,
    /// What is taken up of that.
    taken: usize,
    /// How many have a slot each: one of them the implicit one, all others one of the tokens.
    users: usize,
    tokens: Vec<Acquired>,
    /// A thread waits for the next token.
    fetches: bool,
    /// There will be none any more.
    is_gone: bool,
}

impl Slots {
    pub(crate) fn new(client: Client, most: usize) -> Slots {
        Slots {
            client,
            most,
            taken: 0,
            users: 0,
            tokens: Vec::new(),
            fetches: false,
            is_gone: false,
        }
    }

    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// As many of the same jobserver.
    pub(crate) fn alike(&self) -> Slots {
        Slots::new(self.client.clone(), self.most)
    }

    /// A slot for one who takes up so much, if there is one.
    pub(crate) fn take(&mut self, weight: usize) -> bool {
        let there = self.users <= self.tokens.len() && self.taken + weight <= self.most;
        if there {
            self.users += 1;
            self.taken += weight;
        }
        there
    }

    /// One who has a slot gives back what it takes up in two parts, as two who have one each. (Until then others have one
    /// less than there might be.)
    pub(crate) fn split(&mut self) {
        self.users += 1;
    }

    pub(crate) fn give_back(&mut self, weight: usize) {
        self.users -= 1;
        self.taken -= weight;
    }

    /// Gives tokens back that nobody uses.
    pub(crate) fn give_rest_back(&mut self) {
        self.tokens.truncate(self.users.saturating_sub(1));
    }

    /// Somebody stands in line: has a token fetched, if that helps. `arrived` is called with it, and says
    /// whether the next one is wanted.
    pub(crate) fn fetch(
        &mut self,
        mut arrived: impl FnMut(io::Result<Acquired>) -> bool + Send + 'static,
    ) {
        if self.fetches || !self.helps() {
            return;
        }
        let client = self.client.clone();
        let thread = thread::Builder::new().name("asynckit-slots".to_owned());
        // Where it can't be started the next one in line tries again; and there is the implicit slot.
        self.fetches = thread.spawn(move || while arrived(client.acquire()) {}).is_ok();
    }

    /// Whether another token would.
    fn helps(&self) -> bool {
        !self.is_gone && self.users > self.tokens.len() && self.taken < self.most
    }

    /// A token has come. Without a jobserver the implicit slot has to do.
    pub(crate) fn put(&mut self, token: io::Result<Acquired>) {
        self.is_gone |= token.is_err();
        self.tokens.extend(token);
    }

    /// Whether the thread that has brought it is to bring another one; it leaves otherwise. `waited_for`: somebody
    /// stands in line.
    pub(crate) fn fetches_on(&mut self, waited_for: bool) -> bool {
        self.fetches = waited_for && self.helps();
        self.fetches
    }
}
