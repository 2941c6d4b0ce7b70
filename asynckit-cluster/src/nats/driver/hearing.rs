//! What a driver hears: outcomes, and what workers say of themselves.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::acting::{ActingDriver, DriverFound, Got};
use crate::nats::frames::{self, Beat, Body, Done, News};
use crate::nats::{self, say, streams};
use crate::wire::{CallId, Garbled, Hash};

impl ActingDriver {
    pub(super) fn outcomes(&mut self, message: &Bytes) {
        let apart = frames::unpack::<Done>(message).and_then(|(done, body)| {
            let (instance, sent) = (done.instance, done.sent);
            Ok((instance, sent, done.apart(&body)?))
        });
        let (instance, sent, apart) = match apart {
            Ok(apart) => apart,
            Err(garbled) => return self.refuse(&garbled, message),
        };
        self.workers.shows(instance, sent);
        self.is_untidy = true;
        for (one, body) in apart {
            if one.id.run != self.run {
                continue;
            }
            // The first outcome wins; whoever comes after it is not heard.
            if self.calls.get(one.id.number).is_none() {
                if let Body::Stored(hash, _) = one.body {
                    self.forget(&self.values, hash);
                }
                continue;
            }
            let ran = one.ran.and_then(|(place, ran)| self.workers.ran(instance, &place, ran));
            let got = (one.outcome, ran);
            match (body, one.body) {
                (Some(body), _) => self.finished(one.id, one.delivery, got, body),
                (None, Body::Stored(hash, size)) => {
                    if self.calls.tell(one.id.number, true) {
                        continue;
                    }
                    let pause = Duration::ZERO;
                    self.fetch(one.id, one.delivery, Box::new(got), (hash, size), pause);
                }
                (None, Body::Here(_)) => {}
            }
        }
    }

    /// Gets the body of an outcome, after a pause.
    pub(super) fn fetch(
        &self,
        id: CallId,
        delivery: u32,
        got: Box<Got>,
        body: (Hash, u64),
        after: Duration,
    ) {
        let (values, run) = (self.values.clone(), self.run);
        self.find(async move {
            nats::pause(after).await;
            let found = values.get(run, body.0, body.1, Some((id, delivery))).await;
            DriverFound::Fetched(id, delivery, got, body, found)
        });
    }

    pub(super) fn finished(&mut self, id: CallId, delivery: u32, (outcome, ran): Got, body: Bytes) {
        let Some(open) = self.close(id.number) else { return };
        self.tell(|driver| driver.finished(id, outcome, body, ran));
        // It was given up for lost, and has come out all the same.
        if open.outgoing.call.delivery > delivery {
            self.let_go(open);
        }
    }

    pub(super) fn hear_news(&mut self, message: &Bytes) {
        let news = match frames::unpack::<News>(message) {
            Ok((news, _)) => news,
            Err(garbled) => return self.refuse(&garbled, message),
        };
        let now = Instant::now();
        self.workers.speaks(&news, now);
        for (id, delivery, told) in news.of {
            self.told(id, delivery, told, &news.worker, news.instance);
        }
    }

    pub(super) fn hear_beat(&mut self, message: &Bytes) {
        let (beat, _) = match frames::unpack::<Beat>(message) {
            Ok(beat) => beat,
            Err(garbled) => return self.refuse(&garbled, message),
        };
        let now = Instant::now();
        if beat.hello.build == self.names.build {
            let run = self.run;
            for (id, delivery) in beat.has.iter().filter(|(id, _)| id.run == run) {
                if self.calls.get(id.number).is_some() {
                    self.calls.has(id.number, *delivery, beat.instance, now);
                } else {
                    self.notice_stray(*id, now);
                }
            }
        }
        let (instance, is_last) = (beat.instance, beat.is_last);
        self.workers.beats(beat, now);
        if is_last {
            self.has_left(instance);
        }
    }

    /// What can't be read is kept aside; but for what somebody of another version says, as that comes again each second.
    fn refuse(&mut self, garbled: &Garbled, message: &Bytes) {
        if !garbled.is_foreign {
            let (client, names) = (self.connection.client.clone(), self.names.clone());
            let setting = streams::set_aside(client, names, garbled.to_string(), message.clone());
            self.find(async move {
                setting.await;
                DriverFound::Nothing
            });
        } else if !std::mem::replace(&mut self.said_foreign, true) {
            say(&garbled.to_string());
        }
        self.tell(|driver| driver.refused(garbled));
    }
}
