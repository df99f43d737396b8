//! How a path is written in a list of checksums: as b3sum writes it.
//!
//! One line a file, so a newline, a carriage return and a backslash are escaped, and the line then starts
//! with a backslash. What is not UTF-8 becomes U+FFFD: such a name can be listed, but not checked.

use std::path::Path;

/// A path as text: what it looks like in a line, and whether that took escapes.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) text: String,
    pub(crate) escaped: bool,
}

pub(crate) fn show(path: &Path) -> Shown {
    let name = path.to_string_lossy();
    if !name.contains(['\\', '\n', '\r']) {
        return Shown { text: name.into_owned(), escaped: false };
    }
    let mut text = String::with_capacity(name.len() + 8);
    for char in name.chars() {
        match char {
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            other => text.push(other),
        }
    }
    Shown { text, escaped: true }
}

/// The name behind the escapes; `None` where a backslash starts none.
pub(crate) fn unescape(text: &str) -> Option<String> {
    let mut name = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        name.push(match char {
            '\\' => match chars.next()? {
                '\\' => '\\',
                'n' => '\n',
                'r' => '\r',
                _ => return None,
            },
            other => other,
        });
    }
    Some(name)
}
