//! What somebody else may see and do on the server, by its client.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use async_nats::jetstream::Context;
use async_nats::jetstream::consumer::{FromConsumer, pull};
use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::{Config, State, Stream};
use futures_util::{StreamExt, TryStreamExt};

use crate::support::{LONG, NatsServer, soon};

/// A stream that is there. A server that has much to do does not answer each time.
async fn stream_of(js: &Context, name: &str) -> Stream {
    let begin = Instant::now();
    loop {
        match js.get_stream(name).await {
            Ok(stream) => return stream,
            Err(error) => assert!(begin.elapsed() < LONG, "{name}: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

impl NatsServer {
    fn by_client<T>(&self, act: impl AsyncFnOnce(async_nats::Client) -> T) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client = async_nats::connect(self.url()).await.unwrap();
            let done = act(client.clone()).await;
            client.flush().await.unwrap();
            done
        })
    }

    /// How many messages are in a stream of the app `test`.
    pub fn messages(&self, stream: &str) -> u64 {
        self.state(stream).messages
    }

    /// How many messages have ever been put into a stream of the app `test`.
    pub fn published(&self, stream: &str) -> u64 {
        self.state(stream).last_sequence
    }

    fn state(&self, stream: &str) -> State {
        let name = format!("ASYNCKIT_test_{stream}");
        self.by_client(async move |client| {
            let stream = stream_of(&async_nats::jetstream::new(client), &name).await;
            stream.cached_info().state.clone()
        })
    }

    /// How many large bodies of the app `test` there are, also in part, and how many messages have ever been stored for
    /// them.
    pub fn objects(&self) -> (usize, u64) {
        self.by_client(async move |client| {
            let js = async_nats::jetstream::new(client);
            let (mut there, mut stored) = (BTreeSet::new(), 0);
            for kind in ["ARGUMENTS", "VALUES"] {
                let stream = stream_of(&js, &format!("ASYNCKIT_test_{kind}")).await;
                stored += stream.cached_info().state.last_sequence;
                let mut chunks = stream.info_with_subjects(">").await.unwrap();
                while let Some((subject, _)) = chunks.try_next().await.unwrap() {
                    there.insert(subject.rsplit_once('.').unwrap().0.to_owned());
                }
            }
            (there.len(), stored)
        })
    }

    /// Does something to this chunk of the only large body of a kind.
    pub fn harm(&self, kind: &str, chunk: usize, how: Harm) {
        let (stream, kind) = (format!("ASYNCKIT_test_{}S", kind.to_uppercase()), kind.to_owned());
        self.by_client(async move |client| {
            let js = async_nats::jetstream::new(client);
            let bodies = stream_of(&js, &stream).await;
            let subject = format!("asynckit.test.{kind}.*.*.{chunk}");
            let found = bodies.get_last_raw_message_by_subject(&subject).await.unwrap();
            let mut bytes = found.payload.to_vec();
            match how {
                Harm::Lose => {
                    bodies.delete_message(found.sequence).await.unwrap();
                    return;
                }
                Harm::Garble => bytes[1000] ^= 1,
                Harm::Lengthen => bytes.push(0),
            }
            js.publish(found.subject, bytes.into()).await.unwrap().await.unwrap();
        });
    }

    /// How many requests for calls stand, of functions of the app `test` that have a limit.
    pub fn requests_for_limited(&self) -> usize {
        self.by_client(async move |client| {
            let js = async_nats::jetstream::new(client);
            let work = stream_of(&js, "ASYNCKIT_test_WORK").await;
            let consumers: Vec<_> = work.consumers().map(Result::unwrap).collect().await;
            let limited = consumers.iter().filter(|consumer| !consumer.name.ends_with("-any"));
            limited.map(|consumer| consumer.num_waiting).sum()
        })
    }

    /// Takes all large bodies of the app `test` away.
    pub fn forget_objects(&self) {
        self.purge("ASYNCKIT_test_ARGUMENTS");
        self.purge("ASYNCKIT_test_VALUES");
    }

    /// Takes all calls of the app `test` away that the server has.
    pub fn forget_calls(&self) {
        self.purge("ASYNCKIT_test_WORK");
    }

    /// Takes all consumers of calls of the app `test` away.
    pub fn forget_consumers(&self) {
        self.by_client(async move |client| {
            let js = async_nats::jetstream::new(client);
            let work = stream_of(&js, "ASYNCKIT_test_WORK").await;
            let names: Vec<_> = work.consumer_names().map(Result::unwrap).collect().await;
            for name in names {
                work.delete_consumer(&name).await.unwrap();
            }
        });
    }

    /// Changes all consumers of calls of the app `test`.
    pub fn change_consumers(&self, how: impl Fn(&mut pull::Config)) {
        self.by_client(async move |client| {
            let js = async_nats::jetstream::new(client);
            let work = stream_of(&js, "ASYNCKIT_test_WORK").await;
            let names: Vec<_> = work.consumer_names().map(Result::unwrap).collect().await;
            assert!(!names.is_empty());
            for name in names {
                let config = work.consumer_info(&name).await.unwrap().config;
                let mut config = pull::Config::try_from_consumer_config(config).unwrap();
                how(&mut config);
                work.update_consumer(config).await.unwrap();
            }
        });
    }

    fn purge(&self, stream: &str) {
        self.by_client(async move |client| {
            let js = async_nats::jetstream::new(client);
            stream_of(&js, stream).await.purge().await.unwrap();
        });
    }

    pub fn change(&self, stream: &str, how: impl FnOnce(&mut Config)) {
        let name = format!("ASYNCKIT_test_{stream}");
        self.by_client(async move |client| {
            let js = async_nats::jetstream::new(client);
            let mut config = stream_of(&js, &name).await.cached_info().config.clone();
            how(&mut config);
            js.update_stream(config).await.unwrap();
        });
    }

    pub fn make(&self, config: Config) {
        self.by_client(async move |client| {
            async_nats::jetstream::new(client).create_stream(config).await.unwrap();
        });
    }

    pub fn publish(&self, subject: &str, payload: &[u8]) {
        let (subject, payload) = (subject.to_owned(), payload.to_vec());
        self.by_client(async move |client| {
            client.publish(subject, payload.into()).await.unwrap();
        });
    }

    /// The call that was put into the stream last.
    pub fn last_call(&self) -> StreamMessage {
        self.by_client(async move |client| {
            let js = async_nats::jetstream::new(client);
            let work = stream_of(&js, "ASYNCKIT_test_WORK").await;
            work.get_last_raw_message_by_subject("asynckit.test.work.>").await.unwrap()
        })
    }

    /// Puts it there once more.
    pub fn publish_again(&self, call: StreamMessage) {
        self.by_client(async move |client| {
            let js = async_nats::jetstream::new(client);
            let sent = js.publish_with_headers(call.subject, call.headers, call.payload).await;
            let stored = sent.unwrap().await.unwrap();
            assert!(!stored.duplicate, "the server still knows it");
        });
    }

    /// Has the only call, which needs the only large body, say that that is so large.
    pub fn forge_size(&self, forged: u64) {
        self.by_client(async move |client| {
            let js = async_nats::jetstream::new(client.clone());
            let bodies = stream_of(&js, "ASYNCKIT_test_ARGUMENTS").await;
            let chunks: Vec<_> = (0..bodies.cached_info().state.messages)
                .map(|n| format!("asynckit.test.argument.*.*.{n}"))
                .collect();
            let (mut size, mut hash) = (0, Vec::new());
            for chunk in chunks {
                let chunk = bodies.get_last_raw_message_by_subject(&chunk).await.unwrap();
                size += chunk.payload.len() as u64;
                let its = chunk.subject.split('.').nth(4).unwrap();
                hash = data_encoding::HEXLOWER.decode(its.as_bytes()).unwrap();
            }

            let work = stream_of(&js, "ASYNCKIT_test_WORK").await;
            let call = work.get_last_raw_message_by_subject("asynckit.test.work.>").await.unwrap();
            let length = u32::from_le_bytes(*call.payload.first_chunk().unwrap()) as usize;
            let (head, rest) = call.payload[4..].split_at(length);
            let at = head.windows(hash.len()).position(|part| part == hash).unwrap() + hash.len();
            let old = varint(size);
            assert!(head[at..].starts_with(&old));
            let head = [&head[..at], &varint(forged), &head[at + old.len()..]].concat();
            let length = (head.len() as u32).to_le_bytes();
            let payload = [&length[..], &head, rest].concat();

            work.delete_message(call.sequence).await.unwrap();
            js.publish(call.subject, payload.into()).await.unwrap().await.unwrap();
        });
    }

    /// A subject by which calls come to workers of this build.
    pub fn a_subject_of_calls(&self) -> String {
        let build = self.part_of_a_beat(3);
        format!("asynckit.test.work.{build}.any.{}", "0".repeat(32))
    }

    pub fn subject_of_outcomes(&self) -> String {
        format!("asynckit.test.done.{}", self.part_of_a_beat(4))
    }

    /// A part of the subject of what a driver says each second.
    fn part_of_a_beat(&self, at: usize) -> String {
        self.by_client(async move |client| {
            let mut beats = client.subscribe("asynckit.test.driver.>").await.unwrap();
            let beat = beats.next().await.unwrap();
            beat.subject.split('.').nth(at).unwrap().to_owned()
        })
    }

    /// What workers of any build say each second.
    pub fn watch_beats(&self) -> Beats {
        self.watch("asynckit.test.beat.>")
    }

    /// What drivers say each second, and when there is news.
    pub fn watch_drivers(&self) -> Beats {
        self.watch("asynckit.test.driver.>")
    }

    fn watch(&self, subject: &'static str) -> Beats {
        let count = Arc::new(AtomicU32::new(0));
        let (its, url) = (count.clone(), self.url());
        std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let client = async_nats::connect(url).await.unwrap();
                let mut beats = client.subscribe(subject).await.unwrap();
                while Arc::strong_count(&its) > 1 && beats.next().await.is_some() {
                    its.fetch_add(1, Ordering::SeqCst);
                }
            });
        });
        Beats(count)
    }
}

/// What somebody does to a part of a large body.
#[derive(Clone, Copy, Debug)]
pub enum Harm {
    Lose,
    Garble,
    Lengthen,
}

/// A number as it is in the head of a message.
fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 127 {
        bytes.push(number as u8 | 128);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// How often workers, or drivers, have said that they live.
pub struct Beats(Arc<AtomicU32>);

impl Beats {
    pub fn has_come(&mut self) -> bool {
        self.0.load(Ordering::SeqCst) > 0
    }

    pub fn count(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }

    pub fn wait_for(&mut self, more: u32) {
        let goal = self.0.load(Ordering::SeqCst) + more;
        soon("they say that they live", || self.0.load(Ordering::SeqCst) >= goal);
    }
}
