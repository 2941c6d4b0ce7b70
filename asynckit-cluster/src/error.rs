//! What can go wrong with a cluster.

use std::{fmt, io};

/// Why a cluster can't be made.
#[derive(Debug)]
#[non_exhaustive]
pub enum ClusterError {
    /// This process is a worker, or what has been started as one: it has no workers itself.
    IsWorker,
    /// This system has not what it takes.
    Unsupported,
    /// A number makes no sense.
    Invalid(String),
    /// The system would not.
    Io(io::Error),
    /// There is no connection to the server, or it has not what it takes.
    Server(asynckit::BoxError),
    /// The local pool could not be made.
    Pool(asynckit::BuildError),
}

impl fmt::Display for ClusterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClusterError::IsWorker => f.write_str(
                "this process was started to be a worker, and can't have workers itself: \
                 `asynckit_cluster::serve_if_asked()` has to be the first line of `main`",
            ),
            ClusterError::Unsupported => {
                f.write_str("this system has not what it takes to run calls in processes")
            }
            ClusterError::Invalid(why) => f.write_str(why),
            ClusterError::Io(error) => write!(f, "no cluster could be made: {error}"),
            ClusterError::Server(error) => write!(f, "no cluster over this server: {error}"),
            ClusterError::Pool(error) => write!(f, "the local pool could not be made: {error}"),
        }
    }
}

impl std::error::Error for ClusterError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ClusterError::Io(error) => Some(error),
            ClusterError::Server(error) => Some(&**error),
            ClusterError::Pool(error) => Some(error),
            _ => None,
        }
    }
}
