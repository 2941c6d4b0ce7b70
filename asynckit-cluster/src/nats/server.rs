//! Where the server is, and how one proves to it who one is.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use async_nats::connection::State;
use async_nats::jetstream::{self, context::ContextBuilder};
use async_nats::{Client, ConnectErrorKind, ConnectOptions, Event, RequestErrorKind, ServerAddr};
use asynckit::BoxError;
use bytes::Bytes;
use nkeys::KeyPair;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::encrypted::{self, Shown};
use super::{EACH, credentials, say};

/// The oldest server that has all that is used.
const OLDEST: (i64, i64) = (2, 12);

/// The smallest messages that a server must let through: a body that is just not large, and its head.
const SMALLEST_PAYLOAD: usize = 768 << 10;

/// How long an acknowledgement of the server may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// A NATS server, and how one proves to it who one is: what [`Cluster::connect`](crate::Cluster::connect) takes.
///
/// An address alone is one, as text: `nats://host:4222`, with `tls://` for an encrypted connection, and several with
/// commas between them for a cluster of servers. `nats://name:password@host` has credentials in it.
///
/// A connection to another machine without credentials is warned of on standard error: whoever reaches that server can
/// have the workers run any function of the program that is `remote`, with any arguments.
///
/// ```no_run
/// use asynckit_cluster::{Cluster, Server};
///
/// let server = Server::at("tls://nats.example.org:4222")
///     .root_certificates("/etc/films/ca.pem")
///     .credentials_file("/etc/films/driver.creds");
/// let cluster = Cluster::connect(server, "films")?;
/// # Ok::<(), asynckit_cluster::ClusterError>(())
/// ```
#[derive(Clone, Default)]
#[must_use = "a server is connected to by `Cluster::connect`"]
pub struct Server {
    url: String,
    user: Option<(String, String)>,
    token: Option<String>,
    nkey: Option<String>,
    credentials: Option<PathBuf>,
    roots: Option<PathBuf>,
    certificate: Option<Shown>,
    replicas: usize,
}

impl Server {
    /// The server at this address, or at one of these, with commas between them.
    pub fn at(url: impl Into<String>) -> Server {
        Server { url: url.into(), ..Server::default() }
    }

    /// Proves who one is by name and password.
    pub fn user(mut self, name: impl Into<String>, password: impl Into<String>) -> Server {
        self.user = Some((name.into(), password.into()));
        self
    }

    /// Proves who one is by a token.
    pub fn token(mut self, token: impl Into<String>) -> Server {
        self.token = Some(token.into());
        self
    }

    /// Proves who one is by a key: the seed of an nkey, `SU..`.
    pub fn nkey(mut self, seed: impl Into<String>) -> Server {
        self.nkey = Some(seed.into());
        self
    }

    /// Proves who one is by a file of credentials, as `nsc` makes them. It is read whenever a connection is made: where they
    /// expire, a new file in its place is enough.
    pub fn credentials_file(mut self, path: impl Into<PathBuf>) -> Server {
        self.credentials = Some(path.into());
        self
    }

    /// Takes the certificates in this file as the roots of trust, and insists on an encrypted connection.
    pub fn root_certificates(mut self, path: impl Into<PathBuf>) -> Server {
        self.roots = Some(path.into());
        self
    }

