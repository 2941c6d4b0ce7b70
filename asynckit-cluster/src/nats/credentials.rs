//! Files of credentials, as `nsc` makes them: they expire, and others take their place.

use std::io;
use std::path::{Path, PathBuf};

use async_nats::{Auth, AuthError, ConnectOptions};
use nkeys::KeyPair;

/// Options to connect by such a file. It is read at each try, also when a connection was lost: so a new one that lies in its
/// place by then is found.
pub(super) fn options(path: PathBuf) -> Result<ConnectOptions, String> {
    let complaint = |error| format!("no credentials in {}: {error}", path.display());
    read(&path).map_err(complaint)?;
    Ok(ConnectOptions::with_auth_callback(move |nonce| {
        let auth = prove(&path, &nonce);
        async { auth }
    }))
}

/// Shows who one is, and has the key of that.
fn prove(path: &Path, nonce: &[u8]) -> Result<Auth, AuthError> {
    let (jwt, key) = read(path).map_err(AuthError::new)?;
    let mut auth = Auth::new();
    auth.jwt = Some(jwt);
    auth.signature = Some(key.sign(nonce).map_err(AuthError::new)?);
    Ok(auth)
}

fn read(path: &Path) -> io::Result<(String, KeyPair)> {
    let text = std::fs::read_to_string(path)?;
    let garbled = |what| io::Error::other(format!("cannot parse {what}"));
    let mut parts = parts(&text);
    let jwt = parts.next().ok_or_else(|| garbled("the user's JWT".to_owned()))?;
    let seed = parts.next().ok_or_else(|| garbled("the seed of the user's key".to_owned()))?;
    // (What is wrong with a seed is said without it.)
    let key = KeyPair::from_seed(seed).map_err(|error| garbled(format!("the seed: {error}")))?;
    Ok((jwt.to_owned(), key))
}

/// What stands between lines like `-----BEGIN NATS USER JWT-----` and `------END NATS USER JWT------`.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    std::iter::from_fn(move || {
        lines.find(|line| line.starts_with("---") && line.contains("BEGIN"))?;
        lines.next().filter(|line| !line.starts_with("---"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_two_parts_and_remarks() {
        let text = "-----BEGIN NATS USER JWT-----\r\neyJ.x.y\r\n------END NATS USER JWT------\r\n\r\n\
            ************ IMPORTANT ************\nA seed is secret.\n\n\
            -----BEGIN USER NKEY SEED-----\n  SUAX\n------END USER NKEY SEED------\n***\n";
        assert_eq!(parts(text).collect::<Vec<_>>(), ["eyJ.x.y", "SUAX"]);
        for text in ["", "secret", "-----BEGIN NATS USER JWT-----\n------END NATS USER JWT------"] {
            assert_eq!(parts(text).next(), None, "{text}");
        }
    }
}
