//! Which file a request's path names.

use hyper::StatusCode;

/// A path below the folder that is served: never empty, never absolute, and without `..` in it.
#[derive(Debug)]
pub(crate) struct Target {
    /// Bytes as in the file system, which knows no encoding.
    pub(crate) path: Vec<u8>,
    /// It is the page of a folder, whose name ended with a slash.
    pub(crate) is_page: bool,
}

/// What is served for a folder.
const PAGE: &[u8] = b"index.html";

impl Target {
    /// Of the path of a URL, which begins with a slash. The error is the status that says no.
    ///
    /// Names that begin with a dot are not served: `.` and `..`, and what is not meant to be seen. Nor are empty ones:
    /// they name nothing new, and a redirect to `//host/` would lead elsewhere.
    pub(crate) fn of(path: &str) -> Result<Self, StatusCode> {
        let path = path.strip_prefix('/').ok_or(StatusCode::BAD_REQUEST)?;
        let mut path = decode(path.as_bytes())?;
        let is_page = path.is_empty() || path.ends_with(b"/");
        if is_page {
            path.extend_from_slice(PAGE);
        }
        if path.split(|&byte| byte == b'/').any(|name| name.is_empty() || name.starts_with(b".")) {
            return Err(StatusCode::NOT_FOUND);
        }
        Ok(Self { path, is_page })
    }
}

/// Undoes the percent-encoding. No file's name has a slash or a NUL in it, so an encoded one names none.
fn decode(encoded: &[u8]) -> Result<Vec<u8>, StatusCode> {
    let mut decoded = Vec::with_capacity(encoded.len() + PAGE.len());
    let mut rest = encoded.iter();
    while let Some(&byte) = rest.next() {
        decoded.push(match byte {
            b'%' => match (digit(rest.next())? << 4) | digit(rest.next())? {
                b'/' | 0 => return Err(StatusCode::NOT_FOUND),
                byte => byte,
            },
            byte => byte,
        });
    }
    Ok(decoded)
}

fn digit(byte: Option<&u8>) -> Result<u8, StatusCode> {
    let value = byte.and_then(|&byte| char::from(byte).to_digit(16));
    value.and_then(|value| u8::try_from(value).ok()).ok_or(StatusCode::BAD_REQUEST)
}