    /// Shows this certificate to the server, by its key, and insists on an encrypted connection.
    pub fn client_certificate(
        mut self,
        certificate: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Server {
        self.certificate = Some((certificate.into(), key.into()));
        self
    }

    /// Of how many servers each keeps a copy of the streams, where these are made: 1 unless said, up to 5 in a cluster
    /// of servers. With more than one, a call is answered more slowly, and the loss of a server is no loss at all.
    pub fn replicas(mut self, replicas: usize) -> Server {
        self.replicas = replicas;
        self
    }

    /// How many copies of the streams there are to be.
    pub(super) fn copies(&self) -> usize {
        self.replicas.max(1)
    }

    fn addresses(&self) -> Result<Vec<ServerAddr>, BoxError> {
        let addresses = self.url.split(',').map(|one| one.trim().parse());
        let addresses: Result<Vec<ServerAddr>, _> = addresses.collect();
        addresses.map_err(|error| {
            format!("`{}` is not the address of a server: {error}", self.shown()).into()
        })
    }

    /// Whether it is shown who one is, but for what is in its address.
    fn proves(&self) -> bool {
        self.user.is_some()
            || self.token.is_some()
            || self.nkey.is_some()
            || self.credentials.is_some()
            || self.certificate.is_some()
    }

    /// What to say of connecting there, where that should be thought over.
    pub(super) fn warning(&self) -> Option<String> {
        let addresses = self.addresses().ok()?;
        let open =
            addresses.iter().find(|one| !is_loopback(one.host()) && one.username().is_none())?;
        (!self.proves()).then(|| {
            format!(
                "the server {}:{} is on another machine, and is spoken to without credentials: whoever reaches it can \
                 have workers run each function that is `remote`, with any arguments",
                open.host(),
                open.port()
            )
        })
    }

    /// The address, without what is secret in it.
    fn shown(&self) -> String {
        let hide = |one: &str| match (one.find("://"), one.rfind('@')) {
            (scheme, Some(at)) => {
                let (begin, end) = (scheme.map_or(0, |i| i + 3), at + 1);
                format!(
                    "{}{}",
                    one.get(..begin).unwrap_or_default(),
                    one.get(end..).unwrap_or_default()
                )
            }
            _ => one.to_owned(),
        };
        self.url.split(',').map(hide).collect::<Vec<_>>().join(",")
    }

    /// Why the server doesn't let this one in, and what to do.
    fn why_not(&self) -> String {
        if let Some(path) = &self.credentials {
            return format!(
                "the server doesn't take the credentials in {}: they have to be those of a user of an account that it \
                 knows, and neither expired nor revoked",
                path.display()
            );
        }
        let words = if self.proves() || self.url.contains('@') {
            "the server doesn't take the name and password, the token or the key: they have to be as it is configured"
        } else {
            "the server asks who this is: `Server` says so, or for a worker a variable like `ASYNCKIT_WORKER_CREDENTIALS`"
        };
        words.to_owned()
    }

    fn options(&self, name: &str) -> Result<ConnectOptions, BoxError> {
        let options = match &self.credentials {
            Some(path) => credentials::options(path.clone())?,
            None => ConnectOptions::new(),
        };
        let mut options = options
            .name(name)
            .client_capacity(16 << 10)
            .subscription_capacity(256 << 10)
            .request_timeout(Some(PATIENCE))
            .connection_timeout(PATIENCE)
            .ping_interval(Duration::from_secs(2))
            .reconnect_delay_callback(|attempt| {
                Duration::from_millis(if attempt == 0 {
                    0
                } else {
                    (50 << attempt.min(4)).min(500)
                })
            });
        let in_url = self.addresses()?.iter().find_map(|one| {
            let name = one.username()?.to_owned();
            Some((name, one.password().map(str::to_owned)))
        });
        match in_url {
            Some((name, Some(password))) => options = options.user_and_password(name, password),
            Some((token, None)) => options = options.token(token),
            None => {}
        }
        if let Some((name, password)) = &self.user {
            options = options.user_and_password(name.clone(), password.clone());
        }
        if let Some(token) = &self.token {
            options = options.token(token.clone());
        }
        if let Some(seed) = &self.nkey {
            // (What is wrong with a seed is said without it.)
            KeyPair::from_seed(seed).map_err(|error| format!("no key in this seed: {error}"))?;
            options = options.nkey(seed.clone());
        }
        let shown = self.certificate.iter().flat_map(|(certificate, key)| [certificate, key]);
        encrypted::check(self.roots.iter().chain(shown).map(PathBuf::as_path))?;
        if let Some(path) = &self.roots {
            options = options.add_root_certificates(path.clone()).require_tls(true);
        }
        if let Some((certificate, key)) = &self.certificate {
            options =
                options.add_client_certificate(certificate.clone(), key.clone()).require_tls(true);
        }
        Ok(options)
    }

    /// A connection, and what becomes of it later.
    pub(super) async fn connect(&self, name: &str) -> Result<Connection, BoxError> {
        let addresses = self.addresses()?;
        let (send, events) = mpsc::unbounded_channel();
        let options = self.options(name)?.event_callback(move |event| {
            // Nobody listens any more: it is the end.
            send.send(event).ok();
            std::future::ready(())
        });
        let client = options.connect(addresses).await;
        let client = client.map_err(|error| {
            let why = match error.kind() {
                ConnectErrorKind::AuthorizationViolation => self.why_not(),
                _ => encrypted::why_not(&error, self.certificate.as_ref())
                    .unwrap_or_else(|| error.to_string()),
            };
            format!("no connection to {}: {why}", self.shown())
        })?;
        let info = client.server_info();
        if !client.is_server_compatible(OLDEST.0, OLDEST.1, 0) {
            let (major, minor) = OLDEST;
            return Err(format!(
                "the server at {} is NATS {}, and {major}.{minor} is the oldest that will do",
                self.shown(),
                info.version
            )
            .into());
        }
        if !info.jetstream {
            return Err(format!(
                "the server at {} has no JetStream: start it with `-js`",
                self.shown()
            )
            .into());
        }
        if info.max_payload < SMALLEST_PAYLOAD {
            return Err(format!(
                "the server at {} has `max_payload` {}, and {SMALLEST_PAYLOAD} is needed",
                self.shown(),
                info.max_payload
            )
            .into());
        }
        let js = ContextBuilder::new().timeout(PATIENCE).ack_timeout(PATIENCE);
        let js = js.max_ack_inflight(1 << 20).backpressure_on_inflight(true).build(client.clone());
        let mut why_not = format!(
            "the server at {} doesn't let this one in any more, and calls wait until it does: {}",
            self.shown(),
            self.why_not()
        );
        if self.credentials.is_some() {
            why_not += "; the file is read again at each try";
        }
        let (watches, said) = (JoinSet::new(), None);
        Ok(Connection { client, js, events, watches, why_not, said })
    }
}

/// A connection to a server.
pub(super) struct Connection {
    pub(super) client: Client,
    pub(super) js: jetstream::Context,
    pub(super) events: mpsc::UnboundedReceiver<Event>,
    /// Ends with the connection.
    watches: JoinSet<()>,
    /// What to say where the server doesn't let this one in any more, and when that was said last.
    why_not: String,
    said: Option<Instant>,
}

impl Connection {
    /// From now on gives the connection up, for another one, where the server doesn't hear what is said here. A client
    /// looks for that only where it hears nothing itself, and others may talk all the time; so somebody has to ask, for a
    /// stream that is there.
    pub(super) fn watch(&mut self, stream: String) {
        let (client, subject) = (self.client.clone(), format!("$JS.API.STREAM.INFO.{stream}"));
        self.watches.spawn(async move {
            let connects = || client.statistics().connects.load(Ordering::Relaxed);
            loop {
                tokio::time::sleep(EACH).await;
                if client.connection_state() != State::Connected {
                    continue;
                }
                let before = connects();
                let answer = client.request(subject.clone(), Bytes::new()).await;
                let is_deaf = answer.is_err_and(|error| error.kind() == RequestErrorKind::TimedOut);
                let is_same = connects() == before;
                if is_deaf && is_same && client.connection_state() == State::Connected {
                    client.force_reconnect().await.ok();
                }
            }
        });
    }

