//! What a worker is told of by its environment and its arguments.

use std::num::NonZeroUsize;
use std::time::Duration;

use asynckit::BoxError;

use crate::clock::EVER;
use crate::nats::server::Server;

/// The grace, unless said: that of `Cluster::builder`.
const GRACE: Duration = Duration::from_secs(2);

/// What a worker is to be.
#[derive(Debug)]
pub(super) struct WorkerSettings {
    pub(super) server: Server,
    /// The app that is served; the one of the first driver that is heard of, where it isn't said.
    pub(super) app: Option<String>,
    /// How many calls run at once.
    pub(super) threads: usize,
    /// In how many processes: as many, unless said.
    pub(super) processes: usize,
    /// How long a call that nobody wants any more may go on before its process is killed.
    pub(super) grace: Duration,
    pub(super) name: String,
}

/// Reads them, where this program is to be a worker.
///
/// Each is a variable, `ASYNCKIT_WORKER_NAME=w1`, or an argument, `--asynckit-worker-name=w1`, which comes first.
pub(super) fn read(
    arguments: &[String],
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<WorkerSettings>, BoxError> {
    let said = by_arguments(arguments)?;
    let setting = |name: &str| {
        let argument = said.iter().find(|(its, _)| *its == name);
        argument.map(|(_, value)| value.clone()).or_else(|| variable(&format!("ASYNCKIT_{name}")))
    };
    let Some(url) = setting("WORKER").filter(|url| !url.is_empty()) else { return Ok(None) };
    let (url, path) = split(&url);
    let mut server = Server::at(url);
    match (setting("WORKER_USER"), setting("WORKER_PASSWORD")) {
        (Some(user), Some(password)) => server = server.user(user, password),
        (None, None) => {}
        _ => return Err("ASYNCKIT_WORKER_USER and ASYNCKIT_WORKER_PASSWORD go together".into()),
    }
    if let Some(token) = setting("WORKER_TOKEN") {
        server = server.token(token);
    }
    if let Some(seed) = setting("WORKER_NKEY") {
        server = server.nkey(seed);
    }
    if let Some(file) = setting("WORKER_CREDENTIALS") {
        server = server.credentials_file(file);
    }
    if let Some(file) = setting("WORKER_CA") {
        server = server.root_certificates(file);
    }
    match (setting("WORKER_CERTIFICATE"), setting("WORKER_KEY")) {
        (Some(certificate), Some(key)) => server = server.client_certificate(certificate, key),
        (None, None) => {}
        _ => return Err("ASYNCKIT_WORKER_CERTIFICATE and ASYNCKIT_WORKER_KEY go together".into()),
    }
    let number = |name: &str| match setting(name) {
        Some(text) => {
            let number = text.parse().map(NonZeroUsize::get);
            let complaint = |_| format!("ASYNCKIT_{name} is `{text}`, and should be 1 or more");
            number.map(Some).map_err(complaint)
        }
        None => Ok(None),
    };
    let usual = || std::thread::available_parallelism().map_or(1, usize::from);
    let (asked, processes) = (number("WORKER_THREADS")?, number("WORKER_PROCESSES")?);
    let threads = asked.unwrap_or_else(usual);
    let processes = processes.unwrap_or(threads).min(threads);
    // Each process has as many as the others.
    let uneven = threads % processes;
    if asked.is_some() && uneven > 0 {
        return Err(format!(
            "ASYNCKIT_WORKER_THREADS is {threads}, which {processes} processes can't share evenly: let it be a multiple of \
             ASYNCKIT_WORKER_PROCESSES"
        )
        .into());
    }
    let threads = threads - uneven;
    let grace = match setting("WORKER_GRACE") {
        Some(text) => {
            let seconds = text.parse().ok().and_then(|s| Duration::try_from_secs_f64(s).ok());
            seconds
                .ok_or_else(|| {
                    format!("ASYNCKIT_WORKER_GRACE is `{text}`, and should be so many seconds")
                })?
                .min(EVER)
        }
        None => GRACE,
    };
    let name = setting("WORKER_NAME").unwrap_or_else(default_name);
    let app = setting("WORKER_APP").or(path);
    Ok(Some(WorkerSettings { server, app, threads, processes, grace, name }))
}

/// What there is to say, as in the names of variables.
const ALL: [&str; 14] = [
    "WORKER",
    "WORKER_APP",
    "WORKER_THREADS",
    "WORKER_PROCESSES",
    "WORKER_GRACE",
    "WORKER_NAME",
    "WORKER_USER",
    "WORKER_PASSWORD",
    "WORKER_TOKEN",
    "WORKER_NKEY",
    "WORKER_CREDENTIALS",
    "WORKER_CA",
    "WORKER_CERTIFICATE",
    "WORKER_KEY",
];

/// How an argument begins that is for a worker.
const OURS: &str = "--asynckit-worker";

/// What arguments say: `--asynckit-worker-name w1` or `--asynckit-worker-name=w1`. All others are the program's own.
///
/// # Errors
///
/// Where one says nothing, or something else than there is to say: a program that is asked to be a worker must not be
/// something else instead.
fn by_arguments(arguments: &[String]) -> Result<Vec<(&'static str, String)>, BoxError> {
    let option = |name: &str| format!("--asynckit-{}", name.to_lowercase().replace('_', "-"));
    let (mut said, mut rest) = (Vec::new(), arguments.iter());
    while let Some(argument) = rest.next() {
        if !argument.starts_with(OURS) {
            continue;
        }
        let (its, value) = match argument.split_once('=') {
            Some((its, value)) => (its, Some(value.to_owned())),
            None => (argument.as_str(), rest.next().filter(|one| !one.starts_with(OURS)).cloned()),
        };
        let Some(name) = ALL.into_iter().find(|name| option(name) == its) else {
            let all = ALL.map(option).join(", ");
            return Err(format!("`{its}` is not known; there are {all}").into());
        };
        let value = value.filter(|value| !value.is_empty());
        let value = value.ok_or_else(|| format!("`{its}` needs a value: `{its}=..`"))?;
        said.push((name, value));
    }
    Ok(said)
}

/// An address and the app behind it: `nats://host:4222/films`.
fn split(url: &str) -> (String, Option<String>) {
    let host = url.find("://").map_or(0, |at| at + 3);
    match url[host..].find('/') {
        None => (url.to_owned(), None),
        Some(at) => {
            let (url, path) = url.split_at(host + at);
            let app = path.trim_matches('/');
            (url.to_owned(), (!app.is_empty()).then(|| app.to_owned()))
        }
    }
}

/// The machine and the process.
fn default_name() -> String {
    let machine = crate::nats::machine();
    let machine = if machine.is_empty() { "worker" } else { &machine };
    format!("{machine}-{}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(arguments: &[&str], variables: &[(&str, &str)]) -> Option<WorkerSettings> {
        let arguments: Vec<String> = arguments.iter().map(|&text| text.to_owned()).collect();
        let variable = |name: &str| {
            let found = variables.iter().find(|(its, _)| *its == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        read(&arguments, variable).unwrap()
    }

    #[test]
    fn a_worker_is_asked_for_by_a_variable_or_an_argument() {
        assert!(read_all(&["program", "--frames=3"], &[]).is_none());
        let asked = read_all(&[], &[("ASYNCKIT_WORKER", "nats://host:4222/films")]).unwrap();
        assert_eq!(asked.app.as_deref(), Some("films"));
        assert!(asked.threads > 0 && !asked.name.is_empty());
        assert_eq!((asked.processes, asked.grace), (asked.threads, GRACE));

        let arguments = ["x", "--asynckit-worker", "tls://host", "--asynckit-worker-threads=3"];
        let variables = [
            ("ASYNCKIT_WORKER", "nats://other"),
            ("ASYNCKIT_WORKER_NAME", "w1"),
            ("ASYNCKIT_WORKER_APP", "films"),
        ];
        let asked = read_all(&arguments, &variables).unwrap();
        assert_eq!((asked.threads, &*asked.name, asked.app.as_deref()), (3, "w1", Some("films")));
        assert!(format!("{:?}", asked.server).contains("tls://host"));

        let variables = [
            ("ASYNCKIT_WORKER", "nats://host"),
            ("ASYNCKIT_WORKER_THREADS", "4"),
            ("ASYNCKIT_WORKER_PROCESSES", "2"),
            ("ASYNCKIT_WORKER_GRACE", "0.5"),
        ];
        let asked = read_all(&[], &variables).unwrap();
        assert_eq!((asked.threads, asked.processes), (4, 2));
        assert_eq!(asked.grace, Duration::from_millis(500));
    }

    #[test]
    fn an_argument_that_says_nothing_or_is_not_known_is_told_of() {
        let complaint = |arguments: &[&str]| {
            let arguments: Vec<String> = arguments.iter().map(|&text| text.to_owned()).collect();
            read(&arguments, |_| None).unwrap_err().to_string()
        };
        for arguments in [
            &["--asynckit-worker"][..],
            &["--asynckit-worker="],
            &["--asynckit-worker", "--asynckit-worker-threads=3"],
            &["--frames", "3", "--asynckit-worker"],
        ] {
            assert!(complaint(arguments).contains("`--asynckit-worker` needs a value"));
        }
        let unknown = complaint(&["--asynckit-worker=nats://host", "--asynckit-worker-treads=3"]);
        assert!(unknown.contains("`--asynckit-worker-treads` is not known"), "{unknown}");
        assert!(unknown.contains("--asynckit-worker-threads, "), "{unknown}");
        assert!(
            complaint(&["--asynckit-workers=nats://host"])
                .contains("`--asynckit-workers` is not known")
        );
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        let complaint = |name: &'static str, value: &'static str| {
            let variables = [("ASYNCKIT_WORKER", "nats://host"), (name, value)];
            let variable = move |wanted: &str| {
                let found = variables.iter().find(|(its, _)| *its == wanted);
                found.map(|(_, value)| (*value).to_owned())
            };
            read(&[], variable).unwrap_err().to_string()
        };
        assert!(complaint("ASYNCKIT_WORKER_THREADS", "many").contains("`many`"));
        assert!(complaint("ASYNCKIT_WORKER_PROCESSES", "0").contains("`0`"));
        assert!(complaint("ASYNCKIT_WORKER_GRACE", "-1").contains("`-1`"));
        let variable = |wanted: &str| match wanted {
            "ASYNCKIT_WORKER" => Some("nats://host".to_owned()),
            "ASYNCKIT_WORKER_THREADS" => Some("5".to_owned()),
            "ASYNCKIT_WORKER_PROCESSES" => Some("2".to_owned()),
            _ => None,
        };
        assert!(read(&[], variable).unwrap_err().to_string().contains("multiple"));
        assert!(complaint("ASYNCKIT_WORKER_USER", "me").contains("PASSWORD"));
        assert!(complaint("ASYNCKIT_WORKER_KEY", "k").contains("CERTIFICATE"));
    }
}
