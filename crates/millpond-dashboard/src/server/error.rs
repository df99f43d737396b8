//! Why there is no dashboard.

use millpond::net::ServeError;
use std::{
    error::Error,
    fmt, io,
    net::{SocketAddr, TcpListener},
};

/// Why a dashboard did not start. Nothing is left of it: no socket, no thread.
///
/// ```
/// use millpond_dashboard::{BadToken, Dashboard, DashboardError};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = millpond::Pool::builder().worker_threads(1).build()?;
/// let error = Dashboard::builder().token("short").serve(&pool, "127.0.0.1:0").unwrap_err();
/// assert_eq!(error.setting(), Some("token"));
/// assert!(matches!(error, DashboardError::BadToken { reason: BadToken::Short { characters: 5 } }));
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum DashboardError {
    /// The address can be reached from other machines, and no [`token`](crate::Builder::token) is set.
    NeedsToken {
        /// The address, or the first such one that the name stands for.
        addr: SocketAddr,
    },
    /// The [`token`](crate::Builder::token) cannot be one.
    BadToken {
        /// What is wrong with it. The token itself is not told.
        reason: BadToken,
    },
    /// A setting is 0 that must be at least 1.
    Zero {
        /// The builder's method.
        setting: &'static str,
    },
    /// The address is no address, or nobody can listen there.
    Listen {
        /// What the system says.
        source: io::Error,
    },
    /// The pool runs no server: it has shut down, or its driver has no sockets.
    Serve {
        /// Why not, with the listener.
        source: ServeError<TcpListener>,
    },
}

/// What is wrong with a token.
/// See [`DashboardError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadToken {
    /// So few characters can be guessed.
    Short {
        /// How many it has.
        characters: usize,
    },
    /// A character that an address or a header would have to change.
    Character {
        /// Where, from 0.
        at: usize,
    },
}

impl DashboardError {
    /// The builder's method whose value has to change, if it is one's; `driver` is that of the pool's builder.
    pub fn setting(&self) -> Option<&'static str> {
        match self {
            DashboardError::NeedsToken { .. } | DashboardError::BadToken { .. } => Some("token"),
            DashboardError::Zero { setting } => Some(setting),
            DashboardError::Listen { .. } => Some("addr"),
            DashboardError::Serve { source } => source.setting(),
        }
    }
}

impl fmt::Display for DashboardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DashboardError::NeedsToken { addr } => write!(
                f,
                "addr is {addr}, which other machines can reach, and no token is set: listen on 127.0.0.1 or [::1], or set \
                 Dashboard::builder().token(…)"
            ),
            DashboardError::BadToken { reason } => write!(f, "token {reason}"),
            DashboardError::Zero { setting } => {
                write!(f, "{setting} is 0, so nobody would ever be answered; allow at least 1")
            }
            DashboardError::Listen { source } => {
                write!(f, "addr cannot be listened on: {source}; with port 0 the system chooses a free one")
            }
            DashboardError::Serve { source } => write!(f, "the pool cannot serve the dashboard: {source}"),
        }
    }
}

impl fmt::Display for BadToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let least = super::guard::TOKEN_CHARACTERS_MIN;
        match self {
            BadToken::Short { characters } => {
                write!(f, "has {characters} characters; take {least} or more, and take them by chance")
            }
            BadToken::Character { at } => write!(
                f,
                "has a character at position {at} that an address or a header would have to change; take letters, digits \
                 and - . _ ~"
            ),
        }
    }
}

impl Error for BadToken {}

impl Error for DashboardError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            DashboardError::NeedsToken { .. } | DashboardError::Zero { .. } => None,
            DashboardError::BadToken { reason } => Some(reason),
            DashboardError::Listen { source } => Some(source),
            DashboardError::Serve { source } => Some(source),
        }
    }
}