    /// Says so, once a minute at most, where the server doesn't let this one in any more.
    pub(super) fn heed(&mut self, event: &Event) {
        let why = match event {
            Event::ServerError(error) => error.to_string(),
            Event::ClientError(error) => error.to_string(),
            _ => return,
        };
        // (A nonce is signed by who has the key: it was not to be had.)
        let is_about_it = ["authorization violation", "authentication", "signing nonce"]
            .iter()
            .any(|words| why.to_lowercase().contains(words));
        let is_old = |then: Instant| then.elapsed() > Duration::from_secs(60);
        if is_about_it && self.said.is_none_or(is_old) {
            self.said = Some(Instant::now());
            say(&format!("{} ({why})", self.why_not));
        }
    }

    /// Which server it is to, in this life of that.
    pub(super) fn server(&self) -> String {
        self.client.server_info().server_id
    }
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

impl From<&str> for Server {
    fn from(url: &str) -> Server {
        Server::at(url)
    }
}
impl From<String> for Server {
    fn from(url: String) -> Server {
        Server::at(url)
    }
}
impl From<&String> for Server {
    fn from(url: &String) -> Server {
        Server::at(url.as_str())
    }
}

/// Without what is secret.
impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("url", &self.shown()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_elsewhere_without_credentials_is_warned_of() {
        for url in
            ["nats://127.0.0.1:4222", "localhost", "nats://[::1]:4222", "nats://me:it@example.org"]
        {
            assert_eq!(Server::at(url).warning(), None, "{url}");
        }
        let open = Server::at("nats://10.0.0.1:4222");
        assert!(open.warning().unwrap().contains("10.0.0.1:4222"));
        assert!(Server::at("nats://127.0.0.1,nats://example.org").warning().is_some());
        assert_eq!(open.clone().user("me", "it").warning(), None);
        assert_eq!(open.nkey("SU").warning(), None);
    }

    #[test]
    fn what_is_secret_is_not_shown() {
        let server =
            Server::at("nats://me:secret@example.org:4222").user("you", "secret").nkey("SUsecret");
        let shown = format!("{server:?}");
        assert!(shown.contains("example.org") && !shown.contains("secret"), "{shown}");
    }
}
