//! Certificates that are made for a test, by an authority of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::Dir;

/// A certificate and its key, as files.
pub struct Certificate {
    pub file: PathBuf,
    pub key: PathBuf,
}

/// An authority that signs certificates.
pub struct Authority(Certificate);

impl Authority {
    /// `None` where there is no `openssl` on this machine, and need not be.
    pub fn new(dir: &Dir, name: &str) -> Option<Authority> {
        let is_there = Command::new("openssl").arg("version").stdout(Stdio::null()).status();
        if !is_there.is_ok_and(|status| status.success()) {
            let needs = std::env::var("ASYNCKIT_NEEDS_NATS").is_ok_and(|value| value == "1");
            assert!(!needs, "there is no `openssl` on the path");
            return None;
        }
        let usage = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign"];
        Some(Authority(made(dir, name, &usage, None)))
    }

    /// What others trust.
    pub fn file(&self) -> &Path {
        &self.0.file
    }

    /// One for this machine, which shows who somebody is, a server or a client.
    pub fn signs(&self, dir: &Dir, name: &str) -> Certificate {
        self.signs_for(dir, name, "DNS:localhost,IP:127.0.0.1")
    }

    /// One for a machine that has these names.
    pub fn signs_for(&self, dir: &Dir, name: &str, names: &str) -> Certificate {
        let names = format!("subjectAltName={names}");
        let usage = [&names, "basicConstraints=critical,CA:FALSE"];
        made(dir, name, &usage, Some(&self.0))
    }
}

fn made(dir: &Dir, name: &str, extensions: &[&str], by: Option<&Certificate>) -> Certificate {
    let file = dir.join(&format!("{name}.pem"));
    let key = dir.join(&format!("{name}-key.pem"));
    let mut command = Command::new("openssl");
    command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    // (The configuration of the system may add others of these.)
    command.args(["-nodes", "-days", "2", "-config", "/dev/null", "-subj"]);
    command.arg(format!("/CN={name}"));
    command.args(extensions.iter().flat_map(|one| ["-addext", one]));
    if let Some(by) = by {
        command.arg("-CA").arg(&by.file).arg("-CAkey").arg(&by.key);
    }
    let made = command.arg("-keyout").arg(&key).arg("-out").arg(&file).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    Certificate { file, key }
}
