//! Encrypted connections that don't come about: why, and what to do.

use std::error::Error as StdError;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use async_nats::ConnectError;
use async_nats::rustls::{AlertDescription, CertificateError, Error as Tls};

/// A certificate to show, and its key, as files.
pub(super) type Shown = (PathBuf, PathBuf);

/// What says which certificate to show.
const SHOW: &str = "`Server::client_certificate`, or for a worker `ASYNCKIT_WORKER_CERTIFICATE` and \
    `ASYNCKIT_WORKER_KEY`, names one that its authority has signed, and the key of that";

/// What says whom to trust.
const TRUST: &str = "`Server::root_certificates`, or for a worker `ASYNCKIT_WORKER_CA`, names the file of who has signed it";

/// Complains of a file that can't be read, by its name: the client itself doesn't say which one it is.
pub(super) fn check<'a>(files: impl IntoIterator<Item = &'a Path>) -> Result<(), String> {
    files.into_iter().try_for_each(|file| {
        let read = std::fs::read(file).map(drop);
        read.map_err(|error| format!("no certificate or key in {}: {error}", file.display()))
    })
}

/// Where it is for certificates that there is no connection.
pub(super) fn why_not(error: &ConnectError, shown: Option<&Shown>) -> Option<String> {
    let io = causes(error).find_map(|cause| cause.downcast_ref::<io::Error>());
    match io.and_then(io::Error::get_ref).and_then(|inner| inner.downcast_ref::<Tls>()) {
        Some(Tls::AlertReceived(alert)) if is_about_certificates(*alert) => {
            Some(format!("the server {}", refuses(&format!("{alert:?}"), shown)))
        }
        Some(Tls::InvalidCertificate(CertificateError::UnknownIssuer)) => Some(format!(
            "nobody who is trusted here has signed the certificate of the server: {TRUST}"
        )),
        Some(Tls::InvalidCertificate(error)) => {
            Some(format!("the certificate of the server is no good: {error}"))
        }
        Some(Tls::InvalidMessage(_)) => Some(
            "the server doesn't encrypt: it needs a part `tls` in its configuration, or none of `tls://`, roots of \
             trust and a certificate is to be said here"
                .to_owned(),
        ),
        Some(_) => None,
        None if error.to_string().contains("certificate or key") => {
            let (file, key) = shown?;
            let (file, key) = (file.display(), key.display());
            Some(format!("the certificate in {file} and the key in {key} don't go together"))
        }
        // It may not have come to say why.
        None if has_ended(error, io) => Some(format!(
            "the server has ended the connection: maybe it {}",
            refuses(&error.to_string(), shown)
        )),
        None => None,
    }
}

/// What a server does that lets nobody in without a certificate.
fn refuses(why: &str, shown: Option<&Shown>) -> String {
    match shown {
        None => format!("asks for a certificate ({why}): {SHOW}"),
        Some((file, _)) => format!(
            "doesn't take the certificate in {} ({why}): an authority has to have signed it that the server knows \
             (`ca_file` in its `tls`), for clients, and it must be neither expired nor revoked",
            file.display()
        ),
    }
}

fn is_about_certificates(alert: AlertDescription) -> bool {
    use AlertDescription as Is;
    let all = [
        Is::CertificateRequired,
        Is::NoCertificate,
        Is::BadCertificate,
        Is::UnsupportedCertificate,
        Is::UnknownCA,
        Is::CertificateUnknown,
        Is::CertificateExpired,
        Is::CertificateRevoked,
        Is::HandshakeFailure,
        Is::DecryptError,
    ];
    all.contains(&alert)
}

fn has_ended(error: &ConnectError, io: Option<&io::Error>) -> bool {
    let kinds = [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe, ErrorKind::UnexpectedEof];
    io.map_or(error.to_string().ends_with("broken pipe"), |io| kinds.contains(&io.kind()))
}

fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}
