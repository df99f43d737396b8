//! Why a request is not answered with what it asks for.

use std::io::{self, ErrorKind};

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use millpond::{JoinError, SubmitError};

#[derive(Debug)]
pub(crate) enum Refusal {
    BadName,
    /// As many transfers as there may be.
    Busy,
    TooLarge,
    /// The client has sent nothing for too long, or not what HTTP asks for.
    BadBody,
    /// The pool takes no more jobs, or has cut this one off.
    Stopping,
    File(io::Error),
    /// The job panicked. The panic's message is on standard error already.
    Panicked,
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Refusal::File(error)
    }
}

/// The closure in it is dropped: its request gets another answer.
impl<F> From<SubmitError<F>> for Refusal {
    fn from(_: SubmitError<F>) -> Self {
        Refusal::Stopping
    }
}

impl From<JoinError> for Refusal {
    fn from(error: JoinError) -> Self {
        if error.is_panic() { Refusal::Panicked } else { Refusal::Stopping }
    }
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Refusal::BadName => StatusCode::NOT_FOUND,
            Refusal::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::BadBody => StatusCode::BAD_REQUEST,
            Refusal::Busy | Refusal::Stopping => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::File(error) => match error.kind() {
                ErrorKind::NotFound | ErrorKind::IsADirectory => StatusCode::NOT_FOUND,
                ErrorKind::PermissionDenied => StatusCode::FORBIDDEN,
                ErrorKind::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            },
            Refusal::Panicked => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = self.status();
        if let Refusal::File(error) = &self {
            if status == StatusCode::INTERNAL_SERVER_ERROR {
                crate::complain(&error.to_string());
            }
        }
        let mut response = (status, format!("{status}\n")).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            // Seconds.
            response.headers_mut().insert(header::RETRY_AFTER, 1.into());
        }
        response
    }
}
